/* Robust futexes: when a thread dies that holds locks, those who wait for them are told. */
#include "kernel/lib/errno.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "mm/user_copy.h"

#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu
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

/*
 * Marks the futex at ADDRESS as its owner's legacy if the running thread is the owner. False: stop
 * here.
 */
static bool leave_futex(unsigned long address)
{
    u32 value;

    if (address % sizeof(value) || get_user(value, address))
        return false;
    if ((value & FUTEX_TID_MASK) != (u32)current->pid)
        return true;
    u32 legacy = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    if (put_user(legacy, address))
        return false;
    if (value & FUTEX_WAITERS)
        futex_wake_address(address, 1);
    return true;
}

void robust_list_exit(void)
{
    struct robust_list_head head;
    unsigned long link, next;

    if (!current->robust_list || copy_from_user(&head, current->robust_list, sizeof(head)))
        return;
    link = head.first & ~PRIORITY_INHERITING;
    for (int i = 0; i < LIST_LIMIT && link != current->robust_list; i++) {
        bool readable = get_user(next, link) == 0;

        if (link != (head.pending & ~PRIORITY_INHERITING) &&
            !leave_futex(link + (unsigned long)head.futex_offset))
            return;
        if (!readable)
            return;
        link = next & ~PRIORITY_INHERITING;
    }
    if (head.pending)
        leave_futex((head.pending & ~PRIORITY_INHERITING) + (unsigned long)head.futex_offset);
}
