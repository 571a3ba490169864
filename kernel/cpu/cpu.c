/* Finds out what the processor can do and sets its control registers accordingly. */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

/* Control registers (SDM vol. 3A, 2.5). */
#define CR0_MP (1ul << 1)       /* WAIT obeys TS */
#define CR0_EM (1ul << 2)       /* emulate the FPU */
#define CR0_TS (1ul << 3)
#define CR0_NE (1ul << 5)       /* FPU errors are exception 16, not an interrupt */
#define CR0_WP (1ul << 16)      /* read-only pages are read-only for the kernel too */
#define CR0_AM (1ul << 18)      /* ring 3 may switch alignment checks on */
#define CR0_NW (1ul << 29)
#define CR0_CD (1ul << 30)      /* with NW: the caches are off */
#define CR4_MCE (1ul << 6)
#define CR4_PGE (1ul << 7)
#define CR4_OSFXSR (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_UMIP (1ul << 11)
#define CR4_FSGSBASE (1ul << 16)
#define CR4_OSXSAVE (1ul << 18)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)

/* CPUID leaf 1. */
#define CPUID_1_ECX_RDRAND (1u << 30)
#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_1_EDX_MCE (1u << 7)
#define CPUID_1_EDX_PGE (1u << 13)
/* CPUID leaf 7, subleaf 0. */
#define CPUID_7_EBX_FSGSBASE (1u << 0)
#define CPUID_7_EBX_SMEP (1u << 7)
#define CPUID_7_EBX_SMAP (1u << 20)
#define CPUID_7_ECX_UMIP (1u << 2)
/* CPUID leaf 0x80000001. */
#define CPUID_EXT_EDX_SYSCALL (1u << 11)
#define CPUID_EXT_EDX_NX (1u << 20)
#define CPUID_EXT_EDX_1GIB_PAGES (1u << 26)
#define CPUID_EXTENDED_FEATURES 0x80000001u

/* XCR0: which parts of the FPU state exist for programs (SDM vol. 1, 13.3). */
#define XSTATE_X87 (1u << 0)
#define XSTATE_SSE (1u << 1)
#define XSTATE_AVX (1u << 2)
#define CPUID_XSAVE 0xd
#define FXSAVE_SIZE 512

#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_SFMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define EFER_SCE (1u << 0)
#define EFER_NXE (1u << 11)

struct cpuid_registers {
    u32 eax, ebx, ecx, edx;
};

/*
 * One place for STAC or CLAC: three bytes of text, and what belongs there on a processor with SMAP.
 */
struct smap_site {
    u8 *text;
    u64 instruction;
};
#define SMAP_INSTRUCTION_SIZE 3
extern const struct smap_site smap_sites_start[], smap_sites_end[];

struct exception_table_entry {
    unsigned long fault, landing;
};
extern const struct exception_table_entry ex_table_start[], ex_table_end[];

struct cpu_info this_cpu;
static u32 feature_word;

/* kernel/cpu/entry.asm */
void asm_compat_syscall_entry(void);

static struct cpuid_registers cpuid(u32 leaf, u32 subleaf)
{
    struct cpuid_registers r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

static void wrmsr(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static u64 rdmsr(u32 msr)
{
    u32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

static void xsetbv(u64 value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
}

static void find_features(void)
{
    struct cpuid_registers highest = cpuid(0, 0), basic = cpuid(1, 0), extended = cpuid(CPUID_EXTENDED_FEATURES, 0);
    struct cpuid_registers seven = { 0 };

    if (highest.eax >= 7)
        seven = cpuid(7, 0);
    feature_word = basic.edx;
    this_cpu.has_xsave = basic.ecx & CPUID_1_ECX_XSAVE;
    this_cpu.has_rdrand = basic.ecx & CPUID_1_ECX_RDRAND;
    this_cpu.has_fsgsbase = seven.ebx & CPUID_7_EBX_FSGSBASE;
    this_cpu.has_smep = seven.ebx & CPUID_7_EBX_SMEP;
    this_cpu.has_smap = seven.ebx & CPUID_7_EBX_SMAP;
    this_cpu.has_umip = seven.ecx & CPUID_7_ECX_UMIP;
    this_cpu.has_nx = extended.edx & CPUID_EXT_EDX_NX;
    this_cpu.has_1gib_pages = extended.edx & CPUID_EXT_EDX_1GIB_PAGES;
    this_cpu.has_syscall = extended.edx & CPUID_EXT_EDX_SYSCALL;
}

static void set_cr0(void)
{
    unsigned long cr0;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0 &= ~(CR0_EM | CR0_TS | CR0_NW | CR0_CD);
    cr0 |= CR0_MP | CR0_NE | CR0_WP | CR0_AM;
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
}

static void set_cr4(void)
{
    unsigned long cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    cr4 |= feature_word & CPUID_1_EDX_MCE ? CR4_MCE : 0;
    cr4 |= feature_word & CPUID_1_EDX_PGE ? CR4_PGE : 0;
    cr4 |= this_cpu.has_umip ? CR4_UMIP : 0;
    cr4 |= this_cpu.has_fsgsbase ? CR4_FSGSBASE : 0;
    cr4 |= this_cpu.has_xsave ? CR4_OSXSAVE : 0;
    cr4 |= this_cpu.has_smep ? CR4_SMEP : 0;
    cr4 |= this_cpu.has_smap ? CR4_SMAP : 0;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

/* Needs CR4.OSXSAVE. */
static void choose_fpu_state(void)
{
    this_cpu.xsave_size = FXSAVE_SIZE;
    this_cpu.xsave_mask = XSTATE_X87 | XSTATE_SSE;
    if (!this_cpu.has_xsave)
        return;
    this_cpu.xsave_mask = cpuid(CPUID_XSAVE, 0).eax & (XSTATE_X87 | XSTATE_SSE | XSTATE_AVX);
    xsetbv(this_cpu.xsave_mask);
    this_cpu.xsave_size = cpuid(CPUID_XSAVE, 0).ebx;    /* of the parts that XCR0 now names */
}

/* SDM vol. 3A, 5.8.8. SYSCALL clears the flags that SFMASK names. */
static void set_syscall_registers(void)
{
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
    wrmsr(MSR_STAR, (u64)USER32_CS << 48 | (u64)KERNEL_CS << 32);
    wrmsr(MSR_LSTAR, (u64)asm_syscall_entry);
    wrmsr(MSR_CSTAR, (u64)asm_compat_syscall_entry);
    wrmsr(MSR_SFMASK, FLAGS_TF | FLAGS_IF | FLAGS_DF | FLAGS_IOPL | FLAGS_NT | FLAGS_AC | FLAGS_RF);
}

/* The text is still writable: kernel_map_init comes later. */
static void patch_smap_sites(void)
{
    for (const struct smap_site *site = smap_sites_start; site < smap_sites_end; site++)
        memcpy(site->text, &site->instruction, SMAP_INSTRUCTION_SIZE);
}

void cpu_init(void)
{
    find_features();
    if (!this_cpu.has_nx || !this_cpu.has_syscall)
        panic("this processor lacks %s, which the kernel needs", this_cpu.has_nx ? "SYSCALL" : "NX (no-execute pages)");
    set_cr0();
    if (this_cpu.has_smap)
        patch_smap_sites();
    set_cr4();
    choose_fpu_state();
    set_syscall_registers();
}

u32 cpu_feature_word(void)
{
    return feature_word;
}

void cpu_set_fs_base(unsigned long base)
{
    if (this_cpu.has_fsgsbase)
        __asm__ volatile("wrfsbase %0" : : "r"(base));
    else
        wrmsr(MSR_FS_BASE, base);
}

unsigned long cpu_get_fs_base(void)
{
    unsigned long base;

    if (!this_cpu.has_fsgsbase)
        return rdmsr(MSR_FS_BASE);
    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

void cpu_set_gs_base(unsigned long base)
{
    if (this_cpu.has_fsgsbase)
        __asm__ volatile("wrgsbase %0" : : "r"(base));
    else
        wrmsr(MSR_GS_BASE, base);
}

unsigned long cpu_get_gs_base(void)
{
    unsigned long base;

    if (!this_cpu.has_fsgsbase)
        return rdmsr(MSR_GS_BASE);
    __asm__ volatile("rdgsbase %0" : "=r"(base));
    return base;
}

/* RDRAND may have nothing for a moment; ten tries are what the SDM recommends (vol. 1, 7.3.17.1). */
#define RDRAND_TRIES 10

u64 cpu_random(void)
{
    u64 number, clock = rdtsc();

    for (int i = 0; this_cpu.has_rdrand && i < RDRAND_TRIES; i++) {
        bool ok;
        __asm__ volatile("rdrand %0" : "=r"(number), "=@ccc"(ok));
        if (ok)
            return number ^ clock;
    }
    return clock;
}

u64 cpu_entropy(void)
{
    static u64 state;

    /* The finaliser of MurmurHash3: each bit of the input reaches each of the result. */
    state += cpu_random();
    state = (state ^ state >> 33) * 0xff51afd7ed558ccdull;
    state = (state ^ state >> 33) * 0xc4ceb9fe1a85ec53ull;
    return state ^ state >> 33;
}

bool fixup_exception(struct pt_regs *regs)
{
    for (const struct exception_table_entry *entry = ex_table_start; entry < ex_table_end; entry++) {
        if (entry->fault == regs->ip) {
            regs->ip = entry->landing;
            this_cpu.fixup_error = (u32)regs->orig_ax;
            return true;
        }
    }
    return false;
}
