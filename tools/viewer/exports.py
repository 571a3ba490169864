"""The journal for other tools: a trace for Perfetto or chrome://tracing, and CSV for spreadsheets."""
import csv
import json
import signal as signals

from journal import FLAGS, HEX, OUTCOME, PAGE_TYPE, PTE, SCHEMA, SIGNED, STEP

CSV_ARGUMENTS = list(dict.fromkeys(name for arguments in SCHEMA.values() for name, _ in arguments))
FORMATS = {kind: dict(arguments) for kind, arguments in SCHEMA.items()}


def shown(names, kind, argument, value):
    """VALUE as a person reads it: a name, 0x… or a number."""
    format = FORMATS[kind][argument]
    if format in (PAGE_TYPE, OUTCOME, STEP):
        return names[format][value]
    if format in (HEX, FLAGS, PTE):
        return f"0x{value:x}"
    if (kind, argument) in SIGNED and value >> 63:
        return value - (1 << 64)
    return value


def rows(journal):
    names = {format: list(table) for format, table in journal.names.items()}
    for seq, pid, kind, arguments in journal.rows():
        yield seq, pid, kind, {name: shown(names, kind, name, value) for name, value in arguments.items()}


def write_csv(journal, file):
    """One row an event; a column for each argument that any kind has."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["seq", "pid", "event"] + CSV_ARGUMENTS)
    for seq, pid, kind, arguments in rows(journal):
        writer.writerow([seq, pid, kind] + [arguments.get(name, "") for name in CSV_ARGUMENTS])


class Trace:
    """Writes events in Chrome's trace format, one a line. One event is one microsecond, for the journal has no time."""

    def __init__(self, file):
        self.file, self.comma = file, ""

    def add(self, **fields):
        self.file.write(f"{self.comma}\n{json.dumps(fields, separators=(',', ':'))}")
        self.comma = ","


def signal_name(number):
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"


def title(kind, arguments, calls):
    if kind == "fault":
        return f"fault: {arguments['outcome']}"
    if kind == "syscall":
        return calls.get(arguments["number"], f"system call {arguments['number']}")
    if kind == "signal":
        return signal_name(arguments["signal"])
    if kind == "process":
        return f"{arguments['what']} {arguments['process']}"
    return kind


def write_trace(journal, calls, file):
    file.write('{"displayTimeUnit":"ns","traceEvents":[')
    trace = Trace(file)
    named, alive, taken, tables = set(), set(), 0, 0
    last = journal.seqs[-1] + 1
    for seq, pid, kind, arguments in rows(journal):
        if pid not in named:
            named.add(pid)
            trace.add(name="process_name", ph="M", pid=pid, tid=pid, ts=0,
                      args={"name": f"process {pid}" if pid else "kernel"})
        if kind == "process":
            process = arguments["process"]
            if arguments["what"] in ("start", "fork"):
                alive.add(process)
                trace.add(name="alive", cat="process", ph="b", id=process, pid=process, tid=process, ts=seq)
            elif arguments["what"] == "exit" and process in alive:
                alive.discard(process)
                trace.add(name="alive", cat="process", ph="e", id=process, pid=process, tid=process, ts=seq)
        trace.add(name=title(kind, arguments, calls), cat=kind, ph="X", dur=1, pid=pid, tid=pid, ts=seq, args=arguments)
        if kind in ("frame_alloc", "frame_free"):
            count = (1 if kind == "frame_alloc" else -1) << arguments["order"]
            taken += count
            tables += count if arguments["type"] == "table" else 0
            trace.add(name="frames", ph="C", pid=0, ts=seq, args={"taken": taken, "page tables": tables})
    for process in sorted(alive):
        trace.add(name="alive", cat="process", ph="e", id=process, pid=process, tid=process, ts=last)
    file.write("\n]}\n")


