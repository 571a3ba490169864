/*
 * Accesses to user memory for host tests: with page faults served by mm/ itself, from ring 3 or by the kernel's
 * user copies.
 */
#include "kernel/lib/panic.h"
#include "tests/host/mmu.h"

#define FAULTS_PER_ACCESS 4     /* more means that a fault was served without effect */

/* Like mmu_translate, with faults served; NULL when one is refused or fails. */
static u8 *translate_with_faults(unsigned long address, enum mmu_access access, bool user,
                                 struct touch *touch)
{
    unsigned error;
    u8 *place;

    while ((place = mmu_translate(address, access, user, &error)) == NULL) {
        touch->faults++;
        touch->error = error;
        touch->outcome = do_user_addr_fault(mmu_loaded_mm, address, error, 0);
        if (fault_failed(touch->outcome))
            return NULL;
        if (touch->faults > FAULTS_PER_ACCESS)
            panic("a fault at 0x%lx (error code %u) is served again and again with outcome \"%s\"", address,
                  error, fault_outcome_names[touch->outcome]);
    }
    return place;
}

struct touch mmu_access(struct mm_struct *mm, unsigned long address, enum mmu_access access, u8 *byte)
{
    struct touch touch = { .outcome = FAULT_OUTCOMES };

    mmu_load(mm);
    u8 *place = translate_with_faults(address, access, true, &touch);
    touch.done = place != NULL;
    if (place && access == MMU_WRITE)
        *place = *byte;
    else if (place && access == MMU_READ)
        *byte = *place;
    return touch;
}

/* ---- user copies: the kernel's own accesses, page piece by page piece ---- */

static unsigned long copy(unsigned long user, u8 *to_kernel, const u8 *from_kernel, unsigned long n)
{
    enum mmu_access access = to_kernel ? MMU_READ : MMU_WRITE;

    while (n != 0) {
        struct touch touch = { 0 };
        unsigned long piece = MIN(n, PAGE_SIZE - (user & ~PAGE_MASK));
        u8 *place = translate_with_faults(user, access, false, &touch);

        if (!place)
            break;
        if (to_kernel) {
            memcpy(to_kernel, place, piece);
            to_kernel += piece;
        } else if (from_kernel) {
            memcpy(place, from_kernel, piece);
            from_kernel += piece;
        } else {
            memset(place, 0, piece);
        }
        user += piece;
        n -= piece;
    }
    return n;
}

unsigned long arch_copy_from_user(void *to, unsigned long from, unsigned long n)
{
    return copy(from, to, NULL, n);
}

unsigned long arch_copy_to_user(unsigned long to, const void *from, unsigned long n)
{
    return copy(to, NULL, from, n);
}

unsigned long arch_clear_user(void *to, unsigned long n)
{
    return copy((unsigned long)to, NULL, NULL, n);
}
