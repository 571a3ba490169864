/*
 * The quarantine of the debug build: what is freed waits in a queue before it can be given out again, so that a write
 * to it by somebody who has kept a pointer damages nobody, and is found. In the release build there is none.
 *
 * Frames in it are free (they count as such, and are given out when there are no others), of type PAGE_CACHED.
 */
#ifndef MM_QUARANTINE_H
#define MM_QUARANTINE_H

#include "mm/page_state.h"

/* A frame that waits; those of the per-CPU list have the order 0. */
#define QUARANTINED 0xfe
#define PAGE_STATE_QUARANTINED PAGE_STATE(PAGE_CACHED, QUARANTINED, 0)

#define QUARANTINE_FRAMES_MAX 1024

#ifdef ZEROPAGE_DEBUG
struct quarantine {
    unsigned long limit;        /* frames that may wait; 0: there is no quarantine */
    unsigned long count;        /* that wait */
    unsigned long oldest;       /* the place of the one that waits longest */
    struct page *frames[QUARANTINE_FRAMES_MAX];
};
extern struct quarantine quarantine;

/* An empty one of at most LIMIT frames (no more than QUARANTINE_FRAMES_MAX), 0 for none. */
void quarantine_init(unsigned long limit);

static inline bool quarantine_is_on(void) { return quarantine.limit != 0; }
static inline unsigned long quarantine_count(void) { return quarantine.count; }

/*
 * Puts a frame in, which is free and poisoned already. When the queue is full the oldest comes out, to be given out
 * again; else NULL. Panics when that one was written to.
 */
struct page *quarantine_put(struct page *page);

/* Takes the oldest out, or NULL when nothing waits. Panics as above. */
struct page *quarantine_take(void);

/* NULL, or a sentence: a frame is not marked as waiting. Panics as above. */
const char *quarantine_audit(void);
#else
static inline void quarantine_init(unsigned long limit) { (void)limit; }
static inline bool quarantine_is_on(void) { return false; }
static inline unsigned long quarantine_count(void) { return 0; }
static inline struct page *quarantine_put(struct page *page) { return page; }
static inline struct page *quarantine_take(void) { return NULL; }
static inline const char *quarantine_audit(void) { return NULL; }
#endif

#endif
