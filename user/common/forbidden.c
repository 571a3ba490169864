/* The last exhibit of the tour: what no VMA allows, and who is told. */
#include "user/common/forbidden.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/common/paint.h"
#include "user/common/signals.h"

static struct exhibit *subject;
static int hole, data; /* pages of it */

/* Let a child do what is forbidden, and say what became of it. */
static void forbidden(const char *what, void (*action)(void), int expected_signal)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        action();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        printf("%*s%s: fork failed: %s\n", EXHIBIT_INDENT, "", what, strerror(errno));
        return;
    }
    printf("%*s%-42s ", EXHIBIT_INDENT, "", what);
    if (WIFSIGNALED(status))
        printf("%skilled by %s%s\n", paint(RED), signal_name(WTERMSIG(status)), paint_end());
    else
        printf("ended with status %d\n", WEXITSTATUS(status));
    expect(WIFSIGNALED(status) && WTERMSIG(status) == expected_signal, "what is forbidden is told");
}

static void write_to_the_hole(void)
{
    *page_at(subject, hole) = 1;
}

static void write_to_a_read_only_page(void)
{
    mprotect(subject->start, PAGE_SIZE, PROT_READ);
    *page_at(subject, 0) = 1;
}

static void run_what_is_not_code(void)
{
    ((void (*)(void))(uintptr_t)page_at(subject, data))();
}

static void read_address_zero(void)
{
    unsigned char *volatile nowhere = NULL;
    /* cppcheck-suppress nullPointer ; it is the point */
    (void)*(volatile unsigned char *)nowhere; /* NOLINT(clang-analyzer-core.NullDereference) */
}

/* A system call is told more gently. */
static void give_it_to_write(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        return;
    bool is_refused = write(ends[1], (void *)page_at(subject, hole), 1) < 0;
    int error = errno;
    paragraph(EXHIBIT_TEXT,
              "\nA system call is told more gently. write, asked to send a byte out of the hole, "
              "%s: %s.",
              is_refused ? "fails with EFAULT" : "did it",
              is_refused ? strerror(error) : "a mistake");
    expect(is_refused && error == EFAULT, "a system call refuses a bad address with EFAULT");
    close(ends[0]);
    close(ends[1]);
}

void show_what_is_forbidden(struct exhibit *exhibit, int hole_page, int data_page)
{
    subject = exhibit;
    hole = hole_page;
    data = data_page;
    forbidden("a write into the hole:", write_to_the_hole, SIGSEGV);
    forbidden("a write to a page made read-only:", write_to_a_read_only_page, SIGSEGV);
    forbidden("a jump into data that is not code:", run_what_is_not_code, SIGSEGV);
    forbidden("a read at address 0:", read_address_zero, SIGSEGV);
    give_it_to_write();
}
