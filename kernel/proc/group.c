/* Process groups and sessions: what a shell's job control is made of. */
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"

static bool group_exists_in_session(int pgid, int sid)
{
    struct process *process;

    list_for_each_entry(process, &all_processes, all)
        if (process->pgid == pgid && process->sid == sid)
            return true;
    return false;
}

long do_setpgid(int pid, int pgid)
{
    struct process *self = current->process, *process;

    if (!pid)
        pid = self->pid;
    if (!pgid)
        pgid = pid;
    if (pgid < 0)
        return -EINVAL;
    process = find_process(pid);
    if (!process)
        return find_task(pid) ? -EINVAL : -ESRCH;
    if (process != self && process->parent != self)
        return -ESRCH;
    if (process != self && process->sid != self->sid)
        return -EPERM;
    if (process != self && process->has_executed)
        return -EACCES;
    if (process->sid == process->pid)
        return -EPERM;
    if (pgid != pid && !group_exists_in_session(pgid, self->sid))
        return -EPERM;
    process->pgid = pgid;
    return 0;
}

static struct process *process_or_self(int pid)
{
    struct task *task = pid ? find_task(pid) : current;

    return task ? task->process : NULL;
}

long do_getpgid(int pid)
{
    struct process *process = process_or_self(pid);

    return process ? process->pgid : -ESRCH;
}

long do_getsid(int pid)
{
    struct process *process = process_or_self(pid);

    return process ? process->sid : -ESRCH;
}

long do_setsid(void)
{
    struct process *self = current->process, *process;

    list_for_each_entry(process, &all_processes, all)
        if (process->pgid == self->pid)
            return -EPERM;
    self->sid = self->pgid = self->pid;
    return self->sid;
}

bool process_group_is_orphaned(int pgid)
{
    struct process *process;

    list_for_each_entry(process, &all_processes, all) {
        struct process *parent = process->parent;

        /* PID 1 counts as a parent, unlike on Linux: here it is the shell. */
        if (process->pgid != pgid || process_is_zombie(process) || process->exiting || !parent ||
            parent->is_orphan_reaper)
            continue;
        if (parent->pgid != pgid && parent->sid == process->sid)
            return false;
    }
    return true;
}
