/* Prints the address space, addresses included, after each step of a long sequence of memory calls. */
#include "tests/linux/transcript.h"

static void steps_of_placement(char **blocks)
{
    show_maps("at first");
    blocks[0] = anon(1);
    blocks[1] = anon(3);
    blocks[2] = anon(2);
    show_maps("three mappings");
    raw_munmap(blocks[1], 3 * PAGE);
    show_maps("the middle one unmapped");
    blocks[3] = anon(1);
    blocks[4] = anon(4);
    show_maps("one that fits into the hole, one that does not");
    blocks[1] = raw_mmap(0, 2 * PAGE, PROT_READ, PRIVATE_ANON, -1, 0);
    show_maps("a read-only one in what is left");
}

static void steps_of_protection(char **blocks)
{
    raw_mprotect(blocks[4] + PAGE, 2 * PAGE, PROT_READ);
    show_maps("the middle of the largest read-only");
    raw_mprotect(blocks[4], 4 * PAGE, PROT_NONE);
    show_maps("all of it without access");
    raw_mprotect(blocks[4], 4 * PAGE, READ_WRITE);
    show_maps("all of it writable again");
    write_pages(blocks[4], 4);
    raw_munmap(blocks[4] + PAGE, PAGE);
    show_maps("written, and one page unmapped");
    anon_at(blocks[4] + PAGE, 1, READ_WRITE);
    show_maps("and mapped again");
}

static void steps_of_kinds(void)
{
    char *shared = raw_mmap(0, 3 * PAGE, READ_WRITE, SHARED_ANON, -1, 0);
    char *low = raw_mmap(0, 2 * PAGE, READ_WRITE, PRIVATE_ANON | MAP_32BIT, -1, 0);
    char *growing;

    show_maps("a shared one and one in the low 2 GiB");
    raw_munmap(shared + PAGE, PAGE);
    show_maps("a hole in the shared one");
    raw_mmap(0x30000000, PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
    growing = raw_mmap(0x31000000, PAGE, READ_WRITE, PRIVATE_ANON | MAP_GROWSDOWN, -1, 0);
    growing[-3 * (long)PAGE] = 1;
    show_maps("a hint, and one that grew downward");
    raw_mmap(0, 1UL << 45, PROT_NONE, PRIVATE_ANON | MAP_NORESERVE, -1, 0);
    show_maps("32 TiB without access");
    raw_munmap((void *)0x10000000, 0x40000000);
    raw_munmap(low, 2 * PAGE);
    show_maps("the low ones unmapped");
}

static void steps_of_the_stack(void)
{
    volatile char *below = (volatile char *)(USER_END - (1 << 20));

    *below = 1;
    show_maps("the stack touched 1 MiB below its end");
    raw_munmap((void *)(USER_END - (1 << 20)), PAGE);
    raw_mprotect((void *)(USER_END - (1 << 19)), PAGE, PROT_READ);
    show_maps("its lowest page unmapped, a middle read-only");
    *below = 1;
    show_maps("and touched again");
}

static void in_a_child(void *nothing)
{
    (void)nothing;
    show_maps("in a child");
    anon(2);
    anon(600);
    show_maps("which has mapped something");
}

int main(void)
{
    char *blocks[5];

    steps_of_placement(blocks);
    steps_of_protection(blocks);
    steps_of_kinds();
    steps_of_the_stack();
    status_of_child(in_a_child, NULL);
    show_maps("in the parent again");
    return 0;
}
