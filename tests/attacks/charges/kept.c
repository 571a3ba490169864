/* Bombs of what the kernel keeps for a program: descriptors, bytes in pipes, files, arguments, signals. */
#define _GNU_SOURCE
#include "tests/attacks/charges/charges.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "tests/guest/mem.h"
#include "user/common/probe.h"

#define MIB (1ul << 20)
#define FILES 30000     /* their inodes alone would fill 16 MiB */
#define CALL_RT_SIGQUEUEINFO 129
#define CALL_EPOLL_CTL 233
#define CALL_TIMERFD_CREATE 283
#define CALL_SIGNALFD4 289
#define CALL_EVENTFD2 290
#define CALL_EPOLL_CREATE1 291
#define LOCKS 20000
#define LOCK_SIZE 56ul      /* bytes of the kernel's, at least */
#define SET_LOCK 6          /* F_SETLK and F_WRLCK, which our C library lacks */
#define WRITE_LOCK 1
#define WATCHED 400         /* descriptors, by each epoll */

int descriptors(void)
{
    int count = 0;

    while (open("/dev/null", O_RDONLY) >= 0)
        count++;
    return errno == EMFILE && count > 100 ? 0 : 1;
}

static void fill_pipes(void)
{
    static char bytes[65536];
    int ends[2];

    while (pipe2(ends, O_NONBLOCK) == 0)
        while (write(ends[1], bytes, sizeof(bytes)) > 0)
            continue;
}

int pipes(void)
{
    for (int i = 0; i < 16; i++)
        if (fork() == 0) {
            fill_pipes();
            pause();
        }
    fill_pipes();
    return 0;
}

int nameless_files(void)
{
    static char bytes[65536];
    int file;

    while ((file = (int)syscall(SYS_memfd_create, "bomb", 0)) >= 0)
        while (lseek(file, 0, SEEK_CUR) < (off_t)(4 * MIB) && write(file, bytes, sizeof(bytes)) > 0)
            continue;
    return 0;
}

int links(void)
{
    char name[32];
    int count = 0, file;

    mkdir("/tmp/bomb", 0700);
    file = open("/tmp/bomb/0", O_CREAT | O_WRONLY, 0600);
    for (; count < FILES; count++) {
        snprintf(name, sizeof(name), "/tmp/bomb/%d", count + 1);
        if (link("/tmp/bomb/0", name) != 0)
            break;
    }
    int why = errno;
    for (int i = 0; i <= count; i++) {
        snprintf(name, sizeof(name), "/tmp/bomb/%d", i);
        unlink(name);
    }
    close(file);
    if (rmdir("/tmp/bomb") != 0)
        return 1;
    return count == FILES || why == ENOSPC || why == ENOMEM ? 0 : 3;
}

/* Every other byte, so that no two are one. Linux has no limit; it only becomes slow. Here they may not take much of memory. */
int locks(void)
{
    struct frame_counts frames;
    int file = (int)syscall(SYS_memfd_create, "bomb", 0), count = 0;
    struct {
        short type, whence;
        long start, length;
        int pid;
    } lock = {WRITE_LOCK, SEEK_SET, 0, 1, 0};

    for (; count < LOCKS; count++) {
        lock.start = 2 * count;
        if (fcntl(file, SET_LOCK, &lock) != 0)
            break;
    }
    if (count != LOCKS && (errno != ENOLCK || count < 1000))
        return 1;
    return probe_frames(&frames) && (unsigned long)count * LOCK_SIZE > frames.total * PAGE / 16 ? 2 : 0;
}

/* Every epoll watches every descriptor of one pipe. */
int watches(void)
{
    int ends[2], first, count = 0, epoll;
    struct {
        unsigned int events;
        unsigned long data;
    } __attribute__((packed)) event = {1, 0};

    if (pipe(ends) != 0)
        return 1;
    for (int i = 0; i < WATCHED; i++)
        dup(ends[0]);
    first = ends[1] + 1;
    while ((epoll = (int)syscall(CALL_EPOLL_CREATE1, 0)) >= 0)
        for (int i = 0; i < WATCHED; i++, count++)
            if (syscall(CALL_EPOLL_CTL, epoll, 1, first + i, &event) != 0)
                return errno == ENOSPC && count > 1000 && write(ends[1], "x", 1) == 1 ? 0 : 2;
    return errno == EMFILE && write(ends[1], "x", 1) == 1 ? 0 : 3;
}

static void fill_with_events(void)
{
    unsigned long set = ~0ul;
    struct rlimit most;

    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    while (syscall(CALL_EVENTFD2, 0, 0) >= 0 && syscall(CALL_TIMERFD_CREATE, 1, 0) >= 0 &&
           syscall(CALL_SIGNALFD4, -1, &set, sizeof(set), 0) >= 0)
        continue;
}

int events(void)
{
    for (int i = 0; i < 16; i++)
        if (fork() == 0) {
            fill_with_events();
            pause();
        }
    fill_with_events();
    return 0;
}

int files(void)
{
    static char bytes[65536];
    char name[32];
    int count = 0;

    mkdir("/tmp/bomb", 0700);
    for (; count < FILES; count++) {
        snprintf(name, sizeof(name), "/tmp/bomb/%d", count);
        int file = open(name, O_CREAT | O_WRONLY, 0600);
        if (file < 0)
            break;
        if (count < 4) /* as large as they get */
            while (write(file, bytes, sizeof(bytes)) > 0)
                continue;
        close(file);
    }
    int why = errno;
    int works = fork();
    if (works == 0)
        _exit(0);
    for (int i = count; i >= 0; i--) {
        snprintf(name, sizeof(name), "/tmp/bomb/%d", i);
        unlink(name);
    }
    if (rmdir("/tmp/bomb") != 0)
        return 1;
    if (works < 0)
        return 2;
    return count == FILES || why == ENOSPC || why == ENOMEM ? 0 : 3;
}

int arguments(void)
{
    static char *words[4096];
    char *word = raw_mmap(0, MIB, READ_WRITE, PRIVATE_ANON, -1, 0);

    memset(word, 'x', 100 * 1024);
    for (int i = 0; i < 4095; i++)
        words[i] = word;
    return execve("/proc/self/exe", words, words) == -1 && errno == E2BIG ? 0 : 1;
}

int signals(void)
{
    static siginfo_t info;
    sigset_t set;
    long count = 0;

    sigemptyset(&set);
    sigaddset(&set, 40);
    sigprocmask(SIG_BLOCK, &set, NULL);
    info.si_code = -1; /* SI_QUEUE */
    while (count < 1000000 && syscall(CALL_RT_SIGQUEUEINFO, getpid(), 40, &info) == 0)
        count++;
    return count < 1000000 && errno == EAGAIN ? 0 : 1;
}
