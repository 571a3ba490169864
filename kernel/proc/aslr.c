/*
 * Address-space layout randomisation, with the kernel option aslr=on: where a new program's stack, mappings and heap
 * begin. Off by default, so that a lesson shows the same addresses each time.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/proc/exec.h"

/* How far each may move, in pages: as on Linux (stack 16 GiB, mappings 1 TiB, heap 32 MiB). */
#define STACK_PAGES (1ul << 22)
#define MAPPING_PAGES (1ul << 28)
#define HEAP_PAGES (1ul << 13)

bool aslr_enabled;

static unsigned long random_distance(unsigned long pages)
{
    return aslr_enabled ? cpu_entropy() % pages * PAGE_SIZE : 0;
}

void aslr_place_stack(struct exec_program *program)
{
    unsigned long distance = random_distance(STACK_PAGES);

    program->stack_top = STACK_TOP - distance;
    program->mm->mmap_base -= distance + random_distance(MAPPING_PAGES);
}

unsigned long aslr_heap(unsigned long start)
{
    return start + random_distance(HEAP_PAGES);
}
