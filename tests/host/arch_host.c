/* The arena that plays physical memory, and what becomes of a panic in a host test. */
#include <sanitizer/asan_interface.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "kernel/lib/panic.h"
#include "mm/page.h"
#include "tests/host/host_memory.h"

/* Larger arenas are not poisoned: the sanitizer's own tables would take an eighth of them. */
#define POISONED_ARENA_MAX (1ull << 30)

u8 *host_memory;
u64 host_memory_size;
bool panicking;
void (*host_panic_handler)(const char *message);

void host_memory_create(u64 size)
{
    host_memory_destroy();
    host_memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host_memory == MAP_FAILED) {
        perror("no host memory for the arena");
        abort();
    }
    host_memory_size = size;
    if (size <= POISONED_ARENA_MAX)
        ASAN_UNPOISON_MEMORY_REGION(host_memory, size);
}

void host_memory_destroy(void)
{
    if (!host_memory)
        return;
    if (host_memory_size <= POISONED_ARENA_MAX)
        ASAN_UNPOISON_MEMORY_REGION(host_memory, host_memory_size);
    munmap(host_memory, host_memory_size);
    host_memory = NULL;
    host_memory_size = 0;
}

phys_addr_t image_to_phys(const void *address)
{
    if (address == empty_zero_page)
        return HOST_ZERO_FRAME;
    return (phys_addr_t)address - KERNEL_IMAGE_BASE;
}

void arch_memory_allocated(void *start, size_t size)
{
    if (host_memory_size <= POISONED_ARENA_MAX)
        ASAN_UNPOISON_MEMORY_REGION(start, size);
}

unsigned long host_frees;

void arch_memory_freed(void *start, size_t size)
{
    host_frees++;
    if (host_memory_size <= POISONED_ARENA_MAX)
        ASAN_POISON_MEMORY_REGION(start, size);
}

void panic(const char *format, ...)
{
    static char message[512];   /* cmocka shows it after having jumped away */
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (host_panic_handler)
        host_panic_handler(message);
    fprintf(stderr, "kernel panic in a host test: %s\n", message);
    abort();
}
