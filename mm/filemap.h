/*
 * Pages that belong to a file or a shared-memory object, found by their index: Linux's page cache.
 */
#ifndef MM_FILEMAP_H
#define MM_FILEMAP_H

#include "mm/mm.h"

/* A radix tree of 64-way nodes from page index to page. */
struct page_tree {
    void *root;
    u8 height;              /* levels; 0: empty */
    unsigned long count;    /* pages in the tree */
};

/* The page at INDEX or NULL. */
struct page *page_tree_find(const struct page_tree *tree, unsigned long index);
/* Inserts at a free INDEX. 0 or -ENOMEM. */
int page_tree_insert(struct page_tree *tree, unsigned long index, struct page *page);
/* Removes and returns what was at INDEX, or NULL. Frees nodes that become empty. */
struct page *page_tree_remove(struct page_tree *tree, unsigned long index);
/* The first page with index >= *INDEX (and sets *INDEX), or NULL: for walking. */
struct page *page_tree_next(const struct page_tree *tree, unsigned long *index);

struct address_space_operations {
    /*
     * Fills PAGE (its index is set) of MAPPING with the file's bytes, zeroes past the end. 0 or
     * negative errno.
     */
    int (*read_page)(struct address_space *mapping, struct page *page);
    /*
     * Frees the object that embeds MAPPING: its last reference is gone, and its pages are freed
     * already.
     */
    void (*release)(struct address_space *mapping);
};

/* What can be mapped: embedded in an inode or a shared-memory object. */
struct address_space {
    struct page_tree pages;
    unsigned long size;             /* bytes; touching a page wholly beyond it is SIGBUS */
    int refcount;                   /* the inode's own one, one per open file, one per VMA */
    u8 page_type;                   /* PAGE_FILE or PAGE_SHMEM */
    bool keeps_pages;               /* PAGE_FILE: opened for writing, so the pages may be the only copy: never reclaimed */
    const struct address_space_operations *ops;
    struct list_head i_mmap;        /* every VMA that maps it, by vma->shared */
    void *host;                     /* the inode, for names and numbers in /proc; NULL for nameless shared memory */
    struct list_head all_files;     /* PAGE_FILE: every such mapping, for reclaim */
};

void address_space_init(struct address_space *mapping, u8 page_type,
                        const struct address_space_operations *ops, void *host);
static inline void mapping_get(struct address_space *mapping) { mapping->refcount++; }
/* The last reference frees the pages and calls ops->release. */
void mapping_put(struct address_space *mapping);

/*
 * The page at INDEX with a reference for the caller, read in (or, for shared memory, made as a
 * zeroed frame) when it is not there yet. NULL with *ERROR = -EFAULT when it lies beyond the size,
 * -ENOMEM, or what read_page said.
 */
struct page *mapping_get_page(struct address_space *mapping, unsigned long index, int *error);

/*
 * Sets the size; pages beyond are unmapped everywhere and freed, the tail of the last one is
 * zeroed.
 */
void mapping_truncate(struct address_space *mapping, unsigned long size);

/* Frees the pages of [first, last) and unmaps them everywhere: MADV_REMOVE. */
void mapping_punch_hole(struct address_space *mapping, unsigned long first, unsigned long last);

/* Unmaps the pages of MAPPING from FIRST on everywhere (but not private copies); they stay in the cache. */
void mapping_unmap(struct address_space *mapping, unsigned long first);

/*
 * MADV_PAGEOUT without swap, as Linux does it: pages of VMA's object that no other entry maps are
 * unmapped; shared memory that was never written is freed, the rest stays in the cache.
 */
void filemap_page_out(struct vm_area_struct *vma, unsigned long start, unsigned long end);

/* Drops every page of a PAGE_FILE mapping that nobody maps (memory is short). Returns how many. */
unsigned long mapping_reclaim(struct address_space *mapping);
/* The same over all file mappings; also called by the allocator's slow path through a hook. */
unsigned long reclaim_file_pages(void);

/*
 * Maps those pages around ADDRESS that VMA's object has ready and that are not mapped yet, so that
 * they cost no faults of their own; PTEP is the entry for ADDRESS, which is left alone. "Around" is
 * 64 KiB from the last multiple of 64 KiB or, if that is higher, from the VMA's start. Linux's
 * fault-around: a program sees it in ru_minflt. The pages of an archive file count as ready, for on
 * Linux, too, the initial archive lies in the page cache as a whole; they are read in here.
 */
void filemap_map_around(struct vm_area_struct *vma, unsigned long address, pte_t *ptep);

/* Private and shared mappings of files; shared memory. */
extern const struct vm_operations_struct generic_file_vm_ops;
extern const struct vm_operations_struct shmem_vm_ops;

/*
 * A nameless shared-memory object of SIZE bytes ("/dev/zero (deleted)" in maps), one reference for
 * the caller; NULL: no memory.
 */
struct address_space *shmem_create(unsigned long size);

/*
 * Charges a new nameless object to VMA's overcommit account, unless VMA is VM_NORESERVE; the object
 * gives the pages back when it dies. 0 or -ENOMEM.
 */
int shmem_account(struct vm_area_struct *vma);

/*
 * What makes pages of shared memory: zeroes. For the mapping of a tmpfs inode, with the inode's own
 * release.
 */
int shmem_read_page(struct address_space *mapping, struct page *page);

#endif
