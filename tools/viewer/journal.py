"""Reads an event journal (JSON Lines, kernel/trace/journal.h) into compact columns, up to the first line that is wrong."""
import array
import json

VERSION = 1
MASK = (1 << 64) - 1

HEX, NUMBER, PAGE_TYPE, OUTCOME, STEP, ERROR, FLAGS, PTE = range(8)

# The kinds of events and their arguments: what kernel/trace/journal_schema.c says (tests/timeline compares the two).
RANGE = [("start", HEX), ("end", HEX), ("flags", FLAGS)]
FRAME = [("frame", NUMBER), ("order", NUMBER), ("type", PAGE_TYPE)]
TABLE = [("frame", NUMBER), ("level", NUMBER), ("address", HEX)]
SCHEMA = {
    "fault": [("address", HEX), ("error", ERROR), ("ip", HEX), ("vma_start", HEX), ("vma_end", HEX),
              ("outcome", OUTCOME), ("pte_before", PTE), ("pte_after", PTE)],
    "syscall": [("number", NUMBER)] + [(f"a{i}", HEX) for i in range(6)] + [("result", NUMBER)],
    "vma_add": RANGE + [("pgoff", HEX)],
    "vma_delete": RANGE + [("pgoff", HEX)],
    "vma_change": RANGE + [("new_start", HEX), ("new_end", HEX), ("new_flags", FLAGS)],
    "vma_split": RANGE + [("at", HEX)],
    "vma_merge": RANGE,
    "table_alloc": TABLE,
    "table_free": TABLE,
    "pte": [("address", HEX), ("before", PTE), ("after", PTE)],
    "frame_alloc": FRAME,
    "frame_free": FRAME,
    "process": [("what", STEP), ("process", NUMBER), ("detail", NUMBER)],
    "signal": [("signal", NUMBER), ("code", NUMBER), ("address", HEX)],
}
KINDS = list(SCHEMA)
SIGNED = {("syscall", "result"), ("process", "detail"), ("signal", "code")}


class NotAJournal(Exception):
    """The file is no journal at all; the text is a sentence for the person."""


class Wrong(Exception):
    """A line is wrong; the text says how."""


class Names(dict):
    """Numbers for names, in the order in which they first occur."""

    def __missing__(self, name):
        if not isinstance(name, str):
            raise ValueError
        self[name] = len(self)
        return self[name]


class Journal:
    """
    Events as columns: kinds[i], pids[i] and seqs[i] of event i; columns[kind][argument] holds that argument of all
    events of the kind, one after the other, as 64 bits. `problem` is None or a sentence about the line that ended it.
    """

    def __init__(self):
        self.kinds, self.pids, self.seqs = bytearray(), array.array("I"), array.array("I")
        self.columns = [[array.array("Q") for _ in arguments] for arguments in SCHEMA.values()]
        self.names = {PAGE_TYPE: Names(), OUTCOME: Names(), STEP: Names()}
        self.problem = None
        self.frames_free = None     # where the journal begins, if it says so

    def __len__(self):
        return len(self.kinds)

    def rows(self):
        """Yields (seq, pid, kind's name, {argument: number}) for each event."""
        used = [0] * len(KINDS)
        for index, kind in enumerate(self.kinds):
            rank = used[kind]
            used[kind] += 1
            arguments = {name: column[rank] for (name, _), column in zip(SCHEMA[KINDS[kind]], self.columns[kind])}
            yield self.seqs[index], self.pids[index], KINDS[kind], arguments

    def converters(self):
        def pte(value):
            return 0 if value is None else int(value["value"], 16)

        convert = {HEX: lambda value: int(value, 16), NUMBER: lambda value: value & MASK, PTE: pte,
                   ERROR: lambda value: value["code"], FLAGS: lambda value: int(value["value"], 16)}
        convert.update({format: names.__getitem__ for format, names in self.names.items()})
        return {kind: (number, [(name, convert[format], self.columns[number][place].append)
                                for place, (name, format) in enumerate(arguments)])
                for number, (kind, arguments) in enumerate(SCHEMA.items())}


def add_line(journal, converters, line):
    """Adds the event of one LINE, wholly or not at all; raises Wrong."""
    if not line.endswith(b"\n"):
        raise Wrong("it is cut off")
    try:
        event = json.loads(line)
    except ValueError:
        raise Wrong("it is no JSON") from None
    try:
        number, arguments = converters[event["event"]]
        seq, pid = event["seq"], event["pid"]
        values = [convert(event[name]) for name, convert, _ in arguments]
    except KeyError as error:
        raise Wrong(f"it has no {error}, or that is of no known kind") from None
    except (TypeError, ValueError):
        raise Wrong("an argument has the wrong form") from None
    if not all(isinstance(value, int) and 0 <= value <= MASK for value in [seq, pid] + values) or max(seq, pid) >> 32:
        raise Wrong("a number is out of range")
    if journal.seqs and seq <= journal.seqs[-1]:
        raise Wrong(f"its number {seq} does not follow {journal.seqs[-1]}")
    journal.kinds.append(number)
    journal.pids.append(pid)
    journal.seqs.append(seq)
    for (_, _, append), value in zip(arguments, values):
        append(value)


def read_first(line):
    """The first line: what it says of the machine."""
    try:
        first = json.loads(line)
        version = first.get("zeropage-journal")
    except (ValueError, AttributeError):
        version = None
    if version is None:
        raise NotAJournal('is no event journal: its first line is not {"zeropage-journal":1}')
    if version != VERSION:
        raise NotAJournal(f"is a journal of version {version}; this tool reads version {VERSION}")
    return first


def read(file):
    """Reads the journal from the binary FILE. Raises NotAJournal."""
    journal = Journal()
    converters = journal.converters()
    free = read_first(file.readline(1 << 16)).get("frames_free")
    journal.frames_free = free if isinstance(free, int) and free >= 0 else None
    for number, line in enumerate(file, 2):
        try:
            add_line(journal, converters, line)
        except Wrong as wrong:
            journal.problem = f"line {number} is wrong ({wrong}), so the timeline ends before it"
            break
    if not journal:
        raise NotAJournal(f"holds no event{': ' + journal.problem if journal.problem else ''}")
    return journal
