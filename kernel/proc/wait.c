/* wait4 and waitid: a parent asks what became of its children. */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/rusage.h"
#include "mm/user_copy.h"

#define WNOTHREAD 0x20000000
#define WALL 0x40000000
#define WCLONE ((int)0x80000000)

enum { P_ALL, P_PID, P_PGID, P_PIDFD };

#define STATUS_STOPPED(signal) ((signal) << 8 | 0x7f)
#define STATUS_CONTINUED 0xffff
#define STATUS_SIGNAL_BITS 0x7f
#define STATUS_CORE_BIT 0x80

struct wait_request {
    int type, id, options;
    /* what was found */
    int pid, status, code, code_status;     /* status as wait4's, the other two as siginfo's */
    u32 uid;
    struct rusage usage;
};

static bool is_wanted(const struct wait_request *request, const struct process *child)
{
    bool is_clone = child->exit_signal != SIGCHLD;

    if (request->type == P_PID && child->pid != request->id)
        return false;
    if (request->type == P_PGID && child->pgid != request->id)
        return false;
    return (request->options & WALL) || is_clone == ((request->options & WCLONE) != 0);
}

static void note(struct wait_request *request, const struct process *child)
{
    request->pid = child->pid;
    request->uid = child->leader->uid;
    rusage_of_process(child, true, &request->usage);
}

static bool take_dead(struct wait_request *request, struct process *child)
{
    int status = child->exit_status;

    if (!(request->options & WEXITED) || !process_is_zombie(child))
        return false;
    note(request, child);
    request->status = status;
    if (status & STATUS_SIGNAL_BITS) {
        request->code = status & STATUS_CORE_BIT ? CLD_DUMPED : CLD_KILLED;
        request->code_status = status & STATUS_SIGNAL_BITS;
    } else {
        request->code = CLD_EXITED;
        request->code_status = status >> 8;
    }
    if (!(request->options & WNOWAIT))
        process_reap(child, current->process);
    return true;
}

static bool take_stopped(struct wait_request *request, struct process *child)
{
    if (!(request->options & WUNTRACED) || !child->stop_unreported)
        return false;
    note(request, child);
    request->status = STATUS_STOPPED(child->stop_signal);
    request->code = CLD_STOPPED;
    request->code_status = child->stop_signal;
    if (!(request->options & WNOWAIT))
        child->stop_unreported = false;
    return true;
}

static bool take_continued(struct wait_request *request, struct process *child)
{
    if (!(request->options & WCONTINUED) || !child->continue_unreported)
        return false;
    note(request, child);
    request->status = STATUS_CONTINUED;
    request->code = CLD_CONTINUED;
    request->code_status = SIGCONT;
    if (!(request->options & WNOWAIT))
        child->continue_unreported = false;
    return true;
}

static bool take(struct wait_request *request, struct process *child)
{
    return take_dead(request, child) || take_stopped(request, child) || take_continued(request, child);
}

/* 1 with the result in REQUEST; 0: nothing yet; -ECHILD: nobody to wait for. */
static int look_once(struct wait_request *request)
{
    struct process *child;
    bool found = false;

    if (request->type == P_PID) {
        child = find_process(request->id);
        if (!child || child->parent != current->process || !is_wanted(request, child))
            return -ECHILD;
        return take(request, child);
    }
    list_for_each_entry(child, &current->process->children, sibling) {
        if (!is_wanted(request, child))
            continue;
        found = true;
        if (take(request, child))
            return 1;
    }
    return found ? 0 : -ECHILD;
}

static int wait_for_child(struct wait_request *request)
{
    for (;;) {
        int result = look_once(request);

        if (result != 0 || (request->options & WNOHANG))
            return result;
        result = wait_on(&current->process->child_wait, 0);
        if (result)
            return result;
    }
}

long do_wait4(int pid, unsigned long status, int options, unsigned long rusage)
{
    struct wait_request request = { .type = P_ALL, .options = options | WEXITED };
    int result;

    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL))
        return -EINVAL;
    if (pid == -0x7fffffff - 1)
        return -ESRCH;
    if (pid > 0) {
        request.type = P_PID;
        request.id = pid;
    } else if (pid != -1) {
        request.type = P_PGID;
        request.id = pid ? -pid : current->process->pgid;
    }
    result = wait_for_child(&request);
    if (result <= 0)
        return result;
    if (status && put_user(request.status, status))
        return -EFAULT;
    if (rusage && copy_to_user(rusage, &request.usage, sizeof(request.usage)))
        return -EFAULT;
    return request.pid;
}

/*
 * The fields that waitid fills in: si_signo, si_errno, si_code, and at 16 si_pid, si_uid,
 * si_status.
 */
static int write_info(unsigned long info, const struct wait_request *request)
{
    const int head[3] = { request->pid ? SIGCHLD : 0, 0, request->code };
    const int child[3] = { request->pid, (int)request->uid, request->code_status };

    if (copy_to_user(info, head, sizeof(head)) || copy_to_user(info + 16, child, sizeof(child)))
        return -EFAULT;
    return 0;
}

long do_waitid(int type, int id, unsigned long info, int options, unsigned long rusage)
{
    const int kinds = WEXITED | WSTOPPED | WCONTINUED;
    struct wait_request request = { .type = type, .id = id, .options = options };
    int result;

    if (type == P_PGID && id == 0)
        request.id = current->process->pgid;
    if ((options & ~(WNOHANG | WNOWAIT | kinds | WNOTHREAD | WCLONE | WALL)) || !(options & kinds))
        result = -EINVAL;
    else if (type == P_PIDFD)
        result = id < 0 ? -EINVAL : -EBADF;
    else if (type < P_ALL || type > P_PGID || (type == P_PID && id <= 0) || (type == P_PGID && id < 0))
        result = -EINVAL;
    else
        result = wait_for_child(&request);
    if (result == 1) {
        result = 0;
        if (rusage && copy_to_user(rusage, &request.usage, sizeof(request.usage)))
            return -EFAULT;
    }
    if (info && write_info(info, &request))
        return -EFAULT;
    return result;
}
