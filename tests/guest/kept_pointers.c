/*
 * Attacks by pointers to where no program may write, which the kernel keeps and writes through later; and what it may
 * give away where it writes itself.
 */
#define _GNU_SOURCE
#include "catch.h"

#define HOLE_ROUNDS 12

/* ---- pointers that are kept ---- */

static const unsigned long bad_pointers[] = {KERNEL_ADDRESS, KERNEL_ADDRESS + 0x100000, 0xffff888000100000, NON_CANONICAL,
                                             USER_END - 1, USER_END, ~0ul, 8};

static void exits_with_tid_pointer(void *pointer)
{
    syscall(SYS_set_tid_address, pointer);
}

static void exits_with_robust_list(void *pointer)
{
    syscall(SYS_set_robust_list, pointer, 24);
}

static void circular_robust_list(void *nothing)
{
    static struct {
        void *next;
        long offset;
        void *pending;
    } head, entry;

    (void)nothing;
    head.next = &entry;
    entry.next = &entry; /* never back to the head */
    head.offset = -(1l << 62);
    head.pending = (void *)KERNEL_ADDRESS;
    syscall(SYS_set_robust_list, &head, 24);
}

static void handled_on(void *stack)
{
    stack_t alternate = {.ss_sp = stack, .ss_size = 16384};

    signal(SIGSEGV, SIG_DFL);
    if (sigaltstack(&alternate, NULL) != 0)
        _exit(1);
    set_handler(SIGUSR1, catch_handler, SA_ONSTACK);
    raise(SIGUSR1);
}

static void kept_pointers(void)
{
    for (size_t i = 0; i < sizeof(bad_pointers) / sizeof(bad_pointers[0]); i++) {
        void *pointer = (void *)bad_pointers[i];
        check_eq(status_of_child(exits_with_tid_pointer, pointer), 0, "an exit with a TID pointer of %lx", bad_pointers[i]);
        check_eq(status_of_child(exits_with_robust_list, pointer), 0, "with a robust list there");
        check_eq(signal_of_child(handled_on, pointer), SIGSEGV, "a handler's stack there is SIGSEGV");
        check_fails(syscall(SYS_set_robust_list, pointer, 23), EINVAL, "a robust list of a wrong size is EINVAL");
    }
    check_eq(status_of_child(circular_robust_list, NULL), 0, "a robust list that never ends is given up");
    check_fails(syscall(SYS_arch_prctl, 0x1002 /* SET_FS */, KERNEL_ADDRESS), EPERM, "FS can't point into the kernel");
    check_fails(syscall(SYS_arch_prctl, 0x1001 /* SET_GS */, NON_CANONICAL), EPERM, "GS can't be non-canonical");
}

/* What the kernel writes has holes where the structure has; nothing of its own may be in them (found by tests/attacks). */
static void holes_of_structures(void)
{
    static unsigned char info[112]; /* struct sysinfo: bytes 80 to 81 are a number, the next 6 nothing */

    int empty = 0, ends[2];

    /* Each call before it leaves other things on the kernel's stack. */
    for (int i = 0; i < HOLE_ROUNDS; i++) {
        switch (i % 6) {
        case 0: close(open("/proc/self/maps", O_RDONLY)); break;
        case 1: execve("/nothing/here", (char *[]){NULL}, (char *[]){NULL}); break;
        case 2: if (pipe(ends) == 0) { close(ends[0]); close(ends[1]); } break;
        case 3: raw_munmap(anon(3), 3 * PAGE); break;
        case 4: syscall(SYS_getrusage, 0, info); break;
        default: syscall(SYS_mprotect, info, 1, READ_WRITE); break;
        }
        memset(info, 0xff, sizeof(info));
        syscall(SYS_sysinfo, info);
        empty += all_bytes_are((char *)info + 82, 6, 0) && all_bytes_are((char *)info + 108, 4, 0);
    }
    check_eq(empty, HOLE_ROUNDS, "the hole in sysinfo's structure and its end are empty");
}

/* Found by tests/attacks/hardening.c: the kernel went to where there was no function to show the file. */
static void file_that_is_not_to_be_read(void)
{
    static char text[64];
    int file = open("/proc/sys/vm/drop_caches", O_RDONLY);

    check(file < 0 || read(file, text, sizeof(text)) <= 0, "even root reads nothing from a file that is only for writing");
}

int main(void)
{
    catch_faults();
    kept_pointers();
    holes_of_structures();
    file_that_is_not_to_be_read();
    return done();
}
