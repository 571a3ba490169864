/*
 * The self-tests: mistakes of the kernel's own, each of which a defence has to stop, and a way to see what it leaves
 * behind. Only with the kernel option selftest, and only for root (sys_reboot). tests/attacks/hardening.t boots a
 * machine for each.
 */
#include "kernel/proc/self_test.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/sched/task.h"
#include "mm/kstack.h"
#include "mm/page_alloc.h"
#include "mm/page_table.h"
#include "mm/quarantine.h"
#include "mm/slab.h"

#define RETURN_INSTRUCTION 0xc3

bool self_tests_allowed;

static const char constant[] = "a constant";
static u8 data_with_code[] = { RETURN_INSTRUCTION };

/* What the compiler can't see through, and so can't warn of or leave out. */
static volatile u8 *hide(unsigned long address)
{
    __asm__ volatile("" : "+r"(address));
    return (volatile u8 *)address;
}

static void write_at(unsigned long address)
{
    *hide(address) = RETURN_INSTRUCTION;
}

static void execute_at(unsigned long address)
{
    ((void (*)(void))(unsigned long)hide(address))();
}

/* ADDRESS of the image as the direct map shows it. */
static unsigned long through_direct_map(const void *address)
{
    return (unsigned long)phys_to_virt(image_to_phys(address));
}

static void write_text(unsigned long unused) { (void)unused; write_at((unsigned long)self_test); }
static void write_constant(unsigned long unused) { (void)unused; write_at((unsigned long)constant); }
static void write_zero_frame(unsigned long unused) { (void)unused; write_at((unsigned long)empty_zero_page); }
static void write_text_directly(unsigned long unused) { (void)unused; write_at(through_direct_map(self_test)); }
static void write_zero_frame_directly(unsigned long unused)
{
    (void)unused;
    write_at(through_direct_map(empty_zero_page));
}

static void execute_data(unsigned long unused) { (void)unused; execute_at((unsigned long)data_with_code); }
static void execute_constant(unsigned long unused) { (void)unused; execute_at((unsigned long)constant); }
static void execute_direct_map(unsigned long unused)
{
    struct page *page = alloc_page(PAGE_KERNEL);

    (void)unused;
    if (!page)
        return;
    write_at((unsigned long)page_address(page));
    execute_at((unsigned long)page_address(page));
}

static void execute_stack(unsigned long unused)
{
    volatile u8 code[8] = { RETURN_INSTRUCTION };

    (void)unused;
    execute_at((unsigned long)code);
}

static void read_user(unsigned long address) { (void)*hide(address); }
static void write_user(unsigned long address) { write_at(address); }
static void execute_user(unsigned long address) { execute_at(address); }
static void follow_null(unsigned long unused) { (void)unused; (void)*hide(8); }

static void __attribute__((noinline)) recurse(volatile u8 *above)
{
    volatile u8 here[256];

    here[0] = *above;
    if (*hide((unsigned long)here) == *above)
        recurse(here);
    here[255] = here[0];    /* not a tail call */
}

static void overflow_stack(unsigned long unused)
{
    u8 start = 0;

    (void)unused;
    recurse(&start);
}

static void write_guard(unsigned long unused)
{
    (void)unused;
    write_at(this_cpu.kernel_stack_top - KSTACK_SIZE - 1);
}

static void __attribute__((noinline)) smash_stack(unsigned long unused)
{
    volatile u8 array[16] = { 0 };

    (void)unused;
    for (unsigned i = 0; i < sizeof(array) + 16; i++)
        *hide((unsigned long)array + i) = 'A';
}

/*
 * By a pointer that was kept, when somebody else has been given a frame already. Without a quarantine that is the same
 * one: nobody notices. With it (debug build) the write is found when the frame comes out.
 */
static void write_freed(unsigned long unused)
{
    struct page *page = alloc_page(PAGE_KERNEL), *other;

    (void)unused;
    if (!page)
        return;
    free_pages(page, 0);
    other = alloc_page(PAGE_KERNEL);
    write_at((unsigned long)page_address(page) + 0x123);
    for (unsigned i = 0; other && i < QUARANTINE_FRAMES_MAX; i++) {
        free_pages(other, 0);
        other = alloc_page(PAGE_KERNEL);
    }
    if (other)
        free_pages(other, 0);
}

/* ---- the way back ---- */

#define NOT_CANONICAL 0x0000800000000000ul

/* As if the program had made this call from there: SYSRET, unlike IRETQ, would fault in the kernel, on the program's stack. */
static void return_nowhere(unsigned long unused)
{
    struct pt_regs *regs = task_regs(current);

    (void)unused;
    regs->ip = regs->cx = NOT_CANONICAL;
}

#define DR7_BREAKPOINT_0 (1ul << 1)
#define DR7_ACCESS_0 (3ul << 16)    /* of data, read or written */
#define DR7_TWO_BYTES_0 (1ul << 18)

/* No mistake: a breakpoint on the program's data, which only the kernel can set. */
static void watch(unsigned long address)
{
    __asm__ volatile("mov %0, %%dr0\n\tmov %1, %%dr7" : : "r"(address), "r"(DR7_BREAKPOINT_0 | DR7_ACCESS_0 | DR7_TWO_BYTES_0));
}

/* ---- what the kernel leaves behind ---- */

#define STAIN 0xd7              /* tests/attacks/stains.c looks for it */
#define STAINED_OBJECTS 64      /* of each size: more than a magazine holds */
#define STAINED_FRAMES 64

static void stain_objects(size_t size)
{
    void *objects[STAINED_OBJECTS];

    for (unsigned i = 0; i < STAINED_OBJECTS; i++)
        if ((objects[i] = kmalloc(size)) != NULL)
            memset(objects[i], STAIN, size);
    for (unsigned i = 0; i < STAINED_OBJECTS; i++)
        kfree(objects[i]);
}

static void stain_frames(void)
{
    struct page *pages[STAINED_FRAMES];

    for (unsigned i = 0; i < STAINED_FRAMES; i++)
        if ((pages[i] = alloc_page(PAGE_KERNEL)) != NULL)
            memset(page_address(pages[i]), STAIN, PAGE_SIZE);
    for (unsigned i = 0; i < STAINED_FRAMES; i++)
        if (pages[i])
            free_pages(pages[i], 0);
}

/* No mistake: free memory holds stains, and so does whatever the next calls take of it and do not fill in. */
static void stain_memory(unsigned long unused)
{
    (void)unused;
    for (size_t size = 16; size <= PAGE_SIZE / 2; size += 16)
        stain_objects(size);
    stain_frames();
}

/*
 * The same for the whole of this task's stack: returns to the program from here, for the frames of its callers are
 * gone. Not together with the other, which takes so long that the timer's interrupt is due, and would be the next to use
 * the stack.
 */
static void stain_stack(unsigned long unused)
{
    struct pt_regs *regs = task_regs(current);
    unsigned long bottom = this_cpu.kernel_stack_top - KSTACK_SIZE;

    (void)unused;
    regs->ax = 0;
    __asm__ volatile("mov %0, %%rsp\n\trep stosb\n\tjmp asm_return_to_user"
                     : : "r"(regs), "D"(bottom), "c"((unsigned long)regs - bottom), "a"(STAIN) : "memory");
    __builtin_unreachable();
}

static const struct {
    const char *name;
    void (*run)(unsigned long address);
} tests[] = {
    { "write-text", write_text },
    { "write-constant", write_constant },
    { "write-zero-frame", write_zero_frame },
    { "write-text-directly", write_text_directly },
    { "write-zero-frame-directly", write_zero_frame_directly },
    { "execute-data", execute_data },
    { "execute-constant", execute_constant },
    { "execute-direct-map", execute_direct_map },
    { "execute-stack", execute_stack },
    { "read-user", read_user },
    { "write-user", write_user },
    { "execute-user", execute_user },
    { "follow-null", follow_null },
    { "overflow-stack", overflow_stack },
    { "write-guard", write_guard },
    { "smash-stack", smash_stack },
    { "write-freed", write_freed },
    { "return-nowhere", return_nowhere },
    { "watch", watch },
    { "stain-memory", stain_memory },
    { "stain-stack", stain_stack },
};

long self_test(const char *name, unsigned long address)
{
    for (size_t i = 0; self_tests_allowed && i < ARRAY_SIZE(tests); i++) {
        if (strcmp(tests[i].name, name) == 0) {
            tests[i].run(address);
            return 0;
        }
    }
    return -EINVAL;
}
