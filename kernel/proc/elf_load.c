/*
 * Mapping an ELF64 program into its address space: nothing is read here but promised; the pages
 * come with the faults.
 */
#include "kernel/proc/exec.h"
#include "mm/filemap.h"
#include "mm/user_copy.h"

/*
 * A static-PIE program lies in the mmap area, where the heap would soon meet other mappings; so
 * Linux (6.1.192 at the latest) puts the heap where position-independent programs with an
 * interpreter begin, two thirds up.
 */
#define STATIC_PIE_BRK PAGE_ALIGN(TASK_SIZE / 3 * 2)

/* What grows while the segments are mapped; addresses without bias. */
struct load_state {
    struct exec_program *program;
    struct mmap_source source;
    unsigned long bias;
    unsigned long start_code, end_code, start_data, end_data;
    unsigned long memory_end;       /* the highest end of a segment: here the heap begins */
    bool mapped_one;
};

static unsigned long protection_of(const struct elf_segment *segment)
{
    return (segment->flags & PF_R ? PROT_READ : 0) | (segment->flags & PF_W ? PROT_WRITE : 0) |
           (segment->flags & PF_X ? PROT_EXEC : 0);
}

/*
 * Maps the file part of SEGMENT at ADDRESS, or, when TOTAL is not 0, finds room for so many bytes
 * first.
 */
static unsigned long map_segment(const struct load_state *state, const struct elf_segment *segment,
                                 unsigned long address, unsigned long flags, unsigned long total)
{
    struct mm_struct *mm = state->program->mm;
    unsigned long skew = segment->vaddr & ~PAGE_MASK;
    unsigned long size = PAGE_ALIGN(segment->filesz + skew);
    unsigned long offset = segment->offset - skew;
    unsigned long result;

    address &= PAGE_MASK;
    if (!size)
        return address;             /* all bss */
    if ((offset & ~PAGE_MASK) || offset + MAX(size, PAGE_ALIGN(total)) < offset)
        return (unsigned long)-EINVAL;
    result = do_mmap(mm, &state->source, address, total ? PAGE_ALIGN(total) : size, protection_of(segment),
                     flags | MAP_PRIVATE, offset);
    if (total && !IS_ERR_VALUE(result) && PAGE_ALIGN(total) > size)
        do_munmap(mm, result + size, PAGE_ALIGN(total) - size);
    return result;
}

/*
 * The part of SEGMENT, which begins at START, that is not in the file: zeroes. Its first bytes are
 * in the page where the file part ends. Where that page can't be written (read-only, or beyond the
 * end of a truncated file) Linux leaves it to the program to find out, and so do we.
 */
static int make_bss(const struct load_state *state, const struct elf_segment *segment, unsigned long start)
{
    unsigned long from = start + segment->filesz, first, last;
    unsigned long flags = VM_READ | VM_WRITE | VM_ACCOUNT | (segment->flags & PF_X ? VM_EXEC : 0);

    if (!segment->filesz) {
        from &= PAGE_MASK;
    } else if (from & ~PAGE_MASK) {
        unsigned long not_cleared = clear_user(from, PAGE_ALIGN(from) - from);
        (void)not_cleared;
    }
    first = PAGE_ALIGN(from);
    last = PAGE_ALIGN(start + segment->memsz);
    return last > first ? vm_brk_flags(state->program->mm, first, last - first, flags) : 0;
}

static void note_bounds(struct load_state *state, const struct elf_segment *segment)
{
    unsigned long start = segment->vaddr, file_end = start + segment->filesz;
    bool executable = (segment->flags & PF_X) != 0;

    if (executable) {
        state->start_code = MIN(state->start_code, start);
        state->end_code = MAX(state->end_code, file_end);
    }
    state->start_data = MAX(state->start_data, start);
    state->end_data = MAX(state->end_data, file_end);
    state->memory_end = MAX(state->memory_end, start + segment->memsz);
}

static int load_segment(struct load_state *state, const struct elf_segment *segment)
{
    const struct exec_program *program = state->program;
    unsigned long flags = MAP_FIXED, total = 0, address, result;

    if (!state->mapped_one) {
        flags = MAP_FIXED_NOREPLACE;
        if (program->elf.type == ET_DYN) {      /* static-PIE: anywhere, with room for all of it */
            flags = 0;
            state->bias = -(segment->vaddr & PAGE_MASK);
            total = elf_mapping_size(program->segments, program->elf.phnum);
            if (!total)
                return -EINVAL;
        }
    }
    address = segment->vaddr + state->bias;
    result = map_segment(state, segment, address, flags, total);
    if (result >= TASK_SIZE)
        return IS_ERR_VALUE(result) ? (int)(long)result : -EINVAL;
    if (!state->mapped_one && program->elf.type == ET_DYN)
        state->bias += result - (address & PAGE_MASK);
    state->mapped_one = true;
    if (!elf_segment_fits(segment, state->bias))
        return -EINVAL;
    note_bounds(state, segment);
    if (segment->memsz == segment->filesz)
        return 0;
    return make_bss(state, segment, segment->vaddr + state->bias);
}

static int finish_load(struct load_state *state)
{
    struct exec_program *program = state->program;
    struct mm_struct *mm = program->mm;
    unsigned long bias = state->bias;

    mm->start_brk = program->elf.type == ET_DYN ? STATIC_PIE_BRK : PAGE_ALIGN(state->memory_end + bias);
    mm->start_brk = mm->brk = aslr_heap(mm->start_brk);
    program->entry = program->elf.entry + bias;
    if (program->entry >= TASK_SIZE)
        return -EINVAL;
    program->headers = elf_headers_address(&program->elf, program->segments) + bias;
    mm->start_code = state->start_code + bias;
    mm->end_code = state->end_code + bias;
    mm->start_data = state->start_data + bias;
    mm->end_data = state->end_data + bias;
    return 0;
}

int elf_load(struct exec_program *program)
{
    struct load_state state = { .program = program, .start_code = ~0ul };
    struct file *file = program->file;
    int error = file->ops->mmap(file, MAP_PRIVATE, PAGE_SIZE, &state.source);

    if (error)
        return error;
    for (unsigned i = 0; i < program->elf.phnum && !error; i++)
        if (program->segments[i].type == PT_LOAD)
            error = load_segment(&state, &program->segments[i]);
    if (!error)
        error = finish_load(&state);
    mapping_put(state.source.mapping);
    return error;
}
