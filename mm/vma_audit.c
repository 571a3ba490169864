/* The check of one address space's list and index: order, links, gaps, counts. */
#include "kernel/lib/printf.h"
#include "mm/filemap.h"
#include "mm/limits.h"
#include "mm/vma.h"
#include "mm/vma_index.h"

static char sentence[160];

/* What the list adds up to. */
struct sums {
    unsigned long total, data, exec, stack, locked, accounted;
    int count;
};

static const char *audit_vma(const struct vm_area_struct *vma, const struct mm_struct *mm)
{
    const struct vm_area_struct *prev = vma->vm_prev;

    if (vma->vm_mm != mm)
        return "belongs to another address space";
    if (vma->vm_start >= vma->vm_end || !IS_ALIGNED(vma->vm_start | vma->vm_end, PAGE_SIZE) ||
        vma->vm_end > TASK_SIZE)
        return "has impossible bounds";
    if (prev ? prev->vm_next != vma || prev->vm_end > vma->vm_start : mm->mmap != vma)
        return "is out of order, or overlaps the one before it";
    if (vma->rb_subtree_gap != vma_largest_gap(vma))
        return "knows a wrong largest gap";
    if ((vma->vm_mapping != NULL) == list_empty(&vma->shared))
        return "is not in its object's list of mappings";
    if (vma->vm_ops && !vma->vm_mapping)
        return "maps an object that is missing";
    if ((vma->vm_flags & VM_SHARED) && !(vma->vm_flags & VM_MAYSHARE))
        return "is shared and may not be";
    return NULL;
}

static void add_up(const struct vm_area_struct *vma, struct sums *sums)
{
    unsigned long pages = vma_pages(vma);

    sums->count++;
    sums->total += pages;
    if (is_exec_mapping(vma->vm_flags))
        sums->exec += pages;
    else if (is_stack_mapping(vma->vm_flags))
        sums->stack += pages;
    else if (is_data_mapping(vma->vm_flags))
        sums->data += pages;
    if (vma->vm_flags & VM_LOCKED)
        sums->locked += pages;
    if (vma->vm_flags & VM_ACCOUNT)
        sums->accounted += pages;
}

static const char *audit_sums(const struct mm_struct *mm, const struct sums *sums)
{
    if (sums->count != mm->map_count)
        return "map_count is not the length of the list";
    if (sums->total != mm->total_vm)
        return "total_vm is not the sum of the VMAs";
    if (sums->data != mm->data_vm || sums->exec != mm->exec_vm || sums->stack != mm->stack_vm)
        return "data_vm, exec_vm or stack_vm is not the sum of its VMAs";
    if (sums->locked != mm->locked_vm)
        return "locked_vm is not the sum of the locked VMAs";
    if (sums->accounted != mm->committed)
        return "committed is not the sum of the accounted VMAs";
    return NULL;
}

/*
 * No free range between hole_below and mmap_base may be as large as hole_above says that none is.
 */
static const char *audit_hole(const struct mm_struct *mm)
{
    unsigned long top = mm->mmap_base;

    if (!mm->hole_below)
        return NULL;
    for (const struct vm_area_struct *vma = mm->hole_below; vma; vma = vma->vm_next) {
        unsigned long floor = vma->vm_end;
        unsigned long ceiling = MIN(vma->vm_next ? vma->vm_next->vm_start : top, top);
        if (ceiling > floor && ceiling - floor >= mm->hole_above)
            return "hole_below lies below a hole that is large enough";
    }
    return NULL;
}

/* True when VMA is one of MM's, or NULL: what MM remembers must not be gone. */
static bool is_listed(const struct mm_struct *mm, const struct vm_area_struct *vma)
{
    const struct vm_area_struct *listed = mm->mmap;

    while (listed && listed != vma)
        listed = listed->vm_next;
    return listed == vma;
}

const char *vma_audit(struct mm_struct *mm)
{
    struct sums sums = { 0 };

    if (!is_listed(mm, mm->mmap_cache) || !is_listed(mm, mm->hole_below))
        return "mmap_cache or hole_below points to a VMA that is gone";
    if (!is_listed(mm, mm->unindexed) || !is_listed(mm, mm->gap_unrecorded))
        return "a VMA that the index still has to learn of is gone";
    vma_index_settle(mm);
    if (!rb_is_valid(&mm->mm_rb))
        return "the VMA index breaks the red-black rules";
    struct rb_node *node = rb_first(&mm->mm_rb);
    for (struct vm_area_struct *vma = mm->mmap; vma; vma = vma->vm_next, node = rb_next(node)) {
        if (!node || rb_vma(node) != vma)
            return "the VMA list and the VMA index do not hold the same VMAs";
        const char *finding = audit_vma(vma, mm);
        if (finding) {
            snprintf(sentence, sizeof(sentence), "VMA 0x%lx-0x%lx %s", vma->vm_start, vma->vm_end,
                     finding);
            return sentence;
        }
        add_up(vma, &sums);
    }
    if (node)
        return "the VMA index holds VMAs that the list does not";
    const char *finding = audit_hole(mm);
    return finding ? finding : audit_sums(mm, &sums);
}
