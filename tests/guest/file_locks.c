/* Checks locks on files: of ranges and of whole files, whose they are, who waits for them, and what ends them. */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "mem.h"

/* Spelt out here: C libraries name some of it differently. */
enum { GET = 5, SET = 6, SET_WAIT = 7, FILE_GET = 36, FILE_SET = 37, FILE_SET_WAIT = 38 };
enum { READ = 0, WRITE = 1, NONE = 2 };
enum { SHARED = 1, EXCLUSIVE = 2, NOW = 4, UNLOCK = 8, MANDATORY = 32 };
enum { BYTES = 12, SIZE = 8, EVERYTHING = 0, OPEN_FOR_NOTHING = 010000000 /* O_PATH */ };
#ifndef SYS_flock
#define SYS_flock 73
#endif
#define LAST 0x7fffffffffffffffL
#define NAME "/tmp/file_locks"

struct lock {
    short type, whence;
    long start, length;
    int pid;
};

static int file, again;         /* two open files of one file of SIZE bytes */

static long control(int fd, int command, int type, int whence, long start, long length)
{
    struct lock lock = {(short)type, (short)whence, start, length, 0};

    return syscall(SYS_fcntl, fd, command, &lock);
}

static long set(int type, long start, long length)
{
    return control(file, SET, type, SEEK_SET, start, length);
}

static long whole(int fd, int operation)
{
    return syscall(SYS_flock, fd, operation);
}

/* Runs BODY in a child: what it returns, a small number; -2 if the child was killed. */
static int in_child(int (*body)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(body());
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

/* What another process sees of the first bytes: '.' free, else R or W. */
static const char *seen(void)
{
    static char text[BYTES + 1];
    int ends[2];
    pid_t child;

    if (pipe(ends) != 0)
        bail_out("no pipe");
    child = fork();
    if (child == 0) {
        for (long i = 0; i < BYTES; i++) {
            struct lock lock = {WRITE, SEEK_SET, i, 1, 0};

            text[i] = syscall(SYS_fcntl, file, GET, &lock) != 0 ? '?' : "RW."[lock.type];
        }
        _exit(write(ends[1], text, BYTES) == BYTES ? 0 : 1);
    }
    waitpid(child, NULL, 0);
    if (read(ends[0], text, BYTES) != BYTES)
        bail_out("the other process says nothing");
    close(ends[0]);
    close(ends[1]);
    return text;
}

static void open_files(void)
{
    file = open(NAME, O_RDWR | O_CREAT, 0600);
    again = open(NAME, O_RDWR);
    if (file < 0 || again < 0 || ftruncate(file, SIZE) != 0)
        bail_out("no file to lock");
}

static void close_files(void)
{
    close(file);
    close(again);
    unlink(NAME);
}

/* --- Which bytes --- */

static int sees_one_range(void)
{
    struct lock lock = {WRITE, SEEK_SET, 0, EVERYTHING, 0};

    return syscall(SYS_fcntl, file, GET, &lock) == 0 && lock.start == 2 && lock.length == 5 ? 0 : 1;
}

static void parts(void)
{
    open_files();
    check_str(seen(), "............", "nothing is locked at first");
    check_eq(set(WRITE, 2, 3), 0, "a range is locked for writing");
    check_str(seen(), "..WWW.......", "these bytes and no others");
    set(WRITE, 5, 2);
    check_str(seen(), "..WWWWW.....", "a range beside it is added");
    check_eq(in_child(sees_one_range), 0, "the two are one then");
    set(READ, 3, 2);
    check_str(seen(), "..WRRWW.....", "another type in its middle splits it in three");
    set(NONE, 4, 1);
    check_str(seen(), "..WR.WW.....", "unlocking a byte leaves the rest");
    set(NONE, 5, 1);
    check_str(seen(), "..WR..W.....", "unlocking the first byte of a range cuts its start");
    set(WRITE, 0, 12);
    check_str(seen(), "WWWWWWWWWWWW", "a range over all of them takes their place");
    set(NONE, 3, 6);
    check_str(seen(), "WWW......WWW", "unlocking a middle leaves two ends");
    set(READ, 1, 10);
    check_str(seen(), "WRRRRRRRRRRW", "a range over two ends cuts both");
    check_eq(set(NONE, 20, 5), 0, "unlocking what is not locked is no error");
    set(NONE, 0, EVERYTHING);
    check_str(seen(), "............", "unlocking everything unlocks everything");
    close_files();
}

static void counted_from(void)
{
    open_files();
    lseek(file, 3, SEEK_SET);
    control(file, SET, WRITE, SEEK_CUR, 1, 2);
    check_str(seen(), "....WW......", "SEEK_CUR counts from the file's position");
    set(NONE, 0, EVERYTHING);
    control(file, SET, WRITE, SEEK_END, -1, EVERYTHING);
    check_str(seen(), ".......WWWWW", "SEEK_END from its size, and a length of 0 is all that follows");
    set(NONE, 0, EVERYTHING);
    check_eq(set(WRITE, 6, -2), 0, "a negative length is allowed");
    check_str(seen(), "....WW......", "and means the bytes before");
    close_files();
}

static void refusals(void)
{
    int reader, writer, path, ends[2];

    open_files();
    reader = open(NAME, O_RDONLY);
    writer = open(NAME, O_WRONLY);
    path = open(NAME, OPEN_FOR_NOTHING);
    if (pipe(ends) != 0)
        bail_out("no pipe");
    check_fails(set(3, 0, 1), EINVAL, "there is no fourth type");
    check_fails(set(-1, 0, 1), EINVAL, "nor one below the first");
    check_fails(control(file, SET, READ, 3, 0, 1), EINVAL, "nor a fourth place to count from");
    check_fails(set(READ, -1, 1), EINVAL, "no byte lies before the first");
    check_fails(set(READ, 3, -4), EINVAL, "nor by a negative length");
    check_eq(set(READ, 3, -3), 0, "three bytes lie before the fourth");
    check_fails(set(READ, LAST, 2), EOVERFLOW, "no byte lies behind the last");
    check_eq(set(READ, LAST, 1), 0, "the last byte can be locked");
    check_fails(control(file, SET, READ, SEEK_END, LAST, 1), EOVERFLOW, "sums that overflow are told");
    check_fails(control(reader, SET, WRITE, SEEK_SET, 0, 1), EBADF, "who can't write can't lock for writing");
    check_fails(control(writer, SET, READ, SEEK_SET, 0, 1), EBADF, "who can't read can't lock for reading");
    check_fails(control(reader, SET, 3, SEEK_SET, 0, 1), EINVAL, "a bad type is told first");
    check_fails(control(path, SET, READ, SEEK_SET, 0, 1), EBADF, "a file that is open for nothing has no locks");
    check_fails(syscall(SYS_fcntl, file, SET, 8), EFAULT, "a bad pointer is EFAULT");
    check_fails(syscall(SYS_fcntl, 99, SET, 8), EBADF, "but a bad descriptor comes first");
    check_fails(control(file, GET, NONE, SEEK_SET, 0, 1), EINVAL, "F_GETLK asks about locks, not about unlocking");
    check_fails(control(file, FILE_GET, NONE, SEEK_SET, 0, 1), EINVAL, "so does F_OFD_GETLK");
    check_eq(control(ends[0], SET, READ, SEEK_SET, 0, 1), 0, "a pipe can be locked, too");
    check_fails(control(ends[0], SET, WRITE, SEEK_SET, 0, 1), EBADF, "for what its end is open for");
    close(ends[0]);
    close(ends[1]);
    close(path);
    close(writer);
    close(reader);
    close_files();
}

static struct lock told;

static int tells(void)
{
    told = (struct lock){WRITE, SEEK_END, -SIZE, EVERYTHING, 0};
    if (syscall(SYS_fcntl, again, GET, &told) != 0)
        return errno;
    if (told.pid != getppid())
        return 1;
    return told.type == READ && told.whence == SEEK_SET && told.start == 4 && told.length == 2 ? 0 : 2;
}

static int tells_of_an_end(void)
{
    told = (struct lock){READ, SEEK_SET, 0, EVERYTHING, 0};
    if (syscall(SYS_fcntl, again, GET, &told) != 0)
        return errno;
    return told.type == WRITE && told.start == 9 && told.length == 0 ? 0 : 1;
}

static void asking(void)
{
    struct lock lock = {WRITE, SEEK_CUR, 2, 3, 77};

    open_files();
    set(READ, 4, 2);
    set(WRITE, 9, EVERYTHING);
    check_eq(in_child(tells), 0, "F_GETLK tells the first lock in the way, whole, and whose it is");
    check_eq(in_child(tells_of_an_end), 0, "two read locks do not mind each other; a length of 0 is told as it was");
    check_eq(syscall(SYS_fcntl, again, GET, &lock), 0, "a process's own locks are never in its way");
    check(lock.type == NONE && lock.whence == SEEK_CUR && lock.start == 2 && lock.length == 3 && lock.pid == 77,
          "then F_GETLK changes the type alone");
    close_files();
}

/* --- Whose they are --- */

static int reads(void)
{
    return control(file, SET, READ, SEEK_SET, 0, 4) == 0 ? 0 : errno;
}

static int writes(void)
{
    return control(file, SET, WRITE, SEEK_SET, 0, 4) == 0 ? 0 : errno;
}

static int unlocks(void)
{
    return set(NONE, 0, EVERYTHING) == 0 ? 0 : errno;
}

static int closes(void)
{
    close(file);
    return close(again);
}

static void processes(void)
{
    int more;

    open_files();
    set(READ, 0, 4);
    check_eq(in_child(reads), 0, "another process may read, too");
    check_eq(in_child(writes), EAGAIN, "but not write");
    check_str(seen(), "RRRR........", "what it had is gone with it");
    set(WRITE, 0, 4);
    check_eq(in_child(reads), EAGAIN, "a write lock keeps readers out");
    check_eq(control(again, SET, READ, SEEK_SET, 2, 8), 0, "the same process is not kept out, whatever file it has open");
    check_str(seen(), "WWRRRRRRRR..", "its locks through either are the same ones");
    check_eq(in_child(unlocks), 0, "a child may unlock");
    check_str(seen(), "WWRRRRRRRR..", "but has nothing: locks are not inherited");
    check_eq(in_child(closes), 0, "a child may close the files");
    check_str(seen(), "WWRRRRRRRR..", "without harm");
    more = dup(file);
    close(more);
    check_str(seen(), "............", "closing any of its descriptors loses a process all its locks");
    set(WRITE, 0, 4);
    more = open(NAME, OPEN_FOR_NOTHING);
    close(more);
    check_str(seen(), "WWWW........", "but not one that is open for nothing");
    more = open(NAME, O_RDONLY);
    dup2(0, more);
    check_str(seen(), "............", "what dup2 closes counts as well");
    close(more);
    close_files();
}

/* In the program that exec has started: whether the lock is still this process's. */
static int still_has(void)
{
    struct lock lock = {WRITE, SEEK_SET, 0, 1, 0};

    if (syscall(SYS_fcntl, open(NAME, O_RDWR), GET, &lock) != 0)
        return errno;
    return lock.type == WRITE && lock.pid == getppid() ? 0 : lock.type == NONE ? 2 : 1;
}

static int locks_and_executes(void)
{
    char *const arguments[] = {"file_locks", "held", NULL};

    set(WRITE, 0, 4);
    execve("/proc/self/exe", arguments, NULL);
    return errno;
}

static void executed(void)
{
    open_files();
    check_eq(in_child(locks_and_executes), 0, "a program keeps its locks when it starts another");
    fcntl(file, F_SETFD, FD_CLOEXEC);
    check_eq(in_child(locks_and_executes), 2, "unless a descriptor of the file ends there");
    close_files();
}

/* --- Waiting --- */

static int to_parent[2];

/* Waits for the byte that a child sends when it has what it wants at first. */
static void await_child(void)
{
    char byte;

    if (read(to_parent[0], &byte, 1) != 1)
        bail_out("a child says nothing");
}

static void tell_parent(void)
{
    if (write(to_parent[1], "x", 1) != 1)
        _exit(99);
}

/* Returns when CHILD sleeps. */
static void await_sleep(pid_t child)
{
    char path[32];
    const char *text;

    snprintf(path, sizeof(path), "/proc/%d/stat", child);
    do {
        usleep(2000);
        text = strrchr(file_text(path), ')');
    } while (text == NULL || text[2] != 'S');
}

static pid_t start(int (*body)(void))
{
    pid_t child = fork();

    if (child == 0)
        _exit(body());
    return child;
}

static int ended(pid_t child)
{
    int status = -1;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

static int waits(void)
{
    return control(file, SET_WAIT, WRITE, SEEK_SET, 0, 4) == 0 ? 0 : errno;
}

static void handler(int number)
{
    (void)number;
    tell_parent();
}

static int waits_with(int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(SIGUSR1, &action, NULL);
    return waits();
}

static int waits_once(void)
{
    return waits_with(0);
}

static int waits_again(void)
{
    return waits_with(SA_RESTART);
}

static int holds_and_waits(void)
{
    control(file, SET, WRITE, SEEK_SET, 6, 1);
    tell_parent();
    return waits();
}

static void waiting(void)
{
    pid_t child;

    open_files();
    set(WRITE, 2, 2);
    child = start(waits);
    await_sleep(child);
    set(NONE, 3, 1);
    await_sleep(child);
    check_eq(waitpid(child, NULL, WNOHANG), 0, "F_SETLKW waits as long as a byte of it is locked");
    set(NONE, 2, 1);
    check_eq(ended(child), 0, "and no longer");

    set(WRITE, 0, 4);
    child = start(waits_once);
    await_sleep(child);
    kill(child, SIGUSR1);
    check_eq(ended(child), EINTR, "a signal ends the wait");
    await_child();
    child = start(waits_again);
    await_sleep(child);
    kill(child, SIGUSR1);
    await_child();
    await_sleep(child);
    set(READ, 0, 4);
    await_sleep(child);
    set(NONE, 0, 4);
    check_eq(ended(child), 0, "which goes on behind a handler with SA_RESTART");

    set(WRITE, 0, 4);
    child = start(waits);
    await_sleep(child);
    close(again);
    check_eq(ended(child), 0, "a close ends it as well");
    again = open(NAME, O_RDWR);

    set(WRITE, 0, 1);
    child = start(holds_and_waits);
    await_child();
    await_sleep(child);
    check_fails(control(file, SET_WAIT, READ, SEEK_SET, 6, 1), EDEADLK, "who would wait for one that waits for him is told");
    check_str(seen(), "W.....W.....", "and nothing is changed");
    check_eq(control(again, SET_WAIT, READ, SEEK_SET, 5, 1), 0, "a byte beside it can be had");
    set(NONE, 0, EVERYTHING);
    check_eq(ended(child), 0, "the other then gets what it waited for");
    close_files();
}

/* --- Ranges of an open file --- */

static long file_set(int fd, int type, long start, long length)
{
    return control(fd, FILE_SET, type, SEEK_SET, start, length);
}

static int unlocks_by_file(void)
{
    return file_set(file, NONE, 0, 1) == 0 ? 0 : errno;
}

static int waits_by_file(void)
{
    return control(again, FILE_SET_WAIT, WRITE, SEEK_SET, 0, 4) == 0 ? 0 : errno;
}

static void open_file_ranges(void)
{
    struct lock lock = {WRITE, SEEK_SET, 0, 4, 1};
    int copy;
    pid_t child;

    open_files();
    check_fails(syscall(SYS_fcntl, file, FILE_SET, &lock), EINVAL, "F_OFD_SETLK wants an l_pid of 0");
    check_fails(syscall(SYS_fcntl, file, FILE_GET, &lock), EINVAL, "F_OFD_GETLK as well");
    check_eq(file_set(file, WRITE, 0, 4), 0, "a range is locked by an open file");
    check_fails(file_set(again, READ, 3, 1), EAGAIN, "another open file of the same process is kept out");
    check_fails(control(again, SET, READ, SEEK_SET, 3, 1), EAGAIN, "and so is the process itself");
    check_eq(syscall(SYS_fcntl, again, GET, &lock), 0, "F_GETLK is answered");
    check_eq(lock.pid, -1, "with -1 for who it is");
    copy = dup(file);
    close(copy);
    check_str(seen(), "WWWW........", "closing a copy changes nothing");
    check_eq(in_child(closes), 0, "a child may close its copies");
    check_str(seen(), "WWWW........", "without harm");
    check_eq(in_child(unlocks_by_file), 0, "a child may unlock");
    check_str(seen(), ".WWW........", "and then it is unlocked, for the open file is the parent's, too");
    child = start(waits_by_file);
    await_sleep(child);
    file_set(file, NONE, 0, 4);
    check_eq(ended(child), 0, "F_OFD_SETLKW waits");
    check_str(seen(), "WWWW........", "and what it gets outlives the process, with the open file");
    close(again);
    check_str(seen(), "............", "whose last close ends it");
    again = open(NAME, O_RDWR);
    close_files();
}

/* --- Whole files --- */

static int unlocks_whole(void)
{
    return whole(file, UNLOCK) == 0 ? 0 : errno;
}

static int waits_for_whole(void)
{
    int third = open(NAME, O_RDONLY);
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    sigaction(SIGUSR1, &action, NULL);
    close(again);
    return whole(third, EXCLUSIVE) == 0 ? 0 : errno;
}

static void whole_files(void)
{
    int copy, ends[2];
    pid_t child;

    open_files();
    check_fails(whole(file, 0), EINVAL, "flock wants to be told what to do");
    check_fails(whole(file, SHARED | EXCLUSIVE), EINVAL, "and one thing only");
    check_fails(whole(99, SHARED), EBADF, "and a descriptor");
    check_fails(whole(99, 0), EINVAL, "in this order");
    check_eq(whole(99, MANDATORY), 0, "LOCK_MAND is ignored, with all that comes with it");
    copy = open(NAME, OPEN_FOR_NOTHING);
    check_fails(whole(copy, SHARED), EBADF, "what is open for nothing can't be locked");
    close(copy);
    check_eq(whole(file, SHARED), 0, "a file is locked by one reader");
    check_eq(whole(again, SHARED), 0, "and by a second");
    check_fails(whole(file, EXCLUSIVE | NOW), EAGAIN, "then there can be no writer");
    check_eq(whole(again, EXCLUSIVE | NOW), 0, "but who asked in vain has lost what it had");
    check_fails(whole(file, SHARED | NOW), EAGAIN, "and is now kept out");
    check_eq(whole(again, EXCLUSIVE | NOW), 0, "locking again what is locked changes nothing");
    check_eq(whole(again, SHARED), 0, "a writer may become a reader");
    check_eq(whole(file, SHARED | NOW), 0, "and lets another in");
    check_eq(set(WRITE, 0, EVERYTHING), 0, "locks of ranges do not see those of whole files");
    check_eq(whole(again, UNLOCK), 0, "unlocking is one's own affair");
    copy = dup(file);
    check_eq(whole(copy, EXCLUSIVE | NOW), 0, "a copied descriptor means the same lock");
    close(file);
    check_fails(whole(again, SHARED | NOW), EAGAIN, "which lasts as long as there is a copy");
    file = copy;
    check_eq(in_child(closes), 0, "a child may close its copies");
    check_fails(whole(again, SHARED | NOW), EAGAIN, "without harm");
    check_eq(in_child(unlocks_whole), 0, "a child may unlock");
    check_eq(whole(again, EXCLUSIVE | NOW), 0, "and then it is unlocked");

    child = start(waits_for_whole);
    await_sleep(child);
    kill(child, SIGUSR1);
    check_eq(ended(child), EINTR, "a signal ends the wait for a whole file");
    await_child();
    child = start(waits_for_whole);
    await_sleep(child);
    close(again);
    check_eq(ended(child), 0, "so does the last close by who had it");
    again = open(NAME, O_RDWR);
    if (pipe(ends) != 0)
        bail_out("no pipe");
    check_eq(whole(ends[0], EXCLUSIVE | NOW), 0, "a pipe can be locked");
    check_fails(whole(ends[1], EXCLUSIVE | NOW), EAGAIN, "once, though it has two ends");
    close(ends[0]);
    close(ends[1]);
    close_files();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "held") == 0)
        return in_child(still_has);
    if (pipe(to_parent) != 0)
        bail_out("no pipe");
    parts();
    counted_from();
    refusals();
    asking();
    processes();
    executed();
    waiting();
    open_file_ranges();
    whole_files();
    return done();
}
