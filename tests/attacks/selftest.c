/*
 * Asks the kernel for one of its self-tests (kernel/proc/self_test.c), with all that helps an attacker: a page of its
 * own that may be read, written and executed, and the AC flag set, which would switch SMAP off.
 *
 * With "read-user-at-once" the address is the argument itself, so that the kernel has copied nothing before. With "watch" the
 * program then loads SS from what is watched and enters the kernel by the next instruction, with a stack pointer of no use.
 *
 *     selftest NAME       status 3: nothing has stopped the kernel; 4: there is no such test
 */
#include "tests/guest/mem.h"

#define MAGIC1 0xfee1dead
#define MAGIC2 672274793
#define COMMAND 0x5e1f7e57
#define COMMAND_READ_USER 0x5e1f7e58
#define RETURN 0xc3
#define USER_STACK 0x2b     /* the selector of every program's stack */
#define CALL_GETPPID 110

/* MOV SS puts off a debug exception by one instruction: to the kernel's first one, on whatever stack that has. */
static void enter_with_an_exception(const unsigned short *selector)
{
    long result = CALL_GETPPID;

    __asm__ volatile("mov %%rsp, %%r12\n\txor %%esp, %%esp\n\tmov (%1), %%ss\n\tsyscall\n\tmov %%r12, %%rsp"
                     : "+a"(result) : "r"(selector) : "rcx", "r11", "r12", "memory");
}

int main(int count, char **words)
{
    static struct {
        char name[56];
        unsigned long address;
    } order;
    unsigned char *page = raw_mmap(0, PAGE, READ_WRITE | PROT_EXEC, PRIVATE_ANON, -1, 0);
    unsigned short *selector = (unsigned short *)(page + 16);
    long result, command = COMMAND;

    if (count != 2 || page == MAP_FAILED)
        return 2;
    page[0] = RETURN;
    strncpy(order.name, words[1], sizeof(order.name) - 1);
    *selector = USER_STACK;
    order.address = (unsigned long)(strcmp(order.name, "watch") == 0 ? (void *)selector : page);
    bool at_once = strcmp(order.name, "read-user-at-once") == 0;
    if (at_once)
        command = COMMAND_READ_USER;
    register void *argument __asm__("r10") = at_once ? (void *)page : (void *)&order;
    __asm__ volatile("sub $128, %%rsp\n\tpushfq\n\torq $0x40000, (%%rsp)\n\tpopfq\n\tsyscall\n\t"
                     "pushfq\n\tandq $~0x40000, (%%rsp)\n\tpopfq\n\tadd $128, %%rsp"
                     : "=a"(result)
                     : "0"((long)SYS_reboot), "D"(MAGIC1), "S"(MAGIC2), "d"(command), "r"(argument)
                     : "rcx", "r11", "memory", "cc");
    if (result == 0 && strcmp(order.name, "watch") == 0)
        enter_with_an_exception(selector);
    return result == 0 ? 3 : 4;
}
