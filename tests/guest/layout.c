/*
 * Checks how a program is laid out at its start: stack, arguments, auxiliary vector, break, first
 * mapping. The addresses are those of Linux without randomisation (norandmaps vdso=0).
 */
#include <sys/auxv.h>

#include "mem.h"

enum { PROGRAM_HEADER_SIZE = 56 };

extern char **environ;
extern char _end[];

/* The header at the start of an ELF64 file. */
struct elf_header {
    unsigned char magic[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t size, program_header_size, program_header_count;
};

static unsigned long *stack_pointer; /* where argc lies: the stack pointer at the first instruction */
static unsigned long *auxv;
static int auxv_count;

static void find_vectors(char **argv)
{
    char **end = environ;

    stack_pointer = (unsigned long *)argv - 1;
    while (*end != NULL)
        end++;
    auxv = (unsigned long *)(end + 1);
    while (auxv[2 * auxv_count] != AT_NULL)
        auxv_count++;
}

static unsigned long aux(unsigned long type)
{
    for (int i = 0; i < auxv_count; i++)
        if (auxv[2 * i] == type)
            return auxv[2 * i + 1];
    return -1UL;
}

static void the_order(void)
{
    static const unsigned long order[] = {51, 16, 6, 17, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 23, 25, 26,
                                          31, 15};
    int equal = 0;

    check_eq(auxv_count, 19, "the auxiliary vector has 19 entries before its end");
    for (int i = 0; i < 19 && i < auxv_count; i++)
        equal += auxv[2 * i] == order[i];
    check_eq(equal, 19, "in the order 51 16 6 17 3 4 5 7 8 9 11 12 13 14 23 25 26 31 15");
    check_eq(auxv[2 * auxv_count + 1], 0, "its last pair is 0, 0");
}

static void the_values(void)
{
    const struct elf_header *header = (const struct elf_header *)(aux(AT_PHDR) & -PAGE);

    check_eq(aux(AT_PAGESZ), PAGE, "AT_PAGESZ is 4096");
    check_eq(aux(AT_CLKTCK), 100, "AT_CLKTCK is 100");
    check_eq(aux(AT_PHENT), PROGRAM_HEADER_SIZE, "AT_PHENT is the size of a program header");
    check(memcmp(header->magic, "\x7f" "ELF", 4) == 0,
          "AT_PHDR lies in the page of the ELF header");
    check_eq(aux(AT_PHDR) & (PAGE - 1), header->program_headers,
             "at the offset that the header tells");
    check_eq(aux(AT_PHNUM), header->program_header_count, "AT_PHNUM is the header's number");
    check_eq(aux(AT_ENTRY), header->entry, "AT_ENTRY is the header's entry point");
    check_eq(aux(AT_BASE), 0, "AT_BASE of a static program is 0");
    check_eq(aux(AT_FLAGS), 0, "AT_FLAGS is 0");
    check_eq(aux(AT_UID), getuid(), "AT_UID is the user's number");
    check_eq(aux(AT_EUID), geteuid(), "AT_EUID is the effective user's number");
    check_eq(aux(AT_GID), getgid(), "AT_GID is the group's number");
    check_eq(aux(AT_EGID), getegid(), "AT_EGID is the effective group's number");
    check_eq(aux(AT_SECURE), 0, "AT_SECURE is 0");
    check_str((char *)aux(AT_PLATFORM), "x86_64", "AT_PLATFORM is x86_64");
    check((aux(AT_HWCAP) & 0x078bf3f9) == 0x078bf3f9, "AT_HWCAP is what CPUID.1 has in EDX");
    check(aux(AT_MINSIGSTKSZ) >= 1440, "AT_MINSIGSTKSZ holds a signal frame");
}

static void the_top_of_the_stack(char **argv)
{
    const char *name = (const char *)aux(AT_EXECFN);
    unsigned long strings = (unsigned long)argv[0];

    check_eq(name + strlen(name) + 1, USER_END - 8,
             "AT_EXECFN is the string that ends 8 bytes below the stack's end");
    check_eq(*(unsigned long *)(USER_END - 8), 0, "and these 8 bytes are 0");
    check_str(name, argv[0], "it is the path that was executed");
    check_eq(aux(AT_PLATFORM), (strings & -16UL) - 7,
             "the platform's name ends at the aligned start of the argument strings");
    check_eq(aux(AT_RANDOM), aux(AT_PLATFORM) - 16, "the 16 random bytes lie directly below it");
}

static void the_strings(char **argv)
{
    const char *expected = argv[0];
    int in_order = 1;

    for (char **argument = argv; *argument != NULL; argument++) {
        in_order &= *argument == expected;
        expected = *argument + strlen(*argument) + 1;
    }
    check(in_order, "the argument strings lie one after the other, upward");
    in_order = 1;
    for (char **variable = environ; *variable != NULL; variable++) {
        in_order &= *variable == expected;
        expected = *variable + strlen(*variable) + 1;
    }
    check(in_order, "the environment's follow them");
    check_eq(expected, aux(AT_EXECFN), "and the executed path follows those");
}

static void the_vectors(int argc, char **argv)
{
    unsigned long vectors_end = (unsigned long)(auxv + 2 * auxv_count + 2);

    check_eq((unsigned long)stack_pointer & 15, 0, "the first stack pointer is a multiple of 16");
    check_eq(*stack_pointer, argc, "it points at argc");
    check_eq(argv[argc], NULL, "argv ends with NULL");
    check_eq(environ, argv + argc + 1, "the environment follows argv");
    check(aux(AT_RANDOM) - vectors_end < 16,
          "the auxiliary vector ends less than 16 bytes below the random bytes");
}

static void the_stack_mapping(void)
{
    const struct vma_line *stack = vma_of(stack_pointer);

    check_str(stack->name, "[stack]", "the arguments lie in the mapping called [stack]");
    check_eq(stack->end, USER_END, "which ends at 0x7ffffffff000");
    check_eq(stack->start, USER_END - 33 * PAGE, "and has 33 pages at first");
    check_str(stack->permissions, "rw-p", "readable, writable, private");
}

static void the_first_mappings(void)
{
    char *first = anon(3), *second = anon(1);

    check_eq(first, 0x7ffff7fff000 - 3 * PAGE, "the first mapping ends at 0x7ffff7fff000");
    check_eq(second, first - PAGE, "the second lies directly below it");
    raw_munmap(second, 4 * PAGE);
}

static void the_break(void)
{
    unsigned long bss_end = ((unsigned long)_end + PAGE - 1) & -PAGE;

    check_eq(raw_brk(0), bss_end, "the break is the page-aligned end of the program's data");
    raw_brk(bss_end + PAGE);
    check_str(vma_of((char *)bss_end)->name, "[heap]",
              "a byte behind it is heap once brk has grown");
    check_eq(raw_brk(bss_end), bss_end, "and it shrinks back to its start");
}

static void the_low_end(void)
{
    check(READ_KILLS(0), "nothing is mapped at 0");
    check(READ_KILLS(0x10000), "nothing is mapped at 0x10000");
    check(READ_KILLS(USER_END), "nothing can be read at 0x7ffffffff000");
    check(READ_KILLS(0xffffffffff600000), "nothing can be read where other systems have vsyscalls");
}

int main(int argc, char **argv)
{
    find_vectors(argv);
    the_stack_mapping();
    the_break();
    the_first_mappings();
    the_order();
    the_values();
    the_top_of_the_stack(argv);
    the_strings(argv);
    the_vectors(argc, argv);
    the_low_end();
    return done();
}
