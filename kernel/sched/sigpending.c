/* Sets of signals that wait, with what each carries. */
#include "kernel/sched/signal.h"
#include "kernel/sched/sched.h"
#include "mm/slab.h"

struct queued_signal {
    struct list_head node;
    struct signal_info info;
};

/*
 * Signals that carry something, over all processes: nobody fills the kernel's memory by queueing.
 */
#define MAX_QUEUED 8192
static unsigned queued;

static DEFINE_SLAB_CACHE(queue_cache, "queued_signal", sizeof(struct queued_signal), 8);

void sigpending_init(struct sigpending *pending)
{
    pending->set = 0;
    list_init(&pending->queue);
}

static void unqueue(struct queued_signal *entry)
{
    list_del(&entry->node);
    slab_free(&queue_cache, entry);
    queued--;
}

void sigpending_flush(struct sigpending *pending, sigset_t mask)
{
    struct queued_signal *entry, *following;

    if (!(pending->set & mask))
        return;
    pending->set &= ~mask;
    list_for_each_entry_safe(entry, following, &pending->queue, node)
        if (mask & SIGMASK(entry->info.signal))
            unqueue(entry);
}

bool sigpending_add(struct sigpending *pending, int signal, const struct signal_info *info)
{
    struct queued_signal *entry;

    if (signal < SIGRTMIN && (pending->set & SIGMASK(signal)) && !(info && info->of_timer))
        return true;
    entry = info && signal != SIGKILL && queued < MAX_QUEUED ? slab_alloc(&queue_cache) : NULL;
    if (entry) {
        entry->info = *info;
        entry->info.signal = signal;
        list_add_tail(&entry->node, &pending->queue);
        queued++;
    } else if (info && signal >= SIGRTMIN && info->code != SI_USER) {
        return false;       /* it would lose its value */
    }
    pending->set |= SIGMASK(signal);
    return true;
}

struct signal_info *sigpending_of_timer(struct sigpending *pending, int id)
{
    struct queued_signal *entry;

    list_for_each_entry(entry, &pending->queue, node)
        if (entry->info.of_timer && entry->info.pid == id)
            return &entry->info;
    return NULL;
}

void sigpending_take(struct sigpending *pending, int signal, struct signal_info *info)
{
    struct queued_signal *entry, *following, *first = NULL;
    bool another = false;

    list_for_each_entry_safe(entry, following, &pending->queue, node) {
        if (entry->info.signal != signal)
            continue;
        if (first)
            another = true;
        else
            first = entry;
    }
    if (!another)
        pending->set &= ~SIGMASK(signal);
    *info = (struct signal_info){ .signal = signal, .code = SI_KERNEL };
    if (first) {
        *info = first->info;
        unqueue(first);
    }
}
