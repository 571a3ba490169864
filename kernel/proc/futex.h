/* What the files of the futexes share: words, who waits for them, and the locks that the kernel knows of. */
#ifndef KERNEL_PROC_FUTEX_H
#define KERNEL_PROC_FUTEX_H

#include "kernel/sched/sched.h"

#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu
#define FUTEX_ANY_BITS (~0u)

/* Which word: its place in an address space, or in an object that several of them map. */
struct futex_key {
    const void *space;
    unsigned long offset;
};

/* One thread that waits, on its own kernel stack. */
struct futex_waiter {
    struct list_head node;              /* in its bucket: by priority, then by arrival */
    struct futex_key key;
    struct task *task;
    u32 bits;
    bool woken;                         /* taken out of its bucket by whoever woke it; has the lock, if it is for one */
    struct pi_state *lock;              /* what it waits for; NULL: a plain futex */
    struct list_head lock_node;         /* in lock->waiters */
    const struct futex_key *requeue_to; /* FUTEX_WAIT_REQUEUE_PI: the lock that it may be moved to */
};

/*
 * A lock of a program that somebody waits for, so that the kernel knows its owner (Linux's futex_pi_state). It lives as
 * long as somebody waits.
 */
struct pi_state {
    struct task *owner;                 /* as the word says; NULL: died, and the heir has not run yet */
    struct list_head of_owner;          /* in owner->locks */
    struct list_head waiters;           /* by priority, then by arrival */
    unsigned users;
};

/*
 * The key of the word at ADDRESS, which is between threads alone when PRIVATE. 0, -EINVAL for a crooked address,
 * -EFAULT for one that is nowhere.
 */
int futex_key_of(unsigned long address, bool private, struct futex_key *key);
static inline bool futex_same_key(const struct futex_key *a, const struct futex_key *b)
{
    return a->space == b->space && a->offset == b->offset;
}

/* Those who wait for words with this hash. */
struct list_head *futex_bucket(const struct futex_key *key);
/* Puts WAITER, whose key is set, among them. */
void futex_enqueue(struct futex_waiter *waiter);
/* The first who waits for the word, or NULL. */
struct futex_waiter *futex_first_waiter(const struct futex_key *key);
/* Takes WAITER out and wakes it. */
void futex_wake_waiter(struct futex_waiter *waiter);

/* ---- locks with inheritance of priority (futex_pi.c, futex_requeue_pi.c); results are the calls' ---- */

/* DEADLINE 0: none. */
long futex_lock_pi(unsigned long address, bool private, u64 deadline, bool only_try);
long futex_unlock_pi(unsigned long address, bool private);
long futex_wait_requeue_pi(unsigned long address, unsigned long lock, bool private, u32 expected, u64 deadline);
long futex_cmp_requeue_pi(unsigned long address, unsigned long lock, bool private, int wake, int move, u32 expected);

/*
 * Takes the lock at ADDRESS for TASK, or, in *STATE, gets hold of it for a waiter (with FRESH, which is zeroed memory,
 * if it is new; *FRESH is NULL then). FUTEX_WAITERS is set in the word if WAITERS. 1: taken; 0: in *STATE, to be given
 * to pi_put; or negative errno.
 */
int pi_lock_or_get(unsigned long address, const struct futex_key *key, struct task *task, bool waiters,
                   struct pi_state **state, struct pi_state **fresh);
void pi_put(struct pi_state *state);
/* TASK's own priority has changed: it runs with the highest of that and those of who waits for it, and so on. */
void pi_update_priority(struct task *task);
/* Makes WAITER, which is in its bucket, wait for STATE (whose user it becomes). 0, or -EDEADLK: it would be a circle. */
int pi_join(struct futex_waiter *waiter, struct pi_state *state);
/* Sleeps until WAITER has its lock. 0, -ETIMEDOUT or -ERESTARTSYS. */
int pi_sleep(struct futex_waiter *waiter, u64 deadline);
/*
 * The end of the wait for the lock at ADDRESS: takes WAITER out of everything. ERROR is what ended the sleep; the
 * result is 0 when it has the lock nonetheless, else ERROR, or -EFAULT.
 */
int pi_finish(struct futex_waiter *waiter, unsigned long address, int error);

#endif
