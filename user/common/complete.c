/* The shell's completion of words with Tab. */
#include "user/common/complete.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 512
#define NAME_SIZE 256
#define COLUMN    16 /* the width of a candidate in the list */
#define COLUMNS   76

const char *program_path(void)
{
    const char *path = getenv("PATH");
    return path != NULL ? path : "/bin:/tests";
}

/* What has been found so far for a word. */
static struct {
    const char *word; /* what the candidates must begin with */
    size_t word_length;
    int count;
    char common[NAME_SIZE]; /* what all of them begin with */
    bool is_directory;      /* the last one is */
    bool show;
    int column;
} search;

static void take(const char *name, bool is_directory)
{
    if (strncmp(name, search.word, search.word_length) != 0)
        return;
    if (search.word_length == 0 && name[0] == '.')
        return;
    if (search.count++ == 0) {
        snprintf(search.common, sizeof search.common, "%s", name);
    } else {
        size_t same = 0;
        while (search.common[same] != '\0' && search.common[same] == name[same])
            same++;
        search.common[same] = '\0';
    }
    search.is_directory = is_directory;
    if (search.show) {
        if (search.column + COLUMN > COLUMNS) {
            printf("\n");
            search.column = 0;
        }
        int printed = printf("%-*s ", COLUMN - 1, name);
        search.column += (printed + COLUMN - 1) / COLUMN * COLUMN;
    }
}

static void take_all_of(const char *path, bool executable_only)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char whole[PATH_SIZE];
        struct stat status;
        if (strncmp(entry->d_name, search.word, search.word_length) != 0)
            continue;
        snprintf(whole, sizeof whole, "%s/%s", path, entry->d_name);
        if (stat(whole, &status) < 0)
            continue;
        bool is_program = S_ISREG(status.st_mode) && (status.st_mode & S_IXUSR);
        if (is_program || !executable_only)
            take(entry->d_name, S_ISDIR(status.st_mode));
    }
    closedir(directory);
}

static void take_programs(void)
{
    static const char *const builtins[] = {"cd", "exit", "wait"};
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        take(builtins[i], false);
    for (const char *place = program_path(); place != NULL;) {
        size_t length = strcspn(place, ":");
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%.*s", (int)length, place);
        take_all_of(path, true);
        place = place[length] == ':' ? place + length + 1 : NULL;
    }
}

/* Files: the directory part of the word stays, its last part is completed. */
static void take_files(const char *word, size_t length)
{
    char path[PATH_SIZE];
    size_t directory = length;
    while (directory > 0 && word[directory - 1] != '/')
        directory--;
    if (directory == 0)
        strcpy(path, ".");
    else
        snprintf(path, sizeof path, "%.*s", (int)directory, word);
    search.word = word + directory;
    search.word_length = length - directory;
    take_all_of(path, false);
}

/* Does a command begin at PLACE of LINE, that is at its beginning or behind ; & or | ? */
static bool begins_command(const char *line, size_t place)
{
    while (place > 0 && line[place - 1] == ' ')
        place--;
    return place == 0 || strchr(";&|", line[place - 1]) != NULL;
}

void complete_line(const char *line, size_t cursor, char *addition, size_t size, int show)
{
    size_t start = cursor;
    while (start > 0 && strchr(" ;&|<>", line[start - 1]) == NULL)
        start--;
    bool is_path = memchr(line + start, '/', cursor - start) != NULL;
    memset(&search, 0, sizeof search);
    search.word = line + start;
    search.word_length = cursor - start;
    search.show = show;
    if (show)
        printf("\n");
    if (begins_command(line, start) && !is_path)
        take_programs();
    else
        take_files(line + start, cursor - start);
    if (show)
        printf("\n");
    fflush(stdout);
    *addition = '\0';
    if (search.count == 0)
        return;
    const char *end = search.count > 1 ? "" : search.is_directory ? "/" : " ";
    snprintf(addition, size, "%s%s", search.common + search.word_length, end);
}
