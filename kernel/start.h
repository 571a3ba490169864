/* The longer steps of kernel_main. */
#ifndef KERNEL_START_H
#define KERNEL_START_H

#include "kernel/lib/types.h"

/*
 * Takes boot_info's memory into use: memblock, the kernel's own tables, the journal, the frame
 * allocator. Too little memory or a useless archive is a sentence, and then the machine is switched
 * off.
 */
void start_memory(void);

/*
 * start_screen shows messages on the loader's screen from now on, through the first tables;
 * start_screen_mapping takes the screen over into the final ones. Without a screen both do nothing.
 */
void start_screen(void);
void start_screen_mapping(void);

/* Makes PID 1 of what the command line (or, in run mode, the archive's /run) asks for. */
void start_first_program(bool run_mode);

/*
 * Says why the kernel can't start and switches the machine off: for what the person at the machine
 * can mend.
 */
void __noreturn stop_with_sentence(const char *format, ...) __printf(1, 2);

#endif
