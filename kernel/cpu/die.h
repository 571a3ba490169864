/* A panic that knows the registers of the moment: for exceptions that the kernel itself caused. */
#ifndef KERNEL_CPU_DIE_H
#define KERNEL_CPU_DIE_H

#include "kernel/cpu/regs.h"

/*
 * Prints the sentence, the registers, CR2 and CR3, and the symbolised way to REGS->ip; then powers
 * off like panic(). The caller puts the decoded fault into the sentence.
 */
void __noreturn die(const struct pt_regs *regs, const char *format, ...) __printf(2, 3);

/* "divide error", … by vector 0…31 (SDM vol. 3A, table 6-1). */
extern const char *const exception_names[32];

/*
 * The stacks of double fault, NMI, machine check and debug exception: true when ADDRESS lies on
 * one.
 */
bool cpu_is_exception_stack(unsigned long address);

#endif
