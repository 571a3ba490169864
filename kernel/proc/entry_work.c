/*
 * What is done on the way back to ring 3 besides going there: others get their turn, signals are
 * delivered, restartable sequences begin again.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/rseq.h"

void exit_to_user_work(struct pt_regs *regs)
{
    /*
     * That this runs is all that CPU_WORK_REGISTERS wants: the way out from here loads every
     * register.
     */
    while (this_cpu.work_pending &= ~CPU_WORK_REGISTERS) {
        if (this_cpu.work_pending & CPU_WORK_RESCHED)
            schedule();
        if (this_cpu.work_pending & CPU_WORK_SIGNAL)
            do_signal(regs);
        if (this_cpu.work_pending & CPU_WORK_RSEQ)
            rseq_resume(regs);
    }
}
