/* What is done with failing allocations (inject_scenarios.c), for the tests of it (inject_test.c). */
#ifndef TESTS_HOST_INJECT_H
#define TESTS_HOST_INJECT_H

#include "mm/mm.h"

/* What a refusal may leave behind, as on Linux: nothing; pages that were had already; flags of mappings, too. */
enum leavings { LEAVES_NOTHING, LEAVES_PAGES, LEAVES_LOCKS };

struct scenario {
    const char *name;
    long (*run)(struct mm_struct *mm);  /* 0, or -ENOMEM */
    unsigned allocations_at_least;      /* so that a scenario which allocates nothing is noticed */
    enum leavings leaves;
    bool may_succeed;                   /* all the same, for what could not be had was no duty */
    void (*prepare)(struct mm_struct *mm);      /* may be NULL; before anything fails */
};
extern const struct scenario scenarios[];
extern const unsigned scenario_count;

/* The file that the stage maps: two pages, made and put by the test. */
extern struct address_space *staged_file;
/* The stage for every scenario: written, read, untouched and shared pages, a file, a stack. mmput() it. */
struct mm_struct *stage(void);

#endif
