/* Ends the machine's work. */
#include "kernel/dev/power.h"
#include "kernel/cpu/cpu.h"
#include "kernel/dev/screen.h"

#define DEBUG_EXIT_PORT 0x501           /* -device isa-debug-exit,iobase=0x501,iosize=0x02 */

/* ACPI: PM1a control register, SLP_EN with the sleep type that QEMU (and Bochs) give S5. */
#define QEMU_PM1A_CONTROL 0x604
#define BOCHS_PM1A_CONTROL 0xb004
#define SLEEP_ENABLE_S5 0x2000

#define RESET_CONTROL 0xcf9
#define RESET_FULL 0x06
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_PULSE_RESET 0xfe

#define SWITCH_IT_OFF "zeropage: the machine can be switched off now.\n"

static void __noreturn halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void power_off(int status)
{
    screen_flush();
    outb(DEBUG_EXIT_PORT, (u8)(POWER_EXIT_BASE + status));
    outw(QEMU_PM1A_CONTROL, SLEEP_ENABLE_S5);
    outw(BOCHS_PM1A_CONTROL, SLEEP_ENABLE_S5);
    /* No QEMU. */
    screen_write_text(SWITCH_IT_OFF, sizeof(SWITCH_IT_OFF) - 1);
    screen_flush();
    halt();
}

void power_reboot(void)
{
    outb(RESET_CONTROL, RESET_FULL);
    outb(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
    halt();
}
