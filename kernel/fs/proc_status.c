/* /proc/PID/status, stat, statm and the other small files about a process. */
#include "kernel/fs/procfs.h"
#include "kernel/fs/tty.h"

#include "kernel/lib/string.h"
#include "mm/limits.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

#define SIGNALS_OF_STAT 0x7fffffffull       /* stat shows the classic signals only */
#define ALL_CAPABILITIES "000001ffffffffff"
/* What Linux shows for a table of its first size. */
#define LEAST_FDSIZE 64
#define NO_CAPABILITIES "0000000000000000"

static char state_letter(const struct task *task)
{
    switch (task->state) {
    case TASK_RUNNING:
        return 'R';
    case TASK_INTERRUPTIBLE:
        return 'S';
    case TASK_UNINTERRUPTIBLE:
        return 'D';
    case TASK_STOPPED:
        return 'T';
    case TASK_ZOMBIE:
        return 'Z';
    default:
        return 'X';
    }
}

static const char *state_name(char letter)
{
    return letter == 'R' ? "running" : letter == 'S' ? "sleeping" : letter == 'D' ? "disk sleep"
         : letter == 'T' ? "stopped" : letter == 'Z' ? "zombie" : "dead";
}

static int parent_pid(const struct process *process)
{
    return process->parent ? process->parent->pid : 0;
}

static unsigned long resident_pages(const struct mm_struct *mm)
{
    return (unsigned long)(mm->rss[MM_FILEPAGES] + mm->rss[MM_ANONPAGES] + mm->rss[MM_SHMEMPAGES]);
}

/* The program's text in bytes, and what else is executable. */
static void text_sizes(const struct mm_struct *mm, unsigned long *text, unsigned long *library)
{
    unsigned long executable = mm->exec_vm << PAGE_SHIFT;
    *text = MIN(PAGE_ALIGN(mm->end_code) - (mm->start_code & PAGE_MASK), executable);
    *library = executable - *text;
}

/* ---- status ---- */

static void show_kb(struct seq *seq, const char *label, unsigned long pages)
{
    seq_printf(seq, "%s:\t%8lu kB\n", label, pages << (PAGE_SHIFT - 10));
}

static void show_memory(struct seq *seq, const struct mm_struct *mm)
{
    unsigned long text, library, resident = resident_pages(mm);

    text_sizes(mm, &text, &library);
    show_kb(seq, "VmPeak", MAX(mm->hiwater_vm, mm->total_vm));
    show_kb(seq, "VmSize", mm->total_vm);
    show_kb(seq, "VmLck", mm->locked_vm);
    show_kb(seq, "VmPin", 0);
    show_kb(seq, "VmHWM", MAX(mm->hiwater_rss, resident));
    show_kb(seq, "VmRSS", resident);
    show_kb(seq, "RssAnon", (unsigned long)mm->rss[MM_ANONPAGES]);
    show_kb(seq, "RssFile", (unsigned long)mm->rss[MM_FILEPAGES]);
    show_kb(seq, "RssShmem", (unsigned long)mm->rss[MM_SHMEMPAGES]);
    show_kb(seq, "VmData", mm->data_vm);
    show_kb(seq, "VmStk", mm->stack_vm);
    show_kb(seq, "VmExe", text >> PAGE_SHIFT);
    show_kb(seq, "VmLib", library >> PAGE_SHIFT);
    show_kb(seq, "VmPTE", mm->pgtables_bytes >> PAGE_SHIFT);
    show_kb(seq, "VmSwap", 0);
    show_kb(seq, "HugetlbPages", 0);
    seq_puts(seq, "CoreDumping:\t0\nTHP_enabled:\t1\n");
}

struct signal_sets {
    sigset_t ignored, caught;
};

static struct signal_sets signal_sets(const struct task *task)
{
    struct signal_sets sets = { 0, 0 };

    for (int signal = 1; task->sighand && signal <= NSIG; signal++) {
        unsigned long handler = task->sighand->action[signal - 1].handler;
        if (handler == SIG_IGN)
            sets.ignored |= SIGMASK(signal);
        else if (handler != SIG_DFL)
            sets.caught |= SIGMASK(signal);
    }
    return sets;
}

static void show_signals(struct seq *seq, const struct task *task)
{
    struct signal_sets sets = signal_sets(task);

    seq_printf(seq, "Threads:\t%d\nSigQ:\t0/%lu\n", task->process->thread_count,
               task->process->limits[RLIMIT_SIGPENDING].current);
    seq_printf(seq, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", (unsigned long)task->pending.set,
               (unsigned long)task->process->pending.set);
    seq_printf(seq, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", (unsigned long)task->blocked,
               (unsigned long)sets.ignored, (unsigned long)sets.caught);
    const char *capabilities = task->euid == 0 ? ALL_CAPABILITIES : NO_CAPABILITIES;
    seq_printf(seq, "CapInh:\t%s\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t%s\nCapAmb:\t%s\n", NO_CAPABILITIES,
               capabilities, capabilities, ALL_CAPABILITIES, NO_CAPABILITIES);
}

int proc_show_status(struct seq *seq, struct task *task, u64 *cursor)
{
    const struct process *process = task->process;
    char state = state_letter(task);

    (void)cursor;
    seq_printf(seq, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\n", task->comm, task->fs ? task->fs->umask : 022,
               state, state_name(state));
    seq_printf(seq, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", process->pid, task->pid,
               parent_pid(process));
    seq_printf(seq, "Uid:\t%u\t%u\t%u\t%u\n", task->uid, task->euid, task->suid, task->euid);
    seq_printf(seq, "Gid:\t%u\t%u\t%u\t%u\n", task->gid, task->egid, task->sgid, task->egid);
    seq_printf(seq, "FDSize:\t%d\nGroups:\t \n", task->files ? MAX(files_capacity(task->files), LEAST_FDSIZE) : 0);
    seq_printf(seq, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", process->pid, task->pid, process->pgid,
               process->sid);
    if (task->mm)
        show_memory(seq, task->mm);
    show_signals(seq, task);
    seq_printf(seq, "NoNewPrivs:\t%d\n", task->no_new_privileges);
    seq_puts(seq, "Seccomp:\t0\nSeccomp_filters:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n"
                  "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
    seq_printf(seq, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n", task->voluntary_switches,
               task->involuntary_switches);
    return 0;
}

/* ---- stat: one line of 52 numbers, explained in proc(5) ---- */

static void show_stat_memory(struct seq *seq, const struct task *task)
{
    static const struct mm_struct none;
    const struct mm_struct *mm = task->mm ? task->mm : &none;

    seq_printf(seq, " %lu %lu %lu %lu %lu %lu 0 0", mm->total_vm << PAGE_SHIFT, resident_pages(mm),
               task->process->limits[RLIMIT_RSS].current, mm->start_code, mm->end_code, mm->start_stack);
    struct signal_sets sets = signal_sets(task);
    seq_printf(seq, " %lu %lu %lu %lu", (unsigned long)(task->pending.set & SIGNALS_OF_STAT),
               (unsigned long)(task->blocked & SIGNALS_OF_STAT), (unsigned long)(sets.ignored & SIGNALS_OF_STAT),
               (unsigned long)(sets.caught & SIGNALS_OF_STAT));
    /* wait channel, swapped ×2, exit signal, processor, priority, policy, delays, guest times ×2 */
    seq_printf(seq, " 0 0 0 %d 0 %u %u 0 0 0", task->process->exit_signal, task->own_priority, task->policy);
    seq_printf(seq, " %lu %lu %lu %lu %lu %lu %lu %d\n", mm->start_data, mm->end_data, mm->start_brk, mm->arg_start,
               mm->arg_end, mm->env_start, mm->env_end,
               process_is_zombie(task->process) ? task->process->exit_status : 0);
}

int proc_show_stat(struct seq *seq, struct task *task, u64 *cursor)
{
    const struct process *process = task->process;
    struct process_usage usage;

    (void)cursor;
    process_usage(process, &usage);
    seq_printf(seq, "%d (%s) %c %d %d %d %d %d 0", task->pid, task->comm, state_letter(task), parent_pid(process),
               process->pgid, process->sid, tty_number_of(process->sid), tty_foreground_of(process->sid));
    seq_printf(seq, " %lu %lu %lu %lu", usage.min_flt, process->child_min_flt, usage.maj_flt, process->child_maj_flt);
    seq_printf(seq, " %lu %lu %lu %lu %d %d %d 0 %lu", (unsigned long)usage.user_ticks,
               (unsigned long)usage.system_ticks, (unsigned long)process->child_user_ticks,
               (unsigned long)process->child_system_ticks,
               task->priority ? -1 - (int)task->priority : 20 + task->nice, task->nice, process->thread_count,
               (unsigned long)process->start_ticks);
    show_stat_memory(seq, task);
    return 0;
}

int proc_show_statm(struct seq *seq, struct task *task, u64 *cursor)
{
    unsigned long text = 0, library = 0;
    const struct mm_struct *mm = task->mm;

    (void)cursor;
    if (!mm) {
        seq_puts(seq, "0 0 0 0 0 0 0\n");
        return 0;
    }
    text_sizes(mm, &text, &library);
    seq_printf(seq, "%lu %lu %lu %lu 0 %lu 0\n", mm->total_vm, resident_pages(mm),
               (unsigned long)(mm->rss[MM_FILEPAGES] + mm->rss[MM_SHMEMPAGES]), text >> PAGE_SHIFT,
               mm->data_vm + mm->stack_vm);
    return 0;
}

/* ---- strings ---- */

int proc_show_comm(struct seq *seq, struct task *task, u64 *cursor)
{
    (void)cursor;
    seq_printf(seq, "%s\n", task->comm);
    return 0;
}

/* Threads may name each other, nobody else. */
int proc_store_comm(struct task *task, const char *text)
{
    if (!task || task->process != current->process)
        return -EINVAL;
    strlcpy(task->comm, text, sizeof(task->comm));
    return 0;
}

#define CHUNK 512ul

/* The bytes [start, end) of the process's memory, a chunk at a time. */
static int show_remote(struct seq *seq, struct task *task, unsigned long start, unsigned long end, u64 *cursor)
{
    char chunk[CHUNK];
    unsigned long from = start + *cursor;

    if (!task->mm || from >= end)
        return 0;
    unsigned long got = access_remote_vm(task->mm, from, chunk, MIN(end - from, CHUNK), false);
    seq_write(seq, chunk, got);
    *cursor += got;
    return got > 0;
}

int proc_show_cmdline(struct seq *seq, struct task *task, u64 *cursor)
{
    return task->mm ? show_remote(seq, task, task->mm->arg_start, task->mm->arg_end, cursor) : 0;
}

int proc_show_environ(struct seq *seq, struct task *task, u64 *cursor)
{
    return task->mm ? show_remote(seq, task, task->mm->env_start, task->mm->env_end, cursor) : 0;
}

/* ---- auxv: still where exec put it, above the environment's pointers ---- */

#define WORD sizeof(unsigned long)

static unsigned long remote_word(struct mm_struct *mm, unsigned long address)
{
    unsigned long word = 0;
    return access_remote_vm(mm, address, &word, WORD, false) == WORD ? word : 0;
}

/*
 * The address of the auxiliary vector: behind argc, the arguments' and the environment's pointers, each list with
 * its NULL.
 */
static unsigned long find_auxv(struct mm_struct *mm)
{
    unsigned long at = mm->start_stack + WORD;

    for (int list = 0; list < 2; list++) {
        while (at < mm->arg_start && remote_word(mm, at))
            at += WORD;
        at += WORD;
    }
    return at;
}

static long auxv_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    const struct task *task = proc_task_of(file->inode);
    unsigned long words[64];
    size_t count = 0;

    if (!task || !task->mm)
        return 0;
    unsigned long at = find_auxv(task->mm);
    do {
        words[count] = remote_word(task->mm, at);
        words[count + 1] = remote_word(task->mm, at + WORD);
        at += 2 * WORD;
        count += 2;
    } while (words[count - 2] != 0 && count < ARRAY_SIZE(words));
    if ((size_t)*pos >= count * WORD)
        return 0;
    size_t n = MIN(iter->count, count * WORD - (size_t)*pos);
    size_t copied = copy_to_iter(iter, (u8 *)words + *pos, n);
    *pos += (s64)copied;
    return copied ? (long)copied : -EFAULT;
}

static s64 auxv_lseek(struct file *file, s64 offset, int whence)
{
    return whence == SEEK_END ? -EINVAL : lseek_within(file, offset, whence, 0);
}

const struct file_operations proc_auxv_ops = { .read = auxv_read, .lseek = auxv_lseek };

/* ---- limits ---- */

static void show_limit(struct seq *seq, unsigned long value)
{
    if (value == RLIM_INFINITY)
        seq_printf(seq, "%-20s ", "unlimited");
    else
        seq_printf(seq, "%-20lu ", value);
}

int proc_show_limits(struct seq *seq, struct task *task, u64 *cursor)
{
    static const struct {
        const char *name, *unit;
    } names[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = { "Max cpu time", "seconds" }, [RLIMIT_FSIZE] = { "Max file size", "bytes" },
        [RLIMIT_DATA] = { "Max data size", "bytes" }, [RLIMIT_STACK] = { "Max stack size", "bytes" },
        [RLIMIT_CORE] = { "Max core file size", "bytes" }, [RLIMIT_RSS] = { "Max resident set", "bytes" },
        [RLIMIT_NPROC] = { "Max processes", "processes" }, [RLIMIT_NOFILE] = { "Max open files", "files" },
        [RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" }, [RLIMIT_AS] = { "Max address space", "bytes" },
        [RLIMIT_LOCKS] = { "Max file locks", "locks" }, [RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
        [RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" }, [RLIMIT_NICE] = { "Max nice priority", NULL },
        [RLIMIT_RTPRIO] = { "Max realtime priority", NULL }, [RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
    };

    (void)cursor;
    seq_printf(seq, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        seq_printf(seq, "%-25s ", names[i].name);
        show_limit(seq, task->process->limits[i].current);
        show_limit(seq, task->process->limits[i].maximum);
        if (names[i].unit)
            seq_printf(seq, "%-10s\n", names[i].unit);
        else
            seq_puts(seq, "\n");
    }
    return 0;
}
