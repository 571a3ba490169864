/*
 * Starts the kernel: every room in the order in which they need each other, then the first program.
 */
#include "boot/boot_info.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/die.h"
#include "kernel/dev/pit.h"
#include "kernel/dev/power.h"
#include "kernel/dev/screen.h"
#include "kernel/dev/serial.h"
#include "kernel/fs/devices.h"
#include "kernel/fs/fs.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/self_test.h"
#include "kernel/sched/sched.h"
#include "kernel/start.h"
#include "mm/kstack.h"
#include "mm/memblock.h"
#include "mm/page_alloc.h"
#include "syscall/table.h"

#define KIB 1024ul
#define MIB (1024 * KIB)

/* boot/entry.asm: what the idle task goes on using as its stack. */
extern char boot_stack[], boot_stack_top[];

static void message_to_com2(const char *text, size_t length)
{
    serial_write(SERIAL_COM2, text, length);
}

static void message_to_console(const char *text, size_t length)
{
    serial_write_text(SERIAL_COM1, text, length);
    screen_write_text(text, length);
}

static bool is_kernel_stack(unsigned long address)
{
    return (address >= (unsigned long)boot_stack && address < (unsigned long)boot_stack_top) ||
           this_cpu.kernel_stack_top - address - 1 < KSTACK_SIZE || cpu_is_exception_stack(address);
}

static const struct panic_ops panic_ops = { is_kernel_stack, power_off };

void stop_with_sentence(const char *format, ...)
{
    char sentence[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    panicking = true;       /* nothing else is going to be said: every sink hears it */
    printk("zeropage: %s\n", sentence);
    power_off(POWER_PANIC);
}

/* Returns whether the kernel runs in run mode. */
static bool read_command_line(void)
{
    static char words[BOOT_CMDLINE_SIZE];

    strlcpy(words, boot_info.cmdline, sizeof(words));
    unsigned count = cmdline_parse(words);
    bool run_mode = cmdline_has("run");
    printk_add_sink(message_to_com2, false);
    /* In run mode the console carries the program's bytes and nothing else. */
    if (!run_mode) {
        start_screen();
        printk_add_sink(message_to_console, cmdline_has("quiet"));
    }
    if (boot_info.cmdline_truncated || count == CMDLINE_MAX_WORDS)
        printk("zeropage: the command line is too long; its end is ignored\n");

    const char *audit = cmdline_get("audit");
    audit_at_exit = audit && strcmp(audit, "exit") == 0;
    debug_unknown_syscalls = cmdline_has("debug-unknown-syscalls");
    proc_has_fail_nth = ALLOCATIONS_CAN_FAIL && cmdline_has("fault-injection");
    const char *aslr = cmdline_get("aslr");
    aslr_enabled = aslr && strcmp(aslr, "on") == 0;
    const char *map_low = cmdline_get("map-low");
    low_mappings_allowed = map_low && strcmp(map_low, "on") == 0;
    self_tests_allowed = cmdline_has("selftest");
    return run_mode;
}

static void print_banner(void)
{
    unsigned long free = frame_counts[PAGE_FREE];

    printk("zeropage: a small x86_64 kernel about anonymous memory, started by %s\n", boot_info.loader);
    printk("zeropage: %lu MiB of memory, %lu frames (%lu MiB) free; the kernel: %lu KiB\n",
           (unsigned long)(memblock_total() / MIB), free, free * PAGE_SIZE / MIB, (size_t)(kernel_end - kernel_start) / KIB);
}

void kernel_main(void)
{
    serial_init();
    panic_set_ops(&panic_ops);
    bool run_mode = read_command_line();

    cpu_init();
    stack_protector_init();
    descriptors_init();
    start_memory();
    pit_init(HZ);
    /* Without this word every boot draws the same numbers, so that tests and lessons repeat. */
    if (cmdline_has("random"))
        random_seed(cpu_random());
    if (cmdline_get("jitter"))
        pit_jitter(cmdline_get("jitter"));
    sched_init();
    fs_init(phys_to_virt(boot_info.archive.start), boot_info.archive.end - boot_info.archive.start);
    print_banner();
    start_first_program(run_mode);
    sched_idle();
}
