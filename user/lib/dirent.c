/* Reading directories through getdents64. */
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define ENTRIES_SIZE 2048

struct _DIR {
    int descriptor;
    int next; /* offset of the next entry in entries */
    int end;  /* how many bytes of entries are valid */
    _Alignas(struct dirent) char entries[ENTRIES_SIZE];
};

DIR *opendir(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    DIR *directory = malloc(sizeof *directory);
    if (directory == NULL) {
        close(descriptor);
        return NULL;
    }
    directory->descriptor = descriptor;
    directory->next = directory->end = 0;
    return directory;
}

struct dirent *readdir(DIR *directory)
{
    if (directory->next >= directory->end) {
        long size = CALL3(getdents64, directory->descriptor, directory->entries, ENTRIES_SIZE);
        if (size <= 0)
            return NULL;
        directory->next = 0;
        directory->end = (int)size;
    }
    struct dirent *entry = (struct dirent *)(directory->entries + directory->next);
    directory->next += entry->d_reclen;
    return entry;
}

int closedir(DIR *directory)
{
    int result = close(directory->descriptor);
    free(directory);
    return result;
}

int dirfd(DIR *directory)
{
    return directory->descriptor;
}

void rewinddir(DIR *directory)
{
    lseek(directory->descriptor, 0, SEEK_SET);
    directory->next = directory->end = 0;
}
