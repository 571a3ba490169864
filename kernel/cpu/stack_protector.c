/*
 * The stack protector: GCC puts __stack_chk_guard between a function's arrays and its return address, and looks
 * whether it is still there before the function returns.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/sections.h"

/* A string that is too long ends at this byte: it can't write the right value over the guard. */
#define NUL_BYTE 0xfful

/* One for the whole boot. Global (-mstack-protector-guard=global): the kernel uses neither FS nor GS for itself. */
unsigned long __stack_chk_guard __ro_after_init;
void __noreturn __stack_chk_fail(void);

void stack_protector_init(void)
{
    __stack_chk_guard = cpu_entropy() & ~NUL_BYTE;
}

void __stack_chk_fail(void)
{
    panic("a function of the kernel has written past the end of an array on its stack");
}
