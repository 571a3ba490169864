/* The table of system calls: Linux's numbers, a function each, and what the journal and the documentation need. */
#ifndef SYSCALL_TABLE_H
#define SYSCALL_TABLE_H

#include "kernel/cpu/regs.h"

/* Numbers from here on are unknown without a look at the table. entry.asm has the same number. */
#define SYSCALL_LIMIT 512

/* A call takes up to six words and returns a result or a negative errno. */
typedef long (*syscall_function)(unsigned long, unsigned long, unsigned long, unsigned long, unsigned long,
                                 unsigned long);

/* The functions, by number; sys_unknown where there is none. Entered from entry.asm. */
extern const void *const syscall_table[SYSCALL_LIMIT];

struct syscall_description {
    const char *name;       /* NULL: Linux has no such call, or we know nothing of it */
    u8 arguments;
    bool exists;
};
extern const struct syscall_description syscall_descriptions[SYSCALL_LIMIT];

/* Makes the call of REGS and writes it into the journal. Returns the result. */
long syscall_recorded(struct pt_regs *regs);

/* -ENOSYS; with the kernel option `debug-unknown-syscalls` a line says who called what. */
long sys_unknown(void);
extern bool debug_unknown_syscalls;

/* The entry of rt_sigreturn in the table: it does not return (entry.asm). */
void asm_rt_sigreturn(void);

/* The calls themselves. */
#define SYSCALL_ARGUMENTS_0 void
#define SYSCALL_ARGUMENTS_1 unsigned long
#define SYSCALL_ARGUMENTS_2 SYSCALL_ARGUMENTS_1, unsigned long
#define SYSCALL_ARGUMENTS_3 SYSCALL_ARGUMENTS_2, unsigned long
#define SYSCALL_ARGUMENTS_4 SYSCALL_ARGUMENTS_3, unsigned long
#define SYSCALL_ARGUMENTS_5 SYSCALL_ARGUMENTS_4, unsigned long
#define SYSCALL_ARGUMENTS_6 SYSCALL_ARGUMENTS_5, unsigned long
#define SYSCALL(number, name, count) long sys_##name(SYSCALL_ARGUMENTS_##count);
#define ABSENT(number, name)
#include "syscall/list.h"
#undef SYSCALL
#undef ABSENT

#endif
