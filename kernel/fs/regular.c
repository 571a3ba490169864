/* Reading, writing, sizing and mapping regular files. */
#include "kernel/fs/regular.h"

#include "kernel/lib/string.h"
#include "mm/page_alloc.h"

/* Copies up to N bytes of one page at POS. An absent page is not made for this: it is in the archive, or zeroes. */
static size_t read_from_page(struct inode *inode, struct iov_iter *iter, u64 pos, size_t n)
{
    size_t offset = pos & (PAGE_SIZE - 1);
    struct page *page = page_tree_find(&inode->mapping.pages, pos >> PAGE_SHIFT);

    if (page) {
        /* The copy may fault and so start a search for memory: hold on to the page. */
        get_page(page);
        size_t copied = copy_to_iter(iter, (u8 *)page_address(page) + offset, n);
        put_page(page);
        return copied;
    }
    if (pos < inode->archive_size) {
        size_t there = MIN(n, inode->archive_size - pos);
        size_t copied = copy_to_iter(iter, inode->archive_data + pos, there);
        return copied < there ? copied : copied + clear_iter(iter, n - there);
    }
    return clear_iter(iter, n);
}

static long regular_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    struct inode *inode = file->inode;
    long done = 0;

    while (iter->count > 0 && (u64)*pos < inode->mapping.size) {
        size_t n = PAGE_SIZE - (*pos & (PAGE_SIZE - 1));
        n = MIN(n, iter->count);
        n = MIN(n, inode->mapping.size - (u64)*pos);
        size_t copied = read_from_page(inode, iter, (u64)*pos, n);
        *pos += (s64)copied;
        done += (long)copied;
        if (copied < n)
            return done ? done : -EFAULT;
    }
    return done;
}

unsigned long regular_page_limit(u32 device)
{
    return device == DEVICE_SHMEM ? ~0ul : total_frames / 2;
}

unsigned long regular_page_count(u32 device)
{
    return frame_counts[device == DEVICE_ROOT ? PAGE_FILE : PAGE_SHMEM];
}

/* The page at POS for writing, with a reference, made if it is not there yet. NULL with *ERROR. */
static struct page *get_page_for_write(struct inode *inode, u64 pos, int *error)
{
    struct address_space *mapping = &inode->mapping;
    unsigned long index = pos >> PAGE_SHIFT;

    if (!page_tree_find(&mapping->pages, index) &&
        regular_page_count(inode->device) >= regular_page_limit(inode->device)) {
        *error = -ENOSPC;
        return NULL;
    }
    struct page *page = mapping_get_page(mapping, index, error);
    if (!page && *error == -ENOMEM)
        *error = -ENOSPC;
    return page;
}

/* Copies up to N bytes into the page at POS, making the file longer where it must. Bytes or negative errno. */
static long write_to_page(struct inode *inode, struct iov_iter *iter, u64 pos, size_t n)
{
    struct address_space *mapping = &inode->mapping;
    u64 old_size = mapping->size;
    int error;

    if (!iov_iter_fault_in(iter, n))
        return -EFAULT;
    /* mapping_get_page gives pages within the size only; the size is put right below if the copy stops early. */
    if (pos + n > old_size)
        mapping->size = pos + n;
    struct page *page = get_page_for_write(inode, pos, &error);
    if (!page) {
        mapping->size = old_size;
        return error;
    }
    size_t copied = copy_from_iter(iter, (u8 *)page_address(page) + (pos & (PAGE_SIZE - 1)), n);
    if (copied)
        page->flags = (page->flags | PG_DIRTY) & ~PG_FALLOCATED;
    put_page(page);
    mapping->size = copied ? MAX(old_size, pos + copied) : old_size;
    return (long)copied;
}

/* How many of COUNT bytes at POS may be written: the file-size limit of the process and of files. Or -EFBIG. */
static long limit_write(u64 pos, size_t count)
{
    u64 limit = current->process->limits[RLIMIT_FSIZE].current;

    if (pos >= limit) {
        signal_send_task(current, SIGXFSZ, NULL);
        return -EFBIG;
    }
    if (pos >= MAX_FILE_SIZE)
        return -EFBIG;
    return (long)MIN(count, MIN(limit, MAX_FILE_SIZE) - pos);
}

static long regular_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    struct inode *inode = file->inode;
    long done = 0;

    if (file->flags & O_APPEND)
        *pos = (s64)inode->mapping.size;
    if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    long allowed = limit_write((u64)*pos, iter->count);
    if (allowed < 0)
        return allowed;
    iter->count = (size_t)allowed;
    if ((inode->seals & F_SEAL_GROW) && (u64)*pos + iter->count > inode->mapping.size) {
        if ((u64)*pos >= inode->mapping.size)
            return -EPERM;
        iter->count = inode->mapping.size - (u64)*pos;
    }

    inode->mtime = inode->ctime = wall_clock();
    while (iter->count > 0) {
        size_t n = PAGE_SIZE - (*pos & (PAGE_SIZE - 1));
        n = MIN(n, iter->count);
        long copied = write_to_page(inode, iter, (u64)*pos, n);
        if (copied <= 0)
            return done ? done : copied ? copied : -EFAULT;
        *pos += copied;
        done += copied;
    }
    return done;
}

/* Pages that exist are data, but for those that fallocate made; so is what is still in the archive. */
static bool is_data_at(const struct inode *inode, u64 pos)
{
    const struct page *page = page_tree_find(&inode->mapping.pages, pos >> PAGE_SHIFT);
    return page ? !(page->flags & PG_FALLOCATED) : pos < inode->archive_size;
}

/* SEEK_DATA and SEEK_HOLE. */
static s64 seek_data_or_hole(struct inode *inode, u64 offset, bool data)
{
    u64 size = inode->mapping.size;

    if (offset >= size)
        return -ENXIO;
    for (u64 pos = offset; pos < size;) {
        if (is_data_at(inode, pos) == data)
            return (s64)pos;
        unsigned long index = (pos >> PAGE_SHIFT) + 1;
        /* In a file that is one large hole, only its pages are looked at. */
        if (data && inode->archive_size == 0 && !page_tree_next(&inode->mapping.pages, &index))
            break;
        pos = (u64)index << PAGE_SHIFT;
    }
    return data ? -ENXIO : (s64)size;
}

static s64 regular_lseek(struct file *file, s64 offset, int whence)
{
    struct inode *inode = file->inode;

    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        s64 found = offset < 0 ? -ENXIO : seek_data_or_hole(inode, (u64)offset, whence == SEEK_DATA);
        if (found >= 0)
            file->pos = found;
        return found;
    }
    return lseek_within(file, offset, whence, inode->mapping.size);
}

static int regular_mmap(struct file *file, unsigned long flags, unsigned long length, struct mmap_source *source)
{
    struct inode *inode = file->inode;
    bool sealed = inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);

    (void)length;
    mapping_get(&inode->mapping);
    source->mapping = &inode->mapping;
    source->ops = inode->mapping.page_type == PAGE_SHMEM ? &shmem_vm_ops : &generic_file_vm_ops;
    source->readable = file_readable(file);
    source->writable = file_writable(file) && !(sealed && (flags & MAP_TYPE) != MAP_PRIVATE);
    source->no_exec = false;
    source->file = file->number;
    return 0;
}

static int regular_truncate(struct inode *inode, u64 size)
{
    if (size > MAX_FILE_SIZE)
        return -EFBIG;
    if ((inode->seals & F_SEAL_SHRINK) && size < inode->mapping.size)
        return -EPERM;
    if ((inode->seals & F_SEAL_GROW) && size > inode->mapping.size)
        return -EPERM;
    /* Pages behind the end (fallocate makes them) go, too. */
    if (size == inode->mapping.size)
        mapping_punch_hole(&inode->mapping, PAGE_ALIGN(size) >> PAGE_SHIFT, ~0ul);
    mapping_truncate(&inode->mapping, size);
    inode->archive_size = MIN(inode->archive_size, size);
    inode->mtime = inode->ctime = wall_clock();
    return 0;
}

/* Takes back the pages from FIRST to before LAST that fallocate made and nobody has touched. */
static void free_allocated(struct address_space *mapping, unsigned long first, unsigned long last)
{
    for (unsigned long index = first; index < last; index++) {
        const struct page *page = page_tree_find(&mapping->pages, index);
        if (page && (page->flags & PG_FALLOCATED))
            mapping_punch_hole(mapping, index, index + 1);
    }
}

/* Allocated for a second time, a page becomes one with data, as on Linux: a failure later on must not take it back. */
int regular_allocate(struct inode *inode, u64 offset, u64 length, bool keep_size)
{
    struct address_space *mapping = &inode->mapping;
    u64 old_size = mapping->size, end = offset + length;
    int error = 0;

    if ((inode->seals & F_SEAL_GROW) && !keep_size && end > old_size)
        return -EPERM;
    /* mapping_get_page makes pages within the size only. */
    mapping->size = MAX(old_size, end);
    for (u64 pos = ALIGN_DOWN(offset, PAGE_SIZE); pos < end; pos += PAGE_SIZE) {
        bool is_new = !page_tree_find(&mapping->pages, pos >> PAGE_SHIFT) && pos >= inode->archive_size;
        struct page *page = get_page_for_write(inode, pos, &error);
        if (!page) {
            free_allocated(mapping, offset >> PAGE_SHIFT, pos >> PAGE_SHIFT);
            break;
        }
        page->flags = (page->flags & ~PG_FALLOCATED) | (is_new ? PG_FALLOCATED | PG_DIRTY : PG_DIRTY);
        put_page(page);
        error = 0;
    }
    if (error || keep_size)
        mapping->size = old_size;
    inode->ctime = wall_clock();
    return error;
}

/* The part of one page at POS that is to read as zeroes. A page that is not there reads so already. */
static void clear_part(struct inode *inode, u64 pos, size_t n)
{
    struct page *page = n ? page_tree_find(&inode->mapping.pages, pos >> PAGE_SHIFT) : NULL;

    if (!page)
        return;
    memset((u8 *)page_address(page) + (pos & (PAGE_SIZE - 1)), 0, n);
    page->flags |= PG_DIRTY;
}

int regular_punch_hole(struct inode *inode, u64 offset, u64 length)
{
    u64 end = offset + length;
    u64 first = ALIGN_UP(offset, PAGE_SIZE), last = ALIGN_DOWN(end, PAGE_SIZE);

    if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    if (inode->archive_size > 0)
        return -EOPNOTSUPP;     /* a page that is gone would be read from the archive again */
    /* Where the punch ends in the first page, Linux's range of whole pages wraps: it unmaps all from FIRST on. */
    if (last == 0)
        mapping_unmap(&inode->mapping, first >> PAGE_SHIFT);
    if (first > last) {
        clear_part(inode, offset, length);
        return 0;
    }
    mapping_punch_hole(&inode->mapping, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
    clear_part(inode, offset, first - offset);
    clear_part(inode, last, end - last);
    return 0;
}

/* Once a file of the archive can be written, its pages are the only copy of what was written: they must stay. */
static int regular_open(struct inode *inode, struct file *file)
{
    if (file_writable(file))
        inode->mapping.keeps_pages = true;
    return 0;
}

const struct inode_operations regular_inode_ops = { .truncate = regular_truncate, .open = regular_open };

const struct file_operations regular_file_ops = {
    .read = regular_read,
    .write = regular_write,
    .lseek = regular_lseek,
    .mmap = regular_mmap,
};
