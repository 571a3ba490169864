"""Runs the host tests of the submission's mm/: cmocka programs with sanitizers, in the sandbox."""
import os
import re
import signal

SECONDS, CPU_SECONDS = 200, 15     # what a host test may take; it takes less than one
POINT = re.compile(r"(not )?ok \d+ - (\w+)(.*)")
PLACE = re.compile(r"(?:# )?(\S+:\d+): error: Failure!")
TELLS_NOTHING = re.compile(r"panic:|tests/host/(harness_mm\.c|tables\.h):")    # where a failure is noticed, whatever it is
RSS_MEGABYTES = 1500


def run_host_test(workspace, check, seed):
    """None when every test that CHECK names passes, else what failed and what it said. SEED is for those that draw."""
    if problem := workspace.not_built.get(check.run):
        return f"{check.run}_test does not build:\n{problem}"
    sandbox = workspace.sandbox
    temporary = sandbox.temporary(workspace.temporary)
    environment = {"PATH": os.environ.get("PATH", ""), "CMOCKA_MESSAGE_OUTPUT": "TAP", "JOURNAL_LINES": "/dev/null",
                   "SEED": str(seed), "ASAN_OPTIONS": f"hard_rss_limit_mb={RSS_MEGABYTES}:disable_coredump=1",
                   "TMPDIR": temporary}
    outcome = sandbox.run([workspace.path(f"host/{check.run}_test")], cwd=workspace.temporary, timeout=SECONDS, cpu=CPU_SECONDS,
                          environment=environment, readable=[workspace.tree], writable=[workspace.temporary])
    if outcome.ended:
        return f"{check.run}_test {outcome.ended}"
    status, output = outcome.status, outcome.output
    planned, points, said = read_tap(output)
    wanted = {name: ok for name, ok in points.items() if not check.only or name in check.only}
    missing = [name for name in check.only if name not in points]
    failed = [name for name, ok in wanted.items() if not ok]
    if failed:
        shown = [line for name in failed[:3] for line in [f"{name.replace('_', ' ')} does not hold", *said[name][-3:]]]
        return "\n".join(shown)
    if status in (-signal.SIGXCPU, -signal.SIGKILL, 128 + signal.SIGXCPU, 128 + signal.SIGKILL):
        return f"{check.run}_test was killed, as it is after {CPU_SECONDS} seconds of the processor's time"
    if not planned or missing or len(points) != planned or status < 0:
        return f"{check.run}_test ended too early, with status {status}" + last_line(output)
    if status != 0 and not check.only:
        return f"{check.run}_test ended with status {status}" + last_line(output)
    return None


def last_line(output):
    lines = [line for line in output.strip().split("\n") if re.search(r"ERROR|runtime error|panic|Assert", line)]
    return f": {lines[0].strip()[:200]}" if lines else ""


def read_tap(output):
    """
    (the number of planned tests, {name: passed}, {name: what was said of it}). The kernel's files speak while a test runs,
    so before its line; why it failed, cmocka says in this line's rest and behind it.
    """
    planned, points, said, lines, reasons = 0, {}, {}, [], None
    for line in output.split("\n"):
        if plan := re.fullmatch(r"1\.\.(\d+)\s*", line):
            planned += int(plan[1])
        elif point := POINT.match(line):
            points[point[2]], said[point[2]] = not point[1], lines
            lines, reasons = [], lines if point[1] else None
            if reasons is not None and (rest := point[3].removeprefix(" Could not run test:").strip()):
                reasons.append(rest)
        elif line.startswith(("# ok", "# not ok")) or not line.strip():
            continue
        elif reasons is not None and (place := PLACE.match(line)):
            if not TELLS_NOTHING.match(place[1]):
                reasons.append(f"at {place[1]}")
        elif reasons is not None and line.startswith("# "):
            reasons.append(line.removeprefix("# ").removeprefix("ASSERT: ").strip())
        else:
            lines.append(line.strip())
            reasons = None
    return planned, points, said
