/*
 * /proc/PID/fail-nth, as Linux has it with CONFIG_FAULT_INJECTION: a task that writes N there lets its own Nth
 * allocation from now on fail, whether a system call or a page fault makes it. What can be read is how many are still to
 * come; 0: the failure has happened, or none was asked for. The file exists only in the debug build, with
 * the kernel option `fault-injection`.
 */
#include "kernel/fs/procfs.h"

#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "mm/page_alloc.h"

#define NUMBER_SIZE 24

bool proc_has_fail_nth;

#if ALLOCATIONS_CAN_FAIL

/* Whose allocations count: one task at a time. Told by number and birth, for it may die, and its number be used again. */
static int failing_pid;
static u64 failing_start;

static bool is_failing(const struct task *task)
{
    return task->pid == failing_pid && task->process->start_ticks == failing_start;
}

static bool current_is_failing(void)
{
    return is_failing(current);
}

static long fail_nth_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    const struct task *task = proc_task_of(file->inode);
    unsigned long left = task && is_failing(task) ? fail_allocation_countdown : 0;
    char text[NUMBER_SIZE];

    if (!task)
        return -ESRCH;
    size_t length = (size_t)snprintf(text, sizeof(text), "%lu\n", left);
    if (*pos < 0 || *pos >= (s64)length)
        return 0;
    size_t n = copy_to_iter(iter, text + *pos, MIN(iter->count, length - (size_t)*pos));
    *pos += (s64)n;
    return n ? (long)n : -EFAULT;
}

static long fail_nth_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    char text[NUMBER_SIZE];
    const char *end;
    size_t size = iter->count;

    (void)pos;
    if (proc_task_of(file->inode) != current)
        return -EPERM;
    if (size == 0 || size >= sizeof(text))
        return -EINVAL;
    if (copy_from_iter(iter, text, size) < size)
        return -EFAULT;
    text[size] = '\0';
    unsigned long n = parse_number(text, &end);
    if (end == text || (*end != '\0' && strcmp(end, "\n") != 0))
        return -EINVAL;
    failing_pid = current->pid;
    failing_start = current->process->start_ticks;
    fail_allocation_applies = current_is_failing;
    fail_allocation_countdown = n;
    return (long)size;
}

static s64 fail_nth_lseek(struct file *file, s64 offset, int whence)
{
    return whence == SEEK_END ? -EINVAL : lseek_within(file, offset, whence, 0);
}

const struct file_operations proc_fail_nth_ops = {
    .read = fail_nth_read,
    .write = fail_nth_write,
    .lseek = fail_nth_lseek,
};

#else
const struct file_operations proc_fail_nth_ops; /* of a file that is never there */
#endif
