/* An address space and its VMAs: the two structures that the rest of mm/ works on. */
#ifndef MM_MM_H
#define MM_MM_H

#include "kernel/lib/list.h"
#include "kernel/lib/rbtree.h"
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
#define VM_WIPEONFORK 0x02000000ul
#define VM_DONTDUMP 0x04000000ul
#define VM_HUGEPAGE 0x20000000ul
#define VM_NOHUGEPAGE 0x40000000ul
#define VM_MERGEABLE 0x80000000ul
#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)

/* What a kind of mapping does that differs from anonymous memory. A VMA without them (NULL) is anonymous. */
struct vm_operations_struct {
    const char *name;
    /* Finds the page at INDEX of VMA's mapping, with a reference for the caller. NULL with *ERROR = -EFAULT (SIGBUS) or -ENOMEM. */
    struct page *(*fault)(struct vm_area_struct *vma, unsigned long index, int *error);
};

/*
 * One promise: [vm_start, vm_end) may be used as vm_flags say. In 128 bytes. The mapping is always page-aligned. Only mm/vma.c
 * changes vm_start, vm_end and the links.
 */
struct vm_area_struct {
    unsigned long vm_start;
    unsigned long vm_end;
    struct mm_struct *vm_mm;
    unsigned long vm_flags;
    const struct vm_operations_struct *vm_ops;      /* NULL: anonymous */
    struct address_space *vm_mapping;   /* what is mapped, with a reference; NULL for private anonymous memory */
    unsigned long vm_pgoff;             /* page offset in vm_mapping; for anonymous memory vm_start >> PAGE_SHIFT at birth */
    struct vm_area_struct *vm_next, *vm_prev;       /* the sorted list */
    struct rb_node vm_rb;               /* the index: by address, with the largest gap below each node */
    unsigned long rb_subtree_gap;       /* bytes: the largest free gap just below any VMA of this subtree */
    struct list_head shared;            /* in vm_mapping's list of mappings, for truncation */
};
_Static_assert(sizeof(struct vm_area_struct) <= 128, "a VMA must stay within 128 bytes");

static inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
    return vma->vm_ops == NULL;
}

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
    return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

enum mm_counter { MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES, NR_MM_COUNTERS };

/* The resource limits that memory calls look at, in bytes; ~0ul is no limit. Copied from the process by its owner. */
struct mm_limits {
    unsigned long as, data, stack, memlock;
    unsigned long data_hard;    /* RLIMIT_DATA's hard limit: mmap ignores a soft limit of 0 below an infinite hard one */
};

struct mm_struct {
    pte_t *pgd;                         /* the PML4, in the direct map */
    phys_addr_t pgd_phys;               /* the same for CR3 */
    struct vm_area_struct *mmap_cache;  /* the VMA that the last lookup found, or NULL */
    struct vm_area_struct *mmap;        /* the first of the sorted list */
    struct rb_root mm_rb;
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
    bool may_map_low;                   /* CAP_SYS_RAWIO: below mmap_min_addr */
    struct mm_limits limits;
    struct list_head mm_list;           /* all address spaces, for the audit */
};

/* Every address space that exists, linked by mm_list. */
extern struct list_head all_mms;

#define SYSCTL_MAX_MAP_COUNT_DEFAULT 65530
extern int sysctl_max_map_count;
extern unsigned long mmap_min_addr;         /* bytes */
extern int sysctl_overcommit_memory;        /* 0 heuristic, 1 always, 2 never */
extern int sysctl_overcommit_ratio;         /* per cent */
#define STACK_GUARD_GAP (256 * PAGE_SIZE)

/* ---- life of an address space (mm/mm.c) ---- */

/* An empty address space with mm_users 1 and Linux's legacy-free layout (mmap_base below an 8 MiB stack); NULL: no memory. */
struct mm_struct *mm_alloc(const struct mm_limits *limits);

static inline void mmget(struct mm_struct *mm) { mm->mm_users++; }

/* Drops one user; the last one unmaps everything and frees the structure. Must not be the loaded address space when it is the last. */
void mmput(struct mm_struct *mm);

/* Unmaps every VMA and frees every table and frame; the structure stays, empty. */
void exit_mmap(struct mm_struct *mm);

/*
 * fork: fills CHILD (fresh from mm_alloc) with PARENT's VMAs; private pages become copy-on-write in both; PTEs of shared and of file pages that a
 * fault can find again are not copied. Flushes PARENT's TLB entries (it is the loaded one). 0 or -ENOMEM, then the caller mmput()s CHILD.
 */
int dup_mmap(struct mm_struct *child, struct mm_struct *parent);

/* ---- VMAs (mm/vma.c): the only place that changes bounds, links and the index ---- */

/* The first VMA with vm_end > ADDRESS (it need not contain it), or NULL. Remembers it in mmap_cache. */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long address);

/* As find_vma; *PREV is the VMA before the result (or the last one), or NULL. */
struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long address,
                                     struct vm_area_struct **prev);

/* The first VMA that overlaps [start, end), or NULL. */
static inline struct vm_area_struct *find_vma_intersection(struct mm_struct *mm,
                                                           unsigned long start, unsigned long end)
{
    struct vm_area_struct *vma = find_vma(mm, start);
    return vma && vma->vm_start < end ? vma : NULL;
}

/* A VMA that belongs to no list yet, zeroed but for its mm, or NULL. vma_free() drops its reference to vm_mapping. */
struct vm_area_struct *vma_alloc(struct mm_struct *mm);
void vma_free(struct vm_area_struct *vma);

/* Puts a VMA, whose range must be free, into list, index and its mapping's list. */
void insert_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma);

/* Takes it out of all three; the caller frees it. */
void remove_vm_struct(struct mm_struct *mm, struct vm_area_struct *vma);

/* Moves a bound without overlapping a neighbour. START also moves vm_pgoff. */
void vma_set_start(struct vm_area_struct *vma, unsigned long start);
void vma_set_end(struct vm_area_struct *vma, unsigned long end);

/*
 * Makes VMA end (or, with NEW_BELOW, begin) at ADDRESS, strictly inside it, and creates another VMA for the rest. split_vma refuses with -ENOMEM
 * when the map count limit is reached; __split_vma does not look. -ENOMEM or 0; nothing changes on failure.
 */
int split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address, bool new_below);
int __split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long address, bool new_below);

/*
 * Tries to serve [start, end) with FLAGS by extending a neighbour of it: PREV is the VMA before START (or NULL). The range itself may be covered by VMAs that begin and end
 * at its bounds (for mprotect and madvise) or be free. Returns the merged VMA or NULL when nothing can be merged. Linux's cases 1 to 8.
 */
struct vm_area_struct *vma_merge(struct mm_struct *mm, struct vm_area_struct *prev,
                                 unsigned long start, unsigned long end, unsigned long vm_flags,
                                 const struct vm_operations_struct *ops,
                                 struct address_space *mapping, unsigned long pgoff);

/*
 * The highest free range of LENGTH bytes in [low, high), page-aligned, that keeps STACK_GUARD_GAP below a VM_GROWSDOWN VMA; -ENOMEM. O(log n).
 */
unsigned long vm_unmapped_area_topdown(struct mm_struct *mm, unsigned long length,
                                       unsigned long low, unsigned long high);
/* The lowest such range. */
unsigned long vm_unmapped_area_bottomup(struct mm_struct *mm, unsigned long length,
                                        unsigned long low, unsigned long high);

/* Checks list, index, gaps and counts of MM. NULL, or a sentence about the first finding (valid until the next call). */
const char *vma_audit(struct mm_struct *mm);

/* ---- the memory calls; each one file; addresses and lengths in bytes, results as the system call's ---- */

#define PROT_NONE 0x0
#define PROT_READ 0x1
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4
#define PROT_SEM 0x8
#define PROT_GROWSDOWN 0x01000000
#define PROT_GROWSUP 0x02000000

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE 0x0f
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_32BIT 0x40
#define MAP_GROWSDOWN 0x0100
#define MAP_DENYWRITE 0x0800
#define MAP_EXECUTABLE 0x1000
#define MAP_LOCKED 0x2000
#define MAP_NORESERVE 0x4000
#define MAP_POPULATE 0x8000
#define MAP_NONBLOCK 0x10000
#define MAP_STACK 0x20000
#define MAP_HUGETLB 0x40000
#define MAP_SYNC 0x80000
#define MAP_FIXED_NOREPLACE 0x100000

/* What mmap is to map, if not anonymous memory: found by the system call from the descriptor. */
struct mmap_source {
    struct address_space *mapping;  /* the caller's reference; do_mmap takes its own */
    const struct vm_operations_struct *ops; /* NULL: private anonymous (a private mapping of /dev/zero) */
    bool readable, writable;        /* how the descriptor was opened */
    bool no_exec;                   /* the file system forbids execution */
};

/* SOURCE is NULL with MAP_ANONYMOUS. OFFSET in bytes. The new address, or a negative errno. */
unsigned long do_mmap(struct mm_struct *mm, const struct mmap_source *source, unsigned long address,
                      unsigned long length, unsigned long prot, unsigned long flags,
                      unsigned long offset);
int do_munmap(struct mm_struct *mm, unsigned long start, unsigned long length);
int do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long length, unsigned long prot);
/* The break after the call, as Linux's brk: unchanged on any failure. */
unsigned long do_brk(struct mm_struct *mm, unsigned long brk);
unsigned long do_mremap(struct mm_struct *mm, unsigned long address, unsigned long old_length,
                        unsigned long new_length, unsigned long flags, unsigned long new_address);
int do_madvise(struct mm_struct *mm, unsigned long start, unsigned long length, int advice);
/* Writes one byte per page (1 resident) to the user's VECTOR. */
int do_mincore(struct mm_struct *mm, unsigned long start, unsigned long length, unsigned long vector);
int do_mlock(struct mm_struct *mm, unsigned long start, unsigned long length, bool on_fault);
int do_munlock(struct mm_struct *mm, unsigned long start, unsigned long length);
int do_mlockall(struct mm_struct *mm, int flags);
int do_munlockall(struct mm_struct *mm);
int do_msync(struct mm_struct *mm, unsigned long start, unsigned long length, int flags);

/* A VMA for a program segment, stack or bss at a fixed place, made by exec: no limit checks but memory. 0 or negative errno. */
int vm_brk_flags(struct mm_struct *mm, unsigned long start, unsigned long length, unsigned long vm_flags);

/* Makes the pages of [start, end) present as a fault would (read or, where the VMA is writable and private, write). For POPULATE and mlock. */
int populate_range(struct mm_struct *mm, unsigned long start, unsigned long end);

/* ---- unmapping (mm/unmap.c) ---- */

/* Clears the PTEs of [start, end) of VMA and drops their frames. Leaves the tables. The caller flushes with flush_range. */
void zap_range(struct vm_area_struct *vma, unsigned long start, unsigned long end);

/* Forgets the translations of [start, end) if MM is the loaded address space: page by page when few, else all. */
void flush_range(struct mm_struct *mm, unsigned long start, unsigned long end);

/* The PTE bits that VM_FLAGS allow a present page of one's own (Linux's vm_get_page_prot); PTE_WRITE only for shared writable. */
u64 vm_get_page_prot(unsigned long vm_flags);

#endif
