/* Running a sequence on mm/ and on the model side by side. */
#ifndef TESTS_FUZZ_RUN_H
#define TESTS_FUZZ_RUN_H

#include "tests/fuzz/step.h"

/*
 * Runs the sequence that BYTES are. Anything that mm/ and the model disagree about, an audit finding, a panic or a lost
 * frame ends the program by abort(), with the steps up to there on standard error. TRACE, if not NULL, gets each step
 * before it is made.
 */
void run_sequence(const u8 *bytes, size_t size, FILE *trace);

/* Ends the program: what is wrong, after the steps that led to it. */
_Noreturn void disagree(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- judge.c ---- */

/* With so few mappings left, a call may be refused in its middle for a reason that the model does not count. */
#define MAPS_AT_THE_LIMIT 8

/*
 * STEP of P gave RESULT, and should have given EXPECTED; with MAY_FAIL it may also have ended for want of memory, and the
 * model becomes what mm/ is then. BEFORE is the model as it was. Another result, or wrong bytes, are a disagreement.
 */
void judge(const struct model *before, struct process *p, const struct step *step, long result, long expected,
           bool may_fail);

/* ---- calls.c ---- */

/* The kernel's side of copies, and what the model says that it holds after reading. */
extern u8 buffer[BUFFER], expected_buffer[BUFFER];
void fill_buffer(u8 first);
/* What the model says that mincore answers (enum known), and for how many pages. */
extern u8 mincore_answers[PAGES];
extern unsigned long mincore_done;

/* Makes STEP on mm/: its result; for an access FAULT_OUTCOMES, or the refusal. */
long make(struct process *p, const struct step *step);
/* Makes it on the model: the result that is right, or SKIP. */
long predict(struct process *p, const struct step *step);

/* ---- compare.c ---- */

/* The memory that the two files are, for the comparison. */
extern struct address_space *files[2];

/* Learns from mm/ where its VMAs begin, and how many they are. */
void learn_boundaries(void);
/* Compares every page of every process, and every count, with mm/. */
void compare_all(void);
/* How a step ended in which an allocation failed: refused with nothing changed, refused on the way, or served all the
 * same. */
enum ending { UNCHANGED, REFUSED, SERVED };

/*
 * After such a step: makes the model what mm/ is, where each page is allowed to be as BEFORE, or as the model says that
 * it is after STEP, which P made.
 */
void adopt(const struct model *before, enum ending ending, struct process *p, const struct step *step);

#endif
