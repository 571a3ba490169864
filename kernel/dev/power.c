/* Ends the machine's work. */
#include "kernel/dev/power.h"
#include "kernel/cpu/cpu.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/screen.h"
#include "kernel/dev/serial.h"
#include "kernel/lib/string.h"

#define DEBUG_EXIT_PORT 0x501           /* -device isa-debug-exit,iobase=0x501,iosize=0x02 */
#define DEBUG_EXIT_PRESENT 0            /* what reading it gives; in Bochs a write to that port is a VGA BIOS's panic */

/* ACPI: PM1a control register, SLP_EN with the sleep type that QEMU (and Bochs) give S5. */
#define QEMU_PM1A_CONTROL 0x604
#define BOCHS_PM1A_CONTROL 0xb004
#define SLEEP_ENABLE_S5 0x2000

#define RESET_CONTROL 0xcf9
#define RESET_FULL 0x06
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_PULSE_RESET 0xfe

static void __noreturn halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void say(const char *text)
{
    serial_write_text(SERIAL_COM1, text, strlen(text));
    screen_write_text(text, strlen(text));
    screen_flush();
}

/* Without power the window closes, and nobody has read what the kernel died of. */
static void wait_for_reader(void)
{
    say("zeropage: the machine has stopped; any key switches it off.\n");
    while (!keyboard_was_pressed() && !serial_has_byte())
        __asm__ volatile("pause");
}

void power_off(int status)
{
#ifdef ZEROPAGE_COVERAGE
    void coverage_dump(void);   /* tests/coverage/dump.c */
    coverage_dump();
#endif
    screen_flush();
    serial_drain();
    if (inb(DEBUG_EXIT_PORT) == DEBUG_EXIT_PRESENT)
        outb(DEBUG_EXIT_PORT, (u8)(POWER_EXIT_BASE + status));
    if (status != POWER_OK && screen_present())
        wait_for_reader();
    outw(QEMU_PM1A_CONTROL, SLEEP_ENABLE_S5);
    outw(BOCHS_PM1A_CONTROL, SLEEP_ENABLE_S5);
    /* No QEMU. */
    if (screen_present())
        say("zeropage: the machine can be switched off now.\n");
    halt();
}

void power_reboot(void)
{
    outb(RESET_CONTROL, RESET_FULL);
    outb(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
    halt();
}
