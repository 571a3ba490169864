/*
 * Locks that lend priority. The word holds its owner's number, so that taking and giving back a free one needs no call;
 * once somebody waits, the kernel hands it on, and the owner runs with the priority of the first who waits.
 */
#include "kernel/lib/errno.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/internal.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

#define LONGEST_CHAIN 1024      /* of owners who wait for other owners */

/* ---- who owns what, and with which priority ---- */

static struct futex_waiter *first_of(const struct pi_state *state)
{
    return list_empty(&state->waiters) ? NULL : list_first_entry(&state->waiters, struct futex_waiter, lock_node);
}

static void sort_in(struct futex_waiter *waiter)
{
    struct list_head *head = &waiter->lock->waiters, *before = head->prev;

    while (before != head && list_entry(before, struct futex_waiter, lock_node)->task->priority < waiter->task->priority)
        before = before->prev;
    list_add(&waiter->lock_node, before);
}

static unsigned inherited_priority(const struct task *task)
{
    unsigned highest = task->own_priority;
    const struct pi_state *state;

    list_for_each_entry(state, &task->locks, of_owner) {
        const struct futex_waiter *first = first_of(state);
        if (first)
            highest = MAX(highest, first->task->priority);
    }
    return highest;
}

void pi_update_priority(struct task *task)
{
    for (int i = 0; task && i < LONGEST_CHAIN; i++) {
        unsigned priority = inherited_priority(task);
        struct futex_waiter *waiter = task->lock_waiter;
        if (priority == task->priority)
            return;
        sched_set_priority(task, priority);
        if (!waiter)
            return;
        list_del(&waiter->lock_node);
        sort_in(waiter);
        task = waiter->lock->owner;
    }
}

static void set_owner(struct pi_state *state, struct task *owner)
{
    struct task *before = state->owner;

    list_del(&state->of_owner);
    state->owner = owner;
    if (owner)
        list_add_tail(&state->of_owner, &owner->locks);
    if (before)
        pi_update_priority(before);
    if (owner)
        pi_update_priority(owner);
}

/* TASK would wait for itself, through whoever owns STATE. */
static bool is_circle(const struct task *task, const struct pi_state *state)
{
    const struct task *owner = state->owner;

    for (int i = 0; owner && i < LONGEST_CHAIN; i++) {
        if (owner == task)
            return true;
        owner = owner->lock_waiter ? owner->lock_waiter->lock->owner : NULL;
    }
    return owner != NULL;
}

int pi_join(struct futex_waiter *waiter, struct pi_state *state)
{
    if (is_circle(waiter->task, state))
        return -EDEADLK;
    state->users++;
    waiter->lock = state;
    waiter->task->lock_waiter = waiter;
    sort_in(waiter);
    if (state->owner)
        pi_update_priority(state->owner);
    return 0;
}

void pi_put(struct pi_state *state)
{
    if (--state->users > 0)
        return;
    set_owner(state, NULL);
    kfree(state);
}

/* The first who waits has the lock from now on; OWNER is what the word says. */
static void hand_on(struct pi_state *state, struct task *owner)
{
    struct futex_waiter *heir = first_of(state);

    set_owner(state, owner);
    if (!heir)
        return;
    list_del(&heir->lock_node);
    heir->task->lock_waiter = NULL;
    heir->woken = true;
    if (owner)
        pi_update_priority(owner);
    sched_wake(heir->task);
}

/* ---- getting hold of a lock ---- */

/* Nothing else runs between a look at the word and the change: the kernel's own faults do not sleep. */
static int write_word(unsigned long address, u32 value)
{
    return put_user(value, address) ? -EFAULT : 0;
}

/* The word says VALUE, and somebody waits already: do they agree? */
static int check_state(const struct pi_state *state, u32 value)
{
    u32 owner = value & FUTEX_TID_MASK;

    if (!state)
        return -EINVAL;         /* they wait for a plain futex */
    if (!state->owner)
        return (value & FUTEX_OWNER_DIED) && !owner ? 0 : -EINVAL;
    if ((value & FUTEX_OWNER_DIED) && !owner)
        return 0;
    return owner == (u32)state->owner->pid ? 0 : -EINVAL;
}

static int begin_state(struct task *owner, struct pi_state **state, struct pi_state **fresh)
{
    *state = *fresh;
    *fresh = NULL;
    (*state)->users = 1;
    list_init(&(*state)->waiters);
    list_init(&(*state)->of_owner);
    set_owner(*state, owner);
    return 0;
}

int pi_lock_or_get(unsigned long address, const struct futex_key *key, struct task *task, bool waiters,
                   struct pi_state **state, struct pi_state **fresh)
{
    struct futex_waiter *first = futex_first_waiter(key);
    u32 value;

    if (get_user(value, address))
        return -EFAULT;
    if ((value & FUTEX_TID_MASK) == (u32)task->pid)
        return -EDEADLK;
    if (first) {
        int error = check_state(first->lock, value);
        if (error)
            return error;
        *state = first->lock;
        first->lock->users++;
        return 0;
    }
    if (!(value & FUTEX_TID_MASK)) {
        value = (value & FUTEX_OWNER_DIED) | (u32)task->pid | (waiters ? FUTEX_WAITERS : 0);
        if (write_word(address, value))
            return -EFAULT;
        if (waiters)
            begin_state(task, state, fresh);
        return 1;
    }
    if (write_word(address, value | FUTEX_WAITERS))
        return -EFAULT;
    struct task *owner = find_task((int)(value & FUTEX_TID_MASK));
    if (!owner || !owner->mm)
        return -ESRCH;          /* it died without a word, or it never was one */
    return begin_state(owner, state, fresh);
}

/* ---- waiting ---- */

int pi_sleep(struct futex_waiter *waiter, u64 deadline)
{
    int error = 0;

    while (error == 0 && !waiter->woken)
        error = sleep_until(deadline);
    return waiter->woken ? 0 : error;
}

/* The heir of a dead owner writes its own number into the word: only it can be sure to reach it. */
static int inherit(struct pi_state *state, unsigned long address)
{
    u32 value;
    bool died = state->owner == NULL;
    int error = get_user(value, address);

    if (!error)
        error = write_word(address, (value & FUTEX_OWNER_DIED) | (died ? FUTEX_OWNER_DIED : 0) | FUTEX_WAITERS |
                                        (u32)current->pid);
    set_owner(state, current);
    return error;
}

int pi_finish(struct futex_waiter *waiter, unsigned long address, int error)
{
    struct pi_state *state = waiter->lock;

    list_del(&waiter->node);
    if (waiter->woken) {
        error = state->owner == current ? 0 : inherit(state, address);
    } else {
        list_del(&waiter->lock_node);
        current->lock_waiter = NULL;
        if (state->owner)
            pi_update_priority(state->owner);
    }
    pi_put(state);
    return error;
}

/* ---- the calls ---- */

static long lock(unsigned long address, bool private, u64 deadline, bool only_try, struct pi_state **fresh)
{
    struct futex_waiter waiter = { .task = current, .bits = FUTEX_ANY_BITS };
    struct pi_state *state;
    int error = futex_key_of(address, private, &waiter.key);

    if (error)
        return error;
    int taken = pi_lock_or_get(address, &waiter.key, current, false, &state, fresh);
    if (taken)
        return taken < 0 ? taken : 0;
    error = only_try ? -EAGAIN : pi_join(&waiter, state);
    if (!error) {
        futex_enqueue(&waiter);
        error = pi_sleep(&waiter, deadline);
        error = pi_finish(&waiter, address, error);
    }
    pi_put(state);
    return error == -ERESTARTSYS ? -ERESTARTNOINTR : error;
}

long futex_lock_pi(unsigned long address, bool private, u64 deadline, bool only_try)
{
    struct pi_state *fresh = kzalloc(sizeof(*fresh));
    long result = fresh ? lock(address, private, deadline, only_try, &fresh) : -ENOMEM;

    kfree(fresh);
    return result;
}

long futex_unlock_pi(unsigned long address, bool private)
{
    struct futex_waiter *first, *heir;
    struct futex_key key;
    u32 value;

    if (get_user(value, address))
        return -EFAULT;
    if ((value & FUTEX_TID_MASK) != (u32)current->pid)
        return -EPERM;
    int error = futex_key_of(address, private, &key);
    if (error)
        return error;
    first = futex_first_waiter(&key);
    if (!first)
        return write_word(address, 0);
    if (!first->lock || first->lock->owner != current)
        return -EINVAL;
    heir = first_of(first->lock);
    if (!heir)
        return write_word(address, 0);
    if (write_word(address, FUTEX_WAITERS | (u32)heir->task->pid))
        return -EFAULT;
    hand_on(first->lock, heir->task);
    return 0;
}

void pi_exit(void)
{
    while (!list_empty(&current->locks))
        hand_on(list_first_entry(&current->locks, struct pi_state, of_owner), NULL);
}
