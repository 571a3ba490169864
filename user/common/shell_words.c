/* How the shell takes a line apart: words, operators, quotes and variables. */
#include "user/common/shell_words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer spellings stand before their beginnings. */
static const struct {
    const char *text;
    enum token_kind kind;
} operators[] = {
    {"&&", TOKEN_AND},          {"||", TOKEN_OR},
    {"&", TOKEN_BACKGROUND},    {";", TOKEN_THEN},
    {"\n", TOKEN_THEN},         {"|", TOKEN_PIPE},
    {">>", TOKEN_APPEND},       {">", TOKEN_OUTPUT},
    {"<", TOKEN_INPUT},         {"2>&1", TOKEN_ERROR_TO_OUTPUT},
    {"2>", TOKEN_ERROR_OUTPUT},
};

static bool find_operator(const char *text, struct token *token)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        size_t length = strlen(operators[i].text);
        if (strncmp(text, operators[i].text, length) == 0) {
            *token = (struct token){operators[i].kind, text, length};
            return true;
        }
    }
    return false;
}

bool next_token(const char **line, struct token *token, char *open_quote)
{
    const char *place = *line;
    while (isblank(*place) || *place == '\r')
        place++;
    if (*place == '#')
        place += strcspn(place, "\n");
    if (*place == '\0') {
        *token = (struct token){TOKEN_END, place, 0};
        return true;
    }
    if (find_operator(place, token)) {
        *line = place + token->length;
        return true;
    }
    const char *start = place;
    char quote = '\0';
    for (; *place != '\0'; place++) {
        if (*place == '\\' && quote != '\'' && place[1] != '\0')
            place++;
        else if (quote != '\0')
            quote = *place == quote ? '\0' : quote;
        else if (*place == '\'' || *place == '"')
            quote = *place;
        else if (isspace(*place) || strchr("&|;<>", *place) != NULL)
            break;
    }
    *token = (struct token){TOKEN_WORD, start, (size_t)(place - start)};
    *line = place;
    *open_quote = quote;
    return quote == '\0';
}

/* A text that grows up to a limit. */
struct text {
    char *start;
    size_t length, size;
};

static void append(struct text *text, const char *more, size_t length)
{
    if (text->length + length < text->size)
        memcpy(text->start + text->length, more, length);
    text->length += length; /* beyond the size: noticed in the end */
}

/* Append what stands behind a '$' at PLACE; returns where the variable ends. */
static const char *append_variable(struct text *text, const char *place, const char *end,
                                   const struct shell_values *values)
{
    char buffer[64];
    if (place < end && (*place == '?' || *place == '$')) {
        snprintf(buffer, sizeof buffer, "%d", *place == '?' ? values->status : values->process);
        append(text, buffer, strlen(buffer));
        return place + 1;
    }
    bool braces = place < end && *place == '{';
    const char *name = place + braces, *behind = name;
    while (behind < end && (isalnum(*behind) || *behind == '_'))
        behind++;
    if (behind == name || (size_t)(behind - name) >= sizeof buffer) {
        append(text, "$", 1);
        return place;
    }
    snprintf(buffer, sizeof buffer, "%.*s", (int)(behind - name), name);
    const char *value = getenv(buffer);
    if (value != NULL)
        append(text, value, strlen(value));
    return behind + (braces && behind < end && *behind == '}');
}

long expand_word(const struct token *word, const struct shell_values *values, char *to, size_t size,
                 bool *vanishes)
{
    struct text text = {to, 0, size};
    const char *end = word->text + word->length;
    char quote = '\0';
    bool is_quoted = false;
    for (const char *place = word->text; place < end;) {
        char c = *place++;
        if (c == quote && c != '\0') {
            quote = '\0';
        } else if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
            is_quoted = true;
        } else if (c == '$' && quote != '\'') {
            place = append_variable(&text, place, end, values);
        } else if (c == '\\' && quote != '\'' && place < end &&
                   (quote == '\0' || strchr("\"\\$`", *place) != NULL)) {
            append(&text, place++, 1);
        } else {
            append(&text, &c, 1);
        }
    }
    *vanishes = text.length == 0 && !is_quoted;
    if (text.length >= size)
        return -1;
    to[text.length] = '\0';
    return (long)text.length;
}
