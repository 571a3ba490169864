/* The first program, and the end of the machine with it. */
#include "boot/boot_info.h"
#include "kernel/cpu/cpu.h"
#include "kernel/dev/power.h"
#include "kernel/fs/devices.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "kernel/trace/journal.h"

#define STATUS_SIGNAL_BITS 0x7f

/*
 * The process whose end is the machine's, and the one that takes in orphans. They are the same but
 * in run mode.
 */
static struct process *init_process, *reaper_process;

/* What proc_start_init was given, until the new task reads it. */
static struct {
    const char *path;
    const char *const *argv, *const *envp;
    bool run_mode;
} first_program;

bool process_is_init(const struct process *process)
{
    return process == init_process;
}

struct process *orphan_reaper(void)
{
    return reaper_process;
}

void __noreturn machine_ends(int status)
{
    int signal = status & STATUS_SIGNAL_BITS;

    if (audit_at_exit)
        run_audit();
    if (signal)
        printk("zeropage: init killed by signal %d\n", signal);
    else
        printk("zeropage: init exited with status %d\n", status >> 8);
    power_off(audit_findings ? POWER_AUDIT_FINDINGS : POWER_OK);
}

/*
 * ---- PID 1 of run mode: it only exists, so that orphans have a parent other than the program
 * under test ----
 */

static void make_orphan_reaper(void)
{
    struct task *task = task_alloc();

    if (!task)
        panic("no memory for the first process");
    reaper_process = process_alloc(task);
    task->sighand = sighand_alloc();
    if (!reaper_process || !task->sighand)
        panic("no memory for the first process");
    reaper_process->is_orphan_reaper = reaper_process->unkillable = true;
    limits_init(reaper_process->limits);
    strlcpy(task->comm, "init", sizeof(task->comm));
    task->state = TASK_INTERRUPTIBLE;       /* for ever: nobody wakes it */
}

/* ---- the program ---- */

static struct file *open_device(const char *path, const char *instead, int flags)
{
    struct file *file = file_open(AT_FDCWD, path, flags, 0);

    if (IS_ERR(file) && instead)
        file = file_open(AT_FDCWD, instead, flags, 0);
    if (IS_ERR(file))
        panic("the first program can't have its descriptors: %s can't be opened (error %ld)", path, -PTR_ERR(file));
    return file;
}

static void install(struct file *file)
{
    if (fd_install(file, 0, false) < 0)
        panic("the first program can't have its descriptors");
}

static void open_descriptors(void)
{
    struct file *output;

    if (!first_program.run_mode) {
        output = open_device("/dev/console", NULL, O_RDWR);
        install(file_get(output));
    } else {
        install(open_device("/run/stdin", "/dev/null", O_RDONLY));
        output = open_device("/dev/com1", NULL, O_WRONLY);
    }
    install(file_get(output));
    install(output);
}

/* The new task's first way to ring 3 leads through here: it still has no program. */
void init_first_run(void)
{
    const struct string_array argv = { (unsigned long)first_program.argv, true };
    const struct string_array envp = { (unsigned long)first_program.envp, true };
    int error;

    open_descriptors();
    error = exec_program(AT_FDCWD, first_program.path, 0, argv, envp);
    if (error)
        panic("the first program %s can't be started (error %d)", first_program.path, -error);
    first_program_tsc = rdtsc();
}

static struct task *make_first_task(void)
{
    struct task *task = task_alloc();
    const struct pt_regs nothing = { .cs = USER_CS, .flags = FLAGS_FIXED | FLAGS_IF, .ss = USER_DS };

    if (!task)
        panic("no memory for the first program");
    init_process = process_alloc(task);
    task->sighand = sighand_alloc();
    task->files = files_alloc();
    task->fs = fs_context_alloc();
    if (!init_process || !task->sighand || !task->files || !task->fs)
        panic("no memory for the first program");
    task->altstack_flags = SS_DISABLE;
    task_prepare_stack(task, &nothing);
    memset(task->fpu, 0, this_cpu.xsave_size);
    fpu_init_state(task->fpu);
    limits_init(init_process->limits);
    init_process->exit_signal = SIGCHLD;
    return task;
}

void proc_start_init(const char *path, const char *const *argv, const char *const *envp, bool run_mode)
{
    struct task *task;

    first_program.path = path;
    first_program.argv = argv;
    first_program.envp = envp;
    first_program.run_mode = run_mode;
    if (run_mode)
        make_orphan_reaper();
    task = make_first_task();
    if (run_mode) {
        init_process->parent = reaper_process;
        list_add_tail(&init_process->sibling, &reaper_process->children);
    } else {
        reaper_process = init_process;
        init_process->unkillable = true;
        /* its session owns the terminal */
        init_process->pgid = init_process->sid = init_process->pid;
    }
    journal(JOURNAL_PROCESS, JOURNAL_PROCESS_START, (u64)task->pid, 0);
    task_start(task);
}
