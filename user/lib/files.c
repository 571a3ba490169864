/* System calls about files and directories. */
#include "internal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t); /* unused by the kernel without O_CREAT */
    va_end(arguments);
    return (int)CALL3(open, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return (int)CALL4(openat, directory, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int fcntl(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return (int)CALL3(fcntl, descriptor, command, argument);
}

ssize_t read(int descriptor, void *to, size_t size)
{
    return CALL3(read, descriptor, to, size);
}

ssize_t write(int descriptor, const void *from, size_t size)
{
    return CALL3(write, descriptor, from, size);
}

ssize_t pread(int descriptor, void *to, size_t size, off_t offset)
{
    return CALL4(pread64, descriptor, to, size, offset);
}

ssize_t pwrite(int descriptor, const void *from, size_t size, off_t offset)
{
    return CALL4(pwrite64, descriptor, from, size, offset);
}

ssize_t readv(int descriptor, const struct iovec *vector, int count)
{
    return CALL3(readv, descriptor, vector, count);
}

ssize_t writev(int descriptor, const struct iovec *vector, int count)
{
    return CALL3(writev, descriptor, vector, count);
}

off_t lseek(int descriptor, off_t offset, int whence)
{
    return CALL3(lseek, descriptor, offset, whence);
}

int close(int descriptor)
{
    return (int)CALL1(close, descriptor);
}

int dup(int descriptor)
{
    return (int)CALL1(dup, descriptor);
}

int dup2(int from, int to)
{
    return (int)CALL2(dup2, from, to);
}

int pipe(int ends[2])
{
    return (int)CALL1(pipe, ends);
}

int pipe2(int ends[2], int flags)
{
    return (int)CALL2(pipe2, ends, flags);
}

int dup3(int from, int to, int flags)
{
    return (int)CALL3(dup3, from, to, flags);
}

int fchdir(int descriptor)
{
    return (int)CALL1(fchdir, descriptor);
}

int fchown(int descriptor, uid_t user, gid_t group)
{
    return (int)CALL3(fchown, descriptor, user, group);
}

int chown(const char *path, uid_t user, gid_t group)
{
    return (int)CALL3(chown, path, user, group);
}

int fsync(int descriptor)
{
    return (int)CALL1(fsync, descriptor);
}

int ftruncate(int descriptor, off_t size)
{
    return (int)CALL2(ftruncate, descriptor, size);
}

int truncate(const char *path, off_t size)
{
    return (int)CALL2(truncate, path, size);
}

int access(const char *path, int mode)
{
    return (int)CALL2(access, path, mode);
}

int faccessat(int directory, const char *path, int mode, int flags)
{
    if (flags == 0) /* the older call has no flags */
        return (int)CALL3(faccessat, directory, path, mode);
    return (int)CALL4(faccessat2, directory, path, mode, flags);
}

int chdir(const char *path)
{
    return (int)CALL1(chdir, path);
}

char *getcwd(char *to, size_t size)
{
    return CALL2(getcwd, to, size) < 0 ? NULL : to;
}

int unlink(const char *path)
{
    return (int)CALL1(unlink, path);
}

int unlinkat(int directory, const char *path, int flags)
{
    return (int)CALL3(unlinkat, directory, path, flags);
}

int rmdir(const char *path)
{
    return (int)CALL1(rmdir, path);
}

int remove(const char *path)
{
    return unlink(path) == 0 || (errno == EISDIR && rmdir(path) == 0) ? 0 : -1;
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    return (int)CALL4(renameat, from_directory, from, to_directory, to);
}

int rename(const char *from, const char *to)
{
    return (int)CALL2(rename, from, to);
}

int link(const char *from, const char *to)
{
    return (int)CALL2(link, from, to);
}

int symlink(const char *target, const char *path)
{
    return (int)CALL2(symlink, target, path);
}

ssize_t readlinkat(int directory, const char *restrict path, char *restrict to, size_t size)
{
    return CALL4(readlinkat, directory, path, to, size);
}

ssize_t readlink(const char *restrict path, char *restrict to, size_t size)
{
    return CALL3(readlink, path, to, size);
}

int stat(const char *restrict path, struct stat *restrict result)
{
    return (int)CALL2(stat, path, result);
}

int lstat(const char *restrict path, struct stat *restrict result)
{
    return (int)CALL2(lstat, path, result);
}

int fstat(int descriptor, struct stat *result)
{
    return (int)CALL2(fstat, descriptor, result);
}

int fstatat(int directory, const char *restrict path, struct stat *restrict result, int flags)
{
    return (int)CALL4(newfstatat, directory, path, result, flags);
}

int fchmod(int descriptor, mode_t mode)
{
    return (int)CALL2(fchmod, descriptor, mode);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
    return (int)CALL3(mkdirat, directory, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
    return (int)CALL2(mkdir, path, mode);
}

int chmod(const char *path, mode_t mode)
{
    return (int)CALL2(chmod, path, mode);
}

mode_t umask(mode_t mask)
{
    return (mode_t)CALL1(umask, mask);
}

ssize_t getrandom(void *to, size_t size, unsigned flags)
{
    return CALL3(getrandom, to, size, flags);
}
