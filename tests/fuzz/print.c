/* The fuzzer's steps as a person would write them. */
#include "tests/fuzz/step.h"

struct name {
    unsigned long bits;
    const char *text;
};

static void print_flags(FILE *out, unsigned long value, const struct name *names, unsigned count)
{
    const char *between = "";

    for (unsigned i = 0; i < count; i++)
        if ((value & names[i].bits) == names[i].bits) {
            fprintf(out, "%s%s", between, names[i].text);
            between = "|";
            value &= ~names[i].bits;
        }
    if (value || !*between)
        fprintf(out, "%s0x%lx", between, value);
}

static void print_prot(FILE *out, unsigned long prot)
{
    static const struct name names[] = {
        {PROT_READ, "PROT_READ"}, {PROT_WRITE, "PROT_WRITE"},         {PROT_EXEC, "PROT_EXEC"},
        {PROT_SEM, "PROT_SEM"},   {PROT_GROWSDOWN, "PROT_GROWSDOWN"}, {PROT_GROWSUP, "PROT_GROWSUP"},
    };
    if (prot == ~0ul)
        fprintf(out, "-1");
    else if (!prot)
        fprintf(out, "PROT_NONE");
    else
        print_flags(out, prot, names, ARRAY_SIZE(names));
}

static void print_mmap(FILE *out, const struct step *step)
{
    static const struct name names[] = {
        {MAP_SHARED_VALIDATE, "MAP_SHARED_VALIDATE"},
        {MAP_SHARED, "MAP_SHARED"},
        {MAP_PRIVATE, "MAP_PRIVATE"},
        {MAP_ANONYMOUS, "MAP_ANONYMOUS"},
        {MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE"},
        {MAP_FIXED, "MAP_FIXED"},
        {MAP_NORESERVE, "MAP_NORESERVE"},
        {MAP_LOCKED, "MAP_LOCKED"},
        {MAP_POPULATE, "MAP_POPULATE"},
        {MAP_NONBLOCK, "MAP_NONBLOCK"},
        {MAP_GROWSDOWN, "MAP_GROWSDOWN"},
        {MAP_32BIT, "MAP_32BIT"},
        {MAP_STACK, "MAP_STACK"},
        {MAP_HUGETLB, "MAP_HUGETLB"},
        {MAP_SYNC, "MAP_SYNC"},
    };
    static const char *const sources[] = {"-1", "archive_file", "memory_file"};

    fprintf(out, "mmap(0x%lx, 0x%lx, ", step->address, step->length);
    print_prot(out, step->prot);
    fprintf(out, ", ");
    print_flags(out, step->flags, names, ARRAY_SIZE(names));
    fprintf(out, ", %s, 0x%lx)", sources[step->source], step->offset);
}

static void print_mremap(FILE *out, const struct step *step)
{
    static const struct name names[] = {
        {MREMAP_MAYMOVE, "MREMAP_MAYMOVE"},
        {MREMAP_FIXED, "MREMAP_FIXED"},
        {MREMAP_DONTUNMAP, "MREMAP_DONTUNMAP"},
    };
    fprintf(out, "mremap(0x%lx, 0x%lx, 0x%lx, ", step->address, step->length, step->new_length);
    print_flags(out, step->flags, names, ARRAY_SIZE(names));
    fprintf(out, ", 0x%lx)", step->new_address);
}

static void print_madvise(FILE *out, const struct step *step)
{
    static const struct name names[] = {
        {MADV_NORMAL, "MADV_NORMAL"},
        {MADV_RANDOM, "MADV_RANDOM"},
        {MADV_SEQUENTIAL, "MADV_SEQUENTIAL"},
        {MADV_WILLNEED, "MADV_WILLNEED"},
        {MADV_DONTNEED, "MADV_DONTNEED"},
        {MADV_FREE, "MADV_FREE"},
        {MADV_REMOVE, "MADV_REMOVE"},
        {MADV_DONTFORK, "MADV_DONTFORK"},
        {MADV_DOFORK, "MADV_DOFORK"},
        {MADV_WIPEONFORK, "MADV_WIPEONFORK"},
        {MADV_KEEPONFORK, "MADV_KEEPONFORK"},
        {MADV_COLD, "MADV_COLD"},
        {MADV_PAGEOUT, "MADV_PAGEOUT"},
        {MADV_POPULATE_READ, "MADV_POPULATE_READ"},
        {MADV_POPULATE_WRITE, "MADV_POPULATE_WRITE"},
        {MADV_DONTNEED_LOCKED, "MADV_DONTNEED_LOCKED"},
    };
    fprintf(out, "madvise(0x%lx, 0x%lx, ", step->address, step->length);
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].bits == step->prot) {
            fprintf(out, "%s)", names[i].text);
            return;
        }
    fprintf(out, "%lu)", step->prot);
}

void print_step(FILE *out, const struct step *step)
{
    static const char *const shapes[OPS] = {
        [OP_READ] = "read of 0x%lx",
        [OP_EXECUTE] = "execution of 0x%lx",
        [OP_MUNMAP] = "munmap(0x%lx, 0x%lx)",
        [OP_BRK] = "brk(0x%lx)",
        [OP_MLOCK] = "mlock(0x%lx, 0x%lx)",
        [OP_MLOCK_ON_FAULT] = "mlock2(0x%lx, 0x%lx, MLOCK_ONFAULT)",
        [OP_MUNLOCK] = "munlock(0x%lx, 0x%lx)",
        [OP_MUNLOCKALL] = "munlockall()",
        [OP_FORK] = "fork()",
        [OP_EXIT] = "exit()",
        [OP_COPY_TO] = "copy_to_user(0x%lx, …, 0x%lx)",
        [OP_COPY_FROM] = "copy_from_user(…, 0x%lx, 0x%lx)",
        [OP_CLEAR] = "clear_user(0x%lx, 0x%lx)",
        [OP_STRING] = "strncpy_from_user(…, 0x%lx, 0x%lx)",
        [OP_REMOTE_WRITE] = "another process writes at 0x%lx, 0x%lx bytes",
        [OP_REMOTE_READ] = "another process reads at 0x%lx, 0x%lx bytes",
        [OP_TRUNCATE] = "ftruncate(memory_file, 0x%lx)",
        [OP_FAIL] = "the next step's allocation number %lu fails",
        [OP_FAIL_ALL] = "the next step's allocations from number %lu on fail",
        [OP_PRESSURE] = "memory is full but for %lu frames, or is given back",
    };

    fprintf(out, "p%u: ", step->process);
    switch (step->op) {
    case OP_WRITE:
        fprintf(out, "write of %u to 0x%lx", step->value, step->address);
        break;
    case OP_MMAP:
        print_mmap(out, step);
        break;
    case OP_MREMAP:
        print_mremap(out, step);
        break;
    case OP_MADVISE:
        print_madvise(out, step);
        break;
    case OP_MPROTECT:
        fprintf(out, "mprotect(0x%lx, 0x%lx, ", step->address, step->length);
        print_prot(out, step->prot);
        fprintf(out, ")");
        break;
    case OP_MSYNC:
        fprintf(out, "msync(0x%lx, 0x%lx, 0x%lx)", step->address, step->length, step->flags);
        break;
    case OP_MLOCKALL:
        fprintf(out, "mlockall(0x%lx)", step->flags);
        break;
    case OP_MINCORE:
        fprintf(out, "mincore(0x%lx, 0x%lx, 0x%lx)", step->address, step->length, step->new_address);
        break;
    case OP_FAIL:
        if (step->each) {
            fprintf(out, "each of the next step's allocations fails once");
            break;
        }
        /* fallthrough */
    case OP_TRUNCATE:
    case OP_FAIL_ALL:
    case OP_PRESSURE:
        fprintf(out, shapes[step->op], step->length);
        break;
    default:
        fprintf(out, shapes[step->op], step->address, step->length);
    }
}
