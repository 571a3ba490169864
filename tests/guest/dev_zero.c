/* Checks mappings of /dev/zero: private ones are anonymous memory, shared ones shared memory. */
#include "mem.h"

static void writes_in_child(void *memory)
{
    ((char *)memory)[0] = 'c';
}

int main(void)
{
    int zero = open("/dev/zero", O_RDWR);
    char *private, *shared, *range = free_range(4);

    if (zero < 0)
        bail_out("/dev/zero cannot be opened");
    private = raw_mmap(0, 2 * PAGE, READ_WRITE, MAP_PRIVATE, zero, 0);
    if (!check(private != MAP_FAILED, "/dev/zero can be mapped private"))
        return done();
    check(all_bytes_are(private, 2 * PAGE, 0), "it reads as zero");
    private[0] = 'p';
    status_of_child(writes_in_child, private);
    check_eq(private[0], 'p', "and is private");
    check_str(vma_of(private)->name, "/dev/zero", "the maps file names it");
    check_eq(signal_of_child(read_byte, private + 2 * PAGE - 1), 0,
             "it has no end within the mapping");
    raw_mmap((unsigned long)range, PAGE, READ_WRITE, MAP_PRIVATE | MAP_FIXED, zero, 0);
    raw_mmap((unsigned long)range + PAGE, PAGE, READ_WRITE, MAP_PRIVATE | MAP_FIXED, zero, PAGE);
    check_str(vmas(range, 2), "0-2 rw-p", "neighbours that continue it are one mapping");
    anon_at(range + 2 * PAGE, 1, READ_WRITE);
    check_str(vmas(range, 3), "0-2 rw-p, 2-3 rw-p", "anonymous memory beside it is another");
    check_eq(write_faults(range, 2), 2, "each page takes a fault");
    raw_munmap(range, 3 * PAGE);
    raw_munmap(private, 2 * PAGE);

    shared = raw_mmap(0, PAGE, READ_WRITE, MAP_SHARED, zero, 0);
    check(shared != MAP_FAILED, "/dev/zero can be mapped shared");
    status_of_child(writes_in_child, shared);
    check_eq(shared[0], 'c', "and is shared with a child");
    check_str(vma_of(shared)->name, "/dev/zero (deleted)", "it looks like shared anonymous memory");
    check_eq(close(zero), 0, "the descriptor may be closed");
    check_eq(shared[0], 'c', "the mapping stays");
    return done();
}
