/*
 * Random sequences of memory calls and accesses, each from a seed, for comparing two systems:
 *
 *     fuzz FIRST COUNT STEPS      for COUNT seeds: one line with a hash of all that was seen
 *     fuzz show SEED STEPS        what each step did and what came of it, as a line of C each
 *     fuzz cases SEED:STEPS:MASK...   a hash each, only with those steps whose bit is set in MASK (hexadecimal)
 *     fuzz showcases SEED:STEPS:MASK...   the same, shown
 *
 * A step depends on the seed and its own number alone, so a sequence can be shortened step by step.
 */
#define _GNU_SOURCE
#include "tests/linux/fuzz/fuzz.h"

struct seen seen;
bool is_about_huge;
static uint64_t seed, step, draw;

/* A random number for this seed and step (splitmix64 over the three counters). */
uint64_t random_bits(void)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15UL + step * 0xbf58476d1ce4e5b9UL + ++draw * 0x94d049bb133111ebUL;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9UL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebUL;
    return x ^ (x >> 31);
}

unsigned long pick(unsigned long count)
{
    return random_bits() % count;
}

void note_text(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (seen.length < sizeof(seen.line))
        seen.length += (size_t)vsnprintf(seen.line + seen.length, sizeof(seen.line) - seen.length, format,
                                         arguments);
    va_end(arguments);
    if (seen.length >= sizeof(seen.line))
        seen.length = sizeof(seen.line) - 1;
}

/* The line is complete: it goes into the hash, and is shown if that is wanted. */
void end_line(void)
{
    for (size_t i = 0; i < seen.length; i++)
        seen.hash = (seen.hash ^ (unsigned char)seen.line[i]) * 0x100000001b3UL;
    if (seen.show)
        say("%s", seen.line);
    seen.length = 0;
}

/* All mappings but the program's own, after a step. */
static void note_maps(void)
{
    const char *text = file_text("/proc/self/maps");
    struct vma_line line;

    note_text(" //");
    while ((text = parse_vma_line(text, &line)) != NULL)
        if (line.start >= ARENA_LOW)
            note_text(" %lx-%lx %s %lx%s%s", line.start, line.end, line.permissions, line.offset,
                      line.name[0] != '\0' ? " " : "", line.name);
}

/* What a page of the arena holds, without touching what is not there: '.' absent, else a digest. */
static void note_contents(void)
{
    note_text("pages:");
    for (unsigned long page = 0; page < ARENA_PAGES; page++) {
        char *address = (char *)ARENA + page * PAGE;

        if (!CONTRACT_ONLY && !is_present(address)) {
            note_text(".");
        } else {
            unsigned long digest = 7;

            if (!guarded_digest(address, &digest))
                note_text("x");
            else
                note_text("%02lx", digest & 0xff);
        }
    }
    end_line();
}

static bool begins_with(const char *text, const char *name)
{
    return strncmp(text, name, strlen(name)) == 0;
}

/* The first line of a mapping in smaps is that of maps. */
static bool is_maps_line(const char *text)
{
    return (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'f');
}

/* What the kernel says of each mapping, but what depends on the program or the version. */
static void note_smaps(void)
{
    static const char *const wanted[] = {"Size:", "Rss:", "Shared_", "Private_", "Anonymous:", "Locked:", "VmFlags:"};
    const char *text = file_text("/proc/self/smaps"), *end;
    bool is_ours = false;

    for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        if (is_maps_line(text)) {
            is_ours = strtoul(text, NULL, 16) >= ARENA_LOW;
            if (is_ours)
                note_text("smaps %lx:", strtoul(text, NULL, 16));
        }
        for (unsigned int i = 0; is_ours && i < sizeof(wanted) / sizeof(wanted[0]); i++)
            if (begins_with(text, wanted[i]))
                for (const char *c = strchr(text, ':') + 1; c < end; c++)
                    if (c[0] != ' ' || c[-1] != ' ')
                        note_text("%c", *c);
        if (is_ours && begins_with(text, "VmFlags:"))
            end_line();
    }
}

static void run_sequence(unsigned long steps, uint64_t mask)
{
    is_about_huge = seed % 4 == 0;
    prepare();
    for (step = 0; step < steps; step++) {
        if (step < 64 && (mask >> step & 1) == 0)
            continue;
        draw = 0;
        note_text("/* %lu */ ", step);
        one_step();
        note_maps();
        end_line();
    }
    note_contents();
    if (!CONTRACT_ONLY)
        note_smaps();
}

/* Runs one seed in a child of its own, which prints the hash. */
static void run_in_child(uint64_t which, unsigned long steps, uint64_t mask, bool show)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        seed = which;
        seen.show = show;
        seen.hash = 0xcbf29ce484222325UL;
        run_sequence(steps, mask);
        say("seed %lu %016lx", which, seen.hash);
        _exit(0);
    }
    waitpid(child, &status, 0);
    restore_system();
    if (status != 0)
        say("seed %lu ended with status %x", which, status & ~0x80);
}

/* SEED:STEPS:MASK, the mask in hexadecimal. */
static void run_case(const char *text, bool show)
{
    char *rest;
    uint64_t which = strtoul(text, &rest, 10);
    unsigned long steps = strtoul(rest + 1, &rest, 10);

    run_in_child(which, steps, strtoul(rest + 1, NULL, 16), show);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "show") == 0) {
        run_in_child(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), -1UL, true);
    } else if (argc >= 2 && (strcmp(argv[1], "cases") == 0 || strcmp(argv[1], "showcases") == 0)) {
        for (int i = 2; i < argc; i++)
            run_case(argv[i], argv[1][0] == 's');
    } else if (argc == 4) {
        uint64_t first = strtoul(argv[1], NULL, 10), count = strtoul(argv[2], NULL, 10);

        for (uint64_t which = first; which < first + count; which++)
            run_in_child(which, strtoul(argv[3], NULL, 10), -1UL, false);
    } else {
        say("usage: fuzz FIRST COUNT STEPS | show SEED STEPS | cases SEED:STEPS:MASK...");
        return 2;
    }
    return 0;
}
