/* The screen that the boot loader has set up, if any. */
#include "boot/boot_info.h"
#include "boot/boot_memory.h"
#include "kernel/cpu/cpu.h"
#include "kernel/dev/bochs_display.h"
#include "kernel/dev/screen.h"
#include "kernel/start.h"
#include "mm/page_table.h"

/* struct boot_framebuffer's types, from the multiboot2 specification, 3.6.12. */
#define FRAMEBUFFER_RGB 1
#define FRAMEBUFFER_TEXT 2

#define BITS_PER_BYTE 8

/* Where a VGA in text mode has its cells, of two bytes each, and how many. */
#define VGA_TEXT_ADDRESS 0xb8000
#define VGA_TEXT_COLUMNS 80
#define VGA_TEXT_ROWS 25
#define VGA_TEXT_CELL_BITS 16
/* The VGA's graphics controller: which memory it shows, and as what. Where there is no VGA, all bits read as 1. */
#define VGA_GRAPHICS_INDEX 0x3ce
#define VGA_GRAPHICS_DATA 0x3cf
#define VGA_MISCELLANEOUS 6
#define VGA_MEMORY_AND_KIND 0x0d
#define VGA_TEXT_AT_B8000 0x0c

static u64 framebuffer_size(void)
{
    return (u64)boot_info.framebuffer.pitch * boot_info.framebuffer.height;
}

/* Nobody has said that there is a screen, but it may be as the BIOS left it: GRUB is silent about a VGA without VBE. */
static void look_for_vga_text(void)
{
    outb(VGA_GRAPHICS_INDEX, VGA_MISCELLANEOUS);
    if ((inb(VGA_GRAPHICS_DATA) & VGA_MEMORY_AND_KIND) != VGA_TEXT_AT_B8000)
        return;
    boot_info.has_framebuffer = true;
    boot_info.framebuffer = (struct boot_framebuffer){
        .address = VGA_TEXT_ADDRESS, .width = VGA_TEXT_COLUMNS, .height = VGA_TEXT_ROWS, .type = FRAMEBUFFER_TEXT,
        .pitch = VGA_TEXT_COLUMNS * VGA_TEXT_CELL_BITS / BITS_PER_BYTE, .bits_per_pixel = VGA_TEXT_CELL_BITS,
    };
}

void start_screen(void)
{
    if (!boot_info.has_framebuffer)
        look_for_vga_text();
    const struct boot_framebuffer *from = &boot_info.framebuffer;
    struct screen_mode mode = {
        .is_text = from->type == FRAMEBUFFER_TEXT, .pitch = from->pitch, .width = from->width, .height = from->height,
        .bytes_per_pixel = (u8)(ALIGN_UP(from->bits_per_pixel, BITS_PER_BYTE) / BITS_PER_BYTE),
        .red = { from->red_position, from->red_size }, .green = { from->green_position, from->green_size },
        .blue = { from->blue_position, from->blue_size },
    };

    /* The first tables don't reach further; a screen beyond them is a rarity that we do without. */
    if (!boot_info.has_framebuffer || (from->type != FRAMEBUFFER_RGB && from->type != FRAMEBUFFER_TEXT) ||
        from->address == 0 || from->address + framebuffer_size() > BOOT_MAPPED_END)
        return;
    mode.memory = phys_to_virt(from->address);
    u64 registers = from->type == FRAMEBUFFER_RGB ? bochs_display_registers(from->address) : 0;
    if (registers && registers < BOOT_MAPPED_END && mode.bytes_per_pixel > 0)
        bochs_display_resize(phys_to_virt(registers), mode.width, mode.height, mode.pitch / mode.bytes_per_pixel);
    screen_init(&mode);
}

void start_screen_mapping(void)
{
    if (screen_present())
        screen_move(kernel_map_device(boot_info.framebuffer.address, framebuffer_size()));
}
