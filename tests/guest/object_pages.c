/* Checks what becomes of the pages of a shared object: open files and merging, PAGEOUT, fallocate, clean and dirty. */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "mem.h"

#ifndef SYS_fallocate
#define SYS_fallocate 285
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { PAGES = 4 };

static int memory_file(void)
{
    int file = (int)syscall(SYS_memfd_create, "object", 0);

    if (file < 0 || ftruncate(file, PAGES * PAGE) != 0)
        bail_out("memfd_create failed with errno %d", errno);
    return file;
}

/* The file of DESCRIPTOR, opened once more. */
static int open_again(int descriptor)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
    return open(path, O_RDWR);
}

static void map_part(char *place, int file, unsigned long page)
{
    raw_mmap((unsigned long)place + page * PAGE, PAGE, READ_WRITE, MAP_SHARED | MAP_FIXED, file, page * PAGE);
}

static void open_files(void)
{
    int file = memory_file(), same = dup(file), other = open_again(file);
    char *place = free_range(PAGES);

    map_part(place, file, 0);
    map_part(place, same, 1);
    check_str(vmas(place, PAGES), "0-2 rw-s", "parts mapped by one open file merge, by whichever descriptor");
    map_part(place, other, 2);
    check_str(vmas(place, PAGES), "0-2 rw-s, 2-3 rw-s", "a part mapped by another open file of it stays apart");
    map_part(place, other, 3);
    check_str(vmas(place, PAGES), "0-2 rw-s, 2-4 rw-s", "and merges with its own kind");
    raw_mprotect(place + PAGE, 2 * PAGE, PROT_READ);
    raw_mprotect(place + PAGE, 2 * PAGE, READ_WRITE);
    check_str(vmas(place, PAGES), "0-2 rw-s, 2-4 rw-s", "also after mprotect made all equal again");
    raw_munmap(place, PAGES * PAGE);
    close(file);
    close(same);
    close(other);
}

/* As many letters as pages: '1' resident, '0' not. */
static const char *resident(const char *start)
{
    static unsigned char vector[PAGES];
    static char text[PAGES + 1];

    syscall(SYS_mincore, start, PAGES * PAGE, vector);
    for (int i = 0; i < PAGES; i++)
        text[i] = vector[i] & 1 ? '1' : '0';
    return text;
}

static void paging_out(void)
{
    char *memory = raw_mmap(0, PAGES * PAGE, READ_WRITE, SHARED_ANON, -1, 0);

    read_pages(memory, 2);
    write_pages(memory + 2 * PAGE, 1);
    check_str(resident(memory), "1110", "two pages of shared memory are read, one is written");
    check_eq(syscall(SYS_madvise, memory, PAGES * PAGE, MADV_PAGEOUT), 0, "PAGEOUT of them succeeds");
    check_str(resident(memory), "0010", "what was only read is freed, what was written stays");
    check_eq(read_faults(memory + 2 * PAGE, 1), 1, "but is unmapped: the next read faults");
    check_eq(memory[2 * PAGE], 1, "and finds what was written");
    raw_munmap(memory, PAGES * PAGE);
}

static void paging_out_twice_mapped(void)
{
    int file = memory_file();
    char *first = raw_mmap(0, PAGES * PAGE, READ_WRITE, MAP_SHARED, file, 0);
    char *second = raw_mmap(0, PAGES * PAGE, READ_WRITE, MAP_SHARED, file, 0);

    read_pages(first, 1);
    read_pages(second, 1);
    syscall(SYS_madvise, first, PAGES * PAGE, MADV_PAGEOUT);
    check_eq(read_faults(first, 1), 0, "PAGEOUT leaves a page alone that is mapped twice");
    syscall(SYS_mlock, second, PAGE);
    check_fails(syscall(SYS_madvise, second, PAGE, MADV_PAGEOUT), EINVAL, "of locked memory it is EINVAL");
    raw_munmap(first, PAGES * PAGE);
    raw_munmap(second, PAGES * PAGE);
    close(file);
}

static void allocating(void)
{
    int file = memory_file();
    char *memory = raw_mmap(0, PAGES * PAGE, READ_WRITE, MAP_SHARED, file, 0);

    check_eq(syscall(SYS_fallocate, file, 0, 0, 2 * PAGE), 0, "fallocate gives a file its pages");
    check_str(resident(memory), "0000", "which are not resident before they are touched");
    check_eq(lseek(file, 0, 3 /* SEEK_DATA */), -1, "nor data");
    check_eq(read_faults(memory, 2), 2, "nor mapped around a fault: each has its own");
    check_str(resident(memory), "1100", "then they are resident");
    syscall(SYS_madvise, memory, PAGES * PAGE, MADV_PAGEOUT);
    check_str(resident(memory), "1100", "and never clean: PAGEOUT keeps them");
    syscall(SYS_fallocate, file, 0, 2 * PAGE, 2 * PAGE);
    check_str(resident(memory), "1100", "allocated once they are not resident");
    syscall(SYS_fallocate, file, 0, 0, PAGES * PAGE);
    check_str(resident(memory), "1111", "allocated twice they are");
    ftruncate(file, 0);
    syscall(SYS_fallocate, file, 1, 0, 2 * PAGE);
    syscall(SYS_fallocate, file, 1, PAGE, 2 * PAGE);
    check_str(resident(memory), "0100", "also behind the end of the file");
    raw_munmap(memory, PAGES * PAGE);
    close(file);
}

/* Kilobytes of the line NAME of the mapping at START in smaps. */
static long smaps_value(const char *start, const char *name)
{
    char head[32];
    const char *text;

    snprintf(head, sizeof(head), "%lx-", (unsigned long)start);
    text = strstr(file_text("/proc/self/smaps"), head);
    text = text != NULL ? strstr(text, name) : NULL;
    return text != NULL ? strtol(text + strlen(name), NULL, 10) : -1;
}

static void clean_and_dirty(void)
{
    char *memory = anon_at(free_range(PAGES), PAGES, READ_WRITE);

    write_pages(memory, PAGES);
    check_eq(smaps_value(memory, "Private_Dirty:"), PAGES * 4, "written pages are dirty");
    syscall(SYS_madvise, memory, 3 * PAGE, MADV_FREE);
    check_eq(smaps_value(memory, "Private_Clean:"), 3 * 4, "MADV_FREE makes them clean");
    check_eq(write_faults(memory, 1), 0, "and writable without a fault");
    check_eq(smaps_value(memory, "Private_Clean:"), 2 * 4, "a write makes them dirty again");
    syscall(SYS_madvise, memory + PAGE, PAGE, MADV_POPULATE_WRITE);
    check_eq(smaps_value(memory, "Private_Clean:"), 4, "and so does POPULATE_WRITE");
    raw_mprotect(memory, PAGES * PAGE, PROT_READ);
    raw_mprotect(memory, PAGES * PAGE, READ_WRITE);
    check_eq(write_faults(memory, 1), 0, "a dirty page that was read-only for a while is written without a fault");
    syscall(SYS_madvise, memory, PAGE, MADV_FREE);
    raw_mprotect(memory, PAGE, PROT_READ);
    raw_mprotect(memory, PAGE, READ_WRITE);
    check_eq(write_faults(memory, 1), 1, "a clean one with a fault");
    syscall(SYS_madvise, memory, 2 * PAGE, MADV_FREE);
    memory[0] = 1;
    syscall(SYS_madvise, memory, PAGES * PAGE, MADV_PAGEOUT);
    check_str(present(memory, PAGES), "1001", "PAGEOUT takes what MADV_FREE gave up, unless it was written since");
    raw_munmap(memory, PAGES * PAGE);
}

static int limit_address_space(unsigned long bytes)
{
    struct rlimit limit;

    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = bytes;
    return setrlimit(RLIMIT_AS, &limit);
}

static void limits_of_two_processes(void)
{
    int status = -1;
    pid_t child = vfork();

    if (child == 0) {
        limit_address_space(PAGE);
        _exit(raw_mmap(0, PAGE, PROT_READ, PRIVATE_ANON, -1, 0) == MAP_FAILED ? 0 : 1);
    }
    waitpid(child, &status, 0);
    check_eq(status, 0, "a limit set by a child of vfork holds for the child");
    check(raw_mmap(0, PAGE, PROT_READ, PRIVATE_ANON, -1, 0) != MAP_FAILED,
          "but not for its parent, whose memory it shared");
}

int main(void)
{
    warm_up();
    open_files();
    paging_out();
    paging_out_twice_mapped();
    allocating();
    clean_and_dirty();
    limits_of_two_processes();
    return done();
}
