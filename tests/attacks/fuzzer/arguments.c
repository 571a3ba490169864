/* What the fuzzer calls, and with what: pointers to all kinds of places, lengths, flags, descriptors. */
#define _GNU_SOURCE
#include "tests/attacks/fuzzer/calls.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/guest/mem.h"

#define RARELY 32           /* one in so many of the rare calls that are drawn is made */
#define UNKNOWN_ONE_IN 64   /* calls have a number from anywhere */
#define FIRST_UNKNOWN 0x1000

static const struct {
    unsigned short number;
    unsigned char arguments;
} calls[] = {
#define SYSCALL(number, name, arguments) {number, arguments},
#define ABSENT(number, name)
#include "syscall/list.h"
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

enum { NR_OPEN = 2, NR_SIGACTION = 13, NR_SIGRETURN = 15, NR_PAUSE = 34, NR_CLONE = 56, NR_FORK = 57, NR_VFORK = 58,
       NR_EXECVE = 59, NR_EXIT = 60, NR_KILL = 62, NR_TRUNCATE = 76, NR_RENAME = 82, NR_READLINK = 89, NR_LCHOWN = 94,
       NR_SETPGID = 109, NR_SETSID = 112, NR_QUEUEINFO = 129, NR_MKNOD = 133, NR_PRCTL = 157, NR_ARCH_PRCTL = 158,
       NR_REBOOT = 169, NR_TKILL = 200, NR_SET_TID_ADDRESS = 218, NR_EXIT_GROUP = 231, NR_TGKILL = 234, NR_OPENAT = 257,
       NR_MKDIRAT = 258, NR_FCHOWNAT = 260, NR_UNLINKAT = 263, NR_SYMLINKAT = 266, NR_FCHMODAT = 268,
       NR_EPOLL_CTL = 233, NR_SET_ROBUST_LIST = 273, NR_TIMERFD_CREATE = 283, NR_SIGNALFD4 = 289, NR_EVENTFD2 = 290,
       NR_EPOLL_CREATE1 = 291, NR_TGQUEUEINFO = 297, NR_PRLIMIT = 302, NR_RENAMEAT2 = 316, NR_EXECVEAT = 322,
       NR_CLONE3 = 435 };

/* What a process with root's rights may not call: it could hurt those who watch it. */
static const unsigned short not_for_root[] = {NR_FORK, NR_VFORK, NR_KILL, NR_SETPGID, NR_SETSID, NR_CLONE, NR_EXECVE,
                                              NR_QUEUEINFO, NR_REBOOT, NR_TKILL, NR_TGKILL, NR_TGQUEUEINFO, NR_PRLIMIT,
                                              NR_EXECVEAT, NR_CLONE3, NR_TRUNCATE, NR_MKNOD, NR_RENAMEAT2};
#define CHANGES 01103u /* O_CREAT, O_TRUNC, O_RDWR, O_WRONLY: nor may it make or change files anywhere */

/* What ends or stops a process too often to be called as often as the rest. */
static const unsigned short rare[] = {NR_PAUSE, NR_EXIT, NR_EXIT_GROUP, NR_SIGRETURN, NR_FORK, NR_VFORK, NR_CLONE,
                                      NR_CLONE3, NR_EXECVE, NR_EXECVEAT};
static const unsigned short makers[] = {NR_FORK, NR_VFORK, NR_CLONE, NR_CLONE3};
/* What keeps an address that it is given, so that another call can put it into memory. */
static const unsigned short keepers[] = {NR_PRCTL, NR_ARCH_PRCTL, NR_SET_TID_ADDRESS, NR_SET_ROBUST_LIST, NR_SIGACTION};

/* ---- random numbers ---- */

static unsigned long state;

void random_start(unsigned long seed)
{
    state = seed | 1;
    for (int i = 0; i < 8; i++)
        random_bits();
}

unsigned long random_bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dul;
}

unsigned long below(unsigned long limit)
{
    return (random_bits() >> 11) % limit;
}

#define ONE_OF(list) (list)[below(sizeof(list) / sizeof((list)[0]))]

static bool is_in(const unsigned short *list, size_t count, unsigned int number)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == number)
            return true;
    return false;
}
#define IS_IN(list, number) is_in(list, sizeof(list) / sizeof((list)[0]), number)

/* ---- arguments ---- */

/*
 * The arena, by pages: 0 to 7 data, 8 a hole, 9 read-only, 10 no access, 11 a hole, 12 to 13 shared, 14 a file, 15 a
 * hole, 16 to 19 never touched, 20 a hole, 21 executable.
 */
enum { ARENA_PAGES = 24, DATA_PAGES = 8, PAGE_READ_ONLY = 9, PAGE_NO_ACCESS = 10, PAGE_SHARED = 12, PAGE_FILE = 14,
       PAGE_FRESH = 16, PAGE_EXEC = 21 };
static char *arena;

static const char *const paths[] = {
    "/", ".", "..", "", "/tmp", FOLDER "/a", FOLDER "/b", FOLDER "/c/d", FOLDER "/c", "a", "b/../a", "/dev/null",
    "/dev/zero", "/dev/full", "/dev/urandom", "/proc/self/maps", "/proc/self/mem", "/proc/self/pagemap", "/proc/1/status",
    "/proc/self/fd/3", "/proc/self/exe", "/proc/audit", "/proc/zeropage", "/proc/sys/vm/drop_caches", "/proc/self/smaps",
    "/proc", "/proc/self/fd", "/bin/echo", "/nothing/here", "/bin/echo/x", FOLDER "/link",
};

static const unsigned long outside[] = {0, 1, 8, PAGE, USER_END, USER_END - 1, USER_END - PAGE, NON_CANONICAL,
                                        0x800000000000, ~0ul, -PAGE, -PAGE - 1};
/* Passed to calls, never put into memory: what then looks like them there has come from the kernel. */
/* (By way of a signal's frame they get there nevertheless: so they differ from real ones in a byte of the upper half.) */
static const unsigned long of_the_kernel[] = {KERNEL_ADDRESS, 0xffff800000000000, 0xffff889000000000, 0xffffcaff00000000,
                                              0xffffffffff600000};
static bool filling;

bool is_kernel_address(unsigned long value)
{
    if (value < 0xffff888000000000 || value >= -PAGE - 1 || value == KERNEL_ADDRESS)
        return false;
    return (value >= 0xffffffff80100000 && value < 0xffffffff90000000) ||
           (value >= 0xffff888000000000 && value < 0xffff889000000000) ||
           (value >= 0xffffc90000000000 && value < 0xffffc91000000000);
}

static unsigned long pointer(void)
{
    unsigned long page = (unsigned long)arena + below(ARENA_PAGES) * PAGE;

    switch (below(12)) {
    case 0:
        return filling || below(2) ? ONE_OF(outside) : ONE_OF(of_the_kernel);
    case 1:
        return page;
    case 2:
        return page + PAGE - 1 - below(64);     /* at its end */
    case 3:
        return (unsigned long)ONE_OF(paths);
    case 4:
        return (unsigned long)arena + 8 * PAGE - 1 - below(256);     /* runs into the hole in mid-buffer */
    case 5:
        return page + below(PAGE);
    case 6:
        return (unsigned long)&page - below(16384);
    default:
        return (unsigned long)arena + below(DATA_PAGES * PAGE / 8) * 8;
    }
}

static unsigned long length(void)
{
    static const unsigned long lengths[] = {0, 1, 7, 8, 16, 24, 64, 128, 4095, 4096, 4097, 8192, 65536, 0x7fffffff, 0x80000000,
                                            0xffffffff, 1ul << 32, 1ul << 47, 1ul << 62, ~0ul >> 1, 1ul << 63, ~0ul, -PAGE};

    return below(3) ? below(10000) : ONE_OF(lengths);
}

static unsigned long flags(void)
{
    switch (below(4)) {
    case 0:
        return 1ul << below(64);
    case 1:
        return 1ul << below(32) | 1ul << below(32);
    case 2:
        return random_bits() >> below(64);
    default:
        return below(64);
    }
}

static unsigned long descriptor(void)
{
    static const unsigned long descriptors[] = {-100ul, ~0ul, 255, 1023, 1024, 0x7fffffff, 0x80000000, 99};

    return below(8) ? below(16) : ONE_OF(descriptors);
}

static unsigned long argument(unsigned int position)
{
    switch (below(position == 0 ? 6 : 8)) {
    case 0:
        return flags();
    case 1:
        return below(100) ? below(80) : random_bits();
    case 2:
    case 3:
        return position == 0 ? descriptor() : pointer();
    case 4:
        return pointer();
    case 5:
        return position == 0 ? pointer() : length();
    default:
        return position % 2 ? pointer() : length();
    }
}

/* Numbers, addresses and lengths as structures of the kernel's interface may hold them. */
static void fill_some_data(void)
{
    unsigned long *words = (unsigned long *)(arena + below(DATA_PAGES) * PAGE + below(PAGE / 64) * 64);

    filling = true;
    for (int i = 0; i < 8; i++)
        words[i] = below(2) ? argument(1) : below(below(2) ? 4096 : 4);    /* small: kinds, as of locks */
    filling = false;
}

/* ---- the process's surroundings ---- */

/* What is no file, and can't be got by a name: an epoll that watches a pipe and a counter, a timer, signals, huge pages. */
static void make_odd_descriptors(void)
{
    struct {
        unsigned int events;
        unsigned long data;
    } __attribute__((packed)) all_events = {~(1u << 28), 1};    /* but EPOLLEXCLUSIVE */
    unsigned long signals = ~0ul;
    int epoll = (int)syscall(NR_EPOLL_CREATE1, 0);

    syscall(NR_EPOLL_CTL, epoll, 1, 3, &all_events);
    syscall(NR_EPOLL_CTL, epoll, 1, syscall(NR_EVENTFD2, 1, 0), &all_events);
    syscall(NR_TIMERFD_CREATE, 1, 0);
    syscall(NR_SIGNALFD4, -1, &signals, sizeof(signals), 0);
    syscall(SYS_memfd_create, "huge", 4);
}

void make_arena(void)
{
    int ends[2], file, null = open("/dev/null", O_RDWR);

    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    if (pipe(ends) == 0)
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
    file = open(FOLDER "/a", O_RDWR | O_CREAT, 0666);
    open("/dev/zero", O_RDWR);
    open("/proc/self/maps", O_RDONLY);
    open(FOLDER, O_RDONLY);
    syscall(SYS_memfd_create, "calls", 0);
    make_odd_descriptors();
    /* Behind it there is a hole too: what is up there is not for the calls. */
    arena = raw_mmap(0, (ARENA_PAGES + 1) * PAGE, READ_WRITE, PRIVATE_ANON, -1, 0);
    for (int i = 0; i < 200; i++)
        fill_some_data();
    raw_munmap(arena + ARENA_PAGES * PAGE, PAGE);
    raw_munmap(arena + 8 * PAGE, PAGE);
    raw_mprotect(arena + PAGE_READ_ONLY * PAGE, PAGE, PROT_READ);
    raw_mprotect(arena + PAGE_NO_ACCESS * PAGE, PAGE, PROT_NONE);
    raw_munmap(arena + 11 * PAGE, PAGE);
    raw_mmap((unsigned long)arena + PAGE_SHARED * PAGE, 2 * PAGE, READ_WRITE, SHARED_ANON | MAP_FIXED, -1, 0);
    raw_mmap((unsigned long)arena + PAGE_FILE * PAGE, PAGE, READ_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
    raw_munmap(arena + 15 * PAGE, PAGE);
    raw_munmap(arena + 20 * PAGE, PAGE);
    raw_mprotect(arena + PAGE_EXEC * PAGE, PAGE, PROT_READ | PROT_EXEC);
}

const unsigned long *arena_data(size_t *words)
{
    *words = DATA_PAGES * PAGE / sizeof(unsigned long);
    return (const unsigned long *)arena;
}

/* ---- calls ---- */

bool makes_children(unsigned int number)
{
    return IS_IN(makers, number);
}

bool is_rare(unsigned int number)
{
    return IS_IN(rare, number);
}

bool next_call(size_t *position, unsigned int *number)
{
    if (*position == CALLS)
        return false;
    *number = calls[(*position)++].number;
    return true;
}

/* Changes of what lies in folders: rename to lchown, and their successors with a descriptor. */
static bool changes_folders(unsigned int number)
{
    return (number >= NR_RENAME && number <= NR_LCHOWN && number != NR_READLINK) ||
           (number >= NR_MKDIRAT && number <= NR_FCHOWNAT) || (number >= NR_UNLINKAT && number <= NR_SYMLINKAT) ||
           number == NR_FCHMODAT;
}

static unsigned int choose_number(bool root, unsigned int *arguments)
{
    for (;;) {
        size_t i = below(CALLS);
        *arguments = calls[i].arguments;
        if (below(UNKNOWN_ONE_IN) == 0)
            return (unsigned int)(below(2) ? below(1000) : random_bits()) | (root ? FIRST_UNKNOWN : 0);
        if (root && (IS_IN(not_for_root, calls[i].number) || changes_folders(calls[i].number)))
            continue;
        if (IS_IN(rare, calls[i].number) && below(RARELY))
            continue;
        return calls[i].number;
    }
}

unsigned int choose_call(bool root, struct registers *arguments)
{
    unsigned int count, number = choose_number(root, &count);

    filling = IS_IN(keepers, number);
    for (unsigned int i = 0; i < count; i++)
        arguments->of[i] = argument(i);
    filling = false;
    if (root && number == NR_OPEN)
        arguments->of[1] &= ~(unsigned long)CHANGES;
    if (root && number == NR_OPENAT)
        arguments->of[2] &= ~(unsigned long)CHANGES;
    if (below(4) == 0)
        fill_some_data();
    return number;
}
