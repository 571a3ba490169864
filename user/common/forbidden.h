/* The last exhibit of the tour: what no VMA allows, and who is told. */
#ifndef USER_COMMON_FORBIDDEN_H
#define USER_COMMON_FORBIDDEN_H

#include "user/common/exhibit.h"

/*
 * Four children do what is forbidden and are killed; then write is asked for a byte of the hole. HOLE_PAGE and DATA_PAGE
 * are pages of EXHIBIT: one that is unmapped, and one that was written.
 */
void show_what_is_forbidden(struct exhibit *exhibit, int hole_page, int data_page);

#endif
