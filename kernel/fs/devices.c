/* Character devices that are no terminals. */
#include "kernel/fs/devices.h"

#include "kernel/dev/serial.h"
#include "kernel/fs/ramfs.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

#define CHUNK 256   /* bytes that a device makes or takes in one go */

/* ---- null, zero, full ---- */

static long null_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    (void)file;
    (void)iter;
    (void)pos;
    return 0;
}

static long null_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    (void)file;
    (void)pos;
    return (long)iter->count;
}

static long zero_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    size_t done = clear_iter(iter, iter->count);
    (void)file;
    (void)pos;
    return done ? (long)done : -EFAULT;
}

static long full_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    (void)file;
    (void)iter;
    (void)pos;
    return -ENOSPC;
}

/*
 * A private mapping of /dev/zero is anonymous memory (that has the file's name in maps); a shared one is shared
 * memory.
 */
static int zero_mmap(struct file *file, unsigned long flags, unsigned long length, struct mmap_source *source)
{
    source->mapping = &file->inode->mapping;
    source->ops = NULL;
    source->readable = file_readable(file);
    source->writable = file_writable(file);
    source->no_exec = false;
    source->file = file->number;
    if ((flags & MAP_TYPE) == MAP_PRIVATE) {
        mapping_get(source->mapping);
        return 0;
    }
    source->mapping = shmem_create(PAGE_ALIGN(length));
    source->ops = &shmem_vm_ops;
    return source->mapping ? 0 : -ENOMEM;
}

static const struct file_operations null_ops = { .read = null_read, .write = null_write, .lseek = lseek_nothing };
static const struct file_operations zero_ops = {
    .read = zero_read, .write = null_write, .lseek = lseek_nothing, .mmap = zero_mmap,
};
static const struct file_operations full_ops = { .read = zero_read, .write = full_write, .lseek = lseek_nothing };

/* ---- random: xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016) ---- */

static u64 random_state = 0x9e3779b97f4a7c15ull;

static u64 next_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1dull;
}

void random_bytes(void *buffer, size_t size)
{
    u8 *bytes = buffer;
    u64 value = 0;

    for (size_t i = 0; i < size; i++) {
        if (i % sizeof(value) == 0)
            value = next_random();
        bytes[i] = (u8)(value >> i % sizeof(value) * 8);
    }
}

void random_seed(u64 seed)
{
    random_state ^= seed;
    if (random_state == 0)
        random_state = 1;
}

static long random_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    u8 chunk[CHUNK];
    size_t done = 0;

    (void)file;
    (void)pos;
    while (iter->count > 0) {
        size_t n = MIN(iter->count, sizeof(chunk));
        random_bytes(chunk, n);
        size_t copied = copy_to_iter(iter, chunk, n);
        done += copied;
        if (copied < n)
            break;
    }
    return done ? (long)done : -EFAULT;
}

static long random_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    u64 seed;
    size_t done = 0;

    (void)file;
    (void)pos;
    while (iter->count > 0) {
        size_t n = MIN(iter->count, sizeof(seed));
        seed = 0;
        size_t copied = copy_from_iter(iter, &seed, n);
        random_seed(seed);
        done += copied;
        if (copied < n)
            break;
    }
    return done ? (long)done : -EFAULT;
}

static const struct file_operations random_ops = {
    .read = random_read, .write = random_write, .lseek = lseek_nothing,
};

/* ---- COM1 as it is ---- */

static long com1_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    char chunk[CHUNK];
    size_t done = 0;

    (void)file;
    (void)pos;
    while (iter->count > 0) {
        size_t n = MIN(iter->count, sizeof(chunk));
        size_t copied = copy_from_iter(iter, chunk, n);
        serial_write(SERIAL_COM1, chunk, copied);
        done += copied;
        if (copied < n)
            break;
    }
    return done ? (long)done : -EFAULT;
}

static const struct file_operations com1_ops = { .read = null_read, .write = com1_write };

/* ---- the nodes ---- */

static const struct device {
    const char *name;
    u32 number;
    u32 mode;
    const struct file_operations *ops;
} devices[] = {
    { "null", DEVICE_NULL, 0666, &null_ops },
    { "zero", DEVICE_ZERO, 0666, &zero_ops },
    { "full", DEVICE_FULL, 0666, &full_ops },
    { "random", DEVICE_RANDOM, 0666, &random_ops },
    { "urandom", DEVICE_URANDOM, 0666, &random_ops },
    { "tty", DEVICE_TTY, 0666, &tty_file_ops },
    { "console", DEVICE_CONSOLE, 0600, &tty_file_ops },
    { "com1", DEVICE_COM1, 0600, &com1_ops },
};

static int device_open(struct inode *inode, struct file *file)
{
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        if (devices[i].number != inode->rdev)
            continue;
        file->ops = devices[i].ops;
        return file->ops == &tty_file_ops ? tty_open(file, inode->rdev == DEVICE_TTY) : 0;
    }
    return -ENXIO;
}

const struct inode_operations device_inode_ops = { .open = device_open };

void devices_init(struct inode *dir)
{
    static const char *const links[][2] = {
        { "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" },
        { "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        const char *name = devices[i].name;
        if (IS_ERR(ramfs_add(dir, name, strlen(name), S_IFCHR | devices[i].mode, devices[i].number, NULL)))
            panic("no memory for /dev/%s", name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        if (IS_ERR(ramfs_add(dir, links[i][0], strlen(links[i][0]), S_IFLNK | 0777, 0, links[i][1])))
            panic("no memory for /dev/%s", links[i][0]);
    }
}
