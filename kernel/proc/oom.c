/*
 * When memory is full: who dies.
 *
 * The rule: of all processes the one that holds most memory (pages and page tables). PID 1 and the
 * leaders of sessions, which is to say the shell, come last: they die only when nobody else holds
 * anything. A fault that fails although memory is free (the kernel was told to let it fail) kills
 * the one that asked.
 *
 * A program that is not the one to die waits till memory has come back. The kernel itself, when it
 * copies to a program's memory, can't wait in the middle; it may take half of the reserve instead.
 */
#include "kernel/lib/printf.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "mm/page_alloc.h"

static unsigned long pages_held(const struct process *process)
{
    const struct task *thread;

    list_for_each_entry(thread, &process->threads, thread_node) {
        const struct mm_struct *mm = thread->mm;
        if (mm)
            return (unsigned long)(mm->rss[MM_FILEPAGES] + mm->rss[MM_ANONPAGES] + mm->rss[MM_SHMEMPAGES]) +
                   mm->pgtables_bytes / PAGE_SIZE;
    }
    return 0;
}

static bool comes_last(const struct process *process)
{
    return process->pid == 1 || process_is_init(process) ||
           (process->sid == process->pid && process->parent && process->parent->pid == 1);
}

/* True when A is rather to die than B. */
static bool is_better_victim(const struct process *a, const struct process *b)
{
    if (!b || comes_last(a) != comes_last(b))
        return !b || comes_last(b);
    return pages_held(a) > pages_held(b);
}

static struct process *choose_victim(void)
{
    struct process *process, *victim = NULL;

    list_for_each_entry(process, &all_processes, all)
        if (!process->exiting && pages_held(process) > 0 && is_better_victim(process, victim))
            victim = process;
    return victim;
}

static bool somebody_is_dying(void)
{
    const struct process *process;

    list_for_each_entry(process, &all_processes, all)
        if (process->exiting && !process_is_zombie(process) && process != current->process && pages_held(process))
            return true;
    return false;
}

static void kill_for_memory(struct process *process)
{
    process->leader->kernel_killed = true;
    printk("%s[%d]: killed because memory is full: it holds %lu KiB\n", process->leader->comm, process->pid,
           pages_held(process) * (PAGE_SIZE / 1024));
    process_kill_threads(process, SIGKILL);
}

bool out_of_memory(bool may_wait)
{
    struct process *victim = current->process;

    if (frame_counts[PAGE_FREE] <= reserve_frames)
        victim = somebody_is_dying() ? NULL : choose_victim();
    if (victim)
        kill_for_memory(victim);
    if (may_wait && victim != current->process)
        sched_yield();      /* the dying need the processor to die */
    return !fatal_signal_pending();
}

enum fault_outcome fault_from_reserve(unsigned long address, unsigned error, unsigned long ip)
{
    unsigned long reserve = reserve_frames;
    enum fault_outcome outcome;

    reserve_frames = reserve / 2;
    outcome = do_user_addr_fault(current->mm, address, error, ip);
    reserve_frames = reserve;
    if (outcome == FAULT_OUT_OF_MEMORY && !current->process->exiting)
        kill_for_memory(current->process);
    return outcome;
}
