/* do_signal: what a program's signals do to it when it is on its way back to ring 3. */
#include "kernel/proc/signal.h"

#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/rseq.h"
#include "kernel/proc/sigframe.h"
#include "kernel/trace/journal.h"

#define RESTART_SYSCALL_NUMBER 219
#define SYSCALL_INSTRUCTION_SIZE 2

/* ---- stopping ---- */

/* Sleeps until SIGCONT or the end. The last thread to stop tells the parent. */
static void stop_here(void)
{
    struct process *process = current->process;

    process->stopped_threads++;
    if (process->stopped_threads == process->thread_count) {
        process->stop_unreported = true;
        process->continue_unreported = false;
        process_notify_parent(process, CLD_STOPPED, process->stop_signal);
    }
    current->state = TASK_STOPPED;
    schedule();
    process->stopped_threads--;
}

static void begin_stop(int signal)
{
    struct process *process = current->process;

    /* Nobody could ever continue a group that no shell watches. */
    if (signal != SIGSTOP && process_group_is_orphaned(process->pgid))
        return;
    process_set_stop(process, signal);
    signal_notice_all(process);
}

/* ---- the decision ---- */

/* For the journal: a signal that has an effect. */
static void record(const struct signal_info *info)
{
    journal(JOURNAL_SIGNAL, (u64)info->signal, (u64)info->code, info->address);
}

static void do_default_action(const struct signal_info *info)
{
    int signal = info->signal;
    sigset_t mask = SIGMASK(signal);

    if ((SIGNALS_IGNORE & mask) || current->process->unkillable)
        return;
    record(info);
    if (SIGNALS_STOP & mask)
        begin_stop(signal);
    else
        do_exit_signal(signal, false);      /* no core files, so none was dumped */
}

/*
 * Goes through what waits until there is a signal with a handler. 0: none; does not return when the
 * process is to die.
 */
static int get_signal(struct signal_info *info, struct k_sigaction *action)
{
    struct process *process = current->process;
    int signal;

    for (;;) {
        if (process->exiting || (current->pending.set & SIGMASK(SIGKILL)))
            do_exit_signal(SIGKILL, false);
        if (process->stop_signal) {
            stop_here();
            continue;
        }
        signal = signal_take(~current->blocked, info);
        if (!signal)
            return 0;
        *action = current->sighand->action[signal - 1];
        if (action->handler == SIG_IGN)
            continue;
        if (action->handler != SIG_DFL) {
            if (action->flags & SA_RESETHAND)
                current->sighand->action[signal - 1].handler = SIG_DFL;
            return signal;
        }
        do_default_action(info);
    }
}

/* ---- system calls that were interrupted ---- */

static bool in_system_call(const struct pt_regs *regs)
{
    return (int)regs->orig_ax >= 0;
}

static void restart(struct pt_regs *regs, unsigned long number)
{
    regs->ax = number;
    regs->ip -= SYSCALL_INSTRUCTION_SIZE;
}

static void restart_before_handler(struct pt_regs *regs, const struct k_sigaction *action)
{
    switch ((long)regs->ax) {
    case -ERESTARTNOHAND:
    case -ERESTART_RESTARTBLOCK:
        regs->ax = (unsigned long)-EINTR;
        break;
    case -ERESTARTSYS:
        if (!(action->flags & SA_RESTART)) {
            regs->ax = (unsigned long)-EINTR;
            break;
        }
        /* fall through */
    case -ERESTARTNOINTR:
        restart(regs, regs->orig_ax);
        break;
    default:
        break;
    }
}

static void restart_without_handler(struct pt_regs *regs)
{
    switch ((long)regs->ax) {
    case -ERESTARTNOHAND:
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
        restart(regs, regs->orig_ax);
        break;
    case -ERESTART_RESTARTBLOCK:
        restart(regs, RESTART_SYSCALL_NUMBER);
        break;
    default:
        break;
    }
}

/* ---- delivery ---- */

static void deliver(struct pt_regs *regs, const struct signal_info *info, const struct k_sigaction *action)
{
    sigset_t to_save = current->restore_blocked ? current->saved_blocked : current->blocked;
    sigset_t blocked = current->blocked | action->mask;

    record(info);
    rseq_before_signal(regs, info->signal);
    if (!signal_frame_push(regs, info, action, to_save)) {
        /* No room for the frame. When it was SIGSEGV's own, it can't be told either. */
        if (info->signal == SIGSEGV)
            signal_force_fatal(SIGSEGV);
        else
            signal_force(SIGSEGV, NULL);
        return;
    }
    current->restore_blocked = false;
    if (!(action->flags & SA_NODEFER))
        blocked |= SIGMASK(info->signal);
    if (current->altstack_flags & SS_AUTODISARM) {
        current->altstack_sp = current->altstack_size = 0;
        current->altstack_flags = SS_DISABLE;
    }
    signal_set_blocked(blocked);
}

void do_signal(struct pt_regs *regs)
{
    struct signal_info info;
    struct k_sigaction action;

    if (get_signal(&info, &action)) {
        if (in_system_call(regs))
            restart_before_handler(regs, &action);
        deliver(regs, &info, &action);
        return;
    }
    if (in_system_call(regs))
        restart_without_handler(regs);
    if (current->restore_blocked) {
        current->restore_blocked = false;
        signal_set_blocked(current->saved_blocked);
    }
    signal_recalculate();
}
