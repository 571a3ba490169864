/* Resource limits and the overcommit rule: what is refused before anything is promised. */
#include "mm/limits.h"
#include "mm/page_alloc.h"

/*
 * Under OVERCOMMIT_NEVER a little is kept back so that somebody can still log in and clean up
 * (Linux's admin and user reserves).
 */
#define ADMIN_RESERVE_PAGES ((8ul << 20) >> PAGE_SHIFT)
#define USER_RESERVE_PAGES ((128ul << 20) >> PAGE_SHIFT)
#define RESERVE_SHARE 32

/* Linux's CONFIG_LSM_MMAP_MIN_ADDR: what a file in /proc can't change. */
#define LSM_MMAP_MIN_ADDR 65536ul

int sysctl_max_map_count = SYSCTL_MAX_MAP_COUNT_DEFAULT;
unsigned long mmap_min_addr = LSM_MMAP_MIN_ADDR, dac_mmap_min_addr = LSM_MMAP_MIN_ADDR;
bool low_mappings_allowed;
int sysctl_overcommit_memory;
int sysctl_overcommit_ratio = 50;
unsigned long vm_committed;

void set_dac_mmap_min_addr(unsigned long address)
{
    dac_mmap_min_addr = address;
    mmap_min_addr = MAX(address, LSM_MMAP_MIN_ADDR);
}

bool data_limit_is_soft(const struct mm_struct *mm, unsigned long pages)
{
    return mm->limits.data == 0 && mm->data_vm + pages <= mm->limits.data_hard >> PAGE_SHIFT;
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

bool vm_commit_allowed(const struct mm_struct *mm, unsigned long pages)
{
    if (sysctl_overcommit_memory == OVERCOMMIT_ALWAYS)
        return true;
    if (sysctl_overcommit_memory == OVERCOMMIT_NEVER)
        return strict_commit_allows(mm);
    return pages <= total_frames;   /* the heuristic refuses only what could never be had */
}
