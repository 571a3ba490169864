/*
 * The processor header of mm/ for host tests: an arena plays physical memory, and what would be an instruction
 * is recorded. The processor itself (page walks, TLB, faults) is played by tests/host/mmu.c.
 */
#ifndef TESTS_HOST_ARCH_HOST_H
#define TESTS_HOST_ARCH_HOST_H

#include <string.h>
#include "mm/types.h"

/* Physical memory: byte 0 is physical address 0. */
extern u8 *host_memory;
extern u64 host_memory_size;

static inline void *phys_to_virt(phys_addr_t address)
{
    return host_memory + address;
}

static inline phys_addr_t virt_to_phys(const void *address)
{
    return (phys_addr_t)((const u8 *)address - host_memory);
}

/* The kernel image of the tests: just addresses, for the parts that linker.ld names in the real one. */
#define kernel_start ((u8 *)0xffffffff80100000ul)
#define text_start ((u8 *)0xffffffff80100000ul)
#define text_end ((u8 *)0xffffffff80120000ul)
#define rodata_start ((u8 *)0xffffffff80120000ul)
#define rodata_end ((u8 *)0xffffffff80130000ul)
#define data_start ((u8 *)0xffffffff80130000ul)
#define data_end ((u8 *)0xffffffff80140000ul)
#define bss_start ((u8 *)0xffffffff80140000ul)
#define bss_end ((u8 *)0xffffffff80180000ul)
#define kernel_end ((u8 *)0xffffffff80180000ul)
/* Where empty_zero_page, whose real place is in the test's own data, lies in that image. */
#define HOST_ZERO_FRAME 0x150000ul

/* An address of the image above, or empty_zero_page. */
phys_addr_t image_to_phys(const void *address);

/* Forget translations in the played TLB; both are recorded (see tests/host/mmu.h). */
void arch_flush_page(unsigned long address);
void arch_load_cr3(phys_addr_t pgd);
phys_addr_t arch_read_cr3(void);

static inline void fill_words(void *to, u64 value, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        memcpy((u8 *)to + 8 * i, &value, 8);
}

static inline void clear_page(void *page)
{
    memset(page, 0, PAGE_SIZE);
}

static inline void copy_words(void *to, const void *from, unsigned long count)
{
    memcpy(to, from, 8 * count);
}

static inline void copy_page(void *to, const void *from)
{
    memcpy(to, from, PAGE_SIZE);
}

/*
 * Copies between the test's memory and the loaded test address space through the played processor, byte by
 * byte, with faults. Return the bytes NOT copied.
 */
unsigned long arch_copy_from_user(void *to, unsigned long from, unsigned long n);
unsigned long arch_copy_to_user(unsigned long to, const void *from, unsigned long n);
unsigned long arch_clear_user(void *to, unsigned long n);

/* Free frames and free kernel objects may not be touched: AddressSanitizer is told. */
void arch_memory_allocated(void *start, size_t size);
void arch_memory_freed(void *start, size_t size);
extern unsigned long host_frees;        /* how often something has been taken back */

#endif
