/* Advisory locks: who holds what of a file, and who waits for it. */
#include "kernel/fs/locks.h"

#include "kernel/lib/panic.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"

struct file_lock {
    struct list_head node;
    struct lock_range range;        /* of type LOCK_READ or LOCK_WRITE */
};

/* What an inode has while somebody has locked something of it, or wants to. */
struct inode_locks {
    unsigned waiting;               /* how many are asleep for one of these */
    struct list_head ranges;        /* those of one owner stand together, in order of their start; they never overlap */
    struct list_head whole;         /* ranges from the first byte to the last one, whose owners are files */
};

/* Somebody asleep. On his stack. */
struct lock_waiter {
    struct list_head node;          /* in `waiters` */
    const struct file_lock *blocker;    /* NULL: it is gone, or less than it was */
    const void *owner;
    bool may_deadlock;
    struct task *task;
};

static DEFINE_SLAB_CACHE(lock_cache, "file_lock", sizeof(struct file_lock), 8);
static DEFINE_SLAB_CACHE(inode_locks_cache, "inode_locks", sizeof(struct inode_locks), 8);

/* Who waits for any file's lock, the longest first. */
static LIST_HEAD(waiters);

/*
 * Locks are the kernel's memory, which no process can be killed for. So they may take this share of memory, as an epoll's
 * watches may.
 */
#define LOCKS_SHARE 25
static unsigned long lock_count;

/* How many owners that wait for each other are looked at, as on Linux. */
#define MOST_OWNERS_IN_A_RING 10

static struct inode_locks *locks_of(struct inode *inode)
{
    if (!inode->locks) {
        inode->locks = slab_alloc(&inode_locks_cache);
        if (inode->locks) {
            inode->locks->waiting = 0;
            list_init(&inode->locks->ranges);
            list_init(&inode->locks->whole);
        }
    }
    return inode->locks;
}

/* Whoever has just taken a lock away calls this: with the last one goes what INODE had for them. */
static void drop_if_unused(struct inode *inode)
{
    struct inode_locks *locks = inode->locks;

    if (locks && !locks->waiting && list_empty(&locks->ranges) && list_empty(&locks->whole)) {
        slab_free(&inode_locks_cache, locks);
        inode->locks = NULL;
    }
}

/* ---- waiting ---- */

/* LOCK is gone, or less than it was: whoever waits for it looks again. */
static void let_waiters_look(const struct file_lock *lock)
{
    struct lock_waiter *waiter;

    list_for_each_entry(waiter, &waiters, node) {
        if (waiter->blocker == lock) {
            waiter->blocker = NULL;
            sched_wake(waiter->task);
        }
    }
}

static void remove(struct file_lock *lock)
{
    list_del(&lock->node);
    lock_count--;
    let_waiters_look(lock);
    slab_free(&lock_cache, lock);
}

/* The lock that OWNER waits for, or NULL. */
static const struct file_lock *blocker_of(const void *owner)
{
    const struct lock_waiter *waiter;

    list_for_each_entry(waiter, &waiters, node) {
        if (waiter->blocker && waiter->may_deadlock && waiter->owner == owner)
            return waiter->blocker;
    }
    return NULL;
}

/* True when the holder of BLOCKER waits for OWNER, who is about to wait for it, perhaps through others. */
static bool would_deadlock(const void *owner, const struct file_lock *blocker)
{
    for (int i = 0; blocker && i <= MOST_OWNERS_IN_A_RING; i++) {
        if (blocker->range.owner == owner)
            return true;
        blocker = blocker_of(blocker->range.owner);
    }
    return false;
}

/* Sleeps until BLOCKER is gone, or less than it was: 0, or -ERESTARTSYS for a signal. */
static int wait_for(const struct file_lock *blocker, const void *owner, bool may_deadlock)
{
    struct lock_waiter waiter = {
        .blocker = blocker, .owner = owner, .may_deadlock = may_deadlock, .task = current,
    };
    int error = 0;

    list_add_tail(&waiter.node, &waiters);
    while (!error && waiter.blocker)
        error = sleep_until(0);
    list_del(&waiter.node);
    return waiter.blocker ? error : 0;
}

/* ---- conflicts ---- */

static bool overlap(const struct lock_range *one, const struct lock_range *other)
{
    return one->start <= other->end && other->start <= one->end;
}

/* The first lock in LOCKS that another owner has and that does not go with RANGE. */
static struct file_lock *find_conflict(const struct list_head *locks, const struct lock_range *range)
{
    struct file_lock *lock;

    list_for_each_entry(lock, locks, node) {
        bool is_exclusive = lock->range.type == LOCK_WRITE || range->type == LOCK_WRITE;
        if (is_exclusive && lock->range.owner != range->owner && overlap(&lock->range, range))
            return lock;
    }
    return NULL;
}

bool locks_find_conflict(const struct inode *inode, struct lock_range *range)
{
    const struct file_lock *lock = inode->locks ? find_conflict(&inode->locks->ranges, range) : NULL;

    if (lock)
        *range = lock->range;
    return lock != NULL;
}

/* Returns when nothing in LOCKS, a list of OF's, is in RANGE's way: 0; or what locks_set_range says. */
static int wait_for_conflicts(struct inode_locks *of, const struct list_head *locks, const struct lock_range *range,
                              bool may_wait, bool may_deadlock)
{
    const struct file_lock *blocker;
    int error = 0;

    while (!error && (blocker = find_conflict(locks, range)) != NULL) {
        if (!may_wait)
            return -EAGAIN;
        if (may_deadlock && would_deadlock(range->owner, blocker))
            return -EDEADLK;
        of->waiting++;
        error = wait_for(blocker, range->owner, may_deadlock);
        of->waiting--;
    }
    return error;
}

/* ---- ranges ---- */

/* LOCK, of RANGE's owner, gives up what RANGE covers. *SPARE is used (NULL then) if two parts are left. */
static void cut(struct file_lock *lock, const struct lock_range *range, struct file_lock **spare)
{
    bool has_left = lock->range.start < range->start, has_right = lock->range.end > range->end;

    if (!has_left && !has_right) {
        remove(lock);
        return;
    }
    if (has_left && has_right) {
        struct file_lock *right = *spare;

        *spare = NULL;
        right->range = lock->range;
        right->range.start = range->end + 1;
        list_add(&right->node, &lock->node);
        lock_count++;
    }
    if (has_left)
        lock->range.end = range->start - 1;
    else
        lock->range.start = range->end + 1;
    let_waiters_look(lock);
}

/* True when the bytes of LOCK and RANGE, of one owner and type, are one range; nothing overflows. */
static bool is_joined(const struct lock_range *lock, const struct lock_range *range)
{
    return lock->type == range->type && lock->end >= range->start - 1 && lock->start - 1 <= range->end;
}

/* Whoever waits for OLD, which NEW replaces and covers, waits for NEW. */
static void absorb(struct file_lock *old, struct file_lock *new)
{
    struct lock_waiter *waiter;

    new->range.start = MIN(new->range.start, old->range.start);
    new->range.end = MAX(new->range.end, old->range.end);
    list_for_each_entry(waiter, &waiters, node) {
        if (waiter->blocker == old)
            waiter->blocker = new;
    }
    remove(old);
}

/* The owner's locks are joined with NEW or give way to it. *SPARE is used (NULL then) if it cuts one in two. */
static void make_way(struct list_head *locks, struct file_lock *new, struct file_lock **spare)
{
    struct file_lock *lock, *following;

    list_for_each_entry_safe(lock, following, locks, node) {
        if (lock->range.owner != new->range.owner)
            continue;
        if (is_joined(&lock->range, &new->range))
            absorb(lock, new);
        else if (overlap(&lock->range, &new->range))
            cut(lock, &new->range, spare);
    }
}

/* Puts NEW behind its owner's locks that begin before it: F_GETLK shows the first that is in the way. */
static void insert(struct list_head *locks, struct file_lock *new)
{
    struct list_head *before = locks;
    struct file_lock *lock;
    bool is_among_own = false;

    list_for_each_entry(lock, locks, node) {
        bool is_own = lock->range.owner == new->range.owner;
        if (is_own ? lock->range.start > new->range.start : is_among_own) {
            before = &lock->node;
            break;
        }
        is_among_own |= is_own;
    }
    list_add_tail(&new->node, before);
    lock_count++;
}

static void free_lock(struct file_lock *lock)
{
    if (lock)
        slab_free(&lock_cache, lock);
}

int locks_set_range(struct inode *inode, const struct lock_range *range, bool may_wait)
{
    bool is_locking = range->type != LOCK_NONE;
    bool may_deadlock = range->pid != LOCK_PID_OF_FILE;

    if (!is_locking && !inode->locks)
        return 0;
    struct inode_locks *locks = locks_of(inode);
    struct file_lock *new = slab_alloc(&lock_cache), *spare = slab_alloc(&lock_cache);
    bool is_full = is_locking && lock_count >= total_frames / LOCKS_SHARE * (PAGE_SIZE / sizeof(struct file_lock));
    int error = locks && new && spare && !is_full ? 0 : -ENOLCK;

    if (!error && is_locking)
        error = wait_for_conflicts(locks, &locks->ranges, range, may_wait, may_deadlock);
    if (!error) {
        new->range = *range;
        make_way(&locks->ranges, new, &spare);
        if (is_locking) {
            insert(&locks->ranges, new);
            new = NULL;
        }
    }
    free_lock(new);
    free_lock(spare);
    drop_if_unused(inode);
    return error;
}

void locks_drop_ranges(struct inode *inode, const void *owner)
{
    struct file_lock *lock, *following;

    if (!inode->locks)
        return;
    list_for_each_entry_safe(lock, following, &inode->locks->ranges, node) {
        if (lock->range.owner == owner)
            remove(lock);
    }
    drop_if_unused(inode);
}

/* ---- whole files ---- */

static struct file_lock *whole_of(const struct inode_locks *locks, const struct file *file)
{
    struct file_lock *lock;

    list_for_each_entry(lock, &locks->whole, node) {
        if (lock->range.owner == file)
            return lock;
    }
    return NULL;
}

int locks_set_whole(struct file *file, enum lock_type type, bool may_wait)
{
    struct lock_range range = {
        .end = LOCK_LAST_BYTE, .type = type, .owner = file, .pid = current->process->pid,
    };

    if (type == LOCK_NONE) {
        locks_drop_whole(file->inode, file);
        return 0;
    }
    struct inode_locks *locks = locks_of(file->inode);
    struct file_lock *new = locks ? slab_alloc(&lock_cache) : NULL, *old;
    int error = 0;
    if (!new) {
        drop_if_unused(file->inode);
        return -ENOMEM;
    }
    old = whole_of(locks, file);
    if (!old || old->range.type != type) {
        if (old)
            remove(old);
        error = wait_for_conflicts(locks, &locks->whole, &range, may_wait, false);
        if (!error) {
            new->range = range;
            insert(&locks->whole, new);
            new = NULL;
        }
    }
    free_lock(new);
    drop_if_unused(file->inode);
    return error;
}

void locks_drop_whole(struct inode *inode, const struct file *file)
{
    struct file_lock *lock = inode->locks ? whole_of(inode->locks, file) : NULL;

    if (lock)
        remove(lock);
    drop_if_unused(inode);
}
