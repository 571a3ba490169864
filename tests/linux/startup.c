/* Prints what a program finds at its start: registers of the FPU, arguments, environment, auxiliary vector. */
#include <sys/auxv.h>

#include "tests/linux/transcript.h"

extern char **environ;

/* An auxiliary value, unless it depends on the program's own file, on chance, or on the processor. */
static void show_entry(unsigned long type, unsigned long value)
{
    switch (type) {
    case AT_PHDR:
    case AT_PHNUM:
    case AT_ENTRY:
        say("aux %lu depends on the program", type);
        break;
    case AT_HWCAP:
    case AT_HWCAP2:
    case 51: /* AT_MINSIGSTKSZ */
        say("aux %lu depends on the processor", type);
        break;
    default:
        say("aux %lu = %lx", type, value);
    }
}

int main(int argc, char **argv)
{
    unsigned short x87_control;
    unsigned int sse_control;
    unsigned long *entry;
    char **variable;

    __asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(x87_control), "=m"(sse_control));
    say("x87 control %x, sse control %x", x87_control, sse_control);
    say("argc %d at %p", argc, (void *)((unsigned long *)argv - 1));
    for (char **argument = argv; *argument != NULL; argument++)
        say("argument '%s' at %p", *argument, (void *)*argument);
    for (variable = environ; *variable != NULL; variable++)
        say("variable '%s' at %p", *variable, (void *)*variable);
    for (entry = (unsigned long *)(variable + 1); *entry != AT_NULL; entry += 2)
        show_entry(entry[0], entry[1]);
    say("the vectors end at %p", (void *)(entry + 2));
    say("platform '%s'", (char *)getauxval(AT_PLATFORM));
    say("executed '%s'", (char *)getauxval(AT_EXECFN));
    say("pid is %s, parent %s", getpid() > 0 ? "positive" : "not positive",
        getppid() >= 0 ? "not negative" : "negative");
    say("uid %d %d gid %d %d", (int)getuid(), (int)geteuid(), (int)getgid(), (int)getegid());
    for (int fd = 0; fd < 10; fd++)
        say("descriptor %d is %s", fd, fcntl(fd, F_GETFD) == -1 ? "closed" : "open");
    return 0;
}
