/* Checks mprotect: its refusals, what a partly failing call has changed, splits, merges, faults. */
#include "mem.h"

static void refusals(void)
{
    char *memory = anon_at(free_range(4), 2, READ_WRITE);
    char *hole = memory + 2 * PAGE;

    check_fails(raw_mprotect(memory + 1, PAGE, PROT_READ), EINVAL,
                "an unaligned address is EINVAL");
    check_fails(raw_mprotect(memory, PAGE, 0x10), EINVAL, "protection 0x10 is EINVAL");
    check_fails(raw_mprotect(memory, PAGE, 0xff), EINVAL, "protection 0xff is EINVAL");
    check_fails(raw_mprotect(memory, PAGE, PROT_READ | 0x100000000UL), EINVAL,
                "an unknown protection bit above bit 31 is EINVAL");
    check_eq(raw_mprotect(memory, PAGE, READ_WRITE | 8), 0, "PROT_SEM is accepted");
    check_eq(raw_mprotect(memory, 0, PROT_READ), 0, "length 0 is fine");
    check_eq(raw_mprotect(hole, 0, PROT_READ), 0, "length 0 is fine where nothing is mapped");
    check_eq(raw_mprotect(memory, 0, 0xff), 0, "length 0 is fine with a bad protection");
    check_fails(raw_mprotect(memory + 1, 0, PROT_READ), EINVAL, "but not with a bad address");
    check_fails(raw_mprotect(hole, PAGE, PROT_READ), ENOMEM, "an unmapped page is ENOMEM");
    check_fails(raw_mprotect(memory, -PAGE, PROT_READ), ENOMEM, "a wrapping range is ENOMEM");
    check_fails(raw_mprotect(memory, -1UL, PROT_READ), ENOMEM, "length -1 is ENOMEM");
    check_fails(raw_mprotect((void *)KERNEL_ADDRESS, PAGE, PROT_READ), ENOMEM,
                "a kernel address is ENOMEM");
    check_fails(raw_mprotect((void *)USER_END, PAGE, PROT_READ), ENOMEM,
                "the end of user space is ENOMEM");
    check_fails(raw_mprotect(memory, PAGE, PROT_READ | PROT_GROWSDOWN), EINVAL,
                "PROT_GROWSDOWN on a plain mapping is EINVAL");
    check_fails(raw_mprotect(memory, PAGE, PROT_READ | PROT_GROWSUP), EINVAL,
                "PROT_GROWSUP on a plain mapping is EINVAL");
    check_fails(raw_mprotect(memory, PAGE, PROT_READ | PROT_GROWSUP | PROT_GROWSDOWN), EINVAL,
                "both together are EINVAL");
    check_str(vmas(memory, 2), "0-2 rw-p", "a refused call changes nothing");
    raw_munmap(memory, 2 * PAGE);
}

static void holes(void)
{
    char *range = free_range(8);

    anon_at(range, 2, READ_WRITE);
    anon_at(range + 4 * PAGE, 2, READ_WRITE);
    check_fails(raw_mprotect(range, 6 * PAGE, PROT_READ), ENOMEM, "a hole in the middle is ENOMEM");
    check_str(vmas(range, 8), "0-2 r--p, 4-6 rw-p",
              "what lies before the hole has changed, what lies behind it has not");
    check_fails(raw_mprotect(range + 2 * PAGE, 4 * PAGE, PROT_READ), ENOMEM,
                "a hole at the start is ENOMEM");
    check_str(vmas(range, 8), "0-2 r--p, 4-6 rw-p", "and nothing has changed");
    check_fails(raw_mprotect(range + 4 * PAGE, 4 * PAGE, PROT_NONE), ENOMEM,
                "a hole at the end is ENOMEM");
    check_str(vmas(range, 8), "0-2 r--p, 4-6 ---p", "and what lies before it has changed");
    raw_munmap(range, 8 * PAGE);
}

static void splits_and_merges(void)
{
    char *memory = anon_at(free_range(8), 8, READ_WRITE);

    raw_mprotect(memory + 2 * PAGE, 2 * PAGE, PROT_READ);
    check_str(vmas(memory, 8), "0-2 rw-p, 2-4 r--p, 4-8 rw-p", "a middle splits off");
    raw_mprotect(memory + 4 * PAGE, PAGE, PROT_READ);
    check_str(vmas(memory, 8), "0-2 rw-p, 2-5 r--p, 5-8 rw-p", "a border moves up");
    raw_mprotect(memory + PAGE, PAGE, PROT_READ);
    check_str(vmas(memory, 8), "0-1 rw-p, 1-5 r--p, 5-8 rw-p", "a border moves down");
    raw_mprotect(memory + 2 * PAGE, PAGE, PROT_NONE);
    check_str(vmas(memory, 8), "0-1 rw-p, 1-2 r--p, 2-3 ---p, 3-5 r--p, 5-8 rw-p",
              "a middle of the middle splits off");
    raw_mprotect(memory, 8 * PAGE, PROT_READ | PROT_EXEC);
    check_str(vmas(memory, 8), "0-8 r-xp", "one call over all makes one mapping of them");
    raw_mprotect(memory, 1, READ_WRITE);
    check_str(vmas(memory, 8), "0-1 rw-p, 1-8 r-xp", "one byte means its page");
    raw_mprotect(memory, 8 * PAGE, READ_WRITE);
    raw_mprotect(memory, 8 * PAGE, READ_WRITE);
    check_str(vmas(memory, 8), "0-8 rw-p", "the protection that it has already changes nothing");
    raw_munmap(memory, 8 * PAGE);
}

static void every_protection(void)
{
    static const char *const text[] = {"0-1 ---p", "0-1 r--p", "0-1 -w-p", "0-1 rw-p",
                                       "0-1 --xp", "0-1 r-xp", "0-1 -wxp", "0-1 rwxp"};
    char *memory = anon_at(free_range(1), 1, READ_WRITE);

    for (unsigned long protection = 0; protection < 8; protection++) {
        raw_mprotect(memory, PAGE, protection);
        check_str(vmas(memory, 1), text[protection], "protection %lu is shown as %s", protection,
                  text[protection] + 4);
    }
    raw_munmap(memory, PAGE);
}

static void what_is_allowed(void)
{
    char *memory = anon(1);

    memory[0] = (char)0xc3; /* ret */
    check_eq(signal_of_child(execute_at, memory), SIGSEGV, "executing a page without EXEC kills");
    raw_mprotect(memory, PAGE, PROT_READ);
    check(WRITE_KILLS(memory), "writing a read-only page kills");
    check_eq(signal_of_child(read_byte, memory), 0, "reading it does not");
    raw_mprotect(memory, PAGE, PROT_NONE);
    check(READ_KILLS(memory), "reading a page without access kills");
    check(WRITE_KILLS(memory), "writing it kills");
    raw_mprotect(memory, PAGE, PROT_WRITE);
    check_eq(signal_of_child(read_byte, memory), 0, "a page that is only writable can be read");
    raw_mprotect(memory, PAGE, PROT_EXEC);
    check_eq(signal_of_child(read_byte, memory), 0, "a page that is only executable can be read");
    check_eq(signal_of_child(execute_at, memory), 0, "and executed");
    check(WRITE_KILLS(memory), "but not written");
    raw_mprotect(memory, PAGE, PROT_READ | PROT_EXEC);
    check_eq(signal_of_child(execute_at, memory), 0, "code in a read-execute page runs");
    raw_munmap(memory, PAGE);
}

static void fault_counts(void)
{
    char *memory = anon(4);

    memset(memory, 'x', PAGE);
    read_pages(memory + PAGE, 1);
    raw_mprotect(memory, 4 * PAGE, PROT_READ);
    raw_mprotect(memory, 4 * PAGE, READ_WRITE);
    check_eq(write_faults(memory, 1), 0,
             "a page of one's own, made read-only and writable again, is written without a fault");
    check_eq(write_faults(memory + PAGE, 1), 1, "a page that maps the zero frame takes 1");
    check_eq(write_faults(memory + 2 * PAGE, 1), 1, "a page never touched takes 1");
    raw_mprotect(memory, 4 * PAGE, PROT_NONE);
    raw_mprotect(memory, 4 * PAGE, READ_WRITE);
    check_eq(memory[1], 'x', "no access, then access again, keeps the data");
    check_eq(read_faults(memory, 1), 0, "and takes no fault to read");
    check_eq(write_faults(memory, 1), 0, "and none to write");
    raw_munmap(memory, 4 * PAGE);
}

static void promises_made_writable(void)
{
    const unsigned long length = 64UL << 40;
    char *memory = raw_mmap(0, length, PROT_NONE, PRIVATE_ANON, -1, 0);

    check_fails(raw_mprotect(memory, length, READ_WRITE), ENOMEM,
                "64 TiB without access cannot be made writable");
    check_eq(raw_mprotect(memory, 1UL << 20, READ_WRITE), 0, "one MiB of it can");
    memory[12345] = 1;
    check_eq(memory[12345], 1, "and works");
    raw_munmap(memory, length);
}

int main(void)
{
    warm_up();
    refusals();
    holes();
    splits_and_merges();
    every_protection();
    what_is_allowed();
    fault_counts();
    promises_made_writable();
    return done();
}
