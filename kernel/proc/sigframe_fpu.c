/*
 * The FPU part of a signal frame: an FXSAVE area, or an XSAVE area between two magic numbers
 * (Linux's _fpstate).
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/string.h"
#include "kernel/proc/sigframe.h"
#include "mm/user_copy.h"

#define FXSAVE_SIZE 512
#define XSAVE_HEADER_SIZE 64        /* SDM vol. 1, 13.4.2 */
#define MAGIC1 0x46505853u          /* "FPXS": more than FXSAVE follows */
#define MAGIC2 0x46505845u          /* "FPXE": and this is where it ends */
#define MAGIC2_SIZE 4u
#define XSTATE_X87_SSE 3u

/* In the last 48 bytes of the FXSAVE area, which the processor leaves to the software. */
struct software_bytes {
    u32 magic1;
    u32 extended_size;              /* with the second magic number */
    u64 features;
    u32 xstate_size;                /* without it */
    u32 padding[7];
};
#define SOFTWARE_BYTES_OFFSET (FXSAVE_SIZE - sizeof(struct software_bytes))

unsigned signal_fpu_size(void)
{
    return this_cpu.has_xsave ? this_cpu.xsave_size + MAGIC2_SIZE : FXSAVE_SIZE;
}

static void fresh_state(void)
{
    memset(current->fpu, 0, this_cpu.xsave_size);
    fpu_init_state(current->fpu);
    fpu_restore(current->fpu);
}

static struct software_bytes *software_bytes_of(void *area)
{
    return (struct software_bytes *)((u8 *)area + SOFTWARE_BYTES_OFFSET);
}

static u64 *xstate_bv_of(void *area)
{
    return (u64 *)((u8 *)area + FXSAVE_SIZE);
}

bool signal_fpu_save(unsigned long address)
{
    const u32 magic2 = MAGIC2;
    u8 *area = current->fpu;
    u32 size = this_cpu.has_xsave ? this_cpu.xsave_size : FXSAVE_SIZE;

    fpu_save(area);
    if (this_cpu.has_xsave) {
        *software_bytes_of(area) = (struct software_bytes){
            .magic1 = MAGIC1, .extended_size = size + MAGIC2_SIZE, .features = this_cpu.xsave_mask,
            .xstate_size = size };
        /* Handlers may look at these two without asking whether they were in use. */
        *xstate_bv_of(area) |= XSTATE_X87_SSE;
        if (put_user(magic2, address + size))
            return false;
    }
    if (copy_to_user(address, area, size))
        return false;
    fresh_state();
    return true;
}

/*
 * The size of the XSAVE area at ADDRESS, whose FXSAVE part is in AREA; 0 when there is no more than
 * that part.
 */
static u32 extended_size(void *area, unsigned long address)
{
    const struct software_bytes *software = software_bytes_of(area);
    u32 size = software->xstate_size, magic2;

    if (!this_cpu.has_xsave || software->magic1 != MAGIC1)
        return 0;
    if (size < FXSAVE_SIZE + XSAVE_HEADER_SIZE || size > this_cpu.xsave_size ||
        software->extended_size < size + MAGIC2_SIZE)
        return 0;
    if (get_user(magic2, address + size) || magic2 != MAGIC2)
        return 0;
    return size;
}

static bool load_from(unsigned long address)
{
    u8 *area = current->fpu;
    u32 size;

    memset(area, 0, this_cpu.xsave_size);
    if (copy_from_user(area, address, FXSAVE_SIZE))
        return false;
    size = extended_size(area, address);
    if (size && copy_from_user(area + FXSAVE_SIZE, address + FXSAVE_SIZE, size - FXSAVE_SIZE))
        return false;
    if (!size && this_cpu.has_xsave)
        *xstate_bv_of(area) = XSTATE_X87_SSE;
    return fpu_restore(area);
}

bool signal_fpu_restore(unsigned long address)
{
    if (address && load_from(address))
        return true;
    fresh_state();      /* nothing of a refused one may stay behind */
    return address == 0;
}
