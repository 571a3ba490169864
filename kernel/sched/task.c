/*
 * Tasks and processes as objects: their numbers, their lists, and the memory that they are made of.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/sched.h"
#include "mm/kstack.h"
#include "mm/slab.h"

#define PID_BUCKETS 1024    /* a power of two */
#define DEFAULT_TIMER_SLACK 50000   /* nanoseconds, as on Linux */
#define FPU_ALIGNMENT 64    /* XSAVE wants it (SDM vol. 1, 13.4) */

LIST_HEAD(all_processes);
int task_count, process_count;
unsigned long oom_kills;
int stopped_process_count;

static LIST_HEAD(all_tasks);
static struct task *pid_table[PID_BUCKETS];
static int last_pid;
static bool pids_wrapped;       /* from now on a number may be in use */

static DEFINE_SLAB_CACHE(task_cache, "task", sizeof(struct task), 16);
static DEFINE_SLAB_CACHE(process_cache, "process", sizeof(struct process), 16);
static DEFINE_SLAB_CACHE(fpu_cache, "fpu", 512, FPU_ALIGNMENT);

/* ---- numbers ---- */

static struct task **pid_bucket(int pid)
{
    return &pid_table[(unsigned)pid % PID_BUCKETS];
}

struct task *find_task(int pid)
{
    struct task *task = *pid_bucket(pid);

    while (task && task->pid != pid)
        task = task->pid_next;
    return task;
}

struct process *find_process(int pid)
{
    struct task *task = find_task(pid);

    return task && task->process && task->process->leader == task ? task->process : NULL;
}

/* A group or a session may outlive the process whose number it has. */
static bool pid_is_in_use(int pid)
{
    struct process *process;

    if (find_task(pid))
        return true;
    list_for_each_entry(process, &all_processes, all)
        if (process->pgid == pid || process->sid == pid)
            return true;
    return false;
}

/* The next free number; after the highest it goes on at 300, as on Linux. 0: all are in use. */
static int pid_alloc(void)
{
    const int lowest_reused = 300;

    for (int tries = 0; tries < PID_MAX; tries++) {
        if (++last_pid >= PID_MAX) {
            last_pid = lowest_reused;
            pids_wrapped = true;
        }
        if (!pids_wrapped || !pid_is_in_use(last_pid))
            return last_pid;
    }
    return 0;
}

static void pid_insert(struct task *task)
{
    struct task **bucket = pid_bucket(task->pid);
    struct list_head *before = all_tasks.prev;

    task->pid_next = *bucket;
    *bucket = task;
    /* New numbers are almost always the highest. */
    while (before != &all_tasks && list_entry(before, struct task, all)->pid > task->pid)
        before = before->prev;
    list_add(&task->all, before);
}

static void pid_remove(struct task *task)
{
    struct task **link = pid_bucket(task->pid);

    while (*link != task)
        link = &(*link)->pid_next;
    *link = task->pid_next;
    list_del(&task->all);
}

void task_set_pid(struct task *task, int pid)
{
    pid_remove(task);
    task->pid = pid;
    pid_insert(task);
}

void for_each_task(bool (*fn)(struct task *task, void *context), void *context)
{
    struct task *task, *following;

    list_for_each_entry_safe(task, following, &all_tasks, all)
        if (fn(task, context))
            return;
}

/* ---- tasks ---- */

struct task *task_alloc(void)
{
    struct task *task = slab_zalloc(&task_cache);

    if (!task)
        return NULL;
    fpu_cache.object_size = ALIGN_UP(this_cpu.xsave_size, FPU_ALIGNMENT);
    /*
     * Saving leaves gaps, and the header's reserved bytes must be 0 (SDM vol. 1, 13.4.2): both show
     * in signal frames.
     */
    task->fpu = slab_zalloc(&fpu_cache);
    if (!task->fpu)
        goto no_fpu;
    task->kernel_stack_top = kstack_alloc();
    if (!task->kernel_stack_top)
        goto no_stack;
    task->pid = pid_alloc();
    if (!task->pid)
        goto no_pid;
    task->timer_slack = task->default_timer_slack = DEFAULT_TIMER_SLACK;
    sigpending_init(&task->pending);
    list_init(&task->run_node);
    list_init(&task->thread_node);
    list_init(&task->locks);
    pid_insert(task);
    task_count++;
    return task;
no_pid:
    kstack_free(task->kernel_stack_top);
no_stack:
    slab_free(&fpu_cache, task->fpu);
no_fpu:
    slab_free(&task_cache, task);
    return NULL;
}

void task_free(struct task *task)
{
    assert(task != current && !task->mm);
    timer_disarm(&task->sleep_timer);
    sigpending_flush(&task->pending, ~0ull);
    if (task->kernel_stack_top)
        kstack_free(task->kernel_stack_top);
    slab_free(&fpu_cache, task->fpu);
    kfree(task->exe_path);
    pid_remove(task);
    task_count--;
    slab_free(&task_cache, task);
}

/* ---- processes ---- */

struct process *process_alloc(struct task *leader)
{
    struct process *process = slab_zalloc(&process_cache);
    struct list_head *before = all_processes.prev;

    if (!process)
        return NULL;
    process->pid = leader->pid;
    process->leader = leader;
    process->start_ticks = sched_clock() / NSEC_PER_TICK;
    list_init(&process->threads);
    list_init(&process->children);
    list_init(&process->sibling);
    list_init(&process->posix_timers);
    wait_queue_init(&process->child_wait);
    sigpending_init(&process->pending);
    list_add_tail(&leader->thread_node, &process->threads);
    process->thread_count = 1;
    leader->process = process;
    while (before != &all_processes && list_entry(before, struct process, all)->pid > process->pid)
        before = before->prev;
    list_add(&process->all, before);
    process_count++;
    return process;
}

void process_free(struct process *process)
{
    assert(list_empty(&process->children));
    timer_disarm(&process->real_timer);
    sigpending_flush(&process->pending, ~0ull);
    list_del(&process->sibling);
    list_del(&process->all);
    process_count--;
    slab_free(&process_cache, process);
}

u64 task_run_time(const struct task *task)
{
    return tsc_to_ns(task->run_time + (task == current ? rdtsc() - task->started_running : 0));
}

void process_usage(const struct process *process, struct process_usage *usage)
{
    struct task *thread;

    *usage = (struct process_usage){
        .min_flt = process->min_flt,
        .maj_flt = process->maj_flt,
        .voluntary_switches = process->voluntary_switches,
        .involuntary_switches = process->involuntary_switches,
        .user_ticks = process->user_ticks,
        .system_ticks = process->system_ticks,
        .run_time = tsc_to_ns(process->run_time),
        .max_rss = process->max_rss,
    };
    list_for_each_entry(thread, &process->threads, thread_node) {
        usage->min_flt += thread->min_flt;
        usage->maj_flt += thread->maj_flt;
        usage->voluntary_switches += thread->voluntary_switches;
        usage->involuntary_switches += thread->involuntary_switches;
        usage->user_ticks += thread->user_ticks;
        usage->system_ticks += thread->system_ticks;
        usage->run_time += task_run_time(thread);
        if (thread->mm)
            usage->max_rss = MAX(usage->max_rss, mm_peak_rss(thread->mm));
    }
}
