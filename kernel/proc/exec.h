/* exec from the inside: the program that is being put together (Linux's linux_binprm). */
#ifndef KERNEL_PROC_EXEC_H
#define KERNEL_PROC_EXEC_H

#include "kernel/fs/fs.h"
#include "kernel/proc/elf.h"
#include "mm/mm.h"

#define STACK_TOP TASK_SIZE
#define EXEC_HEAD_SIZE 256          /* what is read of a file to see what it is */
#define MAX_SCRIPT_DEPTH 5          /* interpreters that are scripts themselves */

/*
 * Strings for the new program: pointers in an array that ends with NULL, of the running program or
 * of the kernel.
 */
struct string_array {
    unsigned long address;
    bool kernel;
};

struct exec_program {
    struct file *file;              /* what is loaded in the end */
    const char *filename;           /* as the caller named it: AT_EXECFN and comm */
    union {
        u8 head[EXEC_HEAD_SIZE];    /* the beginning of FILE, filled up with zeroes */
        struct elf_header elf;
    };
    struct elf_segment *segments;   /* elf.phnum of them; kmalloc'ed */
    bool executable_stack;
    /*
     * What a script puts in front of the arguments, in place of the first: kmalloc'ed, the last is
     * the foremost.
     */
    char *prefix[2 * MAX_SCRIPT_DEPTH + 2];
    unsigned prefix_count;
    unsigned script_depth;

    struct mm_struct *mm;           /* the new address space, not yet loaded */
    struct vm_area_struct *stack;
    unsigned long stack_top;        /* STACK_TOP, or below it (aslr.c) */
    unsigned long stack_pointer;    /* the lowest byte in use */
    unsigned long lowest;           /* strings may not go below this */
    unsigned long filename_address; /* where the strings lie */
    unsigned long arguments_end, environment_end;
    int argument_count, environment_count;
    u8 *page;                       /* a page for copying; kmalloc'ed */

    unsigned long entry, headers;   /* known after elf_load: where it begins, AT_PHDR */
};

/* ---- exec_file.c ---- */

#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EMPTY_PATH 0x1000

/*
 * Opens PROGRAM->filename (relative to DIRFD; FLAGS are AT_…), follows scripts to their interpreters, and
 * reads the headers. 0, or what execve returns: -ENOEXEC for everything that is no static ELF64 program.
 */
int exec_open(struct exec_program *program, int dirfd, int flags);
/* LENGTH bytes of FROM with a NUL behind them, kmalloc'ed; NULL: no memory. */
char *exec_copy_string(const char *from, size_t length);

/* ---- exec_strings.c ---- */

/*
 * Makes the stack of PROGRAM->mm and copies file name, environment and arguments to its top, as
 * Linux does. 0, -E2BIG, -EFAULT or -ENOMEM.
 */
int exec_copy_strings(struct exec_program *program, struct string_array argv, struct string_array envp);

/* ---- exec_stack.c ---- */

/* One pair of the auxiliary vector. */
struct aux_entry {
    unsigned long type, value;
};
#define AUX_ENTRIES 20              /* with AT_NULL at the end */

/* Where everything below the strings goes, from top to bottom; no randomisation. */
struct stack_layout {
    unsigned long platform;         /* "x86_64" */
    unsigned long random;           /* 16 bytes */
    unsigned long pointer;          /* argc: what RSP points to; 16-byte aligned */
    unsigned long words;            /* eight-byte words from there: argc, argv, envp, auxv */
};

/* The layout when the strings begin at STRINGS. */
struct stack_layout exec_stack_layout(unsigned long strings, int argument_count, int environment_count);

#define PLATFORM "x86_64"
#define RANDOM_BYTES 16

/* Writes everything below the strings into the loaded address space. 0 or -EFAULT. */
int exec_write_stack(struct exec_program *program);

/* ---- elf_load.c ---- */

/*
 * Maps the segments into PROGRAM->mm, which is the loaded address space now, and sets its code,
 * data and brk. 0 or negative errno: then the program can't be saved any more.
 */
int elf_load(struct exec_program *program);

/* ---- aslr.c ---- */

/* The kernel option aslr=on. */
extern bool aslr_enabled;
/* Chooses PROGRAM's stack_top, and moves its mmap_base. Before anything is mapped. */
void aslr_place_stack(struct exec_program *program);
/* Where the heap begins of a program that ends at START. */
unsigned long aslr_heap(unsigned long start);

#endif
