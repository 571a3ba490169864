/*
 * Judging ELF64 headers, which may be broken in every possible way. Nothing here touches memory of
 * a program.
 */
#include "kernel/proc/elf.h"

#include "kernel/lib/string.h"
#include "mm/types.h"

bool elf_header_is_valid(const struct elf_header *header)
{
    static const u8 magic[4] = { 0x7f, 'E', 'L', 'F' };

    if (memcmp(header->ident, magic, sizeof(magic)) != 0)
        return false;
    if (header->type != ET_EXEC && header->type != ET_DYN)
        return false;
    return header->machine == EM_X86_64 && header->phentsize == sizeof(struct elf_segment) &&
           header->phnum > 0 && header->phnum <= ELF_MAX_SEGMENTS;
}

bool elf_segments_are_static(const struct elf_segment *segments, unsigned count, bool *executable_stack)
{
    *executable_stack = false;
    for (unsigned i = 0; i < count; i++) {
        if (segments[i].type == PT_INTERP)
            return false;
        if (segments[i].type == PT_GNU_STACK)
            *executable_stack = (segments[i].flags & PF_X) != 0;
    }
    return true;
}

bool elf_segment_fits(const struct elf_segment *segment, unsigned long bias)
{
    unsigned long start = segment->vaddr + bias;

    return start < TASK_SIZE && segment->filesz <= segment->memsz && segment->memsz <= TASK_SIZE &&
           start <= TASK_SIZE - segment->memsz;
}

unsigned long elf_mapping_size(const struct elf_segment *segments, unsigned count)
{
    unsigned long lowest = ~0ul, end = 0;

    for (unsigned i = 0; i < count; i++) {
        if (segments[i].type != PT_LOAD)
            continue;
        lowest = MIN(lowest, segments[i].vaddr & PAGE_MASK);
        end = MAX(end, segments[i].vaddr + segments[i].memsz);
    }
    return end > lowest ? end - lowest : 0;
}

unsigned long elf_headers_address(const struct elf_header *header, const struct elf_segment *segments)
{
    for (unsigned i = 0; i < header->phnum; i++) {
        const struct elf_segment *segment = &segments[i];

        if (segment->type == PT_LOAD && segment->offset <= header->phoff &&
            header->phoff - segment->offset < segment->filesz)
            return header->phoff - segment->offset + segment->vaddr;
    }
    return 0;
}
