/* Sets of signals that wait, with what each carries; and the tables of actions. */
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
static DEFINE_SLAB_CACHE(sighand_cache, "sighand", sizeof(struct sighand), 16);

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

    if (signal < SIGRTMIN && (pending->set & SIGMASK(signal)))
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

/* The one that is delivered first of SET. */
static int first_of(sigset_t set)
{
    if (set & SIGNALS_SYNCHRONOUS)
        set &= SIGNALS_SYNCHRONOUS;
    return __builtin_ctzll(set) + 1;
}

int signal_take(sigset_t wanted, struct signal_info *info)
{
    struct sigpending *pending = &current->pending;
    sigset_t set = pending->set & wanted;

    if (!set) {
        pending = &current->process->pending;
        set = pending->set & wanted;
    }
    if (!set)
        return 0;
    int signal = first_of(set);
    sigpending_take(pending, signal, info);
    return signal;
}

/* ---- tables of actions ---- */

static struct sighand *initialise(struct sighand *sighand)
{
    sighand->refcount = 1;
    sighand->has_readers = false;
    wait_queue_init(&sighand->readers);
    list_init(&sighand->watchers);
    return sighand;
}

struct sighand *sighand_alloc(void)
{
    struct sighand *sighand = slab_zalloc(&sighand_cache);

    return sighand ? initialise(sighand) : NULL;
}

struct sighand *sighand_clone(const struct sighand *sighand)
{
    struct sighand *clone = slab_alloc(&sighand_cache);

    if (!clone)
        return NULL;
    *clone = *sighand;
    return initialise(clone);
}

void sighand_put(struct sighand *sighand)
{
    if (--sighand->refcount > 0)
        return;
    signalfd_end(sighand);
    slab_free(&sighand_cache, sighand);
}
