/* Compresses and expands in memory with zstd, in several threads at once. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { SIZE = 2 << 20, THREADS = 3 };

struct work {
    int level;
    size_t packed;
    int is_equal;
};

static void *pack_and_unpack(void *argument)
{
    struct work *work = argument;
    unsigned char *original = malloc(SIZE), *back = calloc(1, SIZE);
    size_t room = ZSTD_compressBound(SIZE), unpacked;
    unsigned char *small = malloc(room);
    unsigned int state = 12345;

    for (int i = 0; i < SIZE; i++) {
        state = state * 1103515245 + 12345;
        original[i] = (unsigned char)("etaoin shrdlu"[(state >> 16) % 13]);
    }
    work->packed = ZSTD_compress(small, room, original, SIZE, work->level);
    unpacked = ZSTD_decompress(back, SIZE, small, work->packed);
    work->is_equal = unpacked == SIZE && memcmp(original, back, SIZE) == 0;
    free(original);
    free(back);
    free(small);
    return NULL;
}

int main(void)
{
    struct work works[THREADS] = {{1, 0, 0}, {5, 0, 0}, {12, 0, 0}};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, pack_and_unpack, &works[i]);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        printf("level %d: %zu bytes, %s when unpacked\n", works[i].level, works[i].packed,
               works[i].is_equal ? "equal" : "different");
    }
    return 0;
}
