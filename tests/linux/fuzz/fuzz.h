/* What the parts of the differential fuzzer share. */
#ifndef TESTS_LINUX_FUZZ_FUZZ_H
#define TESTS_LINUX_FUZZ_FUZZ_H

#include "tests/linux/transcript.h"

/* Most steps aim at these pages; below ARENA_LOW lies the program, whose own mappings are not compared. */
#define ARENA 0x10000000000UL
#define ARENA_PAGES 48UL
#define ARENA_LOW 0x10000000UL

/* The line that is being written, the hash of all lines so far, and whether they are shown. */
struct seen {
    char line[8192];
    size_t length;
    uint64_t hash;
    bool show;
};
extern struct seen seen;

/* Random numbers of this seed and step: 64 bits, or one below COUNT. */
uint64_t random_bits(void);
unsigned long pick(unsigned long count);

KTAP_PRINTF(1, 2) void note_text(const char *format, ...);
void end_line(void);

/*
 * 1 in the program `contract`, which is built of the same files: only what a program may rely on is noted. How many faults something
 * takes, and which pages are resident before they are touched, is the kernel's own affair.
 */
#ifndef CONTRACT_ONLY
#define CONTRACT_ONLY 0
#endif

/* Called once in each sequence's process: handlers, files, counters. */
void prepare(void);

/* Does one random step and writes what it did and what came of it into the line. */
void one_step(void);

/* Of steps with huge pages there are many in this sequence, and this step is one. */
extern bool is_about_huge, aims_at_huge;

/* A likely address (most are whole pages) and a likely length. */
unsigned long pick_page(void);
unsigned long pick_length(void);

/* The same for huge pages. */
unsigned long pick_huge_page(void);
unsigned long pick_huge_length(void);
void prepare_huge(void);
void map_huge(void);
void resize_huge_file(void);

/* Later steps may aim at what was mapped at ADDRESS (-1: nothing was). */
void remember(unsigned long address);

/* Around a call: end() notes its result and how many faults it took. */
void begin(void);
void end(long result);
#define MEASURE(call) \
    do { \
        long measured; \
        begin(); \
        measured = (long)(call); \
        end(measured); \
    } while (0)

/* The files of a sequence: a memory file of FILE_PAGES at first, /dev/zero, a pipe. */
enum { FILE_PAGES = 6 };
extern int memfd, zero_device, ends[2];

/* Touches every page of the program, so that its own faults are not among those that are counted. */
void touch_own_pages(void);

/* The steps that access memory: once, page by page, by read and write on the pipe ENDS, with a handler that mends. */
void touch(void);
void touch_several(void);
void through_the_kernel(void);
void touch_and_mend(void);

/* The steps around the mappings: the file that is mapped, a child process, limits and overcommit, the stack. */
void change_file(void);
void fork_child(void);
void change_limits(void);
void touch_stack(void);

/* Puts back what change_limits changed for the whole machine. */
void restore_system(void);

/* Does BODY at ADDRESS, and notes how many faults it took, and the signal if there is one. */
void attempt(void (*body)(char *), unsigned long address);
void store_byte(char *address);

/* From now on a fault of an access ends the access, and is noted. */
void catch_faults(void);

/* Adds a page's bytes to *DIGEST; false if it cannot be read. */
bool guarded_digest(const char *page, unsigned long *digest);

#endif
