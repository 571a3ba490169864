/* A file for host tests: bytes that follow from their offset. */
#ifndef TESTS_HOST_FILE_HOST_H
#define TESTS_HOST_FILE_HOST_H

#include "mm/filemap.h"

/* The byte at OFFSET of every test file. */
static inline u8 test_file_byte(unsigned long offset)
{
    return (u8)(offset * 7 + (offset >> PAGE_SHIFT) + 1);
}

/* A file of SIZE bytes, one reference; mapping_put() it. Fails the test when there is no memory. */
struct address_space *test_file(unsigned long size);

/*
 * Maps the first PAGES pages of FILE, opened for reading and writing; fails the test when that is
 * refused.
 */
unsigned long map_file(struct mm_struct *mm, struct address_space *file, unsigned long pages,
                       unsigned long prot, unsigned long flags);

#endif
