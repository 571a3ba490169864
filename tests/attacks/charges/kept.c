/* Bombs of what the kernel keeps for a program: descriptors, bytes in pipes, files, arguments, signals. */
#define _GNU_SOURCE
#include "tests/attacks/charges/charges.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "tests/guest/mem.h"

#define MIB (1ul << 20)
#define FILES 30000     /* their inodes alone would fill 16 MiB */
#define CALL_RT_SIGQUEUEINFO 129

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
