/*
 * Carrying the arguments and the environment from the old program to the top of the new one's
 * stack.
 */
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/proc.h"
#include "mm/fault.h"
#include "mm/slab.h"
#include "mm/user_copy.h"
#include "mm/vma.h"

#define MAX_STRING (32 * PAGE_SIZE)             /* with its NUL */
#define MIN_STRINGS_LIMIT (32 * PAGE_SIZE)      /* for all of them, however small the stack */
#define MAX_STRINGS_LIMIT (6ul << 20)           /* three quarters of the usual stack limit */
#define MAX_STRING_COUNT 0x7fffffff

static int read_pointer(struct string_array array, int index, unsigned long *pointer)
{
    unsigned long at = array.address + (unsigned long)index * sizeof(*pointer);

    if (!array.kernel)
        return get_user(*pointer, at);
    *pointer = *(const unsigned long *)at;
    return 0;
}

/* How many strings there are, or -EFAULT, or -E2BIG. A missing array counts as an empty one. */
static int count_strings(struct string_array array)
{
    unsigned long pointer;

    if (!array.address)
        return 0;
    for (int count = 0; count < MAX_STRING_COUNT; count++) {
        if (read_pointer(array, count, &pointer))
            return -EFAULT;
        if (!pointer)
            return count;
        if (fatal_signal_pending())
            return -ERESTARTNOHAND;
    }
    return -E2BIG;
}

/* The bytes of the string with its NUL, or -EFAULT, or -E2BIG when it is longer than MAX_STRING. */
static long string_size(unsigned long string, bool kernel)
{
    unsigned long size = 0;
    char bytes[64];

    if (kernel)
        return (long)strlen((const char *)string) + 1;
    while (size < MAX_STRING) {
        /* Never across a page's end: what lies behind it need not be there. */
        size_t chunk = MIN(sizeof(bytes), PAGE_SIZE - (string + size) % PAGE_SIZE);
        size_t length;

        if (copy_from_user(bytes, string + size, chunk))
            return -EFAULT;
        length = strnlen(bytes, chunk);
        size += length;
        if (length < chunk)
            return size < MAX_STRING ? (long)size + 1 : -E2BIG;
    }
    return -E2BIG;
}

/* Puts one string below those that are there already. */
static int push_string(struct exec_program *program, unsigned long string, bool kernel)
{
    long size = string_size(string, kernel);
    unsigned long to;

    if (size < 0)
        return (int)size;
    if (program->stack_pointer - program->lowest < (unsigned long)size)
        return -E2BIG;
    to = program->stack_pointer -= (unsigned long)size;
    if (to < program->stack->vm_start && expand_stack(program->stack, to))
        return -E2BIG;
    while (size > 0) {
        unsigned long chunk = MIN((unsigned long)size, PAGE_SIZE - to % PAGE_SIZE);

        if (kernel)
            memcpy(program->page, (const void *)string, chunk);
        else if (copy_from_user(program->page, string, chunk))
            return -EFAULT;
        if (access_remote_vm(program->mm, to, program->page, chunk, true) != chunk)
            return fatal_signal_pending() ? -ERESTARTNOHAND : -ENOMEM;
        to += chunk;
        string += chunk;
        size -= (long)chunk;
    }
    return 0;
}

/* Strings FIRST … COUNT - 1 of ARRAY; the last one goes to the top. */
static int push_array(struct exec_program *program, struct string_array array, int first, int count)
{
    for (int i = count - 1; i >= first; i--) {
        unsigned long string;
        int error;

        if (read_pointer(array, i, &string))
            return -EFAULT;
        error = push_string(program, string, array.kernel);
        if (error)
            return error;
    }
    return 0;
}

static int make_stack(struct exec_program *program)
{
    const unsigned long flags = VM_READ | VM_WRITE | VM_GROWSDOWN | VM_ACCOUNT;
    int error = vm_brk_flags(program->mm, program->stack_top - PAGE_SIZE, PAGE_SIZE, flags);

    if (error)
        return error;
    program->stack = find_vma(program->mm, program->stack_top - PAGE_SIZE);
    /* Linux leaves a word of zeroes */
    program->stack_pointer = program->stack_top - sizeof(unsigned long);
    return 0;
}

/* A quarter of the stack's limit is for strings and the pointers to them. */
static int set_lowest(struct exec_program *program)
{
    unsigned long limit = MIN(MAX_STRINGS_LIMIT, program->mm->limits.stack / 4);
    unsigned long pointers = sizeof(unsigned long) *
        (unsigned long)(MAX(program->argument_count, 1) + program->environment_count);

    limit = MAX(limit, MIN_STRINGS_LIMIT);
    if (limit <= pointers)
        return -E2BIG;
    program->lowest = program->stack_pointer - (limit - pointers);
    return 0;
}

static int push_arguments(struct exec_program *program, struct string_array argv, int count)
{
    int error;

    if (count == 0 && !program->prefix_count) {
        program->argument_count = 1;        /* Linux: no program begins without argv[0] */
        return push_string(program, (unsigned long)"", true);
    }
    error = push_array(program, argv, program->prefix_count ? 1 : 0, count);
    for (unsigned i = 0; i < program->prefix_count && !error; i++)
        error = push_string(program, (unsigned long)program->prefix[i], true);
    if (program->prefix_count)
        program->argument_count = MAX(count - 1, 0) + (int)program->prefix_count;
    return error;
}

int exec_copy_strings(struct exec_program *program, struct string_array argv, struct string_array envp)
{
    int count = count_strings(argv);
    int error = count < 0 ? count : make_stack(program);

    if (error)
        return error;
    program->argument_count = count;
    program->environment_count = count_strings(envp);
    if (program->environment_count < 0)
        return program->environment_count;
    error = set_lowest(program);
    if (!error)
        error = push_string(program, (unsigned long)program->filename, true);
    program->filename_address = program->stack_pointer;
    if (!error)
        error = push_array(program, envp, 0, program->environment_count);
    if (!error)
        error = push_arguments(program, argv, count);
    return error;
}
