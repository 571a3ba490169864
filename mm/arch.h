/*
 * The only window from mm/ to the processor. The kernel's answers are instructions; a host test's are an array
 * that plays physical memory (tests/host/arch_host.h, chosen with -DZEROPAGE_HOST).
 */
#ifndef MM_ARCH_H
#define MM_ARCH_H

#include "mm/types.h"

#ifdef ZEROPAGE_HOST
#include "tests/host/arch_host.h"
#else

static inline void *phys_to_virt(phys_addr_t address)
{
    return (void *)(address + PAGE_OFFSET);
}

/* ADDRESS lies in the direct map (not in the kernel image: see image_to_phys). */
static inline phys_addr_t virt_to_phys(const void *address)
{
    return (phys_addr_t)address - PAGE_OFFSET;
}

static inline phys_addr_t image_to_phys(const void *address)
{
    return (phys_addr_t)address - KERNEL_IMAGE_BASE;
}

/* Forgets one page's translation in this address space (INVLPG, SDM vol. 3A, 4.10.4.1). */
static inline void arch_flush_page(unsigned long address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* Loads CR3 with the PML4 at physical address PGD; forgets every non-global translation. */
static inline void arch_load_cr3(phys_addr_t pgd)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(pgd) : "memory");
}

static inline phys_addr_t arch_read_cr3(void)
{
    phys_addr_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value & PTE_FRAME_MASK;
}

/* Stores VALUE in COUNT 8-byte words at TO. One counted instruction per word. */
static inline void fill_words(void *to, u64 value, unsigned long count)
{
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

/* Fills one page with zeroes. PAGE is its address in the direct map. 512 counted instructions. */
static inline void clear_page(void *page)
{
    fill_words(page, 0, PAGE_SIZE / 8);
}

/* Copies COUNT 8-byte words. */
static inline void copy_words(void *to, const void *from, unsigned long count)
{
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static inline void copy_page(void *to, const void *from)
{
    copy_words(to, from, PAGE_SIZE / 8);
}

/*
 * Copies N bytes where one side is user memory of the current address space (already checked to lie below
 * TASK_SIZE). Faults are taken and mended by the fault handler; where that is impossible the copy stops.
 * Returns the bytes NOT copied. kernel/cpu/user_access.asm: the only instructions that run with EFLAGS.AC set
 * under SMAP.
 */
unsigned long arch_copy_user(void *to, const void *from, unsigned long n);
unsigned long arch_clear_user(void *to, unsigned long n);

/*
 * The two directions by name: mm/ uses these, since on the host a user address is not a pointer. Return the
 * bytes NOT copied.
 */
static inline unsigned long arch_copy_from_user(void *to, unsigned long from, unsigned long n)
{
    return arch_copy_user(to, (const void *)from, n);
}

static inline unsigned long arch_copy_to_user(unsigned long to, const void *from, unsigned long n)
{
    return arch_copy_user((void *)to, from, n);
}

/* The kernel image's parts, page-aligned, from linker.ld. All lie at KERNEL_IMAGE_BASE + their physical address. */
extern u8 kernel_start[], text_start[], text_end[], rodata_start[], rodata_end[];
extern u8 data_start[], data_end[], bss_start[], bss_end[], kernel_end[];

/*
 * Called when SIZE bytes of frames or of a kernel object are given out or taken back. Only a host's sanitizer
 * wants to know.
 */
static inline void arch_memory_allocated(void *start, size_t size) { (void)start, (void)size; }
static inline void arch_memory_freed(void *start, size_t size) { (void)start, (void)size; }

#endif
#endif
