/*
 * The audit of all that mm/ keeps: every frame has exactly the users that it counts, and nothing is
 * lost.
 */
#include "mm/audit.h"
#include <stdarg.h>
#include "kernel/lib/printf.h"
#include "mm/audit_internal.h"
#include "mm/filemap.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"
#include "mm/slab.h"

#define AUDIT_REPORTS_MAX 20
#define USER_ENTRIES (ENTRIES_PER_TABLE / 2)

void audit_finding(struct audit *audit, const char *format, ...)
{
    char sentence[200];
    va_list arguments;

    if (audit->findings++ >= AUDIT_REPORTS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    audit->report(sentence, audit->context);
}

static inline bool is_user_memory(const struct page *page)
{
    return page->type == PAGE_ANON || page->type == PAGE_FILE || page->type == PAGE_SHMEM;
}

/* page->private of these frames is the audit's to count in: nobody else uses it. */
static void clear_counts(void)
{
    for (pfn_t pfn = 0; pfn < max_pfn; pfn++) {
        struct page *page = pfn_to_page(pfn);
        if (is_user_memory(page) || page->type == PAGE_TABLE)
            page->private = 0;
    }
}

/* A page cache that holds PAGE is one more user, if it really does. */
static bool is_in_cache(const struct page *page)
{
    return page->type != PAGE_ANON && page->mapping &&
           page_tree_find(&page->mapping->pages, page->index) == page;
}

static void audit_user_frame(struct audit *audit, pfn_t pfn)
{
    const struct page *page = pfn_to_page(pfn);
    unsigned long entries = (unsigned long)page->private;
    unsigned long users = entries + (is_in_cache(page) ? 1 : 0);

    if (page->type != PAGE_ANON && page->mapping && !is_in_cache(page))
        audit_finding(audit, "frame 0x%lx names a page cache that does not hold it", pfn);
    if ((unsigned long)page_count(page) != users)
        audit_finding(audit, "frame 0x%lx (%s) counts %d users and has %lu, %lu of them entries",
                      pfn, page_type_names[page->type], page_count(page), users, entries);
    if ((page->flags & PG_ANON_EXCLUSIVE) && (page->type != PAGE_ANON || page_count(page) != 1))
        audit_finding(audit, "frame 0x%lx is marked exclusive and has %d users", pfn,
                      page_count(page));
}

static void audit_frames(struct audit *audit)
{
    for (pfn_t pfn = 0; pfn < max_pfn; pfn++) {
        const struct page *page = pfn_to_page(pfn);
        if (is_user_memory(page))
            audit_user_frame(audit, pfn);
        else if (page->type == PAGE_TABLE && !page->private)
            audit_finding(audit, "frame 0x%lx is a page table that no address space has", pfn);
    }
}

static void audit_zero_frame(struct audit *audit)
{
    const u64 *words = (const u64 *)empty_zero_page;

    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
        if (words[i]) {
            audit_finding(audit, "the zero frame is not zero at byte %u",
                          i * (unsigned)sizeof(*words));
            return;
        }
    }
    unsigned type = pfn_to_page(zero_pfn)->type;
    if (type != PAGE_ZERO)
        audit_finding(audit, "the zero frame has the type %s", page_type_names[type]);
}

unsigned mm_audit(void (*report)(const char *finding, void *context), void *context)
{
    struct audit audit = { report, context, 0 };
    struct mm_struct *mm;
    const char *finding;

    clear_counts();
    virt_to_page(kernel_pgd)->private = 1;
    audit_mark_tables(&audit, kernel_pgd, 4, USER_ENTRIES, ENTRIES_PER_TABLE);
    list_for_each_entry(mm, &all_mms, mm_list)
        audit_address_space(&audit, mm);
    audit_frames(&audit);
    audit_zero_frame(&audit);
    if ((finding = page_alloc_audit()) != NULL)
        audit_finding(&audit, "%s", finding);
    if ((finding = slab_audit()) != NULL)
        audit_finding(&audit, "%s", finding);
    return audit.findings;
}
