/*
 * execve: checks the new program while the old one can still be told, then burns the bridge and
 * becomes it.
 */
#include "kernel/proc/exec.h"

#include "kernel/cpu/cpu.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/posix_timer.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/rseq.h"
#include "kernel/trace/journal.h"
#include "mm/fault.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

#define STACK_ROOM (32 * PAGE_SIZE)     /* below the arguments, from the beginning */

/* ---- becoming it ---- */

static void take_names(const struct exec_program *program)
{
    const char *slash = strrchr(program->filename, '/');
    char *buffer = kmalloc(PATH_MAX);
    const char *path = buffer ? inode_path(program->file->inode, buffer, PATH_MAX) : "";

    strlcpy(current->comm, slash ? slash + 1 : program->filename, sizeof(current->comm));
    kfree(current->exe_path);
    current->exe_path = exec_copy_string(path, strlen(path));
    kfree(buffer);
}

/* Handlers of the old program mean nothing any more; what it ignored stays ignored. */
static void reset_signals(void)
{
    for (int i = 0; i < NSIG; i++) {
        struct k_sigaction *action = &current->sighand->action[i];
        *action = (struct k_sigaction){ .handler = action->handler == SIG_IGN ? SIG_IGN : SIG_DFL };
    }
    current->altstack_sp = current->altstack_size = 0;
}

/* What exec is about to change may be shared with processes that go on as they are. */
static int unshare(void)
{
    if (current->sighand->refcount > 1) {
        struct sighand *own = sighand_clone(current->sighand);

        if (!own)
            return -ENOMEM;
        sighand_put(current->sighand);
        current->sighand = own;
    }
    if (files_are_shared(current->files)) {
        struct files_struct *own = files_clone(current->files);

        if (!own)
            return -ENOMEM;
        files_put(current->files);
        current->files = own;
    }
    return 0;
}

static void switch_address_space(struct exec_program *program)
{
    struct mm_struct *old = current->mm;

    if (old) {
        mm_release(current);
        current->process->max_rss = MAX(current->process->max_rss, mm_peak_rss(old));
    }
    task_switch_mm(program->mm);
    if (old)
        mmput(old);
}

/* The stack as the program may have it: its protection, and room below the arguments. */
static int finish_stack(struct exec_program *program)
{
    struct vm_area_struct *stack = program->stack;
    unsigned long limit = program->mm->limits.stack & PAGE_MASK;
    unsigned long base = stack->vm_start - STACK_ROOM;

    if (program->executable_stack &&
        do_mprotect(program->mm, stack->vm_start, stack->vm_end - stack->vm_start,
                    PROT_READ | PROT_WRITE | PROT_EXEC))
        return -ENOMEM;
    if (stack->vm_end - base > limit)
        base = stack->vm_end - limit;
    if (base < stack->vm_start && expand_stack(stack, base))
        return -EFAULT;
    return 0;
}

static void start_registers(const struct exec_program *program)
{
    struct pt_regs *regs = task_regs(current);

    *regs = (struct pt_regs){
        .ip = program->entry, .cs = USER_CS, .flags = FLAGS_FIXED | FLAGS_IF,
        .sp = program->stack_pointer, .ss = USER_DS,
    };
    this_cpu.work_pending |= CPU_WORK_REGISTERS;
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0));
    cpu_set_fs_base(0);
    cpu_set_gs_base(0);
    memset(current->fpu, 0, this_cpu.xsave_size);
    fpu_init_state(current->fpu);
    fpu_restore(current->fpu);
}

/* From here on the old program is gone: an error ends the process. */
static int become(struct exec_program *program)
{
    struct process *process = current->process;
    int error;

    switch_address_space(program);
    reset_signals();
    files_close_on_exec(current->files);
    take_names(program);
    process->has_executed = true;
    process->exit_signal = SIGCHLD;
    current->trap_nr = current->error_code = current->cr2 = 0;
    rseq_forget();
    posix_timers_end(process);
    error = finish_stack(program);
    if (!error)
        error = elf_load(program);
    if (!error)
        error = exec_write_stack(program);
    if (error)
        return error;
    start_registers(program);
    journal(JOURNAL_PROCESS, JOURNAL_PROCESS_EXEC, (u64)process->pid, 0);
    return 0;
}

static int prepare(struct exec_program *program, int dirfd, int flags, struct string_array argv,
                   struct string_array envp)
{
    struct mm_limits limits;
    int error = exec_open(program, dirfd, flags);

    if (error)
        return error;
    limits_to_mm(current->process, &limits);
    program->mm = mm_alloc(&limits);
    program->page = kmalloc(PAGE_SIZE);
    if (!program->mm || !program->page)
        return -ENOMEM;
    aslr_place_stack(program);
    program->mm->may_map_low = program->mm->may_lock_beyond_limit = current->euid == 0;
    error = exec_copy_strings(program, argv, envp);
    if (!error)
        error = exec_end_other_threads();
    if (!error)
        error = unshare();
    return error;
}

static void clean_up(struct exec_program *program)
{
    while (program->prefix_count)
        kfree(program->prefix[--program->prefix_count]);
    if (program->file)
        file_put(program->file);
    kfree(program->segments);
    kfree(program->page);
    kfree(program);
}

int exec_program(int dirfd, const char *path, int flags, struct string_array argv, struct string_array envp)
{
    struct exec_program *program = kzalloc(sizeof(*program));
    int error;

    if (!program)
        return -ENOMEM;
    program->filename = path;
    error = prepare(program, dirfd, flags, argv, envp);
    if (error) {
        if (program->mm)
            mmput(program->mm);
    } else if ((error = become(program)) != 0) {
        if (!fatal_signal_pending())
            printk("%s[%d]: killed by SIGSEGV: its program file can't be loaded (error %d)\n", current->comm,
                   current->pid, -error);
        signal_force_fatal(SIGSEGV);
    }
    clean_up(program);
    return error;
}

long do_execveat(int dirfd, const char *path, unsigned long argv, unsigned long envp, int flags)
{
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return exec_program(dirfd, path, flags, (struct string_array){ argv, false },
                        (struct string_array){ envp, false });
}
