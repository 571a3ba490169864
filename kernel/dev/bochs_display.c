/* Makes bochs-display show the mode that its BIOS has promised. Registers: QEMU's docs/specs/standard-vga. */
#include "kernel/dev/bochs_display.h"
#include "kernel/cpu/cpu.h"

/* The PCI configuration by ports (PCI 3.0, section 3.2.2.3.2). */
#define CONFIGURATION_ADDRESS 0xcf8
#define CONFIGURATION_DATA 0xcfc
#define CONFIGURATION_ENABLE 0x80000000u
#define SLOT_SHIFT 11
#define SLOTS 32
#define REGISTER_ID 0x00
#define REGISTER_CLASS 0x08
#define REGISTER_BAR0 0x10          /* the pixels */
#define REGISTER_BAR2 0x18          /* the registers */
#define CLASS_SHIFT 16
#define BAR_FLAGS 0xfu

#define ID_BOCHS 0x11111234u
#define CLASS_DISPLAY_NO_VGA 0x0380     /* with a VGA (0x0300) the BIOS sets what it says */

#define MODE_REGISTERS 0x500            /* of 16 bits each, from here on */
enum { MODE_ID, MODE_WIDTH, MODE_HEIGHT, MODE_BITS, MODE_ENABLE, MODE_BANK, MODE_PITCH };

static u32 configuration(u32 slot, u32 reg)
{
    outl(CONFIGURATION_ADDRESS, CONFIGURATION_ENABLE | slot << SLOT_SHIFT | reg);
    return inl(CONFIGURATION_DATA);
}

u64 bochs_display_registers(u64 pixels)
{
    for (u32 slot = 0; slot < SLOTS; slot++) {
        if (configuration(slot, REGISTER_ID) == ID_BOCHS &&
            configuration(slot, REGISTER_CLASS) >> CLASS_SHIFT == CLASS_DISPLAY_NO_VGA &&
            (configuration(slot, REGISTER_BAR0) & ~BAR_FLAGS) == pixels)
            return (configuration(slot, REGISTER_BAR2) & ~BAR_FLAGS) + MODE_REGISTERS;
    }
    return 0;
}

void bochs_display_resize(void *registers, u32 width, u32 height, u32 pitch_pixels)
{
    volatile u16 *mode = registers;

    mode[MODE_PITCH] = (u16)pitch_pixels;
    mode[MODE_WIDTH] = (u16)width;
    mode[MODE_HEIGHT] = (u16)height;
}
