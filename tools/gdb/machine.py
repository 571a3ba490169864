"""What all the commands need: the kernel's symbols, the machine's memory, and a sentence instead of a traceback."""
import os
import struct
from contextlib import contextmanager

import gdb

PAGE_SIZE = 4096
PAGE_OFFSET = 0xffff888000000000        # the direct map of all physical memory, mm/types.h
TASK_SIZE = 0x00007ffffffff000
WORD = 1 << 64


class Problem(Exception):
    """Something can't be done or read; the text is a sentence for the person."""


class Command(gdb.Command):
    """A command whose failures are sentences. A subclass sets NAME, and its docstring is the help."""

    name = None
    most_words = 0

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        try:
            words = gdb.string_to_argv(argument)
            if len(words) > self.most_words:
                raise Problem(f"too many words; `help {self.name}` says what it takes")
            self.run(words)
        except Problem as problem:
            print(f"{self.name}: {problem}")
        except gdb.MemoryError as error:
            print(f"{self.name}: this can't be read now: {error}. "
                  "The kernel may not have set up its memory yet, or a pointer is wrong.")
        except gdb.error as error:
            print(f"{self.name}: {error}")

    def run(self, words):
        raise NotImplementedError


def number(text):
    """A number, or any expression that GDB knows ($cr2, &variable). A negative one counts from the end, as an address does."""
    try:
        value = int(text, 0)
        if not -WORD // 2 <= value < WORD:
            raise Problem(f"{text} has more than 64 bits")
        return value % WORD
    except ValueError:
        value = gdb.parse_and_eval(text)
        if value.type.code == gdb.TYPE_CODE_VOID:
            raise Problem(f"{text} has no value; `set {text} = ...` would give it one" if text.startswith("$") else
                          f"{text} has no value") from None
        return int(value.cast(gdb.lookup_type("unsigned long"))) % WORD


# --- The kernel's symbols ---------------------------------------------------------------------------------------

def kernel():
    for objfile in gdb.objfiles():
        if objfile.filename and objfile.filename.endswith("zeropage.elf"):
            return objfile
    raise Problem("the kernel's symbols are not loaded (file build-debug/zeropage.elf)")


def variable(name):
    """The kernel's variable NAME, also where the program has one of the same name."""
    objfile = kernel()
    symbol = objfile.lookup_global_symbol(name) or objfile.lookup_static_symbol(name)
    if symbol is None:
        raise Problem(f"this kernel has no variable {name}")
    return symbol.value()


def type_named(name):
    """The kernel's "struct NAME" or "enum NAME", also where the program has one of the same name."""
    tag = name.split()[1]
    objfile = kernel()
    symbol = (objfile.lookup_static_symbol(tag, gdb.SYMBOL_STRUCT_DOMAIN) or
              objfile.lookup_global_symbol(tag, gdb.SYMBOL_STRUCT_DOMAIN))
    if symbol is None:
        raise Problem(f"this kernel has no {name}")
    return symbol.type


def address_of(name):
    """The address of the kernel's symbol NAME, assembly labels too."""
    objfile = kernel()
    symbol = objfile.lookup_global_symbol(name)
    return pointer(symbol.value().address) if symbol else int(gdb.parse_and_eval(f"(unsigned long)&{name}"))


def enum_names(name, prefix):
    """{value: name in small letters without PREFIX} of `enum NAME`."""
    return {field.enumval: field.name[len(prefix):].lower() for field in type_named(f"enum {name}").fields()}


def integer(value):
    return int(value)


def pointer(value):
    return int(value) % WORD


# --- Memory -----------------------------------------------------------------------------------------------------

def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def read_word(address):
    return struct.unpack("<Q", read(address, 8))[0]


def read_physical(address, size):
    return read(PAGE_OFFSET + address, size)


def string(value, limit=64):
    """The text at a char pointer or in a char array of the kernel."""
    return value.string(errors="replace", length=-1)[:limit]


def register(name):
    return pointer(gdb.selected_frame().read_register(name)) if name not in CONTROL else control(name)


CONTROL = ("cr2", "cr3", "cr4", "efer")


def control(name):
    value = gdb.parse_and_eval(f"${name}")
    if value.type.code == gdb.TYPE_CODE_VOID:
        raise Problem("the machine is not running: `target remote` has to come first")
    try:
        return int(value) % WORD
    except gdb.error:       # a set of flags
        return int(value.cast(gdb.lookup_type("unsigned long"))) % WORD


@contextmanager
def silence():
    """What GDB tells of a stop, it tells past to_string: so its standard output goes nowhere meanwhile."""
    gdb.flush()
    standard_output, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        gdb.flush()
        os.dup2(standard_output, 1)
        os.close(standard_output)
        os.close(nowhere)


@contextmanager
def no_stops():
    """Breakpoints that are there already do not stop the machine meanwhile."""
    stops = [stop for stop in gdb.breakpoints() if stop.is_valid() and stop.enabled]
    for stop in stops:
        stop.enabled = False
    try:
        yield
    finally:
        for stop in stops:
            if stop.is_valid():
                stop.enabled = True


def need_machine():
    if not gdb.selected_inferior().pid:
        raise Problem("no machine is running; `run` starts it again, and outside of GDB `make debug` starts one")


# --- Lists ------------------------------------------------------------------------------------------------------

def list_entries(head, type_name, member, limit=1 << 20):
    """The structures of TYPE_NAME that are linked by MEMBER into the list HEAD (a struct list_head)."""
    element = type_named(type_name)
    offset = field_offset(element, member)
    end = pointer(head.address)
    at = pointer(head["next"])
    previous = end
    while at != end:
        limit -= 1
        if limit < 0 or at == 0:
            raise Problem(f"the list of {type_name} is broken: it never comes back to its head")
        entry = gdb.Value(at - offset).cast(element.pointer()).dereference()
        if pointer(entry[member]["prev"]) != previous:
            raise Problem(f"the list of {type_name} is broken at {at:#x}: prev does not lead back")
        yield entry
        previous, at = at, pointer(entry[member]["next"])


def field_offset(structure, member):
    """The offset in bytes, also of a field inside an anonymous union or structure."""
    for field in structure.fields():
        if field.name == member:
            return field.bitpos // 8
        if not field.name and field.type.code in (gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_STRUCT):
            try:
                return field.bitpos // 8 + field_offset(field.type, member)
            except Problem:
                pass
    raise Problem(f"{structure} has no field {member}")


def plural(count, word):
    return f"{count} {word}" + ("" if count == 1 else "s")


def direct_map_offset(address):
    """The physical address behind one in the direct map."""
    if not PAGE_OFFSET <= address < PAGE_OFFSET + (1 << 46):
        raise Problem(f"{address:#x} does not lie in the direct map")
    return address - PAGE_OFFSET
