/* The terminal as a file: reading, writing, its settings, and who is in front. */
#include "kernel/fs/tty.h"

#include "kernel/fs/tty_line.h"
#include "kernel/fs/tty_places.h"
#include "mm/user_copy.h"

#define CHUNK 256
#define NSEC_PER_DECISECOND (NSEC_PER_SEC / 10)

/* kernel/fs/devices.h says the same: /dev/console. */
#define CONSOLE_NUMBER MAKEDEV(5, 1)

struct tty console = {
    .readers = { LIST_HEAD_INIT(console.readers.waiters) },
    .writers = { LIST_HEAD_INIT(console.writers.waiters) },
    .watchers = LIST_HEAD_INIT(console.watchers),
    .size = { .rows = 24, .columns = 80 },
    .session = 1,
    .foreground = 1,
};

void tty_init(void)
{
    tty_line_reset(&console);
    tty_start_places();
}

int tty_open(struct file *file, bool controlling)
{
    struct process *process = current->process;

    if (controlling)
        return console.session && process->sid == console.session ? 0 : -ENXIO;
    /* A session leader without a terminal gets the one that it opens. */
    if (!(file->flags & O_NOCTTY) && console.session == 0 && process->sid == process->pid) {
        console.session = process->sid;
        console.foreground = process->pgid;
    }
    return 0;
}

int tty_number_of(int sid)
{
    return sid && sid == console.session ? (int)CONSOLE_NUMBER : 0;
}

int tty_foreground_of(int sid)
{
    return sid && sid == console.session ? console.foreground : -1;
}

void tty_session_ends(int sid)
{
    if (sid != console.session)
        return;
    if (console.foreground > 0) {
        signal_send_group(console.foreground, SIGHUP, NULL);
        signal_send_group(console.foreground, SIGCONT, NULL);
    }
    console.session = console.foreground = 0;
}

/* ---- job control ---- */

static bool signal_is_shut_off(int signal)
{
    return (current->blocked & SIGMASK(signal)) ||
           current->sighand->action[signal - 1].handler == SIG_IGN;
}

/* A process in the background is stopped by SIGNAL. 0 when it may go on, else negative errno. */
static int check_foreground(int signal)
{
    struct process *process = current->process;

    if (process->sid != console.session || process->pgid == console.foreground)
        return 0;
    if (signal_is_shut_off(signal))
        return signal == SIGTTIN ? -EIO : 0;
    signal_send_group(process->pgid, signal, NULL);
    return -ERESTARTSYS;
}

/* ---- reading ---- */

/* The bytes that a read could take now. */
static unsigned available(const struct tty *tty)
{
    if (!(tty->termios.c_lflag & ICANON))
        return tty->used;
    return tty->lines ? tty->used : 0;
}

static void drop_first(struct tty *tty)
{
    tty->first = (tty->first + 1) % TTY_INPUT;
    tty->used--;
}

/* Takes at most one line (canonical) or what is there. A byte is taken out only when it has arrived. */
static long take(struct tty *tty, struct iov_iter *iter)
{
    bool canonical = tty->termios.c_lflag & ICANON;
    long done = 0;

    while (tty->used > 0) {
        u16 entry = tty->input[tty->first];
        u8 byte = (u8)entry;
        if (entry & INPUT_EOF) {
            drop_first(tty);
            tty->lines--;
            if (canonical)
                break;
            continue;
        }
        if (iter->count == 0)
            break;
        if (copy_to_iter(iter, &byte, 1) == 0)
            return done ? done : -EFAULT;
        drop_first(tty);
        done++;
        if (entry & INPUT_LINE_END) {
            tty->lines--;
            if (canonical)
                break;
        }
    }
    return done;
}

/* Non-canonical reads end by VMIN and VTIME (termios(3)): at least how many bytes, and until when. */
static int wait_for_input(struct file *file, struct tty *tty, size_t wanted)
{
    bool canonical = tty->termios.c_lflag & ICANON;
    unsigned minimum = canonical ? 1 : tty->termios.c_cc[VMIN];
    u64 pause = canonical ? 0 : tty->termios.c_cc[VTIME] * NSEC_PER_DECISECOND;
    u64 deadline = pause && minimum == 0 ? sched_clock() + pause : 0;
    unsigned seen = 0;

    if (!canonical && minimum == 0 && pause == 0)
        return 0;
    minimum = (unsigned)MIN((size_t)MAX(minimum, 1u), wanted);
    while (available(tty) < minimum) {
        if (file->flags & O_NONBLOCK)
            return available(tty) ? 0 : -EAGAIN;
        if (pause && !canonical && available(tty) > seen) {
            seen = available(tty);
            deadline = sched_clock() + pause;
        }
        int error = wait_on(&tty->readers, deadline);
        if (error == -ETIMEDOUT || (error && available(tty) && !canonical))
            return 0;
        if (error)
            return error;
    }
    return 0;
}

static long tty_read(struct file *file, struct iov_iter *iter, s64 *pos)
{
    (void)pos;
    int error = check_foreground(SIGTTIN);
    if (!error)
        error = wait_for_input(file, &console, iter->count);
    return error ? error : take(&console, iter);
}

/* ---- writing ---- */

static long tty_write(struct file *file, struct iov_iter *iter, s64 *pos)
{
    u8 chunk[CHUNK];
    size_t done = 0;

    (void)pos;
    if (console.termios.c_lflag & TOSTOP) {
        int error = check_foreground(SIGTTOU);
        if (error)
            return error;
    }
    while (iter->count > 0) {
        while (console.stopped) {
            int error = file->flags & O_NONBLOCK ? -EAGAIN : wait_on(&console.writers, 0);
            if (error)
                return done ? (long)done : error;
        }
        size_t n = MIN(iter->count, sizeof(chunk));
        size_t copied = copy_from_iter(iter, chunk, n);
        tty_line_output(&console, chunk, copied);
        done += copied;
        if (copied < n)
            break;
    }
    return done ? (long)done : -EFAULT;
}

static unsigned tty_poll(struct file *file)
{
    (void)file;
    return (available(&console) ? POLLIN | POLLRDNORM : 0) |
           (console.stopped ? 0 : POLLOUT | POLLWRNORM);
}

static struct list_head *tty_watchers(struct file *file)
{
    (void)file;
    return &console.watchers;
}

/* ---- settings ---- */

static long set_termios(unsigned long request, unsigned long argument)
{
    struct termios old = console.termios, new;

    int error = check_foreground(SIGTTOU);
    if (error)
        return error;
    if (get_user(new, argument))
        return -EFAULT;
    console.termios = new;
    if (request == TCSETSF)
        tty_line_flush_input(&console);
    tty_line_settings_changed(&console, &old);
    return 0;
}

static long take_terminal(bool steal)
{
    struct process *process = current->process;

    if (process->sid == console.session)
        return 0;
    if (process->sid != process->pid)
        return -EPERM;
    if (console.session && !(steal && current->euid == 0))
        return -EPERM;
    console.session = process->sid;
    console.foreground = process->pgid;
    return 0;
}

static long set_foreground(unsigned long argument)
{
    struct process *process;
    int pgid;

    if (current->process->sid != console.session)
        return -ENOTTY;
    int error = check_foreground(SIGTTOU);
    if (error)
        return error;
    if (get_user(pgid, argument))
        return -EFAULT;
    if (pgid < 0)
        return -EINVAL;
    list_for_each_entry(process, &all_processes, all) {
        if (process->pgid == pgid && process->sid == console.session) {
            console.foreground = pgid;
            return 0;
        }
    }
    return -EPERM;
}

static long set_size(unsigned long argument)
{
    struct winsize size;

    if (get_user(size, argument))
        return -EFAULT;
    tty_change_size(&size);
    return 0;
}

/* A list of cases. */
static long tty_ioctl(struct file *file, unsigned long request, unsigned long argument)
{
    bool ours = current->process->sid == console.session;

    (void)file;
    switch (request) {
    case TCGETS:
        return put_user(console.termios, argument);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_termios(request, argument);
    case TIOCGWINSZ:
        return put_user(console.size, argument);
    case TIOCSWINSZ:
        return set_size(argument);
    case TIOCGPGRP:
        return ours ? put_user(console.foreground, argument) : -ENOTTY;
    case TIOCSPGRP:
        return set_foreground(argument);
    case TIOCGSID:
        return ours ? put_user(console.session, argument) : -ENOTTY;
    case TIOCSCTTY:
        return take_terminal(argument == 1);
    case TIOCNOTTY:
        if (!ours)
            return -ENOTTY;
        if (current->process->sid == current->process->pid)
            tty_session_ends(current->process->sid);
        return 0;
    case FIONREAD:
        return put_user((int)available(&console), argument);
    case TIOCOUTQ:
        return put_user(0, argument);
    case TCFLSH:
        if (argument != 1)
            tty_line_flush_input(&console);
        return 0;
    case TCSBRK:
    case TCXONC:
        return 0;
    default:
        return -ENOTTY;
    }
}

const struct file_operations tty_file_ops = {
    .read = tty_read,
    .write = tty_write,
    .ioctl = tty_ioctl,
    .poll = tty_poll,
    .watchers = tty_watchers,
};
