/* The fuzzer's steps, made by mm/ and by the model, and what is compared after each. */
#include <stdarg.h>
#include "kernel/trace/journal.h"
#include "mm/audit.h"
#include "mm/filemap.h"
#include "mm/slab.h"
#include "tests/fuzz/run.h"
#include "tests/host/harness.h"

#define ARENA (6 * MIB)
/* With so few frames left (reserve aside), any allocation may fail. */
#define FRAMES_AT_THE_LIMIT 24
/* No step allocates more often than this, but for a long range that is populated. */
#define EACH_MAX 40

static struct step steps[STEPS_MAX];
static long results[STEPS_MAX];
static unsigned steps_made;
static struct model before;

/* Failures that OP_FAIL and OP_PRESSURE have asked for. */
static unsigned long fail_countdown;
static bool fail_forever, fail_each; /* EACH: the first allocation, then the step once more with the second, … */
static unsigned long number_failing;
static bool has_failed;              /* in the step's last run */
static struct page *held[ARENA / PAGE_SIZE];
static unsigned held_count;

void disagree(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "\nThe sequence: ");
    print_settings(stderr);
    for (unsigned i = 0; i < steps_made; i++) {
        print_step(stderr, &steps[i]);
        fprintf(stderr, " = 0x%lx (%ld)\n", (unsigned long)results[i], results[i]);
    }
    if (steps_made < STEPS_MAX && steps[steps_made].op != OPS) {
        print_step(stderr, &steps[steps_made]);
        fprintf(stderr, "    <- here");
        if (fail_each)
            fprintf(stderr, ", with its allocation number %lu failing", number_failing);
        fprintf(stderr, "\n");
    }
    fprintf(stderr, "WRONG: ");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    abort();
}

static void panic_disagrees(const char *message)
{
    disagree("panic: %s", message);
}

static void print_finding(const char *finding, void *context)
{
    (void)context;
    fprintf(stderr, "audit: %s\n", finding);
}

static void check_machine(void)
{
    if (mm_audit(print_finding, NULL))
        disagree("the audit has findings");
    const char *stale = mmu_tlb_audit();
    if (stale || mmu_stale_uses)
        disagree("%s", stale ? stale : "a stale translation was used");
}

/* ---- steps that are not calls ---- */

static void hold_frames(unsigned long but)
{
    bool holds = held_count != 0;

    while (held_count)
        free_pages(held[--held_count], 0);
    struct page *page;
    while (!holds && frame_counts[PAGE_FREE] > reserve_frames + but && (page = alloc_page(PAGE_KERNEL)) != NULL)
        held[held_count++] = page;
}

/* Starts the failures that were asked for. */
static void arm(void)
{
    fail_allocation_countdown = fail_countdown;
    fail_allocations_forever = fail_forever;
}

/* Ends them. True when one happened. */
static bool disarm(void)
{
    bool failed = fail_countdown && (fail_forever ? fail_allocation_countdown == 1 : fail_allocation_countdown == 0);

    fail_allocation_countdown = fail_countdown = 0;
    fail_allocations_forever = fail_forever = false;
    has_failed = failed;
    return failed;
}

static long make_fork(struct process *parent)
{
    struct process *child = model.processes;

    while (child < model.processes + PROCESSES && child->mm)
        child++;
    if (child == model.processes + PROCESSES)
        return 0;
    long expected = model_fork(child, parent), result = -ENOMEM;
    bool scarce = held_count || frame_counts[PAGE_FREE] < reserve_frames + FRAMES_AT_THE_LIMIT;
    arm();
    struct mm_struct *mm = mm_alloc(&settings.limits);
    if (mm)
        result = dup_mmap(mm, parent->mm);
    bool failed = disarm();
    if (result != expected && !((failed || scarce) && result == -ENOMEM))
        disagree("fork gives %ld, and should give %ld", result, expected);
    if (result) {
        if (mm)
            mmput(mm);
        memset(child, 0, sizeof(*child));
        return result;
    }
    child->mm = mm;
    return 0;
}

static long make_exit(struct process *p)
{
    unsigned alive = 0;

    for (unsigned i = 0; i < PROCESSES; i++)
        alive += model.processes[i].mm != NULL;
    if (alive < 2)
        return 0;
    mmu_load(NULL);
    mmput(p->mm);
    memset(p, 0, sizeof(*p));
    return 0;
}

/* ---- one step, a sequence ---- */

static long make_and_judge(struct process *p, const struct step *step)
{
    before = model;
    fill_buffer((u8)(step->value + steps_made));
    long expected = predict(p, step);
    if ((unsigned long)expected == SKIP) {
        model = before;
        return 0;
    }
    bool scarce = held_count || frame_counts[PAGE_FREE] < reserve_frames + FRAMES_AT_THE_LIMIT ||
                  p->map_count + MAPS_AT_THE_LIMIT > settings.max_map_count;
    arm();
    long result = make(p, step);
    bool failed = disarm();
    results[steps_made] = result;
    judge(&before, p, step, result, expected, failed || scarce);
    return result;
}

static long make_step(const struct step *step)
{
    struct process *p = &model.processes[step->process];

    while (!p->mm)
        p = p == model.processes ? &model.processes[PROCESSES - 1] : p - 1;
    mmu_load(p->mm);
    switch (step->op) {
    case OP_FORK:
        return make_fork(p);
    case OP_EXIT:
        return make_exit(p);
    case OP_PRESSURE:
        hold_frames(step->length);
        return 0;
    case OP_FAIL:
    case OP_FAIL_ALL:
        fail_countdown = step->length;
        fail_forever = step->op == OP_FAIL_ALL;
        fail_each = step->each;
        return 0;
    default:
        return make_and_judge(p, step);
    }
}

static int read_archive_page(struct address_space *mapping, struct page *page)
{
    u8 *bytes = page_address(page);

    for (unsigned long i = 0; i < P; i++)
        bytes[i] = page->index * P + i < mapping->size ? archive_byte(page->index * P + i) : 0;
    return 0;
}

static void release_file(struct address_space *mapping)
{
    kfree(mapping);
}

static void make_file(int which, u8 type, unsigned long size)
{
    static const struct address_space_operations archive = {read_archive_page, release_file};
    static const struct address_space_operations memory = {shmem_read_page, release_file};
    struct address_space *file = kmalloc(sizeof(*file));

    address_space_init(file, type, type == PAGE_FILE ? &archive : &memory, NULL);
    file->size = size;
    files[which] = file;
    model.objects[which] = (struct model_object){.size = size};
}

static void begin(const u8 *bytes)
{
    memory_init(ARENA);
    host_panic_handler = panic_disagrees;
    list_init(&all_mms);
    decode_settings(bytes);
    if (settings.journal && !journal_start("fault,vma,table,pte,frame", NULL))
        abort();
    sysctl_overcommit_memory = settings.overcommit;
    sysctl_overcommit_ratio = settings.overcommit_ratio;
    sysctl_max_map_count = settings.max_map_count;
    memset(&model, 0, sizeof(model));
    contents_forget();
    model.objects_used = 2;
    make_file(ARCHIVE_FILE, PAGE_FILE, ARCHIVE_SIZE);
    make_file(MEMORY_FILE, PAGE_SHMEM, MEMORY_FILE_SIZE);
    steps_made = 0;
    fail_countdown = 0;
    fail_forever = fail_each = false;
    held_count = 0;

    struct process *first = &model.processes[0];
    first->mm = mm_alloc(&settings.limits);
    first->mm->mmap_base = WINDOW_END;
    first->mm->may_lock_beyond_limit = settings.may_lock_beyond_limit;
    first->brk = first->mm->start_brk = first->mm->brk = address_of(BOTTOM_PAGES + HEAP_PAGE);
}

/* Everybody goes, and everything must have come back. */
static void end(unsigned long free_at_start)
{
    mmu_load(NULL);
    for (unsigned i = 0; i < PROCESSES; i++)
        if (model.processes[i].mm)
            mmput(model.processes[i].mm);
    mapping_put(files[ARCHIVE_FILE]);
    mapping_put(files[MEMORY_FILE]);
    while (held_count)
        free_pages(held[--held_count], 0);
    check_machine();
    if (free_frames() != free_at_start)
        disagree("%ld frames were not given back", (long)(free_at_start - free_frames()));
    if (vm_committed)
        disagree("%lu pages stay promised", vm_committed);
    sysctl_overcommit_memory = OVERCOMMIT_GUESS;
    sysctl_max_map_count = SYSCTL_MAX_MAP_COUNT_DEFAULT;
    journal_mask = 0;
    host_memory_destroy();
}

static void run_once(const struct step *step)
{
    has_failed = false;
    learn_boundaries();
    results[steps_made] = make_step(step);
    check_machine();
    learn_boundaries();
    compare_all();
}

static void run_step(const struct step *step, FILE *trace)
{
    bool runs_often = fail_each;

    steps[steps_made] = *step;
    steps[steps_made + 1].op = OPS;
    if (trace) {
        print_step(trace, step);
        fflush(trace);
    }
    for (number_failing = 1; runs_often && number_failing <= EACH_MAX; number_failing++) {
        fail_countdown = number_failing;
        run_once(step);
        if (!has_failed)
            break;
    }
    if (!runs_often || has_failed) {
        fail_countdown = runs_often ? 0 : fail_countdown;
        run_once(step);
    }
    if (runs_often)
        fail_each = false;
    if (trace)
        fprintf(trace, " = 0x%lx (%ld)\n", (unsigned long)results[steps_made], results[steps_made]);
    steps_made++;
}

void run_sequence(const u8 *bytes, size_t size, FILE *trace)
{
    static unsigned long free_at_start;

    if (size < STEP_BYTES)
        return;
    if (!free_at_start) {
        memory_init(ARENA);
        free_at_start = free_frames();
    }
    begin(bytes);
    if (trace)
        print_settings(trace);
    struct step step = first_step(bytes);
    do {
        run_step(&step, trace);
        bytes += STEP_BYTES;
        size -= STEP_BYTES;
        if (size >= STEP_BYTES)
            step = decode_step(bytes);
    } while (size >= STEP_BYTES && steps_made < STEPS_MAX - 1);
    end(free_at_start);
}
