/*
 * Where the pieces of a new program's stack lie, from the strings downwards: Linux's places,
 * without randomisation.
 */
#include "kernel/proc/exec.h"

#define STACK_ALIGNMENT 16
#define WORD sizeof(unsigned long)

struct stack_layout exec_stack_layout(unsigned long strings, int argument_count, int environment_count)
{
    /* argc, argv and its NULL, envp and its NULL. */
    unsigned long items = 1 + (unsigned)argument_count + 1 + (unsigned)environment_count + 1;
    unsigned long auxiliary = 2ul * AUX_ENTRIES;
    struct stack_layout layout;

    layout.platform = ALIGN_DOWN(strings, STACK_ALIGNMENT) - sizeof(PLATFORM);
    layout.random = layout.platform - RANDOM_BYTES;
    layout.pointer = ALIGN_DOWN(layout.random - (items + auxiliary) * WORD, STACK_ALIGNMENT);
    layout.words = items + auxiliary;
    return layout;
}
