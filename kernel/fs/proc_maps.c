/* /proc/PID/maps, smaps and smaps_rollup: the promises of an address space, and how far they are kept. */
#include "kernel/fs/procfs.h"

#include "kernel/lib/string.h"
#include "mm/hugetlb.h"
#include "mm/page_table.h"
#include "mm/slab.h"
#include "mm/vma.h"

#define NAME_COLUMN 73                  /* where a mapping's name begins, as on Linux */
#define PATH_SIZE (PATH_MAX + 16)       /* with " (deleted)" */

/* Linux's number for the first nameless shared mapping is as good as any. */
#define NAMELESS_INODE 1ul

/* ---- maps ---- */

static bool is_heap(const struct vm_area_struct *vma)
{
    const struct mm_struct *mm = vma->vm_mm;
    return vma->vm_start <= mm->brk && vma->vm_end >= mm->start_brk;
}

static bool is_stack(const struct vm_area_struct *vma)
{
    unsigned long start_stack = vma->vm_mm->start_stack;
    return vma->vm_start <= start_stack && vma->vm_end >= start_stack;
}

static void show_name(struct seq *seq, size_t line, const struct vm_area_struct *vma)
{
    const struct inode *inode = vma->vm_mapping ? mapping_inode(vma->vm_mapping) : NULL;
    const char *name = vma->vm_mapping ? "/dev/zero (deleted)"
                     : is_heap(vma)    ? "[heap]"
                     : is_stack(vma)   ? "[stack]" : NULL;

    if (inode) {
        char *buffer = kmalloc(PATH_SIZE);
        if (!buffer)
            return;
        seq_pad(seq, line, NAME_COLUMN);
        seq_path(seq, inode_path(inode, buffer, PATH_SIZE));
        kfree(buffer);
    } else if (name) {
        seq_pad(seq, line, NAME_COLUMN);
        seq_puts(seq, name);
    }
}

static void show_line(struct seq *seq, unsigned long start, unsigned long end, unsigned long flags,
                      unsigned long offset, u32 device, unsigned long number)
{
    seq_printf(seq, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", start, end, flags & VM_READ ? 'r' : '-',
               flags & VM_WRITE ? 'w' : '-', flags & VM_EXEC ? 'x' : '-', flags & VM_MAYSHARE ? 's' : 'p',
               offset, device >> 8, device & 0xff, number);
}

static void show_vma(struct seq *seq, const struct vm_area_struct *vma)
{
    const struct inode *inode = vma->vm_mapping ? mapping_inode(vma->vm_mapping) : NULL;
    size_t line = seq->length;
    unsigned long offset = vma->vm_mapping ? vma->vm_pgoff << PAGE_SHIFT : 0;
    u32 device = inode ? inode->device : vma->vm_mapping ? DEVICE_SHMEM : 0;
    unsigned long number = inode ? inode->number : vma->vm_mapping ? NAMELESS_INODE : 0;

    show_line(seq, vma->vm_start, vma->vm_end, vma->vm_flags, offset, device, number);
    show_name(seq, line, vma);
    seq_write(seq, "\n", 1);
}

/* The VMA at or behind *CURSOR, or NULL; moves the cursor to its end. */
static struct vm_area_struct *next_vma(const struct task *task, u64 *cursor)
{
    struct vm_area_struct *vma = task->mm ? find_vma(task->mm, *cursor) : NULL;
    if (vma)
        *cursor = vma->vm_end;
    return vma;
}

int proc_show_maps(struct seq *seq, struct task *task, u64 *cursor)
{
    const struct vm_area_struct *vma = next_vma(task, cursor);
    if (!vma)
        return 0;
    show_vma(seq, vma);
    return 1;
}

/* ---- smaps: bytes ---- */

#define PSS_SHIFT 12    /* fixed point, so that thirds of pages add up */

struct mem_stats {
    u64 size, resident, pss, pss_dirty;
    u64 shared_clean, shared_dirty, private_clean, private_dirty;
    u64 referenced, anonymous, locked;
};

static void count_page(struct mem_stats *stats, const struct page *page, pte_t pte, bool locked)
{
    bool cached = (page->type == PAGE_FILE || page->type == PAGE_SHMEM) && page->mapping;
    unsigned long users = (unsigned long)page_count(page) - (cached ? 1 : 0);
    /* No disc is behind the files: as in Linux's ramfs, a page of theirs is never clean. */
    bool dirty = pte_dirty(pte) || page->type == PAGE_FILE || (page->flags & PG_DIRTY);
    u64 share = (PAGE_SIZE << PSS_SHIFT) / MAX(users, 1ul);

    stats->resident += PAGE_SIZE;
    stats->pss += share;
    if (dirty)
        stats->pss_dirty += share;
    if (locked)
        stats->locked += share;
    if (users > 1)
        *(dirty ? &stats->shared_dirty : &stats->shared_clean) += PAGE_SIZE;
    else
        *(dirty ? &stats->private_dirty : &stats->private_clean) += PAGE_SIZE;
    if (pte_accessed(pte))
        stats->referenced += PAGE_SIZE;
    if (page->type == PAGE_ANON)
        stats->anonymous += PAGE_SIZE;
}

static void count_vma(struct mem_stats *stats, const struct vm_area_struct *vma)
{
    struct pte_iter it = pte_iter_over(vma->vm_mm->pgd, vma->vm_start, vma->vm_end);

    stats->size += vma->vm_end - vma->vm_start;
    while (pte_iter_next(&it)) {
        /* The zero frame belongs to nobody. */
        if (pte_present(*it.ptep) && !is_zero_pfn(pte_pfn(*it.ptep)))
            count_page(stats, pte_page(*it.ptep), *it.ptep, vma->vm_flags & VM_LOCKED);
    }
}

static void show_kb(struct seq *seq, const char *label, u64 bytes)
{
    seq_printf(seq, "%-16s%8lu kB\n", label, (unsigned long)(bytes >> 10));
}

static void show_stats(struct seq *seq, const struct mem_stats *stats)
{
    show_kb(seq, "Rss:", stats->resident);
    show_kb(seq, "Pss:", stats->pss >> PSS_SHIFT);
    show_kb(seq, "Pss_Dirty:", stats->pss_dirty >> PSS_SHIFT);
    show_kb(seq, "Shared_Clean:", stats->shared_clean);
    show_kb(seq, "Shared_Dirty:", stats->shared_dirty);
    show_kb(seq, "Private_Clean:", stats->private_clean);
    show_kb(seq, "Private_Dirty:", stats->private_dirty);
    show_kb(seq, "Referenced:", stats->referenced);
    show_kb(seq, "Anonymous:", stats->anonymous);
    show_kb(seq, "LazyFree:", 0);
    show_kb(seq, "AnonHugePages:", 0);
    show_kb(seq, "ShmemPmdMapped:", 0);
    show_kb(seq, "FilePmdMapped:", 0);
    seq_printf(seq, "Shared_Hugetlb: %8u kB\nPrivate_Hugetlb: %7u kB\n", 0, 0);
    show_kb(seq, "Swap:", 0);
    show_kb(seq, "SwapPss:", 0);
    show_kb(seq, "Locked:", stats->locked >> PSS_SHIFT);
}

/* Linux's two letters for each flag, in the order of their bits; all but the stack's VMAs are "soft-dirty". */
static void show_flags(struct seq *seq, const struct vm_area_struct *vma)
{
    static const struct {
        unsigned long flag;
        char letters[4];
    } names[] = {
        { VM_READ, "rd " }, { VM_WRITE, "wr " }, { VM_EXEC, "ex " }, { VM_SHARED, "sh " },
        { VM_MAYREAD, "mr " }, { VM_MAYWRITE, "mw " }, { VM_MAYEXEC, "me " }, { VM_MAYSHARE, "ms " },
        { VM_GROWSDOWN, "gd " }, { VM_LOCKED, "lo " }, { VM_SEQ_READ, "sr " }, { VM_RAND_READ, "rr " },
        { VM_DONTCOPY, "dc " }, { VM_DONTEXPAND, "de " }, { VM_LOCKONFAULT, "?? " }, { VM_ACCOUNT, "ac " },
        { VM_NORESERVE, "nr " }, { VM_HUGETLB, "ht " }, { VM_SYNC, "sf " }, { VM_WIPEONFORK, "wf " }, { VM_DONTDUMP, "dd " },
    };
    static const struct {
        unsigned long flag;
        char letters[4];
    } late_names[] = { { VM_HUGEPAGE, "hg " }, { VM_NOHUGEPAGE, "nh " }, { VM_MERGEABLE, "mg " } };

    seq_puts(seq, "VmFlags: ");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (vma->vm_flags & names[i].flag)
            seq_puts(seq, names[i].letters);
    }
    if (!(is_stack(vma) && (vma->vm_flags & VM_GROWSDOWN)))
        seq_puts(seq, "sd ");
    for (size_t i = 0; i < ARRAY_SIZE(late_names); i++) {
        if (vma->vm_flags & late_names[i].flag)
            seq_puts(seq, late_names[i].letters);
    }
    seq_write(seq, "\n", 1);
}

int proc_show_smaps(struct seq *seq, struct task *task, u64 *cursor)
{
    const struct vm_area_struct *vma = next_vma(task, cursor);
    struct mem_stats stats = { .size = 0 };

    if (!vma)
        return 0;
    count_vma(&stats, vma);
    show_vma(seq, vma);
    show_kb(seq, "Size:", stats.size);
    unsigned long page_size = vma->vm_flags & VM_HUGETLB ? HUGE_PAGE_SIZE : PAGE_SIZE;
    show_kb(seq, "KernelPageSize:", page_size);
    show_kb(seq, "MMUPageSize:", page_size);
    show_stats(seq, &stats);
    seq_puts(seq, "THPeligible:    0\n");
    show_flags(seq, vma);
    return 1;
}

int proc_show_smaps_rollup(struct seq *seq, struct task *task, u64 *cursor)
{
    struct mem_stats stats = { .size = 0 };
    const struct vm_area_struct *first, *vma, *last = NULL;

    (void)cursor;
    if (!task->mm)
        return -ESRCH;
    first = task->mm->mmap;
    for (vma = first; vma; vma = vma->vm_next) {
        count_vma(&stats, vma);
        last = vma;
    }
    size_t line = seq->length;
    show_line(seq, first ? first->vm_start : 0, last ? last->vm_end : 0, 0, 0, 0, 0);
    seq_pad(seq, line, NAME_COLUMN);
    seq_puts(seq, "[rollup]\n");
    show_stats(seq, &stats);
    return 0;
}
