/* Says why the kernel can't go on, shows how it got there, and switches the machine off. */
#include "kernel/lib/panic.h"
#include "kernel/lib/ksyms.h"
#include "kernel/lib/printf.h"

#define BACKTRACE_MAX 24
#define STATUS_PANIC 2          /* POWER_PANIC of kernel/dev/power.h, which this room can't see */
#define SENTENCE_SIZE 400

bool panicking;
static const struct panic_ops *ops;

/* What -fno-omit-frame-pointer makes of the stack. */
struct stack_frame {
    unsigned long next;         /* the caller's frame */
    unsigned long return_address;
};

void panic_set_ops(const struct panic_ops *operations)
{
    ops = operations;
}

static void __noreturn stop(void)
{
    if (ops)
        ops->power_off(STATUS_PANIC);
    for (;;)
        ;
}

void print_code_address(unsigned long address)
{
    unsigned long offset;
    const char *name = ksym_lookup(address, &offset);

    if (name)
        printk("  %016lx %s+0x%lx\n", address, name, offset);
    else
        printk("  %016lx\n", address);
}

void print_backtrace(unsigned long frame_pointer)
{
    for (unsigned i = 0; i < BACKTRACE_MAX; i++) {
        if (!ops || !IS_ALIGNED(frame_pointer, sizeof(long)) || !ops->is_kernel_stack(frame_pointer) ||
            !ops->is_kernel_stack(frame_pointer + sizeof(struct stack_frame) - 1))
            return;
        const struct stack_frame *frame = (const struct stack_frame *)frame_pointer;
        if (frame->return_address == 0)
            return;
        print_code_address(frame->return_address);
        frame_pointer = frame->next;
    }
}

void panic_begin(const char *format, va_list arguments)
{
    static char sentence[SENTENCE_SIZE];

    if (panicking)
        stop();
    panicking = true;
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    printk("zeropage: kernel panic: %s\n", sentence);
}

void panic_end(unsigned long frame_pointer)
{
    print_backtrace(frame_pointer);
    stop();
}

void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    panic_begin(format, arguments);
    va_end(arguments);
    panic_end((unsigned long)__builtin_frame_address(0));
}
