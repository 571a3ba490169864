#!/usr/bin/env python3
"""
make lab: the regions in the source, a student's tree of each lab without a trace of the solution, what the starter
of lab 3 says and does, make hand-in, and what both refuse.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, check, check_contains, check_equal, done, skip  # noqa: E402

LABS = range(8)
EXTRA_LINES_MAX = 3     # that a lab may cost a function of the complete kernel
TELLING = 24            # a line of the solution that is shorter tells nothing
NAMED_MESSAGE = "not yet written: lab 3, do_anonymous_page in mm/fault.c"
DISC_FULL = 8192        # bytes that a file may have where a full disc is played


def read_lab(number):
    with open(os.path.join(ROOT, "tests", "labs", str(number), "lab.toml"), "rb") as file:
        return tomllib.load(file)


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8", errors="replace") as file:
        return file.read()


def call(*words, cwd=ROOT, **options):
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          **options)


def tool(*words, **options):
    return call(os.path.join(ROOT, "tools", "lab"), *map(str, words), **options)


def refuses(got, sentence, rule):
    lines = got.stderr.splitlines()
    check(got.returncode == 1 and len(lines) == 1 and sentence in lines[0], rule,
          f"status {got.returncode}, expected one line with: {sentence}", got.stderr)


# ---- the regions in the source ----

def source_files():
    for top in ("kernel", "mm", "syscall", "user", "boot", "tests"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith((".c", ".h")) and name != "lab.h":
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def regions(text):
    """(lab, lines of the region, lines between #endif and the end of the function) of each region."""
    found, lines = [], text.split("\n")
    for start, line in enumerate(lines):
        if re.match(r"#.*\bLAB\b", line):
            opening = re.fullmatch(r"#if LAB != ([1-6])", line)
            if not opening:
                raise ValueError(f"not of the form #if LAB != 3: {line}")
            end = start + 1
            while not lines[end].startswith("#endif"):
                if lines[end].startswith("#"):
                    raise ValueError(f"a directive within a region: {lines[end]}")
                end += 1
            found.append((int(opening[1]), lines[start + 1:end], lines[end + 1]))
    return found


def check_regions(labs):
    wrong, cut_lines, kept = [], {number: set() for number in LABS}, {number: set() for number in LABS}
    for path in source_files():
        text = text_of(ROOT, path)
        try:
            for number, inside, after in regions(text):
                cut_lines[number].update(line.strip() for line in inside)
                if path not in labs[number]["files"]:
                    wrong.append(f"{path}: not among the files of lab {number}")
                stub = re.match(r"    NOT_YET_WRITTEN(?:_FAILS)?\((\d)", after)
                if stub and int(stub[1]) != number:
                    wrong.append(f"{path}: a stub of lab {stub[1]} behind a region of lab {number}")
        except (ValueError, IndexError) as error:
            wrong.append(f"{path}: {error}")
        stubs = re.findall(r"^.*NOT_YET_WRITTEN.*$", text, re.MULTILINE)
        wrong += [f"{path}: more than one line: {stub}" for stub in stubs if not stub.endswith(");")]
        wrong += [f"{path}: no #endif before it: {stub}" for stub in stubs if f"#endif\n{stub}" not in text]
        for number in LABS:
            kept[number].update(line.strip() for line in kept_lines(text, number))
    check(not wrong, f"a region is #if LAB != N, #endif and at most a stub: {EXTRA_LINES_MAX} lines a function", *wrong)
    return {number: {line for line in cut_lines[number] - kept[number] if len(line) >= TELLING} for number in LABS}


def kept_lines(text, number):
    """The lines outside lab NUMBER's regions."""
    return re.sub(rf"^#if LAB != {number}\n.*?^#endif$", "", text, flags=re.MULTILINE | re.DOTALL).split("\n")


# ---- a student's tree of each lab ----

def tree_files(tree):
    for directory, folders, names in os.walk(tree):
        if directory == tree:
            folders.remove(".git")
        for name in names:
            yield os.path.relpath(os.path.join(directory, name), tree)


def check_no_solution(number, lab, tree, telling):
    found = []
    for path in tree_files(tree):
        text = text_of(tree, path)
        found += [f"{path}: {line.strip()}" for line in text.splitlines() if line.strip() in telling]
        if re.search(r"#if LAB|solutions/|mutants/|forgers/", path if "/labs/" in path else text) and not path.endswith((".py", ".md")):
            found.append(f"{path}: has a trace of the labs")
    check(not found, f"lab {number}: no line of what was cut is anywhere in the tree", *found[:10])
    if lab["functions"]:
        check(len(telling) >= 3 * len(lab["functions"]), f"lab {number}: the lines looked for tell something",
              f"{len(telling)} lines")


def check_stubs(number, lab, tree):
    stubs = {}
    for path in tree_files(tree):
        if path.endswith((".c", ".h")) and not path.endswith("lab.h"):
            for stub in re.finditer(r"^(?:[a-z_].*?[ *])?(\w+)\([^;{]*\)\n\{\n(?:    [^/\n]*;\n)?(?:    /\*.*\*/\n)?    NOT_YET_WRITTEN\w*\((\d)",
                                    re.sub(r"__attribute__\(\(\w+\)\) ", "", text_of(tree, path)), re.MULTILINE):
                stubs[stub[1], path] = int(stub[2])
    missing = [f"{function['name']} in {function['file']}" for function in lab["functions"]
               if stubs.get((function["name"], function["file"])) != number]
    check(not missing, f"lab {number}: each function of lab.toml is not yet written", *missing)
    foreign = [place for place, of_lab in stubs.items() if of_lab != number]
    check(not foreign, f"lab {number}: nothing else is missing", *foreign)
    strangers = [place for place in stubs if place[1] not in lab["files"]]
    check(not strangers, f"lab {number}: what is to be written may be handed in", *strangers)


def needed_files(path, text):
    """The files of the repository that a source file of it includes, assembles in, or imports."""
    if path.endswith((".c", ".h")):
        return re.findall(r'^#include "([^"]+)"', text, re.MULTILINE)
    if path.endswith(".asm"):
        return re.findall(r'^%include "([^"]+)"', text, re.MULTILINE)
    if not text.startswith("#!/usr/bin/env python3") and not path.endswith(".py"):
        return []
    places = [os.path.dirname(path), "tests", "tests/linux", "tools"]
    modules = re.findall(r"^\s*(?:import|from) ([\w.]+)", text, re.MULTILINE)
    return [found for module in modules for place in places
            for found in [os.path.join(place, module.replace(".", "/") + ".py")] if os.path.exists(os.path.join(ROOT, found))]


def check_complete(number, tree):
    missing = []
    for path in tree_files(tree):
        for needed in needed_files(path, text_of(tree, path)):
            if os.path.exists(os.path.join(ROOT, needed)) and not os.path.exists(os.path.join(tree, needed)):
                missing.append(f"{path} needs {needed}")
    check(not missing, f"lab {number}: what a file of the tree includes or imports is there, too", *sorted(set(missing)))


def check_tree(number, lab, telling):
    tree = os.path.join(folder, f"lab{number}")
    got = tool(number, tree)
    if not check(got.returncode == 0, f"lab {number}: the tree is written", got.stderr):
        return
    check_contains(got.stdout, f"docs/labs/{number}-{lab['name']}.md", f"lab {number}: the tool names the handout")
    check_no_solution(number, lab, tree, telling)
    check_stubs(number, lab, tree)
    check_complete(number, tree)
    check_equal(call("git", "rev-list", "--count", "--all", cwd=tree).stdout, "1\n", f"lab {number}: one commit")
    check_equal(call("git", "status", "--porcelain", "--ignored", cwd=tree).stdout, "",
                f"lab {number}: and all that is there is in it")
    tests = [f"tests/host/{name}_test.c" for name in lab["host_tests"]]
    tests += [f"tests/guest/{name}.c" for name in lab["guest_tests"]]
    missing = [path for path in [*tests, "README.md", f"docs/labs/{number}-{lab['name']}.md"]
               if not os.path.exists(os.path.join(tree, path))]
    check(not missing, f"lab {number}: handout and tests are there", *missing)


def check_builds(number, lab):
    """The files that have regions, built as the starter: for the kernel or as a program's, and for the host."""
    build = os.path.join(folder, f"build{number}")
    targets = []
    for path in sorted({function["file"] for function in lab["functions"]}):
        path = path.replace(".h", ".c")
        if path.startswith("user/"):
            targets.append(f"{build}/{path[:-2]}.o")
        else:
            targets += [f"{build}/kernel/{path}.o", f"{build}/host/obj/{path[:-2]}.o"]
    got = call("make", "-j2", f"LAB={number}", f"BUILD={build}", "WERROR=1", *targets)
    check(got.returncode == 0, f"lab {number}: the starter's side builds without a warning", got.stdout, got.stderr)


# ---- lab 3 as a student meets it ----

def check_starter():
    tree = os.path.join(folder, "lab3")
    got = call("make", "-j2", "WERROR=1", "SETUP=no", "build/zeropage.elf", "build/archive.tar", cwd=tree)
    if not check(got.returncode == 0, "a student's tree builds without a warning", got.stdout[-1000:], got.stderr):
        return
    got = call("tools/run", "--timeout", "30", "echo", "hello", cwd=tree, timeout=60)
    check_contains(got.stderr, NAMED_MESSAGE, "the starter stops with a message that names function and file")
    check(got.returncode == 125, "and the machine ends with a status that says so", f"status {got.returncode}")


def check_hand_in():
    tree, archive = os.path.join(folder, "lab3"), "hand-in-lab3.tar.gz"
    hand_in = ("make", "-s", "hand-in", "SETUP=no")
    got = call(*hand_in, cwd=tree)
    check("nothing has changed" in got.stderr and got.returncode, "hand-in refuses an untouched tree", got.stderr)
    check(not os.path.exists(os.path.join(tree, archive)), "and leaves no archive")

    with open(os.path.join(tree, "mm", "fault.c"), "a", encoding="ascii") as file:
        file.write("/* mine */\n")
    with open(os.path.join(tree, "mm", "brk.c"), "a", encoding="ascii") as file:
        file.write("/* not mine to change */\n")
    got = call(*hand_in, cwd=tree)
    check_equal(got.stdout, f"{archive} holds mm/fault.c. Nothing else is handed in.\n"
                "Changed, and not handed in, for the lab does not let you change it: mm/brk.c.\n",
                "hand-in says what it packs, and what it does not", got.stderr)
    with tarfile.open(os.path.join(tree, archive)) as packed:
        check_equal(packed.getnames(), ["mm/fault.c"], "the archive holds what may be changed, and no more")
        check_contains(packed.extractfile("mm/fault.c").read().decode(), "/* mine */", "as it is now")

    os.rename(os.path.join(tree, "mm", "fault.c"), os.path.join(tree, "mm", "fault.c.lost"))
    refuses(call("tools/hand-in", cwd=tree), "mm/fault.c is missing", "hand-in refuses a tree without the file")
    os.symlink("/etc/passwd", os.path.join(tree, "mm", "fault.c"))
    refuses(call("tools/hand-in", cwd=tree), "mm/fault.c is no plain file", "hand-in follows no link")
    refuses(call(os.path.join(ROOT, "tools", "hand-in")), "no student's tree", "hand-in wants a student's tree")


def check_help():
    """A student is not told of what needs the rest of the repository."""
    tree = os.path.join(folder, "lab3")
    listed = re.findall(r"^  make (\S+)", call("make", "help", cwd=tree).stdout, re.MULTILINE)
    check({"run", "debug", "test", "grade", "hand-in"} <= set(listed) and not {"lab", "nightly", "docs", "linux-golden"} & set(listed),
          "make help lists what a student's tree can make", *listed)
    text = call("make", "help", cwd=tree).stdout + call("make", "help").stdout
    check("$(" not in text, "and says it in words", text)


def check_hand_in_of_many():
    """Lab 7 lets a student change whole folders, and wants a report."""
    tree = os.path.join(folder, "lab7")
    with open(os.path.join(tree, "mm", "my_own.c"), "w", encoding="ascii") as file:
        file.write("/* mine */\n")
    refuses(call("tools/hand-in", cwd=tree), "report.md is missing", "hand-in wants the report that a lab asks for")
    with open(os.path.join(tree, "report.md"), "w", encoding="ascii") as file:
        file.write("figure: equal-pages\n")
    got = call("tools/hand-in", cwd=tree)
    check(re.match(r"hand-in-lab7.tar.gz holds report.md, mm/my_own.c and \d\d+ files as they were\. ", got.stdout) and len(got.stdout) < 200,
          "of many files those that changed are named", got.stdout, got.stderr)


# ---- lab 0 ----

def check_look():
    tree = os.path.join(folder, "look")
    tool(0, tree, "--seed", "4711")
    check_contains(text_of(tree, "answers.txt"), "seed = 4711\n", "the questions of lab 0 know the student's seed")
    check(not os.path.exists(os.path.join(tree, "tests", "labs", "0", "truth.py")), "and what computes the answers is not among them")
    check(os.path.exists(os.path.join(tree, "tests", "labs", "0", "sealed.json")), "but seals are, by which make grade can tell")
    check_equal(text_of(tree, "iso", "rootfs", "etc", "seed"), "4711\n", "and so does the program that they are about")
    sys.path.insert(0, os.path.join(ROOT, "tests", "labs", "0"))
    from truth import truth  # pylint: disable=import-outside-toplevel
    one, other = truth(4711), truth(4712)
    asked = re.findall(r"^(\w+) =$", text_of(tree, "answers.txt"), re.MULTILINE)
    check_equal(asked, list(one), "there is an answer to each question, and a question to each answer")
    check_equal(truth(4711), one, "the answers follow from the seed")
    equal = [name for name in one if one[name] == other[name]]
    check(len(equal) <= len(one) // 3, "and most are others for another seed", *equal)


# ---- refusals ----

def check_refusals():
    here = os.listdir(folder)
    refuses(tool(9, os.path.join(folder, "x")), "there is no lab 9", "a lab that does not exist is refused")
    refuses(tool("", os.path.join(folder, "x")), "say which lab", "no lab is refused")
    refuses(tool("../3", os.path.join(folder, "x")), "there is no lab ../3", "a lab that is no number is refused")
    refuses(tool(3, ""), "say where", "no folder is refused")
    refuses(tool(3, os.path.join(folder, "lab3")), "not empty", "a folder with something in it is refused")
    refuses(tool(3, os.path.join(ROOT, "Makefile")), "is no folder", "a file in the place of the folder is refused")
    refuses(tool(3, os.path.join(folder, "no", "such")), "there is no folder", "a folder in a missing one is refused")
    refuses(tool(0, os.path.join(folder, "x"), "--seed", "seven"), "a seed is a number", "a strange seed is refused")
    bare = os.path.join(folder, "bin")
    os.mkdir(bare)
    for name in ("env", "python3", "git"):
        os.symlink(shutil.which(name), os.path.join(bare, name))
    refuses(tool(3, os.path.join(folder, "x"), env={"PATH": bare}), "unifdef is missing", "a missing tool is named")
    shutil.rmtree(bare)

    def full_disc():
        resource.setrlimit(resource.RLIMIT_FSIZE, (DISC_FULL, DISC_FULL))
    refuses(tool(3, os.path.join(folder, "x"), preexec_fn=full_disc), "the tree can't be written",
            "a disc that gets full is told in a sentence")
    check_equal(sorted(os.listdir(folder)), sorted(here), "and none of them leaves anything behind")
    empty = os.path.join(folder, "empty")
    os.mkdir(empty)
    check(tool(6, empty).returncode == 0 and os.path.exists(os.path.join(empty, "LAB")), "an empty folder is filled")


def main():
    labs = {number: read_lab(number) for number in LABS}
    telling = check_regions(labs)
    if not shutil.which("unifdef") or not shutil.which("git"):
        skip("students' trees", "unifdef or git is missing")
        return
    for number, lab in labs.items():
        check_tree(number, lab, telling[number])
        if lab["functions"]:
            check_builds(number, lab)
    check_starter()
    check_hand_in()
    check_hand_in_of_many()
    check_help()
    check_look()
    check_refusals()
    again = os.path.join(folder, "again")
    tool(5, again)
    check(call("git", "rev-parse", "HEAD^{tree}", cwd=again).stdout ==
          call("git", "rev-parse", "HEAD^{tree}", cwd=os.path.join(folder, "lab5")).stdout,
          "two trees of a lab are equal")


with tempfile.TemporaryDirectory(prefix="zeropage-labs-") as folder:
    main()
done()
