/* Signals, the sending half: who gets one, whether it matters, and who is woken for it. */
#include "kernel/sched/signal.h"

#include "kernel/cpu/cpu.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "kernel/sched/sched.h"
#include "mm/slab.h"

/* ---- who cares ---- */

static unsigned long handler_of(const struct task *task, int signal)
{
    return task->sighand->action[signal - 1].handler;
}

static bool default_is_to_ignore(int signal)
{
    return (SIGNALS_IGNORE & SIGMASK(signal)) != 0;
}

/*
 * A thread of PROCESS that is not dead: the leader if possible. There is one unless the process is
 * a zombie.
 */
static struct task *live_thread(const struct process *process)
{
    if (process->leader->sighand)
        return process->leader;
    return list_first_entry(&process->threads, struct task, thread_node);
}

/*
 * True when SIGNAL would have no effect on TASK. A blocked signal is kept: its action may change
 * before it is unblocked.
 */
static bool is_ignored(const struct task *task, int signal)
{
    unsigned long handler = handler_of(task, signal);

    if (task->process->unkillable && handler == SIG_DFL)
        return true;
    if ((task->blocked | task->awaited) & SIGMASK(signal))
        return false;
    return handler == SIG_IGN || (handler == SIG_DFL && default_is_to_ignore(signal));
}

/* True when the arrival of SIGNAL is the certain end of TASK's process, core dumps aside. */
static bool is_fatal(const struct task *task, int signal)
{
    sigset_t harmless = SIGNALS_IGNORE | SIGNALS_STOP | SIGNALS_CORE;

    if (signal == SIGKILL)
        return true;
    if (task->awaited & SIGMASK(signal))
        return false;
    return handler_of(task, signal) == SIG_DFL && !(harmless & SIGMASK(signal));
}

static bool wants_signal(const struct task *task, int signal)
{
    if (task->state == TASK_ZOMBIE || task->state == TASK_DEAD || (task->blocked & SIGMASK(signal)))
        return false;
    return signal == SIGKILL || task->state != TASK_STOPPED;
}

/* ---- waking ---- */

/* Makes TASK look at its signals; ends a sleep that signals may end, or with FATAL any. */
static void notice(struct task *task, bool fatal)
{
    task->signal_waiting = true;
    if (task == current)
        this_cpu.work_pending |= CPU_WORK_SIGNAL;
    if (fatal && task->state == TASK_STOPPED)
        task->state = TASK_INTERRUPTIBLE;
    if (task->state == TASK_INTERRUPTIBLE || fatal)
        sched_wake(task);
}

void signal_kill_thread(struct task *thread)
{
    thread->pending.set |= SIGMASK(SIGKILL);
    notice(thread, true);
}

void signal_notice_all(struct process *process)
{
    struct task *thread;

    list_for_each_entry(thread, &process->threads, thread_node)
        notice(thread, false);
}

void process_kill_threads(struct process *process, int status)
{
    struct task *thread;

    if (!process->exiting) {
        process->exiting = true;
        process->exit_status = status;
    }
    process_set_stop(process, 0);
    list_for_each_entry(thread, &process->threads, thread_node)
        signal_kill_thread(thread);
}

/*
 * Chooses the thread that takes SIGNAL and wakes it. TASK is the one that it was sent to, or the
 * leader.
 */
static void wake_receiver(struct task *task, int signal, bool whole_process)
{
    struct process *process = task->process;
    struct task *chosen = NULL, *thread;

    if (wants_signal(task, signal)) {
        chosen = task;
    } else if (whole_process) {
        list_for_each_entry(thread, &process->threads, thread_node)
            if (!chosen && wants_signal(thread, signal))
                chosen = thread;
    }
    if (!chosen)
        return;
    if (is_fatal(chosen, signal) && !process->exiting)
        process_kill_threads(process, signal);
    else
        notice(chosen, signal == SIGKILL);
}

/* ---- stop and continue ---- */

static void forget(struct process *process, sigset_t mask)
{
    struct task *thread;

    sigpending_flush(&process->pending, mask);
    list_for_each_entry(thread, &process->threads, thread_node)
        sigpending_flush(&thread->pending, mask);
}

/* SIGCONT wakes a stopped process even when it is blocked or ignored. */
static void continue_process(struct process *process)
{
    struct task *thread;
    bool was_stopped = process->stop_signal != 0;

    process_set_stop(process, 0);
    list_for_each_entry(thread, &process->threads, thread_node) {
        if (thread->state != TASK_STOPPED)
            continue;
        thread->state = TASK_INTERRUPTIBLE;
        sched_wake(thread);
    }
    if (!was_stopped)
        return;
    process->stop_unreported = false;
    process->continue_unreported = true;
    process_notify_parent(process, CLD_CONTINUED, SIGCONT);
}

static void before_sending(struct process *process, int signal)
{
    if (SIGNALS_STOP & SIGMASK(signal)) {
        forget(process, SIGMASK(SIGCONT));
    } else if (signal == SIGCONT) {
        forget(process, SIGNALS_STOP);
        continue_process(process);
    }
}

/* ---- sending ---- */

static void tell_receiver(struct task *task, int signal, bool whole_process)
{
    if (unlikely(task->sighand->has_readers))
        signalfd_notify(task->sighand);
    wake_receiver(task, signal, whole_process);
}

static int send(struct task *task, int signal, const struct signal_info *info, bool whole_process)
{
    struct process *process = task->process;
    struct sigpending *pending = whole_process ? &process->pending : &task->pending;

    if (process_is_zombie(process) || !task->sighand)
        return 0;
    before_sending(process, signal);
    if (is_ignored(task, signal))
        return 0;
    if (!sigpending_add(pending, signal, info))
        return -EAGAIN;
    tell_receiver(task, signal, whole_process);
    return 0;
}

bool signal_send_timer(struct process *process, struct task *thread, const struct signal_info *info)
{
    struct signal_info *waiting;

    if (process_is_zombie(process) || (thread && !thread->sighand))
        return false;
    struct task *task = thread ? thread : live_thread(process);
    struct sigpending *pending = thread ? &thread->pending : &process->pending;
    before_sending(process, info->signal);
    if (is_ignored(task, info->signal))
        return false;
    waiting = sigpending_of_timer(pending, info->pid);
    if (waiting) {
        waiting->uid++;
        return true;
    }
    if (!sigpending_add(pending, info->signal, info))
        return false;
    tell_receiver(task, info->signal, !thread);
    return true;
}

int signal_send_task(struct task *task, int signal, const struct signal_info *info)
{
    return send(task, signal, info, false);
}

int signal_send_process(struct process *process, int signal, const struct signal_info *info)
{
    return process_is_zombie(process) ? 0 : send(live_thread(process), signal, info, true);
}

int signal_send_group(int pgid, int signal, const struct signal_info *info)
{
    struct process *process, *following;
    int reached = 0;

    list_for_each_entry_safe(process, following, &all_processes, all) {
        if (process->pgid != pgid)
            continue;
        signal_send_process(process, signal, info);
        reached++;
    }
    return reached;
}

bool signal_force_kills(int signal)
{
    unsigned long handler = handler_of(current, signal);

    return handler == SIG_DFL || handler == SIG_IGN || (current->blocked & SIGMASK(signal));
}

void signal_force(int signal, const struct signal_info *info)
{
    struct k_sigaction *action = &current->sighand->action[signal - 1];

    if (signal_force_kills(signal)) {
        action->handler = SIG_DFL;
        current->blocked &= ~SIGMASK(signal);
        current->process->unkillable = false;
    }
    sigpending_add(&current->pending, signal, info);
    notice(current, false);
}

void signal_force_fatal(int signal)
{
    current->sighand->action[signal - 1].handler = SIG_DFL;
    signal_force(signal, NULL);
}

/* ---- what the running task has to do ---- */

/* The one that is delivered first of SET. */
static int first_of(sigset_t set)
{
    if (set & SIGNALS_SYNCHRONOUS)
        set &= SIGNALS_SYNCHRONOUS;
    return __builtin_ctzll(set) + 1;
}

int signal_take(sigset_t wanted, struct signal_info *info)
{
    struct sigpending *pending = &current->pending;
    sigset_t set = pending->set & wanted;

    if (!set) {
        pending = &current->process->pending;
        set = pending->set & wanted;
    }
    if (!set)
        return 0;
    int signal = first_of(set);
    sigpending_take(pending, signal, info);
    if (unlikely(info->of_timer))
        posix_timer_delivered(info);
    return signal;
}

bool signal_pending(void)
{
    return current->signal_waiting;
}

bool fatal_signal_pending(void)
{
    return current->signal_waiting && (current->pending.set & SIGMASK(SIGKILL));
}

bool signal_can_be_taken(void)
{
    const struct process *process = current->process;

    return ((current->pending.set | process->pending.set) & ~current->blocked) != 0 ||
           process->stop_signal != 0;
}

void signal_recalculate(void)
{
    current->signal_waiting = signal_can_be_taken() || current->restore_blocked;
    if (current->signal_waiting)
        this_cpu.work_pending |= CPU_WORK_SIGNAL;
    else
        this_cpu.work_pending &= ~CPU_WORK_SIGNAL;
}

/*
 * A signal to the process that only this thread would have taken goes to another one when it is
 * blocked here.
 */
static void hand_over(sigset_t newly_blocked)
{
    sigset_t set = current->process->pending.set & newly_blocked;

    if (current->process->thread_count == 1)
        return;
    for (int signal = 1; signal <= NSIG && set; signal++) {
        if (!(set & SIGMASK(signal)))
            continue;
        wake_receiver(live_thread(current->process), signal, true);
        set &= ~SIGMASK(signal);
    }
}

void signal_set_blocked(sigset_t blocked)
{
    sigset_t newly_blocked = blocked & ~current->blocked;

    current->blocked = blocked & ~SIGNALS_UNBLOCKABLE;
    hand_over(newly_blocked);
    signal_recalculate();
}

const char *signal_name(int signal)
{
    static const char *const names[] = {
        "SIG0",    "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",    "SIGTRAP", "SIGABRT",  "SIGBUS",
        "SIGFPE",  "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",   "SIGPIPE", "SIGALRM",  "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",   "SIGTTIN", "SIGTTOU",  "SIGURG",
        "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH",  "SIGIO",   "SIGPWR",   "SIGSYS",
    };
    static char numbered[8];

    if ((unsigned)signal < ARRAY_SIZE(names))
        return names[signal];
    snprintf(numbered, sizeof(numbered), "SIG%d", signal);
    return numbered;
}
