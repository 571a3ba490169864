/* The table, made from syscall/list.h, and the two ways through it that are not hot. */
#include "syscall/table.h"

#include "kernel/lib/errno.h"
#include "kernel/lib/printf.h"
#include "kernel/sched/sched.h"
#include "kernel/trace/journal.h"

_Static_assert(JOURNAL_SYSCALL == 1, "entry.asm tests bit 1 of journal_mask");

/* Later entries override the first line's range: that is the point. */
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif

const void *const syscall_table[SYSCALL_LIMIT] = {
    [0 ... SYSCALL_LIMIT - 1] = (const void *)sys_unknown,
#define SYSCALL(number, name, count) [number] = (const void *)sys_##name,
#define ABSENT(number, name)
#define sys_rt_sigreturn asm_rt_sigreturn
#include "syscall/list.h"
#undef sys_rt_sigreturn
#undef SYSCALL
#undef ABSENT
};

const struct syscall_description syscall_descriptions[SYSCALL_LIMIT] = {
#define SYSCALL(number, call, count) [number] = { #call, count, true },
#define ABSENT(number, call) [number] = { #call, 0, false },
#include "syscall/list.h"
#undef SYSCALL
#undef ABSENT
};

bool debug_unknown_syscalls;

long sys_unknown(void)
{
    if (debug_unknown_syscalls) {
        const struct pt_regs *regs = task_regs(current);
        u32 number = (u32)regs->orig_ax;
        const char *name = number < SYSCALL_LIMIT ? syscall_descriptions[number].name : NULL;
        printk("%s (pid %d): unknown system call %u (%s) at %#lx\n", current->comm, current->pid, number,
               name ? name : "no name", regs->ip);
    }
    return -ENOSYS;
}

long syscall_recorded(struct pt_regs *regs)
{
    u32 number = (u32)regs->orig_ax;
    u64 args[] = { regs->di, regs->si, regs->dx, regs->r10, regs->r8, regs->r9 };
    const void *function = number < SYSCALL_LIMIT ? syscall_table[number] : (const void *)sys_unknown;

    /* Those that never return are written down first. */
    bool is_last = function == (const void *)sys_exit || function == (const void *)sys_exit_group ||
                   function == (const void *)asm_rt_sigreturn;
    if (is_last)
        journal(JOURNAL_SYSCALL, number, args[0], args[1], args[2], args[3], args[4], args[5], 0);
    long result = ((syscall_function)function)(args[0], args[1], args[2], args[3], args[4], args[5]);
    journal(JOURNAL_SYSCALL, number, args[0], args[1], args[2], args[3], args[4], args[5], (u64)result);
    return result;
}
