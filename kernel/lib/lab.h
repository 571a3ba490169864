/*
 * What stands in a lab's starter where the student's code is to go; in the complete kernel it is nothing. Number
 * and parameters follow: the lab, and what the function is given, so that none of it counts as unused.
 */
#ifndef KERNEL_LIB_LAB_H
#define KERNEL_LIB_LAB_H

#ifdef LAB
#include "kernel/lib/panic.h"
#include "kernel/lib/printf.h"

static inline void lab_takes_notice(int nothing, ...) { (void)nothing; }

#define LAB_SENTENCE "not yet written: lab %d, %s in %s"

/* Stops the machine with a sentence: for what nothing can go on without. */
#define NOT_YET_WRITTEN(lab, ...)                                       \
    do {                                                                \
        if (LAB == (lab)) {                                             \
            lab_takes_notice(0, __VA_ARGS__);                           \
            panic(LAB_SENTENCE, (lab), __func__, __FILE__);             \
        }                                                               \
    } while (0)

/* Says the sentence once and returns RESULT: for a call that may fail. */
#define NOT_YET_WRITTEN_FAILS(lab, result, ...)                         \
    do {                                                                \
        static bool said;                                               \
                                                                        \
        if (LAB == (lab)) {                                             \
            lab_takes_notice(0, __VA_ARGS__);                           \
            if (!said)                                                  \
                printk("zeropage: " LAB_SENTENCE "\n", (lab), __func__, __FILE__); \
            said = true;                                                \
            return result;                                              \
        }                                                               \
    } while (0)
#else
#define NOT_YET_WRITTEN(lab, ...) do { } while (0)
#define NOT_YET_WRITTEN_FAILS(lab, result, ...) do { } while (0)
#endif

#endif
