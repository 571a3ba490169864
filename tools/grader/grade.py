"""Grades one submission: builds it, runs each check, and keeps what came of it."""
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from . import beside, guest, host, puppet
from .player import Program
from .report import AS_SAID
from .stage import Stage
from .words import Broken, Ended, listed

SHOWN_EVENTS, MOST_JOURNALS = 8, 4
KILLED = "the emulator was killed"
OWN_WORD = ("host", "guest", "audit")   # kinds that a submission could answer for


@dataclass
class Result:
    """What came of one check. SCORE of POINTS; REASON where it is missing some, or EXPECTED and GOT. NOTE is worth knowing in any case."""
    check: object
    score: int = 0
    reason: str = ""
    expected: str = ""
    got: str = ""
    events: list = field(default_factory=list)
    seconds: float = 0.0
    note: str = ""
    discounted: bool = False    # it held, but not what has to hold with it

    @property
    def holds(self):
        return self.score == self.check.points


class Grader:
    """
    One submission's grade. ON_RESULT(results so far) is called after each check. ANSWERS are those of a lab that asks for some.
    Who is not PATIENT does without the checks that nobody would believe.
    """

    def __init__(self, lab, workspace, sandbox, *, seed, answers=None, journal=True, trace=None, patient=True,
                 on_result=lambda results: None):
        self.lab, self.sandbox, self.seed, self.trace = lab, sandbox, seed, trace
        self.patient = patient
        self.journals_left, self.recording = MOST_JOURNALS if journal else 0, False
        self.on_result = on_result
        self.results, self.stage, self.never_boots, self.boots = [], None, None, 0
        self.workspace, self.answers = workspace, answers
        self.scenes = lab.scenes()
        self.unbuilt, self.host_tests, self.host_tests_built = None, [], False

    def run(self, names=None):
        """The results of the checks NAMES (all of them), in the lab's order."""
        try:
            self.unbuilt = self.workspace.build_kernel() if self.workspace else None
            wanted = [check for check in self.lab.checks if names is None or check.name in names]
            self.host_tests = sorted({check.run for check in wanted if check.kind == "host"})
            for check in wanted:
                began = time.monotonic()
                result = Result(check, reason="not run") if self.would_be_in_vain(check) else self.run_check(check)
                result.seconds = round(time.monotonic() - began, 2)
                self.results.append(result)
                self.believe()
                self.on_result(self.results)
        finally:
            self.end_stage()
        return self.results

    def would_be_in_vain(self, check):
        """Has a witness of CHECK failed already? Whatever it says counts for nothing then."""
        return not self.patient and any(result.check.name in check.witnesses and not result.holds for result in self.results)

    def believe(self):
        """What the kernel or a program says counts only together with what was seen from outside."""
        held = {result.check.name: result.holds for result in self.results}
        for result in self.results:
            unsure = [name for name in result.check.witnesses if not held.get(name, True)]
            if result.score and unsure:
                result.score, result.discounted = 0, True
                result.reason = (f"it says so itself, and that is not believed while {listed(unsure)} {'do' if len(unsure) > 1 else 'does'} not hold"
                                 if result.check.kind in OWN_WORD else f"it holds, and counts only where {listed(unsure)} {'hold' if len(unsure) > 1 else 'holds'}, too")

    def run_check(self, check):
        if self.unbuilt:
            return Result(check, reason=AS_SAID if self.results else f"it does not build:\n{self.unbuilt}")
        runner = {"scene": self.run_scene, "host": self.run_host, "guest": self.run_guest, "audit": self.run_audit,
                  "answers": self.run_answers, "bench": self.run_bench, "fuzz": self.run_fuzz}[check.kind]
        result = runner(check)
        if not result.holds and KILLED in result.reason:
            result = runner(check)      # that was nobody's fault, most likely
        return result

    # --- The kinds of checks ----------------------------------------------------------------------------------------

    def run_host(self, check):
        if not self.host_tests_built:
            self.workspace.build_host_tests(self.host_tests)
            self.host_tests_built = True
        reason = host.run_host_test(self.workspace, check, self.seed)
        return Result(check, 0 if reason else check.points, reason or "")

    def run_scene(self, check):
        return self.on_stage(check, self.scenes[check.name])

    def run_guest(self, check):
        return self.on_stage(check, lambda stage: guest.run_guest_test(stage, check.run))

    def run_audit(self, check):
        return self.on_stage(check, guest.audit)

    def run_bench(self, check):
        with self.handed_out_stage() as other:
            note = []
            result = self.on_stage(check, lambda stage: beside.compare_figures(self.lab, check, self.workspace.submission, stage, other,
                                                                               note))
        result.note = "; ".join(note)
        return result

    def run_fuzz(self, check):
        with self.handed_out_stage() as other:
            return self.on_stage(check, lambda stage: beside.compare_programs(check, stage, other))

    def run_answers(self, check):
        reason = self.answers.check(check, self.trace)
        return Result(check, 0 if reason else check.points, reason or "")

    def on_stage(self, check, act):
        """The result of ACT(stage) on the stage. After a failure the next check gets a fresh boot."""
        result = self.attempt(check, act)
        if not result.holds:
            self.end_stage()
            if check.kind == "scene" and not self.never_boots:
                result.events = self.events_around(check, act)
        return result

    def attempt(self, check, act):
        """ACT(stage) returns None or a reason, or raises."""
        result = Result(check)
        try:
            stage = self.open_stage(check)
            stage.begin(check.name, self.trace)
            result.reason = act(stage) or ""
            if check.kind == "scene":
                stage.check_sound()
        except Broken as broken:
            result.reason, result.expected, result.got = str(broken), broken.expected, broken.got
        except Ended as ended:
            result.reason = str(ended)
        result.score = 0 if result.reason else check.points
        return result

    def events_around(self, check, act):
        """Plays a failed check once more with the journal on, which costs too much to have it on always; its last events."""
        if self.journals_left == 0:
            return []
        self.journals_left -= 1
        trace, self.trace = self.trace, None
        self.recording = True
        try:
            self.attempt(check, act)
            if not self.stage:
                return []
            self.stage.machine.drain()
            return [line.decode(errors="replace") for line in self.stage.machine.events.lines][-SHOWN_EVENTS:]
        finally:
            self.trace, self.recording = trace, False
            self.end_stage()

    # --- The machine --------------------------------------------------------------------------------------------------

    def open_stage(self, check):
        """The stage as CHECK wants it."""
        option = "" if check.plain else self.lab.option
        if self.stage and self.stage.option != option:
            self.end_stage()
        if self.stage:
            return self.stage
        if self.never_boots:
            raise Ended(self.never_boots)
        try:
            self.stage = self.boot(self.workspace.path("zeropage.elf"), option)
        except (Ended, Broken) as reason:
            if KILLED not in str(reason):
                self.never_boots = f"it does not come to its first program: {reason}"
                raise Ended(self.never_boots) from None
            raise
        return self.stage

    def machine_wall(self, folder):
        """What makes an emulator's command line safe: it sees the built tree, and writes nowhere but to its FOLDER."""
        return lambda command: self.sandbox.wrap(command, cwd=folder, readable=[self.workspace.tree], writable=[folder], machine=True)

    def programs(self):
        """The lab's own program, with the submission's C library in it."""
        name = self.lab.program
        return [Program(name, self.workspace.path(f"labs/{name}"))] if name else []

    def boot(self, kernel, option):
        self.boots += 1
        folder = os.path.join(self.workspace.folder, f"boot-{self.boots}")
        os.mkdir(folder, 0o700)
        self.sandbox.own(folder, machine=True)
        lab = self.lab
        try:
            code = puppet.assemble(os.path.join(os.path.dirname(lab.folder), "puppet.asm"), os.path.join(folder, "puppet.bin"))
            if kernel == self.workspace.handed_out:     # which lies where no emulator sees it
                kernel = shutil.copy(kernel, os.path.join(folder, "handed-out.elf"))
            return Stage(folder, self.machine_wall(folder), kernel=kernel, archive=self.workspace.path("archive.tar"), code=code, seed=self.seed,
                         memory=lab.memory, cpu=lab.cpu, option=option, disc=lab.disc, files=self.workspace.programs(),
                         programs=self.programs(), journal=self.recording)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @contextmanager
    def handed_out_stage(self):
        """The kernel as it was handed out, on a machine beside; it is booted when it is first asked for."""
        stages = []

        def stage():
            stages.extend([self.boot(self.workspace.handed_out, "")] if not stages else [])
            return stages[0]
        try:
            yield stage
        finally:
            for stage in stages:
                stage.close()
                shutil.rmtree(stage.machine.folder, ignore_errors=True)

    def end_stage(self):
        if self.stage:
            stage, self.stage = self.stage, None
            stage.close()
            shutil.rmtree(stage.machine.folder, ignore_errors=True)
