/*
 * Reads what QEMU (or another PVH loader) tells: struct hvm_start_info of Xen's x86/HVM direct boot
 * protocol.
 */
#include "boot/boot_info.h"
#include "boot/boot_memory.h"

#define START_INFO_MAGIC 0x336ec578
#define FIRST_VERSION_WITH_MEMORY_MAP 1
#define MEMORY_RAM 1

struct start_info {
    u32 magic, version, flags, module_count;
    u64 modules, cmdline, rsdp;     /* physical addresses */
    u64 memory_map;                 /* from version 1 on */
    u32 memory_map_count, reserved;
};

struct module {
    u64 address, size, cmdline, reserved;
};

struct memory_map_entry {
    u64 address, size;
    u32 type, reserved;
};

static void read_memory_map(const struct start_info *info)
{
    const struct memory_map_entry *entry;

    entry = boot_memory(info->memory_map, info->memory_map_count * sizeof(*entry));
    if (entry == NULL)
        boot_stop("zeropage: the PVH loader's memory map is malformed.");
    for (u32 i = 0; i < info->memory_map_count; i++, entry++) {
        if (entry->type == MEMORY_RAM)
            boot_info_add_ram(entry->address, entry->size);
    }
}

static void read_first_module(const struct start_info *info)
{
    const struct module *module = boot_memory(info->modules, sizeof(*module));

    if (module == NULL || module->address + module->size < module->address)
        boot_stop("zeropage: the PVH loader's description of a module is malformed.");
    boot_info.archive = (struct boot_range){ module->address, module->address + module->size };
}

void boot_parse_pvh(phys_addr_t address)
{
    const struct start_info *info = boot_memory(address, sizeof(*info));

    boot_info.loader = "PVH";
    if (info == NULL || info->magic != START_INFO_MAGIC)
        boot_stop("zeropage: the PVH loader's information is not where it should be.");
    if (info->version < FIRST_VERSION_WITH_MEMORY_MAP)
        boot_stop("zeropage: the PVH loader gives no memory map; version 1 of its protocol is needed.");
    read_memory_map(info);
    if (info->module_count > 0)
        read_first_module(info);
    if (boot_memory(info->cmdline, 1) != NULL)
        boot_info_set_cmdline(boot_memory(info->cmdline, 1), BOOT_MAPPED_END - info->cmdline);
    boot_info.rsdp = info->rsdp;
    if (boot_info.ram_count == 0)
        boot_stop("zeropage: the PVH loader gave no memory map.");
}
