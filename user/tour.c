/*
 * tour: the story of anonymous memory, told with the numbers of this boot. Every number is
 * measured, and where one is not what the story says, the tour says so and ends with status 1.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "user/common/exhibit.h"
#include "user/common/forbidden.h"
#include "user/common/paint.h"

/* What happens to the 16 pages: 0-3 are read, 8-11 written, 0-1 written later, 6-9 unmapped. */
#define READ_FIRST      0
#define READ_COUNT      4
#define WRITTEN_FIRST   8
#define WRITTEN_COUNT   4
#define REWRITTEN_COUNT 2
#define HOLE_FIRST      6
#define HOLE_COUNT      4

#define HEAP_PAGES    8
#define HEAP_WRITTEN  3
#define LARGE_PROMISE (1UL << 40)
#define READ_WRITE    (PROT_READ | PROT_WRITE)
#define ANONYMOUS     (MAP_PRIVATE | MAP_ANONYMOUS)
#define BYTES(pages)  (PAGE_SIZE * (size_t)(pages))
#define SLOW_SECONDS  3
#define SLOW_NANOSECONDS 300000000

static struct exhibit tour = {.count = EXHIBIT_PAGES};
static struct frame_counts at_first;
static bool is_slow;

/* What all chapters together have measured. */
static long read_faults, zero_mappings, write_faults, new_frames, replaced_zero_frames, new_tables;

#define say(...) paragraph(EXHIBIT_TEXT, __VA_ARGS__)

/* -s: before a chapter's memory is touched, so that who watches (memview -w) sees it happen. */
static void wait_for_reader(void)
{
    if (!is_slow)
        return;
    printf("\n%s  %s%s", paint(DIM), isatty(STDIN_FILENO) ? "(Enter goes on) " : "", paint_end());
    fflush(stdout);
    if (!isatty(STDIN_FILENO))
        sleep(SLOW_SECONDS);
    else
        for (char key = '\0'; key != '\n' && read(STDIN_FILENO, &key, 1) == 1;)
            continue;
}

/* -s: a moment between two pages. Touches no memory that has not been touched. */
static void slow_motion(void)
{
    static const struct timespec moment = {.tv_nsec = SLOW_NANOSECONDS};
    if (is_slow)
        nanosleep(&moment, NULL);
}

static void chapter(int number, const char *title)
{
    static const char line[] = "------------------------------------------------------------------";
    printf("\n%s%d  %s%s\n%s%.*s%s\n", paint(BOLD), number, title, paint_end(), paint(DIM),
           (int)strlen(title) + 3, line, paint_end());
}

static void introduction(void)
{
    printf("\n%sA tour of anonymous memory%s\n\n", paint(BOLD), paint_end());
    say("A program that asks for memory gets a promise: a range of addresses. The memory comes "
        "later, one page of %lu bytes at a time, at the moment when the program first touches the "
        "page. The processor finds nothing there and interrupts the program: a page fault. The "
        "kernel puts a frame, a page of real memory, behind the address, and the program goes on "
        "as if nothing had happened.\n\nThis program (process %d) now does that, and measures "
        "what it tells you. In its pictures, each character is a page:\n\n",
        PAGE_SIZE, getpid());
    show_legend();
    if (!knows_frames())
        say("\n(This is not the zeropage kernel, so there is no /proc/zeropage to tell how many "
            "frames are in use. You see the page faults, but not the frames.)");
}

static void a_promise_costs_nothing(void)
{
    static void *large;
    measure_start(&tour);
    tour.start = mmap(NULL, BYTES(tour.count), READ_WRITE, ANONYMOUS, -1, 0);
    large = mmap(NULL, LARGE_PROMISE, READ_WRITE, ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (large != MAP_FAILED)
        munmap(large, LARGE_PROMISE);
    measure_stop();
    at_first = cost.before;

    chapter(1, "A promise costs nothing");
    if (tour.start == MAP_FAILED)
        return;
    look_at(&tour);
    say("mmap was asked for %d pages that can be read and written. All that the kernel did was to "
        "write one line into its list of this program's memory, a VMA: from which address to "
        "which, and what is allowed there (r: read, w: write). /proc/self/maps shows it:\n\n",
        tour.count);
    show_vma(tour.start);
    show_pages(&tour, "16 pages promised");
    show_cost();
    if (knows_frames())
        say("\nThis last line counts, before -> after, the frames that the whole machine uses for "
            "the data of programs, and those for page tables, of which more below. Nothing has "
            "changed.");
    if (large != MAP_FAILED)
        say("\nBetween these two counts the program was promised %lu GiB more, and gave them back. "
            "That has cost nothing either.",
            LARGE_PROMISE >> 30);
    expect(cost.faults == 0 && cost.data == 0 && cost.tables == 0,
           "mmap takes no fault and no frame");
    expect(pages_in_state(&tour, 0, tour.count, PAGE_PROMISED) == tour.count,
           "nothing is there yet");
}

static void reading_shows_the_zero_frame(void)
{
    measure_start(&tour);
    for (int i = READ_FIRST; i < READ_FIRST + READ_COUNT; i++) {
        tour.values[i] = *page_at(&tour, i);
        slow_motion();
    }
    measure_stop();
    look_at(&tour);
    int mapped = pages_in_state(&tour, READ_FIRST, READ_COUNT, PAGE_ZERO);
    read_faults += cost.faults;
    zero_mappings += mapped;
    new_tables += cost.tables;

    chapter(2, "Reading: zeros for everybody, from one frame");
    say("The program read one byte in each of the first %d pages. New memory reads as zero, and "
        "for zeros one frame is enough for all. So the kernel took no new frame: it put the same "
        "one behind all %d pages, the zero frame, and allowed reading only.\n\n",
        READ_COUNT, READ_COUNT);
    show_pages(&tour, "4 pages read");
    show_list(&tour, READ_FIRST, READ_COUNT, false);
    show_cost();
    if (knows_frames())
        say("\nNo data frame was taken. But %ld frame%s went into a page table: there the processor "
            "looks up which frame belongs to a page. One such table has room for 512 pages.",
            cost.tables, cost.tables == 1 ? "" : "s");
    expect(cost.faults == READ_COUNT && cost.data == 0,
           "a first read takes one fault, no data frame");
    expect(mapped == READ_COUNT, "each page that was read maps the zero frame");
    expect(pages_in_state(&tour, 0, tour.count, PAGE_PROMISED) == tour.count - READ_COUNT,
           "no other page is there");
    for (int i = READ_FIRST; i < READ_FIRST + READ_COUNT; i++)
        expect(tour.values[i] == 0 && tour.pages[i].frame == tour.pages[READ_FIRST].frame,
               "the pages read are zeros of one frame");
}

/* Check what holds for all pages that were just written, and count them. */
static void check_written(int first, int count)
{
    write_faults += cost.faults;
    new_frames += knows_frames() ? cost.data : pages_in_state(&tour, first, count, PAGE_OWN);
    expect(cost.faults == count, "each of these writes takes one fault");
    expect(!knows_frames() || (cost.data == count && cost.tables == 0), "and one data frame");
    for (int i = first; i < first + count; i++) {
        expect(tour.pages[i].state == PAGE_OWN, "a written page has a frame of its own");
        expect(rest_is_zero(&tour, i), "a fresh frame is all zeros");
        for (int other = 0; other < tour.count && knows_frames(); other++)
            expect(other == i || tour.pages[other].frame != tour.pages[i].frame,
                   "no other page has it");
    }
}

static void writing_takes_a_frame(void)
{
    measure_start(&tour);
    for (int i = WRITTEN_FIRST; i < WRITTEN_FIRST + WRITTEN_COUNT; i++) {
        *page_at(&tour, i) = (unsigned char)i;
        slow_motion();
    }
    measure_stop();
    look_at(&tour);
    for (int i = WRITTEN_FIRST; i < WRITTEN_FIRST + WRITTEN_COUNT; i++)
        tour.values[i] = *page_at(&tour, i);

    chapter(3, "Writing: a frame of one's own");
    say("Then it wrote a byte into each of pages %d to %d: the page's number. What is written "
        "must be kept apart, so each of these pages got a fresh frame. The kernel filled it with "
        "zeros beforehand; otherwise one could read there what another program has left.\n\n",
        WRITTEN_FIRST, WRITTEN_FIRST + WRITTEN_COUNT - 1);
    show_pages(&tour, "4 pages read, 4 written");
    show_list(&tour, WRITTEN_FIRST, WRITTEN_COUNT, false);
    show_cost();
    check_written(WRITTEN_FIRST, WRITTEN_COUNT);
}

static void writing_replaces_the_zero_frame(void)
{
    measure_start(&tour);
    for (int i = READ_FIRST; i < READ_FIRST + REWRITTEN_COUNT; i++) {
        *page_at(&tour, i) = (unsigned char)(100 + i);
        slow_motion();
    }
    measure_stop();
    look_at(&tour);
    for (int i = READ_FIRST; i < READ_FIRST + READ_COUNT; i++)
        tour.values[i] = *page_at(&tour, i);
    int untouched = READ_FIRST + REWRITTEN_COUNT;
    replaced_zero_frames += pages_in_state(&tour, READ_FIRST, REWRITTEN_COUNT, PAGE_OWN);

    chapter(4, "First read, then written");
    say("Pages 0 and 1 show the zero frame, and nobody may write to that: writing there is a page "
        "fault once more. But the VMA says that the program may write, so the kernel replaces the "
        "zero frame by a fresh one. Pages 2 and 3 stay as they are.\n\n");
    show_pages(&tour, "2 of the 4 pages read are written now");
    show_list(&tour, READ_FIRST, REWRITTEN_COUNT, true);
    show_list(&tour, untouched, READ_COUNT - REWRITTEN_COUNT, false);
    show_cost();
    check_written(READ_FIRST, REWRITTEN_COUNT);
    for (int i = untouched; i < READ_FIRST + READ_COUNT; i++)
        expect(tour.pages[i].state == PAGE_ZERO && tour.values[i] == 0,
               "the zero frame stays zero");
}

static void the_heap_is_the_same(void)
{
    char *old_break = sbrk(0);
    char *heap = (char *)(((uintptr_t)old_break + PAGE_SIZE - 1) & -PAGE_SIZE);
    intptr_t growth = heap - old_break + (intptr_t)BYTES(HEAP_PAGES);

    chapter(5, "The heap is the same thing");
    measure_start(&tour);
    if (sbrk(growth) == (void *)-1) {
        say("sbrk refused to grow the heap: %s.", strerror(errno));
        return;
    }
    for (int i = 0; i < HEAP_WRITTEN; i++) {
        heap[BYTES(i)] = 1;
        slow_motion();
    }
    measure_stop();
    write_faults += cost.faults;
    new_frames += knows_frames() ? cost.data : HEAP_WRITTEN;
    expect(cost.faults == HEAP_WRITTEN, "each first write to a page of the heap takes one fault");
    expect(!knows_frames() || cost.data == HEAP_WRITTEN, "and one data frame");

    say("malloc takes its memory from the heap, a VMA behind the program's own data. sbrk moves "
        "its end, called the break. It was moved up by %d pages, from %p to %p, and %d of these "
        "pages were written:\n\n",
        HEAP_PAGES, (void *)old_break, (void *)(old_break + growth), HEAP_WRITTEN);
    show_vma(heap);
    show_cost();

    measure_start(&tour);
    sbrk(-growth);
    measure_stop();
    say("\nThen the break went back to where it was, and the frames went with it:\n");
    show_cost();
    expect(sbrk(0) == old_break, "the break is where it was");
    expect(!knows_frames() || cost.data == -HEAP_WRITTEN, "the frames of the heap came back");
}

static void a_hole_in_the_middle(void)
{
    int written = pages_in_state(&tour, HOLE_FIRST, HOLE_COUNT, PAGE_OWN);
    measure_start(&tour);
    munmap(tour.start + BYTES(HOLE_FIRST), BYTES(HOLE_COUNT));
    measure_stop();
    tour.hole_first = HOLE_FIRST;
    tour.hole_count = HOLE_COUNT;
    look_at(&tour);

    chapter(6, "A hole in the middle");
    say("munmap took pages %d to %d out of the %d. Of one VMA two are left, and the frames of the "
        "%d pages there that had been written went back to the kernel:\n\n",
        HOLE_FIRST, HOLE_FIRST + HOLE_COUNT - 1, tour.count, written);
    show_vma(tour.start);
    show_vma(tour.start + BYTES(HOLE_FIRST + HOLE_COUNT));
    show_pages(&tour, "two VMAs, with nothing between them");
    show_cost();
    expect(!knows_frames() || cost.data == -written, "the frames of unmapped pages come back");
}

static void what_was_not_promised(void)
{
    chapter(7, "What was not promised");
    say("Not every fault is mended. Here a child process each time does what no VMA allows. The "
        "kernel ends the child with the signal SIGSEGV, and reports on its console who it was, "
        "where, and why. Nobody else notices.\n\n");
    show_what_is_forbidden(&tour, HOLE_FIRST, WRITTEN_FIRST + WRITTEN_COUNT - 1);
}

static void everything_comes_back(void)
{
    measure_start(&tour);
    munmap(tour.start, BYTES(tour.count)); /* a hole in the range does not matter */
    measure_stop();

    chapter(8, "Everything comes back");
    say("munmap of all that is left of the %d pages:\n", tour.count);
    show_cost();
    if (knows_frames())
        say("\nBefore chapter 1 it was %ld data frames and %ld page-table frames.",
            at_first.anonymous, at_first.page_table);
    expect(cost.after.anonymous == at_first.anonymous, "all data frames come back");
    expect(cost.after.page_table == at_first.page_table, "all page-table frames come back");
}

static void summary(void)
{
    printf("\n%sSummary%s\n%s-------%s\n", paint(BOLD), paint_end(), paint(DIM), paint_end());
    printf("%*s%ld read faults -> %ld zero-frame mappings\n", EXHIBIT_INDENT, "", read_faults,
           zero_mappings);
    printf("%*s%ld write faults -> %ld new frames, %ld of them in place of the zero frame\n",
           EXHIBIT_INDENT, "", write_faults, new_frames, replaced_zero_frames);
    if (knows_frames())
        printf("%*s%ld frame%s for a page table\n", EXHIBIT_INDENT, "", new_tables,
               new_tables == 1 ? "" : "s");
    if (disagreements() == 0)
        say("\nEvery number was as the story says. `help` shows what else there is.\n\n");
    else
        say("\n%d numbers were not as the story says: see the lines with !! above.\n\n",
            disagreements());
}

int main(int count, char **arguments)
{
    for (int option; (option = getopt(count, arguments, "sp-:")) != -1;) {
        if (option == 's') {
            is_slow = true;
        } else if (option == 'p' || (option == '-' && strcmp(optarg, "plain") == 0)) {
            paint_colours(false);
        } else {
            fprintf(stderr, "usage: tour [-s] [--plain]\n"
                            "  -s       slowly: wait for Enter before each chapter, and between pages\n"
                            "  --plain  no colours\n");
            return 2;
        }
    }
    probe_touch_program();
    introduction();
    wait_for_reader();
    a_promise_costs_nothing();
    if (tour.start == MAP_FAILED) {
        printf("tour: mmap refused %d pages: %s\n", tour.count, strerror(errno));
        return 1;
    }
    wait_for_reader();
    reading_shows_the_zero_frame();
    wait_for_reader();
    writing_takes_a_frame();
    wait_for_reader();
    writing_replaces_the_zero_frame();
    wait_for_reader();
    the_heap_is_the_same();
    wait_for_reader();
    a_hole_in_the_middle();
    wait_for_reader();
    what_was_not_promised();
    wait_for_reader();
    everything_comes_back();
    summary();
    return disagreements() == 0 ? 0 : 1;
}
