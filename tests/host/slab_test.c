/* Slab caches and kmalloc: alignment, reuse, what is given back, and what the audit and the assertions find. */
#include <sanitizer/asan_interface.h>
#include "mm/slab.h"
#include "tests/host/harness.h"

static DEFINE_SLAB_CACHE(small_cache, "small", 24, 8);
static DEFINE_SLAB_CACHE(vma_sized_cache, "vma_sized", 128, 8);
static DEFINE_SLAB_CACHE(large_cache, "large", 3000, 64);
static DEFINE_SLAB_CACHE(tiny_cache, "tiny", 8, 8);
static DEFINE_SLAB_CACHE(aligned_cache, "aligned", 100, 64);

static struct slab_cache *const caches[] = { &small_cache, &vma_sized_cache, &large_cache, &tiny_cache,
                                             &aligned_cache };

static void an_object_is_aligned_and_its_bytes_are_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(caches); i++) {
        u8 *first = slab_alloc(caches[i]), *second = slab_alloc(caches[i]);

        assert_int_equal((unsigned long)first % caches[i]->alignment, 0);
        assert_int_equal((unsigned long)second % caches[i]->alignment, 0);
        memset(first, 1, caches[i]->object_size);
        memset(second, 2, caches[i]->object_size);
        for (u32 byte = 0; byte < caches[i]->object_size; byte++)
            assert_int_equal(first[byte], 1);
        assert_int_equal(caches[i]->objects, 2);
        slab_free(caches[i], first);
        slab_free(caches[i], second);
        assert_int_equal(caches[i]->objects, 0);
    }
}

static void a_slab_wastes_little(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(caches); i++) {
        slab_free(caches[i], slab_alloc(caches[i]));
        unsigned long size = PAGE_SIZE << caches[i]->order;
        assert_true(size - caches[i]->per_slab * caches[i]->object_size <= size / 8);
    }
    assert_int_equal(vma_sized_cache.per_slab, 32);
    assert_int_equal(vma_sized_cache.order, 0);
    assert_int_equal(large_cache.order, 2);
}

static void zalloc_gives_zeroes_where_alloc_gives_junk(void **state)
{
    static const u8 zeroes[128];

    (void)state;
    void *object = slab_alloc(&vma_sized_cache);
    assert_memory_not_equal(object, zeroes, 128);
    slab_free(&vma_sized_cache, object);
    object = slab_zalloc(&vma_sized_cache);
    assert_memory_equal(object, zeroes, 128);
    slab_free(&vma_sized_cache, object);
}

static void the_object_freed_last_is_used_first(void **state)
{
    (void)state;
    void *first = slab_alloc(&small_cache), *second = slab_alloc(&small_cache);

    slab_free(&small_cache, second);
    slab_free(&small_cache, first);
    assert_ptr_equal(slab_alloc(&small_cache), first);
    assert_ptr_equal(slab_alloc(&small_cache), second);
    slab_free(&small_cache, first);
    slab_free(&small_cache, second);
}

static void free_objects_may_not_be_touched(void **state)
{
    (void)state;
    u8 *object = slab_alloc(&vma_sized_cache);

    assert_false(__asan_address_is_poisoned(object + 127));
    slab_free(&vma_sized_cache, object);
    for (unsigned byte = 0; byte < 128; byte += 8)
        assert_true(__asan_address_is_poisoned(object + byte));
}

static void empty_slabs_are_given_back(void **state)
{
    enum { OBJECTS = 3200 };
    static void *objects[OBJECTS];

    (void)state;
    for (unsigned i = 0; i < OBJECTS; i++)
        objects[i] = slab_alloc(&vma_sized_cache);
    assert_int_equal(vma_sized_cache.slabs, OBJECTS / 32);
    assert_int_equal(frame_counts[PAGE_SLAB], OBJECTS / 32);
    assert_null(slab_audit());
    for (unsigned i = 0; i < OBJECTS; i++)
        slab_free(&vma_sized_cache, objects[i]);
    /* One empty slab stays, and what the magazine pins. */
    assert_true(vma_sized_cache.slabs <= 3);
    assert_null(slab_audit());
    unsigned long slabs = vma_sized_cache.slabs;
    assert_int_equal(slab_shrink_all(), slabs);
    assert_int_equal(frame_counts[PAGE_SLAB], 0);
}

static void kmalloc_serves_every_size(void **state)
{
    static const size_t sizes[] = { 1, 8, 16, 17, 48, 96, 97, 150, 192, 200, 500, 512, 513, 1500, 2048, 2049,
                                    4095, 4096, 4097, 8192, 10000, 100000, 1 << 20, 4 << 20 };
    static u8 *memory[ARRAY_SIZE(sizes)];

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        memory[i] = i % 2 ? kzalloc(sizes[i]) : kmalloc(sizes[i]);
        assert_non_null(memory[i]);
        assert_int_equal((unsigned long)memory[i] % 16, 0);
        if (sizes[i] >= PAGE_SIZE)
            assert_int_equal(virt_to_phys(memory[i]) % PAGE_SIZE, 0);
        for (size_t byte = 0; i % 2 && byte < sizes[i]; byte++)
            assert_int_equal(memory[i][byte], 0);
        memset(memory[i], (int)i + 1, sizes[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        assert_int_equal(memory[i][0], i + 1);
        assert_int_equal(memory[i][sizes[i] - 1], i + 1);
        kfree(memory[i]);
    }
    kfree(NULL);
    assert_null(kmalloc((4 << 20) + 1));
    assert_null(kmalloc(~0ul));
    assert_null(slab_audit());
}

static void freeing_twice_or_into_the_wrong_cache_is_caught(void **state)
{
    (void)state;
    void *object = slab_alloc(&small_cache), *other = kmalloc(PAGE_SIZE);

    expect_panic(slab_free(&vma_sized_cache, object));
    expect_panic(slab_free(&small_cache, other));
    slab_free(&small_cache, object);
    expect_panic(slab_free(&small_cache, object));
    kfree(other);
}

static void a_write_after_free_is_found(void **state)
{
    (void)state;
    u64 *object = slab_alloc(&small_cache);

    slab_free(&small_cache, object);
    ASAN_UNPOISON_MEMORY_REGION(object, 24);
    object[1] = 0;
    expect_panic((void)slab_alloc(&small_cache));
    memory_init(64 * MIB);
}

static void without_memory_allocation_returns_null_and_loses_nothing(void **state)
{
    enum { OBJECTS = 100000 };
    static void *objects[OBJECTS];
    unsigned count = 0;

    (void)state;
    memory_init(4 * MIB);
    while ((objects[count] = slab_alloc(&large_cache)) != NULL)
        count++;
    assert_true(count > 200);
    assert_null(kmalloc(1 << 20));
    assert_null(slab_audit());
    while (count > 0)
        slab_free(&large_cache, objects[--count]);
    slab_shrink_all();
    assert_int_equal(frame_counts[PAGE_SLAB], 0);
}

static void kept_slabs_are_reclaimed_when_memory_is_short(void **state)
{
    static void *objects[400];
    static struct page *pages[2000];
    unsigned count = 0;

    (void)state;
    memory_init(4 * MIB);
    for (unsigned i = 0; i < 400; i++)
        objects[i] = slab_alloc(&vma_sized_cache);
    for (unsigned i = 0; i < 400; i++)
        slab_free(&vma_sized_cache, objects[i]);
    assert_true(frame_counts[PAGE_SLAB] > 0);
    while ((pages[count] = alloc_page(PAGE_KERNEL)) != NULL)
        count++;
    assert_int_equal(frame_counts[PAGE_SLAB], 0);
    while (count > 0)
        free_pages(pages[--count], 0);
}

static void the_nth_object_fails_when_told_so(void **state)
{
    (void)state;
    void *object = slab_alloc(&small_cache);

    fail_allocation_countdown = 1;
    assert_null(slab_alloc(&small_cache));
    fail_allocation_countdown = 1;
    assert_null(kmalloc(10));
    fail_allocation_countdown = 1;
    assert_null(kmalloc(10000));
    assert_int_equal(fail_allocation_countdown, 0);
    slab_free(&small_cache, object);
}

static void random_work_keeps_objects_apart(void **state)
{
    enum { OBJECTS = 3000, STEPS = 120000 };
    static struct { u8 *memory; size_t size; u8 cache, stamp; } held[OBJECTS];
    u64 random = 31337;

    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        u64 roll = next_random(&random);
        unsigned i = (unsigned)(roll % OBJECTS);

        if (held[i].memory) {
            for (size_t byte = 0; byte < held[i].size; byte += 7)
                assert_int_equal(held[i].memory[byte], held[i].stamp);
            if (held[i].cache < ARRAY_SIZE(caches))
                slab_free(caches[held[i].cache], held[i].memory);
            else
                kfree(held[i].memory);
            held[i].memory = NULL;
        } else {
            held[i].cache = (u8)((roll >> 20) % (ARRAY_SIZE(caches) + 2));
            if (held[i].cache < ARRAY_SIZE(caches)) {
                held[i].size = caches[held[i].cache]->object_size;
                held[i].memory = slab_alloc(caches[held[i].cache]);
            } else {
                held[i].size = 1 + (roll >> 24) % 5000;
                held[i].memory = kmalloc(held[i].size);
            }
            assert_non_null(held[i].memory);
            held[i].stamp = (u8)(roll >> 32);
            memset(held[i].memory, held[i].stamp, held[i].size);
        }
        if (step % 10000 == 0) {
            assert_null(slab_audit());
            assert_null(page_alloc_audit());
        }
        if (step % 33333 == 0)
            slab_shrink_all();
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        if (held[i].memory && held[i].cache < ARRAY_SIZE(caches))
            slab_free(caches[held[i].cache], held[i].memory);
        else if (held[i].memory)
            kfree(held[i].memory);
        held[i].memory = NULL;
    }
}

static void expect_finding(const char *part)
{
    const char *finding = slab_audit();

    assert_non_null(finding);
    if (!strstr(finding, part))
        fail_msg("expected a finding about \"%s\", got \"%s\"", part, finding);
}

static void the_audit_sees_what_is_wrong(void **state)
{
    (void)state;
    void *object = slab_alloc(&vma_sized_cache);
    struct page *page = virt_to_page(object);

    assert_null(slab_audit());
    page->slab_objects++;
    expect_finding("chain of free ones");
    page->slab_objects--;
    u16 first_free = page->slab_free;
    page->slab_free = 40;
    expect_finding("chain of free objects is broken");
    page->slab_free = first_free;
    vma_sized_cache.objects++;
    expect_finding("count of objects");
    vma_sized_cache.objects--;
    vma_sized_cache.slabs++;
    expect_finding("count of slabs");
    vma_sized_cache.slabs--;
    frame_counts[PAGE_SLAB]++;
    expect_finding("belongs to no cache");
    frame_counts[PAGE_SLAB]--;
    vma_sized_cache.magazine[vma_sized_cache.loaded] = vma_sized_cache.magazine[0];
    vma_sized_cache.loaded++;
    expect_finding("freed twice");
    vma_sized_cache.loaded--;
    slab_free(&vma_sized_cache, object);
    assert_null(slab_audit());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        memory_test(an_object_is_aligned_and_its_bytes_are_its_own),
        memory_test(a_slab_wastes_little),
        memory_test(zalloc_gives_zeroes_where_alloc_gives_junk),
        memory_test(the_object_freed_last_is_used_first),
        memory_test(free_objects_may_not_be_touched),
        memory_test(empty_slabs_are_given_back),
        memory_test(kmalloc_serves_every_size),
        memory_test(freeing_twice_or_into_the_wrong_cache_is_caught),
        memory_test(a_write_after_free_is_found),
        memory_test(without_memory_allocation_returns_null_and_loses_nothing),
        memory_test(kept_slabs_are_reclaimed_when_memory_is_short),
        memory_test(the_nth_object_fails_when_told_so),
        memory_test(random_work_keeps_objects_apart),
        memory_test(the_audit_sees_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
