/* What libFuzzer calls: one input is one sequence, and it changes by whole steps. */
#include "tests/fuzz/run.h"

/* libFuzzer's interface has no header of its own in C. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const u8 *one, size_t one_size, const u8 *two, size_t two_size, u8 *out,
                                 size_t max_size, unsigned seed);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    run_sequence(data, size, NULL);
    return 0;
}

static unsigned random_below(unsigned *seed, size_t n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (unsigned)((*seed >> 8) % n);
}

static void random_step(u8 *bytes, unsigned *seed)
{
    for (unsigned i = 0; i < STEP_BYTES; i++)
        bytes[i] = (u8)random_below(seed, 256);
}

/* A step more, a step less, a step elsewhere, or another byte in one. The settings, in front, only change their bytes.
 */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned seed)
{
    size_t steps = size / STEP_BYTES, most = max_size / STEP_BYTES;
    unsigned what = random_below(&seed, 16);

    if (most < 2)
        return 0;
    /* Now and then, or where there is nothing yet: something wholly new, under plain settings. */
    if (steps < 2 || what == 15) {
        size_t fresh = 2 + random_below(&seed, most - 1);
        memset(data, 0, STEP_BYTES);
        for (size_t i = 1; i < fresh; i++)
            random_step(data + i * STEP_BYTES, &seed);
        return fresh * STEP_BYTES;
    }
    size_t at = 1 + random_below(&seed, steps - 1), other = 1 + random_below(&seed, steps - 1);
    u8 *step = data + at * STEP_BYTES;
    size_t behind = (steps - at) * STEP_BYTES;
    if (what < 6 && steps < most) {
        memmove(step + STEP_BYTES, step, behind);
        if (what < 5)
            random_step(step, &seed);
        return (steps + 1) * STEP_BYTES;
    }
    if (what < 8 && steps > 2) {
        memmove(step, step + STEP_BYTES, behind - STEP_BYTES);
        return (steps - 1) * STEP_BYTES;
    }
    if (what < 10) {
        u8 moved[STEP_BYTES];
        memcpy(moved, step, STEP_BYTES);
        memcpy(step, data + other * STEP_BYTES, STEP_BYTES);
        memcpy(data + other * STEP_BYTES, moved, STEP_BYTES);
    } else if (what < 11) {
        step = data;
        step[random_below(&seed, STEP_BYTES)] = (u8)random_below(&seed, 256);
    } else if (what < 13) {
        step[random_below(&seed, STEP_BYTES)] = (u8)random_below(&seed, 256);
    } else {
        LLVMFuzzerMutate(step, STEP_BYTES, STEP_BYTES);
    }
    return steps * STEP_BYTES;
}

/* The beginning of one sequence, then the end of another. */
size_t LLVMFuzzerCustomCrossOver(const u8 *one, size_t one_size, const u8 *two, size_t two_size, u8 *out,
                                 size_t max_size, unsigned seed)
{
    size_t head = one_size / STEP_BYTES, tail = two_size / STEP_BYTES;

    if (head < 2 || tail < 2 || random_below(&seed, 4))
        return 0;
    head = 1 + random_below(&seed, head - 1);
    tail = 1 + random_below(&seed, tail - 1);
    while (head + tail > max_size / STEP_BYTES && tail)
        tail--;
    if (head + tail > max_size / STEP_BYTES)
        return 0;
    memcpy(out, one, head * STEP_BYTES);
    memcpy(out + head * STEP_BYTES, two + two_size / STEP_BYTES * STEP_BYTES - tail * STEP_BYTES, tail * STEP_BYTES);
    return (head + tail) * STEP_BYTES;
}
