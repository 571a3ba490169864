/* Shows the processor's registers when the kernel itself did what it may not. */
#include "kernel/cpu/die.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/printf.h"

static unsigned long read_cr3(void)
{
    unsigned long value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static void print_registers(const struct pt_regs *regs)
{
    printk("  rax %016lx  rbx %016lx  rcx %016lx\n", regs->ax, regs->bx, regs->cx);
    printk("  rdx %016lx  rsi %016lx  rdi %016lx\n", regs->dx, regs->si, regs->di);
    printk("  rbp %016lx  rsp %016lx  r8  %016lx\n", regs->bp, regs->sp, regs->r8);
    printk("  r9  %016lx  r10 %016lx  r11 %016lx\n", regs->r9, regs->r10, regs->r11);
    printk("  r12 %016lx  r13 %016lx  r14 %016lx\n", regs->r12, regs->r13, regs->r14);
    printk("  r15 %016lx  rip %016lx  flags %08lx\n", regs->r15, regs->ip, regs->flags);
    printk("  cs %02lx ss %02lx  error %lx  cr2 %016lx  cr3 %016lx\n", regs->cs, regs->ss, regs->orig_ax, read_cr2(),
           read_cr3());
}

void die(const struct pt_regs *regs, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    panic_begin(format, arguments);
    va_end(arguments);
    print_registers(regs);
    print_code_address(regs->ip);
    panic_end(regs->bp);
}
