#!/usr/bin/env python3
"""tools/setup and tools/doctor, on made-up systems: a PATH of our own with pretended package managers."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check, check_contains, check_equal, done  # noqa: E402

# What the scripts themselves need; every other program is missing until it is "installed".
BASICS = "sh sed awk grep tr head mktemp rm dirname uname env cat touch chmod".split()

# The packages of everything but the static checkers, by package manager (tools/packages, on an x86_64 host).
EXPECTED = {
    "apt-get": "gcc binutils nasm python3 tar grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools xz-utils "
               "qemu-system-x86 ovmf gdb qemu-utils libc6-dev libcmocka-dev musl-tools unifdef perl",
    "dnf": "gcc binutils nasm python3 tar grub2-tools grub2-tools-minimal grub2-pc-modules "
           "grub2-efi-x64-modules xorriso mtools xz qemu-system-x86-core edk2-ovmf gdb qemu-img glibc-devel libasan libubsan "
           "libcmocka-devel musl-gcc unifdef perl-Test-Harness",
    "pacman": "gcc binutils nasm python tar grub libisoburn mtools xz qemu-system-x86 edk2-ovmf gdb qemu-img glibc cmocka musl "
              "perl",
    "brew": "x86_64-elf-gcc x86_64-elf-binutils nasm python gnu-tar x86_64-elf-grub i386-elf-grub xorriso mtools xz "
            "qemu x86_64-elf-gdb cmocka filosottile/musl-cross/musl-cross unifdef perl",
}


class System:
    """A made-up machine: a copy of tools/ whose file probes find nothing, and a folder of programs."""

    def __init__(self, folder, managers=(), user="root", with_sudo=False):
        self.folder = folder
        self.bin = os.path.join(folder, "bin")
        self.log = os.path.join(folder, "log")
        os.mkdir(self.bin)
        open(self.log, "w").close()
        shutil.copytree(os.path.join(ROOT, "tools"), os.path.join(folder, "tools"))
        self.edit_table(r"file /\S+[^|]*", f"file {folder}/module ")
        for name in BASICS:
            os.symlink(shutil.which(name), os.path.join(self.bin, name))
        self.program("id", f"echo {0 if user == 'root' else 1000}")
        for manager in managers:
            self.program(manager, f'echo "{manager} $*" >>{self.log}')
        if with_sudo:
            self.program("sudo", f'printf "sudo " >>{self.log}; exec "$@"')

    def edit_table(self, pattern, replacement):
        path = os.path.join(self.folder, "tools", "packages")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(pattern, replacement, text))

    def program(self, name, body):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)

    def install_everything(self):
        """Every program of the table, new enough, and a compiler that knows every header and library."""
        with open(os.path.join(self.folder, "tools", "packages"), encoding="utf-8") as file:
            rows = [line for line in file if not line.startswith("#") and "|" in line]
        for row in rows:
            probe = row.split("|")[1].strip()
            if probe.startswith("program"):
                self.program(probe.split()[1].split(",")[-1], "echo version 99.1")
        self.program("gcc", f"""case "$*" in
            -dumpmachine) echo x86_64-linux-gnu ;;
            *-print-file-name=*) echo /lib/${{1#*=}} ;;
            *-M*) read line; header=${{line#*<}}; echo "/usr/include/${{header%>}}" ;;
            *) echo version 99.1 ;;
        esac""")
        open(os.path.join(self.folder, "module"), "w").close()

    def run(self, tool, *arguments, **environment):
        environment = dict({"PATH": self.bin, "TMPDIR": self.folder}, **environment)
        return subprocess.run([os.path.join(self.folder, "tools", tool), *arguments], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def commands(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read().splitlines()


def system(**options):
    folder = tempfile.mkdtemp(prefix="zeropage-setup-")
    folders.append(folder)
    return System(folder, **options)


folders = []


def test_names():
    install = {"apt-get": "apt-get install -y --no-install-recommends", "dnf": "dnf install -y",
               "pacman": "pacman -S --needed --noconfirm", "brew": "brew install"}
    for manager, packages in EXPECTED.items():
        got = system(managers=[manager]).run("setup", SETUP="no")
        check(got.returncode != 0, f"with SETUP=no and tools missing, setup fails ({manager})", got.stdout, got.stderr)
        check(got.stderr.strip().endswith(f": {install[manager]} {packages}"),
              f"setup names the right packages of {manager}", f"expected {install[manager]} {packages}", got.stderr)
        check_equal(len(got.stderr.splitlines()), 1, f"what SETUP=no prints is one line ({manager})", got.stderr)


def test_installation():
    machine = system(managers=["apt-get"])
    check_equal(machine.run("setup", SETUP="no").returncode != 0 and machine.commands(), [],
                "SETUP=no runs no package manager")

    machine = system(managers=["apt-get"])
    got = machine.run("setup")
    check_equal([line.split()[1] for line in machine.commands()], ["-q", "install"],
                "setup updates the lists and installs, once each", machine.commands())
    check(got.returncode != 0, "setup fails when something is still missing after the installation")
    check_contains(got.stderr, "still missing after the installation", "setup says what is still missing")

    machine = system(managers=["apt-get"], user="somebody", with_sudo=True)
    machine.run("setup")
    check(all(line.startswith("sudo ") for line in machine.commands()) and len(machine.commands()) == 2,
          "setup goes through sudo when it is not root", machine.commands())

    machine = system(managers=["apt-get"], user="somebody")
    got = machine.run("setup")
    check_contains(got.stderr, "not root and there is no sudo, so as root: apt-get install",
                   "without sudo, setup says what root has to type")
    check_equal((got.returncode, machine.commands()), (1, []), "without sudo, setup fails and runs nothing")

    machine = system(managers=["brew"], user="somebody", with_sudo=True)
    machine.run("setup")
    check(machine.commands() and not machine.commands()[0].startswith("sudo"), "brew never runs through sudo",
          machine.commands())

    got = system().run("setup")
    check_equal(got.returncode, 1, "setup fails where there is no package manager")
    check_contains(got.stderr, "no apt-get, dnf, pacman or brew", "setup says that there is no package manager")

    machine = system(managers=["dnf"])
    machine.program("dnf", "exit 3")
    got = machine.run("setup")
    check_equal(got.returncode, 1, "setup fails when the package manager fails")
    check_contains(got.stderr, "this failed: dnf install", "setup says which command failed")

    machine = system(managers=["apt-get"])
    machine.install_everything()
    got = machine.run("setup", "build", "run", "test", "debug", "check")
    check_equal((got.returncode, got.stdout, got.stderr, machine.commands()), (0, "", "", []),
                "setup says and does nothing when nothing is missing")

    machine = system(managers=["apt-get"])
    machine.install_everything()
    os.unlink(os.path.join(machine.bin, "cppcheck"))
    os.unlink(os.path.join(machine.bin, "x86_64-elf-gdb"))
    check_equal((machine.run("setup", "build", "run").returncode, machine.commands()), (0, []),
                "make run neither stops for tools that it doesn't need nor installs them")
    machine.run("setup", "check")
    check_equal(machine.commands()[-1:], ["apt-get install -y --no-install-recommends gdb cppcheck"],
                "what is missing for other purposes is installed in the same go")

    got = system(managers=["apt-get"]).run("doctor")
    check(re.search(r"fix: apt-get install -y --no-install-recommends gcc$", got.stdout, re.MULTILINE),
          "the fix for the compiler names one package, the one of this host", got.stdout)

    got = system().run("setup", "everything")
    check_equal((got.returncode, got.stderr.split(":")[0]), (2, "usage"),
                "a wrong purpose gets the usage line and exit 2")


def test_doctor():
    machine = system(managers=["apt-get"])
    machine.install_everything()
    got = machine.run("doctor")
    check_equal(got.returncode, 0, "doctor is content when everything is there", got.stdout)
    check(re.search(r"^ok +NASM +99\.1 +2\.15 +build", got.stdout, re.MULTILINE),
          "doctor prints found and needed version", got.stdout)

    machine.program("nasm", "echo NASM version 2.9.10")
    got = machine.run("doctor")
    check(re.search(r"^TOO OLD +NASM +2\.9\.10 +2\.15 +build +fix: apt-get install .* nasm$", got.stdout, re.MULTILINE),
          "doctor says that a version is too old (2.9 is older than 2.15), and the fix", got.stdout)
    check_equal(got.returncode, 1, "doctor fails when a tool is too old")

    os.unlink(os.path.join(machine.bin, "nasm"))
    got = machine.run("doctor")
    check(re.search(r"^MISSING +NASM +- +2\.15 +build +fix: ", got.stdout, re.MULTILINE),
          "doctor says what is missing, and the fix", got.stdout)

    machine.install_everything()
    os.unlink(os.path.join(machine.folder, "module"))
    got = machine.run("doctor")
    check(re.search(r"^MISSING +GRUB for UEFI.*fix: apt-get install .*grub-efi-amd64-bin", got.stdout, re.MULTILINE),
          "doctor looks for GRUB's modules too", got.stdout)

    machine = system()
    machine.install_everything()
    os.unlink(os.path.join(machine.bin, "xorriso"))
    check_contains(machine.run("doctor").stdout, "install it by hand", "doctor has advice where no package manager is")
    got = machine.run("doctor", "now")
    check_equal((got.returncode, got.stderr.strip()), (2, "usage: tools/doctor"), "doctor takes no arguments")


def test_table():
    with open(os.path.join(ROOT, "tools", "packages"), encoding="utf-8") as file:
        rows = [line for line in file if not line.startswith("#") and line.strip()]
    check(all(len(row.split("|")) == 8 for row in rows), "each row of tools/packages has eight columns",
          *[row for row in rows if len(row.split("|")) != 8])


try:
    test_table()
    test_names()
    test_installation()
    test_doctor()
finally:
    for made in folders:
        shutil.rmtree(made)
done()
