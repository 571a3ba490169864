/* Collects what the loaders tell, in one form. */
#include "boot/boot_info.h"
#include "kernel/lib/string.h"

struct boot_info boot_info;
u64 first_program_tsc;

void boot_info_add_ram(phys_addr_t start, u64 length)
{
    phys_addr_t end = start + length;

    if (end <= start)       /* empty, or a nonsense length that wraps */
        return;
    if (boot_info.ram_count > 0 && boot_info.ram[boot_info.ram_count - 1].end == start) {
        boot_info.ram[boot_info.ram_count - 1].end = end;
        return;
    }
    if (boot_info.ram_count < BOOT_MAX_RANGES)
        boot_info.ram[boot_info.ram_count++] = (struct boot_range){ start, end };
}

void boot_info_set_cmdline(const char *text, u64 size)
{
    size_t length = strnlen(text, MIN(size, (u64)BOOT_CMDLINE_SIZE));

    boot_info.cmdline_truncated = length == BOOT_CMDLINE_SIZE;
    if (boot_info.cmdline_truncated)
        length--;
    memcpy(boot_info.cmdline, text, length);
    boot_info.cmdline[length] = '\0';
}
