/* The fuzzer's comparison: every page, byte and count of mm/ against the model. */
#include "mm/filemap.h"
#include "mm/page_table.h"
#include "tests/fuzz/run.h"

struct address_space *files[2];

/* ---- one page ---- */

static bool object_agrees(const struct vm_area_struct *vma, unsigned long address, const struct model_page *page)
{
    if (page->object == NO_OBJECT)
        return vma_is_anonymous(vma) && !vma->vm_mapping;
    if (page->object <= MEMORY_FILE && vma->vm_mapping != files[page->object])
        return false;
    return vma->vm_mapping && vma->vm_mapping->size == model.objects[page->object].size &&
           vma_page_index(vma, address) == page->index;
}

static const u8 *bytes_behind(const pte_t *ptep)
{
    return pte_pfn(*ptep) == zero_pfn ? empty_zero_page : page_address(pte_page(*ptep));
}

/* NULL, or what mm/ has otherwise than PAGE says. VMA contains ADDRESS, or is NULL. */
static const char *find_difference(const struct mm_struct *mm, const struct vm_area_struct *vma, unsigned long address,
                                   const struct model_page *page)
{
    if (!vma || !page->mapped)
        return !vma == !page->mapped ? NULL : vma ? "is mapped, and should not be" : "is not mapped, and should be";
    if (vma->vm_flags != page->flags)
        return "has other vm_flags than it should";
    if (!object_agrees(vma, address, page))
        return "maps another object, or another page of it";
    const pte_t *ptep = pte_offset(mm->pgd, address);
    if (!ptep || pte_none(*ptep)) {
        if (page->own)
            return "has lost what was written to it";
        return page->object == NO_OBJECT && page->resident == YES ? "has lost its entry" : NULL;
    }
    if (page->object == NO_OBJECT && page->resident == NO)
        return "has an entry without having been touched";
    if (page->own && pte_pfn(*ptep) == zero_pfn)
        return "shows the zero frame though it was written";
    if (!page->own && page->object == NO_OBJECT && pte_pfn(*ptep) != zero_pfn)
        return "has a frame of its own without having been written";
    return memcmp(bytes_behind(ptep), bytes_of(page), P) ? "has other bytes than it should" : NULL;
}

/* A page that may have gone with MADV_PAGEOUT has gone if its entry has. */
static void see_whether_gone(const struct mm_struct *mm, unsigned long address, struct model_page *page)
{
    const pte_t *ptep = page->may_be_gone ? pte_offset(mm->pgd, address) : NULL;

    if (page->may_be_gone && (!ptep || pte_none(*ptep)))
        forget_page_content(page);
    page->may_be_gone = false;
}

/* ---- all ---- */

/* Goes through the pages and VMAs of MM side by side: the VMA that holds page I, or NULL. */
static const struct vm_area_struct *vma_at(const struct vm_area_struct **next, unsigned page)
{
    unsigned long address = address_of(page);

    while (*next && (*next)->vm_end <= address)
        *next = (*next)->vm_next;
    return *next && (*next)->vm_start <= address ? *next : NULL;
}

void learn_boundaries(void)
{
    for (unsigned n = 0; n < PROCESSES; n++) {
        struct process *p = &model.processes[n];
        const struct vm_area_struct *next = p->mm ? p->mm->mmap : NULL;
        p->map_count = p->mm ? p->mm->map_count : 0;
        for (unsigned i = 0; i < PAGES && p->mm; i++) {
            const struct vm_area_struct *vma = vma_at(&next, i);
            p->pages[i].starts_vma = vma && vma->vm_start == address_of(i);
        }
    }
}

static void expect_count(unsigned process, const char *what, unsigned long got, unsigned long expected)
{
    if (got != expected)
        disagree("p%u: %s is %lu, and should be %lu", process, what, got, expected);
}

static void compare_counts(unsigned n)
{
    const struct process *p = &model.processes[n];

    expect_count(n, "total_vm", p->mm->total_vm, total_pages(p));
    expect_count(n, "locked_vm", p->mm->locked_vm, locked_pages(p));
    expect_count(n, "data_vm", p->mm->data_vm, pages_that(p, is_data_mapping));
    expect_count(n, "stack_vm", p->mm->stack_vm, pages_that(p, is_stack_mapping));
    expect_count(n, "exec_vm", p->mm->exec_vm, pages_that(p, is_exec_mapping));
    expect_count(n, "brk", p->mm->brk, p->brk);
    expect_count(n, "def_flags", p->mm->def_flags, p->def_flags);
}

void compare_all(void)
{
    for (unsigned n = 0; n < PROCESSES; n++) {
        struct process *p = &model.processes[n];
        const struct vm_area_struct *next = p->mm ? p->mm->mmap : NULL;
        for (unsigned i = 0; i < PAGES && p->mm; i++) {
            see_whether_gone(p->mm, address_of(i), &p->pages[i]);
            const char *difference = find_difference(p->mm, vma_at(&next, i), address_of(i), &p->pages[i]);
            if (difference)
                disagree("p%u: page 0x%lx %s (model: flags 0x%lx)", n, address_of(i), difference, p->pages[i].flags);
        }
        if (p->mm)
            compare_counts(n);
    }
    expect_count(0, "vm_committed", vm_committed, model_committed());
}

/* ---- after a failure ---- */

/* Finds out which of the things that PAGE may be it is. False: none. */
static bool adopt_page(const struct mm_struct *mm, const struct vm_area_struct *vma, unsigned long address,
                       struct model_page *page, const struct model_page *before, enum ending ending, bool freed)
{
    const struct model_page after = *page;
    /* Served, but the page itself was not to be had; or moved away from, but still with its lock. */
    struct model_page absent = after, still_locked = after, gone = {0};
    absent.own = false;
    absent.bytes = NULL;
    absent.resident = MAYBE;
    if (!freed && before->mapped && before->own && after.own && memcmp(bytes_of(&after), bytes_of(&absent), P))
        absent = after; /* but it may not lose what was written */
    still_locked.flags = before->flags;
    const struct model_page *unchanged[] = {before}, *served[] = {&after, &absent, &still_locked, before};
    const struct model_page *refused[] = {before, &after, &absent, &still_locked, &gone};
    const struct model_page **candidates = ending == UNCHANGED ? unchanged : ending == SERVED ? served : refused;
    unsigned count = ending == UNCHANGED ? 1 : ending == SERVED || !freed ? 4 : 5;

    for (unsigned i = 0; i < count; i++) {
        *page = *candidates[i];
        /* What was populated on the way, if anything, nobody knows. */
        if (!page->own && (ending == UNCHANGED || before->resident != after.resident))
            page->resident = MAYBE;
        if (!find_difference(mm, vma, address, page))
            return true;
    }
    *page = after;
    return false;
}

/* True when STEP, a call that was refused on its way, may have unmapped the page at ADDRESS. */
static bool may_be_gone(const struct step *step, unsigned long address)
{
    unsigned long old_end = step->address + PAGE_ALIGN(step->length);

    if (step->op != OP_MREMAP || !(step->flags & MREMAP_FIXED))
        return false;
    return address - step->new_address < PAGE_ALIGN(step->new_length) ||
           (address >= step->address + PAGE_ALIGN(step->new_length) && address < old_end);
}

void adopt(const struct model *before, enum ending ending, struct process *p, const struct step *step)
{
    const struct process *was = &before->processes[p - model.processes];
    const struct vm_area_struct *next = p->mm->mmap;

    for (unsigned i = 0; i < PAGES; i++) {
        const struct vm_area_struct *vma = vma_at(&next, i);
        see_whether_gone(p->mm, address_of(i), &p->pages[i]);
        struct model_page predicted = p->pages[i];
        bool freed = may_be_gone(step, address_of(i));
        if (!adopt_page(p->mm, vma, address_of(i), &p->pages[i], &was->pages[i], ending, freed)) {
            const char *difference =
                find_difference(p->mm, vma, address_of(i), ending == UNCHANGED ? &was->pages[i] : &predicted);
            disagree("p%td: an allocation failed, and page 0x%lx is neither as before nor as after the call: it %s",
                     p - model.processes, address_of(i), difference ? difference : "differs");
        }
        /* What undoes a split may merge with a neighbour besides. */
        if (ending == UNCHANGED && vma && vma->vm_start == address_of(i) && !was->pages[i].starts_vma)
            disagree("p%td: an allocation failed, and a mapping is split at 0x%lx since", p - model.processes, address_of(i));
    }
    for (unsigned i = 0; i < model.objects_used; i++)
        for (unsigned j = 0; j < OBJECT_PAGES; j++)
            if (model.objects[i].made[j] != before->objects[i].made[j])
                model.objects[i].made[j] = MAYBE;
    if (p->mm->brk != p->brk && p->mm->brk == was->brk)
        p->brk = was->brk;
}
