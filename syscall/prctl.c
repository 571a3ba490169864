/* prctl, and other calls by which a program says how it wants to be treated. */
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"
#include "syscall/user.h"

#define PR_SET_PDEATHSIG 1
#define PR_GET_PDEATHSIG 2
#define PR_GET_DUMPABLE 3
#define PR_SET_DUMPABLE 4
#define PR_GET_KEEPCAPS 7
#define PR_SET_KEEPCAPS 8
#define PR_GET_TIMING 13
#define PR_SET_TIMING 14
#define PR_SET_NAME 15
#define PR_GET_NAME 16
#define PR_GET_SECCOMP 21
#define PR_CAPBSET_READ 23
#define PR_GET_TSC 25
#define PR_GET_SECUREBITS 27
#define PR_SET_TIMERSLACK 29
#define PR_GET_TIMERSLACK 30
#define PR_TASK_PERF_EVENTS_DISABLE 31
#define PR_TASK_PERF_EVENTS_ENABLE 32
#define PR_SET_CHILD_SUBREAPER 36
#define PR_GET_CHILD_SUBREAPER 37
#define PR_SET_NO_NEW_PRIVS 38
#define PR_GET_NO_NEW_PRIVS 39
#define PR_GET_TID_ADDRESS 40
#define PR_SET_THP_DISABLE 41
#define PR_GET_THP_DISABLE 42
#define CAP_LAST 40

static long set_name(unsigned long from)
{
    char name[TASK_COMM_LEN];
    long length = strncpy_from_user(name, from, sizeof(name));

    if (length == -EFAULT)
        return length;
    name[sizeof(name) - 1] = '\0';
    strlcpy(current->comm, name, sizeof(current->comm));
    return 0;
}

static long get_name(unsigned long to)
{
    char name[TASK_COMM_LEN] = { 0 };

    strlcpy(name, current->comm, sizeof(name));
    return copy_to_user(to, name, sizeof(name)) ? -EFAULT : 0;
}

static long set_death_signal(unsigned long signal)
{
    if (signal > NSIG)
        return -EINVAL;
    current->death_signal = (int)signal;
    return 0;
}

/* 0 or less: what it was at the thread's beginning. Timers here end on ticks, however much slack they have. */
static long set_timer_slack(long slack)
{
    current->timer_slack = slack > 0 ? (u64)slack : current->default_timer_slack;
    return 0;
}

long sys_prctl(unsigned long option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    s32 tsc_allowed = 1;

    switch ((int)option) {
    case PR_SET_NAME:
        return set_name(a);
    case PR_GET_NAME:
        return get_name(a);
    case PR_SET_PDEATHSIG:
        return set_death_signal(a);
    case PR_GET_PDEATHSIG:
        return put_user(current->death_signal, a);
    case PR_SET_CHILD_SUBREAPER:
        current->process->is_subreaper = a != 0;
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return put_user((s32)current->process->is_subreaper, a);
    case PR_SET_NO_NEW_PRIVS:
        if (a != 1 || b || c || d)
            return -EINVAL;
        current->no_new_privileges = true;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        return a || b || c || d ? -EINVAL : current->no_new_privileges;
    case PR_SET_TIMERSLACK:
        return set_timer_slack((long)a);
    case PR_GET_TIMERSLACK:
        return (long)current->timer_slack;
    case PR_SET_KEEPCAPS:
    case PR_SET_TIMING:
        return a == 0 ? 0 : -EINVAL;    /* as it is anyway; anything else is not offered */
    case PR_GET_KEEPCAPS:
    case PR_GET_TIMING:
    case PR_GET_SECCOMP:
    case PR_GET_SECUREBITS:
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE:
        return 0;
    case PR_GET_TSC:
        return put_user(tsc_allowed, a);
    case PR_GET_TID_ADDRESS:
        return put_user(current->clear_child_tid, a);
    case PR_CAPBSET_READ:
        return a <= CAP_LAST ? 1 : -EINVAL;
    case PR_GET_DUMPABLE:
        return 1;
    case PR_SET_DUMPABLE:
        return a <= 1 ? 0 : -EINVAL;
    case PR_GET_THP_DISABLE:
        return a || b || c || d ? -EINVAL : 0;
    case PR_SET_THP_DISABLE:
        return b || c || d ? -EINVAL : 0;
    default:
        return -EINVAL;     /* Linux's answer to an option that it does not have */
    }
}

/* ---- membarrier: on one processor memory is always in order, every barrier is done before it is asked for ---- */

#define MEMBARRIER_QUERY 0
#define MEMBARRIER_GLOBAL 0x1u
#define MEMBARRIER_GLOBAL_EXPEDITED 0x2u
#define MEMBARRIER_PRIVATE_EXPEDITED 0x8u
#define MEMBARRIER_PRIVATE_SYNC_CORE 0x20u
#define MEMBARRIER_PRIVATE_RSEQ 0x80u
/* Each of the others registers for the command whose number is half of its own. */
#define MEMBARRIER_TO_BE_REGISTERED                                                                     \
    (MEMBARRIER_PRIVATE_EXPEDITED | MEMBARRIER_PRIVATE_SYNC_CORE | MEMBARRIER_PRIVATE_RSEQ)
#define MEMBARRIER_REGISTRATIONS ((MEMBARRIER_GLOBAL_EXPEDITED | MEMBARRIER_TO_BE_REGISTERED) << 1)
#define MEMBARRIER_COMMANDS                                                                             \
    (MEMBARRIER_GLOBAL | MEMBARRIER_GLOBAL_EXPEDITED | MEMBARRIER_TO_BE_REGISTERED | MEMBARRIER_REGISTRATIONS)
#define MEMBARRIER_FLAG_CPU 1u

long sys_membarrier(unsigned long command_word, unsigned long flags, unsigned long processor)
{
    u32 command = (u32)command_word;

    (void)processor;
    if ((u32)flags && !(command == MEMBARRIER_PRIVATE_RSEQ && (u32)flags == MEMBARRIER_FLAG_CPU))
        return -EINVAL;
    if (command == MEMBARRIER_QUERY)
        return MEMBARRIER_COMMANDS;
    if ((command & (command - 1)) || !(command & MEMBARRIER_COMMANDS))
        return -EINVAL;
    if (command & MEMBARRIER_REGISTRATIONS)
        current->mm->barriers |= command >> 1;
    if (command & MEMBARRIER_TO_BE_REGISTERED)
        return current->mm->barriers & command ? 0 : -EPERM;
    return 0;
}
