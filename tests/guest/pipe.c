/* Checks pipes: order, blocking, capacity, ends of file, broken pipes, duplicates. */
#define _GNU_SOURCE /* pipe2 */
#include <fcntl.h>

#include "mem.h"

static int ends[2];

static void make_pipe(void)
{
    if (pipe(ends) != 0)
        bail_out("pipe failed with errno %d", errno);
}

static void close_pipe(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void order(void)
{
    char text[16] = "";

    make_pipe();
    check(ends[0] >= 0 && ends[1] > ends[0], "pipe gives two descriptors, the reading one first");
    check_eq(write(ends[1], "abc", 3), 3, "bytes are written");
    check_eq(write(ends[1], "defgh", 5), 5, "and more bytes");
    check_eq(read(ends[0], text, 2), 2, "a short read takes what it asks for");
    check_eq(read(ends[0], text + 2, 10), 6, "a long one what there is");
    check_str(text, "abcdefgh", "in the order of writing");
    check_fails(lseek(ends[0], 0, SEEK_SET), ESPIPE, "a pipe cannot be sought in");
    close_pipe();
}

static void end_of_file(void)
{
    char byte;

    make_pipe();
    check_eq(write(ends[1], "x", 1), 1, "a byte is written before the writing end is closed");
    close(ends[1]);
    check_eq(read(ends[0], &byte, 1), 1, "it can still be read");
    check_eq(read(ends[0], &byte, 1), 0, "and then there is the end of file");
    check_eq(read(ends[0], &byte, 1), 0, "again and again");
    close(ends[0]);
}

static void writes_to_nobody(void *nothing)
{
    (void)nothing;
    close(ends[0]);
    _exit(write(ends[1], "x", 1) == 1 ? 1 : 2);
}

static void broken(void)
{
    make_pipe();
    close(ends[0]);
    ends[0] = -1;
    check_eq(signal_of_child(writes_to_nobody, NULL), SIGPIPE,
             "writing to a pipe without a reader kills with SIGPIPE");
    close(ends[1]);
}

/* The byte at a place of the long message. */
static unsigned char pattern(unsigned long place)
{
    return (unsigned char)(place * 7 + (place >> 8));
}

static void sends_much(void *length_pointer)
{
    unsigned long length = *(unsigned long *)length_pointer;
    static unsigned char buffer[3000];

    close(ends[0]);
    for (unsigned long sent = 0; sent < length;) {
        unsigned long part = length - sent < sizeof(buffer) ? length - sent : sizeof(buffer);

        for (unsigned long i = 0; i < part; i++)
            buffer[i] = pattern(sent + i);
        if (write(ends[1], buffer, part) != (ssize_t)part)
            _exit(1);
        sent += part;
    }
    _exit(0);
}

static void much_data(void)
{
    static unsigned char buffer[5000];
    unsigned long length = 1000000, received = 0, wrong = 0;
    int status = -1;
    ssize_t got;
    pid_t child;

    make_pipe();
    child = fork();
    if (child == 0)
        sends_much(&length);
    close(ends[1]);
    while ((got = read(ends[0], buffer, sizeof(buffer))) > 0)
        for (ssize_t i = 0; i < got; i++)
            wrong += buffer[i] != pattern(received++);
    waitpid(child, &status, 0);
    check_eq(received, length, "a million bytes pass from a child to its parent");
    check_eq(wrong, 0, "every one of them right");
    check_eq(status, 0, "and each write wrote all of its bytes");
    close(ends[0]);
}

static void capacity(void)
{
    static char block[65537];
    char byte;

    if (pipe2(ends, O_NONBLOCK) != 0)
        bail_out("pipe2 failed with errno %d", errno);
    check_fails(read(ends[0], &byte, 1), EAGAIN, "with O_NONBLOCK reading an empty pipe is EAGAIN");
    check_eq(write(ends[1], block, sizeof(block)), 65536, "a pipe holds 65536 bytes");
    check_fails(write(ends[1], block, 1), EAGAIN, "writing to a full one is EAGAIN");
    check_eq(read(ends[0], block, 4096), 4096, "a page is read");
    check_eq(write(ends[1], block, 4096), 4096, "and there is room for a page again");
    close_pipe();
}

static void duplicates(void)
{
    int copy;
    char byte = 0;

    make_pipe();
    copy = dup(ends[1]);
    check(copy > ends[1], "dup gives the next free descriptor");
    close(ends[1]);
    check_eq(write(copy, "d", 1), 1, "the duplicate writes when the original is closed");
    check_eq(read(ends[0], &byte, 1), 1, "and the byte arrives");
    check_eq(dup2(copy, 77), 77, "dup2 gives the descriptor that was asked for");
    close(copy);
    check_eq(write(77, "e", 1), 1, "which writes too");
    check_eq(read(ends[0], &byte, 1), 1, "and the byte arrives again");
    close(77);
    check_eq(read(ends[0], &byte, 1), 0, "the end of file comes when the last duplicate is closed");
    check_eq(dup2(ends[0], ends[0]), ends[0], "dup2 onto itself does nothing");
    check_fails(dup2(999, 5), EBADF, "dup2 of a bad descriptor is EBADF");
    check_fails(dup(999), EBADF, "dup of one is EBADF");
    check_fails(dup2(ends[0], -1), EBADF, "dup2 onto -1 is EBADF");
    close(ends[0]);
    check_fails(close(ends[0]), EBADF, "closing twice is EBADF");
}

static void reads_until_end(void *nothing)
{
    char byte;
    int count = 0;

    (void)nothing;
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1)
        count++;
    _exit(count);
}

static void a_blocked_reader(void)
{
    int status = -1;
    pid_t child;

    make_pipe();
    child = fork();
    if (child == 0)
        reads_until_end(NULL);
    for (int i = 0; i < 10; i++)
        if (write(ends[1], "x", 1) != 1)
            bail_out("write failed");
    close(ends[1]);
    waitpid(child, &status, 0);
    check_eq(status, 10 << 8, "a reader that waits gets each byte, and the end when it comes");
    close(ends[0]);
}

int main(void)
{
    order();
    end_of_file();
    broken();
    much_data();
    capacity();
    duplicates();
    a_blocked_reader();
    return done();
}
