/* An address space and its VMAs: the two structures that the rest of mm/ works on. */
#ifndef MM_MM_H
#define MM_MM_H

#include "kernel/lib/list.h"
#include "kernel/lib/rbtree.h"
#include "mm/mman.h"
#include "mm/page.h"

struct address_space;
struct mm_struct;
struct vm_area_struct;

/* vm_flags, with Linux's values (include/linux/mm.h). */
#define VM_READ 0x00000001ul
#define VM_WRITE 0x00000002ul
#define VM_EXEC 0x00000004ul
#define VM_SHARED 0x00000008ul
#define VM_MAYREAD 0x00000010ul
#define VM_MAYWRITE 0x00000020ul
#define VM_MAYEXEC 0x00000040ul
#define VM_MAYSHARE 0x00000080ul
#define VM_GROWSDOWN 0x00000100ul
#define VM_LOCKED 0x00002000ul
#define VM_SEQ_READ 0x00008000ul
#define VM_RAND_READ 0x00010000ul
#define VM_DONTCOPY 0x00020000ul
#define VM_DONTEXPAND 0x00040000ul
#define VM_LOCKONFAULT 0x00080000ul
#define VM_ACCOUNT 0x00100000ul
#define VM_NORESERVE 0x00200000ul
#define VM_HUGETLB 0x00400000ul
#define VM_SYNC 0x00800000ul
#define VM_WIPEONFORK 0x02000000ul
#define VM_DONTDUMP 0x04000000ul
#define VM_HUGEPAGE 0x20000000ul
#define VM_NOHUGEPAGE 0x40000000ul
#define VM_MERGEABLE 0x80000000ul
#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)

/*
 * What a kind of mapping does that differs from anonymous memory. A VMA without them (NULL) is
 * anonymous.
 */
struct vm_operations_struct {
    const char *name;
    /*
     * Finds the page at INDEX of VMA's mapping, with a reference for the caller. NULL with *ERROR =
     * -EFAULT (SIGBUS) or -ENOMEM.
     */
    struct page *(*fault)(struct vm_area_struct *vma, unsigned long index, int *error);
};

/*
 * One promise: [vm_start, vm_end) may be used as vm_flags say. In 128 bytes. The mapping is always
 * page-aligned. Only mm/vma.c changes vm_start, vm_end and the links.
 */
struct vm_area_struct {
    unsigned long vm_start;
    unsigned long vm_end;
    struct mm_struct *vm_mm;
    unsigned long vm_flags;
    const struct vm_operations_struct *vm_ops;      /* NULL: anonymous */
    struct address_space *vm_mapping;   /* what is mapped, with a reference, or NULL */
    unsigned long vm_pgoff;             /* page offset in vm_mapping; else the page at birth */
    struct vm_area_struct *vm_next, *vm_prev;       /* the sorted list */
    struct rb_node vm_rb;               /* the index, by address */
    unsigned long rb_subtree_gap;       /* the largest free gap below any VMA of the subtree */
    struct list_head shared;            /* in vm_mapping's list of mappings, for truncation */
    u32 vm_anon;                        /* which family of anonymous pages lives here: see below */
    u32 vm_file;                        /* the open file that it was mapped by; 0: none */
};
_Static_assert(sizeof(struct vm_area_struct) <= 128, "a VMA must stay within 128 bytes");

/*
 * Linux gives a VMA an `anon_vma` when it gets its first page of its own, and that decides three
 * things which a program can see: neighbours merge only when their pages are of one family, a VMA
 * without one is not copied by fork, and mremap moves its page offset only then. We need the
 * identity alone: 0 is "no page of its own yet"; otherwise a number that is even for a family that
 * began in this process and odd (VM_ANON_INHERITED) for one that came through fork, which Linux
 * never merges with anything new.
 */
#define VM_ANON_INHERITED 1u

static inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
    return vma->vm_ops == NULL;
}

static inline bool vma_contains(const struct vm_area_struct *vma, unsigned long address)
{
    return vma->vm_start <= address && address < vma->vm_end;
}

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
    return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

/* The page of vm_mapping that belongs at ADDRESS in VMA. */
static inline unsigned long vma_page_index(const struct vm_area_struct *vma, unsigned long address)
{
    return vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
}

enum mm_counter { MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES, NR_MM_COUNTERS };

/*
 * The resource limits that memory calls look at, in bytes; ~0ul is no limit. Copied from the
 * process by its owner.
 */
struct mm_limits {
    unsigned long as, data, stack, memlock;
    unsigned long data_hard;    /* RLIMIT_DATA's hard limit: counts for mmap where the soft one is 0 */
};

struct mm_struct {
    pte_t *pgd;                         /* the PML4, in the direct map */
    phys_addr_t pgd_phys;               /* the same for CR3 */
    pte_t *last_table;                  /* the page table that the last pte_alloc found, and */
    unsigned long last_table_end;       /* the last byte that it serves; 0: none */
    struct vm_area_struct *mmap_cache;  /* the VMA that the last lookup found, or NULL */
    /*
     * The VMA below which the last top-down search found room, or NULL: every free range between it
     * and mmap_base is smaller than hole_above bytes, so a search for as much or more can begin
     * there.
     */
    struct vm_area_struct *hole_below;
    unsigned long hole_above;
    struct vm_area_struct *mmap;        /* the first of the sorted list */
    struct rb_root mm_rb;               /* the index, but for: */
    struct vm_area_struct *unindexed;       /* the VMA that it does not hold yet, or NULL */
    struct vm_area_struct *gap_unrecorded;  /* the VMA below which the gap has changed, or NULL */
    int map_count;
    int mm_users;                       /* tasks that share this address space */
    unsigned long mmap_base;            /* the top of the top-down search */
    unsigned long start_code, end_code, start_data, end_data;
    unsigned long start_brk, brk, start_stack;
    unsigned long arg_start, arg_end, env_start, env_end;
    unsigned long total_vm, data_vm, exec_vm, stack_vm, locked_vm;  /* pages */
    unsigned long hiwater_vm, hiwater_rss;  /* pages */
    unsigned long committed;            /* pages accounted against the overcommit limit */
    unsigned long pgtables_bytes;
    long rss[NR_MM_COUNTERS];           /* pages */
    unsigned long def_flags;            /* VM_LOCKED after mlockall(MCL_FUTURE) */
    bool may_lock_beyond_limit;         /* CAP_IPC_LOCK */
    bool may_map_low;                   /* CAP_SYS_RAWIO: below mmap_min_addr, where low_mappings_allowed */
    bool has_huge_pages;                /* some VMA has or had VM_HUGETLB */
    u32 barriers;                       /* membarrier(2): the commands that it has registered for */
    struct mm_limits limits;
    const void *limits_of;              /* the process that they are of: several may share this address space */
    struct list_head mm_list;           /* all address spaces, for the audit */
};

/* Every address space that exists, linked by mm_list. */
extern struct list_head all_mms;

#define SYSCTL_MAX_MAP_COUNT_DEFAULT 65530
extern int sysctl_max_map_count;

/*
 * No mapping begins below mmap_min_addr, whoever asks. With low_mappings_allowed (the kernel option map-low=on) it is as on
 * Linux: who has CAP_SYS_RAWIO may, and others from dac_mmap_min_addr on, which is what root has written to
 * /proc/sys/vm/mmap_min_addr. set_dac_mmap_min_addr changes both; mmap_min_addr never becomes less than it is at the start.
 */
extern unsigned long mmap_min_addr, dac_mmap_min_addr;  /* bytes */
extern bool low_mappings_allowed;
void set_dac_mmap_min_addr(unsigned long address);

extern int sysctl_overcommit_memory;        /* 0 heuristic, 1 always, 2 never */
extern int sysctl_overcommit_ratio;         /* per cent */
#define STACK_GUARD_GAP (256 * PAGE_SIZE)

/* ---- life of an address space (mm/mm.c) ---- */

/*
 * An empty address space with mm_users 1 and Linux's legacy-free layout (mmap_base below an 8 MiB
 * stack); NULL: no memory.
 */
struct mm_struct *mm_alloc(const struct mm_limits *limits);

static inline void mmget(struct mm_struct *mm) { mm->mm_users++; }

/*
 * Drops one user; the last one unmaps everything and frees the structure. Must not be the loaded
 * address space when it is the last.
 */
void mmput(struct mm_struct *mm);

/* Unmaps every VMA and frees every table and frame; the structure stays, empty. */
void exit_mmap(struct mm_struct *mm);

/*
 * fork: fills CHILD (fresh from mm_alloc) with PARENT's VMAs; private pages become copy-on-write in
 * both; PTEs of shared and of file pages that a fault can find again are not copied. Flushes
 * PARENT's TLB entries (it is the loaded one). 0 or -ENOMEM, then the caller mmput()s CHILD.
 */
int dup_mmap(struct mm_struct *child, struct mm_struct *parent);

/*
 * ---- the memory calls; each one file; addresses and lengths in bytes, results as the system
 * call's ----
 */

/* SOURCE is NULL with MAP_ANONYMOUS. OFFSET in bytes. The new address, or a negative errno. */
unsigned long do_mmap(struct mm_struct *mm, const struct mmap_source *source, unsigned long address,
                      unsigned long length, unsigned long prot, unsigned long flags,
                      unsigned long offset);
int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long length);
int do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long length,
                unsigned long prot);
/* The break after the call, as Linux's brk: unchanged on any failure. */
unsigned long do_brk(struct mm_struct *mm, unsigned long brk);
unsigned long do_mremap(struct mm_struct *mm, unsigned long address, unsigned long old_length,
                        unsigned long new_length, unsigned long flags, unsigned long new_address);
int do_madvise(struct mm_struct *mm, unsigned long start, unsigned long length, int advice);
/* Writes one byte per page (1 resident) to the user's VECTOR. */
int do_mincore(struct mm_struct *mm, unsigned long start, unsigned long length,
               unsigned long vector);
int do_mlock(struct mm_struct *mm, unsigned long start, unsigned long length, bool on_fault);
int do_munlock(struct mm_struct *mm, unsigned long start, unsigned long length);
int do_mlockall(struct mm_struct *mm, int flags);
int do_munlockall(struct mm_struct *mm);
int do_msync(struct mm_struct *mm, unsigned long start, unsigned long length, int flags);

/*
 * A VMA for a program segment, stack or bss at a fixed place, made by exec: no limit checks but
 * memory and the lowest address. 0 or negative errno.
 */
int vm_brk_flags(struct mm_struct *mm, unsigned long start, unsigned long length,
                 unsigned long vm_flags);

/* ---- unmapping (mm/unmap.c) ---- */

/*
 * Clears the PTEs of [start, end) of VMA and drops their frames. Leaves the tables. The caller
 * flushes with flush_range. Returns how many entries there were.
 */
unsigned long zap_range(struct vm_area_struct *vma, unsigned long start, unsigned long end);

/*
 * Forgets the translations of [start, end) if MM is the loaded address space: page by page when
 * few, else all.
 */
void flush_range(struct mm_struct *mm, unsigned long start, unsigned long end);

/*
 * The PTE bits that VM_FLAGS give a present page (Linux's vm_get_page_prot). PTE_WRITE only for
 * shared writable memory: a private page becomes writable one at a time, when it is the process's
 * own.
 */
extern const u64 protection_map[16];
static inline u64 vm_get_page_prot(unsigned long vm_flags)
{
    return protection_map[vm_flags & (VM_ACCESS_FLAGS | VM_SHARED)];
}

/* The same for a page that is the process's own: writable where the VMA is, and dirty. */
extern const u64 own_protection_map[8];
static inline u64 vm_get_own_page_prot(unsigned long vm_flags)
{
    return own_protection_map[vm_flags & VM_ACCESS_FLAGS];
}

/*
 * Where handle_mm_fault counts the faults that it served: the running task's ru_minflt. The
 * scheduler points it there at each switch; until then it points at a variable of mm/'s own.
 * Populating, locking and copies into other address spaces count as well, as on Linux.
 */
extern unsigned long *mm_fault_counter;

#endif
