/* The quarantine of the debug build, a queue of frames; and who has written to a free frame. */
#include "mm/quarantine.h"

#ifdef ZEROPAGE_DEBUG

#include "kernel/lib/panic.h"
#include "mm/frame_poison.h"

struct quarantine quarantine;

void quarantine_init(unsigned long limit)
{
    assert(limit <= QUARANTINE_FRAMES_MAX);
    quarantine.limit = limit;
    quarantine.count = quarantine.oldest = 0;
}

static void check_poison(const struct page *page)
{
    arch_memory_allocated(page_address(page), PAGE_SIZE);
    frame_check_poison(page);
    arch_memory_freed(page_address(page), PAGE_SIZE);
}

struct page *quarantine_take(void)
{
    struct page *page = quarantine.frames[quarantine.oldest];

    if (quarantine.count == 0)
        return NULL;
    quarantine.oldest = (quarantine.oldest + 1) % QUARANTINE_FRAMES_MAX;
    quarantine.count--;
    check_poison(page);
    return page;
}

struct page *quarantine_put(struct page *page)
{
    struct page *oldest = quarantine.count == quarantine.limit ? quarantine_take() : NULL;

    page_set_state(page, PAGE_STATE_QUARANTINED);
    quarantine.frames[(quarantine.oldest + quarantine.count++) % QUARANTINE_FRAMES_MAX] = page;
    return oldest;
}

const char *quarantine_audit(void)
{
    for (unsigned long i = 0; i < quarantine.count; i++) {
        const struct page *page = quarantine.frames[(quarantine.oldest + i) % QUARANTINE_FRAMES_MAX];

        if (page_state(page) != PAGE_STATE_QUARANTINED)
            return "a frame in quarantine is not marked so";
        check_poison(page);
    }
    return NULL;
}

/* ---- poison ---- */

void frame_check_poison(const struct page *page)
{
    const u64 *words = page_address(page);
    unsigned type = (unsigned)(page->private & POISON_TYPE);

    if ((page->private & ~(u64)POISON_TYPE) != POISON_MARK)
        return;
    for (unsigned long word = 0; word < PAGE_SIZE / sizeof(*words); word++)
        if (words[word] != POISON_FREE)
            panic("frame %#lx was written to after it was freed: it had been of type %s, and holds %#lx at byte %#lx",
                  page_to_pfn(page), type < PAGE_TYPES ? page_type_names[type] : "?", (unsigned long)words[word],
                  word * sizeof(*words));
}

#endif
