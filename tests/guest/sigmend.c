/* Checks that a handler may mend the mapping and return: the instruction then runs again. */
#define _GNU_SOURCE
#include "catch.h"

enum { PAGES = 64 };

static char *range;
static volatile int mended, wrong;

static void maps_the_page(int signal, siginfo_t *info, void *context)
{
    char *page = (char *)((unsigned long)info->si_addr & -PAGE);

    (void)signal;
    (void)context;
    mended++;
    wrong += info->si_code != SEGV_MAPERR;
    raw_mmap((unsigned long)page, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1, 0);
    *page = (char)((page - range) / (long)PAGE);
}

static void paging_in_user_space(void)
{
    int right = 0;

    range = free_range(PAGES);
    set_handler(SIGSEGV, maps_the_page, 0);
    for (int i = 0; i < PAGES; i++)
        right += ((volatile char *)range)[i * PAGE] == i;
    check_eq(right, PAGES, "a handler that maps each page on demand serves every read");
    check_eq(mended, PAGES, "once a page");
    check_eq(wrong, 0, "each time the code was SEGV_MAPERR");
    raw_munmap(range, PAGES * PAGE);
}

static void allows_writing(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    mended++;
    wrong += info->si_code != SEGV_ACCERR;
    raw_mprotect((char *)((unsigned long)info->si_addr & -PAGE), PAGE, READ_WRITE);
}

static void tracking_writes(void)
{
    long written = 0;

    range = anon_at(free_range(PAGES), PAGES, READ_WRITE);
    memset(range, 'x', PAGES * PAGE);
    raw_mprotect(range, PAGES * PAGE, PROT_READ);
    mended = wrong = 0;
    set_handler(SIGSEGV, allows_writing, 0);
    for (int i = 0; i < PAGES; i += 3) {
        range[i * PAGE + 5] = 'y';
        range[i * PAGE + 6] = 'z';
    }
    for (int i = 0; i < PAGES; i++)
        written += range[i * PAGE + 5] == 'y' && range[i * PAGE + 6] == 'z';
    check_eq(written, (PAGES + 2) / 3,
             "a handler that makes pages writable lets every write happen");
    check_eq(mended, (PAGES + 2) / 3, "called once for each page that is written");
    check_eq(wrong, 0, "each time the code was SEGV_ACCERR");
    check(range[4] == 'x' && range[PAGE] == 'x', "the other bytes keep their data");
    raw_munmap(range, PAGES * PAGE);
}

static void a_long_copy(void)
{
    char *source;

    range = anon_at(free_range(4), 4, READ_WRITE);
    source = anon(4);
    memset(source, 's', 4 * PAGE);
    raw_mprotect(range, 4 * PAGE, PROT_NONE);
    mended = 0;
    {
        char *to = range + 100, *from = source;
        unsigned long count = 3 * PAGE;

        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
        check_eq(count, 0, "a string copy goes on where it was interrupted");
        check_eq(to - range, (long)(3 * PAGE + 100), "to its end");
    }
    check_eq(mended, 4, "through four pages that were mended on the way");
    check(all_bytes_are(range + 100, 3 * PAGE, 's') && range[99] == 0, "with every byte right");
    raw_munmap(range, 4 * PAGE);
    raw_munmap(source, 4 * PAGE);
}

static void allows_executing(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    mended++;
    raw_mprotect((char *)((unsigned long)info->si_addr & -PAGE), PAGE, PROT_READ | PROT_EXEC);
}

static void code_made_executable(void)
{
    char *code = anon(1);

    code[0] = (char)0xb8; /* mov $42, %eax; ret */
    code[1] = 42;
    code[5] = (char)0xc3;
    mended = 0;
    set_handler(SIGSEGV, allows_executing, 0);
    check_eq(((int (*)(void))(uintptr_t)code)(), 42, "code that a handler makes executable runs");
    check_eq(mended, 1, "after one fault");
    raw_munmap(code, PAGE);
}

static void not_mended(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    if (++mended == 3)
        siglongjmp(catch_return, 1);
}

static void repeated_faults(void)
{
    mended = 0;
    set_handler(SIGSEGV, not_mended, 0);
    if (sigsetjmp(catch_return, 1) == 0)
        write_byte(NULL);
    check_eq(mended, 3, "a handler that mends nothing is called again and again");
}

static void kernel_does_not_signal(void)
{
    int ends[2];

    mended = 0;
    range = free_range(1);
    set_handler(SIGSEGV, maps_the_page, 0);
    if (pipe(ends) != 0)
        bail_out("pipe failed");
    check_fails(write(ends[1], range, 1), EFAULT, "a bad buffer of a system call is EFAULT");
    check_eq(mended, 0, "and calls no handler");
}

int main(void)
{
    paging_in_user_space();
    tracking_writes();
    a_long_copy();
    code_made_executable();
    repeated_faults();
    kernel_does_not_signal();
    return done();
}
