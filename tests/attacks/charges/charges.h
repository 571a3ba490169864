/* What the bombs are made of (tests/attacks/bombs.c): each function is one, the body of a process. 0: it went as it should. */
#ifndef TESTS_ATTACKS_CHARGES_H
#define TESTS_ATTACKS_CHARGES_H

/* memory.c */
int lazy_heap(void);
int lazy_mappings(void);
int memory(void);
int memory_of_many(void);
int shared_memory(void);
int copies(void);
int endless_recursion(void);
int vmas_without_end(void);
int page_tables(void);

/* processes.c */
int forest(void);
int sessions(void);
int zombies(void);
int threads(void);

/* kept.c */
int descriptors(void);
int pipes(void);
int nameless_files(void);
int links(void);
int locks(void);
int watches(void);
int events(void);
int files(void);
int arguments(void);
int signals(void);

#endif
