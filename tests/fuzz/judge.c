/* Whether a step ended as the model says, or as it may for want of memory. */
#include "mm/page_table.h"
#include "mm/user_copy.h"
#include "tests/fuzz/run.h"
#include "tests/host/harness.h"

/* True when RESULT is how STEP may end for want of memory, where EXPECTED would have been right with it. */
static bool is_want_of_memory(const struct step *step, long result, long expected)
{
    switch (step->op) {
    case OP_READ:
    case OP_WRITE:
    case OP_EXECUTE:
        return result == FAULT_OUT_OF_MEMORY;
    case OP_COPY_TO:
    case OP_COPY_FROM:
    case OP_CLEAR:
        return (unsigned long)result > (unsigned long)expected;
    case OP_REMOTE_WRITE:
    case OP_REMOTE_READ:
        return (unsigned long)result < (unsigned long)expected;
    case OP_STRING:
    case OP_MINCORE:
        return result == -EFAULT;
    case OP_MADVISE:
        return result == -EAGAIN || result == -ENOMEM;
    case OP_MLOCK:
    case OP_MLOCK_ON_FAULT:
        return result == -ENOMEM || result == -EAGAIN;
    case OP_BRK:
        return result != expected;
    default:
        return result == -ENOMEM;
    }
}

static bool is_populating(const struct step *step)
{
    return step->prot == MADV_POPULATE_READ || step->prot == MADV_POPULATE_WRITE;
}

/* True when STEP is about one VMA at most. */
static bool is_within_vma(const struct process *p, const struct step *step)
{
    unsigned first = page_at_or_above(step->address);

    return first < PAGES && p->pages[first].mapped && address_of(first) == step->address &&
           step->length <= vma_end_of(p, first) - step->address;
}

/* Calls that, when they fail for want of memory, have changed nothing at all. P is as it was before STEP. */
static bool is_all_or_nothing(const struct process *p, const struct step *step)
{
    bool splits_only = step->op == OP_MPROTECT || step->op == OP_MUNLOCK || step->op == OP_MADVISE;

    /* At the limit of mappings one of two splits may stay, as on Linux. */
    if (splits_only && !(step->op == OP_MADVISE && is_populating(step)))
        return is_within_vma(p, step) && p->map_count + MAPS_AT_THE_LIMIT <= settings.max_map_count;
    return step->op == OP_MUNMAP || step->op == OP_BRK || step->op == OP_MMAP ||
           (step->op == OP_MREMAP && !(step->flags & MREMAP_FIXED));
}

/* The pages whose residence the model did not know: the answer is believed, if it is one. */
static void believe_answers(struct process *p, const struct step *step, bool may_fail)
{
    for (unsigned long i = 0; i < mincore_done; i++) {
        unsigned long at = step->new_address + i;
        const pte_t *ptep = pte_offset(p->mm->pgd, at);
        if (mincore_answers[i] != MAYBE || !ptep || pte_none(*ptep))
            continue;
        u8 answer = ((const u8 *)page_address(pte_page(*ptep)))[at & ~PAGE_MASK];
        if (answer > 1 && may_fail)
            continue;
        if (answer > 1)
            disagree("mincore's answer for page %lu is %u", i, answer);
        store(page_holding(p, at), at & ~PAGE_MASK, &answer, 1);
    }
}

static void judge_bytes(const struct step *step, long result)
{
    unsigned long n = 0;

    if (step->op == OP_READ && result == FAULT_OUTCOMES)
        n = 1;
    else if (step->op == OP_COPY_FROM && access_ok(step->address, step->length))
        n = step->length - (unsigned long)result;
    else if (step->op == OP_REMOTE_READ)
        n = (unsigned long)result;
    for (unsigned long i = 0; i < n; i++)
        if (buffer[i] != expected_buffer[i])
            disagree("byte %lu that was read is %u, and should be %u", i, buffer[i], expected_buffer[i]);
}

void judge(const struct model *before, struct process *p, const struct step *step, long result, long expected,
           bool may_fail)
{
    if (result != expected && !(may_fail && is_want_of_memory(step, result, expected)))
        disagree("the result is 0x%lx (%ld), and should be 0x%lx (%ld)", (unsigned long)result, result,
                 (unsigned long)expected, expected);
    judge_bytes(step, result);
    if (step->op == OP_MMAP && result == expected && !IS_ERR_VALUE((unsigned long)result) &&
        !is_in_zone((unsigned long)result, (unsigned long)result + mapped_length(step))) {
        if (do_munmap(p->mm, (unsigned long)result, mapped_length(step)))
            disagree("what was just mapped can't be unmapped");
        return;
    }
    if (step->op == OP_MINCORE)
        believe_answers(p, step, may_fail);
    if (may_fail)
        adopt(before,
              result == expected        ? SERVED
              : is_all_or_nothing(&before->processes[p - model.processes], step) ? UNCHANGED
                                                                                 : REFUSED,
              p, step);
}
