/* How the shell understands a line: pipelines of commands with their words and redirections. */
#include "user/common/shell_line.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX     128
#define EXPANDED_SIZE 8192

/* The words of all commands of the pipeline, each command's ended by NULL; and their texts. */
static char *words[WORDS_MAX + COMMANDS_MAX];
static char texts[EXPANDED_SIZE];
static size_t word_count, text_length;

/* Resolve a word into the pipeline's texts; NULL if there is no room. */
static char *expand(const struct token *word, const struct shell_values *values, bool *vanishes)
{
    char *text = texts + text_length;
    long length = expand_word(word, values, text, sizeof texts - text_length, vanishes);
    if (length < 0 || word_count == WORDS_MAX)
        return NULL;
    text_length += (size_t)length + 1;
    return text;
}

static const char *take_word(struct command *command, const struct token *token,
                             const struct shell_values *values)
{
    bool vanishes;
    char *text = expand(token, values, &vanishes);
    if (text == NULL)
        return "this command is too long";
    if (!vanishes) {
        command->words[command->word_count++] = text;
        command->words[command->word_count] = NULL;
        word_count++;
    }
    return NULL;
}

/* Put the word behind a redirection where it belongs. */
static const char *take_redirection(struct command *command, enum token_kind kind,
                                    const char **line, const struct shell_values *values)
{
    struct token token;
    char quote;
    bool vanishes;
    if (!next_token(line, &token, &quote) || token.kind != TOKEN_WORD)
        return "a file name is missing behind < or >";
    char *path = expand(&token, values, &vanishes);
    if (path == NULL)
        return "this command is too long";
    switch (kind) {
    case TOKEN_INPUT:
        command->input = path;
        break;
    case TOKEN_ERROR_OUTPUT:
        command->error = path;
        break;
    default:
        command->output = path;
        command->append = kind == TOKEN_APPEND;
    }
    return NULL;
}

static bool is_empty(const struct command *command)
{
    return command->word_count == 0 && command->input == NULL && command->output == NULL;
}

/* Begin the command behind a |, with its words behind those of the one before. */
static struct command *next_command(struct pipeline *pipeline)
{
    struct command *before = &pipeline->commands[pipeline->count - 1];
    struct command *command = &pipeline->commands[pipeline->count];
    command->words = before->words + before->word_count + 1;
    *command->words = NULL;
    return command;
}

const char *parse_pipeline(const char **line, const struct shell_values *values,
                           struct pipeline *pipeline, enum token_kind *end)
{
    static char mistake[40];
    struct token token;
    char quote;
    memset(pipeline, 0, sizeof *pipeline);
    word_count = text_length = 0;
    struct command *command = pipeline->commands;
    command->words = words;
    *command->words = NULL;
    for (;;) {
        const char *problem = NULL;
        if (!next_token(line, &token, &quote)) {
            snprintf(mistake, sizeof mistake, "the quote %c is not closed", quote);
            return mistake;
        }
        switch (token.kind) {
        case TOKEN_WORD:
            problem = take_word(command, &token, values);
            break;
        case TOKEN_ERROR_TO_OUTPUT:
            command->error_to_output = true;
            break;
        case TOKEN_APPEND:
        case TOKEN_OUTPUT:
        case TOKEN_INPUT:
        case TOKEN_ERROR_OUTPUT:
            problem = take_redirection(command, token.kind, line, values);
            break;
        case TOKEN_PIPE:
            if (is_empty(command))
                return "there is no command before |";
            if (++pipeline->count == COMMANDS_MAX)
                return "this pipe is too long";
            command = next_command(pipeline);
            break;
        default: /* the end of the pipeline */
            if (is_empty(command) && pipeline->count > 0)
                return "there is no command behind |";
            pipeline->count += !is_empty(command);
            pipeline->is_background = token.kind == TOKEN_BACKGROUND;
            *end = token.kind;
            return NULL;
        }
        if (problem != NULL)
            return problem;
    }
}
