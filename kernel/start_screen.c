/* The screen that the boot loader has set up, if any. */
#include "boot/boot_info.h"
#include "boot/boot_memory.h"
#include "kernel/dev/screen.h"
#include "kernel/start.h"
#include "mm/page_table.h"

/* struct boot_framebuffer's types, from the multiboot2 specification, 3.6.12. */
#define FRAMEBUFFER_RGB 1
#define FRAMEBUFFER_TEXT 2

#define BITS_PER_BYTE 8

static u64 framebuffer_size(void)
{
    return (u64)boot_info.framebuffer.pitch * boot_info.framebuffer.height;
}

void start_screen(void)
{
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
    screen_init(&mode);
}

void start_screen_mapping(void)
{
    if (screen_present())
        screen_move(kernel_map_device(boot_info.framebuffer.address, framebuffer_size()));
}
