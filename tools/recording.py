"""Records a run of the machine for `make rewind`, and says how many instructions it had."""
import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

import qemu

IMAGE_SIZE = "1M"       # the snapshots of the machine lie beside the disc's own data, which nobody writes
ANSWER_LIMIT = 60       # seconds until QEMU has to answer


class Recording:
    """
    One recorded run in FOLDER. `record` makes it and says how it went; `command("replay")` starts it again.
    `instructions` is how many it has, or None when the kernel itself switched the machine off at its end.
    """

    def __init__(self, folder, **machine):
        self.machine = machine
        self.log, self.image = os.path.join(folder, "recording"), os.path.join(folder, "snapshots.qcow2")
        self.messages = os.path.join(folder, "messages")
        self.instructions = None
        if shutil.which("qemu-img") is None:
            raise qemu.Unavailable("qemu-img is not installed; tools/setup debug installs it")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.image, IMAGE_SIZE], check=True)

    def command(self, mode, extra=(), **more):
        machine = dict(self.machine, extra=(*self.machine.get("extra", ()), *extra))
        return qemu.command_line(**machine, replay=(mode, self.log, self.image), **more)

    def record(self, console, limit):
        """
        Runs the machine, with the program's words to CONSOLE (a path), for LIMIT seconds at the most or until Ctrl-C.
        Returns a few words on how the run ended.
        """
        ending = "took the kernel with it"
        with self.controlled("record", console=("file", f"path={qemu.escape(console)}", "append=on"),
                             messages=("file", f"path={qemu.escape(self.messages)}")) as control:
            try:
                if control.wait_for("SHUTDOWN", limit) is None:
                    return self.last_words()
            except TimeoutError:
                ending = f"was still running after {limit:g} seconds"
            except KeyboardInterrupt:
                ending = "was interrupted"
            control.end()
        self.instructions = self.measure()
        return ending

    def measure(self):
        """QEMU notes an end from outside with the event before it, so only a replay knows when it will come."""
        with self.controlled("replay") as control:
            control.wait_for("SHUTDOWN", None)
            # Before the last one the machine is still there.
            instructions = control.ask("query-replay")["icount"] - 1
            control.end()
        return instructions

    @contextmanager
    def controlled(self, mode, **streams):
        """A machine that obeys us on a line of its own, and is gone afterwards."""
        ours, theirs = socket.socketpair()
        control = ("-no-shutdown", "-S", "-chardev", f"socket,id=control,fd={theirs.fileno()}",
                   "-mon", "chardev=control,mode=control")
        # In a session of its own: Ctrl-C reaches us, and we end the recording in order.
        process = subprocess.Popen(self.command(mode, extra=control, **streams), stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, pass_fds=[theirs.fileno()], start_new_session=True,
                                   preexec_fn=qemu.die_with_parent)
        theirs.close()
        try:
            line = Control(ours, process)
            line.ask("qmp_capabilities")
            line.ask("cont")
            yield line
            process.wait(ANSWER_LIMIT)
        except (OSError, subprocess.TimeoutExpired) as failure:
            process.kill()
            said = process.stderr.read().decode(errors="replace").strip()
            raise qemu.Unavailable(f"QEMU could not {mode} the run: {said or failure}") from None
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            ours.close()

    def last_words(self):
        with open(self.messages, encoding="utf-8", errors="replace") as file:
            found = re.findall(r"^zeropage: init (exited with status \d+|killed by signal \d+)", file.read(), re.MULTILINE)
        return found[-1].replace("killed", "was killed") if found else "took the kernel with it"


class Control:
    """QEMU's control line (QMP): questions with answers, and events in between."""

    def __init__(self, line, process):
        self.line, self.process, self.waiting = line, process, b""
        self.events = []
        self.next_message(ANSWER_LIMIT)     # its greeting

    def next_message(self, seconds):
        """The next message, None at the end of the machine. After SECONDS (None: no limit) a TimeoutError."""
        self.line.settimeout(seconds)
        while b"\n" not in self.waiting:
            try:
                data = self.line.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.waiting += data
        message, self.waiting = self.waiting.split(b"\n", 1)
        return json.loads(message)

    def send(self, command):
        self.line.sendall(json.dumps({"execute": command}).encode() + b"\n")

    def ask(self, command):
        self.send(command)
        while (message := self.next_message(ANSWER_LIMIT)) is not None:
            if "event" in message:
                self.events.append(message["event"])
            elif "return" in message:
                return message["return"]
            else:
                raise OSError(message["error"]["desc"])
        raise OSError("it ended too early")

    def wait_for(self, event, seconds):
        """EVENT when it comes, None when the machine ends first. After SECONDS (None: no limit) a TimeoutError."""
        end = None if seconds is None else time.monotonic() + seconds
        while event not in self.events:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            message = self.next_message(left)
            if message is None:
                return None
            self.events.append(message.get("event"))
        return event

    def end(self):
        self.ask("stop")
        self.send("quit")
