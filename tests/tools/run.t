#!/usr/bin/env python3
"""tools/run: what it passes on, what it refuses, and that it never leaves an emulator behind."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, check_contains, check_equal, children_of, done, is_running, skip  # noqa: E402
import guest_program  # noqa: E402

RUN = os.path.join(ROOT, "tools", "run")
USAGE = "usage: tools/run [options] PROGRAM [ARG...]"

HELLO = 'void program(long argc, char **argv) { say("hello\\n"); leave(0); }'
HANG = "void program(long argc, char **argv) { say(\"started\\n\"); for (;;) ; }"

# What the program does is told by its first argument; the second one is a number or a path.
ACTOR = """
static int number(const char *digits) { int n = 0; while (*digits) n = 10 * n + *digits++ - '0'; return n; }
static void copy(long file)
{
    static char buffer[65536];
    for (long got; (got = call(0, file, (long)buffer, sizeof buffer)) > 0; )
        for (long sent = 0; sent < got; )
            sent += call(1, 1, (long)buffer + sent, got - sent);
}
void program(long argc, char **argv)
{
    static char termios[64];
    switch (argv[1][0]) {
    case 'a':   /* arguments and environment */
        for (char **word = argv; *word; word++) { say(*word); say("|"); }
        for (char **word = argv + argc + 1; *word; word++) { say(*word); say("|"); }
        break;
    case 'c': copy(call(2, (long)argv[2], 0, 0)); break;
    case 'e': leave(number(argv[2]));
    case 'i': copy(0); break;
    case 'k': call(62, call(39, 0, 0, 0), number(argv[2]), 0); break;
    case 'm': {  /* the mode bits of a file */
        static unsigned stat[36];
        call(4, (long)argv[2], (long)stat, 0);
        leave(stat[6] & 0777);
    }
    case 'o':   /* both outputs, in turn */
        call(1, 1, (long)"one ", 4); call(1, 2, (long)"two ", 4); call(1, 1, (long)"three", 5);
        break;
    case 's': *(volatile int *)16 = 1; break;
    case 't':   /* is one of the descriptors a terminal? */
        leave(call(16, 0, 0x5401, (long)termios) == -25 && call(16, 1, 0x5401, (long)termios) == -25);
    case 'x': { /* instructions of a loop of two, a million times, in thousands */
        unsigned low, high, low2, high2, n = 1000000;
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        __asm__ volatile("1: dec %0\\njnz 1b" : "+r"(n));
        __asm__ volatile("rdtsc" : "=a"(low2), "=d"(high2));
        leave((low2 - low) / 1000 == 2000 ? 0 : 1);
    }
    }
    leave(0);
}
"""


def run(*arguments, **options):
    options = dict({"stdin": subprocess.DEVNULL, "timeout": 120}, **options)
    return subprocess.run([RUN, *map(str, arguments)], capture_output=True, check=False, **options)


def says(got, status, output, rule):
    check_equal((got.returncode, got.stdout), (status, output), rule, got.stderr)


def refuses(rule, sentence, *arguments, status=2, **options):
    """One sentence (or the usage) on standard error, nothing on standard output, and STATUS."""
    got = run(*arguments, **options)
    text = got.stderr.decode()
    check(got.returncode == status and not got.stdout and sentence in text and "Traceback" not in text, rule,
          f"status {got.returncode}, expected {status} and: {sentence}", text)


def test_wrong_use():
    refuses("without a program: the usage line and exit 2", USAGE)
    refuses("an unknown option: the usage line and exit 2", USAGE, "--bogus", hello)
    refuses("an abbreviated option is not guessed", USAGE, "--verb", hello)
    refuses("a size of memory that is none", USAGE, "--memory", "lots", hello)
    refuses("a firmware that is none", USAGE, "--firmware", "coreboot", hello)
    refuses("a time that is none", USAGE, "--timeout", "-1", hello)
    refuses("a variable without a value", USAGE, "--env", "HOME", hello)
    refuses("a guest path that is not absolute", "no absolute path", "--file", f"{hello}=etc/x", hello)
    refuses("a guest path that climbs", "no absolute path", "--file", f"{hello}=/etc/../x", hello)
    refuses("a guest name too long for ustar", "too long", "--file", f"{hello}=/{'n' * 300}", hello)
    refuses("kernel options that are too long", "at most", "--append", "x" * 3000, hello)
    refuses("a --file that is not there", "No such file", "--file", "/no/such/file", hello)
    refuses("a --stdin that is not there", "No such file", "--stdin", "/no/such/file", hello)
    refuses("a journal that can't be written", "can't write the journal", "--events", "/no/such/folder/events", hello)
    got = run("--help")
    check(got.returncode == 0 and all(option in got.stdout.decode() for option in
          "--memory --icount --firmware --file --timeout --append --events --verbose --env --stdin".split()),
          "--help names every option", got.stdout)


def variant(name, change):
    """A copy of the static program with some of its bytes changed: {offset: bytes}, or only its first N bytes."""
    with open(hello, "rb") as file:
        image = bytearray(file.read())
    if isinstance(change, int):
        image = image[:change]
    else:
        for offset, value in change.items():
            image[offset:offset + len(value)] = value
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(image)
    return path


def program_header(index):
    """Where in the file of the static program its program header INDEX begins; its type comes first."""
    with open(hello, "rb") as file:
        image = file.read(64)
    return int.from_bytes(image[32:40], "little") + index * 56


def test_refused_programs():
    refuses("a program that is nowhere", "there is no program", "no-such-program")
    refuses("a folder", "is not a file", folder)
    refuses("a text file", "is not an ELF file", __file__)
    refuses("an empty file", "is not an ELF file", variant("empty", 0))
    refuses("a file that ends in its header", "ends within its header", variant("short", 40))
    refuses("a file that ends in its program headers", "cut off", variant("cut", 80))
    refuses("a file without program headers", "missing or cut off", variant("headless", {56: b"\0\0"}))
    refuses("a 32-bit program", "is not an ELF64 program", variant("elf32", {4: b"\1"}))
    refuses("a big-endian program", "is not for x86-64", variant("big", {5: b"\2"}))
    refuses("a program for ARM", "is not for x86-64 (its ELF machine number is 183", variant("arm", {18: b"\xb7\0"}))
    refuses("an object file", "is an object file", variant("object", {16: b"\1\0"}))
    refuses("a core file", "is not a program", variant("core", {16: b"\4\0"}))
    refuses("a dynamically linked program", "is not static",
            variant("dynamic", {program_header(0): b"\3\0\0\0"}))
    library = guest_program.build(os.path.join(folder, "library.so"), HELLO, "-fpic", "-shared", "-Wl,-Bsymbolic")
    refuses("a shared library", "is a shared library", library)
    if os.getuid() == 0:
        skip("a program that may not be read", "root may read everything")
    else:
        os.chmod(variant("secret", {}), 0)
        refuses("a program that may not be read", "Permission denied", os.path.join(folder, "secret"))


def test_output():
    says(run(hello), 0, b"hello\n", "the program's output is ours, and nothing else is on standard output")
    check_equal(run(hello).stderr, b"", "without --verbose nothing is on standard error")
    says(run(actor, "output"), 0, b"one two three", "descriptors 1 and 2 both arrive, in order")
    says(run(actor, "arguments", "b c", ""), 0, b"/bin/actor|arguments|b c||PATH=/bin|HOME=/|TERM=dumb|",
         "argv[0] is the guest's path; arguments arrive as they are; the environment is small and fixed")
    says(run("--env", "HOME=/tmp", "--env", "A=b=c", actor, "a"), 0,
         b"/bin/actor|a|PATH=/bin|HOME=/tmp|TERM=dumb|A=b=c|", "--env sets and replaces variables")
    says(run(actor, "a", "--memory", "--"), 0, b"/bin/actor|a|--memory|--|PATH=/bin|HOME=/|TERM=dumb|",
         "what follows the program is the program's")
    says(run(pie), 0, b"hello\n", "a static position-independent program runs")
    says(run("echo", "one", "two"), 0, b"one two\n", "one of our own programs runs by its name")
    got = run("--verbose", hello)
    check(got.stdout == b"hello\n" and b"zeropage: init exited with status 0" in got.stderr,
          "--verbose shows the kernel's messages on standard error", got.stdout, got.stderr)


def test_status():
    for status in (0, 1, 2, 77, 255):
        says(run(actor, "exit", status), status, b"", f"exit status {status} is ours")
    says(run(actor, "segv"), 128 + signal.SIGSEGV, b"", "a bad access gives 128 + SIGSEGV")
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGABRT):
        says(run(actor, "kill", int(number)), 128 + number, b"", f"death by signal {int(number)} gives {128 + number}")


def test_bytes():
    noise = os.urandom(1 << 20) + bytes(range(256)) + b"\0" * 1000 + b"\xff" * 1000
    says(run("--stdin", "-", actor, "input", input=noise, stdin=None), 0, noise,
         "a megabyte of any bytes goes in and comes out unchanged")
    path = os.path.join(folder, "noise")
    with open(path, "wb") as file:
        file.write(noise)
    slow = subprocess.Popen([RUN, "--stdin", path, actor, "input"], stdout=subprocess.PIPE)
    time.sleep(3)
    check_equal(slow.stdout.read(), noise, "a reader that is slow loses nothing")
    slow.stdout.close()
    slow.wait()
    says(run(actor, "input"), 0, b"", "without --stdin the program reads the end of file")
    says(run(actor, "terminal"), 1, b"", "neither input nor output is a terminal")


def test_files():
    path = os.path.join(folder, "data")
    with open(path, "wb") as file:
        file.write(b"contents")
    os.chmod(path, 0o640)
    says(run("--file", path, actor, "cat", "/data"), 0, b"contents", "--file HOST puts the file at /NAME")
    says(run("--file", f"{path}=/a/b/c", "--file", f"{actor}=/etc/motd", actor, "cat", "/a/b/c"), 0, b"contents",
         "--file HOST=GUEST makes folders as needed, and may be repeated")
    says(run("--file", f"{path}=/etc/motd", actor, "cat", "/etc/motd"), 0, b"contents", "--file replaces what was there")
    says(run("--file", path, actor, "mode", "/data"), 0o640 & 255, b"", "the file keeps its mode")


def test_ends():
    began = time.monotonic()
    got = run("--timeout", "3", hang)
    check_equal((got.returncode, got.stdout), (124, b"started\n"),
                "a run that is too long gives 124 and what it has said")
    check_contains(got.stderr.decode(), "no end after 3 seconds", "a run that is too long gets a sentence")
    check(time.monotonic() - began < 10, "--timeout is obeyed", f"{time.monotonic() - began} seconds")
    far = variant("far", {program_header(index) + 16: (1 << 63).to_bytes(8, "little") for index in range(2)})
    refuses("a kernel that dies gives 125, and its messages are on standard error", "/bin/far can't be started", far,
            status=125)
    refuses("the machine's failure to start gives 125 and QEMU's reason", "initrd is too large", "--memory", "1M",
            hello, status=125)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        events = os.path.join(folder, f"events-{int(number)}")
        temporary = os.path.join(folder, f"temporary-{int(number)}")
        os.mkdir(temporary)
        process = subprocess.Popen([RUN, "--events", events, hang], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=dict(os.environ, TMPDIR=temporary))
        process.stdout.read(len("started\n"))
        emulators = children_of(process.pid)
        process.send_signal(number)
        process.wait()
        time.sleep(0.3)
        name = signal.Signals(number).name
        check(emulators and not any(map(is_running, emulators)), f"{name} leaves no emulator behind", emulators)
        check_equal(process.returncode, -number, f"after {name} the caller sees that {name} ended us")
        check(not os.path.exists(events), f"{name} leaves no half-written journal under its name")
        if number != signal.SIGKILL:    # nobody can tidy up after that one
            check_equal(os.listdir(temporary), [], f"{name} leaves no temporary files")
        process.stdout.close()
        process.stderr.close()
    process = subprocess.Popen([RUN, "--stdin", os.path.join(folder, "noise"), actor, "input"],
                               stdout=subprocess.PIPE)
    process.stdout.read(10)
    emulators = children_of(process.pid)
    process.stdout.close()
    check_equal(process.wait(), 128 + signal.SIGPIPE, "when nobody reads any more, the run ends as by SIGPIPE")
    check(not any(map(is_running, emulators)), "when nobody reads any more, no emulator is left", emulators)


def test_machine():
    says(run("--icount", actor, "x"), 0, b"", "under --icount, rdtsc counts the guest's instructions")
    events = os.path.join(folder, "a journal, with a comma")
    says(run("--events", events, hello), 0, b"hello\n", "--events changes nothing in the output")
    lines = []
    if os.path.exists(events):
        with open(events, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
    check(len(lines) > 10 and isinstance(lines[0], dict), "--events writes the journal, one JSON object a line",
          lines[:2])
    check_equal([name for name in os.listdir(folder) if name.endswith(".part")
                 and not re.search(r"events-9\.", name)], [], "no temporary journal is left")
    empty = os.path.join(folder, "empty-path")
    os.mkdir(empty)
    for tool in ("python3", "env", "sh", "mktemp", "rm", "mkdir", "dirname", "date", "cp"):
        os.symlink(shutil.which(tool), os.path.join(empty, tool))
    without = dict(os.environ, PATH=empty)
    refuses("without QEMU: a sentence", "qemu-system-x86_64 is not installed", hello, status=125, env=without)
    refuses("without GRUB: a sentence", "no grub-mkimage", "--firmware", "bios", hello, status=125, env=without)
    refuses("without a built kernel and without make: a sentence", "make", hello, status=125,
            env=dict(without, BUILD=os.path.join(folder, "nothing")))


with tempfile.TemporaryDirectory(prefix="zeropage-run-test-") as folder:
    hello = guest_program.build(os.path.join(folder, "hello"), HELLO)
    hang = guest_program.build(os.path.join(folder, "hang"), HANG)
    actor = guest_program.build(os.path.join(folder, "actor"), ACTOR)
    pie = guest_program.build(os.path.join(folder, "pie"), HELLO, "-fpie", "-static-pie")
    test_wrong_use()
    test_refused_programs()
    test_output()
    test_status()
    test_bytes()
    test_files()
    test_ends()
    test_machine()
done()
