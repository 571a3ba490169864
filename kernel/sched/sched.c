/* The scheduler: one processor, one queue; the highest priority first, and everyone of the same in turn. */
#include "kernel/sched/sched.h"

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/pic.h"
#include "kernel/dev/pit.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sched/clock.h"
#include "kernel/trace/journal.h"
#include "mm/kstack.h"
#include "mm/page_table.h"

/* Ticks that a program runs while others wait for their turn. */
#define TIME_SLICE 2
/* Of each second, programs with a priority may take this many ticks while others wait: nobody locks all out. */
#define MOST_PRIORITY_TICKS (HZ - HZ / 20)

/*
 * kernel/sched/switch.asm: saves PREV's registers on its stack and goes on where NEXT left off.
 * Returns, in NEXT, the task that ran just before.
 */
struct task *switch_stacks(struct task *prev, struct task *next);
void task_first_entry(void);
void task_begin(struct task *prev, struct pt_regs *regs);

static struct process idle_process;
static struct task idle_task;
struct task *current = &idle_task;

static LIST_HEAD(run_queue);
/* The address space in CR3; NULL: the kernel's own. The idle task keeps what it finds. */
static struct mm_struct *loaded_mm;

/* How many ticks programs with a priority took of this second. */
static unsigned priority_ticks;

static bool somebody_else_is_runnable(void)
{
    return !list_empty(&run_queue);
}

static struct task *first_in_queue(void)
{
    return list_first_entry(&run_queue, struct task, run_node);
}

/* Puts TASK behind its equals, or before them. */
static void enqueue(struct task *task, bool before_equals)
{
    struct list_head *place = run_queue.prev;

    while (place != &run_queue) {
        unsigned there = list_entry(place, struct task, run_node)->priority;
        if (there > task->priority || (there == task->priority && !before_equals))
            break;
        place = place->prev;
    }
    list_add(&task->run_node, place);
}

void sched_wake(struct task *task)
{
    if (task->state != TASK_INTERRUPTIBLE && task->state != TASK_UNINTERRUPTIBLE)
        return;
    task->state = TASK_RUNNING;
    task->waiting_on = NULL;
    if (task == current)
        return;
    list_del(&task->run_node);
    enqueue(task, false);
    if (current == &idle_task || current->slice == 0 || task->priority > current->priority)
        this_cpu.work_pending |= CPU_WORK_RESCHED;
}

void sched_set_priority(struct task *task, unsigned priority)
{
    bool lower = priority < task->priority;

    task->priority = priority;
    if (task != current && task->state == TASK_RUNNING && !list_empty(&task->run_node)) {
        list_del(&task->run_node);
        enqueue(task, lower);
    }
    if (somebody_else_is_runnable() && first_in_queue()->priority > current->priority)
        this_cpu.work_pending |= CPU_WORK_RESCHED;
}

unsigned sched_slice(const struct task *task)
{
    if (unlikely(task->policy == SCHED_RR))
        return ROUND_ROBIN_SLICE;
    /* From 1 tick for the nicest to 12. */
    return likely(task->nice == 0) ? TIME_SLICE : task->nice > 0 ? 1u : TIME_SLICE + (unsigned)-task->nice / 2;
}

void task_start(struct task *task)
{
    task->state = TASK_RUNNING;
    task->slice = sched_slice(task);
    enqueue(task, false);
}

void task_switch_mm(struct mm_struct *mm)
{
    current->mm = mm;
    loaded_mm = mm;
    arch_load_cr3(mm ? mm->pgd_phys : virt_to_phys(kernel_pgd));
}

/* ---- the processor's state that belongs to a program ---- */

void task_save_program_state(struct task *task)
{
    fpu_save(task->fpu);
    __asm__("mov %%ds, %0" : "=r"(task->ds));
    __asm__("mov %%es, %0" : "=r"(task->es));
    __asm__("mov %%fs, %0" : "=r"(task->fs_selector));
    __asm__("mov %%gs, %0" : "=r"(task->gs_selector));
    task->fs_base = cpu_get_fs_base();
    task->gs_base = cpu_get_gs_base();
}

static void load_program_state(const struct task *task)
{
    fpu_restore(task->fpu);
    /* Loading a selector changes the base (SDM vol. 3A, 3.4.4), so the bases come last. */
    __asm__ volatile("mov %0, %%ds" : : "r"(task->ds));
    __asm__ volatile("mov %0, %%es" : : "r"(task->es));
    __asm__ volatile("mov %0, %%fs" : : "r"(task->fs_selector));
    __asm__ volatile("mov %0, %%gs" : : "r"(task->gs_selector));
    cpu_set_fs_base(task->fs_base);
    cpu_set_gs_base(task->gs_base);
}

/* ---- the switch ---- */

/* The rest of a switch, on the new task's stack: PREV is no longer in use. */
static void finish_switch(struct task *prev)
{
    if (prev->state != TASK_ZOMBIE && prev->state != TASK_DEAD)
        return;
    kstack_free(prev->kernel_stack_top);
    prev->kernel_stack_top = 0;
    if (prev->state == TASK_DEAD)
        task_free(prev);
}

void limits_to_mm(const struct process *process, struct mm_limits *limits)
{
    *limits = (struct mm_limits){
        .as = process->limits[RLIMIT_AS].current,
        .data = process->limits[RLIMIT_DATA].current,
        .data_hard = process->limits[RLIMIT_DATA].maximum,
        .stack = process->limits[RLIMIT_STACK].current,
        .memlock = process->limits[RLIMIT_MEMLOCK].current,
    };
}

/* Two processes may share an address space (vfork), but each has limits and privileges of its own. */
static void __attribute__((noinline)) take_over_mm(const struct task *task)
{
    limits_to_mm(task->process, &task->mm->limits);
    task->mm->limits_of = task->process;
    task->mm->may_map_low = task->mm->may_lock_beyond_limit = task->euid == 0;
}

static void switch_to(struct task *next)
{
    struct task *prev = current;
    u64 now = rdtsc();

    if (prev->fpu)
        task_save_program_state(prev);
    prev->run_time += now - prev->started_running;
    if (prev->rseq)
        prev->resume_work = CPU_WORK_RSEQ;
    next->started_running = now;
    next->slice = sched_slice(next);
    if (next->mm && next->mm != loaded_mm) {
        loaded_mm = next->mm;
        arch_load_cr3(next->mm->pgd_phys);
    }
    if (unlikely(next->mm && next->mm->limits_of != next->process))
        take_over_mm(next);
    current = next;
    mm_fault_counter = &next->min_flt;
    journal_context_pid = (u32)next->pid;
    this_cpu.work_pending = next->resume_work | (next->signal_waiting ? CPU_WORK_SIGNAL : 0);
    if (next->kernel_stack_top)
        cpu_set_kernel_stack(next->kernel_stack_top);
    if (next->fpu)
        load_program_state(next);
    finish_switch(switch_stacks(prev, next));
}

/* Who runs next, with RUNNING or instead of it (NULL: it can't); NULL: nobody else has to. */
static struct task *choose(const struct task *running)
{
    struct task *task = first_in_queue();

    if (likely(priority_ticks < MOST_PRIORITY_TICKS))
        return running && running->priority > task->priority ? NULL : task;
    list_for_each_entry(task, &run_queue, run_node)
        if (task->priority == 0)
            return task;
    return running && running->priority == 0 ? NULL : first_in_queue();
}

void schedule(void)
{
    struct task *prev = current, *next = NULL;

    this_cpu.work_pending &= ~CPU_WORK_RESCHED;
    if (somebody_else_is_runnable())
        next = choose(prev->state == TASK_RUNNING && prev != &idle_task ? prev : NULL);
    if (prev->state == TASK_RUNNING) {
        if (!next) {
            prev->slice = sched_slice(prev);
            return;
        }
        if (prev != &idle_task)
            enqueue(prev, next->priority > prev->priority && prev->slice > 0);
        prev->involuntary_switches++;
    } else {
        prev->voluntary_switches++;
    }
    if (next)
        list_del(&next->run_node);
    else
        next = &idle_task;
    if (next != prev)
        switch_to(next);
}

void sched_yield(void)
{
    schedule();
}

/* The C half of task_first_entry: what schedule() would have done after its switch. */
void task_begin(struct task *prev, struct pt_regs *regs)
{
    finish_switch(prev);
    task_first_run(regs);
}

void task_prepare_stack(struct task *task, const struct pt_regs *regs)
{
    struct pt_regs *top = task_regs(task);
    unsigned long *stack = (unsigned long *)top;

    *top = *regs;
    *--stack = (unsigned long)task_first_entry;     /* where switch_stacks returns to */
    for (int i = 0; i < 6; i++)                     /* RBP, RBX, R12 … R15 */
        *--stack = 0;
    task->kernel_sp = (unsigned long)stack;
}

/* ---- time ---- */

/*
 * In the kernel interrupts are off, so a tick that falls into a system call waits for its end. Then
 * the program has not yet run one instruction, and SYSRET has just loaded RIP from RCX and RFLAGS
 * from R11: the tick was the kernel's. One that waited in a page fault is known to the timer's stub
 * (kernel/cpu/entry.asm).
 */
static bool tick_waited_in_kernel(const struct pt_regs *regs)
{
    return (regs->cx == regs->ip && regs->r11 == regs->flags) || regs->orig_ax == ORIG_AX_TICK_IN_FAULT;
}

static void timer_interrupt(struct pt_regs *regs)
{
    jiffies++;
    pit_next_tick();
    clock_tick();
    if (user_mode(regs)) {
        bool in_program = !tick_waited_in_kernel(regs);
        *(in_program ? &current->user_ticks : &current->system_ticks) += 1;
        process_account_tick(current->process, in_program);
    } else if (current != &idle_task) {
        current->system_ticks++;
    }
    timers_run(sched_clock());
    if (jiffies % HZ == 0)
        priority_ticks = 0;
    if (current->priority > 0)
        priority_ticks++;
    if (current->slice > 0 && current->policy != SCHED_FIFO)
        current->slice--;
    if (somebody_else_is_runnable() && (current->slice == 0 || first_in_queue()->priority > current->priority ||
                                        priority_ticks >= MOST_PRIORITY_TICKS))
        this_cpu.work_pending |= CPU_WORK_RESCHED;
}

void sched_idle(void)
{
    for (;;) {
        schedule();
        /*
         * STI takes effect after the next instruction, so no interrupt slips in before HLT (SDM
         * vol. 2B, STI).
         */
        __asm__ volatile("sti; hlt; cli" ::: "memory");
    }
}

void sched_init(void)
{
    idle_process.leader = &idle_task;
    list_init(&idle_process.threads);
    list_init(&idle_process.children);
    list_init(&idle_process.posix_timers);
    wait_queue_init(&idle_process.child_wait);
    sigpending_init(&idle_process.pending);
    idle_task.process = &idle_process;
    idle_task.state = TASK_RUNNING;
    list_init(&idle_task.run_node);
    list_init(&idle_task.locks);
    sigpending_init(&idle_task.pending);
    strlcpy(idle_task.comm, "swapper", sizeof(idle_task.comm));
    idle_task.started_running = rdtsc();
    clock_init();
    irq_set_handler(IRQ_TIMER, timer_interrupt);
}
