"""Reads what a lab is (tests/labs/N/lab.toml) and how it is graded (tests/labs/N/checks.toml, scenes.py)."""
import fnmatch
import importlib.util
import os
from dataclasses import dataclass, field

from toml_reader import tomllib

from .words import Problem

KINDS = ("scene", "host", "guest", "audit", "answers", "bench", "fuzz")
TOTAL = 100


@dataclass
class Check:
    """
    RULE is a sentence. RUN names what is run: a host or guest test, a question, or nothing. WITNESSES must hold for it to be believed.
    HOW is how a student finds out more. PLAIN: without the lab's kernel option.
    """
    name: str
    points: int
    rule: str
    kind: str
    run: str = ""
    only: list = field(default_factory=list)
    witnesses: list = field(default_factory=list)
    how: str = ""
    plain: bool = False


@dataclass
class Lab:
    number: int
    name: str
    title: str
    files: list
    functions: list
    checks: list
    floor: int
    folder: str
    memory: str = "64M"
    program: str = ""
    option: str = ""        # a word of the kernel's command line, with which the checks boot it
    cpu: str = "max"
    disc: int = 0           # MiB of an empty disc
    programs: list = field(default_factory=list)    # what is built beside the kernel, below the build folder

    def permits(self, path):
        """May a student change PATH? A star stands for a part of one name."""
        return any(path == pattern or path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)
                   for pattern in self.files)

    @property
    def host_tests(self):
        return sorted({check.run for check in self.checks if check.kind == "host"})

    def check(self, name):
        for check in self.checks:
            if check.name == name:
                return check
        raise Problem(f"lab {self.number} has no check {name}; it has: " + ", ".join(check.name for check in self.checks))

    @property
    def asks_questions(self):
        """Is it graded by answers, and not by a kernel?"""
        return any(check.kind == "answers" for check in self.checks)

    @property
    def is_compared(self):
        """Are there checks that compare with the kernel as it was handed out?"""
        return any(check.kind in ("bench", "fuzz") for check in self.checks)

    def scenes(self):
        """{check name: function} of the lab's scenes.py, and of its other files whose names end in that."""
        found = {}
        for name in sorted(os.listdir(self.folder)):
            if name.endswith("scenes.py"):
                spec = importlib.util.spec_from_file_location(f"lab_{self.number}_{name[:-3]}", os.path.join(self.folder, name))
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                found |= vars(module)
        return {check.name: found[check.name.replace("-", "_")] for check in self.checks if check.kind == "scene"}

    def module(self, name):
        """The lab's own Python file NAME.py; None if it has none."""
        path = os.path.join(self.folder, name + ".py")
        if not os.path.exists(path):
            return None
        spec = importlib.util.spec_from_file_location(f"{name}_of_lab_{self.number}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def read_toml(path):
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise Problem(f"there is no {path}") from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Problem(f"{path} can't be read: {error}") from None


def numbers(root):
    """The labs that can be graded here."""
    folder = os.path.join(root, "tests", "labs")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(int(name) for name in names if name.isdigit() and os.path.exists(os.path.join(folder, name, "checks.toml")))


def read_lab(root, number):
    if number not in numbers(root):
        there = ", ".join(map(str, numbers(root))) or "none"
        raise Problem(f"there is no lab {number} to grade here; there are: {there}")
    folder = os.path.join(root, "tests", "labs", str(number))
    about, grading = read_toml(os.path.join(folder, "lab.toml")), read_toml(os.path.join(folder, "checks.toml"))
    try:
        checks = [Check(**entry) for entry in grading["check"]]
        lab = Lab(number, about["name"], about["title"], about["files"], about["functions"], checks, grading["floor"], folder,
                  **{name: grading[name] for name in ("memory", "program", "option", "cpu", "disc", "programs") if name in grading})
    except (KeyError, TypeError) as error:
        raise Problem(f"{folder} does not describe a lab: {error}") from None
    problems = [f"{check.name} has the unknown kind {check.kind}" for check in checks if check.kind not in KINDS]
    problems += [f"{check.name} has the witness {name}, which is no check before it" for check in checks for name in check.witnesses
                 if name not in [other.name for other in checks[:checks.index(check)]]]
    if sum(check.points for check in checks) != TOTAL:
        problems.append(f"the points make {sum(check.points for check in checks)}, not {TOTAL}")
    if problems:
        raise Problem(f"{folder}/checks.toml: " + "; ".join(problems))
    return lab
