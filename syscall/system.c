/* The calls about the machine, the kernel and limits. */
#include "kernel/dev/power.h"
#include "kernel/fs/devices.h"
#include "kernel/fs/system_names.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/self_test.h"
#include "mm/page_alloc.h"
#include "syscall/user.h"

/* ---- limits ---- */

long sys_prlimit64(unsigned long pid, unsigned long resource, unsigned long new_limit, unsigned long old_limit)
{
    return do_prlimit((int)pid, (unsigned)resource, new_limit, old_limit);
}

long sys_getrlimit(unsigned long resource, unsigned long limit)
{
    return limit ? do_prlimit(0, (unsigned)resource, 0, limit) : -EFAULT;
}

long sys_setrlimit(unsigned long resource, unsigned long limit)
{
    return limit ? do_prlimit(0, (unsigned)resource, limit, 0) : -EFAULT;
}

/* ---- what this is ---- */

#define UTSNAME_LENGTH 65

struct linux_utsname {
    char fields[6][UTSNAME_LENGTH];     /* system, node, release, version, machine, domain */
};

long sys_uname(unsigned long to)
{
    static const char *const fields[] = { SYSTEM_NAME, SYSTEM_NODE, SYSTEM_RELEASE, SYSTEM_VERSION, SYSTEM_MACHINE,
                                          "(none)" };
    struct linux_utsname name;

    memset(&name, 0, sizeof(name));
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        strlcpy(name.fields[i], fields[i], UTSNAME_LENGTH);
    return put_user(name, to);
}

/* Linux's struct sysinfo of x86-64. */
struct linux_sysinfo {
    s64 uptime;
    u64 loads[3];
    u64 total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
    u16 processes, padding;
    u32 hole;   /* named, so that it is cleared with the rest and no byte of the kernel's gets out */
    u64 total_high, free_high;
    u32 unit;
    u32 padding2;
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "struct sysinfo of x86-64");

long sys_sysinfo(unsigned long to)
{
    struct linux_sysinfo info = {
        .uptime = (s64)(sched_clock() / NSEC_PER_SEC),
        .total_ram = (u64)total_frames * PAGE_SIZE,
        .free_ram = (u64)frame_counts[PAGE_FREE] * PAGE_SIZE,
        .shared_ram = (u64)frame_counts[PAGE_SHMEM] * PAGE_SIZE,
        .processes = (u16)task_count,
        .unit = 1,
    };
    return put_user(info, to);
}

#define GRND_NONBLOCK 1u
#define GRND_RANDOM 2u
#define GRND_INSECURE 4u
#define RANDOM_CHUNK 256

long sys_getrandom(unsigned long to, unsigned long size, unsigned long flags)
{
    u8 chunk[RANDOM_CHUNK];
    unsigned long done = 0;

    if (flags & ~(unsigned long)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    size = MIN(size, (unsigned long)INT32_MAX);
    if (!access_ok(to, size))
        return -EFAULT;
    while (done < size) {
        unsigned long n = MIN(size - done, sizeof(chunk));
        random_bytes(chunk, n);
        unsigned long left = copy_to_user(to + done, chunk, n);
        done += n - left;
        if (left)
            return done ? (long)done : -EFAULT;
    }
    return (long)done;
}

/* ---- the end of the machine ---- */

#define REBOOT_MAGIC1 0xfee1deadu
#define REBOOT_RESTART 0x01234567u
#define REBOOT_HALT 0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu
#define REBOOT_CAD_ON 0x89abcdefu
#define REBOOT_CAD_OFF 0u
#define REBOOT_SELF_TEST 0x5e1f7e57u    /* ours: see kernel/proc/self_test.h */
#define REBOOT_READ_USER 0x5e1f7e58u    /* its read-user, before any copy from the program has cleared AC */

static bool is_reboot_magic2(u32 magic)
{
    return magic == 672274793 || magic == 85072278 || magic == 369367448 || magic == 537993216;
}

static long order_self_test(unsigned long from)
{
    struct {
        char name[56];
        unsigned long address;
    } order;

    if (copy_from_user(&order, from, sizeof(order)))
        return -EFAULT;
    order.name[sizeof(order.name) - 1] = '\0';
    return self_test(order.name, order.address);
}

long sys_reboot(unsigned long magic1, unsigned long magic2, unsigned long command, unsigned long argument)
{
    if (current->euid != 0)
        return -EPERM;
    if ((u32)magic1 != REBOOT_MAGIC1 || !is_reboot_magic2((u32)magic2))
        return -EINVAL;
    switch ((u32)command) {
    case REBOOT_POWER_OFF:
    case REBOOT_HALT:
        power_off(audit_findings ? POWER_AUDIT_FINDINGS : POWER_OK);
    case REBOOT_RESTART:
        power_reboot();
    case REBOOT_CAD_ON:
    case REBOOT_CAD_OFF:
        return 0;
    case REBOOT_SELF_TEST:
        return self_tests_allowed ? order_self_test(argument) : -EINVAL;
    case REBOOT_READ_USER:
        return self_test("read-user", argument);
    default:
        return -EINVAL;
    }
}
