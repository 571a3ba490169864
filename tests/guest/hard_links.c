/* Checks files with several names: what link and linkat make and refuse, and what unlink and rename leave. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>

#include "mem.h"

/* Spelt out here: our C library leaves some of it out. */
enum { FOLLOW = 0x400, EMPTY_PATH = 0x1000, HERE = -100, TEMPORARY = 020200000 };
#ifndef SYS_linkat
#define SYS_linkat 265
#endif
#ifndef SYS_mknod
#define SYS_mknod 133
#endif
#define BASE "/tmp/links"

static long link_at(int from, const char *old, int to, const char *new, int flags)
{
    return syscall(SYS_linkat, from, old, to, new, flags);
}

static void make(const char *path, int mode)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (file < 0 || write(file, path, strlen(path)) < 0 || chmod(path, (mode_t)mode) != 0)
        bail_out("cannot make %s", path);
    close(file);
}

/* How many names the file at PATH has; -1: there is none. */
static long names_of(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 ? (long)status.st_nlink : -1;
}

static bool are_one(const char *path, const char *other)
{
    struct stat one, two;

    return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_ino == two.st_ino && one.st_dev == two.st_dev;
}

static const char *content(const char *path)
{
    static char text[64];
    int file = open(path, O_RDONLY);
    ssize_t length = read(file, text, sizeof(text) - 1);

    close(file);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

/* How many names the directory at PATH has. */
static long entries(const char *path)
{
    static char records[4096];
    int directory = open(path, O_RDONLY | O_DIRECTORY);
    long size = syscall(SYS_getdents64, directory, records, sizeof(records)), count = 0;

    for (long at = 0; at < size; at += *(unsigned short *)(records + at + 16))
        count++;
    close(directory);
    return count - 2;
}

static void names(void)
{
    make("a", 0644);
    check_eq(names_of("a"), 1, "a file has one name at first");
    check_eq(link("a", "b"), 0, "and is given another");
    check_eq(names_of("a"), 2, "then it has two");
    check(are_one("a", "b"), "both mean one file");
    check_eq(link("b", "sub/c"), 0, "a third in another directory, by way of the second");
    check_eq(names_of("sub/c"), 3, "makes three");
    check_eq(entries("."), 3, "each directory lists its own");
    check_eq(entries("sub"), 1, "and no other's");
    make("b", 0644);
    check_str(content("sub/c"), "b", "what is written by one name is read by another");
    check_eq(chmod("b", 0600), 0, "so is the mode");
    check_eq(access("a", X_OK), -1, "of all");
    check_eq(unlink("a"), 0, "the first name can go");
    check_eq(names_of("b"), 2, "and the others stay");
    check_eq(names_of("a"), -1, "without it");
    check_str(content("sub/c"), "b", "nothing is lost");
    make("a", 0644);
    check(!are_one("a", "b"), "the name is free for another file");
    check_fails(rmdir("sub"), ENOTEMPTY, "a directory with a name of a file that has others is not empty");
    check_eq(unlink("b"), 0, "the second can go");
    check_str(content("sub/c"), "b", "and the third is enough");
    check_eq(unlink("sub/c"), 0, "until it goes");
    check_eq(rmdir("sub") + mkdir("sub", 0755), 0, "then the directory is empty");
}

static void deleted(void)
{
    struct stat status;
    int file;

    make("d", 0644);
    link("d", "e");
    file = open("d", O_RDWR);
    unlink("d");
    unlink("e");
    check_eq(fstat(file, &status), 0, "a file that is open outlives its names");
    check_eq(status.st_nlink, 0, "and has none");
    check_fails(link_at(file, "", HERE, "e", EMPTY_PATH), ENOENT, "nor can it be given one again");
    close(file);
    make("d", 0644);
    file = open("d", O_RDONLY);
    check_eq(link_at(file, "", HERE, "e", EMPTY_PATH), 0, "AT_EMPTY_PATH links an open file");
    check(are_one("d", "e"), "and no copy of it");
    close(file);
    unlink("d");
    unlink("e");
}

static void refusals(void)
{
    static char longest[300];
    int file, ends[2], directory = open("sub", O_RDONLY | O_DIRECTORY);

    memset(longest, 'x', sizeof(longest) - 1);
    make("a", 0644);
    file = open("a", O_RDWR);
    check_fails(link("none", "new"), ENOENT, "what is not there gets no name");
    check_fails(link("", "new"), ENOENT, "nor what has none");
    check_fails(link("a", ""), ENOENT, "an empty name is none");
    check_fails(link("a", "none/new"), ENOENT, "nor is one in a directory that is not there");
    check_fails(link("a", "a/new"), ENOTDIR, "or that is a file");
    check_fails(link("a", "a"), EEXIST, "a name that is there stays what it is");
    check_fails(link("a", "sub"), EEXIST, "so does a directory's");
    check_fails(link("a", "sub/."), EEXIST, "and the dot in it");
    check_fails(link("a", "/"), EEXIST, "and the root's");
    check_fails(link("a/", "new"), ENOTDIR, "a slash behind a file is ENOTDIR");
    check_fails(link("a", "new/"), ENOENT, "behind what is to be one ENOENT");
    check_fails(link("a", longest), ENAMETOOLONG, "a name has 255 bytes");
    check_fails(link("sub", "new"), EPERM, "a directory has one name");
    check_fails(link("sub", "a"), EEXIST, "which is looked at later than whether the name is free");
    check_fails(link("a", "/dev/new"), EXDEV, "a name lies in its own file system");
    check_fails(link("none", (char *)8), ENOENT, "the old name is looked for before the new one is read");
    check_fails(link("a", (char *)8), EFAULT, "which then is a bad pointer");
    check_fails(link((char *)8, "new"), EFAULT, "as the old one may be");
    check_fails(link_at(HERE, "a", HERE, "new", 1), EINVAL, "there are two flags");
    check_fails(link_at(99, "a", HERE, "new", 0), EBADF, "a bad descriptor is told");
    check_fails(link_at(HERE, "a", 99, "new", 0), EBADF, "the other one, too");
    check_fails(link_at(file, "a", HERE, "new", 0), ENOTDIR, "and one that is no directory");
    check_fails(link_at(file, "", HERE, "new", 0), ENOENT, "an empty path needs its flag");
    check_fails(link_at(directory, "", HERE, "new", EMPTY_PATH), EPERM, "and no directory");
    check_fails(link_at(HERE, "", HERE, "new", EMPTY_PATH), EPERM, "not the working one either");
    check_eq(link_at(HERE, "a", directory, "c", 0), 0, "a name below a descriptor's directory can be made");
    check_eq(link_at(directory, "c", HERE, "b", 0), 0, "and linked");
    check_eq(names_of("a"), 3, "as any other");
    if (pipe(ends) != 0)
        bail_out("no pipe");
    check_fails(link_at(ends[0], "", HERE, "new", EMPTY_PATH), EXDEV, "a pipe has no name here");
    check_fails(link("/proc/version", "new"), EXDEV, "nor has a file of /proc");
    check_fails(link("/proc/version", "/proc/new"), ENOENT, "where no name can be made");
    check_fails(mkdir("/proc/new", 0755), ENOENT, "by anybody");
    check_fails(mkdir("/proc/sys/vm/new", 0755), ENOENT, "at any depth");
    check_fails(unlink("/proc/version"), EPERM, "or taken away");
    check_fails(mkdir("/proc/version", 0755), EEXIST, "one that is there stays what it is");
    close(ends[0]);
    close(ends[1]);
    close(directory);
    close(file);
    unlink("sub/c");
    unlink("b");
    unlink("a");
}

static void symbolic(void)
{
    struct stat status;
    char path[32];
    int file;

    make("a", 0644);
    symlink("a", "s");
    check_eq(link("s", "t"), 0, "a symbolic link can have two names");
    check_eq(lstat("t", &status), 0, "the second");
    check(S_ISLNK(status.st_mode) && status.st_nlink == 2, "means the link, not what that leads to");
    check_eq(link_at(HERE, "s", HERE, "b", FOLLOW), 0, "AT_SYMLINK_FOLLOW means what it leads to");
    check(are_one("a", "b") && names_of("b") == 2, "and that has the name then");
    file = open("a", O_RDONLY);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    check_eq(link_at(HERE, path, HERE, "c", FOLLOW), 0, "a descriptor in /proc can be followed");
    check(are_one("a", "c"), "to its file");
    check_fails(link(path, "new"), EXDEV, "itself it is one of /proc");
    close(file);
    unlink("s");
    unlink("t");
    unlink("c");
    unlink("b");
    unlink("a");
}

static void renamed(void)
{
    make("a", 0644);
    link("a", "b");
    check_eq(rename("a", "b"), 0, "a rename to another name of the same file");
    check_eq(names_of("a"), 2, "does nothing");
    check_eq(rename("a", "sub/c"), 0, "one of the names can be moved");
    check(are_one("b", "sub/c") && names_of("a") == -1, "and the other stays");
    make("a", 0644);
    check_eq(rename("a", "b"), 0, "what replaces a name");
    check_eq(names_of("sub/c"), 1, "takes it from the file");
    check_str(content("sub/c"), "a", "and nothing else");
    unlink("sub/c");
    unlink("b");
}

static void temporary(void)
{
    struct stat status;
    int file = open(".", O_RDWR | TEMPORARY, 0600);

    check(file >= 0 && fstat(file, &status) == 0 && status.st_nlink == 0, "a file of O_TMPFILE has no name");
    check_eq(link_at(file, "", HERE, "a", EMPTY_PATH), 0, "but can be given one");
    check_eq(names_of("a"), 1, "and then has one");
    check_eq(link("a", "b"), 0, "or two");
    check_eq(unlink("a") + unlink("b"), 0, "and none again");
    check_fails(link_at(file, "", HERE, "a", EMPTY_PATH), ENOENT, "but then for ever");
    close(file);
    file = open(".", O_RDWR | TEMPORARY | O_EXCL, 0600);
    check_fails(link_at(file, "", HERE, "a", EMPTY_PATH), ENOENT, "with O_EXCL it never gets one");
    close(file);
    file = (int)syscall(SYS_memfd_create, "m", 0);
    check_fails(link_at(file, "", HERE, "a", EMPTY_PATH), EXDEV, "a memory file has none in any directory");
    close(file);
}

/* How many checks are made before `strangers`, and in it: they are a child's. */
static int checked;
enum { STRANGERS = 9 };

/* As nobody, in a directory of root's that all may write to. */
static void strangers(void *nothing)
{
    int file = open("open", O_RDONLY);

    (void)nothing;
    ktap.failed = 0;
    if (setuid(NOBODY) != 0)
        bail_out("cannot become nobody");
    check_fails(link("closed", "new"), EPERM, "who can't write a file gives it no name");
    check_fails(link("setuid", "new"), EPERM, "nor one that runs as somebody");
    check_fails(link("setgid", "new"), EPERM, "or as some group");
    check_fails(link("pipe", "new"), EPERM, "or that is not regular");
    check_eq(link("open", "new"), 0, "else he may");
    check_fails(link("open", "sub/new"), EACCES, "where he may write");
    check_fails(link("closed", "sub/new"), EPERM, "which is looked at last");
    check_fails(link("closed", "open"), EEXIST, "the name is first");
    check_fails(link_at(file, "", HERE, "more", EMPTY_PATH), ENOENT, "AT_EMPTY_PATH is root's");
    _exit(ktap.run == checked + STRANGERS ? ktap.failed : -1);
}

int main(void)
{
    mkdir(BASE, 0755);
    if (chdir(BASE) != 0 || mkdir("sub", 0755) != 0)
        bail_out("no directory");
    names();
    deleted();
    refusals();
    symbolic();
    renamed();
    temporary();
    chmod(".", 0777);
    make("closed", 0644);
    make("open", 0666);
    make("setuid", 04777);
    make("setgid", 02777);
    syscall(SYS_mknod, "pipe", S_IFIFO | 0666, 0);
    checked = ktap.run;
    ktap.failed += status_of_child(strangers, NULL) != 0;
    ktap.run += STRANGERS;
    unlink("closed");
    unlink("open");
    unlink("setuid");
    unlink("setgid");
    unlink("pipe");
    unlink("new");
    rmdir("sub");
    chdir("/");
    check_eq(rmdir(BASE), 0, "nothing is left behind");
    return done();
}
