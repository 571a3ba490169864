/*
 * kill and its relatives: who may send what to whom. And what siginfo looks like to the receiver.
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"
#include "mm/user_copy.h"

static bool is_signal_or_zero(int signal)
{
    return signal >= 0 && signal <= NSIG;
}

static bool may_signal(const struct task *target, int signal)
{
    if (target->process == current->process || current->euid == 0)
        return true;
    if (current->euid == target->suid || current->euid == target->uid || current->uid == target->suid ||
        current->uid == target->uid)
        return true;
    return signal == SIGCONT && target->process->sid == current->process->sid;
}

static struct signal_info info_from_current(int signal, int code)
{
    return (struct signal_info){ .signal = signal, .code = code, .pid = current->process->pid,
                                 .uid = current->uid };
}

static int send_to_process(struct process *process, int signal, const struct signal_info *info)
{
    if (!may_signal(process->leader, signal))
        return -EPERM;
    return signal ? signal_send_process(process, signal, info) : 0;
}

/*
 * Sends to every process of the group PGID, or with PGID 0 to all but PID 1 and the caller's own.
 */
static long send_to_many(int pgid, int signal, const struct signal_info *info)
{
    struct process *process, *following;
    bool reached = false;
    long error = -ESRCH;

    list_for_each_entry_safe(process, following, &all_processes, all) {
        int result;

        if (pgid ? process->pgid != pgid : process->pid == 1 || process == current->process)
            continue;
        result = send_to_process(process, signal, info);
        if (result == 0)
            reached = true;
        else
            error = result;
    }
    return reached ? 0 : error;
}

/* The group of number 0 exists: that of the first program before it makes one of its own. */
static long send_to_own_group(int signal, const struct signal_info *info)
{
    struct process *process, *following;
    int pgid = current->process->pgid;

    if (pgid)
        return send_to_many(pgid, signal, info);
    list_for_each_entry_safe(process, following, &all_processes, all)
        if (process->pgid == 0 && !process->is_orphan_reaper)
            send_to_process(process, signal, info);
    return 0;
}

long do_kill(int pid, int signal)
{
    struct signal_info info = info_from_current(signal, SI_USER);
    struct task *task;

    if (!is_signal_or_zero(signal))
        return -EINVAL;
    if (pid == 0)
        return send_to_own_group(signal, &info);
    if (pid == -1)
        return send_to_many(0, signal, &info);
    if (pid < 0)
        return pid == -0x7fffffff - 1 ? -ESRCH : send_to_many(-pid, signal, &info);
    task = find_task(pid);
    if (!task || !task->process)
        return -ESRCH;
    return send_to_process(task->process, signal, &info);
}

static long send_to_thread(int tgid, int tid, int signal, const struct signal_info *info)
{
    struct task *task = find_task(tid);

    if (!task || !task->process || (tgid && task->process->pid != tgid))
        return -ESRCH;
    if (!may_signal(task, signal))
        return -EPERM;
    return signal ? signal_send_task(task, signal, info) : 0;
}

long do_tgkill(int tgid, int tid, int signal)
{
    struct signal_info info = info_from_current(signal, SI_TKILL);

    if (tgid <= 0 || tid <= 0 || !is_signal_or_zero(signal))
        return -EINVAL;
    return send_to_thread(tgid, tid, signal, &info);
}

long do_tkill(int tid, int signal)
{
    struct signal_info info = info_from_current(signal, SI_TKILL);

    if (tid <= 0 || !is_signal_or_zero(signal))
        return -EINVAL;
    return send_to_thread(0, tid, signal, &info);
}

/* ---- siginfo ---- */

/* Linux's siginfo_t, as far as its fields are used here. */
struct user_siginfo {
    s32 signal, error, code, padding;
    union {
        struct {
            s32 pid;
            u32 uid;
            union {
                u64 value;
                struct {
                    s32 status, padding;
                    u64 user_time, system_time;
                } child;
            };
        };
        u64 address;
        u8 bytes[112];
    };
};
_Static_assert(sizeof(struct user_siginfo) == SIGINFO_SIZE, "Linux's siginfo_t");

static bool carries_address(const struct signal_info *info)
{
    return (SIGNALS_SYNCHRONOUS & SIGMASK(info->signal)) && info->code > SI_USER && info->code < SI_KERNEL;
}

void signal_info_to_user(const struct signal_info *info, u8 bytes[SIGINFO_SIZE])
{
    struct user_siginfo user = { .signal = info->signal, .code = info->code };

    if (carries_address(info)) {
        user.address = info->address;
    } else {
        user.pid = info->pid;
        user.uid = info->uid;
        user.value = info->value;
    }
    if (info->signal == SIGCHLD && info->code > SI_USER) {
        user.child.status = info->status;
        user.child.user_time = info->user_time;
        user.child.system_time = info->system_time;
    }
    memcpy(bytes, &user, sizeof(user));
}

/*
 * What a program sends itself or others with rt_sigqueueinfo. Only to itself may it pretend to be
 * the kernel.
 */
static int read_info(unsigned long address, int signal, bool to_self, struct signal_info *info)
{
    struct user_siginfo user;

    if (copy_from_user(&user, address, sizeof(user)))
        return -EFAULT;
    if ((user.code >= 0 || user.code == SI_TKILL) && !to_self)
        return -EPERM;
    *info = (struct signal_info){ .signal = signal, .code = user.code, .pid = user.pid, .uid = user.uid,
                                  .value = user.value, .address = user.address };
    return 0;
}

long do_rt_sigqueueinfo(int pid, int signal, unsigned long info_address)
{
    struct task *task = find_task(pid);
    struct signal_info info;
    int error = read_info(info_address, signal, pid == current->process->pid, &info);

    if (error)
        return error;
    if (!is_signal_or_zero(signal))
        return -EINVAL;
    if (!task || !task->process)
        return -ESRCH;
    return send_to_process(task->process, signal, &info);
}

long do_rt_tgsigqueueinfo(int tgid, int tid, int signal, unsigned long info_address)
{
    struct signal_info info;
    int error = read_info(info_address, signal, tid == current->pid, &info);

    if (error)
        return error;
    if (tgid <= 0 || tid <= 0 || !is_signal_or_zero(signal))
        return -EINVAL;
    return send_to_thread(tgid, tid, signal, &info);
}
