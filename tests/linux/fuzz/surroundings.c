/* The steps of the fuzzer that change what is around the mappings: the mapped file, processes, limits, the stack. */
#define _GNU_SOURCE
#include "tests/linux/fuzz/fuzz.h"

#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#endif
#ifndef SYS_fallocate
#define SYS_fallocate 285
#endif
enum { MOST_SIZE = 2 * FILE_PAGES * 4096, OVERCOMMIT_MODES = 3 };

/* --- The file --- */

static unsigned long pick_offset(void)
{
    unsigned long offset = pick(MOST_SIZE);

    return pick(2) == 0 ? offset & -PAGE : offset;
}

static void resize_file(void)
{
    unsigned long size = pick_offset();

    note_text("ftruncate(memfd, 0x%lx);", size);
    MEASURE(ftruncate(memfd, (off_t)size));
}

static void allocate_or_punch(void)
{
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
                                FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, FALLOC_FL_PUNCH_HOLE};
    int mode = modes[pick(5)];
    unsigned long offset = pick_offset(), length = pick(4 * PAGE);

    note_text("fallocate(memfd, %d, 0x%lx, 0x%lx);", mode, offset, length);
    MEASURE(syscall(SYS_fallocate, memfd, mode, offset, length));
}

static void write_file(void)
{
    static char bytes[3 * PAGE];
    unsigned long offset = pick_offset(), length = pick(sizeof(bytes)), value = pick(256);

    memset(bytes, (int)value, sizeof(bytes));
    note_text("pwrite64(memfd, bytes(0x%lx), 0x%lx, 0x%lx);", value, length, offset);
    MEASURE(pwrite(memfd, bytes, length, (off_t)offset));
}

/* Between the file and a mapping, which may be one of the same file. */
static void copy_through_file(void)
{
    unsigned long address = pick_page() + pick(4) * 1000, offset = pick_offset(), length = pick(3 * PAGE);

    if (pick(2) == 0) {
        note_text("pwrite64(memfd, 0x%lx, 0x%lx, 0x%lx);", address, length, offset);
        MEASURE(syscall(SYS_pwrite64, memfd, address, length, offset));
    } else {
        note_text("pread64(memfd, 0x%lx, 0x%lx, 0x%lx);", address, length, offset);
        MEASURE(syscall(SYS_pread64, memfd, address, length, offset));
    }
}

static void seek(void)
{
    int whence = pick(2) == 0 ? 3 : 4; /* SEEK_DATA, SEEK_HOLE */
    unsigned long offset = pick_offset();

    note_text("lseek(memfd, 0x%lx, %d);", offset, whence);
    MEASURE(lseek(memfd, (off_t)offset, whence));
}

void change_file(void)
{
    static void (*const kinds[])(void) = {resize_file, resize_file, allocate_or_punch, write_file,
                                          copy_through_file, seek};

    kinds[pick(6)]();
}

/* --- Processes --- */

static bool in_child;

/* What a child may do: everything but to have children of its own. */
static void child_steps(void)
{
    for (unsigned long i = 0, count = 1 + pick(4); i < count; i++) {
        note_text(" ");
        if (pick(3) != 0)
            touch();
        else
            one_step();
    }
    note_text(" }");
    end_line();
}

/* A child works on its copy of the memory, or (vfork) on the memory itself; the parent waits. */
void fork_child(void)
{
    bool shares = pick(4) == 0;
    int status = -1;
    pid_t child;

    if (in_child) {
        touch();
        return;
    }
    note_text("%s {", shares ? "/* vfork */" : "/* fork */");
    if (!shares) {
        child = fork();
    } else {
        in_child = true;
        child = vfork();
    }
    if (child == 0) {
        if (!shares) {
            in_child = true;
            touch_own_pages();
        }
        child_steps();
        _exit((int)(seen.hash >> 56));
    }
    in_child = false;
    waitpid(child, &status, 0);
    touch_own_pages();
    note_text(" } -> child %x", status);
    end_line();
}

/* --- Limits --- */

static void set_overcommit(int mode)
{
    char digit = (char)('0' + mode);
    int file = open("/proc/sys/vm/overcommit_memory", O_WRONLY);

    errno = 0;
    note_text("overcommit(%d); -> %s", mode,
              file >= 0 && write(file, &digit, 1) == 1 ? "0" : error_name(errno));
    if (file >= 0)
        close(file);
}

void restore_system(void)
{
    set_overcommit(0);
    seen.length = 0;
}

/* Pages of this address space: the first number of statm. */
static unsigned long total_pages(void)
{
    return strtoul(file_text("/proc/self/statm"), NULL, 10);
}

void change_limits(void)
{
    static const struct {
        int resource;
        const char *name;
    } limits[] = {{RLIMIT_AS, "RLIMIT_AS"}, {RLIMIT_DATA, "RLIMIT_DATA"}, {RLIMIT_STACK, "RLIMIT_STACK"},
                  {RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK"}};
    unsigned long which = pick(5);
    struct rlimit limit;

    if (which == 4) {
        set_overcommit((int)pick(OVERCOMMIT_MODES));
        return;
    }
    getrlimit(limits[which].resource, &limit);
    limit.rlim_cur = pick(3) == 0 ? limit.rlim_max : pick(16) * PAGE;
    if (limit.rlim_cur != limit.rlim_max && limits[which].resource == RLIMIT_AS)
        limit.rlim_cur += total_pages() * PAGE;
    if (limit.rlim_cur != limit.rlim_max && limits[which].resource == RLIMIT_STACK)
        limit.rlim_cur += 33 * PAGE;
    note_text("set_limit(%s, 0x%lx);", limits[which].name, (unsigned long)limit.rlim_cur);
    MEASURE(setrlimit(limits[which].resource, &limit));
}

/* --- The stack --- */

/* Far below its end, within its limit or not. */
void touch_stack(void)
{
    unsigned long address = USER_END - (40 + pick(pick(2) == 0 ? 100 : 2500)) * PAGE;

    note_text("store_byte(0x%lx);", address);
    attempt(store_byte, address);
}
