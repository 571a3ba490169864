/* Tables of actions: what a process does with each signal, shared by its threads. */
#include "kernel/sched/signal.h"
#include "mm/slab.h"

static DEFINE_SLAB_CACHE(sighand_cache, "sighand", sizeof(struct sighand), 16);

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
