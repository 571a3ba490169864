/*
 * exc_page_fault: between the processor's page fault and mm/'s answer to it, and what a refusal
 * leads to.
 */
#include "mm/fault.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/die.h"
#include "kernel/lib/printf.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "mm/kstack.h"

#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
/* An address is canonical when bits 47 to 63 are equal. */
#define CANONICAL_SHIFT 47
#define DESCRIPTION_SIZE 320
/* orig_ax of anything but a system call: no call is to be started again. */
#define NO_SYSTEM_CALL (~0ul)

static const char *access_name(unsigned long error)
{
    if (error & PF_INSTRUCTION)
        return "execute at";
    return error & PF_WRITE ? "write to" : "read from";
}

/* The signal of a refusal, as Linux sends it. */
static struct signal_info info_of(enum fault_outcome outcome, unsigned long address)
{
    struct signal_info info = { .signal = SIGSEGV, .code = SEGV_ACCERR, .address = address };

    switch (outcome) {
    case FAULT_BEYOND_FILE:
        info.signal = SIGBUS;
        info.code = BUS_ADRERR;
        break;
    case FAULT_NO_MAPPING:
    case FAULT_BELOW_STACK:
    case FAULT_KERNEL_ADDRESS:
        info.code = SEGV_MAPERR;
        break;
    default:
        break;
    }
    return info;
}

static void tell_of_death(const struct pt_regs *regs, unsigned long address, unsigned long error,
                          enum fault_outcome outcome, int signal)
{
    char why[DESCRIPTION_SIZE];

    fault_describe(current->mm, address, (unsigned)error, outcome, why, sizeof(why));
    /* Two lines, each short enough for a terminal of 80 columns. */
    printk("%s[%d]: killed by %s: %s %#lx, ip %#lx\n", current->comm, current->pid,
           signal_name(signal), access_name(error), address, regs->ip);
    printk("  %s\n", why);
}

static bool is_canonical(unsigned long address)
{
    long upper = (long)address >> CANONICAL_SHIFT;

    return upper == 0 || upper == -1;
}

/* A program touched what it may not. */
static void refuse_user(struct pt_regs *regs, unsigned long address, unsigned long error,
                        enum fault_outcome outcome)
{
    /*
     * A processor raises #GP here (SDM vol. 1, 3.3.7.1); QEMU 8.2.2, which Ubuntu 24.04 has, raises
     * #PF.
     */
    if (unlikely(!is_canonical(address))) {
        exc_other(regs, VECTOR_GENERAL_PROTECTION, 0);
        return;
    }
    struct signal_info info = info_of(outcome, address);

    current->trap_nr = VECTOR_PAGE_FAULT;
    /*
     * What lies above the user half looks present to programs, so that they can't map the kernel by
     * its faults.
     */
    current->error_code = error | PF_USER | (address >= TASK_SIZE ? PF_PRESENT : 0);
    current->cr2 = address;
    if (signal_force_kills(info.signal))
        tell_of_death(regs, address, error, outcome, info.signal);
    signal_force(info.signal, &info);
}

/* CR2 and the error code are still where the processor put them. */
static void __attribute__((noinline)) user_fault_failed(struct pt_regs *regs, enum fault_outcome outcome)
{
    unsigned long address = read_cr2(), error = regs->orig_ax;

    regs->orig_ax = NO_SYSTEM_CALL;
    while (outcome == FAULT_OUT_OF_MEMORY && out_of_memory(true))
        outcome = do_user_addr_fault(current->mm, address, (unsigned)error, regs->ip);
    if (fault_failed(outcome) && outcome != FAULT_OUT_OF_MEMORY)
        refuse_user(regs, address, error, outcome);
}

static void __noreturn kernel_died(struct pt_regs *regs, unsigned long address, unsigned long error)
{
    const char *access = access_name(error);

    if (kstack_is_guard(address))
        die(regs, "the kernel stack overflowed (%s %#lx)", access, address);
    if (address < PAGE_SIZE)
        die(regs, "the kernel followed a null pointer (%s %#lx)", access, address);
    die(regs, "page fault in the kernel: %s %#lx, which is %s", access, address,
        error & PF_PRESENT ? "mapped, but not for that" : "not mapped");
}

/* The kernel touched memory of the program for it, or made a mistake. */
static void __attribute__((noinline)) kernel_fault(struct pt_regs *regs, unsigned long address,
                                                   unsigned long error)
{
    unsigned long ip = regs->ip;
    unsigned long landing;
    enum fault_outcome outcome;

    if (address >= TASK_SIZE || !current->mm || !fixup_exception(regs))
        kernel_died(regs, address, error);
    landing = regs->ip;
    outcome = do_user_addr_fault(current->mm, address, (unsigned)error, ip);
    if (unlikely(outcome == FAULT_OUT_OF_MEMORY) && out_of_memory(false))
        outcome = fault_from_reserve(address, (unsigned)error, ip);
    regs->ip = fault_failed(outcome) ? landing : ip;
}

/* The hot path: what follows a success is only the way back. */
void exc_page_fault(struct pt_regs *regs, unsigned long error)
{
    unsigned long address = read_cr2();
    enum fault_outcome outcome;

    if (unlikely(!user_mode(regs))) {
        kernel_fault(regs, address, error);
        return;
    }
    outcome = do_user_addr_fault(current->mm, address, (unsigned)error, regs->ip);
    if (unlikely(fault_failed(outcome)))
        user_fault_failed(regs, outcome);
}
