/*
 * When memory is full: who dies.
 *
 * The rule: of all processes the one that holds most memory: the frames that it maps, its page tables, its threads and
 * mappings themselves, and what it holds by descriptors alone (bytes in pipes, files without a name). PID 1 and the leaders of sessions, which is to say
 * the shell, come last: they die only when nobody else holds anything. When even the one that holds most holds next to
 * nothing, it is a crowd that holds the memory (a fork bomb): then the whole process group dies that holds most
 * together. A fault that fails although memory is free (the kernel was told to let it fail) kills the one that asked.
 *
 * A program that is not the one to die waits till memory has come back. The kernel itself, when it
 * copies to a program's memory, can't wait in the middle; it may take half of the reserve instead.
 */
#include "kernel/fs/fs.h"
#include "kernel/lib/printf.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "mm/kstack.h"
#include "mm/page_alloc.h"

static unsigned long pages_mapped(const struct mm_struct *mm)
{
    return (unsigned long)(mm->rss[MM_FILEPAGES] + mm->rss[MM_ANONPAGES] + mm->rss[MM_SHMEMPAGES]) +
           mm->pgtables_bytes / PAGE_SIZE + (unsigned)mm->map_count * sizeof(struct vm_area_struct) / PAGE_SIZE;
}

static unsigned long pages_held(const struct process *process)
{
    const struct task *thread;

    /* The threads share all of it; the last one to end has given both back before it is off the list. */
    list_for_each_entry(thread, &process->threads, thread_node)
        if (thread->mm || thread->files)
            return (unsigned)process->thread_count * (KSTACK_SIZE / PAGE_SIZE) + (thread->mm ? pages_mapped(thread->mm) : 0) +
                   (thread->files ? files_pages_held(thread->files) : 0);
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

/* ---- a crowd ---- */

/* Of the members of a group that may die: what they hold together, and how many they are. */
struct crowd {
    int pgid;
    unsigned long pages, members;
};

static struct crowd group_of(int pgid)
{
    struct crowd crowd = { .pgid = pgid };
    const struct process *process;

    list_for_each_entry(process, &all_processes, all) {
        if (process->pgid != pgid || process->exiting || comes_last(process))
            continue;
        crowd.pages += pages_held(process);
        crowd.members++;
    }
    return crowd;
}

static struct crowd choose_crowd(void)
{
    struct crowd chosen = { 0 }, group = { 0 };
    const struct process *process;

    list_for_each_entry(process, &all_processes, all) {
        if (process->exiting || process->pgid == group.pgid)    /* members mostly stand side by side */
            continue;
        group = group_of(process->pgid);
        if (group.pages > chosen.pages)
            chosen = group;
    }
    return chosen;
}

/* False when there is no crowd. */
static bool kill_crowd(void)
{
    struct crowd crowd = choose_crowd();
    struct process *process;

    if (crowd.members < 2)
        return false;
    printk("process group %d: killed because memory is full: its %lu processes hold %lu KiB\n", crowd.pgid,
           crowd.members, crowd.pages * (PAGE_SIZE / 1024));
    list_for_each_entry(process, &all_processes, all) {
        if (process->pgid != crowd.pgid || process->exiting || comes_last(process))
            continue;
        oom_kills++;
        process_kill_threads(process, SIGKILL);
    }
    return true;
}

/* ---- the decision ---- */

/* A process that holds less than this share of memory is not the cause of anything. */
#define SHARE_OF_A_CAUSE 64

bool memory_is_full(void)
{
    return frame_counts[PAGE_FREE] <= reserve_frames;
}

static bool somebody_is_dying(void)
{
    const struct process *process;

    list_for_each_entry(process, &all_processes, all)
        if (process->exiting && !process_is_zombie(process) && pages_held(process))
            return true;
    return false;
}

static void kill_for_memory(struct process *process)
{
    oom_kills++;
    printk("%s[%d]: killed because memory is full: it holds %lu KiB\n", process->leader->comm, process->pid,
           pages_held(process) * (PAGE_SIZE / 1024));
    process_kill_threads(process, SIGKILL);
}

bool out_of_memory(bool may_wait)
{
    struct process *victim = current->process;

    /* It gives back what it holds, and soon: nobody else has to go for what it still asks for. */
    if (victim->exiting)
        return false;
    if (memory_is_full())
        victim = somebody_is_dying() ? NULL : choose_victim();
    if (victim && (pages_held(victim) >= total_frames / SHARE_OF_A_CAUSE || !memory_is_full() || !kill_crowd()))
        kill_for_memory(victim);
    /* The victim may be itself; and who asks here runs a program. NOLINTNEXTLINE(*NullDereference) */
    if (may_wait && !current->process->exiting)
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
