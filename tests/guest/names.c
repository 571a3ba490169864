/* Checks the calls on names: making, removing and moving files, directories and links, and their refusals. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "mem.h"

#define HOME "/tmp/names"
#define RENAME_NOREPLACE 1

static long make_file(const char *path)
{
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
    return file < 0 ? -1 : close(file);
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 ? status.st_mode : 0;
}

static void creating(void)
{
    check_eq(make_file("file"), 0, "O_CREAT makes a file");
    check_fails(make_file("file"), EEXIST, "O_EXCL refuses one that exists");
    check_fails(open("file/", O_RDONLY), ENOTDIR, "a file's name with a slash behind it is ENOTDIR");
    check_fails(open("new/", O_CREAT | O_WRONLY, 0644), EISDIR, "a new one's is EISDIR");
    check_fails(open("no/file", O_CREAT | O_WRONLY, 0644), ENOENT, "a missing directory is ENOENT");
    check_fails(open("file", O_CREAT | O_DIRECTORY, 0644), EINVAL, "O_CREAT with O_DIRECTORY is EINVAL");
    check_fails(open(".", O_CREAT, 0644), EISDIR, "O_CREAT of a directory is EISDIR");
    umask(027);
    check_eq(open("masked", O_CREAT, 0666) >= 0 ? mode_of("masked") : 0, S_IFREG | 0640, "umask takes bits away");
    umask(022);
    check_eq(mkdir("directory", 0777), 0, "mkdir makes a directory");
    check_eq(mode_of("directory"), S_IFDIR | 0755, "of which umask takes bits away, too");
    check_fails(mkdir("directory", 0777), EEXIST, "mkdir of what exists is EEXIST");
    check_fails(mkdir("file/below", 0777), ENOTDIR, "below a file it is ENOTDIR");
    check_fails(mkdir(".", 0777), EEXIST, "mkdir of . is EEXIST");
    check_fails(mkdir("/", 0777), EEXIST, "mkdir of / is EEXIST");
    check_eq(mkdir("directory/sub/", 0777), 0, "mkdir takes a slash at the end");
}

static void links(void)
{
    char text[32] = "";
    struct stat status;

    check_eq(symlink("file", "link"), 0, "a symbolic link is made");
    check_eq(readlink("link", text, sizeof(text)), 4, "readlink gives its length");
    check_str(text, "file", "and its text");
    check_eq(readlink("link", text, 2), 2, "or as much as there is room for");
    check_fails(readlink("file", text, sizeof(text)), EINVAL, "readlink of a file is EINVAL");
    check_fails(syscall(SYS_readlink, "link", text, 0), EINVAL, "readlink into nothing is EINVAL");
    check(S_ISLNK(mode_of("link")), "lstat sees the link");
    check(stat("link", &status) == 0 && S_ISREG(status.st_mode), "stat sees what it leads to");
    check_fails(open("link", O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW of a link is ELOOP");
    check_eq(symlink("loop", "loop"), 0, "a link may lead to itself");
    check_fails(open("loop", O_RDONLY), ELOOP, "but not be followed");
    check_eq(symlink("made", "dangling"), 0, "a link may lead nowhere");
    check_fails(open("dangling", O_RDONLY), ENOENT, "opening it is ENOENT");
    check_fails(open("dangling", O_CREAT | O_EXCL, 0600), EEXIST, "O_EXCL sees the link");
    check(open("dangling", O_CREAT, 0600) >= 0 && S_ISREG(mode_of("made")), "O_CREAT makes what it leads to");
    check_fails(symlink("x", "file"), EEXIST, "a link over a file is EEXIST");
    check_fails(symlink("", "empty"), ENOENT, "a link to nothing is ENOENT");
    check(symlink("directory", "way") == 0 && S_ISDIR(mode_of("way/sub")), "a link may stand in the middle of a path");
    check(S_ISDIR(mode_of("way/")), "a slash behind it follows it");
    check_fails(rmdir("way"), ENOTDIR, "rmdir does not");
}

/* link40 leads to link39, and so on, to link1, which leads to a file. */
static void many_links(void)
{
    char name[16], target[16] = "file";

    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof(name), "link%d", i);
        if (symlink(target, name) != 0)
            bail_out("a link cannot be made: errno %d", errno);
        snprintf(target, sizeof(target), "link%d", i);
    }
    check_eq(access("link40", F_OK), 0, "a path may lead through 40 links");
    check_fails(access("link41", F_OK), ELOOP, "one more is ELOOP");
}

static void removing(void)
{
    int file = open("file", O_RDWR);
    struct stat status;

    check_fails(unlink("missing"), ENOENT, "unlink of what is not there is ENOENT");
    check_fails(unlink("directory"), EISDIR, "unlink of a directory is EISDIR");
    check_fails(unlink("file/"), ENOTDIR, "unlink of a file with a slash is ENOTDIR");
    check_fails(rmdir("file"), ENOTDIR, "rmdir of a file is ENOTDIR");
    check_fails(rmdir("directory"), ENOTEMPTY, "rmdir of a directory that holds something is ENOTEMPTY");
    check_fails(rmdir("directory/."), EINVAL, "rmdir of . is EINVAL");
    check_fails(rmdir("directory/sub/.."), ENOTEMPTY, "rmdir of .. is ENOTEMPTY");
    check_fails(rmdir("/"), EBUSY, "rmdir of / is EBUSY");
    check_fails(unlinkat(AT_FDCWD, "file", 1), EINVAL, "unlinkat with an unknown flag is EINVAL");
    check(write(file, "data", 4) == 4 && unlink("file") == 0, "an open file can be unlinked");
    check_fails(open("file", O_RDONLY), ENOENT, "its name is gone");
    check(fstat(file, &status) == 0 && status.st_nlink == 0 && status.st_size == 4, "the file is not");
    check(lseek(file, 0, SEEK_SET) == 0 && write(file, "more!", 5) == 5, "and goes on working");
    close(file);
    check_eq(rmdir("directory/sub"), 0, "an empty directory can be removed");
}

static void moving(void)
{
    make_file("a");
    make_file("b");
    mkdir("d", 0755);
    mkdir("d/e", 0755);
    check_eq(rename("a", "c"), 0, "rename gives a new name");
    check(mode_of("a") == 0 && S_ISREG(mode_of("c")), "and takes the old one");
    check_eq(rename("c", "b"), 0, "it replaces a file");
    check_eq(rename("b", "b"), 0, "to the same name it does nothing");
    check_eq(rename("b", "d/b"), 0, "it moves to another directory");
    check_fails(rename("missing", "x"), ENOENT, "what is not there is ENOENT");
    check_fails(rename("d", "d/e/f"), EINVAL, "a directory into itself is EINVAL");
    check_fails(rename("d/e", "d"), ENOTEMPTY, "over one that holds it is ENOTEMPTY");
    check_fails(rename("d/b", "d/e"), EISDIR, "a file over a directory is EISDIR");
    check_fails(rename("d/e", "d/b"), ENOTDIR, "a directory over a file is ENOTDIR");
    check_fails(rename("d/b", "new/"), ENOTDIR, "a file to a name with a slash is ENOTDIR");
    check_eq(rename("d/e", "new/"), 0, "a directory is not");
    check_fails(rename("d/.", "x"), EBUSY, "renaming . is EBUSY");
    check_fails(rename("d/b", "/proc/x"), EXDEV, "to another file system is EXDEV");
    check_fails(syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "new", RENAME_NOREPLACE), EEXIST,
                "with RENAME_NOREPLACE nothing is replaced");
    check_eq(rename("d", "new/d"), 0, "a directory moves with what it holds");
    check(S_ISREG(mode_of("new/d/b")), "which has new paths then");
}

static void working_directory(void)
{
    char path[64] = "";

    check_eq(mkdir("work", 0755), 0, "a directory is made");
    check_eq(chdir("work"), 0, "chdir goes there");
    check_str(getcwd(path, sizeof(path)), HOME "/work", "getcwd tells where one is");
    check_fails(syscall(SYS_getcwd, path, 3), ERANGE, "too small a buffer is ERANGE");
    check_eq(rename("../work", "../place"), 0, "the directory can be renamed");
    check_str(getcwd(path, sizeof(path)), HOME "/place", "getcwd tells the new name");
    check_eq(rmdir(HOME "/place"), 0, "and removed");
    check_fails(syscall(SYS_getcwd, path, sizeof(path)), ENOENT, "then getcwd is ENOENT");
    check_fails(make_file("here"), ENOENT, "and nothing can be made there");
    check_eq(chdir(".."), 0, ".. still leads up");
    check_fails(chdir("masked"), ENOTDIR, "chdir to a file is ENOTDIR");
}

static void running_program(void)
{
    char *const arguments[] = { HOME "/program", NULL }, *const environment[] = { NULL };
    int file = open("/proc/self/exe", O_RDONLY), copy = open("program", O_CREAT | O_WRONLY, 0755);
    char block[4096];
    long got;

    check_fails(open("/proc/self/exe", O_WRONLY), ETXTBSY, "a running program cannot be opened for writing");
    check_fails(truncate("/proc/self/exe", 0), ETXTBSY, "nor cut");
    while ((got = read(file, block, sizeof(block))) > 0) {
        if (write(copy, block, (size_t)got) != got)
            bail_out("the program cannot be copied: errno %d", errno);
    }
    check_fails(execve(arguments[0], arguments, environment), ETXTBSY, "what is open for writing cannot be executed");
    close(copy);
    close(file);
}

/* The names in the directory at hand but for "." and "..", each followed by a space. */
static void list(char *text, size_t size)
{
    DIR *directory = opendir(".");
    const struct dirent *entry;
    size_t length = 0;

    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.')
            length += (size_t)snprintf(text + length, size - length, "%s ", entry->d_name);
    }
    closedir(directory);
}

static void listing(void)
{
    char text[256] = "";

    mkdir("list", 0755);
    if (chdir("list") != 0)
        bail_out("chdir failed with errno %d", errno);
    make_file("one");
    make_file("two");
    mkdir("three", 0755);
    list(text, sizeof(text));
    check_str(text, "three two one ", "a directory lists the newest entry first");
    rename("one", "four");
    list(text, sizeof(text));
    check_str(text, "four three two ", "a renamed one counts as new");
    check_fails(syscall(SYS_getdents64, open(".", O_RDONLY), text, 10), EINVAL, "no room for an entry is EINVAL");
    check_fails(syscall(SYS_getdents64, open("two", O_RDONLY), text, 200), ENOTDIR, "a file has no entries");
}

int main(void)
{
    if (mkdir(HOME, 0755) != 0 || chdir(HOME) != 0)
        bail_out("%s cannot be made: errno %d", HOME, errno);
    umask(022);
    creating();
    links();
    many_links();
    removing();
    moving();
    working_directory();
    running_program();
    listing();
    return done();
}
