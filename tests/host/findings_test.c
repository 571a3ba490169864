/* What the audits of frames, kernel objects and VMAs find: each thing damaged on purpose, and mended again. */
#include "mm/audit.h"
#include "mm/slab.h"
#include "mm/vma.h"
#include "tests/host/calls.h"

static DEFINE_SLAB_CACHE(cache, "damaged", 64, 16);

/* AUDIT says nothing; once FIELD is VALUE it says SENTENCE (a part of it); afterwards nothing again. */
#define finds(audit, field, value, sentence)                                                                           \
    do {                                                                                                               \
        assert_null(audit);                                                                                            \
        __typeof__(field) before = (field);                                                                            \
        (field) = (value);                                                                                             \
        const char *said = (audit);                                                                                    \
        if (!said || !strstr(said, sentence))                                                                          \
            fail_msg("\"%s\" instead of \"%s\"", said ? said : "nothing", sentence);                                   \
        (field) = before;                                                                                              \
    } while (0)

/* The first frame of the first free block with at least two frames, and one whose buddy is not free. */
static struct page *free_block(void)
{
    for (unsigned long pfn = 0; pfn < max_pfn; pfn++) {
        struct page *page = pfn_to_page(pfn);
        unsigned long buddy = pfn ^ (1ul << page->order);
        if (page->type == PAGE_FREE && page->order > 0 && page->order < MAX_ORDER &&
            IS_ALIGNED(pfn, 1ul << page->order) && buddy < max_pfn && pfn_to_page(buddy)->type != PAGE_FREE &&
            page[1].type == PAGE_FREE)
            return page;
    }
    fail_msg("there is no such block");
    return NULL;
}

static void damaged_free_lists_are_found(void **state)
{
    (void)state;
    drain_page_cache();
    struct page *block = free_block(), *buddy = pfn_to_page(page_to_pfn(block) ^ (1ul << block->order));
    struct list_head *prev = block->lru.prev, *next = block->lru.next;

    finds(page_alloc_audit(), max_pfn, page_to_pfn(block) + 1, "something that is no frame");
    finds(page_alloc_audit(), block->order, block->order - 1, "not marked free with the order");
    finds(page_alloc_audit(), block[1].type, PAGE_KERNEL, "inside a free block");
    finds(page_alloc_audit(), block->lru.prev, &block->lru, "links do not agree");
    struct page kept = *buddy;
    page_set_state(buddy, PAGE_STATE(PAGE_FREE, block->order, 0));
    assert_string_equal(page_alloc_audit(), "two free buddies were not merged");
    *buddy = kept;

    list_del(&block->lru);
    assert_non_null(page_alloc_audit());
    struct list_head stranger;
    list_add_tail(&stranger, next);
    block->lru = (struct list_head){.prev = prev, .next = prev->next};
    prev->next->prev = &block->lru;
    prev->next = &block->lru;
    assert_non_null(page_alloc_audit());
    list_del(&stranger);

    /* A block that begins one frame too late. */
    kept = block[1];
    block[1].lru = block->lru;
    prev->next = block->lru.next->prev = &block[1].lru;
    assert_string_equal(page_alloc_audit(), "a free block is not aligned to its size");
    block[1] = kept;
    prev->next = next->prev = &block->lru;
    assert_null(page_alloc_audit());
}

static void a_free_list_of_another_length_is_found(void **state)
{
    (void)state;
    drain_page_cache();
    struct page *block = free_block();
    struct list_head *head = block->lru.next, stranger;

    while ((u8 *)head >= (u8 *)mem_map && (u8 *)head < (u8 *)(mem_map + max_pfn))
        head = head->next;
    list_add_tail(&stranger, head);
    assert_string_equal(page_alloc_audit(), "a free list is longer than its count");
    list_del(&stranger);
    struct list_head first = *head;
    head->next = head->prev = head;
    assert_string_equal(page_alloc_audit(), "a free list is shorter than its count");
    *head = first;
    assert_null(page_alloc_audit());
}

static void frames_with_a_wrong_type_are_found(void **state)
{
    (void)state;
    struct page *page = alloc_page(PAGE_KERNEL), *cached = alloc_page(PAGE_KERNEL);

    free_pages(cached, 0);
    finds(page_alloc_audit(), page->type, PAGE_TYPES, "a type that does not exist");
    finds(page_alloc_audit(), page->type, PAGE_ANON, "frame_counts does not agree");
    finds(page_alloc_audit(), page->type, PAGE_FREE, "in no free block");
    finds(page_alloc_audit(), page->type, PAGE_CACHED, "twice in the per-CPU list");
    finds(page_alloc_audit(), cached->type, PAGE_KERNEL, "of the per-CPU list is not marked so");
    free_pages(page, 0);
}

static void damaged_kernel_objects_are_found(void **state)
{
    (void)state;
    void *objects[3 * SLAB_MAGAZINE];

    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
        objects[i] = slab_alloc(&cache);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i += 2)
        slab_free(&cache, objects[i]);
    struct page *slab = list_entry(list_empty(&cache.partial) ? cache.full.next : cache.partial.next, struct page, lru);

    finds(slab_audit(), slab->slab, NULL, "does not belong to its cache");
    finds(slab_audit(), slab->slab_objects, slab->slab_objects + 1, "count of objects");
    finds(slab_audit(), cache.magazine[0], (u8 *)cache.magazine[0] + 1, "inside an object");
    finds(slab_audit(), cache.magazine[0], host_memory + PAGE_SIZE * page_to_pfn(virt_to_page(mem_map)),
          "no object of its cache");
    finds(slab_audit(), cache.magazine[0], cache.magazine[1], "twice in its cache's magazine");
    finds(slab_audit(), cache.slabs, 0, "more slabs in its lists");
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i += 2)
        objects[i] = slab_alloc(&cache);
    assert_false(list_empty(&cache.full));
    struct list_head *full = cache.full.next;
    list_del(full);
    list_add_tail(full, &cache.partial);
    assert_string_equal(slab_audit(), "a slab is in the wrong list of its cache");
    list_del(full);
    list_add_tail(full, &cache.full);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i += 2)
        slab_free(&cache, objects[i]);
    for (unsigned i = 1; i < ARRAY_SIZE(objects); i += 2)
        slab_free(&cache, objects[i]);
}

static char finding[256];

static void keep_finding(const char *sentence, void *context)
{
    (void)context;
    strncpy(finding, sentence, sizeof(finding) - 1);
}

static const char *whole_audit(void)
{
    return mm_audit(keep_finding, NULL) ? finding : NULL;
}

static void the_whole_audit_asks_the_others(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = map_anonymous(mm, 4, PROT_READ | PROT_WRITE);

    touch_write(mm, at, 1);
    struct page *table = virt_to_page(pte_offset(mm->pgd, at)), *page = alloc_page(PAGE_KERNEL);
    finds(whole_audit(), frame_counts[PAGE_KERNEL], 0, "frame_counts");
    finds(whole_audit(), pfn_to_page(zero_pfn)->type, PAGE_KERNEL, "");
    finds(whole_audit(), table->type, PAGE_KERNEL, "");
    pte_t *pgd_entry = &mm->pgd[LEVEL_INDEX(at, 4)], *twice = &mm->pgd[LEVEL_INDEX(at, 4) - 1];
    finds(whole_audit(), *twice, *pgd_entry, "");
    void *object = slab_alloc(&cache);
    finds(whole_audit(), cache.objects, 1000, "");
    slab_free(&cache, object);
    free_pages(page, 0);
    mmput(mm);
}

static void damaged_vmas_are_found(void **state)
{
    (void)state;
    struct mm_struct *mm = test_mm();
    unsigned long at = anon(mm, 0x10000000, 4 * P, PROT_READ, MAP_SHARED | MAP_FIXED);
    struct vm_area_struct *vma = find_vma(mm, at), stranger = *vma;

    finds(vma_audit(mm), vma->vm_mm, NULL, "another address space");
    finds(vma_audit(mm), vma->vm_end, vma->vm_start, "impossible bounds");
    finds(vma_audit(mm), vma->vm_prev, vma, "out of order");
    finds(vma_audit(mm), vma->rb_subtree_gap, 1, "wrong largest gap");
    finds(vma_audit(mm), vma->vm_mapping, NULL, "object's list of mappings");
    finds(vma_audit(mm), vma->vm_flags, vma->vm_flags & ~VM_MAYSHARE, "is shared and may not be");
    finds(vma_audit(mm), mm->mmap_cache, &stranger, "points to a VMA that is gone");
    finds(vma_audit(mm), mm->unindexed, &stranger, "still has to learn of is gone");
    finds(vma_audit(mm), mm->mmap, NULL, "");
    anon(mm, 0x20000000, 4 * P, PROT_READ, MAP_PRIVATE | MAP_FIXED);
    anon(mm, 0x30000000, 4 * P, PROT_READ, MAP_PRIVATE | MAP_FIXED);
    struct vm_area_struct *second = find_vma(mm, 0x20000000), *third = second->vm_next;
    finds(vma_audit(mm), second->vm_ops, vma->vm_ops, "maps an object that is missing");
    finds(vma_audit(mm), second->vm_next, NULL, "");
    finds(vma_audit(mm), third->vm_rb.parent_colour, third->vm_rb.parent_colour ^ 1, "");
    finds(vma_audit(mm), vma->vm_rb.parent_colour, vma->vm_rb.parent_colour ^ 1, "");
    finds(vma_audit(mm), mm->mm_rb.node, NULL, "");
    mmput(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(damaged_free_lists_are_found),       memory_test(a_free_list_of_another_length_is_found),
        memory_test(frames_with_a_wrong_type_are_found), memory_test(damaged_kernel_objects_are_found),
        mm_test(the_whole_audit_asks_the_others),        mm_test(damaged_vmas_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
