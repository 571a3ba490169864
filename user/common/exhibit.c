/* Measuring what an action does to a few pages, and showing it: the tour's instruments. */
#include "user/common/exhibit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/common/paint.h"

struct cost cost;

static long faults_before;
static int disagreement_count;

bool knows_frames(void)
{
    static struct frame_counts counts;
    return probe_frames(&counts);
}

/* Take each reading twice: the first time pays for what the probes themselves touch. */
void measure_start(struct exhibit *exhibit)
{
    for (int round = 0; round < 2; round++) {
        memset(exhibit->values, 0, sizeof exhibit->values);
        cost.faults = probe_faults();
        probe_frames(&cost.after);
        probe_frames(&cost.before);
        faults_before = probe_faults();
    }
}

void measure_stop(void)
{
    cost.faults = probe_faults() - faults_before;
    probe_frames(&cost.after);
    cost.data = cost.after.anonymous - cost.before.anonymous;
    cost.tables = cost.after.page_table - cost.before.page_table;
}

void look_at(struct exhibit *exhibit)
{
    memcpy(exhibit->earlier, exhibit->pages, sizeof exhibit->pages);
    if (!probe_pages(exhibit->start, (size_t)exhibit->count, cost.before.zero_frame,
                     exhibit->pages)) {
        printf("/proc/self/pagemap can't be read: %s\n", strerror(errno));
        exit(1);
    }
}

int pages_in_state(const struct exhibit *exhibit, int first, int count, enum page_state state)
{
    int found = 0;
    for (int i = first; i < first + count; i++)
        found += exhibit->pages[i].state == state;
    return found;
}

volatile unsigned char *page_at(const struct exhibit *exhibit, int index)
{
    return (volatile unsigned char *)exhibit->start + (size_t)index * PAGE_SIZE;
}

bool rest_is_zero(const struct exhibit *exhibit, int index)
{
    for (size_t offset = 1; offset < PAGE_SIZE; offset++)
        if (page_at(exhibit, index)[offset] != 0)
            return false;
    return true;
}

void expect(bool holds, const char *rule)
{
    if (!holds) {
        disagreement_count++;
        printf("%s  !! The numbers disagree with the rule: %s.%s\n", paint(RED), rule, paint_end());
    }
}

int disagreements(void)
{
    return disagreement_count;
}

static const char state_letters[] = {[PAGE_PROMISED] = '.', [PAGE_ZERO] = 'z', [PAGE_OWN] = '#'};
static const enum colour state_colours[] = {
    [PAGE_PROMISED] = DIM, [PAGE_ZERO] = CYAN, [PAGE_OWN] = GREEN};

static void show_state(enum page_state state)
{
    printf("%s%c%s", paint(state_colours[state]), state_letters[state], paint_end());
}

void show_pages(const struct exhibit *exhibit, const char *caption)
{
    printf("%*s[", EXHIBIT_INDENT, "");
    for (int i = 0; i < exhibit->count; i++) {
        if (i >= exhibit->hole_first && i < exhibit->hole_first + exhibit->hole_count)
            putchar(' ');
        else
            show_state(exhibit->pages[i].state);
    }
    printf("]  %s\n", caption);
}

void show_legend(void)
{
    static const char *const meanings[] = {
        [PAGE_PROMISED] = "promised, no memory yet",
        [PAGE_ZERO] = "reads as zero: shows the one zero frame",
        [PAGE_OWN] = "has a frame of its own",
    };
    for (enum page_state state = PAGE_PROMISED; state <= PAGE_OWN; state++) {
        printf("%*s", EXHIBIT_INDENT, "");
        show_state(state);
        printf("  %s\n", meanings[state]);
    }
}

/* Make one space of many: the kernel aligns names to a column that is too far right for us. */
static void squeeze(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++)
        if (*from != ' ' || from[1] != ' ')
            *to++ = *from;
    *to = '\0';
}

void show_vma(const void *address)
{
    static char line[160];
    probe_map_line(address, line, sizeof line);
    squeeze(line);
    printf("%*s%s%s%s\n", EXHIBIT_INDENT, "", paint(YELLOW), line, paint_end());
}

void show_list(const struct exhibit *exhibit, int first, int count, bool with_earlier)
{
    for (int i = first; i < first + count; i++) {
        const struct page *page = &exhibit->pages[i];
        printf("%*spage %2d  at %p  ", EXHIBIT_INDENT, "", i, (void *)page_at(exhibit, i));
        if (page->frame == 0)
            printf("%s", page->state == PAGE_OWN ? "a frame of its own" : "a frame");
        else if (with_earlier)
            printf("frame %#lx -> %#lx", exhibit->earlier[i].frame, page->frame);
        else
            printf("frame %#lx", page->frame);
        if (page->state == PAGE_ZERO)
            printf(" %s(the zero frame)%s", paint(CYAN), paint_end());
        printf("  reads %d\n", exhibit->values[i]);
    }
}

void show_cost(void)
{
    printf("\n%*spage faults: %ld", EXHIBIT_INDENT, "", cost.faults);
    if (knows_frames()) {
        printf("   data frames: %ld -> %ld   page-table frames: %ld -> %ld", cost.before.anonymous,
               cost.after.anonymous, cost.before.page_table, cost.after.page_table);
    }
    printf("\n");
}
