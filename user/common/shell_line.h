/* How the shell understands a line: pipelines of commands with their words and redirections. */
#ifndef USER_COMMON_SHELL_LINE_H
#define USER_COMMON_SHELL_LINE_H

#include <stdbool.h>

#include "user/common/shell_words.h"

#define COMMANDS_MAX 16

/* One program of a pipeline. */
struct command {
    char **words; /* ended by NULL */
    int word_count;
    const char *input, *output, *error; /* paths, or NULL */
    bool append;                        /* to the output */
    bool error_to_output;
};

struct pipeline {
    struct command commands[COMMANDS_MAX];
    int count;
    bool is_background;
};

/*
 * Read one pipeline from *LINE, up to the operator that ends it, which goes to *END. An empty one
 * has no commands. Its words lie in arrays that the next call overwrites. Returns NULL, or a
 * sentence that says why the line can't be understood.
 */
const char *parse_pipeline(const char **line, const struct shell_values *values,
                           struct pipeline *pipeline, enum token_kind *end);

#endif
