/*
 * execve: checks the new program while the old one can still be told, then burns the bridge and
 * becomes it.
 */
#include "kernel/proc/exec.h"

#include "kernel/cpu/cpu.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "kernel/proc/internal.h"
#include "kernel/proc/proc.h"
#include "kernel/trace/journal.h"
#include "mm/fault.h"
#include "mm/slab.h"
#include "mm/user_copy.h"

#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EMPTY_PATH 0x1000
#define STACK_ROOM (32 * PAGE_SIZE)     /* below the arguments, from the beginning */

/* ---- finding the file ---- */

/* Opens what may be executed. The file, or ERR_PTR. */
static struct file *open_program(int dirfd, const char *path, int flags)
{
    struct inode *inode;
    int error = 0;

    if (!*path && (flags & AT_EMPTY_PATH)) {
        struct file *file = fd_file(dirfd);
        inode = file ? inode_get(file->inode) : ERR_PTR(-EBADF);
    } else {
        inode = path_lookup(dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) != 0);
    }
    if (IS_ERR(inode))
        return ERR_PTR(PTR_ERR(inode));
    if ((inode->mode & S_IFMT) == S_IFLNK)
        error = -ELOOP;
    else if ((inode->mode & S_IFMT) != S_IFREG || !(inode->mode & 0111))
        error = -EACCES;
    else
        error = inode_permission(inode, MAY_EXEC, false);
    if (!error && inode->writers > 0)
        error = -ETXTBSY;
    if (error) {
        inode_put(inode);
        return ERR_PTR(error);
    }
    return file_open_inode(inode, O_RDONLY);
}

static int read_head(struct exec_program *program)
{
    long size;

    memset(program->head, 0, sizeof(program->head));
    size = file_read_kernel(program->file, program->head, sizeof(program->head), 0);
    return size < 0 ? (int)size : 0;
}

static int open_and_read(struct exec_program *program, int dirfd, const char *path, int flags)
{
    struct file *file = open_program(dirfd, path, flags);

    if (IS_ERR(file))
        return (int)PTR_ERR(file);
    if (program->file)
        file_put(program->file);
    program->file = file;
    return read_head(program);
}

/* ---- what kind of file ---- */

static char *copy_string(const char *from, size_t length)
{
    char *to = kmalloc(length + 1);

    if (to) {
        memcpy(to, from, length);
        to[length] = '\0';
    }
    return to;
}

static int add_prefix(struct exec_program *program, const char *text, size_t length)
{
    char *copy = copy_string(text, length);

    if (!copy)
        return -ENOMEM;
    program->prefix[program->prefix_count++] = copy;
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *from, const char *end)
{
    while (from < end && is_blank(*from))
        from++;
    return from;
}

/* The end of the word at FROM: a blank, a NUL or END. */
static char *end_of_word(char *from, const char *end)
{
    while (from < end && *from && !is_blank(*from))
        from++;
    return from;
}

/*
 * Where the script's first line ends, blanks at its end left out; NULL when it may go on beyond
 * what was read.
 */
static char *end_of_first_line(struct exec_program *program)
{
    char *text = (char *)program->head, *last = text + EXEC_HEAD_SIZE - 1, *end = text;

    while (end < last && *end && *end != '\n')
        end++;
    if (*end != '\n') {
        char *word = skip_blanks(text + 2, last);
        if (end_of_word(word, last) == last)
            return NULL;
        end = last;
    }
    while (is_blank(end[-1]))
        end--;
    *end = '\0';
    return end;
}

/*
 * "#! interpreter [argument]": opens the interpreter and puts the three names in front of the
 * arguments.
 */
static int open_interpreter(struct exec_program *program)
{
    char *end = end_of_first_line(program), *name, *name_end, *argument;
    int error = 0;

    if (program->script_depth++ >= MAX_SCRIPT_DEPTH)
        return -ELOOP;
    if (!end)
        return -ENOEXEC;
    name = skip_blanks((char *)program->head + 2, end);
    if (name == end)
        return -ENOEXEC;
    name_end = end_of_word(name, end);
    if (name == name_end)
        return -EACCES;     /* an empty path is the working directory, for Linux */
    argument = skip_blanks(name_end, end);
    if (!program->prefix_count)
        error = add_prefix(program, program->filename, strlen(program->filename));
    if (!error && *argument)
        error = add_prefix(program, argument, strlen(argument));
    *name_end = '\0';
    if (!error)
        error = add_prefix(program, name, strlen(name));
    if (error)
        return error;
    return open_and_read(program, AT_FDCWD, program->prefix[program->prefix_count - 1], 0);
}

/*
 * Reads the program headers. -ENOEXEC for everything that is no static ELF64 program of this
 * machine.
 */
static int read_segments(struct exec_program *program)
{
    size_t size = program->elf.phnum * sizeof(struct elf_segment);

    if (!elf_header_is_valid(&program->elf) || !program->file->ops->mmap)
        return -ENOEXEC;
    program->segments = kmalloc(size);
    if (!program->segments)
        return -ENOMEM;
    if ((s64)program->elf.phoff < 0 ||
        file_read_kernel(program->file, program->segments, size, (s64)program->elf.phoff) != (long)size)
        return -ENOEXEC;
    if (!elf_segments_are_static(program->segments, program->elf.phnum, &program->executable_stack))
        return -ENOEXEC;
    return 0;
}

static int recognise(struct exec_program *program)
{
    while (program->head[0] == '#' && program->head[1] == '!') {
        int error = open_interpreter(program);
        if (error)
            return error;
    }
    return read_segments(program);
}

/* ---- becoming it ---- */

static void take_names(const struct exec_program *program)
{
    const char *slash = strrchr(program->filename, '/');
    char *buffer = kmalloc(PATH_MAX);
    const char *path = buffer ? inode_path(program->file->inode, buffer, PATH_MAX) : "";

    strlcpy(current->comm, slash ? slash + 1 : program->filename, sizeof(current->comm));
    kfree(current->exe_path);
    current->exe_path = copy_string(path, strlen(path));
    kfree(buffer);
}

/* Handlers of the old program mean nothing any more; what it ignored stays ignored. */
static void reset_signals(void)
{
    for (int i = 0; i < NSIG; i++) {
        struct k_sigaction *action = &current->sighand->action[i];
        *action = (struct k_sigaction){ .handler = action->handler == SIG_IGN ? SIG_IGN : SIG_DFL };
    }
    current->altstack_sp = current->altstack_size = 0;
}

static int own_sighand(void)
{
    struct sighand *own;

    if (current->sighand->refcount == 1)
        return 0;
    own = sighand_clone(current->sighand);
    if (!own)
        return -ENOMEM;
    sighand_put(current->sighand);
    current->sighand = own;
    return 0;
}

static void switch_address_space(struct exec_program *program)
{
    struct mm_struct *old = current->mm;

    if (old) {
        mm_release(current);
        current->process->max_rss = MAX(current->process->max_rss, mm_peak_rss(old));
    }
    task_switch_mm(program->mm);
    if (old)
        mmput(old);
}

/* The stack as the program may have it: its protection, and room below the arguments. */
static int finish_stack(struct exec_program *program)
{
    struct vm_area_struct *stack = program->stack;
    unsigned long limit = program->mm->limits.stack & PAGE_MASK;
    unsigned long base = stack->vm_start - STACK_ROOM;

    if (program->executable_stack &&
        do_mprotect(program->mm, stack->vm_start, stack->vm_end - stack->vm_start,
                    PROT_READ | PROT_WRITE | PROT_EXEC))
        return -ENOMEM;
    if (stack->vm_end - base > limit)
        base = stack->vm_end - limit;
    if (base < stack->vm_start && expand_stack(stack, base))
        return -EFAULT;
    return 0;
}

static void start_registers(const struct exec_program *program)
{
    struct pt_regs *regs = task_regs(current);

    *regs = (struct pt_regs){
        .ip = program->entry, .cs = USER_CS, .flags = FLAGS_FIXED | FLAGS_IF,
        .sp = program->stack_pointer, .ss = USER_DS,
    };
    this_cpu.work_pending |= CPU_WORK_REGISTERS;
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0));
    cpu_set_fs_base(0);
    cpu_set_gs_base(0);
    memset(current->fpu, 0, this_cpu.xsave_size);
    fpu_init_state(current->fpu);
    fpu_restore(current->fpu);
}

/* From here on the old program is gone: an error ends the process. */
static int become(struct exec_program *program)
{
    struct process *process = current->process;
    int error;

    switch_address_space(program);
    reset_signals();
    files_close_on_exec(current->files);
    take_names(program);
    process->has_executed = true;
    process->exit_signal = SIGCHLD;
    current->trap_nr = current->error_code = current->cr2 = 0;
    error = finish_stack(program);
    if (!error)
        error = elf_load(program);
    if (!error)
        error = exec_write_stack(program);
    if (error)
        return error;
    start_registers(program);
    journal(JOURNAL_PROCESS, JOURNAL_PROCESS_EXEC, (u64)process->pid, 0);
    return 0;
}

static int prepare(struct exec_program *program, int dirfd, int flags, struct string_array argv,
                   struct string_array envp)
{
    struct mm_limits limits;
    int error = open_and_read(program, dirfd, program->filename, flags);

    if (!error)
        error = recognise(program);
    if (error)
        return error;
    limits_to_mm(current->process, &limits);
    program->mm = mm_alloc(&limits);
    program->page = kmalloc(PAGE_SIZE);
    if (!program->mm || !program->page)
        return -ENOMEM;
    program->mm->may_map_low = program->mm->may_lock_beyond_limit = current->euid == 0;
    error = exec_copy_strings(program, argv, envp);
    if (!error)
        error = own_sighand();
    if (!error)
        error = exec_end_other_threads();
    return error;
}

static void clean_up(struct exec_program *program)
{
    while (program->prefix_count)
        kfree(program->prefix[--program->prefix_count]);
    if (program->file)
        file_put(program->file);
    kfree(program->segments);
    kfree(program->page);
    kfree(program);
}

int exec_program(int dirfd, const char *path, int flags, struct string_array argv, struct string_array envp)
{
    struct exec_program *program = kzalloc(sizeof(*program));
    int error;

    if (!program)
        return -ENOMEM;
    program->filename = path;
    error = prepare(program, dirfd, flags, argv, envp);
    if (error) {
        if (program->mm)
            mmput(program->mm);
    } else if ((error = become(program)) != 0) {
        if (!fatal_signal_pending())
            printk("%s[%d]: killed by SIGSEGV: its program file can't be loaded (error %d)\n", current->comm,
                   current->pid, -error);
        signal_force_fatal(SIGSEGV);
    }
    clean_up(program);
    return error;
}

long do_execveat(int dirfd, const char *path, unsigned long argv, unsigned long envp, int flags)
{
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return exec_program(dirfd, path, flags, (struct string_array){ argv, false },
                        (struct string_array){ envp, false });
}

long do_execve(int dirfd, const char *path, unsigned long argv, unsigned long envp)
{
    return do_execveat(dirfd, path, argv, envp, 0);
}
