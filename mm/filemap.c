/*
 * The page cache: the pages of a file or of shared memory by their index, and the mappings that
 * show them.
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/filemap.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"
#include "mm/unmap.h"

/* How much is mapped around a read fault, if it is there: Linux's fault_around_bytes. */
#define FAULT_AROUND_BYTES 65536ul

/* The users of a cached page that one entry maps: the cache and that entry. */
#define PAGE_COUNT_MAPPED_ONCE 2

static struct list_head file_mappings = LIST_HEAD_INIT(file_mappings);

void address_space_init(struct address_space *mapping, u8 page_type,
                        const struct address_space_operations *ops, void *host)
{
    *mapping = (struct address_space){
        .refcount = 1, .page_type = page_type, .ops = ops, .host = host,
    };
    list_init(&mapping->i_mmap);
    list_init(&mapping->all_files);
    if (page_type == PAGE_FILE) {
        list_add_tail(&mapping->all_files, &file_mappings);
        page_alloc_add_reclaimer(reclaim_file_pages);
    }
}

/*
 * Drops the cache's own reference to PAGE, which is no longer in the tree; whoever maps it keeps
 * it.
 */
static void forget_page(struct page *page)
{
    page->mapping = NULL;
    put_page(page);
}

static void free_pages_from(struct address_space *mapping, unsigned long first, unsigned long end)
{
    unsigned long index = first;

    while (page_tree_next(&mapping->pages, &index) && index < end)
        forget_page(page_tree_remove(&mapping->pages, index));
}

void mapping_put(struct address_space *mapping)
{
    assert(mapping->refcount > 0);
    if (--mapping->refcount > 0)
        return;
    free_pages_from(mapping, 0, ~0ul);
    assert(!mapping->pages.root);       /* a node without pages would be nobody's */
    list_del(&mapping->all_files);
    mapping->ops->release(mapping);
}

static const struct address_space *inserting_into;

/* Reads the page at INDEX into a fresh frame and puts it into the cache. NULL with *ERROR. */
static struct page *read_in(struct address_space *mapping, unsigned long index, int *error)
{
    struct page *page = alloc_page(mapping->page_type);
    if (unlikely(!page)) {
        *error = -ENOMEM;
        return NULL;
    }
    page->mapping = mapping;
    page->index = index;
    page->flags = 0;
    *error = mapping->ops->read_page(mapping, page);
    if (!*error) {
        /* The insertion may allocate, and so reclaim: not from the tree that it is working on. */
        inserting_into = mapping;
        *error = page_tree_insert(&mapping->pages, index, page);
        inserting_into = NULL;
    }
    if (unlikely(*error)) {
        forget_page(page);
        return NULL;
    }
    return page;
}

static inline bool is_beyond_size(const struct address_space *mapping, unsigned long index)
{
    return index >= PAGE_ALIGN(mapping->size) >> PAGE_SHIFT;
}

struct page *mapping_get_page(struct address_space *mapping, unsigned long index, int *error)
{
    if (unlikely(is_beyond_size(mapping, index))) {
        *error = -EFAULT;
        return NULL;
    }
    struct page *page = page_tree_find(&mapping->pages, index);
    if (!page)
        page = read_in(mapping, index, error);
    if (likely(page))
        get_page(page);
    return page;
}

/* ---- truncation and reclaim ---- */

/*
 * Drops the entries of VMA for the page numbers [first, end) of its mapping; those of private
 * copies only when COPIES is set.
 */
static void unmap_from_vma(struct vm_area_struct *vma, unsigned long first, unsigned long end,
                           bool copies)
{
    unsigned long vma_first = vma->vm_pgoff, vma_end = vma_first + vma_pages(vma);
    first = MAX(first, vma_first);
    end = MIN(end, vma_end);
    if (first >= end)
        return;

    unsigned long from = vma->vm_start + ((first - vma_first) << PAGE_SHIFT);
    unsigned long to = vma->vm_start + ((end - vma_first) << PAGE_SHIFT);
    if (copies || (vma->vm_flags & VM_SHARED)) {
        zap_range(vma, from, to);
    } else {
        struct pte_iter it = pte_iter_over(vma->vm_mm->pgd, from, to);
        while (pte_iter_next(&it))
            if (pte_page(*it.ptep)->mapping == vma->vm_mapping &&
                pte_page(*it.ptep)->type != PAGE_ANON)
                zap_range(vma, it.address, it.address + PAGE_SIZE);
    }
    flush_range(vma->vm_mm, from, to);
}

static void unmap_everywhere(struct address_space *mapping, unsigned long first, unsigned long end,
                             bool copies)
{
    struct vm_area_struct *vma;
    list_for_each_entry(vma, &mapping->i_mmap, shared)
        unmap_from_vma(vma, first, end, copies);
}

void mapping_truncate(struct address_space *mapping, unsigned long size)
{
    unsigned long old_size = mapping->size;
    mapping->size = size;
    if (size >= old_size)
        return;

    unsigned long first = PAGE_ALIGN(size) >> PAGE_SHIFT;
    unmap_everywhere(mapping, first, ~0ul, true);
    free_pages_from(mapping, first, ~0ul);

    unsigned long tail = size & ~PAGE_MASK;
    struct page *last = tail ? page_tree_find(&mapping->pages, size >> PAGE_SHIFT) : NULL;
    if (last) {
        memset((u8 *)page_address(last) + tail, 0, PAGE_SIZE - tail);
        last->flags |= PG_DIRTY;
    }
}

void mapping_punch_hole(struct address_space *mapping, unsigned long first, unsigned long last)
{
    unmap_everywhere(mapping, first, last, false);
    free_pages_from(mapping, first, last);
}

/* The page that PTE maps is to leave memory: true when this VMA alone maps it, and its object still holds it. */
static bool can_page_out(const struct vm_area_struct *vma, pte_t pte)
{
    const struct page *page = pte_page(pte);

    return page->mapping == vma->vm_mapping && (page->type == PAGE_SHMEM || page->type == PAGE_FILE) &&
           page_count(page) == PAGE_COUNT_MAPPED_ONCE;
}

void filemap_page_out(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    struct address_space *mapping = vma->vm_mapping;
    struct pte_iter it = pte_iter_over(vma->vm_mm->pgd, start, end);

    while (pte_iter_next(&it)) {
        if (!can_page_out(vma, *it.ptep))
            continue;
        struct page *page = pte_page(*it.ptep);
        zap_range(vma, it.address, it.address + PAGE_SIZE);
        bool is_zeroes = page->type == PAGE_SHMEM && !(page->flags & (PG_DIRTY | PG_FALLOCATED));
        if (is_zeroes)
            forget_page(page_tree_remove(&mapping->pages, page->index));
    }
    flush_range(vma->vm_mm, start, end);
}

void mapping_unmap(struct address_space *mapping, unsigned long first)
{
    unmap_everywhere(mapping, first, ~0ul, false);
}

unsigned long mapping_reclaim(struct address_space *mapping)
{
    unsigned long index = 0, freed = 0;
    struct page *page;

    if (mapping == inserting_into || mapping->keeps_pages)
        return 0;
    while ((page = page_tree_next(&mapping->pages, &index)) != NULL) {
        if (page_count(page) == 1 && !(page->flags & PG_DIRTY)) {
            forget_page(page_tree_remove(&mapping->pages, index));
            freed++;
        }
        index++;
    }
    return freed;
}

unsigned long reclaim_file_pages(void)
{
    unsigned long freed = 0;
    struct address_space *mapping;

    list_for_each_entry(mapping, &file_mappings, all_files)
        freed += mapping_reclaim(mapping);
    return freed;
}

/* ---- faults ---- */

void filemap_map_around(struct vm_area_struct *vma, unsigned long address, pte_t *ptep)
{
    struct address_space *mapping = vma->vm_mapping;
    unsigned long start = MAX(ALIGN_DOWN(address, FAULT_AROUND_BYTES), vma->vm_start);
    unsigned long table_end = ALIGN_DOWN(address, LEVEL_SIZE(2)) + LEVEL_SIZE(2);
    unsigned long end = MIN(start + FAULT_AROUND_BYTES, MIN(vma->vm_end, table_end));
    u64 bits = vm_get_page_prot(vma->vm_flags);
    long mapped = 0;

    /* All entries of the window lie in one table. */
    pte_t *slot = ptep - ((address - start) >> PAGE_SHIFT);
    for (unsigned long at = start; at < end; at += PAGE_SIZE, slot++) {
        unsigned long index = vma_page_index(vma, at);
        if (at == address || !pte_none(*slot) || is_beyond_size(mapping, index))
            continue;
        struct page *page = page_tree_find(&mapping->pages, index);
        int error;
        if (!page && mapping->page_type == PAGE_FILE)
            page = read_in(mapping, index, &error);
        if (!page || (page->flags & PG_FALLOCATED))
            continue;
        get_page(page);
        set_pte_at(vma->vm_mm, at, slot, pfn_pte(page_to_pfn(page), bits));
        mapped++;
    }
    vma->vm_mm->rss[mapping->page_type == PAGE_SHMEM ? MM_SHMEMPAGES : MM_FILEPAGES] += mapped;
}

static struct page *filemap_fault(struct vm_area_struct *vma, unsigned long index, int *error)
{
    struct page *page = mapping_get_page(vma->vm_mapping, index, error);

    if (likely(page))
        page->flags &= (u16)~PG_FALLOCATED;
    return page;
}

const struct vm_operations_struct generic_file_vm_ops = {
    .name = "file",
    .fault = filemap_fault,
};

const struct vm_operations_struct shmem_vm_ops = {
    .name = "shmem",
    .fault = filemap_fault,
};
