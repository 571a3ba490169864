/* Resource limits, and the accounts of what was used. */
#include "kernel/lib/errno.h"
#include "kernel/proc/rusage.h"
#include "kernel/sched/clock.h"
#include "mm/page_alloc.h"
#include "mm/user_copy.h"

#define MIB (1ul << 20)
#define MAX_OPEN_FILES 1048576ul
enum { RUSAGE_SELF = 0, RUSAGE_CHILDREN = -1, RUSAGE_THREAD = 1 };

/* ---- limits ---- */

void limits_init(struct rlimit limits[RLIM_NLIMITS])
{
    /*
     * Linux allows as many tasks as fit into an eighth of memory at four pages each; half of that
     * per user.
     */
    unsigned long tasks = total_frames / 64;

    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        limits[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
    limits[RLIMIT_STACK] = (struct rlimit){ 8 * MIB, RLIM_INFINITY };
    limits[RLIMIT_CORE] = (struct rlimit){ 0, RLIM_INFINITY };
    limits[RLIMIT_NPROC] = (struct rlimit){ tasks, tasks };
    limits[RLIMIT_NOFILE] = (struct rlimit){ 1024, 4096 };
    limits[RLIMIT_MEMLOCK] = (struct rlimit){ 8 * MIB, 8 * MIB };
    limits[RLIMIT_SIGPENDING] = (struct rlimit){ tasks, tasks };
    limits[RLIMIT_MSGQUEUE] = (struct rlimit){ 819200, 819200 };
    limits[RLIMIT_NICE] = limits[RLIMIT_RTPRIO] = (struct rlimit){ 0, 0 };
}

static bool may_raise_limits(void)
{
    return current->euid == 0;
}

static int set_limit(struct process *process, unsigned resource, const struct rlimit *limit)
{
    struct rlimit *old = &process->limits[resource];
    struct task *thread;

    if (limit->current > limit->maximum)
        return -EINVAL;
    if (resource == RLIMIT_NOFILE && limit->maximum > MAX_OPEN_FILES)
        return -EPERM;
    if (limit->maximum > old->maximum && !may_raise_limits())
        return -EPERM;
    *old = *limit;
    list_for_each_entry(thread, &process->threads, thread_node)
        if (thread->mm)
            limits_to_mm(process, &thread->mm->limits);
    return 0;
}

long do_prlimit(int pid, unsigned resource, unsigned long new_limit, unsigned long old_limit)
{
    struct task *task = pid ? find_task(pid) : current;
    struct rlimit limit, old;
    int error = 0;

    if (new_limit && copy_from_user(&limit, new_limit, sizeof(limit)))
        return -EFAULT;
    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    if (!task || !task->process)
        return -ESRCH;
    if (task->process != current->process && current->euid != 0 &&
        (current->uid != task->uid || current->uid != task->euid))
        return -EPERM;
    old = task->process->limits[resource];
    if (new_limit)
        error = set_limit(task->process, resource, &limit);
    if (!error && old_limit && copy_to_user(old_limit, &old, sizeof(old)))
        return -EFAULT;
    return error;
}

/* ---- accounts ---- */

void split_times(const struct process_usage *usage, u64 *user_ns, u64 *system_ns)
{
    u64 ticks = usage->user_ticks + usage->system_ticks;

    *system_ns = ticks ? usage->run_time / ticks * usage->system_ticks : 0;
    *user_ns = usage->run_time - *system_ns;
}

static struct kernel_timeval timeval_of(u64 nanoseconds)
{
    return (struct kernel_timeval){ (s64)(nanoseconds / NSEC_PER_SEC),
                                    (s64)(nanoseconds % NSEC_PER_SEC / 1000) };
}

static void fill_rusage(const struct process_usage *usage, struct rusage *rusage)
{
    u64 user, system;

    split_times(usage, &user, &system);
    *rusage = (struct rusage){
        .user_time = timeval_of(user),
        .system_time = timeval_of(system),
        .max_rss = (long)(usage->max_rss * (PAGE_SIZE / 1024)),
        .min_flt = (long)usage->min_flt,
        .maj_flt = (long)usage->maj_flt,
        .voluntary_switches = (long)usage->voluntary_switches,
        .involuntary_switches = (long)usage->involuntary_switches,
    };
}

static void children_usage(const struct process *process, struct process_usage *usage)
{
    *usage = (struct process_usage){
        .min_flt = process->child_min_flt,
        .maj_flt = process->child_maj_flt,
        .voluntary_switches = process->child_voluntary_switches,
        .involuntary_switches = process->child_involuntary_switches,
        .user_ticks = process->child_user_ticks,
        .system_ticks = process->child_system_ticks,
        .run_time = tsc_to_ns(process->child_run_time),
        .max_rss = process->child_max_rss,
    };
}

void rusage_of_process(const struct process *process, bool children, struct rusage *rusage)
{
    struct process_usage usage, of_children;

    process_usage(process, &usage);
    if (children) {
        children_usage(process, &of_children);
        usage.min_flt += of_children.min_flt;
        usage.maj_flt += of_children.maj_flt;
        usage.voluntary_switches += of_children.voluntary_switches;
        usage.involuntary_switches += of_children.involuntary_switches;
        usage.user_ticks += of_children.user_ticks;
        usage.system_ticks += of_children.system_ticks;
        usage.run_time += of_children.run_time;
        usage.max_rss = MAX(usage.max_rss, of_children.max_rss);
    }
    fill_rusage(&usage, rusage);
}

static void thread_usage(const struct task *thread, struct process_usage *usage)
{
    *usage = (struct process_usage){
        .min_flt = thread->min_flt,
        .maj_flt = thread->maj_flt,
        .voluntary_switches = thread->voluntary_switches,
        .involuntary_switches = thread->involuntary_switches,
        .user_ticks = thread->user_ticks,
        .system_ticks = thread->system_ticks,
        .run_time = task_run_time(thread),
        .max_rss = thread->mm ? mm_peak_rss(thread->mm) : 0,
    };
}

long do_getrusage(int who, unsigned long address)
{
    struct process_usage usage;
    struct rusage rusage;

    switch (who) {
    case RUSAGE_SELF:
        process_usage(current->process, &usage);
        break;
    case RUSAGE_CHILDREN:
        children_usage(current->process, &usage);
        break;
    case RUSAGE_THREAD:
        thread_usage(current, &usage);
        break;
    default:
        return -EINVAL;
    }
    fill_rusage(&usage, &rusage);
    return copy_to_user(address, &rusage, sizeof(rusage)) ? -EFAULT : 0;
}

long do_times(unsigned long buffer)
{
    struct process_usage own, children;
    u64 times[4];

    process_usage(current->process, &own);
    children_usage(current->process, &children);
    split_times(&own, &times[0], &times[1]);
    split_times(&children, &times[2], &times[3]);
    for (unsigned i = 0; i < ARRAY_SIZE(times); i++)
        times[i] /= NSEC_PER_TICK;
    if (buffer && copy_to_user(buffer, times, sizeof(times)))
        return -EFAULT;
    return (long)(sched_clock() / NSEC_PER_TICK);
}
