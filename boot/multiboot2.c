/*
 * Reads what a multiboot2 loader (GRUB) tells: the boot information of the multiboot2 specification
 * 2.0, section 3.6.
 */
#include "boot/boot_info.h"
#include "boot/boot_memory.h"
#include "kernel/lib/string.h"

enum tag_type {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_MODULE = 3,
    TAG_MEMORY_MAP = 6,
    TAG_FRAMEBUFFER = 8,
};

#define TAG_ALIGNMENT 8
#define MEMORY_AVAILABLE 1
/* More than any loader ever gave: a size beyond it is not a size. */
#define INFORMATION_MAX (16u << 20)

struct information {
    u32 total_size, reserved;
};

struct tag {
    u32 type, size;     /* with this header, without the padding to the next tag */
};

struct module_tag {
    struct tag tag;
    u32 start, end;
};

struct memory_map_tag {
    struct tag tag;
    u32 entry_size, entry_version;
};

struct memory_map_entry {
    u64 base, length;
    u32 type, reserved;
};

struct framebuffer_tag {
    struct tag tag;
    u64 address;
    u32 pitch, width, height;
    u8 bits_per_pixel, type;
    u16 reserved;
    u8 red_position, red_size, green_position, green_size, blue_position, blue_size;   /* type RGB only */
};
#define FRAMEBUFFER_TAG_MIN offsetof(struct framebuffer_tag, red_position)
#define FRAMEBUFFER_TAG_RGB (offsetof(struct framebuffer_tag, blue_size) + 1)
#define FRAMEBUFFER_RGB 1

static void read_module(const struct module_tag *module)
{
    if (module->tag.size < sizeof(*module) || module->end < module->start)
        boot_stop("zeropage: the boot loader's description of a module is malformed.");
    if (boot_info.archive.end == 0)     /* the first module is the archive, others are not for us */
        boot_info.archive = (struct boot_range){ module->start, module->end };
}

static void read_memory_map(const struct memory_map_tag *map)
{
    if (map->tag.size < sizeof(*map) || map->entry_size < sizeof(struct memory_map_entry) ||
        map->entry_size % TAG_ALIGNMENT != 0)
        boot_stop("zeropage: the boot loader's memory map is malformed.");

    /* Entries may be longer than the part that this version knows. */
    u32 count = (map->tag.size - sizeof(*map)) / map->entry_size;
    const char *next = (const char *)(map + 1);
    for (; count > 0; count--, next += map->entry_size) {
        const struct memory_map_entry *entry = (const void *)next;
        if (entry->type == MEMORY_AVAILABLE)
            boot_info_add_ram(entry->base, entry->length);
    }
}

static void read_framebuffer(const struct framebuffer_tag *tag)
{
    struct boot_framebuffer *framebuffer = &boot_info.framebuffer;

    if (tag->tag.size < FRAMEBUFFER_TAG_MIN)
        return;         /* the kernel can do without */
    *framebuffer = (struct boot_framebuffer){
        .address = tag->address, .pitch = tag->pitch, .width = tag->width, .height = tag->height,
        .bits_per_pixel = tag->bits_per_pixel, .type = tag->type,
    };
    boot_info.has_framebuffer = true;
    if (tag->type != FRAMEBUFFER_RGB || tag->tag.size < FRAMEBUFFER_TAG_RGB)
        return;
    framebuffer->red_position = tag->red_position;
    framebuffer->red_size = tag->red_size;
    framebuffer->green_position = tag->green_position;
    framebuffer->green_size = tag->green_size;
    framebuffer->blue_position = tag->blue_position;
    framebuffer->blue_size = tag->blue_size;
}

static void read_tag(const struct tag *tag)
{
    switch (tag->type) {
    case TAG_CMDLINE:
        boot_info_set_cmdline((const char *)(tag + 1), tag->size - sizeof(*tag));
        break;
    case TAG_MODULE:
        read_module((const void *)tag);
        break;
    case TAG_MEMORY_MAP:
        read_memory_map((const void *)tag);
        break;
    case TAG_FRAMEBUFFER:
        read_framebuffer((const void *)tag);
        break;
    default:
        break;          /* the specification asks to skip what one doesn't know */
    }
}

void boot_parse_multiboot2(phys_addr_t address)
{
    const struct information *information = boot_memory(address, sizeof(*information));

    boot_info.loader = "multiboot2";
    if (information == NULL || !IS_ALIGNED(address, TAG_ALIGNMENT) ||
        information->total_size < sizeof(*information) || information->total_size > INFORMATION_MAX ||
        boot_memory(address, information->total_size) == NULL)
        boot_stop("zeropage: the boot loader's information is not where it should be.");

    const char *next = (const char *)(information + 1);
    u32 left = information->total_size - sizeof(*information);
    for (;;) {
        const struct tag *tag = (const void *)next;
        if (left < sizeof(*tag) || tag->size < sizeof(*tag) || tag->size > left)
            boot_stop("zeropage: the boot loader's information ends in the middle of a tag.");
        if (tag->type == TAG_END)
            break;
        read_tag(tag);
        /* The padding behind the last tag may be missing: then the end tag is, too. */
        u32 step = MIN(ALIGN_UP(tag->size, TAG_ALIGNMENT), left);
        next += step;
        left -= step;
    }
    if (boot_info.ram_count == 0)
        boot_stop("zeropage: the boot loader gave no memory map.");
}
