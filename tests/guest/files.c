/* Checks open, read, lseek, close and their relatives, on this program's own file and on devices. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "mem.h"

static char *self;

static void opening(void)
{
    int first, second;
    char below[256];

    check_fails(open("/no/such/file", O_RDONLY), ENOENT, "a path that does not exist is ENOENT");
    check_fails(open("", O_RDONLY), ENOENT, "an empty path is ENOENT");
    snprintf(below, sizeof(below), "%s/below", self);
    check_fails(open(below, O_RDONLY), ENOTDIR, "a path below a file is ENOTDIR");
    check_fails(open("/", O_WRONLY), EISDIR, "opening a directory for writing is EISDIR");
    check_fails(open(self, O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY on a file is ENOTDIR");
    memset(below, 'x', sizeof(below) - 1);
    below[0] = '/';
    below[255] = '\0';
    check_fails(open(below, O_RDONLY), ENOENT, "a name of 254 bytes that does not exist is ENOENT");
    first = open(self, O_RDONLY);
    second = open(self, O_RDONLY);
    check(first >= 3 && second == first + 1, "open gives the lowest free descriptor");
    close(first);
    check_eq(open("/dev/null", O_RDONLY), first, "a closed one is given out again");
    close(first);
    close(second);
    check_fails(close(second), EBADF, "closing a closed descriptor is EBADF");
    check_fails(close(-1), EBADF, "closing -1 is EBADF");
}

static void reading(void)
{
    char magic[4] = "", again[4] = "";
    int file = open(self, O_RDONLY);
    off_t size;

    check_eq(read(file, magic, 4), 4, "four bytes are read");
    check(memcmp(magic, "\x7f" "ELF", 4) == 0, "they are what an ELF file begins with");
    check_eq(lseek(file, 0, SEEK_CUR), 4, "the position is behind them");
    size = lseek(file, 0, SEEK_END);
    check(size > 4096, "the end of the file is its size");
    check_eq(read(file, again, 4), 0, "reading at the end gives 0");
    check_eq(lseek(file, 10, SEEK_END), size + 10, "a position behind the end is allowed");
    check_eq(read(file, again, 4), 0, "and reads 0 bytes");
    check_eq(lseek(file, -2, SEEK_END), size - 2, "a position before the end");
    check_eq(read(file, again, 4), 2, "reads what is left");
    check_fails(lseek(file, -1, SEEK_SET), EINVAL, "a negative position is EINVAL");
    check_fails(lseek(file, 0, 99), EINVAL, "an unknown origin is EINVAL");
    check_fails(lseek(999, 0, SEEK_SET), EBADF, "a bad descriptor is EBADF");
    check_eq(pread(file, again, 4, 0), 4, "pread reads at its own position");
    check(memcmp(magic, again, 4) == 0, "the same bytes");
    check_eq(lseek(file, 0, SEEK_CUR), size, "and leaves the file's position alone");
    check_fails(write(file, "x", 1), EBADF, "writing to a descriptor for reading is EBADF");
    close(file);
}

static void shared_position(void)
{
    int file = open(self, O_RDONLY), copy = dup(file), status = -1;
    char byte;
    pid_t child = fork();

    if (child == 0)
        _exit(read(file, &byte, 1) == 1 && byte == 0x7f ? 0 : 1);
    waitpid(child, &status, 0);
    check_eq(status, 0, "a child reads from an inherited descriptor");
    check_eq(lseek(file, 0, SEEK_CUR), 1, "which moves the parent's position: it is the same file");
    check_eq(lseek(copy, 0, SEEK_CUR), 1, "and the duplicate's");
    close(file);
    check_eq(read(copy, &byte, 1), 1, "a duplicate outlives the original");
    check_eq(byte, 'E', "and goes on where that was");
    close(copy);
}

static void vectors(void)
{
    int file = open(self, O_RDONLY), ends[2];
    char first[2], second[2];
    struct iovec parts[2] = {{first, 2}, {second, 2}};

    check_eq(readv(file, parts, 2), 4, "readv fills its parts");
    check(first[0] == 0x7f && first[1] == 'E' && second[0] == 'L' && second[1] == 'F', "in order");
    check_eq(readv(file, parts, 0), 0, "no part at all gives 0");
    check_fails(syscall(SYS_readv, file, parts, -1), EINVAL,
                "a negative number of parts is EINVAL");
    check_fails(syscall(SYS_readv, file, parts, 1025), EINVAL, "more than 1024 parts are EINVAL");
    check_fails(syscall(SYS_readv, file, 8, 1), EFAULT, "a bad list of parts is EFAULT");
    close(file);
    if (pipe(ends) != 0)
        bail_out("pipe failed");
    check_eq(writev(ends[1], parts, 2), 4, "writev writes its parts");
    check_eq(read(ends[0], first, 2), 2, "and they can be read");
    parts[1].iov_len = (size_t)-1;
    check_fails(writev(ends[1], parts, 2), EINVAL, "a part of negative length is EINVAL");
    close(ends[0]);
    close(ends[1]);
}

static void devices(void)
{
    char bytes[8] = "abcdefg";
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);

    if (!check(null >= 0 && zero >= 0, "/dev/null and /dev/zero can be opened"))
        return;
    check_eq(read(null, bytes, 8), 0, "/dev/null reads as empty");
    check_eq(write(null, bytes, 8), 8, "and swallows what is written");
    check_eq(syscall(SYS_write, null, 8, 8), 8, "without looking at it");
    check_eq(read(zero, bytes, 8), 8, "/dev/zero gives bytes");
    check(all_bytes_are(bytes, 8, 0), "that are all zero");
    check_eq(write(zero, bytes, 8), 8, "and swallows what is written, too");
    close(null);
    close(zero);
}

static void status_of_files(void)
{
    static struct stat by_path, by_descriptor;
    int file = open(self, O_RDONLY);

    check_eq(stat(self, &by_path), 0, "stat knows this program");
    check_eq(fstat(file, &by_descriptor), 0, "fstat does too");
    check(S_ISREG(by_path.st_mode) && (by_path.st_mode & 0111) != 0,
          "it is a regular file that can be executed");
    check_eq(by_path.st_size, lseek(file, 0, SEEK_END), "its size is where its end is");
    check(by_path.st_ino == by_descriptor.st_ino && by_path.st_dev == by_descriptor.st_dev &&
              by_path.st_size == by_descriptor.st_size,
          "both tell the same");
    check_eq(stat("/", &by_path), 0, "stat knows the root");
    check(S_ISDIR(by_path.st_mode), "which is a directory");
    check_eq(stat("/dev/null", &by_path), 0, "stat knows /dev/null");
    check(S_ISCHR(by_path.st_mode) && by_path.st_rdev == 0x103, "which is character device 1, 3");
    check_fails(stat("/no/such/file", &by_path), ENOENT, "what does not exist is ENOENT");
    check_fails(fstat(999, &by_path), EBADF, "a bad descriptor is EBADF");
    close(file);
}

static void descriptor_flags(void)
{
    int file = open(self, O_RDONLY | O_CLOEXEC), other;

    check_eq(fcntl(file, F_GETFD), FD_CLOEXEC, "O_CLOEXEC sets FD_CLOEXEC");
    check_eq(fcntl(file, F_SETFD, 0), 0, "which can be cleared");
    check_eq(fcntl(file, F_GETFD), 0, "and is");
    check_eq(fcntl(file, F_GETFL) & O_ACCMODE, O_RDONLY, "F_GETFL tells the access mode");
    other = fcntl(file, F_DUPFD, 50);
    check_eq(other, 50, "F_DUPFD gives the lowest free descriptor from a number on");
    close(other);
    other = fcntl(file, F_DUPFD_CLOEXEC, 50);
    check_eq(fcntl(other, F_GETFD), FD_CLOEXEC, "F_DUPFD_CLOEXEC sets the flag");
    close(other);
    check_fails(fcntl(999, F_GETFD), EBADF, "a bad descriptor is EBADF");
    check_fails(fcntl(file, 9999), EINVAL, "an unknown command is EINVAL");
    close(file);
}

int main(int argc, char **argv)
{
    (void)argc;
    self = argv[0];
    opening();
    reading();
    shared_position();
    vectors();
    devices();
    status_of_files();
    descriptor_flags();
    return done();
}
