/* /proc/sys: the settings, each a number or a word in a file of its own. */
#include "kernel/fs/procfs.h"

#include "kernel/fs/ramfs.h"
#include "kernel/fs/system_names.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/kstack.h"
#include "mm/limits.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"

/* The decimal number that TEXT consists of, with white space around it. False when it is something else. */
static bool parse_setting(const char *text, long *value)
{
    bool negative = false;

    while (*text == ' ' || *text == '\t')
        text++;
    if (*text == '-') {
        negative = true;
        text++;
    }
    if (*text < '0' || *text > '9')
        return false;
    long number = (long)parse_number(text, &text);
    while (*text == ' ' || *text == '\t' || *text == '\n')
        text++;
    *value = negative ? -number : number;
    return *text == '\0';
}

static int store_within(const char *text, long minimum, long maximum, long *value)
{
    return parse_setting(text, value) && *value >= minimum && *value <= maximum ? 0 : -EINVAL;
}

#define SHOW_NUMBER(setting, variable)                                              \
    static int show_##setting(struct seq *seq, struct task *task, u64 *cursor)      \
    {                                                                               \
        (void)task;                                                                 \
        (void)cursor;                                                               \
        seq_printf(seq, "%ld\n", (long)(variable));                                 \
        return 0;                                                                   \
    }

/* A setting that is one variable. */
#define NUMBER_SETTING(setting, type, variable, minimum, maximum)                   \
    SHOW_NUMBER(setting, variable)                                                  \
    static int store_##setting(struct task *task, const char *text)                 \
    {                                                                               \
        (void)task;                                                                 \
        long value;                                                                 \
        int error = store_within(text, minimum, maximum, &value);                   \
        if (!error)                                                                 \
            (variable) = (type)value;                                               \
        return error;                                                               \
    }

NUMBER_SETTING(max_map_count, int, sysctl_max_map_count, 0, INT32_MAX)
NUMBER_SETTING(overcommit_memory, int, sysctl_overcommit_memory, OVERCOMMIT_GUESS, OVERCOMMIT_NEVER)
NUMBER_SETTING(overcommit_ratio, int, sysctl_overcommit_ratio, 0, INT32_MAX)
SHOW_NUMBER(mmap_min_addr, dac_mmap_min_addr)

static int store_mmap_min_addr(struct task *task, const char *text)
{
    (void)task;
    long value;
    int error = store_within(text, 0, INT64_MAX, &value);

    if (!error)
        set_dac_mmap_min_addr((unsigned long)value);
    return error;
}

/*
 * What a number written to drop_caches gives back, as on Linux: pages of files, kernel objects (and stacks), or
 * both.
 */
#define DROP_PAGES 1
#define DROP_OBJECTS 2
#define DROP_QUIETLY 4

static int store_drop_caches(struct task *task, const char *text)
{
    (void)task;
    long what;
    int error = store_within(text, DROP_PAGES, DROP_PAGES | DROP_OBJECTS | DROP_QUIETLY, &what);

    if (error)
        return error;
    if (what & DROP_PAGES)
        reclaim_file_pages();
    if (what & DROP_OBJECTS) {
        kstack_shrink();
        slab_shrink_all();
    }
    return 0;
}

/* A file that says one thing. */
#define FIXED_SETTING(setting, text)                                                \
    static int show_##setting(struct seq *seq, struct task *task, u64 *cursor)      \
    {                                                                               \
        (void)task;                                                                 \
        (void)cursor;                                                               \
        seq_puts(seq, text "\n");                                                   \
        return 0;                                                                   \
    }

FIXED_SETTING(ostype, SYSTEM_NAME)
FIXED_SETTING(osrelease, SYSTEM_RELEASE)
FIXED_SETTING(version, SYSTEM_VERSION)
FIXED_SETTING(hostname, SYSTEM_NODE)
FIXED_SETTING(randomize_va_space, "0")

static int show_pid_max(struct seq *seq, struct task *task, u64 *cursor)
{
    (void)task;
    (void)cursor;
    seq_printf(seq, "%d\n", PID_MAX);
    return 0;
}

static const struct proc_entry vm_settings[] = {
    { .name = "drop_caches", .mode = 0200, .store = store_drop_caches },
    { .name = "max_map_count", .mode = 0644, .show = show_max_map_count, .store = store_max_map_count },
    { .name = "mmap_min_addr", .mode = 0644, .show = show_mmap_min_addr, .store = store_mmap_min_addr },
    { .name = "overcommit_memory", .mode = 0644, .show = show_overcommit_memory, .store = store_overcommit_memory },
    { .name = "overcommit_ratio", .mode = 0644, .show = show_overcommit_ratio, .store = store_overcommit_ratio },
};

static const struct proc_entry kernel_settings[] = {
    { .name = "hostname", .mode = 0444, .show = show_hostname },
    { .name = "osrelease", .mode = 0444, .show = show_osrelease },
    { .name = "ostype", .mode = 0444, .show = show_ostype },
    { .name = "pid_max", .mode = 0444, .show = show_pid_max },
    { .name = "randomize_va_space", .mode = 0444, .show = show_randomize_va_space },
    { .name = "version", .mode = 0444, .show = show_version },
};

/* Nobody makes names here, nor takes any away. */
static const struct inode_operations fixed_dir_ops = { .lookup = ramfs_lookup, .readdir = ramfs_readdir };

static struct inode *add_dir(struct inode *parent, const char *name)
{
    struct inode *dir = ramfs_add(parent, name, strlen(name), S_IFDIR | 0555, 0, NULL);
    if (IS_ERR(dir))
        panic("no memory for /proc/sys");
    dir->ops = &fixed_dir_ops;
    return dir;
}

void proc_sys_init(struct inode *root)
{
    struct inode *sys = add_dir(root, "sys"), *vm = add_dir(sys, "vm"), *kernel = add_dir(sys, "kernel");

    for (size_t i = 0; i < ARRAY_SIZE(vm_settings); i++)
        proc_add(vm, &vm_settings[i]);
    for (size_t i = 0; i < ARRAY_SIZE(kernel_settings); i++)
        proc_add(kernel, &kernel_settings[i]);
}
