/* The end of threads and processes: what they held is given back, and who waits for it is told. */
#include "kernel/cpu/cpu.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/printf.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/posix_timer.h"
#include "kernel/proc/proc.h"
#include "kernel/trace/journal.h"
#include "mm/audit.h"
#include "mm/user_copy.h"

bool audit_at_exit;
unsigned audit_findings;

/* ---- one thread ---- */

void mm_release(struct task *task)
{
    const u32 nobody = 0;

    robust_list_exit();
    task->robust_list = 0;
    pi_exit();
    if (task->clear_child_tid && task->mm->mm_users > 1 && !put_user(nobody, task->clear_child_tid))
        futex_wake_address(task->clear_child_tid, 1);
    task->clear_child_tid = 0;
    if (task->vfork_done)
        complete(task->vfork_done);
    task->vfork_done = NULL;
}

static void exit_mm(struct task *task)
{
    struct mm_struct *mm = task->mm;

    if (!mm)
        return;
    mm_release(task);
    task->process->max_rss = MAX(task->process->max_rss, mm_peak_rss(mm));
    task_switch_mm(NULL);
    mmput(mm);
}

/* The accounts of a thread that goes become the process's. */
static void move_accounts(struct task *task)
{
    struct process *process = task->process;

    process->min_flt += task->min_flt;
    process->maj_flt += task->maj_flt;
    process->user_ticks += task->user_ticks;
    process->system_ticks += task->system_ticks;
    process->voluntary_switches += task->voluntary_switches;
    process->involuntary_switches += task->involuntary_switches;
    process->run_time += task->run_time + rdtsc() - task->started_running;
}

/* ---- a whole process ---- */

static void report_audit(const char *finding, void *context)
{
    (void)context;
    printk("audit: %s\n", finding);
}

void run_audit(void)
{
    audit_findings += mm_audit(report_audit, NULL);
}

void process_reap(struct process *process, struct process *parent)
{
    struct process_usage usage;
    struct task *leader = process->leader;

    process_usage(process, &usage);
    parent->child_min_flt += usage.min_flt + process->child_min_flt;
    parent->child_maj_flt += usage.maj_flt + process->child_maj_flt;
    parent->child_user_ticks += usage.user_ticks + process->child_user_ticks;
    parent->child_system_ticks += usage.system_ticks + process->child_system_ticks;
    parent->child_run_time += process->run_time + process->child_run_time;
    parent->child_voluntary_switches += usage.voluntary_switches + process->child_voluntary_switches;
    parent->child_involuntary_switches +=
        usage.involuntary_switches + process->child_involuntary_switches;
    parent->child_max_rss = MAX(parent->child_max_rss, MAX(usage.max_rss, process->child_max_rss));
    /*
     * The running task is reaped only by itself, when nobody asks for it: then the scheduler frees
     * it.
     */
    leader->process = NULL;
    if (leader == current)
        leader->state = TASK_DEAD;
    else
        task_free(leader);
    process_free(process);
    if (audit_at_exit)
        run_audit();
}

bool process_notify_parent(struct process *process, int code, int status)
{
    struct process *parent = process->parent;
    const struct k_sigaction *action;
    struct process_usage usage;
    struct signal_info info;
    bool died = code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED;
    int signal = !died ? SIGCHLD : process->exit_signal <= NSIG ? process->exit_signal : 0;

    if (!parent)
        return false;
    if (parent->is_orphan_reaper)
        return died;
    if (process_is_zombie(parent))
        return false;
    action = &list_first_entry(&parent->threads, struct task, thread_node)->sighand->action[SIGCHLD - 1];
    process_usage(process, &usage);
    info = (struct signal_info){ .signal = signal, .code = code, .pid = process->pid,
                                 .uid = process->leader->uid, .status = status,
                                 .user_time = usage.user_ticks, .system_time = usage.system_ticks };
    wake_all(&parent->child_wait);
    if (died && signal == SIGCHLD && action->handler == SIG_IGN)
        return true;
    if (signal && !(!died && (action->handler == SIG_IGN || (action->flags & SA_NOCLDSTOP))))
        signal_send_process(parent, signal, &info);
    return died && signal == SIGCHLD && (action->flags & SA_NOCLDWAIT);
}

static bool tell_parent_of_death(struct process *process)
{
    const int core = 0x80, signal_bits = 0x7f;
    int status = process->exit_status;

    if (!(status & signal_bits))
        return process_notify_parent(process, CLD_EXITED, status >> 8);
    return process_notify_parent(process, status & core ? CLD_DUMPED : CLD_KILLED, status & signal_bits);
}

/* A group that no shell watches any more, and that is stopped, would stay so for ever. */
static void release_if_orphaned(int pgid)
{
    struct process *member;

    if (stopped_process_count == 0 || !process_group_is_orphaned(pgid))
        return;
    list_for_each_entry(member, &all_processes, all) {
        if (member->pgid != pgid || !member->stop_signal)
            continue;
        signal_send_group(pgid, SIGHUP, NULL);
        signal_send_group(pgid, SIGCONT, NULL);
        return;
    }
}

/* The nearest ancestor that wants them, else PID 1. */
static struct process *heir_of(const struct process *process)
{
    struct process *ancestor = process->parent;

    while (ancestor && !(ancestor->is_subreaper && !process_is_zombie(ancestor)))
        ancestor = ancestor->parent;
    return ancestor ? ancestor : orphan_reaper();
}

/* Those who asked for it are told that their parent is gone. */
static void tell_child_of_death(struct process *child)
{
    struct signal_info info = { .code = SI_USER, .pid = current->process->pid, .uid = current->uid };
    struct task *thread;

    list_for_each_entry(thread, &child->threads, thread_node)
        if (thread->death_signal)
            signal_send_process(child, thread->death_signal, &info);
}

static void give_children_away(struct process *process)
{
    struct process *heir = heir_of(process), *child, *following;

    list_for_each_entry_safe(child, following, &process->children, sibling) {
        list_del(&child->sibling);
        child->parent = heir;
        list_add_tail(&child->sibling, &heir->children);
        child->exit_signal = SIGCHLD;
        tell_child_of_death(child);
        if (!process_is_zombie(child))
            release_if_orphaned(child->pgid);
        else if (tell_parent_of_death(child))
            process_reap(child, heir);
    }
}

static void process_ends(struct process *process)
{
    process->exiting = true;
    process_set_stop(process, 0);
    timer_disarm(&process->real_timer);
    posix_timers_end(process);
    journal(JOURNAL_PROCESS, JOURNAL_PROCESS_EXIT, (u64)process->pid, (u64)process->exit_status);
    if (process->sid == process->pid)
        tty_session_ends(process->sid);
    release_if_orphaned(process->pgid);
    give_children_away(process);
}

/* ---- the way out ---- */

static void __noreturn thread_ends(void)
{
    struct task *task = current;
    struct process *process = task->process;
    bool last = process->thread_count == 1;

    if (last)
        process_ends(process);
    exit_mm(task);
    files_put(task->files);
    fs_context_put(task->fs);
    task->files = NULL;
    task->fs = NULL;
    move_accounts(task);
    list_del(&task->thread_node);
    process->thread_count--;
    /* Only now, when nothing of it is left but its status, may others see that it is dead. */
    task->state = task == process->leader ? TASK_ZOMBIE : TASK_DEAD;
    sighand_put(task->sighand);
    task->sighand = NULL;
    if (last && process_is_init(process))
        machine_ends(process->exit_status);
    if (process->exec_task && process->thread_count == 1)
        sched_wake(process->exec_task);
    if (last && tell_parent_of_death(process))
        process_reap(process, process->parent);
    schedule();
    panic("a dead task was chosen to run");
}

void __noreturn do_exit(int code, bool group)
{
    struct process *process = current->process;
    int status = (code & 0xff) << 8;

    if (group)
        process_kill_threads(process, status);
    else if (process->thread_count == 1 && !process->exiting)
        process->exit_status = status;      /* the last thread's, as on Linux */
    thread_ends();
}

void __noreturn do_exit_signal(int signal, bool core)
{
    const int core_bit = 0x80;
    struct process *process = current->process;

    /*
     * A thread that dies for another one's execve, or for an exit that is under way, changes
     * nothing.
     */
    if (!process->exec_task && !process->exiting)
        process_kill_threads(process, signal | (core ? core_bit : 0));
    thread_ends();
}

int exec_end_other_threads(void)
{
    struct process *process = current->process;
    struct task *thread, *leader = process->leader;

    if (process->exiting || process->exec_task)
        return -EAGAIN;
    process->exec_task = current;
    list_for_each_entry(thread, &process->threads, thread_node)
        if (thread != current)
            signal_kill_thread(thread);
    while (process->thread_count > 1) {
        if (fatal_signal_pending()) {
            process->exec_task = NULL;
            return -EAGAIN;
        }
        sleep_killable();
    }
    process->exec_task = NULL;
    if (leader != current) {
        int pid = process->pid;

        process->leader = current;
        task_free(leader);
        task_set_pid(current, pid);
        journal_context_pid = (u32)pid;
    }
    return 0;
}
