"""Says why a file is no static x86-64 program (ELF-64 Object File Format, version 1.5)."""
import struct

ELFCLASS64, ELFDATA2LSB, EM_X86_64 = 2, 1, 62
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
PT_DYNAMIC, PT_INTERP = 2, 3
DT_NULL, DT_FLAGS_1, DF_1_PIE = 0, 0x6ffffffb, 0x08000000
HEADER_SIZE, PROGRAM_HEADER_SIZE, DYNAMIC_SIZE = 64, 56, 16


def problem(image):
    """What is wrong with the program IMAGE (bytes), as the end of a sentence about it; None when nothing is."""
    if image[:4] != b"\x7fELF":
        return "is not an ELF file"
    if len(image) < HEADER_SIZE:
        return "is not a whole ELF file: it ends within its header"
    if image[4] != ELFCLASS64:
        return "is not an ELF64 program but a 32-bit one"
    if image[5] != ELFDATA2LSB:
        return "is not for x86-64: it is big-endian"
    kind, machine = struct.unpack_from("<HH", image, 16)
    if machine != EM_X86_64:
        return f"is not for x86-64 (its ELF machine number is {machine}, not {EM_X86_64})"
    if kind == ET_REL:
        return "is an object file, not a linked program"
    if kind not in (ET_EXEC, ET_DYN):
        return "is not a program that can be started"
    offset, = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    if count == 0 or size != PROGRAM_HEADER_SIZE or offset + count * size > len(image):
        return "is not a whole ELF file: its program headers are missing or cut off"
    headers = [offset + index * size for index in range(count)]
    types = {struct.unpack_from("<I", image, header)[0]: header for header in headers}
    if PT_INTERP in types:
        return "is not static: it wants a dynamic linker; link it with -static"
    if kind == ET_DYN and not (PT_DYNAMIC in types and has_pie_flag(image, types[PT_DYNAMIC])):
        return "is a shared library, not a program"
    return None


def has_pie_flag(image, header):
    """Whether the dynamic section that HEADER describes says that this is a position-independent program."""
    offset, = struct.unpack_from("<Q", image, header + 8)
    size, = struct.unpack_from("<Q", image, header + 32)
    for entry in range(offset, min(offset + size, len(image) - DYNAMIC_SIZE + 1), DYNAMIC_SIZE):
        tag, value = struct.unpack_from("<QQ", image, entry)
        if tag == DT_NULL:
            break
        if tag == DT_FLAGS_1:
            return bool(value & DF_1_PIE)
    return False
