/* How the shell takes a line apart: words, operators, quotes and variables. */
#ifndef USER_COMMON_SHELL_WORDS_H
#define USER_COMMON_SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* What a token is; the operators in the order in which shell_words.c spells them. */
enum token_kind {
    TOKEN_WORD,
    TOKEN_AND,             /* && */
    TOKEN_OR,              /* || */
    TOKEN_BACKGROUND,      /* &  */
    TOKEN_THEN,            /* ;  */
    TOKEN_PIPE,            /* |  */
    TOKEN_APPEND,          /* >> */
    TOKEN_OUTPUT,          /* >  */
    TOKEN_INPUT,           /* <  */
    TOKEN_ERROR_TO_OUTPUT, /* 2>&1 */
    TOKEN_ERROR_OUTPUT,    /* 2> */
    TOKEN_END,
};

struct token {
    enum token_kind kind;
    const char *text; /* in the line, quotes and all */
    size_t length;
};

/*
 * Find the next token of *LINE and move *LINE behind it; TOKEN_END at the end and at a comment.
 * Returns false, with the quote in *OPEN_QUOTE, when a quote isn't closed.
 */
bool next_token(const char **line, struct token *token, char *open_quote);

/* What $? and $$ stand for. */
struct shell_values {
    int status;
    int process;
};

/*
 * Resolve quotes, backslashes and variables of a word. The text, ended by '\0', goes to TO, of SIZE
 * bytes; returns its length, or -1 if it does not fit. An unquoted word may come out empty: then
 * *VANISHES.
 */
long expand_word(const struct token *word, const struct shell_values *values, char *to, size_t size,
                 bool *vanishes);

#endif
