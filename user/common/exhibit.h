/*
 * Measuring what an action does to a few pages, and showing it: the tour's instruments.
 *
 * Measuring must not disturb what is measured. So a program first calls probe_touch_program(); what
 * a measurement writes to is static; and printing comes after measuring.
 */
#ifndef USER_COMMON_EXHIBIT_H
#define USER_COMMON_EXHIBIT_H

#include <stdbool.h>

#include "user/common/probe.h"

#define EXHIBIT_PAGES  16
#define EXHIBIT_INDENT 6
#define EXHIBIT_TEXT   2 /* columns before the sentences between the exhibits */

/* Some pages of memory, as they were when look_at last looked, and the time before. */
struct exhibit {
    char *start;
    int count;                  /* of pages, at most EXHIBIT_PAGES */
    int hole_first, hole_count; /* pages that have been unmapped */
    struct page pages[EXHIBIT_PAGES];
    struct page earlier[EXHIBIT_PAGES];
    unsigned char values[EXHIBIT_PAGES]; /* for what the program has read: touched and ready */
};

/* What happened between measure_start and measure_stop. */
extern struct cost {
    long faults; /* minor page faults of this process */
    long data;   /* frames of anonymous memory taken (or, if negative, given back) */
    long tables; /* frames of page tables likewise */
    struct frame_counts before, after;
} cost;

/* Does the kernel tell counts and numbers of frames? Ours does. Also warms up the probes. */
bool knows_frames(void);

/* Between these two stands the action, and nothing else. EXHIBIT's values are made ready for it. */
void measure_start(struct exhibit *exhibit);
void measure_stop(void);

/* See what stands behind each page now. Ends the program with a sentence if that is secret. */
void look_at(struct exhibit *exhibit);

/* How many of COUNT pages from FIRST on are in this state. */
int pages_in_state(const struct exhibit *exhibit, int first, int count, enum page_state state);

/* The page with this index, for touching it. */
volatile unsigned char *page_at(const struct exhibit *exhibit, int index);

/* Is every byte of the page but the first zero? */
bool rest_is_zero(const struct exhibit *exhibit, int index);

/* If HOLDS is false, say that the numbers disagree with this rule. disagreements() counts them. */
void expect(bool holds, const char *rule);
int disagreements(void);

/* Print the pages as characters, what the characters mean, the VMA that contains an address ... */
void show_pages(const struct exhibit *exhibit, const char *caption);
void show_legend(void);
void show_vma(const void *address);
/* ... a line for each of COUNT pages from FIRST on, WITH_EARLIER its frame before too ... */
void show_list(const struct exhibit *exhibit, int first, int count, bool with_earlier);
/* ... and what the measured action has cost. */
void show_cost(void);

#endif
