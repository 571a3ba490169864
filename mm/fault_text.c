/*
 * What a page fault says to a person: the name of each outcome, and a sentence about why an access
 * was refused.
 */
#include "kernel/lib/printf.h"
#include "mm/fault.h"
#include "mm/vma.h"

const char *const fault_outcome_names[FAULT_OUTCOMES] = {
    [FAULT_ZERO_PAGE] = "zero_page",
    [FAULT_NEW_PAGE] = "new_page",
    [FAULT_ZERO_REPLACED] = "zero_replaced",
    [FAULT_COW_COPIED] = "cow_copied",
    [FAULT_COW_REUSED] = "cow_reused",
    [FAULT_FILE_MAPPED] = "file_mapped",
    [FAULT_FILE_COPIED] = "file_copied",
    [FAULT_SHARED_MAPPED] = "shared_mapped",
    [FAULT_SPURIOUS] = "spurious",
    [FAULT_NO_MAPPING] = "no_mapping",
    [FAULT_BELOW_STACK] = "below_stack",
    [FAULT_NOT_READABLE] = "not_readable",
    [FAULT_NOT_WRITABLE] = "not_writable",
    [FAULT_NOT_EXECUTABLE] = "not_executable",
    [FAULT_KERNEL_ADDRESS] = "kernel_address",
    [FAULT_BEYOND_FILE] = "beyond_file",
    [FAULT_OUT_OF_MEMORY] = "out_of_memory",
};

/* A distance or size in the largest unit in which it is at least 1, cut off. */
static int print_size(char *buffer, size_t size, unsigned long bytes)
{
    static const struct { unsigned shift; const char *name; } units[] = {
        { 40, "TiB" }, { 30, "GiB" }, { 20, "MiB" }, { 10, "KiB" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (bytes >> units[i].shift)
            return scnprintf(buffer, size, "%lu %s", bytes >> units[i].shift, units[i].name);
    return scnprintf(buffer, size, "%lu byte%s", bytes, bytes == 1 ? "" : "s");
}

static int print_vma(char *buffer, size_t size, const struct vm_area_struct *vma)
{
    return scnprintf(buffer, size, "0x%lx-0x%lx %c%c%c%c", vma->vm_start, vma->vm_end,
                     vma->vm_flags & VM_READ ? 'r' : '-', vma->vm_flags & VM_WRITE ? 'w' : '-',
                     vma->vm_flags & VM_EXEC ? 'x' : '-', vma->vm_flags & VM_MAYSHARE ? 's' : 'p');
}

/* ", DISTANCE above (below) VMA": where ADDRESS lies, seen from the closer one of the mappings around it. */
static void print_nearest(struct mm_struct *mm, unsigned long address, char *buffer, size_t size)
{
    struct vm_area_struct *below, *above = find_vma_prev(mm, address, &below);
    unsigned long to_above = above ? above->vm_start - address : ~0ul;
    unsigned long to_below = below ? address - below->vm_end : ~0ul;
    const struct vm_area_struct *nearest = to_below < to_above ? below : above;

    if (!nearest) {
        scnprintf(buffer, size, "; there are no mappings at all");
        return;
    }
    int n = scnprintf(buffer, size, ", ");
    if (nearest == below && to_below == 0)
        n += scnprintf(buffer + n, size - (size_t)n, "right");
    else
        n += print_size(buffer + n, size - (size_t)n, MIN(to_below, to_above));
    n += scnprintf(buffer + n, size - (size_t)n, nearest == below ? " above " : " below ");
    print_vma(buffer + n, size - (size_t)n, nearest);
}

void fault_describe(struct mm_struct *mm, unsigned long address, unsigned error,
                    enum fault_outcome outcome, char *buffer, size_t size)
{
    struct vm_area_struct *vma = find_vma(mm, address);
    char range[80] = "";

    if (vma)
        print_vma(range, sizeof(range), vma);
    switch (outcome) {
    case FAULT_NO_MAPPING: {
        int n = scnprintf(buffer, size, "no mapping at 0x%lx", address);
        print_nearest(mm, address, buffer + n, size - (size_t)n);
        break;
    }
    case FAULT_BELOW_STACK:
        scnprintf(buffer, size, "0x%lx is too far below the stack %s", address, range);
        break;
    case FAULT_NOT_READABLE:
        scnprintf(buffer, size, "0x%lx is not readable: %s", address, range);
        break;
    case FAULT_NOT_WRITABLE:
        scnprintf(buffer, size, "0x%lx is not writable: %s", address, range);
        break;
    case FAULT_NOT_EXECUTABLE:
        scnprintf(buffer, size, "0x%lx is not executable: %s", address, range);
        break;
    case FAULT_KERNEL_ADDRESS:
        scnprintf(buffer, size, "0x%lx belongs to the kernel", address);
        break;
    case FAULT_BEYOND_FILE:
        scnprintf(buffer, size, "0x%lx lies past the file's end: %s", address, range);
        break;
    case FAULT_OUT_OF_MEMORY:
        scnprintf(buffer, size, "no memory left for 0x%lx in %s", address, range);
        break;
    default:
        scnprintf(buffer, size, "%s of 0x%lx: %s", error & PF_WRITE ? "write" : "read", address,
                  outcome < FAULT_OUTCOMES ? fault_outcome_names[outcome] : "?");
    }
}
