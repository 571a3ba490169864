"""What a grade looks like: for people, for Gradescope (results.json) and for CI (JUnit XML)."""
import contextlib
import json
import os
import shutil
import tempfile
import textwrap
import xml.etree.ElementTree as xml

from .words import plural

INDENT = " " * 8
LABEL = len("expected: ")
WIDEST = 110
GREEN, RED, BOLD, PLAIN = "\033[32m", "\033[31m", "\033[1m", "\033[0m"
AS_SAID = "it does not build, as said above"
MORE = "What \"again:\" names runs one check alone, laid out as here; with --trace behind it you see each step and what the processor did."
VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")       # Gradescope's words


def write_whole(path, text):
    """Replaces the file at PATH at once: who reads it meanwhile sees the old or the new one."""
    folder = os.path.dirname(os.path.abspath(path))
    descriptor, name = tempfile.mkstemp(prefix=".grade-", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):    # a signal may come just after the file has got its name
            os.unlink(name)
        raise


def total(results):
    return sum(result.score for result in results)


def possible(results):
    return sum(result.check.points for result in results)


class Style:
    """How a report looks on STREAM: lines that fit a terminal, and colours unless NO_COLOR is set; elsewhere neither."""

    def __init__(self, stream=None):
        terminal = stream is not None and stream.isatty()
        self.width = min(shutil.get_terminal_size().columns, WIDEST) if terminal else None
        self.coloured = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def colour(self, code, text):
        return f"{code}{text}{PLAIN}" if self.coloured else text

    def fold(self, line, indent):
        """LINE (INDENT included), folded at words below where its text begins. What is to be copied stays one line."""
        if not self.width or len(line) <= self.width or line.lstrip().startswith("again:"):
            return line
        inner = line[len(indent):]
        labelled = inner[:LABEL].rstrip().endswith(":") or inner.startswith(" " * LABEL)
        return textwrap.fill(inner, self.width, initial_indent=indent, subsequent_indent=indent + " " * (LABEL if labelled else len(indent) and 4),
                             break_long_words=False, break_on_hyphens=False)


class Report:
    """
    The words around a grade. RERUN(check) is the command that runs one check again. NOTE is one more line for the head. STYLE
    is that of line() and foot().
    """

    def __init__(self, lab, rerun, seed, submission=None, wall=None, note=None, visibility=VISIBILITIES[0], style=None):
        self.style = style or Style()
        self.lab, self.rerun, self.seed, self.submission, self.wall, self.note = lab, rerun, seed, submission, wall, note
        self.visibility = visibility

    # --- For people -----------------------------------------------------------------------------------------------

    def head(self, for_students=False):
        """What is said before the checks; the wall is nothing to tell students of."""
        # Where there are questions, it is the student's seed that matters, and the note says it.
        lines = [f"Lab {self.lab.number}: {self.lab.title}" + ("" if self.lab.asks_questions else f" (seed {self.seed})")]
        if self.wall and not self.wall.namespaces and not for_students:
            lines.append(f"  it runs as {self.wall.how}" if self.wall.user else f"  it runs with {self.wall.how}")
        for path in self.missing():
            lines.append(f"  not in the submission: {path}; the starter's stands in its place")
        lines += [f"  {self.note}"] if self.note else []
        lines += [f"  not taken over: {refused}" for refused in self.submission.refused]
        if ignored := self.submission.ignored:
            more = f" and {len(ignored) - 4} more" if len(ignored) > 4 else ""
            lines.append(f"  not taken over, for the lab does not let you change it: {', '.join(ignored[:4])}{more}")
        return "\n".join(lines)

    def missing(self):
        return [path for path in self.lab.files if "*" not in path and path not in self.submission.files]

    def line(self, result):
        check = result.check
        points = self.style.colour(GREEN if result.holds else RED, f"{result.score:3}/{check.points:<3}")
        text = f"  {points} {check.name}" + (f" ({result.note})" if result.note else "")
        if result.holds:
            return text
        return "\n".join([text, *(self.style.fold(INDENT + line, INDENT) for line in self.explanation(result))])

    def explanation(self, result):
        lines = [f"rule:     {result.check.rule}"]
        if result.expected:
            lines += [f"expected: {result.expected}", f"got:      {result.got}"]
        else:
            first, *more = result.reason.split("\n")
            lines += [f"reason:   {first}"] + ["          " + line for line in more]
        if result.discounted or result.reason == AS_SAID:
            return lines        # it is another check that one has to look at
        lines += [f"look:     {result.check.how}"] if result.check.how else []
        if result.events:
            lines.append("the journal's last events:")
            lines += ["  " + short_event(line) for line in result.events]
        return lines + [f"again:    {self.rerun(result.check)}"]

    @staticmethod
    def reason(results):
        """In one line, why points are missing."""
        lost = [result for result in results if not result.holds]
        if not lost:
            return ""
        if len(lost) == len(results):
            first, *more = lost[0].reason.split("\n")
            return " ".join([first, *more[:first.endswith(":")]]) or lost[0].check.rule
        return f"{plural(len(lost), 'check')} not kept: " + ", ".join(result.check.name for result in lost)

    def foot(self, results):
        score = self.style.colour(BOLD, f"Score: {total(results)} of {possible(results)}")
        if all(result.holds for result in results) or self.lab.asks_questions:
            return score
        return "\n".join([score, *(self.style.fold(line, "") for line in (MORE,))])

    # --- For Gradescope ---------------------------------------------------------------------------------------------

    def gradescope(self, results, pending=()):
        """Its results.json: https://gradescope-autograders.readthedocs.io/en/latest/specs/"""
        tests = [{"name": result.check.name, "number": f"{self.lab.number}.{index + 1}", "score": result.score,
                  "max_score": result.check.points, "status": "passed" if result.holds else "failed",
                  "output": result.note if result.holds else "\n".join(self.explanation(result)), "output_format": "text",
                  "visibility": self.visibility, "extra_data": {"seconds": result.seconds, "rule": result.check.rule}}
                 for index, result in enumerate(results)]
        tests += [{"name": check.name, "score": 0, "max_score": check.points, "status": "failed",
                   "visibility": self.visibility, "output": "not run (yet)", "output_format": "text"} for check in pending]
        return json.dumps({"score": total(results), "output": self.head(for_students=True), "output_format": "text", "visibility": "visible",
                           "stdout_visibility": "hidden", "execution_time": round(sum(result.seconds for result in results)),
                           "extra_data": {"lab": self.lab.number, "seed": self.seed, "complete": not pending, "reason": self.reason(results),
                                          "wall": self.wall.name if self.wall else None},
                           "tests": tests}, indent=1) + "\n"

    # --- For CI -------------------------------------------------------------------------------------------------------

    def junit(self, results, pending=()):
        suite = xml.Element("testsuite", name=f"lab {self.lab.number}", tests=str(len(results) + len(pending)),
                            failures=str(sum(not result.holds for result in results)), skipped=str(len(pending)),
                            time=f"{sum(result.seconds for result in results):.2f}")
        for result in results:
            case = xml.SubElement(suite, "testcase", classname=f"lab{self.lab.number}", name=result.check.name,
                                  time=f"{result.seconds:.2f}")
            if not result.holds:
                failure = xml.SubElement(case, "failure", message=result.check.rule)
                failure.text = printable("\n".join(self.explanation(result)))
        for check in pending:
            xml.SubElement(xml.SubElement(suite, "testcase", classname=f"lab{self.lab.number}", name=check.name), "skipped")
        return xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def nothing_to_grade(sentence):
    """results.json for what is no submission."""
    return json.dumps({"score": 0, "output": sentence, "tests": [], "extra_data": {"complete": True, "reason": sentence}}) + "\n"


def printable(text):
    """XML has no place for control characters, and a kernel may say anything."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


LEFT_OUT = ("pid", "event", "vma_start", "vma_end", "pgoff", "code")


def short_event(line):
    """A line of the journal, without the braces and quotes and what is seldom of use."""
    try:
        event = json.loads(line)
        words = [f"{event['seq']}: {event['event']}"]
        words += [f"{name}={short_value(value)}" for name, value in list(event.items())[1:] if name not in LEFT_OUT]
    except (ValueError, KeyError, TypeError, AttributeError):
        return printable(line)[:160]
    return printable(" ".join(words))[:200]


def short_value(value):
    if isinstance(value, dict):
        return value.get("rights") or "+".join(map(str, value.get("bits", ()))) or value.get("value")
    return "none" if value is None else hex(value) if isinstance(value, int) and value > 4095 else value
