/* Between the files of the audit: what is under way, and how a finding is told. */
#ifndef MM_AUDIT_INTERNAL_H
#define MM_AUDIT_INTERNAL_H

#include "mm/mm.h"

struct audit {
    void (*report)(const char *finding, void *context);
    void *context;
    unsigned findings;
};

/* Reports one finding, a sentence; beyond the first AUDIT_REPORTS_MAX they are only counted. */
void audit_finding(struct audit *audit, const char *format, ...) __printf(2, 3);

/*
 * Checks one address space. On the way it counts in page->private how many entries map each frame
 * of user memory, and marks the page tables that it comes by.
 */
void audit_address_space(struct audit *audit, struct mm_struct *mm);

/*
 * Marks the tables below TABLE, of LEVEL, from entry FIRST to entry END - 1. Returns how many there
 * are.
 */
unsigned long audit_mark_tables(struct audit *audit, const pte_t *table, unsigned level,
                                unsigned first, unsigned end);

#endif
