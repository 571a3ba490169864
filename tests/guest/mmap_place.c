/* Checks where mmap puts a mapping: hints, the top-down search, fixed addresses, the low 2 GiB. */
#include "mem.h"

static char *place(unsigned long hint, unsigned long pages, int flags)
{
    return raw_mmap(hint, pages * PAGE, READ_WRITE, PRIVATE_ANON | flags, -1, 0);
}

static void hints(void)
{
    char *got = place(0x17000123, 1, 0);

    check_eq(got, 0x17000000, "a free hint is used, rounded down to a page");
    check(place(0x17000000, 1, 0) != got, "an occupied hint is not used");
    raw_munmap(got, PAGE);
    got = place(0x17000fff, 1, 0);
    check_eq(got, 0x17000000, "a hint's last byte counts as its page");
    raw_munmap(got, PAGE);
    got = place(0x100, 1, 0);
    check((unsigned long)got > 0x10000000, "hint 0x100 rounds to none at all");
    raw_munmap(got, PAGE);
    got = place(USER_END, 1, 0);
    check((unsigned long)got < USER_END, "a hint at the end of user space is not used");
    raw_munmap(got, PAGE);
    got = place(KERNEL_ADDRESS, 1, 0);
    check((unsigned long)got < USER_END, "a hint in kernel space is not used");
    raw_munmap(got, PAGE);
    got = place(-PAGE, 1, 0);
    check((unsigned long)got < USER_END, "hint -4096 is not used");
    raw_munmap(got, PAGE);
    got = place(0x17000000, 4, 0);
    check_eq(got, 0x17000000, "a hint is used for several pages");
    check(place(0x16fff000, 4, 0) != (char *)0x16fff000,
          "a hint whose range runs into a mapping is not used");
    check_eq(place(0x16fff000, 1, 0), 0x16fff000, "one that just fits below it is");
    check_eq(raw_munmap((char *)0x16fff000, 5 * PAGE), 0, "both are unmapped together");
}

static void top_down(void)
{
    char *first = anon(1), *second = anon(1), *third = anon(3), *hole;

    check_eq(second, first - PAGE, "the next mapping lies directly below the last one");
    check_eq(third, second - 3 * PAGE, "a longer one below that");
    raw_munmap(second, PAGE);
    hole = anon(2);
    check_eq(hole, third - 2 * PAGE, "a hole that is too small is passed over");
    check_eq(anon(1), second, "a hole that fits is used again");
    raw_munmap(hole, 2 * PAGE);
    raw_munmap(third, 3 * PAGE);
    raw_munmap(second, PAGE);
    raw_munmap(first, PAGE);
    check_eq(anon(1), first, "the highest free range is taken first");
    raw_munmap(first, PAGE);
}

static void highest_hole_wins(void)
{
    char *block = anon(16);

    raw_munmap(block + 2 * PAGE, 4 * PAGE);
    raw_munmap(block + 10 * PAGE, 2 * PAGE);
    check_eq(anon(2), block + 10 * PAGE, "of two holes that fit, the higher one is taken");
    check_eq(anon(3), block + 3 * PAGE, "in a larger hole the top end is taken");
    check_eq(anon(1), block + 2 * PAGE, "and then what is left of it");
    raw_munmap(block, 16 * PAGE);
}

static void fixed(void)
{
    char *range = free_range(8);
    unsigned long at = (unsigned long)range;

    check_eq(place(at, 8, MAP_FIXED), at, "MAP_FIXED takes exactly the address");
    check_fails(place(at + 1, 1, MAP_FIXED), EINVAL, "MAP_FIXED unaligned is EINVAL");
    check_fails(place(USER_END, 1, MAP_FIXED), ENOMEM, "MAP_FIXED above user space is ENOMEM");
    check_fails(place(USER_END - PAGE, 2, MAP_FIXED), ENOMEM,
                "MAP_FIXED with its end above user space is ENOMEM");
    check_fails(place(KERNEL_ADDRESS, 1, MAP_FIXED), ENOMEM, "MAP_FIXED in the kernel is ENOMEM");
    check_fails(place(-PAGE, 1, MAP_FIXED), ENOMEM, "MAP_FIXED at -4096 is ENOMEM");
    memset(range, 'x', 8 * PAGE);
    check_eq(place(at + 2 * PAGE, 2, MAP_FIXED), at + 2 * PAGE, "MAP_FIXED replaces a middle");
    check(all_bytes_are(range + 2 * PAGE, 2 * PAGE, 0), "the replaced middle is zero");
    check(all_bytes_are(range, 2 * PAGE, 'x'), "what lies below it keeps its data");
    check(all_bytes_are(range + 4 * PAGE, 4 * PAGE, 'x'), "what lies above it keeps its data");
    check_str(vmas(range, 8), "0-8 rw-p", "the replaced middle merges back into one mapping");
    raw_mmap(at + PAGE, 1, PROT_READ, PRIVATE_ANON | MAP_FIXED, -1, 0);
    check_str(vmas(range, 8), "0-1 rw-p, 1-2 r--p, 2-8 rw-p",
              "with another protection it stays apart");
    check_eq(place(at + 6 * PAGE, 2, MAP_FIXED), at + 6 * PAGE, "MAP_FIXED replaces an end");
    check_eq(place(at - PAGE, 3, MAP_FIXED), at - PAGE, "MAP_FIXED covers a hole and a start");
    check_str(vmas(range - PAGE, 9), "0-9 rw-p", "what has equal flags is one mapping again");
    raw_munmap(range - PAGE, 9 * PAGE);
}

static void fixed_noreplace(void)
{
    char *range = free_range(8);
    unsigned long at = (unsigned long)range;

    check_eq(place(at, 2, MAP_FIXED_NOREPLACE), at, "MAP_FIXED_NOREPLACE takes a free address");
    range[0] = 'x';
    check_fails(place(at, 1, MAP_FIXED_NOREPLACE), EEXIST,
                "MAP_FIXED_NOREPLACE over a mapping is EEXIST");
    check_fails(place(at + PAGE, 4, MAP_FIXED_NOREPLACE), EEXIST,
                "over the end of a mapping too");
    check_fails(place(at - PAGE, 4, MAP_FIXED_NOREPLACE), EEXIST, "around a mapping too");
    check_fails(place(at, 1, MAP_FIXED | MAP_FIXED_NOREPLACE), EEXIST,
                "together with MAP_FIXED too");
    check_eq(range[0], 'x', "a refused one leaves the data alone");
    check_eq(place(at + 2 * PAGE, 1, MAP_FIXED_NOREPLACE), at + 2 * PAGE,
             "directly beside a mapping it is fine");
    check_fails(place(at + 1, 1, MAP_FIXED_NOREPLACE), EINVAL,
                "MAP_FIXED_NOREPLACE unaligned is EINVAL");
    check_fails(raw_mmap(at + 4 * PAGE, 0, READ_WRITE, PRIVATE_ANON | MAP_FIXED_NOREPLACE, -1, 0),
                EINVAL, "MAP_FIXED_NOREPLACE of length 0 is EINVAL");
    raw_munmap(range, 3 * PAGE);
}

static void low_two_gigabytes(void)
{
    const unsigned long low = 0x40000000, high = 0x80000000;
    char *got = place(0, 1, MAP_32BIT), *second;

    check((unsigned long)got >= low && (unsigned long)got < high,
          "MAP_32BIT gives an address in [0x40000000, 0x80000000)");
    second = place(0, 1, MAP_32BIT);
    check_eq(second, got + PAGE, "the next one lies above it: the search is bottom-up");
    raw_munmap(got, 2 * PAGE);
    got = place(0x17000000, 1, MAP_32BIT);
    check_eq(got, 0x17000000, "MAP_32BIT takes a free low hint");
    raw_munmap(got, PAGE);
    got = place(0x500000000000, 1, MAP_32BIT);
    check((unsigned long)got >= low && (unsigned long)got < high,
          "MAP_32BIT does not take a high hint");
    raw_munmap(got, PAGE);
    got = free_range(1);
    check_eq(place((unsigned long)got, 1, MAP_32BIT | MAP_FIXED), got,
             "MAP_32BIT means nothing with MAP_FIXED");
    raw_munmap(got, PAGE);
    check_fails(raw_mmap(0, high, PROT_NONE, PRIVATE_ANON | MAP_32BIT, -1, 0), ENOMEM,
                "MAP_32BIT of 2 GiB is ENOMEM");
}

static void below_the_minimum(void *address)
{
    EXIT_WITH_ERRNO(place((unsigned long)address, 1, MAP_FIXED));
}

static void below_the_minimum_noreplace(void *address)
{
    EXIT_WITH_ERRNO(place((unsigned long)address, 1, MAP_FIXED_NOREPLACE));
}

static void hint_below_the_minimum(void *address)
{
    char *got = place((unsigned long)address, 1, 0);

    _exit(got == MAP_FAILED ? errno : (unsigned long)got < 0x10000 ? 1 : 0);
}

static void lowest_addresses(void)
{
    check_eq(WEXITSTATUS(status_as_nobody(below_the_minimum, (void *)0)), EPERM,
             "an ordinary user's MAP_FIXED at 0 is EPERM");
    check_eq(WEXITSTATUS(status_as_nobody(below_the_minimum, (void *)0x10000)), 0,
             "at 0x10000 it is fine");
    check_eq(WEXITSTATUS(status_as_nobody(below_the_minimum_noreplace, (void *)0)), EPERM,
             "MAP_FIXED_NOREPLACE at 0 is EPERM");
    check_eq(WEXITSTATUS(status_as_nobody(hint_below_the_minimum, (void *)0x800)), 0,
             "a hint in the first page is not used");
}

int main(void)
{
    hints();
    top_down();
    highest_hole_wins();
    fixed();
    fixed_noreplace();
    low_two_gigabytes();
    lowest_addresses();
    return done();
}
