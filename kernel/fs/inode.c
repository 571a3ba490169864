/* Inodes: their life, and who may use them. */
#include "kernel/fs/fs.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/slab.h"

static DEFINE_SLAB_CACHE(inode_cache, "inode", sizeof(struct inode), 8);

struct inode *root_inode;
unsigned long inode_count;
static u64 last_inode_number;

static int read_page_of_archive(struct address_space *mapping, struct page *page);
static void free_inode(struct address_space *mapping);

static const struct address_space_operations inode_mapping_ops = {
    .read_page = read_page_of_archive,
    .release = free_inode,
};

struct inode *inode_alloc(u32 mode, u32 device)
{
    struct inode *inode = slab_zalloc(&inode_cache);
    if (!inode)
        return NULL;
    inode_count++;
    bool in_archive = device == DEVICE_ROOT;
    address_space_init(&inode->mapping, in_archive ? PAGE_FILE : PAGE_SHMEM, &inode_mapping_ops, inode);
    inode->number = ++last_inode_number;
    inode->device = device;
    inode->mode = mode;
    inode->nlink = S_ISDIR(mode) ? 2 : 1;
    inode->refcount = 1;
    inode->atime = inode->mtime = inode->ctime = wall_clock();
    list_init(&inode->children);
    list_init(&inode->entries);
    if (current) {
        inode->uid = current->euid;
        inode->gid = current->egid;
    }
    return inode;
}

/* Pages of the archive's files are copied when they are needed: bytes that a program may map must begin at a page. */
static int read_page_of_archive(struct address_space *mapping, struct page *page)
{
    const struct inode *inode = mapping->host;
    u64 start = (u64)page->index << PAGE_SHIFT;
    u8 *memory = page_address(page);
    size_t n = 0;

    if (inode->archive_size == 0) {
        clear_page(memory);
        return 0;
    }
    if (start < inode->archive_size) {
        n = MIN(inode->archive_size - start, PAGE_SIZE);
        memcpy(memory, inode->archive_data + start, n);
    }
    memset(memory + n, 0, PAGE_SIZE - n);
    return 0;
}

void inode_put(struct inode *inode)
{
    assert(inode->refcount > 0);
    if (--inode->refcount > 0)
        return;
    /* Mappings may still hold it; the last one calls free_inode. */
    mapping_put(&inode->mapping);
}

static void free_inode(struct address_space *mapping)
{
    struct inode *inode = mapping->host;

    assert(list_empty(&inode->entries) && list_empty(&inode->children) && !inode->locks);
    if (inode->ops && inode->ops->release)
        inode->ops->release(inode);
    if (inode->parent && inode->parent != inode)
        inode_put(inode->parent);
    kfree(inode->name);
    inode_count--;
    slab_free(&inode_cache, inode);
}

struct inode *mapping_inode(const struct address_space *mapping)
{
    return mapping->ops == &inode_mapping_ops ? mapping->host : NULL;
}

bool inode_is_executed(const struct inode *inode)
{
    const struct vm_area_struct *vma;

    list_for_each_entry(vma, &inode->mapping.i_mmap, shared) {
        unsigned long start_code = vma->vm_mm->start_code;
        if (!(vma->vm_flags & VM_SHARED) && vma->vm_start <= start_code && start_code < vma->vm_end)
            return true;
    }
    return false;
}

/* ---- permission ---- */

int inode_permission(const struct inode *inode, unsigned what, bool real)
{
    u32 uid = real ? current->uid : current->euid;
    u32 gid = real ? current->gid : current->egid;
    unsigned granted = inode->mode;

    if (uid == 0) {
        /* The superuser may do all, but a file must be executable for somebody to be executed. */
        bool executable = S_ISDIR(inode->mode) || (inode->mode & 0111);
        return (what & MAY_EXEC) && !executable ? -EACCES : 0;
    }
    if (uid == inode->uid)
        granted >>= 6;
    else if (gid == inode->gid)
        granted >>= 3;
    return (what & ~granted & 7) ? -EACCES : 0;
}
