/*
 * /proc/PID/pagemap and mem, and /proc/kpageflags and kpagecount: what lies behind the addresses, as Linux's
 * binary files.
 */
#include "kernel/fs/procfs.h"

#include "mm/page_table.h"
#include "mm/user_copy.h"
#include "mm/vma.h"

#define ENTRY_SIZE sizeof(u64)
#define CHUNK_ENTRIES 64

/* ---- one entry per page or frame, made on the way ---- */

typedef u64 (*entry_function)(struct mm_struct *mm, unsigned long index);

/* Reads entries from *POS on; there are LIMIT of them. Offset and size must be multiples of an entry's size. */
static long read_entries(struct iov_iter *iter, s64 *pos, unsigned long limit, entry_function entry,
                         struct mm_struct *mm)
{
    u64 chunk[CHUNK_ENTRIES];
    long done = 0;

    if (*pos % ENTRY_SIZE || iter->count % ENTRY_SIZE)
        return -EINVAL;
    while (iter->count > 0) {
        unsigned long index = (unsigned long)*pos / ENTRY_SIZE, count = 0;
        while (count < CHUNK_ENTRIES && count < iter->count / ENTRY_SIZE && index + count < limit) {
            chunk[count] = entry(mm, index + count);
            count++;
        }
        if (count == 0)
            break;
        size_t copied = copy_to_iter(iter, chunk, count * ENTRY_SIZE);
        *pos += (s64)copied;
        done += (long)copied;
        if (copied < count * ENTRY_SIZE)
            return done ? done : -EFAULT;
    }
    return done;
}

static s64 binary_lseek(struct file *file, s64 offset, int whence)
{
    return whence == SEEK_END ? -EINVAL : lseek_within(file, offset, whence, 0);
}

/* ---- pagemap ---- */

#define PM_SOFT_DIRTY (1ull << 55)
#define PM_MMAP_EXCLUSIVE (1ull << 56)
#define PM_FILE (1ull << 61)
#define PM_PRESENT (1ull << 63)

static bool is_in_page_cache(const struct page *page)
{
    return (page->type == PAGE_FILE || page->type == PAGE_SHMEM) && page->mapping;
}

static bool is_the_stack(const struct vm_area_struct *vma)
{
    return (vma->vm_flags & VM_GROWSDOWN) && vma->vm_end >= vma->vm_mm->start_stack &&
           vma->vm_start <= vma->vm_mm->start_stack;
}

static u64 pagemap_entry(struct mm_struct *mm, unsigned long index)
{
    unsigned long address = index << PAGE_SHIFT;
    const struct vm_area_struct *vma = find_vma(mm, address);
    if (!vma || vma->vm_start > address)
        return 0;

    const pte_t *ptep = pte_offset(mm->pgd, address);
    bool present = ptep && pte_present(*ptep);
    /* Nobody ever clears soft-dirty bits, so every mapping but the stack counts as changed since then. */
    u64 entry = !is_the_stack(vma) || (present && pte_dirty(*ptep)) ? PM_SOFT_DIRTY : 0;
    if (!present)
        return entry;
    entry |= PM_PRESENT | pte_pfn(*ptep);
    if (is_zero_pfn(pte_pfn(*ptep)))
        return entry;
    const struct page *page = pte_page(*ptep);
    bool cached = is_in_page_cache(page);
    if (page->type != PAGE_ANON)
        entry |= PM_FILE;
    if (page_count(page) - cached == 1)
        entry |= PM_MMAP_EXCLUSIVE;
    return entry;
}

static long pagemap_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    const struct task *task = proc_task_of(file->inode);
    if (!task || !task->mm)
        return 0;
    return read_entries(iter, pos, TASK_SIZE >> PAGE_SHIFT, pagemap_entry, task->mm);
}

const struct file_operations proc_pagemap_ops = { .read = pagemap_read, .lseek = binary_lseek };

/* ---- kpageflags, kpagecount: by frame number ---- */

#define KPF_DIRTY (1ull << 4)
#define KPF_LRU (1ull << 5)
#define KPF_SLAB (1ull << 7)
#define KPF_BUDDY (1ull << 10)
#define KPF_MMAP (1ull << 11)
#define KPF_ANON (1ull << 12)
#define KPF_SWAPBACKED (1ull << 14)
#define KPF_NOPAGE (1ull << 20)
#define KPF_ZERO_PAGE (1ull << 24)
#define KPF_PGTABLE (1ull << 26)
#define KPF_RESERVED (1ull << 32)

static u64 flags_of_user_page(const struct page *page)
{
    bool mapped = page_count(page) > is_in_page_cache(page);
    return KPF_LRU | (mapped ? KPF_MMAP : 0) | (page->flags & PG_DIRTY ? KPF_DIRTY : 0);
}

static u64 kpageflags_entry(struct mm_struct *mm, unsigned long pfn)
{
    const struct page *page = pfn_to_page(pfn);

    (void)mm;
    switch (page->type) {
    case PAGE_FREE:
    case PAGE_CACHED:
        return KPF_BUDDY;
    case PAGE_SLAB:
        return KPF_SLAB;
    case PAGE_TABLE:
        return KPF_PGTABLE;
    case PAGE_ZERO:
        return KPF_ZERO_PAGE | KPF_RESERVED;
    case PAGE_ANON:
        return flags_of_user_page(page) | KPF_ANON | KPF_SWAPBACKED;
    case PAGE_FILE:
        return flags_of_user_page(page);
    case PAGE_SHMEM:
        return flags_of_user_page(page) | KPF_SWAPBACKED;
    case PAGE_RESERVED:
    case PAGE_ARCHIVE:
        return KPF_RESERVED;
    default:
        return 0;
    }
}

/* How often the frame is mapped. */
static u64 kpagecount_entry(struct mm_struct *mm, unsigned long pfn)
{
    const struct page *page = pfn_to_page(pfn);

    (void)mm;
    if (page->type != PAGE_ANON && page->type != PAGE_FILE && page->type != PAGE_SHMEM)
        return 0;
    return (u64)(page_count(page) - is_in_page_cache(page));
}

static long kpageflags_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    (void)file;
    return read_entries(iter, pos, max_pfn, kpageflags_entry, NULL);
}

static long kpagecount_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    (void)file;
    return read_entries(iter, pos, max_pfn, kpagecount_entry, NULL);
}

const struct file_operations proc_kpageflags_ops = { .read = kpageflags_read, .lseek = binary_lseek };
const struct file_operations proc_kpagecount_ops = { .read = kpagecount_read, .lseek = binary_lseek };

/* ---- mem: the address space as bytes ---- */

#define MEM_CHUNK 512

static long mem_transfer(struct file *file, struct iov_iter *iter, s64 *pos, bool write)
{
    const struct task *task = proc_task_of(file->inode);
    u8 chunk[MEM_CHUNK];
    long done = 0;

    if (!task || !task->mm)
        return 0;
    while (iter->count > 0) {
        size_t n = MIN(iter->count, sizeof(chunk)), moved;
        if (write) {
            n = copy_from_iter(iter, chunk, n);
            moved = access_remote_vm(task->mm, (unsigned long)*pos, chunk, n, true);
        } else {
            n = access_remote_vm(task->mm, (unsigned long)*pos, chunk, n, false);
            moved = copy_to_iter(iter, chunk, n);
            if (n && !moved)
                return done ? done : -EFAULT;
        }
        *pos += (s64)moved;
        done += (long)moved;
        if (moved == 0 || moved < n)
            return done ? done : -EIO;
    }
    return done;
}

static long mem_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    return mem_transfer(file, iter, pos, false);
}

static long mem_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    return mem_transfer(file, iter, pos, true);
}

const struct file_operations proc_mem_ops = { .read = mem_read, .write = mem_write, .lseek = binary_lseek };
