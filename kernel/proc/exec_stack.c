/*
 * The first page that a program sees: argc, the pointers to its strings, and the auxiliary vector
 * (System V ABI, 3.4.1).
 */
#include "kernel/cpu/cpu.h"
#include "kernel/fs/devices.h"
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/proc.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

#define WORD sizeof(unsigned long)

enum {
    AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_BASE = 7, AT_FLAGS = 8, AT_ENTRY = 9,
    AT_UID = 11, AT_EUID = 12, AT_GID = 13, AT_EGID = 14, AT_PLATFORM = 15, AT_HWCAP = 16, AT_CLKTCK = 17,
    AT_SECURE = 23, AT_RANDOM = 25, AT_HWCAP2 = 26, AT_EXECFN = 31, AT_MINSIGSTKSZ = 51,
};

#define HWCAP2_FSGSBASE 2ul         /* programs may use RDFSBASE and its relatives */

/* Linux's order. */
static void fill_auxiliary(struct aux_entry *entry, const struct exec_program *program,
                           const struct stack_layout *layout)
{
    const struct aux_entry entries[AUX_ENTRIES] = {
        { AT_MINSIGSTKSZ, signal_frame_size() },
        { AT_HWCAP, cpu_feature_word() },
        { AT_PAGESZ, PAGE_SIZE },
        { AT_CLKTCK, HZ },
        { AT_PHDR, program->headers },
        { AT_PHENT, sizeof(struct elf_segment) },
        { AT_PHNUM, program->elf.phnum },
        { AT_BASE, 0 },
        { AT_FLAGS, 0 },
        { AT_ENTRY, program->entry },
        { AT_UID, current->uid },
        { AT_EUID, current->euid },
        { AT_GID, current->gid },
        { AT_EGID, current->egid },
        { AT_SECURE, 0 },
        { AT_RANDOM, layout->random },
        { AT_HWCAP2, this_cpu.has_fsgsbase ? HWCAP2_FSGSBASE : 0 },
        { AT_EXECFN, program->filename_address },
        { AT_PLATFORM, layout->platform },
        { AT_NULL, 0 },
    };

    memcpy(entry, entries, sizeof(entries));
}

/* A word at a time to ascending user addresses, through a buffer. */
struct word_writer {
    unsigned long to;
    unsigned long *words;
    unsigned count;
};

static int flush_words(struct word_writer *writer)
{
    size_t size = writer->count * WORD;

    if (copy_to_user(writer->to, writer->words, size))
        return -EFAULT;
    writer->to += size;
    writer->count = 0;
    return 0;
}

static int write_word(struct word_writer *writer, unsigned long word)
{
    writer->words[writer->count++] = word;
    return writer->count == PAGE_SIZE / WORD ? flush_words(writer) : 0;
}

/*
 * The addresses of COUNT strings that lie one after the other from STRING, and a NULL. Returns the
 * end of the last, or -EFAULT.
 */
static long write_pointers(struct word_writer *writer, unsigned long string, int count)
{
    for (int i = 0; i < count; i++) {
        char bytes[64];
        unsigned long at = string;

        if (write_word(writer, string))
            return -EFAULT;
        for (;;) {
            size_t size = MIN(sizeof(bytes), PAGE_SIZE - at % PAGE_SIZE);
            size_t length;

            if (copy_from_user(bytes, at, size))
                return -EFAULT;
            length = strnlen(bytes, size);
            at += length;
            if (length < size)
                break;
        }
        string = at + 1;
    }
    return write_word(writer, 0) ? -EFAULT : (long)string;
}

int exec_write_stack(struct exec_program *program)
{
    struct stack_layout layout = exec_stack_layout(program->stack_pointer, program->argument_count,
                                                   program->environment_count);
    struct mm_struct *mm = program->mm;
    struct word_writer writer = { layout.pointer, (unsigned long *)(void *)program->page, 0 };
    struct aux_entry auxiliary[AUX_ENTRIES];
    u8 random[RANDOM_BYTES];
    long end;

    random_bytes(random, sizeof(random));
    if (copy_to_user(layout.platform, PLATFORM, sizeof(PLATFORM)) ||
        copy_to_user(layout.random, random, sizeof(random)))
        return -EFAULT;
    mm->arg_start = program->stack_pointer;
    if (write_word(&writer, (unsigned)program->argument_count))
        return -EFAULT;
    end = write_pointers(&writer, mm->arg_start, program->argument_count);
    if (end < 0)
        return -EFAULT;
    mm->arg_end = mm->env_start = (unsigned long)end;
    end = write_pointers(&writer, mm->env_start, program->environment_count);
    if (end < 0)
        return -EFAULT;
    mm->env_end = (unsigned long)end;
    if (flush_words(&writer))
        return -EFAULT;
    fill_auxiliary(auxiliary, program, &layout);
    if (copy_to_user(writer.to, auxiliary, sizeof(auxiliary)))
        return -EFAULT;
    memcpy(current->process->auxiliary, auxiliary, sizeof(auxiliary));
    program->stack_pointer = mm->start_stack = layout.pointer;
    return 0;
}
