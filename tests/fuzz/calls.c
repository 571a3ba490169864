/* The fuzzer's two sides of a step that is a call or an access: what mm/ does, and what the model says. */
#include "mm/filemap.h"
#include "mm/hugetlb.h"
#include "mm/slab.h"
#include "mm/user_copy.h"
#include "tests/fuzz/run.h"

u8 buffer[BUFFER], expected_buffer[BUFFER];

void fill_buffer(u8 first)
{
    for (unsigned long i = 0; i < BUFFER; i++)
        buffer[i] = (u8)(first + i);
}

/* ---- what mm/ does ---- */

static long touch(struct process *p, const struct step *step, enum mmu_access access)
{
    u8 byte = step->value;
    struct touch result = mmu_access(p->mm, step->address, access, &byte);

    buffer[0] = byte;
    return result.done ? FAULT_OUTCOMES : (long)result.outcome;
}

static void release_file(struct address_space *mapping)
{
    kfree(mapping);
}

/* As the system call does: a nameless file is made for huge pages that nobody vouches for. */
static long map_huge_pages(struct process *p, const struct step *step)
{
    static const struct address_space_operations ops = {NULL, release_file};
    struct address_space *file;

    if (step->length && !mapped_length(step))
        return -EINVAL;
    file = kmalloc(sizeof(*file));
    if (!file)
        return -ENOMEM;
    address_space_init(file, PAGE_SHMEM, &ops, NULL);
    file->size = mapped_length(step);
    const struct mmap_source source = {
        .mapping = file, .ops = &hugetlb_vm_ops, .readable = true, .writable = true, .is_huge = true};
    long result = (long)do_mmap(p->mm, &source, step->address, step->length, step->prot, step->flags, step->offset);
    mapping_put(file);
    return result;
}

/* Any other process, so that memory that is not loaded is accessed; or the same. */
static void load_another(const struct process *p)
{
    for (unsigned i = 0; i < PROCESSES; i++)
        if (model.processes[i].mm && &model.processes[i] != p)
            mmu_load(model.processes[i].mm);
}

long make(struct process *p, const struct step *step)
{
    struct mm_struct *mm = p->mm;
    unsigned long at = step->address, n = step->length;
    const struct mmap_source sources[] = {
        [ARCHIVE] = {.mapping = files[ARCHIVE_FILE], .ops = &generic_file_vm_ops, .readable = true},
        [MEMORY] = {.mapping = files[MEMORY_FILE], .ops = &shmem_vm_ops, .readable = true, .writable = true},
    };

    switch (step->op) {
    case OP_READ:
        return touch(p, step, MMU_READ);
    case OP_WRITE:
        return touch(p, step, MMU_WRITE);
    case OP_EXECUTE:
        return touch(p, step, MMU_EXECUTE);
    case OP_MMAP:
        if (maps_huge_pages(step))
            return map_huge_pages(p, step);
        return (long)do_mmap(mm, step->source == ANONYMOUS ? NULL : &sources[step->source], at, n, step->prot,
                             step->flags, step->offset);
    case OP_MUNMAP:
        return do_munmap(mm, at, n);
    case OP_MPROTECT:
        return do_mprotect(mm, at, n, step->prot);
    case OP_MREMAP:
        return (long)do_mremap(mm, at, n, step->new_length, step->flags, step->new_address);
    case OP_MADVISE:
        return do_madvise(mm, at, n, (int)step->prot);
    case OP_MINCORE:
        return do_mincore(mm, at, n, step->new_address);
    case OP_MSYNC:
        return do_msync(mm, at, n, (int)step->flags);
    case OP_BRK:
        return (long)do_brk(mm, at);
    case OP_MLOCK:
        return do_mlock(mm, at, n, false);
    case OP_MLOCK_ON_FAULT:
        return do_mlock(mm, at, n, true);
    case OP_MUNLOCK:
        return do_munlock(mm, at, n);
    case OP_MLOCKALL:
        return do_mlockall(mm, (int)step->flags);
    case OP_MUNLOCKALL:
        return do_munlockall(mm);
    case OP_COPY_TO:
        return (long)copy_to_user(at, buffer, n);
    case OP_COPY_FROM:
        return (long)copy_from_user(buffer, at, n);
    case OP_CLEAR:
        return (long)clear_user(at, n);
    case OP_STRING:
        return strncpy_from_user((char *)buffer, at, MIN(n, BUFFER));
    case OP_REMOTE_WRITE:
        load_another(p);
        return (long)access_remote_vm(mm, at, buffer, MIN(n, BUFFER), true);
    case OP_REMOTE_READ:
        load_another(p);
        return (long)access_remote_vm(mm, at, buffer, MIN(n, BUFFER), false);
    case OP_TRUNCATE:
        mapping_truncate(files[MEMORY_FILE], n);
        return 0;
    default:
        return 0;
    }
}

/* ---- what the model says ---- */

static long predict_touch(struct process *p, const struct step *step)
{
    enum mmu_access access = step->op == OP_READ ? MMU_READ : step->op == OP_WRITE ? MMU_WRITE : MMU_EXECUTE;
    enum fault_outcome outcome = model_access(p, step->address, access);

    if (outcome == FAULT_OUTCOMES && access == MMU_WRITE)
        model_store(p, step->address, &step->value, 1);
    expected_buffer[0] = outcome == FAULT_OUTCOMES && access == MMU_READ ? model_byte(p, step->address) : step->value;
    return outcome;
}

/* Bytes of a copy out of user memory, as far as it gets; returns how far. */
static unsigned long predict_bytes(struct process *p, unsigned long address, unsigned long n)
{
    unsigned long done = model_reach(p, address, n, MMU_READ);

    for (unsigned long i = 0; i < done; i++)
        expected_buffer[i] = model_byte(p, address + i);
    return done;
}

static long predict_string(struct process *p, unsigned long address, unsigned long size)
{
    for (unsigned long n = 0; n < size; n++) {
        if (!predict_bytes(p, address + n, 1))
            return -EFAULT;
        u8 byte = expected_buffer[0];
        if (!byte)
            return (long)n;
    }
    return -ENAMETOOLONG;
}

static long predict_copy(struct process *p, const struct step *step)
{
    static const u8 zeroes[BUFFER];
    unsigned long at = step->address, n = step->length;

    if (step->op == OP_STRING)
        return predict_string(p, at, MIN(n, BUFFER));
    if (step->op == OP_REMOTE_WRITE)
        return (long)model_store(p, at, buffer, MIN(n, BUFFER));
    if (step->op == OP_REMOTE_READ)
        return (long)predict_bytes(p, at, MIN(n, BUFFER));
    if (!access_ok(at, n))
        return (long)n;
    if (step->op == OP_COPY_FROM)
        return (long)(n - predict_bytes(p, at, n));
    return (long)(n - model_store(p, at, step->op == OP_CLEAR ? zeroes : buffer, n));
}

u8 mincore_answers[PAGES];
unsigned long mincore_done;

long predict(struct process *p, const struct step *step)
{
    unsigned long at = step->address, n = step->length;

    switch (step->op) {
    case OP_READ:
    case OP_WRITE:
    case OP_EXECUTE:
        return predict_touch(p, step);
    case OP_MMAP:
        return (long)model_mmap(p, step);
    case OP_MUNMAP:
        return (long)model_munmap(p, at, n);
    case OP_MPROTECT:
        return model_mprotect(p, step);
    case OP_MREMAP:
        return (long)model_mremap(p, step);
    case OP_MADVISE:
        return model_madvise(p, at, n, (int)step->prot);
    case OP_MINCORE:
        return model_mincore(p, step, mincore_answers, &mincore_done);
    case OP_MSYNC:
        return model_msync(p, at, n, (int)step->flags);
    case OP_BRK:
        return (long)model_brk(p, at);
    case OP_MLOCK:
    case OP_MLOCK_ON_FAULT:
        return model_mlock(p, step);
    case OP_MUNLOCK:
        return model_munlock(p, at, n);
    case OP_MLOCKALL:
        return model_mlockall(p, (int)step->flags);
    case OP_MUNLOCKALL:
        return model_munlockall(p);
    case OP_TRUNCATE:
        model_truncate(n);
        return 0;
    default:
        return predict_copy(p, step);
    }
}
