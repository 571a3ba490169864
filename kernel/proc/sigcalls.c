/* The system calls about a program's own signals: actions, masks, waiting, the alternate stack. */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/sigframe.h"
#include "mm/user_copy.h"

#define SA_EXPOSE_TAGBITS 0x800ul
#define SA_KNOWN                                                                                        \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_RESTART | SA_NODEFER |     \
     SA_RESETHAND | SA_EXPOSE_TAGBITS)
enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

static bool is_signal(int signal)
{
    return signal >= 1 && signal <= NSIG;
}

/* ---- actions ---- */

/* What waits of a signal that is ignored from now on is forgotten. */
static void flush_if_ignored(int signal)
{
    const struct k_sigaction *action = &current->sighand->action[signal - 1];
    struct process *process = current->process;
    struct task *thread;

    if (action->handler != SIG_IGN &&
        !(action->handler == SIG_DFL && (SIGNALS_IGNORE & SIGMASK(signal))))
        return;
    sigpending_flush(&process->pending, SIGMASK(signal));
    list_for_each_entry(thread, &process->threads, thread_node)
        sigpending_flush(&thread->pending, SIGMASK(signal));
}

long do_rt_sigaction(int signal, unsigned long action, unsigned long old_action, size_t set_size)
{
    struct k_sigaction new, old;

    if (set_size != SIGSET_SIZE)
        return -EINVAL;
    if (action && copy_from_user(&new, action, sizeof(new)))
        return -EFAULT;
    if (!is_signal(signal) || (action && (SIGNALS_UNBLOCKABLE & SIGMASK(signal))))
        return -EINVAL;
    old = current->sighand->action[signal - 1];
    if (action) {
        new.flags &= SA_KNOWN;
        new.mask &= ~SIGNALS_UNBLOCKABLE;
        current->sighand->action[signal - 1] = new;
        flush_if_ignored(signal);
    }
    if (old_action && copy_to_user(old_action, &old, sizeof(old)))
        return -EFAULT;
    return 0;
}

/* ---- masks ---- */

long do_rt_sigprocmask(int how, unsigned long set, unsigned long old_set, size_t set_size)
{
    sigset_t old = current->blocked, new;

    if (set_size != SIGSET_SIZE)
        return -EINVAL;
    if (set) {
        if (get_user(new, set))
            return -EFAULT;
        switch (how) {
        case SIG_BLOCK:
            new |= old;
            break;
        case SIG_UNBLOCK:
            new = old & ~new;
            break;
        case SIG_SETMASK:
            break;
        default:
            return -EINVAL;
        }
        signal_set_blocked(new);
    }
    return old_set && put_user(old, old_set) ? -EFAULT : 0;
}

long do_rt_sigpending(unsigned long set, size_t set_size)
{
    sigset_t waiting = (current->pending.set | current->process->pending.set) & current->blocked;

    if (set_size > SIGSET_SIZE)
        return -EINVAL;
    return copy_to_user(set, &waiting, set_size) ? -EFAULT : 0;
}

int set_user_sigmask(unsigned long set, size_t set_size)
{
    sigset_t blocked;

    if (!set)
        return 0;
    if (set_size != SIGSET_SIZE)
        return -EINVAL;
    if (get_user(blocked, set))
        return -EFAULT;
    current->saved_blocked = current->blocked;
    current->restore_blocked = true;
    signal_set_blocked(blocked);
    /* RESTORE_BLOCKED alone is work for the way out, but no reason not to wait. */
    current->signal_waiting = signal_can_be_taken();
    return 0;
}

void restore_saved_sigmask_unless(bool interrupted)
{
    if (!current->restore_blocked || interrupted)
        return;
    current->restore_blocked = false;
    signal_set_blocked(current->saved_blocked);
}

/* ---- waiting ---- */

static long sleep_till_signal(void)
{
    while (!signal_pending())
        sleep_until(0);
    return -ERESTARTNOHAND;
}

long do_pause(void)
{
    return sleep_till_signal();
}

long do_rt_sigsuspend(unsigned long set, size_t set_size)
{
    sigset_t blocked;

    if (set_size != SIGSET_SIZE)
        return -EINVAL;
    if (get_user(blocked, set))
        return -EFAULT;
    current->saved_blocked = current->blocked;
    signal_set_blocked(blocked);
    sleep_till_signal();
    current->restore_blocked = true;
    signal_recalculate();
    return -ERESTARTNOHAND;
}

/*
 * Sleeps with WANTED unblocked till one of them comes, another signal, or DEADLINE. Those that were
 * blocked before are neither ignored nor deadly meanwhile.
 */
static int wait_for_signal(sigset_t wanted, u64 deadline, struct signal_info *info)
{
    sigset_t blocked = current->blocked;
    int signal;

    current->awaited = wanted & blocked;
    signal_set_blocked(blocked & ~wanted);
    sleep_until(deadline);
    current->awaited = 0;
    signal = signal_take(wanted, info);
    signal_set_blocked(blocked);
    return signal;
}

long do_rt_sigtimedwait(unsigned long set, unsigned long info, unsigned long timeout, size_t set_size)
{
    struct signal_info found;
    u8 bytes[SIGINFO_SIZE];
    u64 wait = 0;
    sigset_t wanted;
    int signal, error;

    if (set_size != SIGSET_SIZE)
        return -EINVAL;
    if (get_user(wanted, set))
        return -EFAULT;
    error = timeout ? get_timespec(timeout, &wait) : 0;
    if (error)
        return error;
    wanted &= ~SIGNALS_UNBLOCKABLE;
    signal = signal_take(wanted, &found);
    signal_recalculate();
    if (!signal && (!timeout || wait)) {
        u64 deadline = timeout ? sched_clock() + wait : 0;
        signal = wait_for_signal(wanted, deadline, &found);
        if (!signal && (!deadline || sched_clock() < deadline))
            return -EINTR;
    }
    if (!signal)
        return -EAGAIN;
    signal_info_to_user(&found, bytes);
    if (info && copy_to_user(info, bytes, sizeof(bytes)))
        return -EFAULT;
    return signal;
}

/* ---- the rest ---- */

long do_sigaltstack(unsigned long stack, unsigned long old_stack)
{
    unsigned long sp = task_regs(current)->sp;
    struct signal_stack old = { .sp = current->altstack_sp, .size = current->altstack_size,
                                .flags = altstack_state(sp) | (current->altstack_flags & SS_AUTODISARM) };
    struct signal_stack new;
    int error;

    if (stack) {
        if (copy_from_user(&new, stack, sizeof(new)))
            return -EFAULT;
        error = altstack_set(&new, sp);
        if (error)
            return error;
    }
    return old_stack && copy_to_user(old_stack, &old, sizeof(old)) ? -EFAULT : 0;
}

long do_restart_syscall(void)
{
    struct restart_block *block = &current->restart;

    return block->go_on ? block->go_on(block) : -EINTR;
}
