/* Checks fork: each side sees its own memory from then on, and a page is copied only when written. */
#include "mem.h"

static char *memory; /* 16 pages: the first 8 written, the next 4 read, the last 4 untouched */
static int in_data = 1, in_bss;

static void make_memory(void)
{
    memory = anon(16);
    memset(memory, 'p', 8 * PAGE);
    read_pages(memory + 8 * PAGE, 4);
}

/* After a fork the pages that counting itself writes must be one's own before anything is counted. */
static void own_the_counters(void)
{
    minor_faults();
    warm_up();
}

static void child_changes_everything(void *nothing)
{
    int on_stack = 1;

    (void)nothing;
    memset(memory, 'c', 16 * PAGE);
    in_data = in_bss = on_stack = 2;
    _exit(memory[0] == 'c' && memory[15 * PAGE] == 'c' && in_data + in_bss + on_stack == 6 ? 7 : 1);
}

static void values(void)
{
    volatile int on_stack = 5;

    check_eq(status_of_child(child_changes_everything, NULL), 7 << 8,
             "a child can change all that it inherited");
    check(all_bytes_are(memory, 8 * PAGE, 'p'), "the parent's pages are as they were");
    check(all_bytes_are(memory + 8 * PAGE, 8 * PAGE, 0), "its untouched pages are zero");
    check(in_data == 1 && in_bss == 0 && on_stack == 5, "and its data, bss and stack");
}

static void child_sees_old_values(void *pipe_end)
{
    char go;

    if (read(*(int *)pipe_end, &go, 1) != 1)
        _exit(1);
    _exit(all_bytes_are(memory, 8 * PAGE, 'p') ? 0 : 2);
}

static void parent_writes_first(void)
{
    int ends[2], status = -1;
    pid_t child;

    if (pipe(ends) != 0)
        bail_out("pipe failed");
    child = fork();
    if (child == 0)
        child_sees_old_values(&ends[0]);
    memset(memory, 'q', 8 * PAGE);
    if (write(ends[1], "g", 1) != 1)
        bail_out("write to a pipe failed");
    waitpid(child, &status, 0);
    check_eq(status, 0, "what the parent writes after the fork is not seen by the child");
    memset(memory, 'p', 8 * PAGE);
    close(ends[0]);
    close(ends[1]);
}

#define IN_CHILD(name, expression) \
    static void name(void *nothing) \
    { \
        (void)nothing; \
        own_the_counters(); \
        _exit((int)(expression)); \
    }

IN_CHILD(count_reads, read_faults(memory, 8))
IN_CHILD(count_writes, write_faults(memory, 8))
IN_CHILD(count_rewrites, write_faults(memory, 8) + 100 * write_faults(memory, 8))
IN_CHILD(count_zero_writes, write_faults(memory + 8 * PAGE, 4))
IN_CHILD(count_zero_reads, read_faults(memory + 8 * PAGE, 4))
IN_CHILD(count_fresh_writes, write_faults(memory + 12 * PAGE, 4))

static void fault_counts(void)
{
    check_eq(WEXITSTATUS(status_of_child(count_reads, NULL)), 0,
             "a child reads inherited pages without a fault");
    check_eq(WEXITSTATUS(status_of_child(count_writes, NULL)), 8,
             "its first write to each of 8 takes 8 faults");
    check_eq(WEXITSTATUS(status_of_child(count_rewrites, NULL)), 8, "its second write takes none");
    check_eq(WEXITSTATUS(status_of_child(count_zero_reads, NULL)), 0,
             "pages that map the zero frame are inherited as such");
    check_eq(WEXITSTATUS(status_of_child(count_zero_writes, NULL)), 4,
             "and take one fault each when the child writes them");
    check_eq(WEXITSTATUS(status_of_child(count_fresh_writes, NULL)), 4,
             "untouched pages take one fault each in the child");
}

static void returns_at_once(void *nothing)
{
    (void)nothing;
}

static void the_parent_takes_over(void)
{
    uint64_t before, after;

    write_pages(memory, 8);
    before = pagemap_entry(memory);
    status_of_child(returns_at_once, NULL);
    own_the_counters();
    check_eq(write_faults(memory, 8), 8,
             "after a child's exit the parent's writes take one fault each");
    after = pagemap_entry(memory);
    check_eq(before == after, 1, "and it takes its old frames over, without a copy");
    check_eq(write_faults(memory, 8), 0, "once only");
    status_of_child(returns_at_once, NULL);
    own_the_counters();
    check_eq(read_faults(memory, 8), 0, "its reads take none");
}

static void child_maps(void *nothing)
{
    (void)nothing;
    raw_munmap(memory, 4 * PAGE);
    raw_mprotect(memory + 4 * PAGE, 4 * PAGE, PROT_NONE);
    anon_at(memory + 8 * PAGE, 1, PROT_READ);
}

static void address_spaces_are_apart(void)
{
    unsigned long before = vma_count();

    status_of_child(child_maps, NULL);
    check_eq(vma_count(), before, "a child's munmap, mprotect and mmap are its own");
    check_eq(memory[0], 1, "the parent's page is still there");
}

static void grandchild(void *nothing)
{
    (void)nothing;
    memory[0] = 'c';
    if (status_of_child(child_changes_everything, NULL) != 7 << 8)
        _exit(1);
    _exit(memory[0] == 'c' && memory[PAGE] == 1 ? 0 : 2);
}

static void three_generations(void)
{
    memory[PAGE] = 1;
    check_eq(status_of_child(grandchild, NULL), 0, "a grandchild's writes stay its own");
    check_eq(memory[0], 1, "and a child's do");
}

static void many_children(void)
{
    enum { CHILDREN = 20 };
    pid_t children[CHILDREN];
    int good = 0, status;

    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            memset(memory, i, 8 * PAGE);
            _exit(all_bytes_are(memory, 8 * PAGE, (char)i) ? i : 99);
        }
        memory[0] = (char)(100 + i);
    }
    for (int i = 0; i < CHILDREN; i++)
        good += waitpid(children[i], &status, 0) == children[i] && status == i << 8;
    check_eq(good, CHILDREN, "twenty children at once each keep their own copy");
    check_eq(memory[0], 100 + CHILDREN - 1, "and the parent its own");
}

static void read_only_stays(void *nothing)
{
    (void)nothing;
    memory[0] = 1;
}

static void protections_are_inherited(void)
{
    raw_mprotect(memory, PAGE, PROT_READ);
    check_eq(signal_of_child(read_only_stays, NULL), SIGSEGV,
             "a read-only page is read-only in the child");
    raw_mprotect(memory, PAGE, READ_WRITE);
    memory[0] = 3;
    check_eq(memory[0], 3, "made writable again after a fork it can be written");
}

int main(void)
{
    warm_up();
    make_memory();
    values();
    parent_writes_first();
    fault_counts();
    the_parent_takes_over();
    address_spaces_are_apart();
    three_generations();
    many_children();
    protections_are_inherited();
    return done();
}
