/* The ustar reader: one 512-byte header after the other, each followed by its file's bytes. */
#include "kernel/fs/ustar.h"

#include "kernel/lib/string.h"

#define BLOCK 512u

/* A header block: text fields that a NUL ends unless they are full, and octal numbers. */
struct header {
    char name[100];
    char mode[8], uid[8], gid[8];
    char size[12], mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];          /* "ustar\0" */
    char version[2];
    char user[32], group[32];
    char major[8], minor[8];
    char prefix[155];
    char padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a ustar header is one block");

/* An octal number in a field of SIZE bytes, ended by a space, a NUL or the field's end. False when it is none. */
static bool parse_octal(const char *field, size_t size, u64 *value)
{
    size_t i = 0;

    *value = 0;
    while (i < size && field[i] == ' ')
        i++;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        *value = *value * 8 + (u64)(field[i] - '0');
    return i == size || field[i] == ' ' || field[i] == '\0';
}

static bool parse_octal32(const char *field, size_t size, u32 *value)
{
    u64 wide;
    bool good = parse_octal(field, size, &wide) && wide <= UINT32_MAX;
    *value = good ? (u32)wide : 0;
    return good;
}

/*
 * The sum of a block's bytes, eight at a time: the four even and the four odd bytes of a word are added up in lanes of
 * 16 bits, which 64 words can't overflow.
 */
static u32 sum_of_bytes(const void *block)
{
    const u64 even = 0x00ff00ff00ff00ffull;
    const u8 *bytes = block;
    u64 lanes = 0, word;

    for (unsigned i = 0; i < BLOCK; i += sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        lanes += (word & even) + (word >> 8 & even);
    }
    return (u32)((lanes & 0xffff) + (lanes >> 16 & 0xffff) + (lanes >> 32 & 0xffff) + (lanes >> 48));
}

/* The sum of the header's bytes must be what it says, its own field taken as spaces. */
static bool checksum_is_right(const struct header *header)
{
    u64 stored;
    u32 sum = sum_of_bytes(header);

    for (unsigned i = 0; i < sizeof(header->checksum); i++)
        sum += ' ' - (u32)(u8)header->checksum[i];
    return parse_octal(header->checksum, sizeof(header->checksum), &stored) && stored == sum;
}

static bool is_zero_block(const u8 *block)
{
    for (unsigned i = 0; i < BLOCK; i++) {
        if (block[i] != 0)
            return false;
    }
    return true;
}

/*
 * Appends the components of TEXT (at most SIZE bytes) to NAME, which has LENGTH bytes, without "." and empty ones.
 * The new length, or -1 for "..", or when it does not fit.
 */
static int append_components(char *name, int length, const char *text, size_t size)
{
    size_t i = 0;

    size = strnlen(text, size);
    while (i < size) {
        size_t start = i;
        while (i < size && text[i] != '/')
            i++;
        size_t part = i - start;
        i += i < size;
        if (part == 0 || (part == 1 && text[start] == '.'))
            continue;
        if (part == 2 && text[start] == '.' && text[start + 1] == '.')
            return -1;
        size_t needed = part + (length > 0);
        if ((size_t)length + needed > USTAR_NAME_MAX)
            return -1;
        if (length > 0)
            name[length++] = '/';
        memcpy(name + length, text + start, part);
        length += (int)part;
    }
    name[length] = '\0';
    return length;
}

static bool parse_name(const struct header *header, struct ustar_entry *entry)
{
    int length = append_components(entry->name, 0, header->prefix, sizeof(header->prefix));
    return length >= 0 && append_components(entry->name, length, header->name, sizeof(header->name)) >= 0;
}

static bool parse_link(const struct header *header, struct ustar_entry *entry)
{
    if (entry->type == USTAR_HARD_LINK)
        return append_components(entry->link, 0, header->link, sizeof(header->link)) > 0;
    size_t length = strnlen(header->link, sizeof(header->link));
    memcpy(entry->link, header->link, length);
    entry->link[length] = '\0';
    return length > 0 || entry->type != USTAR_SYMBOLIC_LINK;
}

static bool parse_numbers(const struct header *header, struct ustar_entry *entry)
{
    bool good = parse_octal32(header->mode, sizeof(header->mode), &entry->mode);

    good &= parse_octal32(header->uid, sizeof(header->uid), &entry->uid);
    good &= parse_octal32(header->gid, sizeof(header->gid), &entry->gid);
    good &= parse_octal32(header->major, sizeof(header->major), &entry->major);
    good &= parse_octal32(header->minor, sizeof(header->minor), &entry->minor);
    good &= parse_octal(header->mtime, sizeof(header->mtime), &entry->mtime);
    entry->mode &= 07777;
    return good;
}

static enum ustar_result skipped(struct ustar_reader *reader, const char *problem)
{
    reader->problem = problem;
    return USTAR_SKIPPED;
}

static enum ustar_result broken(struct ustar_reader *reader, const char *problem)
{
    reader->problem = problem;
    return USTAR_BROKEN;
}

/* What the entry is, once its place in the archive is known to be sound. */
static enum ustar_result parse_entry(struct ustar_reader *reader, const struct header *header,
                                     struct ustar_entry *entry)
{
    char type = header->type == '\0' || header->type == '7' ? USTAR_FILE : header->type;

    if (!parse_name(header, entry))
        return skipped(reader, "its name is too long or has a component \"..\"");
    if (type == 'L' || type == 'K' || type == 'x' || type == 'g')
        return skipped(reader, "it is a GNU or pax extension, which only names too long for ustar need");
    if (type < USTAR_FILE || type > USTAR_FIFO)
        return skipped(reader, "its type is unknown");
    entry->type = (enum ustar_type)type;
    if (!parse_numbers(header, entry))
        return skipped(reader, "a number in its header is not octal");
    if (!parse_link(header, entry))
        return skipped(reader, "it is a link without a target");
    if (entry->name[0] == '\0' && entry->type != USTAR_DIRECTORY)
        return skipped(reader, "it has no name");
    return USTAR_ENTRY;
}

enum ustar_result ustar_next(struct ustar_reader *reader, struct ustar_entry *entry)
{
    u64 left = reader->size - reader->offset;
    const struct header *header = (const struct header *)(reader->archive + reader->offset);

    memset(entry, 0, sizeof(*entry));
    if (left == 0)
        return USTAR_END;
    if (left < BLOCK)
        return broken(reader, "it ends in the middle of a header");
    if (is_zero_block((const u8 *)header))
        return USTAR_END;
    if (memcmp(header->magic, "ustar", 5) != 0)
        return broken(reader, "a header without the word \"ustar\"");
    if (!checksum_is_right(header))
        return broken(reader, "a header with a wrong checksum");
    if (!parse_octal(header->size, sizeof(header->size), &entry->size))
        return broken(reader, "a size that is not octal");

    left -= BLOCK;
    if (entry->size > left)
        return broken(reader, "a file that is longer than the rest of the archive");
    entry->data = reader->archive + reader->offset + BLOCK;
    reader->offset += BLOCK + MIN(ALIGN_UP(entry->size, BLOCK), left);
    return parse_entry(reader, header, entry);
}
