/* Checks files in the writable /tmp: making, changing, renaming and removing them, and folders. */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/stat.h>

#include "mem.h"

static char folder[64]; /* a folder of our own in /tmp */

static const char *in_folder(const char *name)
{
    static char paths[4][96];
    static unsigned int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static long size_of(const char *path)
{
    static struct stat status;

    return stat(path, &status) == 0 ? (long)status.st_size : -1;
}

static void making(void)
{
    const char *path = in_folder("file");
    char text[16] = "";
    int file = open(path, O_RDWR | O_CREAT | O_EXCL, 0644), other;

    check(file >= 0, "O_CREAT makes a file");
    check_fails(open(path, O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST, "with O_EXCL only once");
    check_eq(write(file, "hello world", 11), 11, "it can be written");
    check_eq(size_of(path), 11, "and has that size");
    other = open(path, O_RDONLY);
    check_eq(read(other, text, 5), 5, "another descriptor reads it");
    check_str(text, "hello", "from its start");
    check_eq(lseek(file, 6, SEEK_SET), 6, "it can be sought in");
    check_eq(write(file, "W", 1), 1, "and written in the middle");
    check_eq(pread(other, text, 5, 6), 5, "which the other sees");
    check_str(text, "World", "at once");
    close(other);
    close(file);
    file = open(path, O_WRONLY | O_APPEND);
    write(file, "!", 1);
    check_eq(size_of(path), 12, "O_APPEND writes at the end");
    close(file);
    file = open(path, O_WRONLY | O_TRUNC);
    check_eq(size_of(path), 0, "O_TRUNC empties it");
    check_fails(read(file, text, 1), EBADF, "O_WRONLY cannot be read");
    close(file);
    check_fails(open(in_folder("none"), O_RDWR), ENOENT, "without O_CREAT nothing is made");
    check_fails(open(in_folder("none/file"), O_RDWR | O_CREAT, 0644), ENOENT,
                "not in a folder that is not there");
}

static void holes(void)
{
    const char *path = in_folder("holes");
    int file = open(path, O_RDWR | O_CREAT, 0600);
    char bytes[8];

    check_eq(pwrite(file, "x", 1, 100000), 1, "a write far behind the end makes a hole");
    check_eq(size_of(path), 100001, "and that size");
    check(pread(file, bytes, 8, 50000) == 8 && all_bytes_are(bytes, 8, 0),
          "the hole reads as zero");
    check_eq(truncate(path, 10), 0, "truncate cuts it");
    check_eq(size_of(path), 10, "to the size");
    check_fails(ftruncate(file, -1), EINVAL, "a negative size is EINVAL");
    check_eq(ftruncate(file, 20), 0, "ftruncate lengthens it");
    check(pread(file, bytes, 8, 12) == 8 && all_bytes_are(bytes, 8, 0), "with zeros");
    close(file);
    check_eq(unlink(path), 0, "it can be removed");
}

static void removing(void)
{
    const char *path = in_folder("gone");
    int file = open(path, O_RDWR | O_CREAT, 0600);
    char byte;

    write(file, "k", 1);
    check_eq(unlink(path), 0, "an open file can be removed");
    check_fails(open(path, O_RDONLY), ENOENT, "it is gone from the folder");
    check_eq(pread(file, &byte, 1, 0), 1, "but its descriptor still reads it");
    close(file);
    check_fails(unlink(path), ENOENT, "it cannot be removed twice");
    check_fails(unlink(folder), EISDIR, "a folder cannot be removed like a file");
}

static void renaming(void)
{
    int file = open(in_folder("first"), O_RDWR | O_CREAT, 0600);

    write(file, "1", 1);
    close(file);
    file = open(in_folder("second"), O_RDWR | O_CREAT, 0600);
    write(file, "22", 2);
    close(file);
    check_eq(rename(in_folder("first"), in_folder("third")), 0, "a file can be renamed");
    check(size_of(in_folder("first")) == -1 && size_of(in_folder("third")) == 1,
          "then it has the new name alone");
    check_eq(rename(in_folder("third"), in_folder("second")), 0, "over another file, too");
    check(size_of(in_folder("second")) == 1 && size_of(in_folder("third")) == -1,
          "which it replaces");
    check_fails(rename(in_folder("none"), in_folder("x")), ENOENT, "what is not there is ENOENT");
    unlink(in_folder("second"));
}

static void folders(void)
{
    static struct stat status;
    char *sub = (char *)in_folder("sub"), where[128];
    int file;

    check_eq(mkdir(sub, 0755), 0, "a folder can be made");
    check(stat(sub, &status) == 0 && S_ISDIR(status.st_mode), "and is one");
    check_fails(mkdir(sub, 0755), EEXIST, "it cannot be made twice");
    check_fails(mkdir("/tmp", 0755), EEXIST, "nor can /tmp");
    file = open(in_folder("sub/file"), O_RDWR | O_CREAT, 0600);
    check(file >= 0, "a file can be made in it");
    close(file);
    check_fails(rmdir(in_folder("sub")), ENOTEMPTY, "then it cannot be removed");
    check_eq(chdir(in_folder("sub")), 0, "one can go there");
    check(getcwd(where, sizeof(where)) != NULL && strcmp(where, in_folder("sub")) == 0,
          "getcwd tells its path");
    check_eq(size_of("file"), 0, "a relative path begins there");
    check_eq(size_of("../sub/./file"), 0, "with . and .. in it");
    check_eq(chdir(".."), 0, "one can go up");
    check_eq(size_of("sub/file"), 0, "and paths begin there then");
    check_eq(chdir("/"), 0, "and to the root");
    check_eq(chdir("/.."), 0, "whose parent it is itself");
    check(getcwd(where, sizeof(where)) != NULL && strcmp(where, "/") == 0, "getcwd says so");
    check_fails(syscall(SYS_getcwd, where, 1), ERANGE, "too short a buffer is ERANGE");
    check_fails(chdir(in_folder("sub/file")), ENOTDIR, "a file is no place to go");
    check_fails(rmdir(in_folder("sub/file")), ENOTDIR, "nor removed like a folder");
    unlink(in_folder("sub/file"));
    check_eq(rmdir(in_folder("sub")), 0, "an empty folder can be removed");
    check_fails(rmdir(in_folder("sub")), ENOENT, "once");
}

static void listing(void)
{
    int names = 0, dots = 0, others = 0;
    struct dirent *entry;
    DIR *list;

    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof(name), "entry%d", i);
        close(open(in_folder(name), O_RDWR | O_CREAT, 0600));
    }
    list = opendir(folder);
    while (list != NULL && (entry = readdir(list)) != NULL) {
        if (entry->d_name[0] == '.')
            dots++;
        else if (strncmp(entry->d_name, "entry", 5) == 0)
            names++;
        else
            others++;
    }
    if (list != NULL)
        closedir(list);
    check_eq(names, 40, "a folder lists each of its forty files once");
    check_eq(dots, 2, "and . and ..");
    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof(name), "entry%d", i);
        unlink(in_folder(name));
    }
}

static void relative_to_descriptors(void)
{
    int directory = open(folder, O_RDONLY | O_DIRECTORY), file;
    static struct stat status;

    check(directory >= 0, "a folder can be opened");
    file = openat(directory, "at", O_RDWR | O_CREAT, 0640);
    check(file >= 0, "openat makes a file in it");
    check_eq(fstatat(directory, "at", &status, 0), 0, "fstatat finds it");
    check(S_ISREG(status.st_mode) && (status.st_mode & 0777) == 0640, "with its mode");
    check_eq(fchmod(file, 0600), 0, "fchmod changes the mode");
    fstat(file, &status);
    check_eq(status.st_mode & 0777, 0600, "which fstat shows");
    check_eq(faccessat(directory, "at", R_OK, 0), 0, "faccessat says that it can be read");
    check_eq(unlinkat(directory, "at", 0), 0, "unlinkat removes it");
    check_fails(fstatat(directory, "at", &status, 0), ENOENT, "then it is gone");
    check_fails(openat(999, "at", O_RDONLY), EBADF, "a bad descriptor is EBADF");
    check_fails(openat(file, "at", O_RDONLY), ENOTDIR, "one of a file is ENOTDIR");
    check_fails(read(directory, &status, 8), EISDIR, "a folder cannot be read like a file");
    close(file);
    close(directory);
}

static void mapping_shared(void)
{
    int file = open(in_folder("mapped"), O_RDWR | O_CREAT, 0600);
    char *memory, byte;

    ftruncate(file, 2 * (off_t)PAGE);
    memory = raw_mmap(0, 2 * PAGE, READ_WRITE, MAP_SHARED, file, 0);
    check(memory != MAP_FAILED, "a file in /tmp can be mapped shared");
    memory[PAGE + 1] = 'm';
    check_eq(pread(file, &byte, 1, (off_t)PAGE + 1), 1, "and read");
    check_eq(byte, 'm', "what is written to the mapping is in the file");
    check_str(vma_of(memory)->name, in_folder("mapped"), "the maps file names it");
    unlink(in_folder("mapped"));
    check(strstr(vma_of(memory)->name, "mapped (deleted)") != NULL, "and says when it is deleted");
    close(file);
    check_eq(memory[PAGE + 1], 'm', "the mapping outlives name and descriptor");
    raw_munmap(memory, 2 * PAGE);
}

int main(void)
{
    snprintf(folder, sizeof(folder), "/tmp/zeropage-test-%d", (int)getpid());
    check_eq(mkdir(folder, 0755), 0, "a folder can be made in /tmp");
    making();
    holes();
    removing();
    renaming();
    folders();
    listing();
    relative_to_descriptors();
    mapping_shared();
    unlink(in_folder("file"));
    check_eq(rmdir(folder), 0, "what was made can be removed");
    return done();
}
