/*
 * Reads a ustar archive in memory (POSIX.1-2017, pax, "ustar Interchange Format"). Trusts nothing: every number
 * and name is checked before use. Knows nothing of the kernel, so that tests on the host can feed it anything.
 */
#ifndef KERNEL_FS_USTAR_H
#define KERNEL_FS_USTAR_H

#include "kernel/lib/types.h"

#define USTAR_NAME_MAX 256      /* prefix, slash, name; without the final NUL */
#define USTAR_LINK_MAX 100

enum ustar_type {
    USTAR_FILE = '0',
    USTAR_HARD_LINK = '1',      /* another name for an earlier file */
    USTAR_SYMBOLIC_LINK = '2',
    USTAR_CHARACTER_DEVICE = '3',
    USTAR_BLOCK_DEVICE = '4',
    USTAR_DIRECTORY = '5',
    USTAR_FIFO = '6',
};

struct ustar_entry {
    char name[USTAR_NAME_MAX + 1];      /* relative, no "." or ".." or empty components; "" is the root itself */
    char link[USTAR_LINK_MAX + 1];      /* a hard link's is cleaned like a name */
    enum ustar_type type;
    u32 mode, uid, gid;                 /* mode without the type */
    u64 mtime;                          /* seconds since 1970 */
    u32 major, minor;
    const u8 *data;                     /* SIZE bytes inside the archive; a file's content */
    u64 size;
};

struct ustar_reader {
    const u8 *archive;
    u64 size;
    u64 offset;                         /* of the next header */
    const char *problem;                /* a sentence, after USTAR_SKIPPED or USTAR_BROKEN */
};

enum ustar_result {
    USTAR_END,              /* the end-of-archive mark, or the clean end of the bytes */
    USTAR_ENTRY,
    USTAR_SKIPPED,          /* this entry can't be used; entry->name is as far as it is known */
    USTAR_BROKEN,           /* nothing that follows can be trusted */
};

/* Reads the next entry and moves on. */
enum ustar_result ustar_next(struct ustar_reader *reader, struct ustar_entry *entry);

#endif
