/*
 * Saves and restores the FPU, SSE and AVX registers of programs; the kernel itself never uses them.
 */
#include "kernel/cpu/cpu.h"

/* Where the FXSAVE area, which every format begins with, keeps them (SDM vol. 1, table 10-2). */
#define AREA_CONTROL_WORD 0
#define AREA_MXCSR 24
#define AREA_MXCSR_MASK 28

#define INITIAL_CONTROL_WORD 0x37f
#define INITIAL_MXCSR 0x1f80
#define INITIAL_MXCSR_MASK 0xffff

void fpu_init_state(void *area)
{
    u8 *bytes = area;

    *(u16 *)(bytes + AREA_CONTROL_WORD) = INITIAL_CONTROL_WORD;
    *(u32 *)(bytes + AREA_MXCSR) = INITIAL_MXCSR;
    *(u32 *)(bytes + AREA_MXCSR_MASK) = INITIAL_MXCSR_MASK;
}

void fpu_save(void *area)
{
    if (this_cpu.has_xsave)
        __asm__ volatile("xsave64 (%0)"
                         : : "r"(area), "a"((u32)this_cpu.xsave_mask), "d"((u32)(this_cpu.xsave_mask >> 32)) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

/* A fault at INSTRUCTION (reserved bits in what is loaded) leaves OKAY false. */
#define LOAD_STATE(instruction, okay, area)                                                         \
    __asm__ volatile("1: " instruction " (%1)\n"                                                    \
                     "   movb $1, %0\n"                                                             \
                     "2:\n"                                                                         \
                     ".pushsection __ex_table, \"a\"\n"                                             \
                     ".quad 1b, 2b\n"                                                               \
                     ".popsection"                                                                  \
                     : "+q"(okay)                                                                   \
                     : "r"(area), "a"((u32)this_cpu.xsave_mask), "d"((u32)(this_cpu.xsave_mask >> 32)) \
                     : "memory")

static bool load_state(const void *area)
{
    bool okay = false;

    if (this_cpu.has_xsave)
        LOAD_STATE("xrstor64", okay, area);
    else
        LOAD_STATE("fxrstor64", okay, area);
    return okay;
}

bool fpu_restore(const void *area)
{
    /* An XSAVE area whose header names no part loads the initial state of all. */
    static u8 initial_state[4096] __aligned(64);

    if (likely(load_state(area)))
        return true;
    fpu_init_state(initial_state);
    load_state(initial_state);
    return false;
}
