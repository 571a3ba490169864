#!/usr/bin/env python3
"""`make run` offers the static programs that are installed here, and those that a person names, and nothing else."""
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import BUILD, ROOT, check, done  # noqa: E402

sys.path.insert(0, os.path.join(ROOT, "tools"))
import qemu  # noqa: E402

STATIC = os.path.join(BUILD, "user", "bin", "echo")
PARTS = ("zeropage.elf", "archive.tar", "zeropage.iso")


def offer(folder, programs=(), path=""):
    """Runs tools/offer for a build that is a copy of ours."""
    return subprocess.run([sys.executable, os.path.join(ROOT, "tools", "offer"), *programs], capture_output=True,
                          text=True, check=False, env=dict(os.environ, BUILD=folder, PATH=f"{path}:{os.environ['PATH']}"))


def in_archive(folder):
    with tarfile.open(os.path.join(folder, "run", "archive.tar")) as archive:
        return {entry.name: (archive.extractfile(entry).read() if entry.isfile() else None, entry.mode)
                for entry in archive if entry.isfile()}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def runs_in_guest(folder):
    """What an offered program says in a machine that boots the archive."""
    said = bytearray()
    # The kernel's run mode wants its files in the archive, too.
    archive = os.path.join(folder, "run", "archive.tar")
    scratch = os.path.join(folder, "with-argv.tar")
    shutil.copyfile(archive, scratch)
    argv = os.path.join(folder, "argv")
    with open(argv, "wb") as file:
        file.write(b"/bin/mine\0works\0")
    with tarfile.open(scratch, "a", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(argv, "run/argv")
        tar.add("/dev/null", "run/env", filter=lambda entry: tarfile.TarInfo("run/env"))
    with qemu.Machine(said.extend, lambda _: None, kernel=os.path.join(folder, "zeropage.elf"), archive=scratch,
                      append="run") as machine:
        machine.run(30)
    return said.decode(errors="replace").replace("\r", "").strip()


def main():
    with tempfile.TemporaryDirectory(prefix="zeropage-offer-") as folder:
        for part in PARTS:
            shutil.copyfile(os.path.join(BUILD, part), os.path.join(folder, part))
        before = digest(os.path.join(folder, "zeropage.iso"))
        installed = os.path.join(folder, "installed")
        os.mkdir(installed)

        alone = offer(folder)
        if not alone.stdout:
            check(os.path.islink(os.path.join(folder, "run", "zeropage.iso")),
                  "with nothing installed, the disc is that of the release")

        shutil.copy(STATIC, os.path.join(installed, "busybox"))
        shutil.copy(shutil.which("true"), os.path.join(installed, "sash"))
        made = offer(folder, path=installed)
        found = in_archive(folder)
        with open(STATIC, "rb") as file:
            image = file.read()
        check(made.returncode == 0 and found.get("bin/busybox") == (image, 0o755), "a static program that is installed is offered",
              made.stderr)
        check(found["bin/ash"][0].endswith(b'exec /bin/busybox sh "$@"\n'), "busybox is offered as ash, too, with its arguments")
        check("bin/sash" not in found, "a dynamic one is not")
        check("busybox" in made.stdout and made.stdout.count("\n") == 1, "it says in a line what it offers", made.stdout)
        check("bin/sh" in found and not os.path.islink(os.path.join(folder, "run", "zeropage.iso")),
              "beside our own programs, on a disc of its own")
        check(digest(os.path.join(folder, "zeropage.iso")) == before, "the released disc stays as it is, bit for bit")

        mine = shutil.copy(STATIC, os.path.join(folder, "mine"))
        made = offer(folder, [mine])
        check("bin/mine" in in_archive(folder), "a program that a person names is offered", made.stderr)
        said = runs_in_guest(folder)
        check(said == "works", "and runs", said)

        refused = offer(folder, [shutil.which("true")])
        check(refused.returncode != 0 and "not static" in refused.stderr and refused.stderr.count("\n") == 1,
              "a dynamic one is refused with a sentence", refused.stderr)
        refused = offer(folder, [os.path.join(folder, "none")])
        check(refused.returncode != 0 and "No such file" in refused.stderr, "so is one that is not there", refused.stderr)
        left = [name for name in os.listdir(os.path.join(folder, "run")) if name not in PARTS]
        check(not left, "nothing is left behind", *left)
    done()


main()
