/*
 * What an address space may still ask for: resource limits, the overcommit rule, and the page
 * counts behind both.
 */
#ifndef MM_LIMITS_H
#define MM_LIMITS_H

#include "kernel/lib/errno.h"
#include "mm/mm.h"
#include "mm/page_alloc.h"

/* The kinds of mapping that /proc/PID/status and RLIMIT_DATA tell apart, as in Linux. */
static inline bool is_stack_mapping(unsigned long vm_flags)
{
    return (vm_flags & VM_GROWSDOWN) != 0;
}

static inline bool is_data_mapping(unsigned long vm_flags)
{
    return (vm_flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
}

static inline bool is_exec_mapping(unsigned long vm_flags)
{
    return (vm_flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) == VM_EXEC;
}

/* Counts PAGES (negative: fewer) of a mapping with VM_FLAGS in total_vm and its relatives. */
static inline void vm_stat_account(struct mm_struct *mm, unsigned long vm_flags, long pages)
{
    mm->total_vm += (unsigned long)pages;
    if (likely(is_data_mapping(vm_flags)))
        mm->data_vm += (unsigned long)pages;
    else if (is_exec_mapping(vm_flags))
        mm->exec_vm += (unsigned long)pages;
    else if (is_stack_mapping(vm_flags))
        mm->stack_vm += (unsigned long)pages;
}

/*
 * True when RLIMIT_DATA, which would be exceeded, does not count: a soft limit of 0 only measures.
 */
bool data_limit_is_soft(const struct mm_struct *mm, unsigned long pages);

/* True when RLIMIT_AS and RLIMIT_DATA allow PAGES more of any kind. */
static inline bool may_expand_plainly(const struct mm_struct *mm, unsigned long pages)
{
    return mm->total_vm + pages <= mm->limits.as >> PAGE_SHIFT &&
           mm->data_vm + pages <= mm->limits.data >> PAGE_SHIFT;
}

/* True when RLIMIT_AS and RLIMIT_DATA allow PAGES more with VM_FLAGS. */
static inline bool may_expand_vm(const struct mm_struct *mm, unsigned long vm_flags,
                                 unsigned long pages)
{
    if (likely(may_expand_plainly(mm, pages)))
        return true;
    if (mm->total_vm + pages > mm->limits.as >> PAGE_SHIFT)
        return false;
    return !is_data_mapping(vm_flags) || data_limit_is_soft(mm, pages);
}

/* Values of sysctl_overcommit_memory: 0 refuses only what could never be had. */
#define OVERCOMMIT_GUESS 0
#define OVERCOMMIT_ALWAYS 1
#define OVERCOMMIT_NEVER 2

/*
 * Pages promised to all programs together, and what mode 2 (never overcommit) allows:
 * /proc/meminfo's Committed_AS and CommitLimit.
 */
extern unsigned long vm_committed;
unsigned long vm_commit_limit(void);

/* True when a private mapping with VM_FLAGS counts against the overcommit limit. */
static inline bool accountable_mapping(unsigned long vm_flags)
{
    return (vm_flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
}

/* True when the overcommit mode allows PAGES more for MM, which are counted already. */
bool vm_commit_allowed(const struct mm_struct *mm, unsigned long pages);

/* The usual mode and an amount that it allows, without a closer look. */
static inline bool vm_commit_is_plain(unsigned long pages)
{
    return sysctl_overcommit_memory == OVERCOMMIT_GUESS && pages <= total_frames;
}

static inline void vm_commit(struct mm_struct *mm, unsigned long pages)
{
    mm->committed += pages;
    vm_committed += pages;
}

static inline void vm_unacct_memory(struct mm_struct *mm, unsigned long pages)
{
    mm->committed -= pages;
    vm_committed -= pages;
}

/*
 * Promises PAGES more to MM if the overcommit mode allows it: 0 or -ENOMEM. Taken back by
 * vm_unacct_memory.
 */
static inline int vm_acct_memory(struct mm_struct *mm, unsigned long pages)
{
    vm_commit(mm, pages);
    if (likely(vm_commit_is_plain(pages)))
        return 0;
    if (vm_commit_allowed(mm, pages))
        return 0;
    vm_unacct_memory(mm, pages);
    return -ENOMEM;
}

/* True when the program may lock anything at all. */
static inline bool can_do_mlock(const struct mm_struct *mm)
{
    return mm->limits.memlock != 0 || mm->may_lock_beyond_limit;
}

/* 0, or -EAGAIN when LENGTH more bytes with VM_FLAGS would lock more than RLIMIT_MEMLOCK. */
static inline int mlock_future_check(const struct mm_struct *mm, unsigned long vm_flags,
                                     unsigned long length)
{
    if (likely(!(vm_flags & VM_LOCKED)) || mm->may_lock_beyond_limit)
        return 0;
    unsigned long locked = mm->locked_vm + (length >> PAGE_SHIFT);
    return locked > mm->limits.memlock >> PAGE_SHIFT ? -EAGAIN : 0;
}

#endif
