/* The fuzzer's model: its pages, what they hold, and what is counted of them. */
#include "tests/fuzz/model.h"

#define CONTENTS 8192u /* pages of bytes that one sequence can make */

struct model model;
struct settings settings;

static u8 contents[CONTENTS][PAGE_SIZE];
static unsigned contents_used;

unsigned long address_of(unsigned page)
{
    if (page < BOTTOM_PAGES)
        return mmap_min_addr + page * P;
    if (page < BOTTOM_PAGES + WINDOW_PAGES)
        return WINDOW + (page - BOTTOM_PAGES) * P;
    return TASK_SIZE - (PAGES - page) * P;
}

static unsigned pages_up_to(unsigned long address, unsigned long zone, unsigned pages)
{
    return address <= zone ? 0 : (unsigned)MIN((address - zone + P - 1) / P, (unsigned long)pages);
}

unsigned page_at_or_above(unsigned long address)
{
    if (address > TASK_SIZE)
        return PAGES;
    return pages_up_to(address, mmap_min_addr, BOTTOM_PAGES) + pages_up_to(address, WINDOW, WINDOW_PAGES) +
           pages_up_to(address, TASK_SIZE - TOP_PAGES * P, TOP_PAGES);
}

struct model_page *page_holding(struct process *p, unsigned long address)
{
    unsigned page = page_at_or_above(address & PAGE_MASK);
    return page < PAGES && address_of(page) == (address & PAGE_MASK) ? &p->pages[page] : NULL;
}

bool is_in_zone(unsigned long start, unsigned long end)
{
    unsigned page = page_at_or_above(start);

    for (; start < end; start += P, page++)
        if (page >= PAGES || address_of(page) != start)
            return false;
    return true;
}

static bool continues_vma(const struct process *p, unsigned page)
{
    return page > 0 && page < PAGES && p->pages[page].mapped && p->pages[page - 1].mapped &&
           !p->pages[page].starts_vma && address_of(page) == address_of(page - 1) + P;
}

unsigned long vma_end_of(const struct process *p, unsigned page)
{
    while (continues_vma(p, page + 1))
        page++;
    return address_of(page) + P;
}

unsigned vma_first_of(const struct process *p, unsigned page)
{
    while (continues_vma(p, page))
        page--;
    return page;
}

/* ---- counts ---- */

static bool is_any(unsigned long vm_flags)
{
    (void)vm_flags;
    return true;
}

static bool is_locked(unsigned long vm_flags)
{
    return (vm_flags & VM_LOCKED) != 0;
}

unsigned long pages_that(const struct process *p, bool (*is)(unsigned long vm_flags))
{
    unsigned long count = 0;

    for (unsigned i = 0; i < PAGES; i++)
        count += p->pages[i].mapped && is(p->pages[i].flags);
    return count;
}

unsigned long total_pages(const struct process *p)
{
    return pages_that(p, is_any);
}

unsigned long locked_pages(const struct process *p)
{
    return pages_that(p, is_locked);
}

static bool is_accounted(unsigned long vm_flags)
{
    return (vm_flags & VM_ACCOUNT) != 0;
}

unsigned long model_committed(void)
{
    static bool is_mapped[OBJECTS];
    unsigned long pages = 0;

    memset(is_mapped, 0, sizeof(is_mapped));
    for (unsigned n = 0; n < PROCESSES; n++) {
        const struct process *p = &model.processes[n];
        pages += pages_that(p, is_accounted);
        for (unsigned i = 0; i < PAGES; i++)
            if (p->pages[i].mapped && p->pages[i].object != NO_OBJECT)
                is_mapped[p->pages[i].object] = true;
    }
    for (unsigned i = 0; i < model.objects_used; i++)
        pages += is_mapped[i] ? model.objects[i].charged : 0;
    return pages;
}

bool model_may_expand(const struct process *p, unsigned long flags, unsigned long pages)
{
    const struct mm_limits *limits = &settings.limits;

    if (total_pages(p) + pages > limits->as / P)
        return false;
    unsigned long data = pages_that(p, is_data_mapping) + pages;
    return !is_data_mapping(flags) || data <= limits->data / P || (limits->data == 0 && data <= limits->data_hard / P);
}

bool model_may_commit(const struct process *p, unsigned long pages, bool charged)
{
    if (settings.overcommit == OVERCOMMIT_ALWAYS)
        return true;
    if (settings.overcommit == OVERCOMMIT_GUESS)
        return pages <= total_frames;
    /* A thirty-second of memory is kept for the administrator, a thirty-second of the program for the user. */
    unsigned long kept = total_frames / 32 + MIN(total_pages(p) / 32, total_frames / 32);
    unsigned long limit = total_frames * (unsigned long)settings.overcommit_ratio / 100;
    return limit > kept && model_committed() + (charged ? pages : 0) < limit - kept;
}

bool is_beyond_lock_limit(const struct process *p, unsigned long flags, unsigned long pages)
{
    return (flags & VM_LOCKED) && !settings.may_lock_beyond_limit &&
           locked_pages(p) + pages > settings.limits.memlock / P;
}

/* ---- bytes ---- */

void contents_forget(void)
{
    contents_used = 0;
}

u8 archive_byte(unsigned long offset)
{
    return (u8)(offset * 7 + offset / P + 1);
}

static const u8 *archive_page(unsigned index)
{
    static u8 pages[ARCHIVE_SIZE / P + 1][PAGE_SIZE];

    for (unsigned i = 0; i < P; i++)
        pages[index][i] = index * P + i < ARCHIVE_SIZE ? archive_byte(index * P + i) : 0;
    return pages[index];
}

const u8 *bytes_of(const struct model_page *page)
{
    static const u8 zeroes[PAGE_SIZE];
    const u8 *bytes = page->bytes;

    if (!page->own && page->object == ARCHIVE_FILE)
        return archive_page(page->index);
    if (!page->own)
        bytes = page->object == NO_OBJECT ? NULL : model.objects[page->object].bytes[page->index];
    return bytes ? bytes : zeroes;
}

void store(struct model_page *page, unsigned long offset, const u8 *bytes, unsigned long n)
{
    if (contents_used == CONTENTS)
        abort();
    u8 *changed = contents[contents_used++];

    memcpy(changed, bytes_of(page), P);
    memcpy(changed + offset, bytes, n);
    if (page->flags & VM_SHARED)
        model.objects[page->object].bytes[page->index] = changed;
    else
        page->bytes = changed;
}

void forget_page_content(struct model_page *page)
{
    page->own = page->given_up = page->may_be_gone = false;
    page->bytes = NULL;
    page->resident = NO;
}

void unmap_pages(struct process *p, unsigned long start, unsigned long end)
{
    for_each_page(i, start, end) memset(&p->pages[i], 0, sizeof(p->pages[i]));
}

bool is_beyond_object(const struct model_page *page)
{
    return !page->own && page->object != NO_OBJECT && page->index >= PAGE_ALIGN(model.objects[page->object].size) / P;
}

bool make_present(struct model_page *page, bool write)
{
    if (is_beyond_object(page))
        return false;
    page->resident = YES;
    page->given_up &= !write;
    if (page->object != NO_OBJECT && !page->own)
        model.objects[page->object].made[page->index] = YES;
    if (write && !(page->flags & VM_SHARED) && !page->own) {
        page->bytes = bytes_of(page); /* of the object, which is copied */
        page->own = true;
    }
    return true;
}

/* ---- room ---- */

/* Where what lies at PAGE begins to be in the way. */
static unsigned long start_with_gap(const struct process *p, unsigned page)
{
    unsigned long address = address_of(page);

    if (!(p->pages[page].flags & VM_GROWSDOWN))
        return address;
    return address > STACK_GUARD_GAP ? address - STACK_GUARD_GAP : 0;
}

bool is_room(const struct process *p, unsigned long address, unsigned long length)
{
    unsigned page = page_at_or_above(address);

    while (page < PAGES && !p->pages[page].mapped)
        page++;
    /* A mapping that has pages on both sides of ADDRESS has one at ADDRESS. */
    return page == PAGES || address + length <= start_with_gap(p, page);
}

/* The first or last hole of [low, high) that LENGTH fits into: from *START to *END, below page *ABOVE (or PAGES). Guard
 * gaps: GUARDED. */
static bool find_hole(const struct process *p, unsigned long length, unsigned long low, unsigned long high,
                      bool highest, bool guarded, unsigned long *start, unsigned long *end, unsigned *above)
{
    unsigned long floor = low;
    bool found = false;

    for (unsigned i = 0; i <= PAGES; i++) {
        if (i < PAGES && !p->pages[i].mapped)
            continue;
        unsigned long ceiling = i == PAGES ? TASK_SIZE : guarded ? start_with_gap(p, i) : address_of(i);
        ceiling = MIN(ceiling, high);
        if (ceiling > floor && ceiling - floor >= length) {
            *start = floor;
            *end = ceiling;
            *above = i;
            found = true;
            if (!highest)
                return true;
        }
        if (i < PAGES)
            floor = MAX(floor, address_of(i) + P);
    }
    return found;
}

unsigned long find_room(const struct process *p, unsigned long length, unsigned long low, unsigned long high,
                        bool highest)
{
    unsigned long start, end;
    unsigned above;

    if (!highest)
        return find_hole(p, length, low, high, false, true, &start, &end, &above) ? start : (unsigned long)-ENOMEM;
    /* From above, a stack's guard gap is noticed only when a hole was found below it; then the search begins again
     * below the gap. */
    while (find_hole(p, length, low, high, true, false, &start, &end, &above)) {
        if (above == PAGES || end <= start_with_gap(p, above))
            return end - length;
        high = start_with_gap(p, above);
    }
    return (unsigned long)-ENOMEM;
}
