/* A file for host tests, as the initial archive would give it: read in page by page. */
#include "tests/host/file_host.h"
#include "kernel/lib/errno.h"
#include "mm/slab.h"
#include "tests/host/harness.h"

static int read_page(struct address_space *mapping, struct page *page)
{
    u8 *bytes = page_address(page);

    for (unsigned long i = 0; i < PAGE_SIZE; i++) {
        unsigned long offset = page->index * PAGE_SIZE + i;
        bytes[i] = offset < mapping->size ? test_file_byte(offset) : 0;
    }
    return 0;
}

static void release(struct address_space *mapping)
{
    kfree(mapping);
}

static const struct address_space_operations operations = { read_page, release };

struct address_space *test_file(unsigned long size)
{
    struct address_space *file = kmalloc(sizeof(*file));

    assert_non_null(file);
    address_space_init(file, PAGE_FILE, &operations, NULL);
    file->size = size;
    return file;
}

unsigned long map_file(struct mm_struct *mm, struct address_space *file, unsigned long pages,
                       unsigned long prot, unsigned long flags)
{
    const struct mmap_source source = { .mapping = file, .ops = &generic_file_vm_ops,
                                        .readable = true, .writable = true };
    unsigned long at = do_mmap(mm, &source, 0, pages * PAGE_SIZE, prot, flags, 0);

    if (IS_ERR_VALUE(at))
        fail_msg("mmap of a file failed with %ld", (long)at);
    return at;
}
