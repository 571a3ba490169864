/*
 * Futexes: waiting for a word of memory to change. With interrupts off, a check and what follows
 * are one step.
 */
#include "kernel/proc/futex.h"

#include "kernel/lib/errno.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "mm/user_copy.h"
#include "mm/vma.h"

#define BUCKETS 256     /* a power of two */

enum {
    FUTEX_WAIT, FUTEX_WAKE, FUTEX_FD, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_LOCK_PI,
    FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_WAIT_REQUEUE_PI,
    FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI2,
};
#define FUTEX_PRIVATE_FLAG 128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_COMMAND_MASK (~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))

static struct list_head buckets[BUCKETS];

struct list_head *futex_bucket(const struct futex_key *key)
{
    unsigned long hash = ((unsigned long)key->space >> 6) + (key->offset >> 2) * 0x9e3779b1ul;
    struct list_head *bucket = &buckets[(hash >> 8) % BUCKETS];

    if (!bucket->next)
        list_init(bucket);
    return bucket;
}

int futex_key_of(unsigned long address, bool private, struct futex_key *key)
{
    const struct vm_area_struct *vma;
    u32 value;

    *key = (struct futex_key){ current->mm, address };
    if (address % sizeof(u32))
        return -EINVAL;
    if (!access_ok(address, sizeof(u32)))
        return -EFAULT;
    if (private)
        return 0;
    if (get_user(value, address))
        return -EFAULT;
    vma = find_vma(current->mm, address);
    if (vma && vma->vm_start <= address && (vma->vm_flags & VM_SHARED) && vma->vm_mapping) {
        key->space = vma->vm_mapping;
        key->offset = address - vma->vm_start + (vma->vm_pgoff << PAGE_SHIFT);
    }
    return 0;
}

void futex_enqueue(struct futex_waiter *waiter)
{
    struct list_head *bucket = futex_bucket(&waiter->key), *before = bucket->prev;

    while (before != bucket &&
           list_entry(before, struct futex_waiter, node)->task->own_priority < waiter->task->own_priority)
        before = before->prev;
    list_add(&waiter->node, before);
}

struct futex_waiter *futex_first_waiter(const struct futex_key *key)
{
    struct futex_waiter *waiter;

    list_for_each_entry(waiter, futex_bucket(key), node)
        if (futex_same_key(&waiter->key, key))
            return waiter;
    return NULL;
}

/* ---- waking ---- */

void futex_wake_waiter(struct futex_waiter *waiter)
{
    list_del(&waiter->node);
    waiter->woken = true;
    sched_wake(waiter->task);
}

/* Those who wait for a lock are woken in another way: -EINVAL. */
static bool waits_for_lock(const struct futex_waiter *waiter)
{
    return waiter->lock || waiter->requeue_to;
}

static long wake_key(const struct futex_key *key, unsigned count, u32 bits)
{
    struct futex_waiter *waiter, *following;
    long woken = 0;

    list_for_each_entry_safe(waiter, following, futex_bucket(key), node) {
        if (woken >= (long)count)
            break;
        if (!futex_same_key(&waiter->key, key))
            continue;
        if (waits_for_lock(waiter))
            return -EINVAL;
        if (!(waiter->bits & bits))
            continue;
        futex_wake_waiter(waiter);
        woken++;
    }
    return woken;
}

static long futex_wake(unsigned long address, bool private, unsigned count, u32 bits)
{
    struct futex_key key;

    if (!bits)
        return -EINVAL;
    int error = futex_key_of(address, private, &key);
    return error ? error : wake_key(&key, MAX(count, 1u), bits);
}

long futex_wake_address(unsigned long address, unsigned count)
{
    struct futex_key key;
    long woken = futex_wake(address, true, count, FUTEX_ANY_BITS);

    /*
     * The waiter may have said that the word is shared between processes: then it waits under
     * another key.
     */
    if (woken == 0 && futex_key_of(address, false, &key) == 0 && key.space != current->mm)
        woken = wake_key(&key, count, FUTEX_ANY_BITS);
    return woken;
}

/* ---- waiting ---- */

static long wait_on_restart(struct restart_block *block);

/* DEADLINE 0: none. */
static long futex_wait(unsigned long address, bool private, u32 expected, u64 deadline, u32 bits)
{
    struct futex_waiter waiter = { .task = current, .bits = bits };
    int error;
    u32 value;

    if (!bits)
        return -EINVAL;
    error = futex_key_of(address, private, &waiter.key);
    if (error)
        return error;
    if (get_user(value, address))
        return -EFAULT;
    if (value != expected)
        return -EAGAIN;
    futex_enqueue(&waiter);
    do
        error = sleep_until(deadline);
    while (error == 0 && !waiter.woken);
    if (waiter.woken)
        return 0;
    list_del(&waiter.node);
    if (error == -ETIMEDOUT || !deadline)
        return error;
    current->restart = (struct restart_block){ .go_on = wait_on_restart, .deadline = deadline,
                                               .address = address, .value = expected, .bits = bits,
                                               .flags = private };
    return -ERESTART_RESTARTBLOCK;
}

static long wait_on_restart(struct restart_block *block)
{
    return futex_wait(block->address, block->flags != 0, (u32)block->value, block->deadline, block->bits);
}

/* ---- moving waiters to another word ---- */

static long futex_requeue(unsigned long from, unsigned long to, bool private, int wake, int move,
                          const u32 *expected)
{
    struct futex_waiter *waiter, *following;
    struct futex_key key, target;
    long done = 0;
    u32 value;

    if (wake < 0 || move < 0)
        return -EINVAL;
    int error = futex_key_of(from, private, &key);
    if (!error)
        error = futex_key_of(to, private, &target);
    if (error)
        return error;
    if (expected) {
        if (get_user(value, from))
            return -EFAULT;
        if (value != *expected)
            return -EAGAIN;
    }
    LIST_HEAD(moved);
    list_for_each_entry_safe(waiter, following, futex_bucket(&key), node) {
        if (done - wake >= move)
            break;
        if (!futex_same_key(&waiter->key, &key))
            continue;
        if (waits_for_lock(waiter)) {
            error = -EINVAL;
            break;
        }
        if (++done <= wake) {
            futex_wake_waiter(waiter);
            continue;
        }
        list_del(&waiter->node);
        waiter->key = target;
        list_add_tail(&waiter->node, &moved);
    }
    list_for_each_entry_safe(waiter, following, &moved, node) {
        list_del(&waiter->node);
        futex_enqueue(waiter);
    }
    return error ? error : done;
}

/* ---- FUTEX_WAKE_OP: changes one word and wakes on two ---- */

enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR };
enum { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };
#define OP_ARGUMENT_IS_SHIFT 8u

/* The two 12-bit arguments are signed. */
static int sign_extend(u32 field)
{
    return (int)((field & 0xfff) ^ 0x800) - 0x800;
}

static bool compare(unsigned how, int value, int argument, bool *result)
{
    switch (how) {
    case CMP_EQ: *result = value == argument; return true;
    case CMP_NE: *result = value != argument; return true;
    case CMP_LT: *result = value < argument; return true;
    case CMP_LE: *result = value <= argument; return true;
    case CMP_GT: *result = value > argument; return true;
    case CMP_GE: *result = value >= argument; return true;
    default: return false;
    }
}

static bool operate(unsigned operation, int value, int argument, int *result)
{
    switch (operation) {
    case OP_SET: *result = argument; return true;
    case OP_ADD: *result = (int)((u32)value + (u32)argument); return true;
    case OP_OR: *result = value | argument; return true;
    case OP_ANDN: *result = value & ~argument; return true;
    case OP_XOR: *result = value ^ argument; return true;
    default: return false;
    }
}

/*
 * Does what CODE says to the word at ADDRESS; *HOLDS: whether its old value compares as CODE says.
 */
static int change_word(unsigned long address, u32 code, bool *holds)
{
    unsigned operation = code >> 28, how = code >> 24 & 0xf;
    int argument = sign_extend(code >> 12), old, new;

    if (operation & OP_ARGUMENT_IS_SHIFT) {
        argument = (int)(1u << (argument & 31));
        operation &= ~OP_ARGUMENT_IS_SHIFT;
    }
    if (get_user(old, address))
        return -EFAULT;
    if (!operate(operation, old, argument, &new))
        return -ENOSYS;
    if (put_user(new, address))
        return -EFAULT;
    return compare(how, old, sign_extend(code), holds) ? 0 : -ENOSYS;
}

static long futex_wake_op(unsigned long address, unsigned long address2, bool private, unsigned count,
                          unsigned count2, u32 code)
{
    struct futex_key key, key2;
    bool holds = false;
    long woken, more;
    int error = futex_key_of(address, private, &key);

    if (!error)
        error = futex_key_of(address2, private, &key2);
    if (!error)
        error = change_word(address2, code, &holds);
    if (error)
        return error;
    woken = wake_key(&key, MAX(count, 1u), FUTEX_ANY_BITS);
    if (woken < 0 || !holds)
        return woken;
    more = wake_key(&key2, MAX(count2, 1u), FUTEX_ANY_BITS);
    return more < 0 ? more : woken + more;
}

/* ---- the call ---- */

static bool has_timeout(int command)
{
    return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
           command == FUTEX_LOCK_PI2 || command == FUTEX_WAIT_REQUEUE_PI;
}

/* The moment of sched_clock at which COMMAND gives up; 0: never. */
static int read_deadline(unsigned long timeout, int command, bool realtime, u64 *deadline)
{
    u64 time, now = sched_clock();
    int error;

    *deadline = 0;
    if (!timeout || !has_timeout(command))
        return 0;
    error = get_timespec(timeout, &time);
    if (error)
        return error;
    if (command == FUTEX_WAIT)
        *deadline = now + time;                 /* relative */
    else if (!realtime && command != FUTEX_LOCK_PI)
        *deadline = MAX(time, 1ull);
    else
        *deadline = now + (time > wall_clock() ? time - wall_clock() : 0);
    return 0;
}

static bool may_use_realtime(int command)
{
    return command == FUTEX_WAIT_BITSET || command == FUTEX_WAIT_REQUEUE_PI || command == FUTEX_LOCK_PI2;
}

long do_futex(unsigned long address, int operation, u32 value, unsigned long timeout_or_value2,
              unsigned long address2, u32 value3)
{
    int command = operation & FUTEX_COMMAND_MASK;
    bool private = (operation & FUTEX_PRIVATE_FLAG) != 0, realtime = (operation & FUTEX_CLOCK_REALTIME) != 0;
    int value2 = (int)timeout_or_value2;
    u64 deadline;
    int error = read_deadline(timeout_or_value2, command, realtime, &deadline);

    if (error)
        return error;
    if (realtime && !may_use_realtime(command))
        return -ENOSYS;
    switch (command) {
    case FUTEX_WAIT:
        return futex_wait(address, private, value, deadline, FUTEX_ANY_BITS);
    case FUTEX_WAIT_BITSET:
        return futex_wait(address, private, value, deadline, value3);
    case FUTEX_WAKE:
        return futex_wake(address, private, value, FUTEX_ANY_BITS);
    case FUTEX_WAKE_BITSET:
        return futex_wake(address, private, value, value3);
    case FUTEX_REQUEUE:
        return futex_requeue(address, address2, private, (int)value, value2, NULL);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(address, address2, private, (int)value, value2, &value3);
    case FUTEX_WAKE_OP:
        return futex_wake_op(address, address2, private, value, (unsigned)value2, value3);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return futex_lock_pi(address, private, deadline, false);
    case FUTEX_TRYLOCK_PI:
        return futex_lock_pi(address, private, 0, true);
    case FUTEX_UNLOCK_PI:
        return futex_unlock_pi(address, private);
    case FUTEX_WAIT_REQUEUE_PI:
        return futex_wait_requeue_pi(address, address2, private, value, deadline);
    case FUTEX_CMP_REQUEUE_PI:
        return futex_cmp_requeue_pi(address, address2, private, (int)value, value2, value3);
    default:
        return -ENOSYS;
    }
}
