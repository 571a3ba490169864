/*
 * The audit of one address space: each entry lies in a VMA and says what that VMA says; no table
 * without use; the counts agree.
 */
#include "mm/audit_internal.h"
#include "mm/page_table.h"
#include "mm/unmap.h"
#include "mm/vma.h"

#define PML4_LEVEL 4
/* The bits of an entry that its VMA alone decides. */
#define VMA_DECIDES (PTE_PRESENT | PTE_PROTNONE | PTE_USER | PTE_NX)
#define NEVER_SET (PTE_WRITE_THROUGH | PTE_CACHE_DISABLE | PTE_LARGE)

static void audit_own_page(struct audit *audit, const struct vm_area_struct *vma,
                           unsigned long address, pte_t pte)
{
    const struct page *page = pte_page(pte);
    bool may_write = (vma->vm_flags & VM_SHARED) ? (vma->vm_flags & VM_WRITE) != 0
                   : (vma->vm_flags & VM_WRITE) && page->type == PAGE_ANON &&
                     (page->flags & PG_ANON_EXCLUSIVE);

    if (page->type != PAGE_ANON && page->type != PAGE_FILE && page->type != PAGE_SHMEM)
        audit_finding(audit, "0x%lx maps frame 0x%lx, which is %s", address, pte_pfn(pte),
                      page_type_names[page->type]);
    if (pte_write(pte) && !may_write)
        audit_finding(audit,
                      "0x%lx is writable, but its VMA does not allow it or others share frame 0x%lx",
                      address, pte_pfn(pte));
    if (page->type == PAGE_ANON && ((vma->vm_flags & VM_SHARED) || !vma->vm_anon))
        audit_finding(audit, "0x%lx maps an anonymous frame in a VMA that has none", address);
    if (page->type != PAGE_ANON && page->mapping && page->mapping != vma->vm_mapping)
        audit_finding(audit, "0x%lx maps a page of another object", address);
    if (page->type != PAGE_ANON && page->mapping && page->index != vma_page_index(vma, address))
        audit_finding(audit, "0x%lx maps page %lu of its object instead of page %lu", address,
                      page->index, vma_page_index(vma, address));
}

static void audit_entry(struct audit *audit, const struct vm_area_struct *vma,
                        unsigned long address, pte_t pte)
{
    u64 expected = vm_get_page_prot(vma->vm_flags) & VMA_DECIDES;

    if ((pte.value & VMA_DECIDES) != expected || (pte.value & NEVER_SET))
        audit_finding(audit, "the bits of 0x%lx (entry 0x%llx) do not follow from its VMA", address,
                      (unsigned long long)pte.value);
    if (!is_zero_pfn(pte_pfn(pte)))
        audit_own_page(audit, vma, address, pte);
    else if (pte_write(pte))
        audit_finding(audit, "0x%lx maps the zero frame writable", address);
    else if (!vma_is_anonymous(vma))
        audit_finding(audit, "0x%lx maps the zero frame in a VMA that is not anonymous", address);
}

/* All entries, from the first address to the last, beside the list of VMAs. */
static void audit_entries(struct audit *audit, struct mm_struct *mm)
{
    struct pte_iter it = pte_iter_over(mm->pgd, 0, TASK_SIZE);
    const struct vm_area_struct *vma = mm->mmap;
    long rss[NR_MM_COUNTERS] = { 0 };

    while (pte_iter_next(&it)) {
        while (vma && vma->vm_end <= it.address)
            vma = vma->vm_next;
        if (pte_pfn(*it.ptep) >= max_pfn) {
            audit_finding(audit, "0x%lx maps frame 0x%lx, which does not exist", it.address,
                          pte_pfn(*it.ptep));
            continue;
        }
        if (!vma || vma->vm_start > it.address)
            audit_finding(audit, "0x%lx has an entry and lies in no VMA", it.address);
        else
            audit_entry(audit, vma, it.address, *it.ptep);
        if (!is_zero_pfn(pte_pfn(*it.ptep))) {
            pte_page(*it.ptep)->private++;
            rss[page_counter(pte_page(*it.ptep))]++;
        }
    }
    for (int i = 0; i < NR_MM_COUNTERS; i++)
        if (rss[i] != mm->rss[i])
            audit_finding(audit,
                          "an address space counts %ld resident pages of kind %d and has %ld",
                          mm->rss[i], i, rss[i]);
}

unsigned long audit_mark_tables(struct audit *audit, const pte_t *table, unsigned level,
                                unsigned first, unsigned end)
{
    unsigned long tables = 0;

    for (unsigned i = first; i < end; i++) {
        if (!pte_hw_present(table[i]) || (table[i].value & PTE_LARGE))
            continue;
        struct page *page = pte_page(table[i]);
        if (page->type != PAGE_TABLE || page_count(page) != 1) {
            audit_finding(audit, "frame 0x%lx is used as a page table and is %s with %d users",
                          pte_pfn(table[i]), page_type_names[page->type], page_count(page));
            continue;
        }
        if (page->private++)
            audit_finding(audit, "the page table in frame 0x%lx is used twice", pte_pfn(table[i]));
        tables++;
        if (level > 2)
            tables += audit_mark_tables(audit, table_of(table[i]), level - 1, 0, ENTRIES_PER_TABLE);
    }
    return tables;
}

/* Every table below TABLE, whose first entry serves BASE, must serve a VMA. */
static void audit_tables_serve(struct audit *audit, struct mm_struct *mm, const pte_t *table,
                               unsigned level, unsigned long base, unsigned entries)
{
    for (unsigned i = 0; i < entries; i++) {
        if (!pte_hw_present(table[i]))
            continue;
        unsigned long start = base + i * LEVEL_SIZE(level);
        if (!find_vma_intersection(mm, start, start + LEVEL_SIZE(level)))
            audit_finding(audit, "a page table of level %u at 0x%lx serves no VMA", level - 1,
                          start);
        else if (level > 2)
            audit_tables_serve(audit, mm, table_of(table[i]), level - 1, start, ENTRIES_PER_TABLE);
    }
}

void audit_address_space(struct audit *audit, struct mm_struct *mm)
{
    const char *finding = vma_audit(mm);
    if (finding)
        audit_finding(audit, "%s", finding);

    virt_to_page(mm->pgd)->private = 1;
    unsigned long tables = audit_mark_tables(audit, mm->pgd, PML4_LEVEL, 0, ENTRIES_PER_TABLE / 2);
    if (tables * PAGE_SIZE != mm->pgtables_bytes)
        audit_finding(audit, "an address space counts %lu bytes of page tables and has %lu",
                      mm->pgtables_bytes, tables * PAGE_SIZE);
    audit_tables_serve(audit, mm, mm->pgd, PML4_LEVEL, 0, ENTRIES_PER_TABLE / 2);
    audit_entries(audit, mm);
}
