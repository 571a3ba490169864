/* System calls about files, processes and the break. */
#ifndef _UNISTD_H
#define _UNISTD_H

#include <stddef.h>
#include <sys/types.h>

#define STDIN_FILENO  0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4
#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif
#define _SC_CLK_TCK  2
#define _SC_PAGESIZE 30

extern char **environ;

/* Any system call, by its number; -1 and errno when it fails. */
long syscall(long number, ...);

ssize_t read(int descriptor, void *to, size_t size);
ssize_t write(int descriptor, const void *from, size_t size);
ssize_t pread(int descriptor, void *to, size_t size, off_t offset);
ssize_t pwrite(int descriptor, const void *from, size_t size, off_t offset);
off_t lseek(int descriptor, off_t offset, int whence);
int close(int descriptor);
int dup(int descriptor);
int dup2(int from, int to);
int pipe(int ends[2]);
int pipe2(int ends[2], int flags);
int isatty(int descriptor);
int dup3(int from, int to, int flags);
int fchdir(int descriptor);
int fchown(int descriptor, uid_t user, gid_t group);
int chown(const char *path, uid_t user, gid_t group);
int fsync(int descriptor);
int ftruncate(int descriptor, off_t size);
int truncate(const char *path, off_t size);

int access(const char *path, int mode);
int faccessat(int directory, const char *path, int mode, int flags);
int chdir(const char *path);
char *getcwd(char *to, size_t size);
int unlink(const char *path);
int unlinkat(int directory, const char *path, int flags);
int rmdir(const char *path);
int link(const char *from, const char *to);
int symlink(const char *target, const char *path);
ssize_t readlinkat(int directory, const char *restrict path, char *restrict to, size_t size);
ssize_t readlink(const char *restrict path, char *restrict to, size_t size);

pid_t fork(void);
pid_t vfork(void) __attribute__((returns_twice));
int execve(const char *path, char *const arguments[], char *const environment[]);
int execv(const char *path, char *const arguments[]);
int execvp(const char *name, char *const arguments[]);
_Noreturn void _exit(int status);
pid_t getpid(void);
pid_t getppid(void);
pid_t gettid(void);
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int setuid(uid_t user);
int setgid(gid_t group);
int setpgid(pid_t process, pid_t group);
pid_t getpgid(pid_t process);
pid_t getpgrp(void);
pid_t setsid(void);
pid_t getsid(pid_t process);
pid_t tcgetpgrp(int terminal);
int tcsetpgrp(int terminal, pid_t group);
int pause(void);
unsigned alarm(unsigned seconds);
unsigned sleep(unsigned seconds);
int usleep(useconds_t microseconds);

/* brk: 0 or -1 with ENOMEM. sbrk: the previous break, or (void *)-1 with ENOMEM. */
int brk(void *address);
void *sbrk(intptr_t increment);

long sysconf(int name);
int getpagesize(void);

/* Command-line options of single letters. */
extern char *optarg;
extern int optind, opterr, optopt;
int getopt(int count, char *const arguments[], const char *options);

#endif
