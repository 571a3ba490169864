/* The loader's memory for the tests of boot/, and what boot/ calls to read it and to give up. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "boot/boot_info.h"
#include "tests/host/boot_host.h"

unsigned char *loader_memory;
size_t loader_memory_size;

static jmp_buf stopped;
static const char *sentence;

const void *boot_memory(phys_addr_t address, u64 size)
{
    if (address < LOADER_BASE || address - LOADER_BASE > loader_memory_size ||
        size > loader_memory_size - (address - LOADER_BASE))
        return NULL;
    return loader_memory + (address - LOADER_BASE);
}

void boot_stop(const char *why)
{
    sentence = why;
    longjmp(stopped, 1);
}

const char *sentence_of(void (*parse)(phys_addr_t address), phys_addr_t address)
{
    sentence = NULL;
    if (setjmp(stopped) == 0)
        parse(address);
    return sentence;
}

int boot_host_set_up(void **state)
{
    (void)state;
    loader_memory = NULL;
    loader_memory_size = 0;
    memset(&boot_info, 0, sizeof(boot_info));
    return 0;
}

int boot_host_tear_down(void **state)
{
    (void)state;
    free(loader_memory);
    return 0;
}

u32 put(const void *bytes, size_t size)
{
    loader_memory = realloc(loader_memory, loader_memory_size + size);
    if (bytes)
        memcpy(loader_memory + loader_memory_size, bytes, size);
    else
        memset(loader_memory + loader_memory_size, 0, size);
    loader_memory_size += size;
    return (u32)(LOADER_BASE + loader_memory_size - size);
}

void put32(u32 value)
{
    put(&value, sizeof(value));
}

void put64(u64 value)
{
    put(&value, sizeof(value));
}

void set32(u32 address, u32 value)
{
    memcpy(loader_memory + (address - LOADER_BASE), &value, sizeof(value));
}
