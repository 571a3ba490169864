/*
 * What a program can learn from the kernel about memory: frames, page maps, VMAs, faults.
 *
 * Nothing here allocates memory, and all buffers are static: once warmed up by a first call, a
 * probe causes no page fault and takes no frame, so it does not change what it measures.
 */
#ifndef USER_COMMON_PROBE_H
#define USER_COMMON_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096UL

/* Counts of frames, from /proc/zeropage, which only our kernel has. */
struct frame_counts {
    long total;
    long free;
    long page_table;          /* hold page tables, of all levels and processes */
    long anonymous;           /* hold anonymous memory */
    long cache;               /* hold pages of files */
    long slab;                /* hold kernel objects */
    long kernel;              /* hold the kernel itself */
    unsigned long zero_frame; /* the number of the zero frame, 0 if unknown */
};

/* Read the counts; false, and all zero, when the kernel has none. */
bool probe_frames(struct frame_counts *counts);

/* The minor page faults of this process so far. */
long probe_faults(void);

/* What stands behind one page of this process's memory. */
enum page_state {
    PAGE_PROMISED, /* nothing yet */
    PAGE_ZERO,     /* the zero frame */
    PAGE_OWN,      /* a frame of its own */
};

struct page {
    enum page_state state;
    unsigned long frame; /* 0 when the kernel does not tell */
};

/*
 * Look up COUNT pages from START on in /proc/self/pagemap. ZERO_FRAME is that of struct
 * frame_counts; when it is 0, the zero frame is told by its not being exclusive to us (bit 56).
 * False if it can't be read.
 */
bool probe_pages(const void *start, size_t count, unsigned long zero_frame, struct page *pages);

/* Copy the line of /proc/self/maps for the VMA that contains ADDRESS, or "" if there is none. */
void probe_map_line(const void *address, char *line, size_t size);

/*
 * Touch every page of this program: its code, its constants, its variables, some stack. After that
 * it takes no page fault and no frame but for what it does itself. To be called before any mmap.
 */
void probe_touch_program(void);

/* Read a small file whole into a buffer, as a string; its length, or -1 and errno. */
long probe_file(const char *path, char *to, size_t size);

/* The number in that line of TEXT that begins with KEY and a space or colon; else OTHERWISE. */
unsigned long probe_value(const char *text, const char *key, unsigned long otherwise);

#endif
