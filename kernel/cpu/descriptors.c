/*
 * The tables that the processor reads: segments (GDT), entry points (IDT), and stacks for the entry
 * points (TSS).
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/die.h"
#include "kernel/cpu/pic.h"
#include "kernel/lib/sections.h"

#define EXCEPTION_STACK_SIZE 8192

enum exception_vector {
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_BREAKPOINT = 3,
    VECTOR_OVERFLOW = 4,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_MACHINE_CHECK = 18,
    EXCEPTION_COUNT = 32,
};
#define GATE_COUNT (EXCEPTION_COUNT + IRQ_COUNT)

/*
 * Vectors that may come while the stack pointer is not to be trusted have stacks of their own. The
 * debug exception too: one that a program delayed with MOV SS arrives at the first instruction
 * after SYSCALL, with the program's stack pointer.
 */
enum exception_stack { STACK_DOUBLE_FAULT, STACK_NMI, STACK_MACHINE_CHECK, STACK_DEBUG, EXCEPTION_STACKS };

/* SDM vol. 3A, 8.7: the 64-bit task state segment. */
struct tss {
    u32 reserved0;
    u64 rsp[3];         /* the stack for an entry from ring 3 is rsp[0] */
    u64 reserved1;
    u64 ist[7];         /* IST 1…7 */
    u64 reserved2;
    u16 reserved3;
    u16 io_map_base;    /* beyond the segment's limit: no port is allowed to ring 3 */
} __packed;

/* SDM vol. 3A, 6.14.1: a 64-bit interrupt gate. */
struct gate {
    u16 offset_low, selector;
    u8 ist, type;
    u16 offset_middle;
    u32 offset_high, reserved;
};
#define GATE_INTERRUPT 0x8e     /* present; interrupts off on entry */
#define GATE_RING3 0x60         /* ring 3 may use it by INT n */

/*
 * Segment descriptors; the accessed bit is set already, so that the processor never writes to the
 * table (SDM vol. 3A, 3.4.5).
 */
#define SEGMENT_KERNEL_CODE 0x00af9b000000ffffull
#define SEGMENT_KERNEL_DATA 0x00cf93000000ffffull
#define SEGMENT_USER_DATA 0x00cff3000000ffffull
#define SEGMENT_USER_CODE 0x00affb000000ffffull
#define SEGMENT_TSS 0x0000890000000000ull
#define TSS_INDEX (TSS_SELECTOR / 8)

struct table_pointer {
    u16 limit;
    const void *base;
} __packed;

/* USER32_CS only gives SYSRET its base: there is no 32-bit mode, so its descriptor is empty. */
static u64 gdt[TSS_INDEX + 2] __ro_after_init = {
    [KERNEL_CS / 8] = SEGMENT_KERNEL_CODE,
    [KERNEL_DS / 8] = SEGMENT_KERNEL_DATA,
    [USER_DS / 8] = SEGMENT_USER_DATA,
    [USER_CS / 8] = SEGMENT_USER_CODE,
};
static struct gate idt[GATE_COUNT] __ro_after_init;
static struct tss tss = { .io_map_base = sizeof(struct tss) };
static u8 exception_stacks[EXCEPTION_STACKS][EXCEPTION_STACK_SIZE] __aligned(16);

/* kernel/cpu/entry.asm: where each vector goes. */
extern const unsigned long entry_stubs[GATE_COUNT];

const char *const exception_names[EXCEPTION_COUNT] = {
    "divide error", "debug exception", "non-maskable interrupt", "breakpoint", "overflow", "bound range exceeded",
    "invalid opcode", "device not available", "double fault", "coprocessor segment overrun", "invalid TSS",
    "segment not present", "stack-segment fault", "general protection fault", "page fault", "exception 15",
    "x87 floating-point error", "alignment check", "machine check", "SIMD floating-point exception",
    "virtualization exception", "control protection exception", "exception 22", "exception 23", "exception 24",
    "exception 25", "exception 26", "exception 27", "hypervisor injection exception", "VMM communication exception",
    "security exception", "exception 31",
};

/* IST number, 1 to 7, of the stack that VECTOR has of its own; 0: none. */
static u8 ist_of(unsigned vector)
{
    switch (vector) {
    case VECTOR_DOUBLE_FAULT:
        return STACK_DOUBLE_FAULT + 1;
    case VECTOR_NMI:
        return STACK_NMI + 1;
    case VECTOR_MACHINE_CHECK:
        return STACK_MACHINE_CHECK + 1;
    case VECTOR_DEBUG:
        return STACK_DEBUG + 1;
    default:
        return 0;
    }
}

static void fill_idt(void)
{
    for (unsigned vector = 0; vector < GATE_COUNT; vector++) {
        unsigned long entry = entry_stubs[vector];
        bool for_ring3 = vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW;
        idt[vector] = (struct gate){
            .offset_low = (u16)entry,
            .selector = KERNEL_CS,
            .ist = ist_of(vector),
            .type = for_ring3 ? GATE_INTERRUPT | GATE_RING3 : GATE_INTERRUPT,
            .offset_middle = (u16)(entry >> 16),
            .offset_high = (u32)(entry >> 32),
        };
    }
}

static void fill_tss(void)
{
    unsigned long base = (unsigned long)&tss;

    for (unsigned i = 0; i < EXCEPTION_STACKS; i++)
        tss.ist[i] = (u64)exception_stacks[i] + EXCEPTION_STACK_SIZE;
    gdt[TSS_INDEX] = SEGMENT_TSS | (sizeof(tss) - 1) | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    gdt[TSS_INDEX + 1] = base >> 32;
}

void descriptors_init(void)
{
    struct table_pointer gdt_pointer = { sizeof(gdt) - 1, gdt }, idt_pointer = { sizeof(idt) - 1, idt };

    fill_tss();
    fill_idt();
    /*
     * CS and SS keep their selectors: boot/entry.asm's table has the same segments. The reset state
     * of the LDT is one of 64 KiB at address 0 (SDM vol. 3A, table 10-1): without LLDT a program's
     * bad selector would read user memory as a table.
     */
    __asm__ volatile("lgdt %0\n\tlidt %1\n\tltr %w2\n\tlldt %w3"
                     : : "m"(gdt_pointer), "m"(idt_pointer), "r"(TSS_SELECTOR), "r"(0) : "memory");
    pic_init();
}

void cpu_set_kernel_stack(unsigned long top)
{
    this_cpu.kernel_stack_top = top;
    tss.rsp[0] = top;
}

bool cpu_is_exception_stack(unsigned long address)
{
    return address - (unsigned long)exception_stacks < sizeof(exception_stacks);
}
