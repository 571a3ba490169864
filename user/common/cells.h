/*
 * Rows of characters in which each character stands for a page or frame (or, in a coarser picture, for
 * several), and in which what is uniform is folded to one row.
 */
#ifndef USER_COMMON_CELLS_H
#define USER_COMMON_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#include "user/common/paint.h"

/* What a page or frame can be; a kind is its letter. '2' to '9' are kinds of their own: so many users. */
struct kind {
    char letter;
    enum colour colour;
    const char *of_frame; /* what it says of a frame; NULL: frames are never that */
    const char *of_page;  /* and of a page of an address space */
};

#define KIND_NOTHING 0
#define KIND_FREE    '.' /* a frame that is free; a page that is promised */
#define KIND_KERNEL  'K'
#define KIND_ARCHIVE 'A'
#define KIND_TABLE   't'
#define KIND_ZERO    'z'
#define KIND_PRIVATE '#'
#define KIND_SHARED  's'
#define KIND_FILE    'f'
#define KIND_HOLE    '-'
#define KIND_SECRET  '?' /* the kernel does not tell */
#define KIND_UNSEEN  '~' /* not looked at */
#define USERS_MAX    9   /* of a copy-on-write frame, as a digit */

/* The kind of an anonymous frame that so many address spaces map. */
char kind_of_users(unsigned long users);

const struct kind *kind_of(char letter);

/* All kinds, in the order of a legend, for (const struct kind *k = kinds; k->letter; k++). */
extern const struct kind kinds[];

/* A long row of cells, kept as runs of equal ones. Begin with all zero. */
struct cells {
    struct run {
        char kind;
        unsigned long count;
    } *runs;
    size_t used, room;
    unsigned long total;
};

/* Take memory for so many runs, and touch it; false when there is none. */
bool cells_reserve(struct cells *cells, size_t runs);

/* Forget the cells, but not the memory for them. */
void cells_clear(struct cells *cells);

/* Append COUNT cells of a kind; false when there is no memory. */
bool cells_add(struct cells *cells, char kind, unsigned long count);

/* How to draw: what stands before and behind each row, and how wide it is. */
struct picture {
    int columns;         /* characters in a row */
    unsigned long scale; /* cells that a character stands for: the most frequent kind that is not free */
    bool of_frames;      /* for the words in folded rows */
    void (*begin_row)(unsigned long first_cell, void *context);
    void (*end_row)(int columns_left, void *context);
    void *context;
};

/* The number of rows that the cells take, folded. */
int cells_rows(const struct cells *cells, const struct picture *picture);

/* Set the smallest scale (a power of two) at which the cells fit into so many rows. */
void cells_fit(const struct cells *cells, struct picture *picture, int rows);

/* Draw on the canvas. */
void cells_draw(const struct cells *cells, const struct picture *picture);

/* "252 MiB", "48 KiB" or "1023 GiB" for so many pages, in a buffer that the next call reuses. */
const char *size_of_pages(unsigned long pages);

#endif
