/* What every way to boot tells the kernel, whichever loader it was. */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include "kernel/lib/types.h"

#define BOOT_MAX_RANGES 128
#define BOOT_CMDLINE_SIZE 2048

struct boot_range {
    phys_addr_t start, end;     /* bytes; END is exclusive; not yet rounded to frames */
};

struct boot_framebuffer {
    phys_addr_t address;
    u32 pitch, width, height;   /* bytes, pixels (or characters in text mode) */
    u8 bits_per_pixel;
    u8 type;                    /* multiboot2: 0 indexed, 1 RGB, 2 EGA text */
    u8 red_position, red_size, green_position, green_size, blue_position, blue_size;
};

struct boot_info {
    const char *loader;                         /* "multiboot2" or "PVH" */
    struct boot_range ram[BOOT_MAX_RANGES];     /* usable memory, in any order; may touch */
    unsigned ram_count;
    struct boot_range archive;                  /* the initial archive; start == end: none */
    char cmdline[BOOT_CMDLINE_SIZE];            /* always NUL-terminated */
    bool cmdline_truncated;
    bool has_framebuffer;
    struct boot_framebuffer framebuffer;
    phys_addr_t rsdp;                           /* ACPI root pointer if the loader told, or 0 */
};

/*
 * Adds usable memory; grows the last range when the new one begins where it ends. What doesn't fit
 * in the table is lost memory, not an error.
 */
void boot_info_add_ram(phys_addr_t start, u64 length);

/* Copies the command line: at most SIZE bytes at TEXT, up to the first NUL. */
void boot_info_set_cmdline(const char *text, u64 size);

/* The time-stamp counter at the kernel's entry point, and just before the first instruction in ring 3. */
extern u64 boot_entry_tsc, first_program_tsc;

/* Filled by boot/ before kernel_main is called; lives in the kernel's data. */
extern struct boot_info boot_info;

/*
 * Both parse the loader's structures (identity-mapped below 4 GiB through the direct map).
 * Malformed input: a sentence and stop.
 */
void boot_parse_multiboot2(phys_addr_t information);
void boot_parse_pvh(phys_addr_t start_info);

/*
 * kernel/main.c: called on the boot stack, interrupts off, paging on, .bss cleared, boot_info
 * filled. Never returns.
 */
void kernel_main(void);

#endif
