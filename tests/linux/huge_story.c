/* Mappings of huge pages on a machine whose pool has none: what each call answers, and what the maps say. */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "tests/guest/catch.h"
#include "tests/linux/transcript.h"

#ifndef SYS_fallocate
#define SYS_fallocate 285
#endif

/* Some C libraries have this one as a macro. */
#undef MFD_HUGETLB
enum { HUGETLB = 0x40000, NORESERVE = 0x4000, MFD_HUGETLB = 4, PUNCH = 3, SEALS = 1034, ADD_SEALS = 1033 };
#define HUGE (2UL << 20)
#define PLACE 0x20000000000UL
#define ANON_HUGE (PRIVATE_ANON | HUGETLB | NORESERVE)

static void answer(const char *what, long result)
{
    say("%s: %s", what, outcome(result));
}
#define ANSWER(call) answer(#call, (long)(call))

static void show_smaps(void)
{
    static const char *const wanted[] = {"Size:", "KernelPageSize:", "MMUPageSize:", "Rss:", "Locked:", "VmFlags:"};
    const char *text = strstr(file_text("/proc/self/smaps"), "20000"), *end;

    for (int lines = 0; text != NULL && (end = strchr(text, '\n')) != NULL && lines < 25; text = end + 1, lines++)
        for (unsigned int i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
            if (strncmp(text, wanted[i], strlen(wanted[i])) == 0)
                say("  %.*s", (int)(end - text), text);
}

static long map(unsigned long at, unsigned long length, int protection, int flags)
{
    return (long)raw_mmap(at, length, protection, flags, -1, 0);
}

static void requests(void)
{
    ANSWER(map(0, 1, READ_WRITE, ANON_HUGE));
    ANSWER(map(0, HUGE + 1, PROT_NONE, ANON_HUGE));
    ANSWER(map(0, HUGE, PROT_READ, SHARED_ANON | HUGETLB | NORESERVE));
    ANSWER(map(0, 0, READ_WRITE, ANON_HUGE));
    ANSWER(map(0, -1UL, READ_WRITE, ANON_HUGE));
    ANSWER(map(0, 1UL << 47, READ_WRITE, ANON_HUGE));
    ANSWER(map(PLACE + PAGE, HUGE, READ_WRITE, ANON_HUGE));
    ANSWER(map(PLACE + 4 * HUGE + PAGE, HUGE, READ_WRITE, ANON_HUGE | MAP_FIXED));
    ANSWER(map(PLACE + 4 * HUGE, HUGE, READ_WRITE, ANON_HUGE | MAP_FIXED));
    ANSWER(map(PLACE + 5 * HUGE, HUGE, READ_WRITE, ANON_HUGE | MAP_FIXED_NOREPLACE));
    ANSWER(map(PLACE + 5 * HUGE, HUGE, READ_WRITE, ANON_HUGE | MAP_FIXED_NOREPLACE));
    ANSWER(map(0, HUGE, READ_WRITE, ANON_HUGE | 21 << 26));
    ANSWER(map(0, HUGE, READ_WRITE, ANON_HUGE | 30 << 26));
    ANSWER(map(0, HUGE, READ_WRITE, ANON_HUGE | 5 << 26));
    ANSWER(map(0, HUGE, READ_WRITE, ANON_HUGE | MAP_GROWSDOWN));
    ANSWER(map(0, HUGE, READ_WRITE, ANON_HUGE | MAP_POPULATE));
    ANSWER(map(0, HUGE, READ_WRITE, ANON_HUGE | MAP_LOCKED));
    ANSWER(map(0, HUGE, READ_WRITE, ANON_HUGE | MAP_32BIT));
    ANSWER(map(PLACE + 6 * HUGE, HUGE, READ_WRITE, (ANON_HUGE | MAP_FIXED) & ~NORESERVE));
    ANSWER(map(PLACE + 5 * HUGE, PAGE, READ_WRITE, (ANON_HUGE | MAP_FIXED) & ~NORESERVE));
    show_maps("after the requests");
}

/* Three huge pages at PLACE. */
static void fresh(void)
{
    raw_munmap((void *)PLACE, 16 * HUGE);
    if (map(PLACE, 3 * HUGE, READ_WRITE, ANON_HUGE | MAP_FIXED) != (long)PLACE)
        say("nothing at PLACE");
}

static void touches(void)
{
    const char *at = (char *)PLACE;
    int status;

    fresh();
    say("read: %s", fault_of(read_byte, at));
    say("read inside: %s", fault_of(read_byte, at + 5 * PAGE + 3));
    say("write: %s", fault_of(write_byte, at + HUGE));
    say("execute: %s", fault_of(execute_at, at));
    raw_mprotect((void *)PLACE, HUGE, PROT_NONE);
    say("without access: %s", fault_of(read_byte, at));
    raw_mprotect((void *)PLACE, HUGE, PROT_READ);
    say("read-only: %s", fault_of(write_byte, at));
    show_maps("after mprotect");
    show_smaps();
    if (fork() == 0) {
        say("a child's read: %s", fault_of(read_byte, at));
        show_maps("a child");
        _exit(0);
    }
    wait(&status);
    ANSWER(syscall(SYS_clock_gettime, 1, PLACE));
}

static void cuts(void)
{
    fresh();
    ANSWER(raw_munmap((void *)PLACE, PAGE));
    ANSWER(raw_munmap((void *)(PLACE + PAGE), HUGE));
    ANSWER(raw_munmap((void *)(PLACE + PAGE), 2 * HUGE - PAGE));
    ANSWER(raw_munmap((void *)(PLACE + HUGE), PAGE));
    show_maps("cut inside");
    ANSWER(raw_munmap((void *)(PLACE + HUGE), HUGE));
    show_maps("cut at huge pages");
    fresh();
    map(PLACE - 2 * PAGE, 2 * PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED);
    ANSWER(raw_munmap((void *)(PLACE - PAGE), 2 * PAGE));
    show_maps("cut across its start");
    ANSWER(map(PLACE, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED));
    ANSWER(map(PLACE + 2 * HUGE, HUGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED));
    raw_munmap((void *)(PLACE - 2 * PAGE), 2 * PAGE);
    fresh();
    ANSWER(raw_mprotect((void *)PLACE, PAGE, PROT_READ));
    ANSWER(raw_mprotect((void *)(PLACE + PAGE), HUGE, PROT_READ));
    ANSWER(raw_mprotect((void *)(PLACE + HUGE), PAGE, PROT_READ));
    ANSWER(raw_mprotect((void *)(PLACE + HUGE), HUGE, PROT_READ));
    ANSWER(raw_mprotect((void *)(PLACE + HUGE), HUGE, READ_WRITE));
    show_maps("after mprotect");
}

static void locks(void)
{
    fresh();
    ANSWER(syscall(SYS_mlock, PLACE, PAGE));
    ANSWER(syscall(SYS_mlock2, PLACE, HUGE, 1));
    ANSWER(syscall(SYS_munlock, PLACE, PAGE));
    ANSWER(syscall(SYS_mlockall, 2));
    ANSWER(map(PLACE + 8 * HUGE, HUGE, READ_WRITE, ANON_HUGE | MAP_FIXED));
    ANSWER(syscall(SYS_munlockall));
    show_smaps();
    show_maps("after locks");
}

static void advice(void)
{
    static const int kinds[] = {0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25};

    for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        long whole, head, inside;

        fresh();
        whole = syscall(SYS_madvise, PLACE, HUGE, kinds[i]);
        say("advice %d: %s", kinds[i], outcome(whole));
        fresh();
        head = syscall(SYS_madvise, PLACE, PAGE, kinds[i]);
        say("  of a head: %s", outcome(head));
        inside = syscall(SYS_madvise, PLACE + PAGE, HUGE, kinds[i]);
        say("  of its inside: %s", outcome(inside));
    }
    raw_munmap((void *)PLACE, 16 * HUGE);
    map(PLACE, 2 * HUGE, READ_WRITE, SHARED_ANON | HUGETLB | NORESERVE | MAP_FIXED);
    ANSWER(syscall(SYS_madvise, PLACE, HUGE, 9));
    ANSWER(syscall(SYS_madvise, PLACE, HUGE, 18));
    ANSWER(syscall(SYS_msync, PLACE, HUGE, 4));
}

static long remap(unsigned long old, unsigned long length, unsigned long new_length, int flags, unsigned long target)
{
    return syscall(SYS_mremap, old, length, new_length, flags, target);
}

static void moves(void)
{
    static unsigned char vector[1024];

    fresh();
    ANSWER(remap(PLACE, 3 * HUGE, 4 * HUGE, 1, 0));
    ANSWER(remap(PLACE + PAGE, HUGE, HUGE, 1, 0));
    ANSWER(remap(PLACE, HUGE, HUGE, 1, PAGE));
    ANSWER(remap(PLACE, 3 * HUGE, 3 * HUGE, 1, 0));
    ANSWER(remap(PLACE, 3 * HUGE, 2 * HUGE - PAGE, 1, 0));
    show_maps("shrunk");
    ANSWER(remap(PLACE, HUGE, HUGE, 3, PLACE + 6 * HUGE));
    ANSWER(remap(PLACE + HUGE, HUGE, HUGE, 3, PLACE + 6 * HUGE + PAGE));
    ANSWER(remap(PLACE + HUGE, HUGE, HUGE, 5, 0));
    ANSWER(remap(PLACE + HUGE, 0, HUGE, 1, 0));
    ANSWER(remap(PLACE + HUGE, PAGE, PAGE, 3, PLACE + 9 * HUGE));
    show_maps("moved");
    fresh();
    ANSWER(syscall(SYS_mincore, PLACE, 2 * PAGE, vector));
    say("vector %d %d", vector[0], vector[1]);
    raw_munmap((void *)PLACE, 16 * HUGE);
}

static void memory_file(void)
{
    struct stat status;
    char text[8] = "abcdefg";
    int file = (int)syscall(SYS_memfd_create, "huge", MFD_HUGETLB | 2);

    say("a memory file: %s", file >= 0 ? "made" : error_name(errno));
    ANSWER(syscall(SYS_memfd_create, "huge", MFD_HUGETLB | 30 << 26));
    ANSWER(syscall(SYS_memfd_create, "huge", MFD_HUGETLB | 5 << 26));
    close((int)syscall(SYS_memfd_create, "huge", MFD_HUGETLB | 21 << 26));
    fstat(file, &status);
    say("size %ld mode %o block size %ld blocks %ld", (long)status.st_size, (unsigned int)status.st_mode,
        (long)status.st_blksize, (long)status.st_blocks);
    ANSWER(write(file, text, 1));
    ANSWER(read(file, text, 8));
    ANSWER(ftruncate(file, 4096));
    ANSWER(ftruncate(file, 2 * HUGE));
    ANSWER(pread(file, text, 8, 100));
    say("read %d %d", text[0], text[7]);
    ANSWER(pread(file, text, 8, 2 * HUGE - 3));
    ANSWER(lseek(file, 5, 3));
    ANSWER(lseek(file, 5, 4));
    ANSWER(lseek(file, 2 * HUGE, 3));
    ANSWER(syscall(SYS_fallocate, file, 0, 0, HUGE));
    ANSWER(syscall(SYS_fallocate, file, PUNCH, 0, HUGE));
    ANSWER(raw_mmap(0, HUGE, READ_WRITE, MAP_SHARED, file, 0));
    ANSWER(raw_mmap(0, HUGE, READ_WRITE, MAP_PRIVATE, file, 0));
    ANSWER(raw_mmap(PLACE, PAGE, READ_WRITE, MAP_SHARED | NORESERVE | MAP_FIXED, file, 0));
    ANSWER(raw_mmap(PLACE + HUGE, HUGE, READ_WRITE, MAP_SHARED | NORESERVE | MAP_FIXED, file, PAGE));
    ANSWER(raw_mmap(PLACE + HUGE, HUGE, PROT_READ, MAP_PRIVATE | NORESERVE | MAP_FIXED | HUGETLB, file, HUGE));
    ANSWER(raw_mmap(PLACE + 2 * HUGE, HUGE, READ_WRITE, MAP_SHARED | NORESERVE | MAP_FIXED, file, 4 * HUGE));
    fstat(file, &status);
    say("size %ld", (long)status.st_size);
    say("write: %s", fault_of(write_byte, (char *)PLACE));
    show_maps("the file");
    ANSWER(ftruncate(file, 0));
    say("read behind the end: %s", fault_of(read_byte, (char *)PLACE));
    ANSWER(syscall(SYS_fcntl, file, SEALS, 0));
    ANSWER(syscall(SYS_fcntl, file, ADD_SEALS, 4));
    ANSWER(ftruncate(file, HUGE));
    close(file);
}

static void limits(void)
{
    long total = strtol(file_text("/proc/self/statm"), NULL, 10);

    raw_munmap((void *)PLACE, 16 * HUGE);
    say("pages %ld", total - strtol(file_text("/proc/self/statm"), NULL, 10));
    fresh();
    say("pages back %ld", total - strtol(file_text("/proc/self/statm"), NULL, 10));
}

/* What is refused for its offset is refused for want of room first, and for what it would cut. */
static void misplaced_without_room(void)
{
    int file = (int)syscall(SYS_memfd_create, "huge", MFD_HUGETLB);
    struct rlimit limit, low;

    fresh();
    ANSWER(raw_mmap(PLACE + HUGE, HUGE, READ_WRITE, MAP_SHARED | MAP_FIXED, file, PAGE));
    getrlimit(RLIMIT_AS, &limit);
    low = limit;
    low.rlim_cur = 16 * PAGE;
    setrlimit(RLIMIT_AS, &low);
    ANSWER(raw_mmap(PLACE + 4 * HUGE, HUGE, READ_WRITE, MAP_SHARED | MAP_FIXED, file, PAGE));
    ANSWER(raw_mmap(PLACE + 4 * HUGE, HUGE, READ_WRITE, MAP_SHARED | MAP_FIXED | NORESERVE, file, PAGE));
    ANSWER(raw_mmap(PLACE + 4 * HUGE, HUGE, READ_WRITE, MAP_SHARED | MAP_FIXED, file, 0));
    setrlimit(RLIMIT_AS, &limit);
    ANSWER(raw_mmap(PLACE + 4 * HUGE, HUGE, READ_WRITE, MAP_SHARED | MAP_FIXED | NORESERVE, file, PAGE));
    close(file);
}

int main(void)
{
    warm_up();
    catch_faults();
    requests();
    touches();
    cuts();
    locks();
    advice();
    moves();
    memory_file();
    limits();
    misplaced_without_room();
    return 0;
}
