"""
The open lab's kinds of checks: what a kernel does beside the one that was handed out, both under the grader's eyes in this run.

bench counts: instructions and faults by QEMU, frames and page tables in physical memory, so nothing that a kernel says is a figure.
fuzz compares what a program of random memory calls sees, by seeds that are drawn for this run.
"""
import random
import re

from . import guest
from .words import Broken, plural

REPORT = "report.md"
NAMED = re.compile(r"^figure:[ \t]*(\S+)[ \t]*\r?$", re.MULTILINE)
BETTER, HALF, GUARDS = "better", "half", "guards"       # what a check of the kind bench may want (RUN)
FACTORS = {BETTER: 0.9, HALF: 0.5}
# How much worse another figure may be: a part of it, and some instructions, for asking whether there is something to do, and since what a
# frame costs depends a little on which frames have been free before.
WORSE, SLACK = 1.10, 20
SEQUENCES, STEPS, SEEDS = 200, 40, 1 << 40
SHOWN_DIFFERENCES = 3
LONGEST = 160


# --- bench --------------------------------------------------------------------------------------------------------------

def named_figure(submission, figures):
    """The figure that the report names as the one that is better now."""
    names = NAMED.findall(submission.files.get(REPORT, b"").decode(errors="replace"))
    there = ", ".join(figures)
    if REPORT not in submission.files:
        raise Broken(f"{REPORT} with a line \"figure: NAME\" that says what has got better ({there})", f"no {REPORT}")
    if len(names) != 1:
        raise Broken(f"one line \"figure: NAME\" in {REPORT} that says what has got better ({there})", plural(len(names), "such line"))
    if names[0] not in figures:
        raise Broken(f"one of the figures {there}", f"figure: {names[0]}"[:LONGEST])
    return names[0]


def measure(stage, figures, name):
    """One figure on STAGE, laid out alike on every kernel."""
    stage.begin(name, stage.trace)
    return figures[name](stage)


def compare_figures(lab, check, submission, stage, other, note):
    """CHECK on STAGE, and OTHER(), the kernel as it was handed out."""
    module = lab.module("figures")
    if check.run == GUARDS:
        slower, more = [], ""
        for name in module.GUARDS:
            now, before = measure(stage, module.GUARDS, name), measure(other(), module.GUARDS, name)
            tell(stage, name, now, before)
            factor = module.AT_MOST.get(name, WORSE)
            if now > before * factor + SLACK:
                slower.append(f"{name}: {shown(now)} instead of {shown(before)}")
                more = f"; {name}, at most {factor} times what it was" if name in module.AT_MOST else more
        if slower:
            raise Broken(f"no other figure to be more than {WORSE - 1:.0%} (and {SLACK} instructions) worse{more}", "; ".join(slower))
        return
    name = named_figure(submission, module.FIGURES)
    now, before = measure(stage, module.FIGURES, name), measure(other(), module.FIGURES, name)
    tell(stage, name, now, before)
    note.append(f"{name}: {shown(now)} instead of {shown(before)}")
    if now > before * FACTORS[check.run]:
        raise Broken(f"{name} to be {shown(before * FACTORS[check.run])} at most, for it was {shown(before)}", shown(now))


def tell(stage, name, now, before):
    if stage.trace:
        stage.trace(f"{name}: {shown(now)}, as it was handed out {shown(before)}")


def shown(number):
    return f"{number:,.0f}" if number >= 1000 or number == int(number) else f"{number:.1f}"


# --- fuzz -----------------------------------------------------------------------------------------------------------------

def compare_programs(check, stage, other):
    """
    None when the program RUN sees the same on both kernels, in sequences from a seed of this run. The other kernel is the one that
    make fuzz-linux compares with Linux.
    """
    first = random.Random(f"{stage.seed} {check.name}").randrange(SEEDS)
    path = f"/tests/{check.run}"
    ours, status = guest.run_program(stage, path, str(first), str(SEQUENCES), str(STEPS))
    theirs, _ = guest.run_program(other(), path, str(first), str(SEQUENCES), str(STEPS))
    ours, theirs = results(ours), results(theirs)
    if len(theirs) != SEQUENCES:
        raise Broken("the kernel as it was handed out to run the sequences", plural(len(theirs), "result"))
    wrong = [seed for seed in theirs if ours.get(seed) != theirs[seed]]
    if not wrong and status == 0:
        return None
    if not wrong:
        return f"all sequences went well, and yet {check.run} ended with the wait status {status:#x}"
    said, _ = guest.run_program(stage, path, "show", wrong[0], str(STEPS))
    right, _ = guest.run_program(other(), path, "show", wrong[0], str(STEPS))
    lines = [f"{len(wrong)} of {SEQUENCES} sequences go otherwise than on the kernel that was handed out; the first is that of seed {wrong[0]}:"]
    for place, (mine, its) in enumerate(zip(said.split("\n"), right.split("\n"))):
        if mine != its:
            lines += [f"line {place + 1}, right: {around(its, mine)}", f"line {place + 1}, seen:  {around(mine, its)}"]
        if len(lines) > 2 * SHOWN_DIFFERENCES:
            break
    program = f"build/tests/linux/fuzz/{check.run}"
    return "\n".join([*lines, f"to see it all: make {program} && tools/run --append {stage.option} {program} show {wrong[0]} {STEPS}"])


def results(output):
    """{seed: the rest of its line}."""
    return dict(re.findall(r"^seed (\d+) (.*)$", output, re.MULTILINE))


def around(line, other):
    """LINE from a little before where it begins to differ from OTHER."""
    same = next((place for place, (one, two) in enumerate(zip(line, other)) if one != two), min(len(line), len(other)))
    call = line[:max(0, line.find(";"))]
    start = max(0, same - LONGEST // 4)
    return f"{call}; ... {line[start:start + LONGEST]}" if start > len(call) else line[:LONGEST]
