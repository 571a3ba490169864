/*
 * Where a mapping goes: at the wanted place, or in a hole that is large enough.
 */
#include "mm/mmap_flags.h"
#include "mm/unmapped_area.h"
#include "mm/vma.h"

/* Where MAP_32BIT looks, and where the bottom-up search of last resort begins. */
#define LOW_WINDOW_START 0x40000000ul
#define LOW_WINDOW_END 0x80000000ul
#define TASK_UNMAPPED_BASE PAGE_ALIGN(TASK_SIZE / 3)

static bool is_free(struct mm_struct *mm, unsigned long address, unsigned long length)
{
    const struct vm_area_struct *vma = find_vma(mm, address);
    return !vma || address + length <= vm_start_gap(vma);
}

/* From the bottom: MAP_32BIT, and when the top-down area is full. */
static unsigned long unmapped_area_bottomup(struct mm_struct *mm, unsigned long hint,
                                            unsigned long length, unsigned long flags)
{
    unsigned long low = TASK_UNMAPPED_BASE, high = TASK_SIZE;

    if (flags & MAP_32BIT) {
        low = LOW_WINDOW_START;
        high = LOW_WINDOW_END;
    }
    if (length > high)
        return (unsigned long)-ENOMEM;
    if (hint && high - length >= hint && is_free(mm, hint, length))
        return hint;
    return vm_unmapped_area_bottomup(mm, length, low, high);
}

/*
 * HINT when that is free, else the highest free range below mmap_base. HINT and LENGTH are
 * page-aligned.
 */
static unsigned long unmapped_area(struct mm_struct *mm, unsigned long hint, unsigned long length,
                                   unsigned long flags)
{
    if (unlikely(flags & MAP_32BIT))
        return unmapped_area_bottomup(mm, hint, length, flags);

    if (hint && hint <= TASK_SIZE - length && is_free(mm, hint, length))
        return hint;

    unsigned long address = next_hole(mm, length);
    if (likely(address))
        return address;
    address = vm_unmapped_area_topdown(mm, length, PAGE_SIZE, mm->mmap_base);
    if (likely(!IS_ERR_VALUE(address)))
        return address;
    return unmapped_area_bottomup(mm, hint, length, flags);
}

/* A null pointer of the kernel's or of a program's must not lead anywhere; but Linux lets root have it so. */
static bool may_map_below_minimum(const struct mm_struct *mm, unsigned long address)
{
    return low_mappings_allowed && (mm->may_map_low || address >= dac_mmap_min_addr);
}

unsigned long get_unmapped_area(struct mm_struct *mm, unsigned long address, unsigned long length,
                                unsigned long flags)
{
    if (length > TASK_SIZE)
        return (unsigned long)-ENOMEM;
    if (!(flags & MAP_FIXED)) {
        address = unmapped_area(mm, address, length, flags);
        if (IS_ERR_VALUE(address))
            return address;
    }
    if (address > TASK_SIZE - length)
        return (unsigned long)-ENOMEM;
    if (!IS_ALIGNED(address, PAGE_SIZE))
        return (unsigned long)-EINVAL;
    if (unlikely(address < mmap_min_addr) && !may_map_below_minimum(mm, address))
        return (unsigned long)-EPERM;
    return address;
}

unsigned long round_hint(unsigned long address, unsigned long flags)
{
    if (flags & MAP_FIXED)
        return address;
    address &= PAGE_MASK;
    return address && address < mmap_min_addr ? PAGE_ALIGN(mmap_min_addr) : address;
}

unsigned long get_huge_unmapped_area(struct mm_struct *mm, unsigned long hint, unsigned long length,
                                     unsigned long *flags)
{
    const unsigned long slack = HUGE_PAGE_SIZE - PAGE_SIZE;
    unsigned long place = hint & HUGE_PAGE_MASK;

    if (hint && !(*flags & MAP_FIXED) && place <= TASK_SIZE - length && is_free(mm, place, length)) {
        *flags |= MAP_FIXED;
        hint = place;
    }
    if (*flags & MAP_FIXED)
        return get_unmapped_area(mm, hint, length, *flags);
    place = get_unmapped_area(mm, 0, length + slack, 0);
    return IS_ERR_VALUE(place) ? place : (place + slack) & HUGE_PAGE_MASK;
}
