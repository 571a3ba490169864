/*
 * Waiting for a word and then for a lock, in one call: what a condition variable with a lock that lends priority needs.
 * Who signals moves the waiters from the word to the lock, and the first may get it at once.
 */
#include "kernel/lib/errno.h"
#include "kernel/proc/futex.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

long futex_wait_requeue_pi(unsigned long address, unsigned long lock, bool private, u32 expected, u64 deadline)
{
    struct futex_waiter waiter = { .task = current, .bits = FUTEX_ANY_BITS };
    struct futex_key lock_key;
    u32 value;

    if (address == lock)
        return -EINVAL;
    int error = futex_key_of(lock, private, &lock_key);
    if (!error)
        error = futex_key_of(address, private, &waiter.key);
    if (!error && get_user(value, address))
        error = -EFAULT;
    if (error)
        return error;
    if (value != expected)
        return -EAGAIN;
    if (futex_same_key(&waiter.key, &lock_key))
        return -EINVAL;
    waiter.requeue_to = &lock_key;
    futex_enqueue(&waiter);
    error = pi_sleep(&waiter, deadline);
    if (waiter.lock) {
        error = pi_finish(&waiter, lock, error);
        /* The word has changed long since: to begin again would end so. */
        return error == -ERESTARTSYS ? -EAGAIN : error;
    }
    list_del(&waiter.node);
    return error == -ERESTARTSYS ? -ERESTARTNOINTR : error;
}

/* Is WAITER one that may go to LOCK? */
static bool may_move(const struct futex_waiter *waiter, const struct futex_key *lock)
{
    return waiter->requeue_to && !waiter->lock && futex_same_key(waiter->requeue_to, lock);
}

/* Makes WAITER wait for STATE, whose word has the key LOCK. */
static int move_to(struct futex_waiter *waiter, struct pi_state *state, const struct futex_key *lock)
{
    int error = pi_join(waiter, state);

    if (error)
        return error;
    list_del(&waiter->node);
    waiter->key = *lock;
    futex_enqueue(waiter);
    return 0;
}

/* Moves up to MOVE waiters, DONE included, from KEY to LOCK. How many were woken and moved, or negative errno. */
static long move_waiters(const struct futex_key *key, const struct futex_key *lock, struct pi_state *state, long done,
                         int move)
{
    struct futex_waiter *waiter, *following;

    list_for_each_entry_safe(waiter, following, futex_bucket(key), node) {
        if (done - 1 >= move)
            break;
        if (!futex_same_key(&waiter->key, key))
            continue;
        int error = may_move(waiter, lock) ? move_to(waiter, state, lock) : -EINVAL;
        if (error)
            return error;
        done++;
    }
    return done;
}

static long requeue(unsigned long lock, const struct futex_key *key, const struct futex_key *lock_key, int move,
                    struct pi_state **fresh)
{
    struct futex_waiter *first = futex_first_waiter(key);
    struct pi_state *state = NULL;

    if (!first)
        return 0;
    if (!may_move(first, lock_key))
        return -EINVAL;
    int taken = pi_lock_or_get(lock, lock_key, first->task, move > 0, &state, fresh);
    if (taken < 0)
        return taken;
    if (taken)
        futex_wake_waiter(first);
    long done = state ? move_waiters(key, lock_key, state, taken, move) : taken;
    if (state)
        pi_put(state);
    return done;
}

long futex_cmp_requeue_pi(unsigned long address, unsigned long lock, bool private, int wake, int move, u32 expected)
{
    struct futex_key key, lock_key;
    u32 value;

    /* More than the first can't have the lock. */
    if (wake != 1 || move < 0 || address == lock)
        return -EINVAL;
    int error = futex_key_of(address, private, &key);
    if (!error)
        error = futex_key_of(lock, private, &lock_key);
    if (error)
        return error;
    if (futex_same_key(&key, &lock_key))
        return -EINVAL;
    if (get_user(value, address))
        return -EFAULT;
    if (value != expected)
        return -EAGAIN;
    struct pi_state *fresh = kzalloc(sizeof(*fresh));
    long result = fresh ? requeue(lock, &key, &lock_key, move, &fresh) : -ENOMEM;
    kfree(fresh);
    return result;
}
