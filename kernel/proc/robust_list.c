/* Robust futexes: when a thread dies that holds locks, those who wait for them are told. */
#include "kernel/lib/errno.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "mm/user_copy.h"

#define LIST_LIMIT 2048         /* the list is the program's: it may be a circle */
#define PRIORITY_INHERITING 1ul /* the low bit of a link */

/* Linux's struct robust_list_head, at the address that set_robust_list was given. */
struct robust_list_head {
    unsigned long first;        /* a circle of links that ends at the head */
    long futex_offset;          /* from a link to its futex */
    unsigned long pending;      /* a lock that is being taken or given back right now */
};

long do_set_robust_list(unsigned long head, size_t size)
{
    if (size != sizeof(struct robust_list_head))
        return -EINVAL;
    current->robust_list = head;
    return 0;
}

long do_get_robust_list(int pid, unsigned long head, unsigned long size)
{
    const struct task *task = pid ? find_task(pid) : current;
    unsigned long length = sizeof(struct robust_list_head);

    if (!task)
        return -ESRCH;
    if (put_user(length, size))
        return -EFAULT;
    return put_user(task->robust_list, head);
}

static unsigned long place_of(unsigned long link)
{
    return link & ~PRIORITY_INHERITING;
}

/*
 * Marks the futex of the lock whose link is at LINK as its owner's legacy if the running thread is the owner. A lock
 * that lends priority goes to its heir later (pi_exit). False: stop here.
 */
static bool leave_futex(unsigned long link, long offset, bool is_pending)
{
    unsigned long address = place_of(link) + (unsigned long)offset;
    bool lends_priority = (link & PRIORITY_INHERITING) != 0;
    u32 value;

    if (address % sizeof(value) || get_user(value, address))
        return false;
    /* It died between giving the lock back and waking somebody for it. */
    if (is_pending && !lends_priority && !(value & FUTEX_TID_MASK)) {
        futex_wake_address(address, 1);
        return true;
    }
    if ((value & FUTEX_TID_MASK) != (u32)current->pid)
        return true;
    u32 legacy = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    if (put_user(legacy, address))
        return false;
    if ((value & FUTEX_WAITERS) && !lends_priority)
        futex_wake_address(address, 1);
    return true;
}

void robust_list_exit(void)
{
    struct robust_list_head head;
    unsigned long link, next;

    if (!current->robust_list || copy_from_user(&head, current->robust_list, sizeof(head)))
        return;
    link = head.first;
    for (int i = 0; i < LIST_LIMIT && place_of(link) != current->robust_list; i++) {
        /* Where the next one is has to be read before its futex is given away. */
        bool readable = get_user(next, place_of(link)) == 0;

        if (place_of(link) != place_of(head.pending) && !leave_futex(link, head.futex_offset, false))
            return;
        if (!readable)
            return;
        link = next;
    }
    if (place_of(head.pending))
        leave_futex(head.pending, head.futex_offset, true);
}
