/* The parts of the system-call fuzzer: what is called with what, a process that does it, and who starts such processes. */
#ifndef TESTS_ATTACKS_CALLS_H
#define TESTS_ATTACKS_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#define WORKERS_MAX 16
#define CALLS_OF_A_PROCESS 400
#define FIRST_USER 1000     /* that of worker 0's processes which are not root */
#define FOLDER "/tmp/calls"
#define NUMBERS 512         /* system calls have smaller ones */

/* The registers that a call preserves, in the order of its arguments. */
#define REGISTERS 12
struct registers {
    unsigned long of[REGISTERS];    /* rdi, rsi, rdx, r10, r8, r9, rbx, rbp, r12, r13, r14, r15 */
};

/* ---- random numbers (arguments.c) ---- */

void random_start(unsigned long seed);
unsigned long random_bits(void);
unsigned long below(unsigned long limit);

/* ---- calls and their arguments (arguments.c) ---- */

/*
 * Makes the arena, the memory that most pointers point into, with holes and pages of all kinds, and the descriptors.
 * Called once in each process, still with root's rights.
 */
void make_arena(void);

/* The part of the arena that is plain data: where results go. */
const unsigned long *arena_data(size_t *words);

/* A call's number and, in ARGUMENTS, what it gets; the rest of ARGUMENTS is left alone. ROOT: of those that root may make. */
unsigned int choose_call(bool root, struct registers *arguments);

/* Whether VALUE looks like an address of the kernel that nobody gave it: of its image, direct map or stacks. */
bool is_kernel_address(unsigned long value);

/* Whether it makes another process or thread, which comes back from it too. */
bool makes_children(unsigned int number);

/* Whether it is so rare that a short run may do without. */
bool is_rare(unsigned int number);

/* The numbers of all calls that there are, one after the other; false behind the last. */
bool next_call(size_t *position, unsigned int *number);

/* ---- one process (process.c) ---- */

/*
 * What a worker has in common with its present process, which may destroy it by what it does: then the marks are gone,
 * and the notes of this one process are worth nothing.
 */
#define SCORE_MARK 0x6c6c61635f656e6ful
struct score {
    unsigned long first_mark, made, hash;
    unsigned long destroyed;                /* calls that have overwritten what they are checked by */
    unsigned long changed;
    struct {
        unsigned long call, number, given, found;
    } change;                               /* the last one */
    unsigned long leaked;
    struct {
        unsigned long call, place, value;
    } leak;
    struct registers given;                 /* of the present call, once more */
    unsigned short of_call[NUMBERS];
    unsigned long last_mark;
};

/* In struct score's leak.place: where the address was. */
enum { LEAK_RESULT = -1, LEAK_REGISTER = -2 };      /* or the number of a word in the arena */

/* Makes random calls as one of WORKER's processes, and notes in SCORE what they did. Does not return. */
void live(struct score *score, unsigned int worker, unsigned long seed);

/* ---- a worker (worker.c) ---- */

/* What a worker tells at the end. Its processes never see it. */
struct total {
    struct score of_all;                    /* the sums, and the last finding */
    unsigned long destroyed_processes;
    unsigned long of_call[NUMBERS];
};

/* Starts one process after the other until they have made COUNT calls, and adds up. Does not return. */
void work(struct total *total, unsigned int worker, unsigned long seed, unsigned long count);

#endif
