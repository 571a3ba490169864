#!/usr/bin/env python3
"""memview's drawings: of known address spaces, of machines of all sizes, beside the tour, and of a process that dies."""
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import fcntl

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, check_contains, check_equal, done, skip  # noqa: E402
import guest_program  # noqa: E402
import vt  # noqa: E402

MEMVIEW = os.path.join(BUILD, "user", "bin", "memview")
ROW = re.compile(r"^ +([0-9a-f]+)  (\S.*)$", re.MULTILINE)
COLUMNS, SCREENFUL = 80, 24
ESCAPE, ENTER = "\x1b", b"\r"

# Makes a known address space, and lets memview (argv[1]) draw it from a child.
KNOWN_LAYOUT = r"""
static char *map(unsigned long start, long pages, long flags)
{
    register long r10 __asm__("r10") = flags | 0x10;    /* MAP_FIXED */
    register long r8 __asm__("r8") = -1;
    register long r9 __asm__("r9") = 0;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(9L), "D"(start), "S"(pages * 4096), "d"(3L), "r"(r10), "r"(r8),
                     "r"(r9) : "rcx", "r11", "memory");
    if (result != (long)start)
        leave(99);
    return (char *)start;
}

static void touch(volatile char *start, long first, long count, int write)
{
    for (long page = first; page < first + count; page++) {
        if (write)
            start[page * 4096] = 1;
        else
            (void)start[page * 4096];
    }
}

static char number[16];

void program(long argc, char **argv)
{
    long private = 0x22, shared = 0x21, noreserve = 0x4022;
    long me = call(39, 0, 0, 0), sleepers[2], digits = 0;
    if (argc != 2)
        leave(98);

    volatile char *copied = map(0x40000000, 10, private);
    touch(copied, 0, 8, 1);
    for (int i = 0; i < 2; i++) {
        sleepers[i] = call(57, 0, 0, 0);
        if (sleepers[i] == 0) {
            if (i == 0)
                touch(copied, 0, 2, 1);     /* the first takes copies of its own: then they have a user less */
            for (;;)
                call(34, 0, 0, 0);
        }
    }
    long pause[2] = { 0, 200000000 };
    call(35, (long)pause, 0, 0);
    touch(copied, 6, 1, 1);

    volatile char *story = map(0x10000000, 16, private);
    touch(story, 0, 4, 0);
    touch(story, 8, 4, 1);
    touch(story, 0, 2, 1);
    touch(map(0x20000000, 100, private), 41, 2, 1);
    touch(map(0x30000000, 6, shared), 2, 3, 1);
    map(0x100000000, 1 << 20, noreserve);
    touch(map(0x50000000, 120, private), 0, 120, 1);
    for (long rest = me, i = 10; i >= 0; i--, rest /= 10)
        number[i] = (char)('0' + rest % 10);
    while (number[digits] == '0')
        digits++;
    long artist = call(57, 0, 0, 0);
    if (artist == 0) {
        char *arguments[] = { argv[1], number + digits, 0 }, *nothing[] = { 0 };
        call(59, (long)argv[1], (long)arguments, (long)nothing);
        leave(97);
    }
    int status = 0;
    register long r10 __asm__("r10") = 0;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(61L), "D"(artist), "S"(&status), "d"(0L), "r"(r10)
                     : "rcx", "r11", "memory");
    for (int i = 0; i < 2; i++)
        call(62, sleepers[i], 9, 0);
    leave(status >> 8);
}
"""
KNOWN_DRAWING = """\
    10000000 rw-p ##zz....####....                         (anonymous)
    20000000 rw-p ........................................ (anonymous)
    20028000      .##.....................................
    20050000      ....................
    30000000 rw-s ..sss.                                   ..v/zero (deleted)
    40000000 rw-p 223333#3..                               (anonymous)
    50000000 rw-p ###### 120 pages private, 480 KiB ###### (anonymous)
   100000000 rw-p ... 262120 pages promised, 1023 MiB .... (anonymous)
   13ffe8000      ........................~~~~~~~~~~~~~~~~
   140010000      ~ 786400 pages not looked at, 3071 MiB ~
   1ffff0000      ~~~~~~~~~~~~~~~~
"""


def guest(*words, memory="256M", timeout=300):
    run = subprocess.run([os.path.join(ROOT, "tools", "run"), "--memory", memory, "--timeout", str(timeout), *words],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def known_rows(drawing):
    """The lines of KNOWN_LAYOUT's own mappings."""
    wanted = re.compile(r" +(?:[1-5]0[0-9a-f]{6}|1[0-9a-f]{8}) ")
    return "".join(line.rstrip() + "\n" for line in drawing.splitlines() if wanted.match(line))


def unfold(drawing):
    """{letter: how many frames}, whether each row begins where the last one ended, and the scale."""
    counts, expected, fits = {}, 0, True
    scale = int((re.search(r"each character is (\d+)", drawing) or (0, 1))[1])
    for row in ROW.finditer(drawing.split("\n\n")[0]):
        fits = fits and int(row[1], 16) == expected
        folded = re.search(r" (\d+) frames ", row[2])
        cells = {row[2][0]: int(folded[1])} if folded else {letter: scale * row[2].count(letter) for letter in set(row[2])}
        for letter, count in cells.items():
            counts[letter] = counts.get(letter, 0) + count
            expected += count
    return counts, fits, scale


def test_known_layout(folder):
    program = guest_program.build(os.path.join(folder, "layout"), KNOWN_LAYOUT)
    status, drawing, errors = guest(program, "/bin/memview")
    check_equal(status, 0, "memview draws another process", errors)
    check_equal(known_rows(drawing), KNOWN_DRAWING,
                "promised, zero-mapped, private, shared and copied pages have their letters", drawing)
    counts, fits, scale = unfold(drawing)
    check(fits, "each row of frames begins where the last one ended", drawing)
    # Where memory is in many pieces a character is two frames, and two that differ have the letter of one of them.
    check(3 <= counts.get("s", 0) < 3 + 2 * scale - 1, "the shared frames are in the map of frames", drawing)
    check(counts.get("3", 0) >= 6 - scale and counts.get("2", 0) >= 2, "so are those that several processes map", drawing)
    if os.geteuid() != 0:
        skip("on this host's Linux the drawing is the same", "only root is told about frames")
        return
    run = subprocess.run([program, MEMVIEW], capture_output=True, text=True, check=False)
    check_equal(known_rows(run.stdout), known_rows(drawing), "on this host's Linux the drawing is the same", run.stdout)
    test_without_rights(folder, program)


def test_without_rights(folder, program):
    """Linux tells who is not root no frames: then memview says so, and draws what it can know."""
    os.chmod(folder, 0o755)
    own = shutil.copy(MEMVIEW, os.path.join(folder, "memview"))
    run = subprocess.run([program, own], capture_output=True, text=True, check=False, user="nobody")
    check(re.search(r"^The frames can't be shown: .*; only root may\.$", run.stdout, re.MULTILINE),
          "who is not root is told why there are no frames", run.stdout, run.stderr)
    rows = known_rows(run.stdout)
    check("10000000 rw-p ##??....####.... " in rows and "40000000 rw-p ??????#?.. " in rows,
          "and that ? stands for what is not his alone", run.stdout)


def test_counts():
    status, output, errors = guest("sh", "-c", "memview; cat /proc/zeropage")
    counts, _, _ = unfold(output)
    zeropage = {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", output, re.MULTILINE)}
    check_equal(sum(counts.values()), int(re.search(r"machine: (\d+),", output)[1]), "every frame is drawn", output, errors)
    check_equal(counts.get("z"), 1, "there is one zero frame", output)
    check_equal(counts.get("A"), zeropage["archive_behind"] - zeropage["archive_first"], "the archive has its frames", output)
    for letter, name in (("t", "frames_page_table"), (".", "frames_free")):
        check(abs(counts.get(letter, 0) - zeropage[name]) <= 24, f"as many frames are `{letter}` as {name} says",
              counts, zeropage)
    check_equal(status, 0, "memview alone draws itself")


def test_sizes():
    for memory in ("16M", "1G", "16G"):
        _, drawing, errors = guest("memview", memory=memory)
        lines = drawing.splitlines()
        check(8 < len(lines) <= SCREENFUL, f"with {memory} the drawing is a screenful ({len(lines)} lines)", drawing, errors)
        check(all(len(line) <= COLUMNS for line in lines), f"with {memory} no line is too long", drawing)


def test_arguments():
    for words in (["-q"], ["x"], ["1", "2"], ["0"], ["-1"], ["1x"], ["all", "1"]):
        run = subprocess.run([MEMVIEW, *words], capture_output=True, text=True, check=False)
        check((run.returncode, run.stdout) == (2, "") and run.stderr.startswith("usage: memview"),
              f"memview {' '.join(words)} is told the usage", run)
    run = subprocess.run([MEMVIEW, "4999999"], capture_output=True, text=True, check=False)
    check_equal((run.returncode, run.stdout, run.stderr), (1, "", "memview: there is no process 4999999\n"),
                "a process that isn't there is a sentence")
    run = subprocess.run([MEMVIEW, "-w"], capture_output=True, text=True, check=False)
    check_equal((run.returncode, run.stdout, run.stderr), (1, "", "memview: -w needs a terminal to draw on\n"),
                "-w without a terminal is a sentence")


class Terminal:
    """A program in a terminal of its own, and what is on its screen."""

    def __init__(self, command, rows=24, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", rows, COLUMNS, 0, 0))
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        env=dict(os.environ, **environment))
        os.close(slave)
        self.said = ""
        self.screen = vt.Screen(rows, COLUMNS)

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                text = os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                return False
            self.said += text
            self.screen.feed(text)
        return True

    def wait_for(self, pattern, seconds=120):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.screen.text(), re.MULTILINE):
            if time.monotonic() > deadline or not self.read(0.1):
                return False
        return True

    def end(self, seconds=60):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        while self.read(0) and select.select([self.master], [], [], 0)[0]:
            pass
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return None
        os.close(self.master)
        return self.process.returncode


def test_a_process_that_dies():
    victim = subprocess.Popen(["sleep", "600"])
    terminal = Terminal([MEMVIEW, str(victim.pid), "-w"])
    check(terminal.wait_for(rf"^Process {victim.pid}, sleep"), "-w draws the process", terminal.screen.text())
    victim.kill()
    victim.wait()
    check_equal(terminal.end(), 0, "-w ends when the process has ended")
    check(terminal.said.rstrip("8").rstrip(ESCAPE).endswith("[r"), "then the whole terminal scrolls again",
          repr(terminal.said[-80:]))
    check("has ended" in terminal.screen.text() or "no memory" in terminal.screen.text(), "and the picture says so",
          terminal.screen.text())

    terminal = Terminal([MEMVIEW, "-w", "all"])
    check(terminal.wait_for("^-----"), "-w all draws until it is told to stop", terminal.screen.text())
    terminal.process.send_signal(signal.SIGTERM)
    check_equal(terminal.end(), 0, "a signal ends it in order")
    check("\x1b[r" in terminal.said, "then, too, the whole terminal scrolls again")
    terminal = Terminal([MEMVIEW, "-w"], rows=12)
    terminal.wait_for("lines")
    check_contains(terminal.screen.text(), "at least 20 lines", "a terminal that is too small is a sentence")
    check_equal(terminal.end(), 1, "and a failure")
    terminal = Terminal([MEMVIEW])
    check_equal(terminal.end(), 0, "memview on a terminal ends by itself")
    check("\x1b[30;4" in terminal.said, "on a terminal there are colours", terminal.said[:500])
    terminal = Terminal([MEMVIEW], NO_COLOR="1")
    terminal.end()
    check(ESCAPE not in terminal.said, "NO_COLOR switches them off", terminal.said[:500])


def test_beside_the_tour():
    terminal = Terminal([os.path.join(ROOT, "tools", "boot"), "--build", BUILD, "--firmware", "direct"])
    check(terminal.wait_for(r"\$ *$"), "a direct boot comes to the prompt", terminal.screen.text())
    os.write(terminal.master, b"memview -w & tour -s\r")
    check(terminal.wait_for(r"^Process \d+, tour(?s:.*)^---(?s:.*)Enter goes on"), "memview -w & tour -s: the map is above the tour",
          terminal.screen.text())
    states = []
    os.write(terminal.master, ENTER)
    check(terminal.wait_for(r" rw-p \.{16} "), "the map shows the promise", terminal.screen.text())
    for picture in (r" rw-p zzzz\.{12} ", r" rw-p zzzz\.{4}####\.{4} ", r" rw-p ##zz\.{4}####\.{4} "):
        os.write(terminal.master, ENTER)
        states.append(terminal.wait_for(picture))
    check_equal(states, [True] * 3, "the map follows what the tour does", terminal.screen.text())
    os.write(terminal.master, ENTER)
    terminal.wait_for(r"(?s)^---.*and the frames went with it.*Enter goes on")
    os.write(terminal.master, ENTER * 3)
    check(terminal.wait_for(r"(?s)^---.*Every number was as the story says.*\$ *$"), "the tour comes to its end below the map",
          terminal.screen.text())
    time.sleep(1)
    os.write(terminal.master, b"ps\r")
    check(terminal.wait_for(r"FAULTS(?s:.*)ps\n"), "then the shell goes on", terminal.screen.text())
    check(not re.search(r"^ +\d+ +\d+ [^Z] .* memview$", terminal.screen.text(), re.MULTILINE), "and memview has ended by itself",
          terminal.screen.text())
    os.write(terminal.master, b"poweroff\r")
    check_equal(terminal.end(), 0, "and the machine can be switched off")


with tempfile.TemporaryDirectory(prefix="zeropage-memview-") as scratch:
    test_known_layout(scratch)
test_counts()
test_sizes()
test_arguments()
test_a_process_that_dies()
test_beside_the_tour()
done()
