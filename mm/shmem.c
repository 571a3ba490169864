/*
 * Shared memory without a name: the object behind a MAP_SHARED | MAP_ANONYMOUS mapping and behind a
 * memory file.
 */
#include "mm/filemap.h"
#include "mm/limits.h"
#include "mm/slab.h"

struct shmem_object {
    struct address_space mapping;
    unsigned long accounted;        /* pages charged against the overcommit limit at birth */
};

static DEFINE_SLAB_CACHE(shmem_cache, "shmem_object", sizeof(struct shmem_object), 8);

int shmem_read_page(struct address_space *mapping, struct page *page)
{
    (void)mapping;
    clear_page(page_address(page));
    return 0;
}

static void shmem_release(struct address_space *mapping)
{
    struct shmem_object *object = container_of(mapping, struct shmem_object, mapping);

    vm_committed -= object->accounted;
    slab_free(&shmem_cache, object);
}

static const struct address_space_operations shmem_operations = {
    .read_page = shmem_read_page,
    .release = shmem_release,
};

struct address_space *shmem_create(unsigned long size)
{
    struct shmem_object *object = slab_alloc(&shmem_cache);
    if (!object)
        return NULL;
    address_space_init(&object->mapping, PAGE_SHMEM, &shmem_operations, NULL);
    object->mapping.size = size;
    object->accounted = 0;
    return &object->mapping;
}

int shmem_account(struct vm_area_struct *vma)
{
    struct shmem_object *object = container_of(vma->vm_mapping, struct shmem_object, mapping);

    if (vma->vm_flags & VM_NORESERVE)
        return 0;
    if (vm_acct_memory(vma->vm_mm, vma_pages(vma)))
        return -ENOMEM;
    /* The object may outlive this address space, so the charge is the object's. */
    vma->vm_mm->committed -= vma_pages(vma);
    object->accounted = vma_pages(vma);
    return 0;
}
