/* What a FILE is, for the files of the library that read and write streams. */
#ifndef USER_LIB_STREAM_H
#define USER_LIB_STREAM_H

#include <stddef.h>

/* Bits of struct _FILE's flags. */
enum {
    CAN_READ = 1,
    CAN_WRITE = 2,
    WRITING = 4,        /* the buffer holds output; else it holds input */
    AT_END = 8,         /* a read has met the end of the file */
    FAILED = 16,        /* a read or write has failed */
    MODE_UNDECIDED = 32 /* line- or fully buffered: asked for at the first output */
};

struct _FILE {
    int descriptor;
    int flags;
    int mode; /* _IOFBF, _IOLBF or _IONBF */
    unsigned char *buffer;
    size_t size;
    size_t position; /* writing: how much is pending; reading: the next byte */
    size_t end;      /* reading: behind the last byte */
    struct _FILE *next;
};

/* Take a piece of formatted text into a stream. */
void __put_piece(void *stream, const char *text, size_t length);

#endif
