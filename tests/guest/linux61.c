/* Checks what Linux 6.1 with its default settings does and other versions or set-ups do otherwise. */
#define _GNU_SOURCE
#include "mem.h"

static void fixed_at(void *address)
{
    EXIT_WITH_ERRNO(raw_mmap((unsigned long)address, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1,
                             0));
}

static void hint_at(void *address)
{
    void *got = raw_mmap((unsigned long)address, PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);

    _exit(got == MAP_FAILED ? errno : (unsigned long)got < 0x10000 ? 1 : 0);
}

static void lowest_addresses(void)
{
    check_eq(WEXITSTATUS(status_as_nobody(fixed_at, (void *)0x1000)), EPERM,
             "an ordinary user's MAP_FIXED at 0x1000 is EPERM");
    check_eq(WEXITSTATUS(status_as_nobody(fixed_at, (void *)0xf000)), EPERM, "at 0xf000 too");
    check_eq(WEXITSTATUS(status_as_nobody(fixed_at, (void *)0x10000)), 0, "at 0x10000 it is fine");
    check_eq(WEXITSTATUS(status_as_nobody(hint_at, (void *)0x2000)), 0,
             "a hint below 0x10000 is not used");
}

static void merging(void)
{
    char *range = free_range(6);

    anon_at(range, 2, READ_WRITE);
    range[0] = 1;
    anon_at(range + 4 * PAGE, 2, READ_WRITE);
    range[4 * PAGE] = 1;
    anon_at(range + 2 * PAGE, 2, READ_WRITE);
    check_str(vmas(range, 6), "0-2 rw-p, 2-6 rw-p",
              "of two mappings that were each written on their own, a third between them merges "
              "with the upper one");
    check(range[0] == 1 && range[4 * PAGE] == 1, "and they keep their data");
    anon_at(range + 2 * PAGE, 2, PROT_READ);
    raw_mprotect(range + 2 * PAGE, 2 * PAGE, READ_WRITE);
    check_str(vmas(range, 6), "0-4 rw-p, 4-6 rw-p",
              "made equal by mprotect it merges with the lower one");
    raw_munmap(range, 6 * PAGE);
    anon_at(range, 1, READ_WRITE);
    raw_mmap((unsigned long)range + PAGE, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED | MAP_STACK, -1,
             0);
    check_str(vmas(range, 2), "0-2 rw-p", "MAP_STACK is no difference between neighbours");
    raw_munmap(range, 2 * PAGE);
}

static void accounting(void)
{
    char *range = anon_at(free_range(4), 4, PROT_READ);

    raw_mprotect(range, PAGE, READ_WRITE);
    raw_mprotect(range, PAGE, PROT_READ);
    check_str(vmas(range, 4), "0-1 r--p, 1-4 r--p",
              "a part that was writable once is accounted for, and stays apart from one never so");
    raw_mprotect(range + PAGE, 3 * PAGE, READ_WRITE);
    raw_mprotect(range + PAGE, 3 * PAGE, PROT_READ);
    check_str(vmas(range, 4), "0-4 r--p", "when both were, they merge");
    raw_munmap(range, 4 * PAGE);
    anon_at(range, 4, READ_WRITE);
    raw_mprotect(range, 4 * PAGE, PROT_NONE);
    anon_at(range + 2 * PAGE, 1, PROT_NONE);
    check_str(vmas(range, 4), "0-2 ---p, 2-3 ---p, 3-4 ---p",
              "fresh memory without access stays apart from memory that was writable");
    raw_munmap(range, 4 * PAGE);
}

static long raw_mremap(void *old, unsigned long old_length, unsigned long new_length, void *place)
{
    return syscall(SYS_mremap, old, old_length, new_length,
                   MREMAP_MAYMOVE | (place != NULL ? MREMAP_FIXED : 0), place);
}

static void written_and_unwritten(void)
{
    char *memory = anon_at(free_range(6), 6, READ_WRITE);

    raw_mprotect(memory + 2 * PAGE, 2 * PAGE, PROT_READ);
    raw_mprotect(memory + 2 * PAGE, 2 * PAGE, READ_WRITE);
    check_str(vmas(memory, 6), "0-6 rw-p", "unwritten parts merge again");
    raw_mprotect(memory + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    memory[2 * PAGE] = 1;
    raw_mprotect(memory + 2 * PAGE, 2 * PAGE, READ_WRITE);
    check_str(vmas(memory, 6), "0-2 rw-p, 2-4 rw-p, 4-6 rw-p",
              "a part that was written on its own does not merge with unwritten neighbours");
    memory[0] = memory[5 * PAGE] = 1;
    raw_mprotect(memory + 2 * PAGE, 2 * PAGE, PROT_READ);
    raw_mprotect(memory + 2 * PAGE, 2 * PAGE, READ_WRITE);
    check_str(vmas(memory, 6), "0-6 rw-p", "neighbours that are written while they touch it do");
    raw_munmap(memory, 6 * PAGE);
}

static void locked_and_unlocked(void)
{
    char *memory = anon_at(free_range(6), 6, READ_WRITE);

    syscall(SYS_mlock, memory + 2 * PAGE, 2 * PAGE);
    syscall(SYS_munlock, memory, 6 * PAGE);
    check_str(vmas(memory, 6), "0-2 rw-p, 2-4 rw-p, 4-6 rw-p",
              "mlock writes its pages, so after munlock they stay apart from unwritten ones");
    raw_munmap(memory, 6 * PAGE);
}

static void remapping(void)
{
    char *memory = anon_at(free_range(4), 4, READ_WRITE), *target = free_range(4);

    check_fails(raw_mremap(memory, PAGE, 1UL << 47, NULL), ENOMEM,
                "mremap to length 2^47 is ENOMEM");
    check_fails(raw_mremap(memory, -2 * PAGE, -PAGE, NULL), EFAULT,
                "mremap of a wrapping old length is EFAULT");
    raw_mprotect(memory + 2 * PAGE, 2 * PAGE, PROT_READ);
    check_fails(raw_mremap(memory, 4 * PAGE, 4 * PAGE, target), EFAULT,
                "a fixed mremap of two mappings is EFAULT");
    check_str(vmas(memory, 4), "0-2 rw-p, 2-4 r--p", "and leaves them alone");
    raw_munmap(memory, 4 * PAGE);
}

static long move_and_keep(void *old, void *place)
{
    return syscall(SYS_mremap, old, PAGE, PAGE, MREMAP_MAYMOVE | 4 /* DONTUNMAP */ |
                                                    (place != NULL ? MREMAP_FIXED : 0), place);
}

static void keeping_the_source(void)
{
    char *memory = anon_at(free_range(7), 6, READ_WRITE), *moved;

    check_eq(move_and_keep(memory + 2 * PAGE, memory + 6 * PAGE), (long)memory + 6 * (long)PAGE,
             "DONTUNMAP may put the copy beside its own source");
    check_str(vmas(memory, 7), "0-6 rw-p, 6-7 rw-p", "where it stays apart");
    raw_munmap(memory, 7 * PAGE);
    anon_at(memory, 6, READ_WRITE);
    move_and_keep(memory, memory + 3 * PAGE);
    check_str(vmas(memory, 6), "0-3 rw-p, 3-4 rw-p, 4-6 rw-p", "within its own source it does too");
    raw_munmap(memory, 6 * PAGE);
    anon_at(memory, 6, READ_WRITE);
    syscall(SYS_mlock, memory, 6 * PAGE);
    moved = (char *)move_and_keep(memory + 2 * PAGE, NULL);
    check_str(vmas(memory, 6), "0-2 rw-p, 2-3 rw-p, 3-6 rw-p",
              "of a locked mapping the part that was moved is unlocked, and so stays apart");
    check_eq(write_faults(memory + 2 * PAGE, 1), 1, "it is empty");
    raw_munmap(moved, PAGE);
    raw_munmap(memory, 6 * PAGE);
    anon_at(memory, 6, PROT_NONE);
    syscall(SYS_mlock2, memory, 6 * PAGE, 1);
    move_and_keep(memory + 2 * PAGE, memory + 6 * PAGE);
    check_str(vmas(memory, 7), "0-2 ---p, 2-3 ---p, 3-7 ---p", "a locked copy joins the rest of what it came from");
    raw_munmap(memory, 7 * PAGE);
}

int main(void)
{
    warm_up();
    check_fails(raw_mmap(0, PAGE, READ_WRITE, MAP_ANONYMOUS | 8, -1, 0), EINVAL,
                "mapping type 8 is EINVAL");
    lowest_addresses();
    merging();
    accounting();
    written_and_unwritten();
    locked_and_unlocked();
    remapping();
    keeping_the_source();
    return done();
}
