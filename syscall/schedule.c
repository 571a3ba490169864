/* The calls about who runs when: policies, priorities, niceness, and the one processor. */
#include "kernel/proc/futex.h"
#include "kernel/proc/proc.h"
#include "syscall/user.h"

#define SCHED_RESET_ON_FORK 0x40000000
#define RT_PRIORITY_MAX 99
#define UNCHANGED (-1)

long sys_sched_yield(void)
{
    sched_yield();
    return 0;
}

/* The task that PID means (0: the running one), or NULL. */
static struct task *task_of(unsigned long pid)
{
    return (int)pid ? find_task((int)pid) : current;
}

/* ---- policies ---- */

static bool has_priorities(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool is_policy(int policy)
{
    return has_priorities(policy) || policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

static bool may_change(const struct task *task)
{
    return current->euid == 0 || current->euid == task->euid || current->euid == task->uid;
}

/* May the running task, without privileges, give TASK this POLICY? */
static bool is_modest(const struct task *task, int policy, unsigned priority, bool reset_on_fork)
{
    unsigned long most = task->process->limits[RLIMIT_RTPRIO].current;

    if (has_priorities(policy)) {
        if (policy != task->policy && most == 0)
            return false;
        if (priority > task->own_priority && priority > most)
            return false;
    }
    if (task->policy == SCHED_IDLE && policy != SCHED_IDLE &&
        (unsigned long)(20 - task->nice) > task->process->limits[RLIMIT_NICE].current)
        return false;
    return may_change(task) && (reset_on_fork || !task->reset_on_fork);
}

/* POLICY may be UNCHANGED. */
static long set_policy(unsigned long pid, int policy, unsigned long from)
{
    bool reset_on_fork;
    s32 priority;

    if (!from || (int)pid < 0)
        return -EINVAL;
    if (get_user(priority, from))
        return -EFAULT;
    struct task *task = task_of(pid);
    if (!task || !task->process)
        return -ESRCH;
    reset_on_fork = policy == UNCHANGED ? task->reset_on_fork : (policy & SCHED_RESET_ON_FORK) != 0;
    policy = policy == UNCHANGED ? task->policy : policy & ~SCHED_RESET_ON_FORK;
    if (!is_policy(policy) || (u32)priority > RT_PRIORITY_MAX || has_priorities(policy) != (priority != 0))
        return -EINVAL;
    if (current->euid != 0 && !is_modest(task, policy, (unsigned)priority, reset_on_fork))
        return -EPERM;
    task->policy = (u8)policy;
    task->reset_on_fork = reset_on_fork;
    task->own_priority = (unsigned)priority;
    pi_update_priority(task);
    return 0;
}

long sys_sched_setscheduler(unsigned long pid, unsigned long policy, unsigned long from)
{
    return (int)policy < 0 ? -EINVAL : set_policy(pid, (int)policy, from);
}

long sys_sched_setparam(unsigned long pid, unsigned long from)
{
    return set_policy(pid, UNCHANGED, from);
}

long sys_sched_getscheduler(unsigned long pid)
{
    const struct task *task = task_of(pid);

    if ((int)pid < 0)
        return -EINVAL;
    return task ? task->policy | (task->reset_on_fork ? SCHED_RESET_ON_FORK : 0) : -ESRCH;
}

long sys_sched_getparam(unsigned long pid, unsigned long to)
{
    const struct task *task = task_of(pid);

    if (!to || (int)pid < 0)
        return -EINVAL;
    return task ? put_user((s32)task->own_priority, to) : -ESRCH;
}

long sys_sched_get_priority_max(unsigned long policy)
{
    if (has_priorities((int)policy))
        return RT_PRIORITY_MAX;
    return is_policy((int)policy) ? 0 : -EINVAL;
}

long sys_sched_get_priority_min(unsigned long policy)
{
    return MIN(sys_sched_get_priority_max(policy), 1);
}

long sys_sched_rr_get_interval(unsigned long pid, unsigned long to)
{
    const struct task *task = task_of(pid);

    if ((int)pid < 0)
        return -EINVAL;
    if (!task)
        return -ESRCH;
    return put_timespec(to, task->policy == SCHED_FIFO ? 0 : sched_slice(task) * NSEC_PER_TICK);
}

/* ---- niceness ---- */

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };
#define NICE_LOWEST (-20)
#define NICE_HIGHEST 19
#define NICE_TO_LIMIT 20        /* what getpriority returns and RLIMIT_NICE means: 20 - nice */

struct nice_call {
    unsigned which;
    int who;
    int nice;                   /* to be set, for setpriority */
    long result;
};

static bool is_meant(const struct task *task, const struct nice_call *call)
{
    if (!task->process)
        return false;
    switch (call->which) {
    case PRIO_PROCESS:
        return task->pid == (call->who ? call->who : current->pid);
    case PRIO_PGRP:
        return task->process->pgid == (call->who ? call->who : current->process->pgid);
    default:
        return task->uid == (call->who ? (u32)call->who : current->uid);
    }
}

static bool get_nice(struct task *task, void *context)
{
    struct nice_call *call = context;

    if (is_meant(task, call))
        call->result = MAX(call->result, (long)(NICE_TO_LIMIT - task->nice));
    return false;
}

static bool set_nice(struct task *task, void *context)
{
    struct nice_call *call = context;

    if (!is_meant(task, call))
        return false;
    if (!may_change(task)) {
        call->result = -EPERM;
    } else if (call->nice < task->nice && current->euid != 0 &&
               (unsigned long)(NICE_TO_LIMIT - call->nice) > task->process->limits[RLIMIT_NICE].current) {
        call->result = -EACCES;
    } else {
        task->nice = call->nice;
        if (call->result == -ESRCH)
            call->result = 0;
    }
    return false;
}

long sys_getpriority(unsigned long which, unsigned long who)
{
    struct nice_call call = { .which = (unsigned)which, .who = (int)who, .result = -ESRCH };

    if ((u32)which > PRIO_USER)
        return -EINVAL;
    for_each_task(get_nice, &call);
    return call.result;
}

long sys_setpriority(unsigned long which, unsigned long who, unsigned long value)
{
    int nice = MAX(NICE_LOWEST, MIN((int)value, NICE_HIGHEST));
    struct nice_call call = { .which = (unsigned)which, .who = (int)who, .nice = nice, .result = -ESRCH };

    if ((u32)which > PRIO_USER)
        return -EINVAL;
    for_each_task(set_nice, &call);
    return call.result;
}

/* ---- the one processor ---- */

long sys_sched_getaffinity(unsigned long pid, unsigned long size, unsigned long mask)
{
    u64 first_processor = 1;

    /* Linux counts in 32 bits, and wants room for at least one processor. */
    if ((u32)size * 8 == 0 || size % sizeof(first_processor))
        return -EINVAL;
    if (!task_of(pid))
        return -ESRCH;
    return put_user(first_processor, mask) ? -EFAULT : (long)sizeof(first_processor);
}

long sys_sched_setaffinity(unsigned long pid, unsigned long size, unsigned long mask)
{
    u64 wanted = 0;

    if (copy_from_user(&wanted, mask, MIN(size, sizeof(wanted))))
        return -EFAULT;
    if (!task_of(pid))
        return -ESRCH;
    return wanted & 1 ? 0 : -EINVAL;
}

long sys_getcpu(unsigned long processor, unsigned long node, unsigned long unused)
{
    u32 zero = 0;

    (void)unused;
    if ((processor && put_user(zero, processor)) || (node && put_user(zero, node)))
        return -EFAULT;
    return 0;
}
