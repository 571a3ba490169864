/*
 * do_clone: fork, vfork and new threads. A new task is made whole before anybody can see it; an
 * error undoes it.
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "kernel/trace/journal.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

#define CLONE_NAMESPACES                                                                              \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |      \
     CLONE_NEWNET)
#define CLONE_UNSUPPORTED (CLONE_PIDFD | CLONE_INTO_CGROUP | CLONE_NAMESPACES)
#define CLONE_KNOWN 0x3ffffffffull
/* Tasks in the whole machine: beyond that, the numbers would run out. */
#define MAX_TASKS (PID_MAX - 512)
#define FORK_TRIES 16   /* with memory full */

static int check_flags(u64 flags)
{
    if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND))
        return -EINVAL;
    if ((flags & CLONE_PARENT) && process_is_init(current->process))
        return -EINVAL;
    if (flags & CLONE_UNSUPPORTED)
        return -EINVAL;
    return 0;
}

/* ---- the parts of a task, each shared or copied ---- */

static int copy_mm(struct task *child, u64 flags)
{
    struct mm_struct *parent_mm = current->mm;
    int error;

    if (flags & CLONE_VM) {
        mmget(parent_mm);
        child->mm = parent_mm;
        return 0;
    }
    child->mm = mm_alloc(&parent_mm->limits);
    if (!child->mm)
        return -ENOMEM;
    child->mm->barriers = parent_mm->barriers;
    error = dup_mmap(child->mm, parent_mm);
    if (error) {
        mmput(child->mm);
        child->mm = NULL;
    }
    return error;
}

static int copy_files(struct task *child, u64 flags)
{
    child->files = flags & CLONE_FILES ? current->files : files_clone(current->files);
    if (!child->files)
        return -ENOMEM;
    if (flags & CLONE_FILES)
        files_get(child->files);
    child->fs = flags & CLONE_FS ? current->fs : fs_context_clone(current->fs);
    if (!child->fs)
        return -ENOMEM;
    if (flags & CLONE_FS)
        fs_context_get(child->fs);
    return 0;
}

static int copy_sighand(struct task *child, u64 flags)
{
    child->sighand = flags & CLONE_SIGHAND ? current->sighand : sighand_clone(current->sighand);
    if (!child->sighand)
        return -ENOMEM;
    if (flags & CLONE_SIGHAND)
        child->sighand->refcount++;
    for (int i = 0; i < NSIG && (flags & CLONE_CLEAR_SIGHAND); i++)
        if (child->sighand->action[i].handler != SIG_IGN)
            child->sighand->action[i] = (struct k_sigaction){ .handler = SIG_DFL };
    return 0;
}

static int copy_exe_path(struct task *child)
{
    size_t size;

    if (!current->exe_path)
        return 0;
    size = strlen(current->exe_path) + 1;
    child->exe_path = kmalloc(size);
    if (!child->exe_path)
        return -ENOMEM;
    memcpy(child->exe_path, current->exe_path, size);
    return 0;
}

static void copy_registers(struct task *child, const struct clone_args_kernel *args)
{
    struct pt_regs regs = *task_regs(current);

    regs.ax = 0;
    regs.orig_ax = ~0ul;
    if (args->stack)
        regs.sp = args->stack;
    task_prepare_stack(child, &regs);
    task_save_program_state(child);
    if (args->flags & CLONE_SETTLS)
        child->fs_base = args->tls;
}

static void copy_plain_fields(struct task *child, const struct clone_args_kernel *args)
{
    child->blocked = current->blocked;
    child->altstack_flags = SS_DISABLE;
    if (!(args->flags & CLONE_VM) || (args->flags & CLONE_VFORK)) {
        child->altstack_sp = current->altstack_sp;
        child->altstack_size = current->altstack_size;
        child->altstack_flags = current->altstack_flags;
    }
    child->set_child_tid = args->flags & CLONE_CHILD_SETTID ? args->child_tid : 0;
    child->clear_child_tid = args->flags & CLONE_CHILD_CLEARTID ? args->child_tid : 0;
    /* A new thread registers an area of its own. */
    if (!(args->flags & CLONE_VM)) {
        child->rseq = current->rseq;
        child->rseq_signature = current->rseq_signature;
        child->resume_work = current->resume_work;
    }
    if (!current->reset_on_fork) {
        child->policy = current->policy;
        child->priority = child->own_priority = current->own_priority;
    }
    child->no_new_privileges = current->no_new_privileges;
    child->timer_slack = child->default_timer_slack = current->timer_slack;
    child->nice = current->reset_on_fork && current->nice < 0 ? 0 : current->nice;
    memcpy(child->comm, current->comm, sizeof(child->comm));
    child->uid = current->uid;
    child->euid = current->euid;
    child->suid = current->suid;
    child->gid = current->gid;
    child->egid = current->egid;
    child->sgid = current->sgid;
    child->trap_nr = current->trap_nr;
    child->error_code = current->error_code;
    child->cr2 = current->cr2;
}

/* ---- the place in the tree ---- */

static int new_process(struct task *child, const struct clone_args_kernel *args)
{
    struct process *parent = current->process;
    struct process *process = process_alloc(child);

    if (!process)
        return -ENOMEM;
    process->pgid = parent->pgid;
    process->sid = parent->sid;
    process->exit_signal = args->exit_signal;
    memcpy(process->limits, parent->limits, sizeof(process->limits));
    memcpy(process->auxiliary, parent->auxiliary, sizeof(process->auxiliary));
    process->parent = parent;
    if (args->flags & CLONE_PARENT) {
        process->parent = parent->parent;
        process->exit_signal = parent->exit_signal;
    }
    list_add_tail(&process->sibling, &process->parent->children);
    return 0;
}

static void join_process(struct task *child)
{
    child->process = current->process;
    list_add_tail(&child->thread_node, &child->process->threads);
    child->process->thread_count++;
}

static void undo(struct task *child)
{
    if (child->mm)
        mmput(child->mm);
    child->mm = NULL;
    if (child->files)
        files_put(child->files);
    if (child->fs)
        fs_context_put(child->fs);
    if (child->sighand)
        sighand_put(child->sighand);
    task_free(child);
}

static int make_parts(struct task *child, const struct clone_args_kernel *args)
{
    int error = copy_exe_path(child);

    if (!error)
        error = copy_sighand(child, args->flags);
    if (!error)
        error = copy_files(child, args->flags);
    if (!error)
        error = copy_mm(child, args->flags);
    if (error)
        return error;
    copy_plain_fields(child, args);
    copy_registers(child, args);
    if (args->flags & CLONE_THREAD)
        join_process(child);
    else
        error = new_process(child, args);
    return error;
}

/* vfork: the parent sleeps until the child has a program of its own, or is gone. */
static void wait_for_vfork(int pid, struct completion *done)
{
    struct task *child;

    if (wait_for_completion_killable(done) == 0)
        return;
    child = find_task(pid);
    if (child && child->vfork_done == done)
        child->vfork_done = NULL;
}

/* A whole child, not started yet, or a negative errno. */
static struct task *make_child(const struct clone_args_kernel *args)
{
    struct task *child = task_alloc();
    int error;

    if (!child)
        return ERR_PTR(-ENOMEM);
    error = make_parts(child, args);
    if (error) {
        undo(child);
        return ERR_PTR(error);
    }
    return child;
}

long do_clone(const struct clone_args_kernel *args)
{
    struct completion vfork_done;
    struct task *child;
    int error = check_flags(args->flags), pid;

    if (error)
        return error;
    /*
     * A signal to the whole group, a Ctrl-C perhaps, must not miss the child: first it, then the
     * fork.
     */
    signal_recalculate();
    if (signal_pending())
        return -ERESTARTNOINTR;
    if (task_count >= MAX_TASKS)
        return -EAGAIN;
    child = make_child(args);
    /* With memory full somebody else has to go first: or a fork bomb could keep everybody from forking. */
    for (int tries = 0; unlikely(PTR_ERR(child) == -ENOMEM) && tries < FORK_TRIES && memory_is_full(); tries++) {
        if (!out_of_memory(true))
            break;
        child = make_child(args);
    }
    if (IS_ERR(child))
        return PTR_ERR(child);
    pid = child->pid;
    journal(JOURNAL_PROCESS, JOURNAL_PROCESS_FORK, (u64)pid, (u64)current->process->pid);
    /* As on Linux, a bad address is the program's own mistake and no error. */
    if (args->flags & CLONE_PARENT_SETTID)
        (void)put_user(pid, args->parent_tid);
    if (args->flags & CLONE_VFORK) {
        completion_init(&vfork_done);
        child->vfork_done = &vfork_done;
    }
    task_start(child);
    if (args->flags & CLONE_VFORK)
        wait_for_vfork(pid, &vfork_done);
    return pid;
}

void task_first_run(struct pt_regs *regs)
{
    (void)regs;
    if (!current->mm)
        init_first_run();
    if (current->set_child_tid && put_user(current->pid, current->set_child_tid))
        current->set_child_tid = 0;
}

/* ---- clone3 ---- */

#define CLONE_ARGS_SIZE_VER0 64
/* Linux's struct clone_args. */
struct clone_args_user {
    u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    u64 set_tid, set_tid_size, cgroup;
};

static bool rest_is_zero(unsigned long from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        u8 byte;
        if (get_user(byte, from + i) || byte)
            return false;
    }
    return true;
}

long do_clone3(unsigned long args, size_t size)
{
    struct clone_args_user user = { 0 };
    size_t known = MIN(size, sizeof(user));

    if (size > PAGE_SIZE)
        return -E2BIG;
    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    if (copy_from_user(&user, args, known))
        return -EFAULT;
    if (size > known && !rest_is_zero(args + known, size - known))
        return -E2BIG;
    if ((user.flags & ~CLONE_KNOWN) || (user.flags & (CLONE_DETACHED | CSIGNAL)) || user.set_tid_size ||
        user.set_tid || user.exit_signal > NSIG)
        return -EINVAL;
    if ((user.flags & (CLONE_THREAD | CLONE_PARENT)) && user.exit_signal)
        return -EINVAL;
    if ((user.stack == 0) != (user.stack_size == 0) || !access_ok(user.stack, user.stack_size))
        return -EINVAL;
    return do_clone(&(struct clone_args_kernel){
        .flags = user.flags, .stack = user.stack ? user.stack + user.stack_size : 0,
        .parent_tid = user.parent_tid, .child_tid = user.child_tid, .tls = user.tls,
        .exit_signal = (int)user.exit_signal });
}
