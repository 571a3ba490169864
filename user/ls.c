/* ls: list folders; -l with kind, permissions, size, and what a link points to. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/common/paint.h"

#define PATH_SIZE 1024
#define COLUMNS   78

static bool is_long;
static int exit_status;

static void complain(const char *path)
{
    fprintf(stderr, "ls: cannot look at %s: %s\n", path, strerror(errno));
    exit_status = 1;
}

static char kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFCHR:
        return 'c';
    case S_IFBLK:
        return 'b';
    case S_IFIFO:
        return 'p';
    default:
        return '-';
    }
}

static enum colour colour_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return BLUE;
    if (S_ISLNK(mode))
        return CYAN;
    if (S_ISCHR(mode))
        return YELLOW;
    return S_ISREG(mode) && (mode & S_IXUSR) ? GREEN : PLAIN;
}

static void print_long(const char *path, const char *name, const struct stat *status)
{
    static const char letters[] = "rwxrwxrwx";
    char permissions[sizeof letters], target[PATH_SIZE];
    for (size_t i = 0; i < sizeof letters - 1; i++)
        permissions[i] = status->st_mode & (0400U >> i) ? letters[i] : '-';
    permissions[sizeof letters - 1] = '\0';
    printf("%c%s %3lu %8ld  %s%s%s", kind_of(status->st_mode), permissions,
           (unsigned long)status->st_nlink, (long)status->st_size,
           paint(colour_of(status->st_mode)), name, paint_end());
    if (S_ISLNK(status->st_mode)) {
        ssize_t length = readlink(path, target, sizeof target);
        if (length > 0)
            printf(" -> %.*s", (int)length, target);
    }
    printf("\n");
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Print sorted names side by side on a terminal, below each other elsewhere. */
static void print_names(const char *folder, char **names, size_t count)
{
    size_t width = 1;
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) + 2 > width)
            width = strlen(names[i]) + 2;
    size_t columns = !isatty(STDOUT_FILENO) || width > COLUMNS ? 1 : COLUMNS / width;
    size_t rows = (count + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < count; i += rows) {
            char path[PATH_SIZE];
            struct stat status;
            snprintf(path, sizeof path, "%s/%s", folder, names[i]);
            if (lstat(path, &status) < 0) {
                complain(path); /* it may be gone by now */
            } else if (is_long) {
                print_long(path, names[i], &status);
            } else {
                int padding = i + rows < count ? (int)(width - strlen(names[i])) : 0;
                printf("%s%s%s%*s", paint(colour_of(status.st_mode)), names[i], paint_end(),
                       padding, "");
            }
        }
        if (!is_long)
            printf("\n");
    }
}

static void list_folder(const char *path)
{
    DIR *directory = opendir(path);
    char **names = NULL;
    size_t count = 0;
    if (directory == NULL) {
        complain(path);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char **more = realloc(names, (count + 1) * sizeof *names);
        if (more != NULL)
            names = more;
        if (more == NULL || (names[count] = strdup(entry->d_name)) == NULL) {
            complain(path);
            break;
        }
        count++;
    }
    closedir(directory);
    qsort(names, count, sizeof *names, compare_names);
    print_names(path, names, count);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static void list(const char *path, bool with_heading)
{
    struct stat status;
    if (lstat(path, &status) < 0) {
        complain(path);
    } else if (S_ISDIR(status.st_mode)) {
        if (with_heading)
            printf("%s:\n", path);
        list_folder(path);
    } else if (is_long) {
        print_long(path, path, &status);
    } else {
        printf("%s\n", path);
    }
}

int main(int count, char **arguments)
{
    for (int option; (option = getopt(count, arguments, "l")) != -1;) {
        if (option != 'l') {
            fprintf(stderr, "usage: ls [-l] [FILE...]\n");
            return 2;
        }
        is_long = true;
    }
    if (optind == count)
        list(".", false);
    for (int i = optind; i < count; i++)
        list(arguments[i], count - optind > 1);
    return exit_status;
}
