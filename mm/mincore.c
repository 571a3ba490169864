/* mincore: which pages of a range are resident. */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/filemap.h"
#include "mm/page_table.h"
#include "mm/user_copy.h"
#include "mm/vma.h"

/* Answers are gathered and handed over in pieces of so many pages. */
#define PIECE 256ul

/*
 * What a page without an entry is, in VMA, which is not anonymous: resident when its object has it ready. The archive is in
 * memory as a whole.
 */
static u8 is_in_object(const struct vm_area_struct *vma, unsigned long address)
{
    const struct address_space *mapping = vma->vm_mapping;
    unsigned long index = vma_page_index(vma, address);
    const struct page *page = page_tree_find(&mapping->pages, index);

    /* What fallocate made behind the end of a file counts, too; what the archive has is always there. */
    if (page)
        return !(page->flags & PG_FALLOCATED);
    return mapping->page_type == PAGE_FILE && index < PAGE_ALIGN(mapping->size) >> PAGE_SHIFT;
}

static void mincore_vma(const struct vm_area_struct *vma, unsigned long start, unsigned long pages,
                        u8 *answers)
{
    const unsigned long end = start + pages * PAGE_SIZE;

    if (vma_is_anonymous(vma))
        memset(answers, 0, pages);
    else
        for (unsigned long i = 0; i < pages; i++)
            answers[i] = is_in_object(vma, start + i * PAGE_SIZE);
    struct pte_iter it = pte_iter_over(vma->vm_mm->pgd, start, end);
    while (pte_iter_next(&it))
        answers[(it.address - start) >> PAGE_SHIFT] = 1;
}

int do_mincore(struct mm_struct *mm, unsigned long start, unsigned long length,
               unsigned long vector)
{
    u8 answers[PIECE];

    if (!IS_ALIGNED(start, PAGE_SIZE))
        return -EINVAL;
    if (!access_ok(start, length))
        return -ENOMEM;
    unsigned long pages = PAGE_ALIGN(length) >> PAGE_SHIFT;
    if (!access_ok(vector, pages))
        return -EFAULT;

    while (pages) {
        const struct vm_area_struct *vma = find_vma(mm, start);
        if (!vma || vma->vm_start > start)
            return -ENOMEM;
        unsigned long piece = MIN(MIN(pages, PIECE), (vma->vm_end - start) >> PAGE_SHIFT);
        mincore_vma(vma, start, piece, answers);
        if (copy_to_user(vector, answers, piece))
            return -EFAULT;
        pages -= piece;
        vector += piece;
        start += piece << PAGE_SHIFT;
    }
    return 0;
}
