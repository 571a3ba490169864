/* Checks execve: arguments, environment, what is kept and what is new, and its refusals. */
#include <fcntl.h>

#include "mem.h"

static char *self; /* the path of this program */

/* What the program does when it is executed by one of its own tests: its argv[1] names the part. */
static int play_part(int argc, char **argv)
{
    extern char **environ;

    if (strcmp(argv[1], "arguments") == 0)
        return argc == 5 && strcmp(argv[2], "two words") == 0 && argv[3][0] == '\0' &&
                       strcmp(argv[4], "\x01\xff") == 0 && argv[5] == NULL
                   ? 0
                   : 1;
    if (strcmp(argv[1], "environment") == 0)
        return environ[0] != NULL && strcmp(environ[0], "A=1") == 0 && environ[1] != NULL &&
                       strcmp(environ[1], "odd") == 0 && environ[2] == NULL
                   ? 0
                   : 1;
    if (strcmp(argv[1], "empty") == 0)
        return environ[0] == NULL ? 0 : 1;
    if (strcmp(argv[1], "pid") == 0)
        return getpid() == atoi(argv[2]) ? 0 : 1;
    if (strcmp(argv[1], "descriptors") == 0)
        return fcntl(atoi(argv[2]), F_GETFD) == 0 && fcntl(atoi(argv[3]), F_GETFD) == -1 ? 0 : 1;
    if (strcmp(argv[1], "fresh") == 0)
        return READ_KILLS(strtoul(argv[2], NULL, 16)) ? 0 : 1;
    if (strcmp(argv[1], "long") == 0)
        return argc == 1002 && strlen(argv[1001]) == 100 ? 0 : 1;
    if (strcmp(argv[1], "longest") == 0)
        return strlen(argv[2]) == 131071 ? 0 : 1;
    if (strcmp(argv[1], "stack") == 0)
        return ((unsigned long)argv & 7) == 0 && (((unsigned long)argv - 8) & 15) == 0 ? 0 : 1;
    return 99;
}

struct call {
    char *const *argv, *const *envp;
};

static void execute_self(void *argument)
{
    struct call *call = argument;

    execve(self, call->argv, call->envp);
    _exit(100 + errno);
}

static int status_of_part(char *const *argv, char *const *envp)
{
    struct call call = {argv, envp};
    int status = status_of_child(execute_self, &call);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *const no_environment[] = {NULL};

static void arguments(void)
{
    char *argv[] = {self, "arguments", "two words", "", "\x01\xff", NULL};
    char *environment_argv[] = {self, "environment", NULL}, *empty_argv[] = {self, "empty", NULL};
    char *other_name[] = {"another name", "empty", NULL}, *stack_argv[] = {self, "stack", NULL};
    char *odd_stack_argv[] = {self, "stack", "x", NULL};
    char *environment[] = {"A=1", "odd", NULL};

    check_eq(status_of_part(argv, no_environment), 0, "arguments arrive byte for byte");
    check_eq(status_of_part(environment_argv, environment), 0, "the environment arrives as given");
    check_eq(status_of_part(empty_argv, no_environment), 0, "an empty environment is empty");
    check_eq(status_of_part(empty_argv, NULL), 0, "a NULL environment is an empty one");
    check_eq(status_of_part(other_name, no_environment), 0, "argv[0] need not be the path");
    check_eq(status_of_part(stack_argv, no_environment), 0,
             "the stack is aligned with 2 arguments");
    check_eq(status_of_part(odd_stack_argv, no_environment), 0, "and with 3");
}

static void many_arguments(void)
{
    static char *argv[1003];
    static char hundred[101], longest[131073];

    memset(hundred, 'a', 100);
    argv[0] = self;
    argv[1] = "long";
    for (int i = 2; i < 1002; i++)
        argv[i] = hundred;
    check_eq(status_of_part(argv, no_environment), 0, "1000 arguments of 100 bytes arrive");
    memset(longest, 'a', 131071);
    argv[1] = "longest";
    argv[2] = longest;
    argv[3] = NULL;
    check_eq(status_of_part(argv, no_environment), 0, "an argument of 131071 bytes arrives");
    longest[131071] = 'a';
    check_eq(status_of_part(argv, no_environment), 100 + E2BIG, "one of 131072 bytes is E2BIG");
}

static void what_is_kept(void)
{
    char number[16], kept[16], closed[16];
    char *argv[] = {self, "pid", number, NULL}, *files[] = {self, "descriptors", kept, closed, NULL};
    int first = open(self, O_RDONLY), second = open(self, O_RDONLY | O_CLOEXEC), status = -1;
    pid_t child = fork();

    if (child == 0) {
        snprintf(number, sizeof(number), "%d", (int)getpid());
        execve(self, argv, no_environment);
        _exit(50);
    }
    waitpid(child, &status, 0);
    check_eq(status, 0, "the process number is kept");
    snprintf(kept, sizeof(kept), "%d", first);
    snprintf(closed, sizeof(closed), "%d", second);
    check_eq(status_of_part(files, no_environment), 0,
             "open descriptors are kept, those with O_CLOEXEC are closed");
    close(first);
    close(second);
}

static void what_is_new(void)
{
    char address[32];
    char *argv[] = {self, "fresh", address, NULL};
    char *memory = raw_mmap(0x3300000000, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1, 0);

    memory[0] = 1;
    snprintf(address, sizeof(address), "%lx", (unsigned long)memory);
    check_eq(status_of_part(argv, no_environment), 0, "old mappings are gone in the new program");
    check_eq(memory[0], 1, "and still there in the parent of the one that executed");
    raw_munmap(memory, PAGE);
}

static long try_exec(const char *path)
{
    char *argv[] = {self, "pid", "0", NULL};

    return execve(path, argv, no_environment);
}

static void refusals(void)
{
    char below[256];
    char *argv[] = {self, NULL};

    check_fails(try_exec("/no/such/program"), ENOENT, "a path that does not exist is ENOENT");
    check_fails(try_exec(""), ENOENT, "an empty path is ENOENT");
    check_fails(try_exec("/"), EACCES, "a directory is EACCES");
    check_fails(try_exec("/proc/self/maps"), EACCES, "a file that is not executable is EACCES");
    snprintf(below, sizeof(below), "%s/below", self);
    check_fails(try_exec(below), ENOTDIR, "a path below a file is ENOTDIR");
    check_fails(syscall(SYS_execve, NULL, argv, no_environment), EFAULT, "a NULL path is EFAULT");
    check_fails(syscall(SYS_execve, self, 8, no_environment), EFAULT, "a bad argv is EFAULT");
    check_fails(syscall(SYS_execve, self, argv, 8), EFAULT, "a bad environment is EFAULT");
    argv[0] = (char *)8;
    check_fails(syscall(SYS_execve, self, argv, no_environment), EFAULT,
                "a bad argument string is EFAULT");
    check(getpid() > 0 && vma_of(below) != NULL, "after a refusal the old program goes on");
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1)
        return play_part(argc, argv);
    arguments();
    many_arguments();
    what_is_kept();
    what_is_new();
    refusals();
    return done();
}
