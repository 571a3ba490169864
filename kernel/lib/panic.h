/* The end of the road: what the kernel does when one of its own guarantees is broken. */
#ifndef KERNEL_LIB_PANIC_H
#define KERNEL_LIB_PANIC_H

#include <stdarg.h>
#include "kernel/lib/types.h"

/*
 * Prints the sentence and a symbolised backtrace, then powers off with a non-zero status. Never
 * returns.
 */
void __noreturn panic(const char *format, ...) __printf(1, 2);

/*
 * The two halves of panic(), for a room that has something to show in between (kernel/cpu/die.c):
 * the sentence; the backtrace from FRAME_POINTER and the end. A panic within a panic ends the
 * machine at once.
 */
void panic_begin(const char *format, va_list arguments);
void __noreturn panic_end(unsigned long frame_pointer);

/* Prints ADDRESS with the name of the function it lies in. */
void print_code_address(unsigned long address);

/*
 * Prints the return addresses found by following frame pointers from FRAME_POINTER, with function
 * names.
 */
void print_backtrace(unsigned long frame_pointer);

/* True once a panic is under way: printk then speaks to every sink. */
extern bool panicking;

/*
 * What the machine offers to panic(): set once by kernel/main.c, so that kernel/lib need not know
 * the machine. IS_KERNEL_STACK tells whether an address may be read as a stack slot; POWER_OFF
 * never returns.
 */
struct panic_ops {
    bool (*is_kernel_stack)(unsigned long address);
    void (*power_off)(int status);
};
void panic_set_ops(const struct panic_ops *ops);

/* For what the kernel itself guarantees, never for what a user program may cause. */
#define assert(condition)                                                                   \
    do {                                                                                    \
        if (unlikely(!(condition)))                                                         \
            panic("%s:%d: %s: assertion failed: %s", __FILE__, __LINE__, __func__, #condition); \
    } while (0)

#endif
