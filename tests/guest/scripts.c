/* Checks execve of scripts, the limits of its strings, and files that are no programs. */
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "mem.h"

#define SCRIPT "/tmp/zeropage-script"
#define NESTED "/tmp/zeropage-nested"

static char self[4096]; /* the path of this program */

/* What the program does when one of its own tests executes it: argv[1] or the script's argument names the part. */
static int play_part(int argc, char **argv)
{
    const char *executed = (const char *)getauxval(AT_EXECFN);

    if (strcmp(argv[1], "plain") == 0)
        return argc == 4 && strcmp(argv[0], self) == 0 && strcmp(argv[2], SCRIPT) == 0 &&
                       strcmp(argv[3], "given") == 0 && strcmp(executed, SCRIPT) == 0
                   ? 0
                   : 1;
    if (strcmp(argv[1], "one two") == 0)
        return argc == 4 ? 0 : 1;
    if (strcmp(argv[1], SCRIPT) == 0) /* without an argument the script's name comes next */
        return argc == 3 && strcmp(argv[2], "given") == 0 ? 0 : 1;
    if (strcmp(argv[1], "inner") == 0)
        return argc == 6 && strcmp(argv[2], SCRIPT) == 0 && strcmp(argv[3], "outer") == 0 &&
                       strcmp(argv[4], NESTED) == 0 && strcmp(argv[5], "given") == 0
                   ? 0
                   : 1;
    if (strcmp(argv[1], "limits") == 0)
        return 0;
    return 99;
}

static void write_script(const char *path, const char *format, const char *interpreter)
{
    char text[5000];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    int length = snprintf(text, sizeof(text), format, interpreter);

    if (fd < 0 || write(fd, text, (size_t)length) != length)
        bail_out("%s cannot be written: errno %d", path, errno);
    close(fd);
}

struct call {
    const char *path;
    char **argv;
};

static void execute(void *argument)
{
    static char *const environment[] = {NULL};
    struct call *call = argument;

    execve(call->path, call->argv, environment);
    _exit(100 + errno);
}

static int status_of(const char *path, char **argv)
{
    struct call call = {path, argv};
    int status = status_of_child(execute, &call);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void scripts(void)
{
    char *argv[] = {"replaced", "given", NULL};

    write_script(SCRIPT, "#!%s plain\n", self);
    check_eq(status_of(SCRIPT, argv), 0, "a script's interpreter gets its argument, the script's path and the arguments");
    write_script(SCRIPT, "#! \t %s  one two \t\n", self);
    check_eq(status_of(SCRIPT, argv), 0, "blanks around are dropped, blanks within are one argument");
    write_script(SCRIPT, "#!%s", self);
    check_eq(status_of(SCRIPT, argv), 0, "argument and line end may be missing");
    write_script(SCRIPT, "#!%s inner\n", self);
    write_script(NESTED, "#!%s outer\n", SCRIPT);
    check_eq(status_of(NESTED, argv), 0, "an interpreter may be a script itself");
    write_script(SCRIPT, "#!%s\n", SCRIPT);
    check_eq(status_of(SCRIPT, argv), 100 + ELOOP, "but not for ever: ELOOP");
    write_script(SCRIPT, "#!%s\n", "/no/such/program");
    check_eq(status_of(SCRIPT, argv), 100 + ENOENT, "an interpreter that does not exist is ENOENT");
    write_script(SCRIPT, "#!%s\n", "/");
    check_eq(status_of(SCRIPT, argv), 100 + EACCES, "a directory as interpreter is EACCES");
    write_script(SCRIPT, "#!%s\n", " ");
    check_eq(status_of(SCRIPT, argv), 100 + ENOEXEC, "no interpreter at all is ENOEXEC");
}

static void no_programs(void)
{
    char *argv[] = {"x", NULL}, line[300];

    write_script(SCRIPT, "%s", "echo hello\n");
    check_eq(status_of(SCRIPT, argv), 100 + ENOEXEC, "a text is ENOEXEC");
    write_script(SCRIPT, "%s", "");
    check_eq(status_of(SCRIPT, argv), 100 + ENOEXEC, "an empty file too");
    write_script(SCRIPT, "%s", "\x7f"
                               "ELF");
    check_eq(status_of(SCRIPT, argv), 100 + ENOEXEC, "and the first four bytes of a program");
    write_script(SCRIPT, "%s", "#!");
    check_eq(status_of(SCRIPT, argv), 100 + EACCES, "the first two bytes of a script are EACCES");
    memset(line, 'a', sizeof(line));
    line[0] = '#';
    line[1] = '!';
    line[299] = '\0';
    write_script(SCRIPT, "%s", line);
    check_eq(status_of(SCRIPT, argv), 100 + ENOEXEC, "an interpreter whose name does not end within 256 bytes is ENOEXEC");
    memset(line + 2, ' ', 297);
    write_script(SCRIPT, "%s", line);
    check_eq(status_of(SCRIPT, argv), 100 + ENOEXEC, "and so is one that does not begin there");
    chmod(SCRIPT, 0644);
    check_eq(status_of(SCRIPT, argv), 100 + EACCES, "a file that is not executable is EACCES");
}

/* ---- the limits: 128 KiB for a string, a quarter of the stack's limit (8 MiB) for all of them ---- */

#define LONGEST (128 * 1024)

static int status_with(unsigned long strings, char *string)
{
    static char *argv[64];

    argv[0] = self;
    argv[1] = "limits";
    for (unsigned long i = 0; i < strings; i++)
        argv[2 + i] = string;
    argv[2 + strings] = NULL;
    return status_of(self, argv);
}

static void limits(void)
{
    char *memory = anon(40);

    memset(memory, 'a', LONGEST + 64);
    for (unsigned long skew = 0; skew < 32; skew += 31) {
        memory[skew + LONGEST - 1] = '\0';
        check_eq(status_with(1, memory + skew), 0, "a string of 128 KiB with its end arrives (%lu bytes into a page)", skew);
        memory[skew + LONGEST - 1] = 'a';
        memory[skew + LONGEST] = '\0';
        check_eq(status_with(1, memory + skew), 100 + E2BIG, "one byte more is E2BIG");
        memory[skew + LONGEST] = 'a';
    }
    memory[LONGEST - 1] = '\0';
    check_eq(status_with(15, memory), 0, "15 such strings arrive");
    check_eq(status_with(16, memory), 100 + E2BIG, "16 and the program's name are more than a quarter of the stack");
}

int main(int argc, char **argv)
{
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (length <= 0)
        bail_out("/proc/self/exe cannot be read: errno %d", errno);
    self[length] = '\0';
    if (argc > 1)
        return play_part(argc, argv);
    scripts();
    no_programs();
    limits();
    unlink(SCRIPT);
    unlink(NESTED);
    return done();
}
