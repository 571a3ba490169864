/*
 * Restartable sequences: a few instructions of a program that must not be interrupted. Whoever was away in the middle
 * of one (others ran, a handler is called) goes on at its abort address instead.
 */
#include "kernel/proc/rseq.h"

#include "kernel/cpu/cpu.h"
#include "kernel/lib/errno.h"
#include "kernel/sched/sched.h"
#include "mm/user_copy.h"

#define RSEQ_FLAG_UNREGISTER 1
#define RSEQ_CPU_ID_UNINITIALIZED (~0u)

/* Linux's struct rseq, as long as it was in 6.1, at an address that is a multiple of its size. */
struct rseq_area {
    struct rseq_processor {
        u32 id_start, id;
    } processor;
    u64 sequence;           /* user address of the struct rseq_sequence that the thread is in, or 0 */
    u32 flags;              /* all of them are out of use */
    u32 padding[3];
};
_Static_assert(sizeof(struct rseq_area) == 32, "Linux's struct rseq");

/* Linux's struct rseq_cs. Before the instruction at ABORT lies the signature, lest anybody be led elsewhere. */
struct rseq_sequence {
    u32 version, flags;
    u64 start, length, abort;
};

static unsigned long field(size_t offset)
{
    return current->rseq + offset;
}

/* Reads the sequence at AT. 0, -EFAULT, or -EINVAL for one that contradicts itself. */
static int read_sequence(u64 at, struct rseq_sequence *sequence)
{
    u32 signature;

    if (copy_from_user(sequence, at, sizeof(*sequence)))
        return -EFAULT;
    if (sequence->version || sequence->start >= TASK_SIZE || sequence->abort >= TASK_SIZE)
        return -EINVAL;
    u64 end = sequence->start + sequence->length;
    if (end >= TASK_SIZE || end < sequence->start || sequence->abort - sequence->start < sequence->length)
        return -EINVAL;
    if (get_user(signature, sequence->abort - sizeof(signature)))
        return -EFAULT;
    return signature == current->rseq_signature ? 0 : -EINVAL;
}

/* Sends REGS to the abort address if they are within a sequence. In one or not, the thread is in none then. */
static int leave_sequence(struct pt_regs *regs)
{
    struct rseq_sequence sequence = { .length = 0 };
    const u64 none = 0;
    u64 at;
    u32 flags;

    if (get_user(at, field(offsetof(struct rseq_area, sequence))))
        return -EFAULT;
    int error = at ? read_sequence(at, &sequence) : 0;
    if (error)
        return error;
    bool within = regs->ip - sequence.start < sequence.length;
    if (within && (get_user(flags, field(offsetof(struct rseq_area, flags))) || flags || sequence.flags))
        return -EINVAL;
    if (put_user(none, field(offsetof(struct rseq_area, sequence))))
        return -EFAULT;
    if (within)
        regs->ip = sequence.abort;
    return 0;
}

/* An area that cannot be used ends in SIGSEGV; during the delivery of SIGNAL, if that is it, in death. */
static void resume(struct pt_regs *regs, int signal)
{
    const struct rseq_processor only_one = { 0, 0 };

    current->resume_work = 0;
    this_cpu.work_pending &= ~CPU_WORK_RSEQ;
    if (leave_sequence(regs) == 0 && put_user(only_one, field(offsetof(struct rseq_area, processor))) == 0)
        return;
    if (signal == SIGSEGV)
        signal_force_fatal(SIGSEGV);
    else
        signal_force(SIGSEGV, NULL);
}

void rseq_resume(struct pt_regs *regs)
{
    resume(regs, 0);
}

void rseq_before_signal(struct pt_regs *regs, int signal)
{
    if (current->rseq)
        resume(regs, signal);
}

void rseq_forget(void)
{
    current->rseq = 0;
    current->resume_work = 0;
    this_cpu.work_pending &= ~CPU_WORK_RSEQ;
}

static long unregister(unsigned long area, u32 size, u32 signature)
{
    const struct rseq_processor none = { 0, RSEQ_CPU_ID_UNINITIALIZED };

    if (!current->rseq || current->rseq != area || size != sizeof(struct rseq_area))
        return -EINVAL;
    if (current->rseq_signature != signature)
        return -EPERM;
    if (put_user(none, field(offsetof(struct rseq_area, processor))))
        return -EFAULT;
    rseq_forget();
    return 0;
}

long do_rseq(unsigned long area, u32 size, int flags, u32 signature)
{
    const u64 none = 0;
    u64 sequence;

    if (flags == RSEQ_FLAG_UNREGISTER)
        return unregister(area, size, signature);
    if (flags)
        return -EINVAL;
    if (current->rseq) {
        if (current->rseq != area || size != sizeof(struct rseq_area))
            return -EINVAL;
        return current->rseq_signature == signature ? -EBUSY : -EPERM;
    }
    if (area % sizeof(struct rseq_area) || size != sizeof(struct rseq_area))
        return -EINVAL;
    if (!access_ok(area, size))
        return -EFAULT;
    /* Old C libraries leave an earlier thread's sequence there. */
    if (get_user(sequence, area + offsetof(struct rseq_area, sequence)) ||
        (sequence && put_user(none, area + offsetof(struct rseq_area, sequence))))
        return -EFAULT;
    current->rseq = area;
    current->rseq_signature = signature;
    this_cpu.work_pending |= CPU_WORK_RSEQ;     /* fills it in before the call returns */
    return 0;
}
