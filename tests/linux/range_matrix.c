/* Prints what munmap and mprotect do to every range of pages over a row of different mappings. */
#include "tests/linux/transcript.h"

enum { ROW = 8 };

static char *row;

/* Pages: 0-1 writable, 2 read-only, 3 a hole, 4 without access, 5-6 writable, 7 shared. */
static void lay_out(void)
{
    raw_munmap(row - PAGE, (ROW + 2) * PAGE);
    anon_at(row, 2, READ_WRITE);
    anon_at(row + 2 * PAGE, 1, PROT_READ);
    anon_at(row + 4 * PAGE, 1, PROT_NONE);
    anon_at(row + 5 * PAGE, 2, READ_WRITE);
    raw_mmap((unsigned long)row + 7 * PAGE, PAGE, READ_WRITE, SHARED_ANON | MAP_FIXED, -1, 0);
    row[0] = 'a';
    row[6 * PAGE] = 'b';
}

/* Whether the two written bytes are still there, as far as their pages can be read. */
static const char *contents(void)
{
    static char text[3];
    const struct vma_line *first = vma_of(row);
    bool first_readable = first != NULL && first->permissions[0] == 'r';
    const struct vma_line *second = vma_of(row + 6 * PAGE);

    text[0] = !first_readable ? '-' : row[0] == 'a' ? 'a' : '?';
    text[1] = second == NULL || second->permissions[0] != 'r' ? '-'
              : row[6 * PAGE] == 'b'                          ? 'b'
                                                              : '?';
    return text;
}

static void show(const char *name, int first, int end, long result)
{
    const char *text = outcome(result);

    say("%s %d-%d: %s [%s] %s", name, first, end, text, vmas(row, ROW), contents());
}

int main(void)
{
    static const unsigned long protections[] = {PROT_NONE, PROT_READ, READ_WRITE, PROT_EXEC, 0x40};
    char name[32];

    row = free_range(ROW);
    for (int first = -1; first < ROW; first++)
        for (int end = first; end <= ROW; end++) {
            char *start = row + first * (long)PAGE;
            unsigned long length = (unsigned long)(end - first) * PAGE;

            lay_out();
            show("munmap", first, end, raw_munmap(start, length));
            for (unsigned int i = 0; i < sizeof(protections) / sizeof(protections[0]); i++) {
                lay_out();
                snprintf(name, sizeof(name), "mprotect %lx", protections[i]);
                show(name, first, end, raw_mprotect(start, length, protections[i]));
            }
            lay_out();
            show("mmap", first, end,
                 (long)raw_mmap((unsigned long)start, length, READ_WRITE, PRIVATE_ANON | MAP_FIXED, -1,
                                0) == -1 ? -1 : 0);
        }
    return 0;
}
