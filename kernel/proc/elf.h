/*
 * ELF64 program files: the parts of the format that exec reads (System V ABI, "Object Files"), and
 * what it makes of them.
 */
#ifndef KERNEL_PROC_ELF_H
#define KERNEL_PROC_ELF_H

#include "kernel/lib/types.h"

struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, phoff, shoff;
    u32 flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
    u32 type, flags;
    u64 offset, vaddr, paddr, filesz, memsz, align;
};

#define ET_EXEC 2
#define ET_DYN 3
#define EM_X86_64 62
#define PT_LOAD 1
#define PT_INTERP 3
#define PT_GNU_STACK 0x6474e551
#define PF_X 1u
#define PF_W 2u
#define PF_R 4u

/* As Linux: the program headers must fit into one page. */
#define ELF_MAX_SEGMENTS (4096 / sizeof(struct elf_segment))

/* True when HEADER, the first bytes of a file, is one of a program that exec may try to load. */
bool elf_header_is_valid(const struct elf_header *header);

/*
 * Looks at SEGMENTS for what decides about the program as a whole. False when it needs a dynamic
 * linker. *EXECUTABLE_STACK: what PT_GNU_STACK asks for; without one the stack isn't executable.
 */
bool elf_segments_are_static(const struct elf_segment *segments, unsigned count, bool *executable_stack);

/* True when SEGMENT, moved by BIAS, lies within the user half and its sizes make sense. */
bool elf_segment_fits(const struct elf_segment *segment, unsigned long bias);

/*
 * The bytes from the first page of the first PT_LOAD segment to the end of the last one; 0 when
 * there is none.
 */
unsigned long elf_mapping_size(const struct elf_segment *segments, unsigned count);

/* The address of the program headers in memory, without bias; 0 when no segment holds them. */
unsigned long elf_headers_address(const struct elf_header *header, const struct elf_segment *segments);

#endif
