/*
 * Random memory calls, touches and forks against a plain model, an array of pages that knows for
 * each what it holds and what may be done with it. After each step the audit; now and then every
 * page compared. A failure names its seed and step.
 */
#include <stdlib.h>
#include "kernel/lib/errno.h"
#include "mm/audit.h"
#include "mm/fault.h"
#include "mm/vma.h"
#include "tests/host/calls.h"

#define WINDOW 0x10000000ul
#define PAGES 48u
#define PROCESSES 3u
#define CELLS 65536u
#define STEPS 3000u

/* What one page of a process is. CELL: for shared memory, the byte that all its mappings show. */
struct model_page {
    bool mapped, shared, locked, wiped, absent_in_child;
    unsigned long prot;
    u8 value;
    u8 *cell;
};

struct process {
    struct mm_struct *mm;
    struct model_page pages[PAGES];
};

static struct process processes[PROCESSES];
static u8 cells[CELLS];
static unsigned cells_used;
static unsigned long random_state;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 6364136223846793005ul + 1442695040888963407ul;
    return (unsigned)(random_state >> 33) % n;
}

static unsigned long address_of(unsigned page)
{
    return WINDOW + page * PAGE_SIZE;
}

static unsigned long random_prot(void)
{
    static const unsigned long prots[] = { PROT_NONE, PROT_READ, RW, RW, RW | PROT_EXEC, PROT_WRITE, PROT_EXEC };
    return prots[random_below(ARRAY_SIZE(prots))];
}

static u8 model_value(const struct model_page *page)
{
    return page->shared ? *page->cell : page->value;
}

/* ---- the calls; each returns what the model says that the call returns ---- */

static long model_mmap(struct process *p, unsigned first, unsigned n)
{
    unsigned long prot = random_prot();
    bool shared = random_below(4) == 0 && cells_used + n <= CELLS;
    unsigned long flags = MAP_ANONYMOUS | MAP_FIXED | (shared ? MAP_SHARED : MAP_PRIVATE) |
                          (random_below(8) == 0 ? MAP_NORESERVE : 0) |
                          (random_below(8) == 0 ? MAP_POPULATE : 0);
    unsigned long result = do_mmap(p->mm, NULL, address_of(first), n * PAGE_SIZE, prot, flags, 0);

    assert_int_equal(result, address_of(first));
    for (unsigned i = first; i < first + n; i++) {
        p->pages[i] = (struct model_page){ .mapped = true, .shared = shared, .prot = prot };
        if (shared)
            p->pages[i].cell = &cells[cells_used++];
    }
    return 0;
}

/* The highest free range of N pages below mmap_base, found by walking the list. */
static unsigned long highest_hole(const struct mm_struct *mm, unsigned n)
{
    unsigned long best = 0, floor = P;

    for (const struct vm_area_struct *vma = mm->mmap; ; vma = vma->vm_next) {
        unsigned long ceiling = MIN(vma ? vma->vm_start : TASK_SIZE, mm->mmap_base);
        if (ceiling > floor && ceiling - floor >= n * P)
            best = ceiling - n * P;
        if (!vma)
            return best;
        floor = vma->vm_end;
    }
}

/* mmap wherever there is room: mmap_base is just above the window, so it comes and goes there. */
static void model_mmap_anywhere(struct process *p, unsigned n)
{
    unsigned long expected = highest_hole(p->mm, n), prot = random_prot();
    unsigned long result = do_mmap(p->mm, NULL, 0, n * P, prot, MAP_PRIVATE | MAP_ANONYMOUS, 0);

    assert_int_equal(result, expected);
    if (result < WINDOW) {
        assert_int_equal(do_munmap(p->mm, result, n * P), 0);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        p->pages[(result - WINDOW) / P + i] = (struct model_page){ .mapped = true, .prot = prot };
}

static void model_munmap(struct process *p, unsigned first, unsigned n)
{
    assert_int_equal(do_munmap(p->mm, address_of(first), n * PAGE_SIZE), 0);
    memset(&p->pages[first], 0, n * sizeof(p->pages[0]));
}

static void model_mprotect(struct process *p, unsigned first, unsigned n)
{
    unsigned long prot = random_prot();
    int result = do_mprotect(p->mm, address_of(first), n * PAGE_SIZE, prot), expected = 0;

    for (unsigned i = first; i < first + n && !expected; i++) {
        if (p->pages[i].mapped)
            p->pages[i].prot = prot;
        else
            expected = -ENOMEM;
    }
    assert_int_equal(result, expected);
}

static void model_dontneed(struct process *p, unsigned first, unsigned n)
{
    int result = do_madvise(p->mm, address_of(first), n * PAGE_SIZE, MADV_DONTNEED), expected = 0;

    for (unsigned i = first; i < first + n; i++) {
        if (!p->pages[i].mapped) {
            expected = -ENOMEM;
        } else if (p->pages[i].locked) {
            expected = -EINVAL;
            break;
        } else {
            p->pages[i].value = 0;
        }
    }
    assert_int_equal(result, expected);
}

static void model_fork_advice(struct process *p, unsigned first, unsigned n)
{
    static const int advices[] = { MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK, MADV_KEEPONFORK };
    int advice = advices[random_below(ARRAY_SIZE(advices))];
    int result = do_madvise(p->mm, address_of(first), n * PAGE_SIZE, advice), expected = 0;

    for (unsigned i = first; i < first + n; i++) {
        struct model_page *page = &p->pages[i];
        if (!page->mapped) {
            expected = -ENOMEM;
        } else if (advice == MADV_WIPEONFORK && page->shared) {
            expected = -EINVAL;
            break;
        } else if (advice == MADV_WIPEONFORK || advice == MADV_KEEPONFORK) {
            page->wiped = advice == MADV_WIPEONFORK;
        } else {
            page->absent_in_child = advice == MADV_DONTFORK;
        }
    }
    assert_int_equal(result, expected);
}

static void model_mlock(struct process *p, unsigned first, unsigned n)
{
    bool lock = random_below(2);
    int result = lock ? do_mlock(p->mm, address_of(first), n * PAGE_SIZE, false)
                      : do_munlock(p->mm, address_of(first), n * PAGE_SIZE);
    int expected = 0;

    for (unsigned i = first; i < first + n; i++) {
        if (!p->pages[i].mapped) {
            expected = -ENOMEM;
            break;
        }
        p->pages[i].locked = lock;
    }
    for (unsigned i = first; i < first + n && lock && !expected; i++)
        if (p->pages[i].prot == PROT_NONE)
            expected = -ENOMEM;
    assert_int_equal(result, expected);
}

/*
 * Moves N pages; whether they are one VMA the model can't say, but holes and single pages it knows.
 */
static void model_mremap(struct process *p, unsigned first, unsigned n)
{
    unsigned to = random_below(PAGES - n + 1);
    if (to < first + n && first < to + n)
        return;
    bool keep = random_below(3) == 0;
    unsigned long flags = MREMAP_MAYMOVE | MREMAP_FIXED | (keep ? MREMAP_DONTUNMAP : 0);
    bool was_mapped = p->pages[first].mapped;
    unsigned long result = do_mremap(p->mm, address_of(first), n * PAGE_SIZE, n * PAGE_SIZE, flags,
                                     address_of(to));
    bool has_hole = false;
    for (unsigned i = first; i < first + n; i++)
        has_hole |= !p->pages[i].mapped;

    if (result == (unsigned long)-EFAULT) {
        assert_true(has_hole || n > 1);
        /*
         * The place was made free before the refusal was noticed, unless nothing was there to move
         * at all.
         */
        if (was_mapped)
            memset(&p->pages[to], 0, n * sizeof(p->pages[0]));
        return;
    }
    assert_false(has_hole);
    assert_int_equal(result, address_of(to));
    memcpy(&p->pages[to], &p->pages[first], n * sizeof(p->pages[0]));
    if (!keep) {
        memset(&p->pages[first], 0, n * sizeof(p->pages[0]));
        return;
    }
    /*
     * Linux takes the lock off the whole old VMA, of which the model knows only this part: leave no
     * doubt.
     */
    assert_int_equal(do_munlock(p->mm, address_of(first), PAGE_SIZE), 0);
    for (unsigned i = 0; i < PAGES; i++) {
        const struct vm_area_struct *vma = find_vma(p->mm, address_of(i));
        if (p->pages[i].mapped)
            p->pages[i].locked = (vma->vm_flags & VM_LOCKED) != 0;
    }
    for (unsigned i = first; i < first + n; i++)
        p->pages[i].value = 0;
}

static void model_fork(struct process *p)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        struct process *child = &processes[i];
        if (child->mm)
            continue;
        child->mm = mm_alloc(&p->mm->limits);
        assert_non_null(child->mm);
        mmu_load(p->mm);
        assert_int_equal(dup_mmap(child->mm, p->mm), 0);
        memcpy(child->pages, p->pages, sizeof(p->pages));
        for (unsigned j = 0; j < PAGES; j++) {
            child->pages[j].locked = false;
            if (child->pages[j].wiped)
                child->pages[j].value = 0;
            if (child->pages[j].absent_in_child)
                memset(&child->pages[j], 0, sizeof(child->pages[j]));
        }
        return;
    }
}

static void model_exit(struct process *p)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < PROCESSES; i++)
        alive += processes[i].mm != NULL;
    if (alive < 2)
        return;
    mmu_load(NULL);
    mmput(p->mm);
    memset(p, 0, sizeof(*p));
}

static void model_touch(struct process *p, unsigned page, enum mmu_access access)
{
    struct model_page *model = &p->pages[page];
    u8 byte = (u8)random_below(256);
    u8 written = byte;
    struct touch touch = mmu_access(p->mm, address_of(page) + 100, access, &byte);
    bool allowed = model->mapped && (access == MMU_WRITE   ? (model->prot & PROT_WRITE) != 0
                                     : access == MMU_READ ? model->prot != PROT_NONE
                                                          : (model->prot & PROT_EXEC) != 0);

    assert_int_equal(touch.done, allowed);
    if (!allowed)
        return;
    if (access == MMU_WRITE && model->shared)
        *model->cell = written;
    else if (access == MMU_WRITE)
        model->value = written;
    else if (access == MMU_READ)
        assert_int_equal(byte, model_value(model));
}

/* ---- checks ---- */

static void print_finding(const char *finding, void *context)
{
    print_error("audit after %s: %s\n", (const char *)context, finding);
}

/* What the tables say now, without a touch: an absent page holds zeroes, if it is one's own. */
static void compare_with_model(const struct process *p)
{
    for (unsigned i = 0; i < PAGES; i++) {
        const struct model_page *model = &p->pages[i];
        const struct vm_area_struct *vma = find_vma(p->mm, address_of(i));
        bool mapped = vma && vma->vm_start <= address_of(i);

        assert_int_equal(mapped, model->mapped);
        if (!mapped)
            continue;
        assert_int_equal(vma->vm_flags & VM_ACCESS_FLAGS, model->prot);
        assert_int_equal((vma->vm_flags & VM_LOCKED) != 0, model->locked);
        pte_t *ptep = pte_offset(p->mm->pgd, address_of(i));
        if (ptep && !pte_none(*ptep)) {
            const u8 *bytes = pte_pfn(*ptep) == zero_pfn ? empty_zero_page : page_address(pte_page(*ptep));
            assert_int_equal(bytes[100], model_value(model));
        } else if (!model->shared) {
            assert_int_equal(model->value, 0);
        }
    }
}

static void random_step(void)
{
    static const char *const names[] = { "read", "write", "execute", "mmap", "munmap", "mprotect",
                                         "MADV_DONTNEED", "mlock", "mremap", "fork", "exit",
                                         "mmap anywhere", "fork advice" };
    static const unsigned weights[] = { 20, 30, 3, 10, 6, 12, 5, 4, 8, 3, 3, 8, 3 };
    struct process *p;
    do
        p = &processes[random_below(PROCESSES)];
    while (!p->mm);
    unsigned first = random_below(PAGES), n = 1 + random_below(MIN(PAGES - first, 12u));
    unsigned total = 0, what = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(weights); i++)
        total += weights[i];
    unsigned dice = random_below(total);
    while (dice >= weights[what])
        dice -= weights[what++];
    mmu_load(p->mm);
    switch (what) {
    case 0: model_touch(p, first, MMU_READ); break;
    case 1: model_touch(p, first, MMU_WRITE); break;
    case 2: model_touch(p, first, MMU_EXECUTE); break;
    case 3: model_mmap(p, first, n); break;
    case 4: model_munmap(p, first, n); break;
    case 5: model_mprotect(p, first, n); break;
    case 6: model_dontneed(p, first, n); break;
    case 7: model_mlock(p, first, n); break;
    case 8: model_mremap(p, first, n); break;
    case 9: model_fork(p); break;
    case 10: model_exit(p); break;
    case 11: model_mmap_anywhere(p, n); break;
    default: model_fork_advice(p, first, n);
    }
    assert_int_equal(mm_audit(print_finding, (void *)names[what]), 0);
    const char *stale = mmu_tlb_audit();
    if (stale)
        fail_msg("after %s: %s", names[what], stale);
}

static void random_calls_agree_with_the_model(void **state)
{
    (void)state;
    const char *given = getenv("SEED"), *rounds_given = getenv("ROUNDS");
    unsigned long first_seed = given ? strtoul(given, NULL, 0) : 1;
    unsigned long rounds = rounds_given ? strtoul(rounds_given, NULL, 0) : 3;

    for (unsigned long seed = first_seed; seed < first_seed + rounds; seed++) {
        memory_init(8 * MIB);
        random_state = seed * 2654435761u;
        cells_used = 0;
        memset(cells, 0, sizeof(cells));
        memset(processes, 0, sizeof(processes));
        processes[0].mm = test_mm();
        processes[0].mm->mmap_base = address_of(PAGES);
        for (unsigned step = 0; step < STEPS; step++) {
            if (getenv("TRACE"))
                print_message("seed %lu step %u\n", seed, step);
            random_step();
            for (unsigned i = 0; i < PROCESSES && step % 8 == 0; i++)
                if (processes[i].mm)
                    compare_with_model(&processes[i]);
        }
        mmu_load(NULL);
        for (unsigned i = 0; i < PROCESSES; i++)
            if (processes[i].mm)
                mmput(processes[i].mm);
        assert_memory_is_sound();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { mm_test(random_calls_agree_with_the_model) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
