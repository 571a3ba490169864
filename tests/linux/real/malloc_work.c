/* Allocates, grows, checks and frees blocks of all sizes, in several threads; built with several allocators. */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, SLOTS = 500, ROUNDS = 20000 };

struct slot {
    unsigned char *start;
    size_t size;
    unsigned char mark;
};

static unsigned int next(unsigned int *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static int holds(const struct slot *slot)
{
    for (size_t i = 0; i < slot->size; i += 97)
        if (slot->start[i] != slot->mark)
            return 0;
    return slot->size == 0 || slot->start[slot->size - 1] == slot->mark;
}

static void *work(void *number)
{
    struct slot *slots = calloc(SLOTS, sizeof(*slots));
    unsigned int state = (unsigned int)(size_t)number;
    long broken = 0;

    for (int round = 0; round < ROUNDS; round++) {
        struct slot *slot = &slots[next(&state) % SLOTS];
        size_t size = next(&state) % 50 == 0 ? next(&state) % 400000 : next(&state) % 2000;

        broken += !holds(slot);
        if (next(&state) % 3 == 0) {
            free(slot->start);
            slot->start = malloc(size + 1);
        } else {
            slot->start = realloc(slot->start, size + 1);
        }
        slot->size = size;
        slot->mark = (unsigned char)next(&state);
        memset(slot->start, slot->mark, size);
    }
    for (int i = 0; i < SLOTS; i++) {
        broken += !holds(&slots[i]);
        free(slots[i].start);
    }
    free(slots);
    return (void *)broken;
}

int main(void)
{
    pthread_t threads[THREADS];
    char *aligned = NULL, *large;
    void *broken;
    int all = 0;

    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &broken);
        all += (int)(size_t)broken;
    }
    printf("%d broken blocks in %d threads\n", all, THREADS);
    if (posix_memalign((void **)&aligned, 65536, 100000) == 0)
        printf("aligned: %d\n", (int)((size_t)aligned % 65536));
    free(aligned);
    large = malloc(100 << 20);
    printf("100 MiB are %s\n", large != NULL ? "promised" : "refused");
    if (large != NULL)
        large[50 << 20] = 1;
    free(large);
    printf("%s\n", malloc((size_t)1 << 60) == NULL ? "2^60 bytes are refused" : "2^60 bytes are promised");
    return 0;
}
