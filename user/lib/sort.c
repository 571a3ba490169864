/* Sorting and searching. */
#include <stdlib.h>

static void swap(char *left, char *right, size_t size)
{
    while (size-- > 0) {
        char byte = *left;
        *left++ = *right;
        *right++ = byte;
    }
}

/* Let the element at INDEX sink until both its children are smaller. */
static void sift_down(char *array, size_t index, size_t count, size_t size,
                      int (*compare)(const void *, const void *))
{
    for (size_t child; (child = 2 * index + 1) < count; index = child) {
        char *larger = array + child * size;
        if (child + 1 < count && compare(larger, larger + size) < 0) {
            child++;
            larger += size;
        }
        if (compare(array + index * size, larger) >= 0)
            return;
        swap(array + index * size, larger, size);
    }
}

void qsort(void *array, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    for (size_t start = count / 2; start-- > 0;)
        sift_down(array, start, count, size, compare);
    for (size_t end = count; end-- > 1;) {
        swap(array, (char *)array + end * size, size);
        sift_down(array, 0, end, size, compare);
    }
}

void *bsearch(const void *key, const void *array, size_t count, size_t size,
              int (*compare)(const void *, const void *))
{
    const char *low = array;
    while (count > 0) {
        const char *middle = low + count / 2 * size;
        int order = compare(key, middle);
        if (order == 0)
            return (void *)middle;
        if (order > 0) {
            low = middle + size;
            count--;
        }
        count /= 2;
    }
    return NULL;
}
