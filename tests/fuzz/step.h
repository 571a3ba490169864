/* One step of a sequence: a memory call, a touch, or something that is done to the machine. */
#ifndef TESTS_FUZZ_STEP_H
#define TESTS_FUZZ_STEP_H

#include "tests/fuzz/model.h"

enum op {
    OP_READ,
    OP_WRITE,
    OP_EXECUTE,
    OP_MMAP,
    OP_MUNMAP,
    OP_MPROTECT,
    OP_MREMAP,
    OP_MADVISE,
    OP_MINCORE,
    OP_MSYNC,
    OP_BRK,
    OP_MLOCK,
    OP_MLOCK_ON_FAULT,
    OP_MUNLOCK,
    OP_MLOCKALL,
    OP_MUNLOCKALL,
    OP_FORK,
    OP_EXIT,
    OP_COPY_TO,
    OP_COPY_FROM,
    OP_CLEAR,
    OP_STRING,
    OP_REMOTE_WRITE,
    OP_REMOTE_READ,
    OP_TRUNCATE, /* the memory file */
    OP_FAIL,     /* the Nth allocation of the next step fails; or EACH, one after the other */
    OP_FAIL_ALL, /* and all behind it */
    OP_PRESSURE, /* so many frames stay free until the next OP_PRESSURE */
    OPS
};

enum source { ANONYMOUS, ARCHIVE, MEMORY };

struct step {
    enum op op;
    unsigned process;
    unsigned long address, length;
    unsigned long prot;  /* also an advice */
    unsigned long flags; /* MAP_…, MREMAP_…, MS_…, MCL_… */
    unsigned long new_address, new_length;
    unsigned long offset;
    enum source source;
    u8 value;
    bool each;
};

#define STEP_BYTES 8u
#define STEPS_MAX  96u
#define BUFFER     (4 * P) /* the kernel's side of copies */

/* The settings, from the first STEP_BYTES of an input. */
void decode_settings(const u8 *bytes);
/* What happens before the sequence, from the same bytes: most of the window is mapped. */
struct step first_step(const u8 *bytes);
/* A step from STEP_BYTES of it. Its process may be one that is not there. */
struct step decode_step(const u8 *bytes);
void print_settings(FILE *out);
/* As a line that a person can read; without the result, and without the end of the line. */
void print_step(FILE *out, const struct step *step);

/* ---- what the model says (model_*.c): the result, and on the way the model changes ---- */

/* The step leads to places that the model does not have: it is left out. */
#define SKIP (~0ul - 8191)

#define ERROR(error) ((unsigned long)-(error))
static inline bool is_error(unsigned long result)
{
    return result >= (unsigned long)-4095;
}

/* Where a mapping of LENGTH bytes goes (model_map.c): an address, or an error. */
unsigned long choose_address(const struct process *p, unsigned long hint, unsigned long length, unsigned long flags);
/* How many pages of [start, end) are mapped. */
unsigned long mapped_pages(const struct process *p, unsigned long start, unsigned long end);

/* How many bytes an mmap maps: whole pages, or whole huge pages; 0: none. */
unsigned long mapped_length(const struct step *step);
/* True for huge pages that nobody vouches for: an mmap that can succeed. The model has no room for what it maps. */
bool maps_huge_pages(const struct step *step);
unsigned long model_mmap(struct process *p, const struct step *step);
unsigned long model_munmap(struct process *p, unsigned long start, unsigned long length);
unsigned long model_mremap(struct process *p, const struct step *step);
unsigned long model_brk(struct process *p, unsigned long brk);
long model_mprotect(struct process *p, const struct step *step);
long model_madvise(struct process *p, unsigned long start, unsigned long length, int advice);
/* ANSWERS: an enum known for each page that is written before the call ends. *DONE: how many. */
long model_mincore(struct process *p, const struct step *step, u8 *answers, unsigned long *done);
long model_msync(struct process *p, unsigned long start, unsigned long length, int flags);
long model_mlock(struct process *p, const struct step *step);
long model_munlock(struct process *p, unsigned long start, unsigned long length);
long model_mlockall(struct process *p, int flags);
long model_munlockall(struct process *p);
long model_fork(struct process *child, struct process *parent);
void model_truncate(unsigned long size);

/* FAULT_OUTCOMES: the access is allowed, and the page is there now. Else the refusal. */
enum fault_outcome model_access(struct process *p, unsigned long address, enum mmu_access access);
/* The bytes that can be accessed from ADDRESS on, at most N; the pages are there now. */
unsigned long model_reach(struct process *p, unsigned long address, unsigned long n, enum mmu_access access);
/* Stores what can be stored of N BYTES from ADDRESS on; returns how many. */
unsigned long model_store(struct process *p, unsigned long address, const u8 *bytes, unsigned long n);
/* The byte at an address that can be read. */
u8 model_byte(struct process *p, unsigned long address);

/* For the calls: makes the pages of [start, end) resident as mlock or MAP_POPULATE would. 0, -EFAULT. */
long populate_pages(struct process *p, unsigned long start, unsigned long end);

#endif
