/*
 * Copies between the kernel and user memory: checked here, done by the processor's own copy,
 * faulted in on the way.
 */
#include "kernel/lib/string.h"
#include "mm/fault.h"
#include "mm/page_table.h"
#include "mm/user_copy.h"
#include "mm/vma.h"

/*
 * Strings are fetched in pieces of this size that never cross a page, so that nothing behind the
 * NUL's page is touched.
 */
#define STRING_PIECE 64ul

unsigned long copy_from_user(void *to, unsigned long from, unsigned long n)
{
    if (unlikely(!access_ok(from, n)))
        return n;
    return arch_copy_from_user(to, from, n);
}

unsigned long copy_to_user(unsigned long to, const void *from, unsigned long n)
{
    if (unlikely(!access_ok(to, n)))
        return n;
    return arch_copy_to_user(to, from, n);
}

unsigned long clear_user(unsigned long to, unsigned long n)
{
    if (unlikely(!access_ok(to, n)))
        return n;
    return arch_clear_user((void *)to, n);
}

long strncpy_from_user(char *to, unsigned long from, size_t size)
{
    size_t length = 0;

    while (length < size) {
        size_t piece = MIN(size - length, STRING_PIECE - (from + length) % STRING_PIECE);
        if (copy_from_user(to + length, from + length, piece))
            return -EFAULT;
        size_t scanned = strnlen(to + length, piece);
        length += scanned;
        if (scanned < piece)
            return (long)length;
    }
    return -ENAMETOOLONG;
}

/* The page at ADDRESS of MM, made present for the access if the VMA allows it; NULL if not. */
static struct page *get_remote_page(struct mm_struct *mm, unsigned long address, bool write)
{
    struct vm_area_struct *vma = find_vma(mm, address);
    if (!vma)
        return NULL;
    if (vma->vm_start > address && (!(vma->vm_flags & VM_GROWSDOWN) || expand_stack(vma, address)))
        return NULL;
    if (!(vma->vm_flags & (write ? VM_WRITE : VM_ACCESS_FLAGS)))
        return NULL;

    pte_t *ptep = pte_offset(mm->pgd, address);
    if (!ptep || !pte_present(*ptep) || (write && !pte_write(*ptep))) {
        if (fault_failed(handle_mm_fault(vma, address, write ? FAULT_FLAG_WRITE : 0)))
            return NULL;
        ptep = pte_offset(mm->pgd, address);
    }
    return pte_page(*ptep);
}

unsigned long access_remote_vm(struct mm_struct *mm, unsigned long address, void *buffer,
                               unsigned long n, bool write)
{
    unsigned long done = 0;

    while (done < n && access_ok(address + done, 1)) {
        unsigned long offset = (address + done) & ~PAGE_MASK;
        unsigned long piece = MIN(n - done, PAGE_SIZE - offset);
        struct page *page = get_remote_page(mm, address + done, write);
        if (!page)
            break;
        u8 *memory = (u8 *)page_address(page) + offset;
        if (write)
            memcpy(memory, (u8 *)buffer + done, piece);
        else
            memcpy((u8 *)buffer + done, memory, piece);
        done += piece;
    }
    return done;
}
