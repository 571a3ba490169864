/* Checks shared anonymous memory: one object, seen by every process that inherited it. */
#include "mem.h"

static char *shared(unsigned long pages)
{
    char *start = raw_mmap(0, pages * PAGE, READ_WRITE, SHARED_ANON, -1, 0);

    if (start == MAP_FAILED)
        bail_out("mmap of shared memory failed with errno %d", errno);
    return start;
}

static void write_and_check(void *argument)
{
    char *memory = argument;

    if (memory[0] != 'p' || memory[PAGE] != 0)
        _exit(1);
    memory[0] = 'c';
    memory[PAGE] = 'd';
    memory[2 * PAGE] = 'e';
}

static void across_fork(void)
{
    char *memory = shared(4);

    check(all_bytes_are(memory, 4 * PAGE, 0), "fresh shared memory is zero");
    memory[0] = 'p';
    check_eq(status_of_child(write_and_check, memory), 0, "a child sees what the parent wrote");
    check_eq(memory[0], 'c', "the parent sees what the child wrote over it");
    check_eq(memory[PAGE], 'd', "on a page that the parent had only read");
    check_eq(memory[2 * PAGE], 'e', "and on a page that nobody had touched");
    raw_munmap(memory, 4 * PAGE);
}

static void write_later(void *argument)
{
    volatile char *memory = argument;

    memory[0] = 1;
    while (memory[1] == 0)
        ;
    memory[2] = 1;
}

static void at_the_same_time(void)
{
    volatile char *memory = shared(1);
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        write_later((void *)memory);
        _exit(0);
    }
    while (memory[0] == 0)
        ;
    memory[1] = 1;
    waitpid(child, &status, 0);
    check(status == 0 && memory[2] == 1, "two running processes talk through it");
    raw_munmap((void *)memory, PAGE);
}

static void unmaps(void *argument)
{
    raw_munmap(argument, PAGE);
}

static void lives_on(void)
{
    char *memory = shared(2);

    memory[0] = 'x';
    status_of_child(unmaps, memory);
    check_eq(memory[0], 'x', "a child's munmap takes it from the child alone");
    raw_mprotect(memory, PAGE, PROT_NONE);
    raw_mprotect(memory, PAGE, READ_WRITE);
    check_eq(memory[0], 'x', "no access, then access again, keeps the data");
    check_str(vmas(memory, 2), "0-2 rw-s", "parts that were split merge again");
    raw_munmap(memory, PAGE);
    check_eq(memory[PAGE], 0, "unmapping one page leaves the other");
    raw_munmap(memory + PAGE, PAGE);
}

static void in_the_maps_file(void)
{
    char *first = shared(1), *second = shared(1);

    check_str(vma_of(first)->permissions, "rw-s", "the maps file shows it as shared");
    check_str(vma_of(first)->name, "/dev/zero (deleted)", "under the name /dev/zero (deleted)");
    check_eq(vma_of(first)->offset, 0, "at offset 0");
    check(vma_of(first)->end - vma_of(first)->start == PAGE, "two neighbours are not one mapping");
    raw_munmap(first, PAGE);
    raw_munmap(second, PAGE);
    first = shared(4);
    raw_munmap(first, PAGE);
    check_eq(vma_of(first + PAGE)->offset, PAGE, "what is left behind a hole shows its offset");
    raw_munmap(first, 4 * PAGE);
}

static void protections(void)
{
    char *memory = raw_mmap(0, PAGE, PROT_READ, SHARED_ANON, -1, 0);

    check_eq(memory[0], 0, "a read-only shared page reads as zero");
    check(WRITE_KILLS(memory), "and cannot be written");
    check_eq(raw_mprotect(memory, PAGE, READ_WRITE), 0, "it can be made writable");
    memory[0] = 1;
    check_eq(memory[0], 1, "and is written then");
    raw_munmap(memory, PAGE);
}

static void grandchild_writes(void *argument)
{
    if (status_of_child(write_byte, argument) != 0)
        _exit(1);
}

static void generations(void)
{
    char *memory = shared(1);

    status_of_child(grandchild_writes, memory);
    check_eq(memory[0], 1, "a grandchild's write reaches the grandparent");
    raw_munmap(memory, PAGE);
    memory = shared(1);
    check_eq(memory[0], 0, "a new shared mapping is a new object");
    raw_munmap(memory, PAGE);
}

static void fault_counts(void)
{
    char *memory = shared(16);

    check_eq(write_faults(memory, 16), 16, "writing 16 fresh shared pages takes 16 faults");
    check_eq(write_faults(memory, 16), 0, "writing them again takes none");
    raw_munmap(memory, 16 * PAGE);
    memory = shared(16);
    check_eq(read_faults(memory, 16), 16, "reading 16 fresh shared pages takes 16 faults");
    check_eq(write_faults(memory, 16), 0, "and writing them afterwards none");
    raw_munmap(memory, 16 * PAGE);
}

int main(void)
{
    warm_up();
    across_fork();
    at_the_same_time();
    lives_on();
    in_the_maps_file();
    protections();
    generations();
    fault_counts();
    return done();
}
