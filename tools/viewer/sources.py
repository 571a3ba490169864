"""Finds the source line of each instruction that faulted, by addr2line and the programs' debug information."""
import os
import shutil
import subprocess

CONTEXT = 4
FIRST_KERNEL_ADDRESS = 1 << 63
ADDR2LINE = ("x86_64-elf-addr2line", "x86_64-linux-gnu-addr2line", "addr2line", "llvm-addr2line")


class Unusable(Exception):
    """The source lines can't be had; the text is a sentence for the person."""


def is_kernel(path):
    """True when the ELF file at PATH begins execution or lies in the kernel's half of the addresses."""
    with open(path, "rb") as file:
        head = file.read(64)
    if len(head) < 64 or head[:4] != b"\x7fELF":
        raise Unusable(f"{path} is no ELF file")
    offset = int.from_bytes(head[32:40], "little")
    size, count = int.from_bytes(head[54:56], "little"), int.from_bytes(head[56:58], "little")
    with open(path, "rb") as file:
        file.seek(offset)
        headers = file.read(size * count)
    addresses = [int.from_bytes(headers[at + 16:at + 24], "little") for at in range(0, len(headers), size)]
    return max(addresses, default=0) >= FIRST_KERNEL_ADDRESS


def look_up(program, path, addresses):
    """Returns {address: (function, file, line)} for those of ADDRESSES that PATH knows."""
    words = "\n".join(f"{address:#x}" for address in addresses)
    result = subprocess.run([program, "-f", "-e", path], input=words, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Unusable(f"{program} can't read {path}: {result.stderr.strip()}")
    lines, found = result.stdout.splitlines(), {}
    for address, function, place in zip(addresses, lines[::2], lines[1::2]):
        file, _, line = place.split(" (")[0].rpartition(":")
        if function != "??" or (file != "??" and line.isdigit()):
            found[address] = (function, file if file != "??" else "", int(line) if line.isdigit() else 0)
    return found


def excerpt(path, line):
    """The lines around LINE as [first number, text…]; empty when the file isn't there."""
    try:
        with open(path, encoding="utf-8", errors="replace") as source:
            lines = source.read().split("\n")
    except OSError:
        return []
    first = max(line - CONTEXT, 1)
    return [first] + lines[first - 1:line + CONTEXT]


def find_file(file, root):
    """FILE as a path from ROOT, the checkout, when it lies there: NASM and -ffile-prefix-map leave only its end."""
    parts = os.path.normpath(file).split(os.sep)
    for start in range(len(parts)):
        path = os.path.join(*parts[start:]) if parts[start] else ""
        if path and os.path.isfile(os.path.join(root, path)):
            return path
    return file


def find(addresses, elves, root):
    """Returns {"0x…": [function, file, line, [first number, text…]]} for the instruction ADDRESSES. ROOT: the checkout."""
    if not elves:
        return {}
    program = next((name for name in ADDR2LINE if shutil.which(name)), None)
    if program is None:
        raise Unusable("there is no addr2line (it comes with binutils), so no source lines are shown")
    found = {}
    for path in elves:
        try:
            kernel = is_kernel(path)
        except OSError as error:
            raise Unusable(f"can't read {path}: {error.strerror}") from None
        wanted = [address for address in addresses
                  if address not in found and (address >= FIRST_KERNEL_ADDRESS) == kernel]
        if wanted:
            found.update(look_up(program, path, wanted))
    places = {}
    for address, (function, file, line) in found.items():
        path = find_file(file, root)
        places[f"{address:#x}"] = [function, path, line, excerpt(os.path.join(root, path), line) if line else []]
    return places
