/*
 * The plain model of memory that the fuzzer compares mm/ with: an array of pages per process, each with its flags and
 * the bytes that it holds. No tree, no list, no page table, no reference count: what a call does is a loop over pages.
 *
 * One thing the model takes from mm/ instead of knowing it: where, between pages with equal flags, one VMA ends and the
 * next begins (a few calls refuse a range that lies in two). Whether VMAs merge as Linux's do is what tools/fuzz finds
 * out.
 */
#ifndef TESTS_FUZZ_MODEL_H
#define TESTS_FUZZ_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/lib/errno.h"
#include "mm/fault.h"
#include "mm/limits.h"
#include "tests/host/mmu.h"

#define P         PAGE_SIZE
#define PROCESSES 3u

/* Pages exist in three zones, in this order; everywhere else nothing is ever mapped. */
#define BOTTOM_PAGES  8u   /* from mmap_min_addr on */
#define WINDOW_PAGES  320u /* across a boundary of all table levels, up to mmap_base */
#define TOP_PAGES     8u   /* the last ones of the user half */
#define PAGES         (BOTTOM_PAGES + WINDOW_PAGES + TOP_PAGES)
#define BOUNDARY      0x8000000000ul /* 512 GiB: the second entry of the PML4 begins */
#define BOUNDARY_PAGE 288u           /* of the window */
#define WINDOW        (BOUNDARY - BOUNDARY_PAGE * P)
#define WINDOW_END    (WINDOW + WINDOW_PAGES * P)
#define HEAP_PAGE     240u /* of the window: start_brk */

#define OBJECT_PAGES     40u
#define OBJECTS          300u
#define NO_OBJECT        (-1)
#define ARCHIVE_FILE     0 /* these two objects exist from the start: a file of the archive, opened for reading */
#define MEMORY_FILE      1 /* and a memory file, opened for both, which can be truncated */
#define ARCHIVE_SIZE     (5 * P + 100)
#define MEMORY_FILE_SIZE (6 * P)

/* What is known of a thing that a program may not be able to see at once. */
enum known { NO, YES, MAYBE };

struct model_page {
    bool mapped;
    bool starts_vma;     /* as mm/ has it; only for pages that are mapped */
    bool own;            /* private, and written: BYTES are its alone */
    bool given_up;       /* MADV_FREE, and not written since */
    bool may_be_gone;    /* MADV_PAGEOUT of such a page: it goes if nobody else has it */
    u8 resident;         /* enum known: an entry is there (what has an object: see MADE) */
    short object;        /* or NO_OBJECT */
    unsigned index;      /* of the object's page */
    unsigned long flags; /* all of vm_flags */
    const u8 *bytes;     /* when OWN; NULL: zeroes. Never changed in place */
};

struct model_object {
    unsigned long size;    /* bytes */
    unsigned long charged; /* pages, while somebody maps it */
    const u8 *bytes[OBJECT_PAGES];
    u8 made[OBJECT_PAGES]; /* enum known: shared memory, page exists */
};

struct process {
    struct mm_struct *mm; /* NULL: there is none */
    int map_count;        /* mm's, before the step */
    unsigned long brk, def_flags;
    struct model_page pages[PAGES];
};

struct model {
    struct process processes[PROCESSES];
    struct model_object objects[OBJECTS];
    unsigned objects_used;
};
extern struct model model;

/* Limits and switches that a sequence begins with; all processes have them. */
struct settings {
    struct mm_limits limits;
    bool may_lock_beyond_limit;
    bool journal;               /* everything is recorded, for nobody */
    int overcommit, overcommit_ratio, max_map_count;
};
extern struct settings settings;

/* ---- pages and addresses ---- */

unsigned long address_of(unsigned page);
/* The first page at or above ADDRESS; PAGES if there is none. */
unsigned page_at_or_above(unsigned long address);
/* The page that holds ADDRESS, mapped or not; NULL where the model has none. */
struct model_page *page_holding(struct process *p, unsigned long address);
/* True when the model has all pages of [start, end). */
bool is_in_zone(unsigned long start, unsigned long end);
/* The end of the VMA that PAGE, which is mapped, lies in; its first page. */
unsigned long vma_end_of(const struct process *p, unsigned page);
unsigned vma_first_of(const struct process *p, unsigned page);

#define for_each_page(i, start, end) for (unsigned i = page_at_or_above(start); i < PAGES && address_of(i) < (end); i++)

/* ---- counts ---- */

unsigned long total_pages(const struct process *p);
unsigned long locked_pages(const struct process *p);
unsigned long pages_that(const struct process *p, bool (*is)(unsigned long vm_flags));
unsigned long model_committed(void);
bool model_may_expand(const struct process *p, unsigned long flags, unsigned long pages);
/* What the overcommit rule says of PAGES more, which count (CHARGED) or are only asked about. */
bool model_may_commit(const struct process *p, unsigned long pages, bool charged);
/* True when PAGES more with FLAGS would be locked beyond the limit. */
bool is_beyond_lock_limit(const struct process *p, unsigned long flags, unsigned long pages);

/* ---- bytes ---- */

void contents_forget(void);
/* The 4,096 bytes that a page shows. */
const u8 *bytes_of(const struct model_page *page);
/* Stores N bytes at OFFSET of a page that may be written. */
void store(struct model_page *page, unsigned long offset, const u8 *bytes, unsigned long n);
u8 archive_byte(unsigned long offset);
void unmap_pages(struct process *p, unsigned long start, unsigned long end);
/* A private page loses what it had; one with an object shows the object's page again. */
void forget_page_content(struct model_page *page);
bool is_beyond_object(const struct model_page *page);
/* As a fault would: an entry appears; for WRITE, a private page becomes the process's own. False: beyond its object. */
bool make_present(struct model_page *page, bool write);
/* Where something with length LENGTH fits: the highest place or the lowest one, or -ENOMEM. */
unsigned long find_room(const struct process *p, unsigned long length, unsigned long low, unsigned long high,
                        bool highest);
bool is_room(const struct process *p, unsigned long address, unsigned long length);

#endif
