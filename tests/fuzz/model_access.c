/* The fuzzer's model of accesses: who may touch what, stacks that grow, and copies by the kernel. */
#include "mm/vma.h"
#include "tests/fuzz/step.h"

/* As a fault below a stack would: takes the mapping above PAGE down to it. */
static bool grow_stack(struct process *p, unsigned page)
{
    unsigned above = page, below = page;

    while (!p->pages[above].mapped)
        above++;
    while (below > 0 && !p->pages[below - 1].mapped)
        below--;
    if (below > 0) {
        const struct model_page *prev = &p->pages[below - 1];
        unsigned long gap = address_of(page) - (address_of(below - 1) + P);
        if (!(prev->flags & VM_GROWSDOWN) && (prev->flags & VM_ACCESS_FLAGS) && gap < STACK_GUARD_GAP)
            return false;
    }
    struct model_page *stack = &p->pages[above];
    unsigned long pages = (address_of(above) - address_of(page)) / P;
    if (pages > find_vma(p->mm, address_of(above))->vm_pgoff) /* can be few where it was moved from the bottom */
        return false;
    if (!model_may_expand(p, stack->flags, pages) || is_beyond_lock_limit(p, stack->flags, pages) ||
        vma_end_of(p, above) - address_of(page) > settings.limits.stack)
        return false;
    if (!model_may_commit(p, pages, stack->flags & VM_ACCOUNT))
        return false;
    stack->starts_vma = false;
    for (unsigned i = page; i < above; i++)
        p->pages[i] =
            (struct model_page){.mapped = true, .flags = stack->flags, .object = NO_OBJECT, .starts_vma = i == page};
    return true;
}

/* The page that holds ADDRESS, with a stack grown for it if need be; NULL with the refusal in *OUTCOME. */
static struct model_page *find_page(struct process *p, unsigned long address, enum fault_outcome *outcome)
{
    struct model_page *page = page_holding(p, address);
    unsigned above = page_at_or_above(address & PAGE_MASK);

    *outcome = FAULT_KERNEL_ADDRESS;
    if (address >= TASK_SIZE)
        return NULL;
    while (above < PAGES && !p->pages[above].mapped)
        above++;
    if (page && page->mapped)
        return page;
    *outcome = FAULT_NO_MAPPING;
    if (above == PAGES || !(p->pages[above].flags & VM_GROWSDOWN))
        return NULL;
    *outcome = FAULT_BELOW_STACK;
    return page && grow_stack(p, (unsigned)(page - p->pages)) ? page : NULL;
}

enum fault_outcome model_access(struct process *p, unsigned long address, enum mmu_access access)
{
    enum fault_outcome outcome;
    struct model_page *page = find_page(p, address, &outcome);

    if (!page)
        return outcome;
    if (access == MMU_WRITE && !(page->flags & VM_WRITE))
        return FAULT_NOT_WRITABLE;
    if (!(page->flags & VM_ACCESS_FLAGS))
        return access == MMU_EXECUTE ? FAULT_NOT_EXECUTABLE : FAULT_NOT_READABLE;
    if (!make_present(page, access == MMU_WRITE))
        return FAULT_BEYOND_FILE;
    /* That a page may not be executed shows only once it is there. */
    return access == MMU_EXECUTE && !(page->flags & VM_EXEC) ? FAULT_NOT_EXECUTABLE : FAULT_OUTCOMES;
}

unsigned long model_reach(struct process *p, unsigned long address, unsigned long n, enum mmu_access access)
{
    unsigned long done = 0;

    while (done < n && model_access(p, address + done, access) == FAULT_OUTCOMES)
        done += MIN(n - done, P - ((address + done) & ~PAGE_MASK));
    return done;
}

unsigned long model_store(struct process *p, unsigned long address, const u8 *bytes, unsigned long n)
{
    unsigned long done = 0;

    while (done < n && model_access(p, address + done, MMU_WRITE) == FAULT_OUTCOMES) {
        unsigned long offset = (address + done) & ~PAGE_MASK, piece = MIN(n - done, P - offset);
        store(page_holding(p, address + done), offset, bytes + done, piece);
        done += piece;
    }
    return done;
}

u8 model_byte(struct process *p, unsigned long address)
{
    return bytes_of(page_holding(p, address))[address & ~PAGE_MASK];
}

void model_truncate(unsigned long size)
{
    struct model_object *file = &model.objects[MEMORY_FILE];
    unsigned long pages = PAGE_ALIGN(size) / P, tail = size & ~PAGE_MASK;

    if (size < file->size) {
        for (unsigned n = 0; n < PROCESSES; n++)
            for (unsigned i = 0; i < PAGES; i++) {
                struct model_page *page = &model.processes[n].pages[i];
                if (page->mapped && page->object == MEMORY_FILE && page->index >= pages)
                    forget_page_content(page);
            }
        for (unsigned long i = pages; i < OBJECT_PAGES; i++)
            file->bytes[i] = NULL, file->made[i] = NO;
        if (tail) {
            static const u8 zeroes[P];
            struct model_page last = {.flags = VM_SHARED, .object = MEMORY_FILE, .index = (unsigned)(size / P)};
            store(&last, tail, zeroes, P - tail);
        }
    }
    file->size = size;
}
