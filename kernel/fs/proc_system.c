/* The files of /proc about the whole machine. */
#include "boot/boot_info.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/procfs.h"
#include "kernel/fs/system_names.h"
#include "kernel/lib/string.h"
#include "mm/audit.h"
#include "mm/fault.h"
#include "mm/kstack.h"
#include "mm/limits.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"

/* ---- meminfo ---- */

static void show_kb(struct seq *seq, const char *label, unsigned long kilobytes)
{
    seq_printf(seq, "%-15s %8lu kB\n", label, kilobytes);
}

static void show_frames(struct seq *seq, const char *label, unsigned long frames)
{
    show_kb(seq, label, frames << (PAGE_SHIFT - 10));
}

static unsigned long mapped_frames(void)
{
    const struct mm_struct *mm;
    unsigned long mapped = 0;

    list_for_each_entry(mm, &all_mms, mm_list)
        mapped += (unsigned long)(mm->rss[MM_FILEPAGES] + mm->rss[MM_SHMEMPAGES]);
    return mapped;
}

static unsigned long locked_frames(void)
{
    const struct mm_struct *mm;
    unsigned long locked = 0;

    list_for_each_entry(mm, &all_mms, mm_list)
        locked += mm->locked_vm;
    return locked;
}

static int show_meminfo(struct seq *seq, struct task *task, u64 *cursor)
{
    unsigned long anonymous = frame_counts[PAGE_ANON], shared = frame_counts[PAGE_SHMEM];
    unsigned long cached = frame_counts[PAGE_FILE] + shared;

    (void)task;
    (void)cursor;
    show_frames(seq, "MemTotal:", total_frames);
    show_frames(seq, "MemFree:", frame_counts[PAGE_FREE]);
    show_frames(seq, "MemAvailable:", frame_counts[PAGE_FREE] + frame_counts[PAGE_FILE]);
    show_frames(seq, "Buffers:", 0);
    show_frames(seq, "Cached:", cached);
    show_frames(seq, "SwapCached:", 0);
    show_frames(seq, "Active:", anonymous);
    show_frames(seq, "Inactive:", cached);
    show_frames(seq, "Active(anon):", anonymous);
    show_frames(seq, "Inactive(anon):", shared);
    show_frames(seq, "Active(file):", 0);
    show_frames(seq, "Inactive(file):", frame_counts[PAGE_FILE]);
    show_frames(seq, "Unevictable:", locked_frames());
    show_frames(seq, "Mlocked:", locked_frames());
    show_kb(seq, "SwapTotal:", 0);
    show_kb(seq, "SwapFree:", 0);
    show_kb(seq, "Dirty:", 0);
    show_kb(seq, "Writeback:", 0);
    show_frames(seq, "AnonPages:", anonymous);
    show_frames(seq, "Mapped:", mapped_frames());
    show_frames(seq, "Shmem:", shared);
    show_kb(seq, "KReclaimable:", 0);
    show_frames(seq, "Slab:", frame_counts[PAGE_SLAB]);
    show_kb(seq, "SReclaimable:", 0);
    show_frames(seq, "SUnreclaim:", frame_counts[PAGE_SLAB]);
    show_kb(seq, "KernelStack:", (unsigned long)task_count * (KSTACK_SIZE >> 10));
    show_frames(seq, "PageTables:", frame_counts[PAGE_TABLE]);
    show_frames(seq, "CommitLimit:", vm_commit_limit());
    show_frames(seq, "Committed_AS:", vm_committed);
    show_kb(seq, "AnonHugePages:", 0);
    show_kb(seq, "ShmemHugePages:", 0);
    seq_puts(seq, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
                  "HugePages_Surp:        0\n");
    show_kb(seq, "Hugepagesize:", 2048);
    show_kb(seq, "Hugetlb:", 0);
    return 0;
}

/* ---- vmstat ---- */

static unsigned long served_faults(void)
{
    unsigned long total = 0;

    for (int outcome = 0; outcome < FAULT_OUTCOMES; outcome++) {
        if (!fault_failed((enum fault_outcome)outcome))
            total += fault_counts[outcome];
    }
    return total;
}

static int show_vmstat(struct seq *seq, struct task *task, u64 *cursor)
{
    const struct {
        const char *name;
        unsigned long value;
    } lines[] = {
        { "nr_free_pages", frame_counts[PAGE_FREE] },
        { "nr_zone_inactive_anon", frame_counts[PAGE_SHMEM] },
        { "nr_zone_active_anon", frame_counts[PAGE_ANON] },
        { "nr_mlock", locked_frames() },
        { "nr_inactive_anon", frame_counts[PAGE_SHMEM] },
        { "nr_active_anon", frame_counts[PAGE_ANON] },
        { "nr_inactive_file", frame_counts[PAGE_FILE] },
        { "nr_slab_reclaimable", 0 },
        { "nr_slab_unreclaimable", frame_counts[PAGE_SLAB] },
        { "nr_anon_pages", frame_counts[PAGE_ANON] },
        { "nr_mapped", mapped_frames() },
        { "nr_file_pages", frame_counts[PAGE_FILE] + frame_counts[PAGE_SHMEM] },
        { "nr_dirty", 0 },
        { "nr_writeback", 0 },
        { "nr_shmem", frame_counts[PAGE_SHMEM] },
        { "nr_kernel_stack", (unsigned long)task_count * (KSTACK_SIZE >> 10) },
        { "nr_page_table_pages", frame_counts[PAGE_TABLE] },
        { "pswpin", 0 },
        { "pswpout", 0 },
        { "pgfault", served_faults() },
        { "pgmajfault", 0 },
        { "pgreuse", fault_counts[FAULT_COW_REUSED] },
        { "oom_kill", oom_kills },
    };

    (void)task;
    (void)cursor;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        seq_printf(seq, "%s %lu\n", lines[i].name, lines[i].value);
    return 0;
}

/* ---- time ---- */

#define NSEC_PER_CENTISECOND (NSEC_PER_SEC / 100)

static int show_uptime(struct seq *seq, struct task *task, u64 *cursor)
{
    unsigned long up = (unsigned long)(sched_clock() / NSEC_PER_CENTISECOND), busy = 0;
    const struct process *process;

    (void)task;
    (void)cursor;
    list_for_each_entry(process, &all_processes, all) {
        struct process_usage usage;
        process_usage(process, &usage);
        busy += (unsigned long)(usage.user_ticks + usage.system_ticks) * 100 / HZ;
    }
    unsigned long idle = up > busy ? up - busy : 0;
    seq_printf(seq, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
    return 0;
}

static bool count_runnable(struct task *task, void *context)
{
    *(int *)context += task->state == TASK_RUNNING;
    return false;
}

static bool keep_highest_pid(struct task *task, void *context)
{
    *(int *)context = MAX(*(int *)context, task->pid);
    return false;
}

/* Averages are not kept: programs that ask get zeroes. */
static int show_loadavg(struct seq *seq, struct task *task, u64 *cursor)
{
    int runnable = 0, last_pid = 0;

    (void)task;
    (void)cursor;
    for_each_task(count_runnable, &runnable);
    for_each_task(keep_highest_pid, &last_pid);
    seq_printf(seq, "0.00 0.00 0.00 %d/%d %d\n", runnable, task_count, last_pid);
    return 0;
}

static int show_system_stat(struct seq *seq, struct task *task, u64 *cursor)
{
    unsigned long user = 0, system = 0, up = (unsigned long)jiffies;
    const struct process *process;

    (void)task;
    (void)cursor;
    list_for_each_entry(process, &all_processes, all) {
        struct process_usage usage;
        process_usage(process, &usage);
        user += (unsigned long)usage.user_ticks;
        system += (unsigned long)usage.system_ticks;
    }
    unsigned long idle = up > user + system ? up - user - system : 0;
    seq_printf(seq, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\ncpu0 %lu 0 %lu %lu 0 0 0 0 0 0\n", user, system,
               idle, user, system, idle);
    seq_printf(seq, "intr %lu\nctxt 0\nbtime %lu\nprocesses %d\nprocs_running 1\nprocs_blocked 0\n", up,
               (unsigned long)((wall_clock() - sched_clock()) / NSEC_PER_SEC), process_count);
    return 0;
}

/* ---- names and versions ---- */

static int show_version(struct seq *seq, struct task *task, u64 *cursor)
{
    (void)task;
    (void)cursor;
    seq_printf(seq, "%s version %s (zeropage) %s\n", SYSTEM_NAME, SYSTEM_RELEASE, SYSTEM_VERSION);
    return 0;
}

static int show_cpuinfo(struct seq *seq, struct task *task, u64 *cursor)
{
    unsigned long khz = (unsigned long)(this_cpu.tsc_hz / 1000);

    (void)task;
    (void)cursor;
    seq_printf(seq, "processor\t: 0\ncpu MHz\t\t: %lu.%03lu\nflags\t\t: fpu%s%s%s%s\n", khz / 1000, khz % 1000,
               this_cpu.has_nx ? " nx" : "", this_cpu.has_smep ? " smep" : "", this_cpu.has_smap ? " smap" : "",
               this_cpu.has_umip ? " umip" : "");
    seq_puts(seq, "address sizes\t: 52 bits physical, 48 bits virtual\n\n");
    return 0;
}

static int show_filesystems(struct seq *seq, struct task *task, u64 *cursor)
{
    (void)task;
    (void)cursor;
    seq_puts(seq, "nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tpipefs\n");
    return 0;
}

int proc_show_mounts(struct seq *seq, struct task *task, u64 *cursor)
{
    (void)task;
    (void)cursor;
    seq_puts(seq, "rootfs / rootfs rw 0 0\ntmpfs /tmp tmpfs rw 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n"
                  "proc /proc proc rw 0 0\n");
    return 0;
}

/* ---- the allocators ---- */

static int show_buddyinfo(struct seq *seq, struct task *task, u64 *cursor)
{
    (void)task;
    (void)cursor;
    seq_puts(seq, "Node 0, zone   Normal ");
    for (unsigned order = 0; order <= MAX_ORDER; order++)
        seq_printf(seq, "%6lu ", free_block_count(order));
    seq_puts(seq, "\n");
    return 0;
}

static void show_cache(const struct slab_cache *cache, void *context)
{
    unsigned long all = cache->slabs * cache->per_slab;
    seq_printf(context, "%-17s %6lu %6lu %6u %4u %4u", cache->name, cache->objects, all, cache->object_size,
               cache->per_slab, 1u << cache->order);
    seq_printf(context, " : tunables    0    0    0 : slabdata %6lu %6lu      0\n", cache->slabs, cache->slabs);
}

static int show_slabinfo(struct seq *seq, struct task *task, u64 *cursor)
{
    (void)task;
    (void)cursor;
    seq_puts(seq, "slabinfo - version: 2.1\n"
                  "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
                  " : tunables <limit> <batchcount> <sharedfactor>"
                  " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    slab_for_each(show_cache, seq);
    return 0;
}

/* ---- this kernel's own ---- */

static void report_finding(const char *finding, void *context)
{
    seq_printf(context, "%s\n", finding);
}

static int show_audit(struct seq *seq, struct task *task, u64 *cursor)
{
    (void)task;
    (void)cursor;
    if (mm_audit(report_finding, seq) == 0)
        seq_puts(seq, "ok\n");
    return 0;
}

static int show_zeropage(struct seq *seq, struct task *task, u64 *cursor)
{
    (void)task;
    (void)cursor;
    unsigned long kernel = frame_counts[PAGE_KERNEL] + frame_counts[PAGE_ARCHIVE] + frame_counts[PAGE_ZERO];
    seq_printf(seq, "frames_total %lu\nframes_free %lu\nframes_page_table %lu\nframes_anon %lu\n", total_frames,
               frame_counts[PAGE_FREE], frame_counts[PAGE_TABLE], frame_counts[PAGE_ANON]);
    seq_printf(seq, "frames_cache %lu\nframes_slab %lu\nframes_kernel %lu\nzero_frame %lu\n",
               frame_counts[PAGE_FILE] + frame_counts[PAGE_SHMEM], frame_counts[PAGE_SLAB], kernel, zero_pfn);
    seq_printf(seq, "archive_first %lu\narchive_behind %lu\n", (unsigned long)(boot_info.archive.start >> PAGE_SHIFT),
               (unsigned long)(PAGE_ALIGN(boot_info.archive.end) >> PAGE_SHIFT));
    seq_printf(seq, "boot_tsc %lu\n", (unsigned long)(first_program_tsc - boot_entry_tsc));
    return 0;
}

/* ---- the list ---- */

const struct proc_entry proc_system_entries[] = {
    { .name = "audit", .mode = 0444, .show = show_audit },
    { .name = "buddyinfo", .mode = 0444, .show = show_buddyinfo },
    { .name = "cpuinfo", .mode = 0444, .show = show_cpuinfo },
    { .name = "filesystems", .mode = 0444, .show = show_filesystems },
    { .name = "kpagecount", .mode = 0400, .file_ops = &proc_kpagecount_ops },
    { .name = "kpageflags", .mode = 0400, .file_ops = &proc_kpageflags_ops },
    { .name = "loadavg", .mode = 0444, .show = show_loadavg },
    { .name = "meminfo", .mode = 0444, .show = show_meminfo },
    { .name = "slabinfo", .mode = 0400, .show = show_slabinfo },
    { .name = "stat", .mode = 0444, .show = show_system_stat },
    { .name = "uptime", .mode = 0444, .show = show_uptime },
    { .name = "version", .mode = 0444, .show = show_version },
    { .name = "vmstat", .mode = 0444, .show = show_vmstat },
    { .name = "zeropage", .mode = 0444, .show = show_zeropage },
};
const size_t proc_system_entry_count = ARRAY_SIZE(proc_system_entries);
