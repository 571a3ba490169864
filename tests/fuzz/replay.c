/*
 * Runs sequences again that the fuzzer kept: `replay FILE…`, silently where all is well; `replay --steps FILE…` shows
 * each step. Needs no clang: it is built like the host tests.
 */
#include "tests/fuzz/run.h"

static int replay(const char *path, bool shows_steps)
{
    static u8 bytes[STEP_BYTES * (STEPS_MAX + 1)];
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        return 1;
    }
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    run_sequence(bytes, size, shows_steps ? stdout : NULL);
    return 0;
}

int main(int argc, char **argv)
{
    bool shows_steps = argc > 1 && strcmp(argv[1], "--steps") == 0;
    int status = 0;

    if (argc < 2 + shows_steps) {
        fprintf(stderr, "usage: replay [--steps] FILE...\n");
        return 2;
    }
    for (int i = 1 + shows_steps; i < argc; i++)
        status |= replay(argv[i], shows_steps);
    return status;
}
