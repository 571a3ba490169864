/* Resource limits and the overcommit rule: what is refused before anything is promised. */
#include "mm/limits.h"
#include "mm/page_alloc.h"

/* Under OVERCOMMIT_NEVER a little is kept back so that somebody can still log in and clean up (Linux's admin and user reserves). */
#define ADMIN_RESERVE_PAGES ((8ul << 20) >> PAGE_SHIFT)
#define USER_RESERVE_PAGES ((128ul << 20) >> PAGE_SHIFT)
#define RESERVE_SHARE 32

int sysctl_max_map_count = SYSCTL_MAX_MAP_COUNT_DEFAULT;
unsigned long mmap_min_addr = 65536;
int sysctl_overcommit_memory;
int sysctl_overcommit_ratio = 50;
unsigned long vm_committed;

bool may_expand_vm(const struct mm_struct *mm, unsigned long vm_flags, unsigned long pages)
{
    const struct mm_limits *limits = &mm->limits;

    if (unlikely(mm->total_vm + pages > limits->as >> PAGE_SHIFT))
        return false;
    if (likely(!is_data_mapping(vm_flags) || mm->data_vm + pages <= limits->data >> PAGE_SHIFT))
        return true;
    /* A soft limit of 0 means "measure, do not limit": only the hard limit counts then. */
    return limits->data == 0 && mm->data_vm + pages <= limits->data_hard >> PAGE_SHIFT;
}

unsigned long vm_commit_limit(void)
{
    return total_frames * (unsigned long)sysctl_overcommit_ratio / 100;
}

/* Mode 2: everything promised must fit into the limit, less the reserves. */
static bool strict_commit_allows(const struct mm_struct *mm)
{
    unsigned long admin = MIN(total_frames / RESERVE_SHARE, ADMIN_RESERVE_PAGES);
    unsigned long user = MIN(total_frames / RESERVE_SHARE, USER_RESERVE_PAGES);
    unsigned long kept = admin + MIN(mm->total_vm / RESERVE_SHARE, user);
    unsigned long limit = vm_commit_limit();

    return limit > kept && vm_committed < limit - kept;
}

int vm_acct_memory(struct mm_struct *mm, unsigned long pages)
{
    vm_committed += pages;
    mm->committed += pages;

    bool allowed;
    if (sysctl_overcommit_memory == OVERCOMMIT_ALWAYS)
        allowed = true;
    else if (sysctl_overcommit_memory == OVERCOMMIT_NEVER)
        allowed = strict_commit_allows(mm);
    else
        allowed = pages <= total_frames;    /* the heuristic refuses only what could never be had */
    if (likely(allowed))
        return 0;

    vm_unacct_memory(mm, pages);
    return -ENOMEM;
}
