/* Finding the file that exec is to load, through scripts if need be, and judging whether it can. */
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"
#include "mm/slab.h"

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

char *exec_copy_string(const char *from, size_t length)
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
    char *copy = exec_copy_string(text, length);

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
 * A program that names a dynamic linker. There is none here, so the answer is the one that Linux gives
 * when it is not there; when the file exists nevertheless, -ENOEXEC.
 */
static int refuse_interpreter(const struct exec_program *program)
{
    const struct elf_segment *segment = program->segments;
    struct file *linker;
    long result;
    char *path;

    while (segment->type != PT_INTERP)
        segment++;
    if (segment->filesz < 2 || segment->filesz > PATH_MAX)
        return -ENOEXEC;
    if ((s64)segment->offset < 0)
        return -EINVAL;
    path = kmalloc(segment->filesz);
    if (!path)
        return -ENOMEM;
    result = file_read_kernel(program->file, path, segment->filesz, (s64)segment->offset);
    if (result >= 0)
        result = result == (long)segment->filesz ? 0 : -EIO;
    if (!result && path[segment->filesz - 1] != '\0')
        result = -ENOEXEC;
    if (!result) {
        /* An empty path is the working directory, for Linux. */
        linker = *path ? open_program(AT_FDCWD, path, 0) : ERR_PTR(-EACCES);
        result = IS_ERR(linker) ? PTR_ERR(linker) : -ENOEXEC;
        if (!IS_ERR(linker))
            file_put(linker);
    }
    kfree(path);
    return (int)result;
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
        return refuse_interpreter(program);
    return 0;
}

int exec_open(struct exec_program *program, int dirfd, int flags)
{
    int error = open_and_read(program, dirfd, program->filename, flags);

    if (error)
        return error;
    while (program->head[0] == '#' && program->head[1] == '!') {
        error = open_interpreter(program);
        if (error)
            return error;
    }
    return read_segments(program);
}
