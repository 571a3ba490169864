/*
 * Checks IRETQ and far returns in ring 3, which QEMU can't execute under SMAP (it reads their operands as the kernel
 * would): run on a processor without it.
 */
#include "tests/guest/catch.h"

#define FLAG_IF 0x200ul
#define FLAG_IOPL 0x3000ul
#define USER_CODE 0x33ul
#define USER_STACK 0x2bul

struct iret_frame {
    unsigned long ip, cs, flags, sp, ss;
};

/* Returns by IRETQ to the next instruction with these selectors and flags; the flags that come of it. */
static unsigned long iret(unsigned long cs, unsigned long ss, unsigned long flags)
{
    struct iret_frame frame = {0, cs, flags, 0, ss};

    __asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, (%1)\n\tmov %%rsp, 24(%1)\n\t"
                     "mov %%rsp, %%r12\n\tmov %1, %%rsp\n\tiretq\n1:\tmov %%r12, %%rsp\n\t"
                     "sub $128, %%rsp\n\tpushfq\n\tpop %0\n\tadd $128, %%rsp"
                     : "=&r"(flags) : "r"(&frame) : "rax", "r12", "memory", "cc");
    return flags;
}

static void iret_to_code(void *selector)
{
    iret((unsigned long)selector, USER_STACK, FLAG_IF);
}

static void iret_to_stack(void *selector)
{
    iret(USER_CODE, (unsigned long)selector, FLAG_IF);
}

static void far_return(void *selector)
{
    __asm__ volatile("sub $128, %%rsp\n\tpush %0\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tlretq\n"
                     "1:\tadd $128, %%rsp" : : "r"(selector) : "rax", "memory", "cc");
}

int main(void)
{
    catch_faults();
    check_eq(iret(USER_CODE, USER_STACK, FLAG_IOPL) & (FLAG_IOPL | FLAG_IF), FLAG_IF,
             "iretq in ring 3 gives neither the ports nor control of interrupts");
    check_str(fault_of(iret_to_code, (void *)0x10), "SEGV code 128 error 10 trap 13", "iretq to the kernel's code faults");
    check_str(fault_of(iret_to_code, (void *)0x13), "SEGV code 128 error 10 trap 13", "whatever privilege it asks for");
    check_str(fault_of(iret_to_stack, (void *)0x18), "SEGV code 128 error 18 trap 13", "to the kernel's stack segment, too");
    check_str(fault_of(iret_to_code, (void *)USER_CODE), "nothing", "to the program's own it works");
    check_str(fault_of(far_return, (void *)0x10), "SEGV code 128 error 10 trap 13", "a far return to the kernel faults");
    check_str(fault_of(far_return, (void *)0x43), "SEGV code 128 error 40 trap 13", "and one to the task state");
    check_str(fault_of(far_return, (void *)USER_CODE), "nothing", "to the program's own code it works");
    return done();
}
