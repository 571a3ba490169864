"""
Lab 0's kind of check: numbers in answers.txt against those of a boot with the student's seed. The lecturer's tree boots its own
kernel for them (tests/labs/0/truth.py). A student's tree knows them only sealed: of a number it can be told whether it is right,
or a known mistake, but not from the seals which number is. So both give the same score, and neither report has the right number.
"""
import functools
import hashlib
import importlib.util
import json
import os
import re

from .words import Problem, plural

FILE = "answers.txt"
SEED, FORM = "seed", "form"         # a line of the file; the check that looks at the file as a whole
SEALED = "sealed.json"              # in a student's tests/labs/0, written by tools/lab
SEEDS = 10000
NUMBER = re.compile(r"[0-9]{1,20}|0[xX][0-9a-fA-F]{1,16}")
SHOWN = 40
# What trying one number costs whoever tries them all: memory and time of scrypt.
SEAL_COST = {"n": 1 << 13, "r": 8, "p": 1}
SEAL_BYTES = 12
RIGHT = "right"
ARCHIVES = re.compile(r"\.(tar|tgz|tar\.gz|tar\.xz|tar\.bz2|zip|txt)$")


# --- What the student has written -----------------------------------------------------------------------------------

class Sheet:
    """NUMBERS are {name: (number, its text)}, TROUBLE is {name: why there is none}, STRAY what else is wrong with the file."""

    def __init__(self, content, names):
        self.numbers, self.trouble, self.stray = {}, {}, []
        lines = {}
        for place, line in enumerate(self.text_of(content).split("\n"), 1):
            line = line.partition("#")[0].strip()
            name, equals, value = map(str.strip, line.partition("="))
            if not line:
                continue
            if not equals:
                self.stray.append(f"line {place} is no answer, for it has no equals sign: {shown(line)}")
            elif name not in names:
                self.stray.append(f"line {place} answers no question of this lab: {shown(name)}")
            else:
                lines.setdefault(name, []).append((place, value))
        for name in names:
            self.take(name, lines.get(name, []))

    def text_of(self, content):
        if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
            self.stray.append(f"{FILE} is no plain text (is it UTF-16?)")
            return ""
        return content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")

    def take(self, name, found):
        if not found:
            self.trouble[name] = f"there is no line \"{name} = \" in {FILE}"
        elif len(found) > 1:
            self.trouble[name] = f"{name} is answered in the lines {', '.join(str(place) for place, _ in found)}: which one is meant?"
        elif not found[0][1]:
            self.trouble[name] = f"nothing stands behind \"{name} =\" (line {found[0][0]})"
        elif not NUMBER.fullmatch(found[0][1]):
            self.trouble[name] = (f"{shown(found[0][1])} (line {found[0][0]}) is no number: digits, or 0x and hexadecimal digits, "
                                  "and nothing else")
        else:
            self.numbers[name] = (number_of(found[0][1]), found[0][1])


def number_of(text):
    return int(text, 16 if text[:2] in ("0x", "0X") else 10)


def shown(text):
    """TEXT as it can be shown: a student's file may hold anything."""
    text = "".join(character if character.isprintable() else "?" for character in text)
    return f"\"{text[:SHOWN]}...\"" if len(text) > SHOWN else f"\"{text}\""


# --- What is right --------------------------------------------------------------------------------------------------

class OpenKey:
    """The truth, and known MISTAKES as {question: {number: what it is}}."""

    def __init__(self, seed, truth, mistakes):
        self.seed, self.truth, self.mistakes = seed, truth, mistakes

    def verdict(self, question, number):
        """RIGHT, what else the number is, or None."""
        return RIGHT if number == self.truth[question] else self.mistakes.get(question, {}).get(number)

    def sealed(self):
        """What a student's tree is given instead: {seed, questions: {question: {seal: verdict}}}."""
        questions = {}
        for question, right in self.truth.items():
            verdicts = {seal(self.seed, question, number): what for number, what in self.mistakes.get(question, {}).items()}
            verdicts[seal(self.seed, question, right)] = RIGHT
            questions[question] = dict(sorted(verdicts.items()))
        return {"seed": self.seed, "questions": questions}


class SealedKey:
    def __init__(self, sealed):
        try:
            self.seed, self.questions = int(sealed["seed"]), sealed["questions"]
        except (KeyError, TypeError, ValueError):
            raise Problem(f"{SEALED} does not hold the seals that make lab has written") from None

    def verdict(self, question, number):
        return self.questions.get(question, {}).get(seal(self.seed, question, number))


def seal(seed, question, number):
    return hashlib.scrypt(str(number).encode(), salt=f"{seed} {question}".encode(), dklen=SEAL_BYTES, **SEAL_COST).hex()


@functools.lru_cache(maxsize=8)
def boot_for(folder, seed, root):
    """The key for SEED, by a boot of the kernel that is built in ROOT; FOLDER is tests/labs/0 of the lecturer's tree."""
    spec = importlib.util.spec_from_file_location("truth_of_lab_0", os.path.join(folder, "truth.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        return OpenKey(seed, *module.key(seed, root))
    except (RuntimeError, OSError, ValueError, AttributeError, StopIteration, IndexError) as error:
        raise Problem(f"the answers for the seed {seed} can't be found out: {error}") from None


def read_sealed(lab, pristine):
    """The key of a student's tree; None in the lecturer's."""
    content = pristine.files.get(f"tests/labs/{lab.number}/{SEALED}")
    if content is None:
        return None
    try:
        return SealedKey(json.loads(content))
    except ValueError:
        raise Problem(f"{SEALED} can't be read: it is not what make lab has written") from None


def open_answers(lab, pristine, submission, seed):
    return Answers(lab, submission, read_sealed(lab, pristine), seed)


# --- Whose seed is whose ----------------------------------------------------------------------------------------------

def seed_of(given, submission):
    """GIVEN is what --seeds says: a seed, or a file of lines "NAME SEED" in which the SUBMISSION has to be. None: nothing is given."""
    if given is None:
        return None
    if re.fullmatch(r"[0-9]+", given):
        return checked_seed(given, "--seeds")
    try:
        with open(given, encoding="utf-8") as file:
            lines = [line.replace(",", " ").split() for line in file if line.strip() and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{given} can't be read as a list of seeds: {error}") from None
    if wrong := [line for line in lines if len(line) != 2]:
        raise Problem(f"{given} is no list of seeds: each line is a submission's name and its seed, not {shown(' '.join(wrong[0]))}")
    name = os.path.basename(os.path.abspath(submission))
    found = {seed for other, seed in lines if other in (name, ARCHIVES.sub("", name))}
    if len(found) != 1:
        raise Problem(f"{given} has {'two seeds' if found else 'no seed'} for {name}")
    return checked_seed(found.pop(), given)


def checked_seed(text, where):
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise Problem(f"a seed is a number from 0 to {SEEDS - 1}, not {shown(text)} ({where})")
    return int(text)


# --- The checks -----------------------------------------------------------------------------------------------------

class Answers:
    """
    One submission's answers. KEY is the sealed one, if there is one; else SEED is what the lecturer says (None: the file is
    believed), and the key comes of a boot in a tree that boot_in() names.
    """

    def __init__(self, lab, submission, key, seed):
        self.questions = [check.run for check in lab.checks if check.kind == "answers" and check.run]
        self.sheet = Sheet(submission.files.get(FILE, b""), [SEED, *self.questions])
        self.key, self.folder, self.tree = key, lab.folder, None
        self.seed = key.seed if key else seed

    @property
    def needs_boot(self):
        return self.key is None

    def boot_in(self, tree):
        self.tree = tree

    def note(self):
        """A line for the head of the report."""
        if self.seed is not None:
            return f"the answers are to be those of seed {self.seed}"
        said = self.sheet.numbers.get(SEED)
        return f"the seed is {said[0]}, as {FILE} says; --seeds compares it with the one that you gave out" if said else None

    def check(self, check, trace=None):
        """None when CHECK holds, else why it does not."""
        if check.name == FORM:
            return self.trouble_with_form()
        if check.run in self.sheet.trouble:
            return self.sheet.trouble[check.run]
        if problem := self.trouble_with_seed():
            return problem
        number, text = self.sheet.numbers[check.run]
        if self.key is None:
            self.key = boot_for(self.folder, self.sheet.numbers[SEED][0], self.tree)
        if trace and isinstance(self.key, OpenKey):
            trace(f"{check.run}: {text} in {FILE}, {self.key.truth[check.run]} ({self.key.truth[check.run]:#x}) in truth")
        verdict = self.key.verdict(check.run, number)
        return None if verdict == RIGHT else self.explain(check.run, text, verdict)

    def trouble_with_form(self):
        found = [self.trouble_with_seed()] if self.trouble_with_seed() else []
        missing = [self.sheet.trouble[name] for name in self.questions if name in self.sheet.trouble]
        found += missing[:2] + ([f"and {plural(len(missing) - 2, 'more line')} like these"] if len(missing) > 2 else [])
        return "\n".join(found + self.sheet.stray[:3]) or None

    def trouble_with_seed(self):
        if SEED in self.sheet.trouble:
            return self.sheet.trouble[SEED]
        said, text = self.sheet.numbers[SEED]
        if self.seed is not None and said != self.seed:
            return f"these are answers for the seed {said}; yours is {self.seed}"
        return None if said < SEEDS else f"the seed is a number from 0 to {SEEDS - 1}, not {text}"

    def explain(self, question, text, verdict):
        """Why TEXT is wrong, without the right number."""
        if verdict:
            return f"{text} is {verdict}"
        other_way = int(text, 16) if text.isdigit() else int(text[2:]) if text[2:].isdigit() else None
        if other_way is not None and self.key.verdict(question, other_way) == RIGHT:
            return f"{text} is right in hexadecimal: write 0x before it" if text.isdigit() else f"{text} is right in decimal: without the 0x"
        number = number_of(text)
        right_for = [name for name in self.questions if name != question and self.key.verdict(name, number) == RIGHT]
        if right_for:
            return f"{text} is right for {right_for[0]}, and not for {question}"
        return f"{text} is not what happens in a boot with your seed"
