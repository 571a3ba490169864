/* Memory, numbers, sorting, the environment, and the end of the program. */
#ifndef _STDLIB_H
#define _STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX     0x7fffffff

/*
 * The allocator: blocks are aligned to 16 bytes. Requests from 128 KiB on are mappings of their
 * own, smaller ones are cut from the heap that brk grows; adjacent free blocks are joined at once,
 * and a large free block at the heap's end goes back to the kernel. NULL, ENOMEM when all is used.
 */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **block, size_t alignment, size_t size);
void free(void *block);

/* exit runs the atexit functions, writes out what stdio holds, then ends; _Exit just ends. */
_Noreturn void exit(int status);
_Noreturn void _Exit(int status);
_Noreturn void abort(void);
int atexit(void (*function)(void));

char *getenv(const char *name);

int atoi(const char *text);
long atol(const char *text);
long strtol(const char *restrict text, char **restrict end, int base);
long long strtoll(const char *restrict text, char **restrict end, int base);
unsigned long strtoul(const char *restrict text, char **restrict end, int base);
unsigned long long strtoull(const char *restrict text, char **restrict end, int base);

static inline int abs(int number) { return number < 0 ? -number : number; }
static inline long labs(long number) { return number < 0 ? -number : number; }

/* In-place heap sort: no extra memory, never quadratic, not stable. */
void qsort(void *array, size_t count, size_t size, int (*compare)(const void *, const void *));
void *bsearch(const void *key, const void *array, size_t count, size_t size,
              int (*compare)(const void *, const void *));

int rand(void);
void srand(unsigned seed);

#endif
