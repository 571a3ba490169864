#!/usr/bin/env python3
"""
What a hostile build or host test tries against the machine that grades it, behind each wall of tools/grader/sandbox.py: as
root with another user in namespaces, as a plain user in namespaces, as another user without them, and with limits only.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PLAIN_USER = 65533
SECONDS, SHORT_SECONDS, CPU_SECONDS = 60, 2, 1
FILE_MEGABYTES, TEMPORARY_MEGABYTES, MEMORY_MEGABYTES, PROCESSES = 4, 16, 200, 25
TOKEN = "attack-on-zeropage"
SECRET = "the solution"

# Each is a program; what it prints, and what is left when it is over, is judged by judge().
ATTACKS = {
    "network": "import socket; socket.create_connection(('127.0.0.1', {port}), 5); print('reached')",
    "solution": "print(open('{secret}/fault.c').read())",
    "grader": "print(open('/proc/{grader}/cmdline').read())",
    "outside": """
import os
for place in ('{secret}', '/usr/local', '/tmp', '/var/tmp', '/dev/shm', '{readable}'):
    try:
        open(place + '/{token}', 'w').write('here')
    except OSError:
        pass
""",
    "kill": "import os; os.kill({victim}, 9)",
    "kill-all": "import os; os.kill(-1, 9)",
    "daemon": """
import os, subprocess, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execlp('tail', 'tail', '-f', '/dev/null', '--', '{secret}/{token}')
    os._exit(0)
os.wait()
time.sleep(0.2)
print('left')
""",
    "fork-bomb": """
import os, time
parent, most = os.getpid(), 0
while True:
    try:
        if os.fork() == 0:
            continue
        most += 1
    except OSError:
        print('stopped' if os.getpid() == parent else '', flush=True)
        time.sleep(600)
""",
    "memory": """
import os
for _ in range(3):
    if os.fork() == 0:
        break
held = []
while True:
    held.append(b'x' * (1 << 20))
""",
    "output": "while True: print('x' * 4000)",
    "disc": """
number = 0
while number < 20:
    with open(f'/tmp/{token}-{{number}}' if {walled} else f'flood-{{number}}', 'wb') as file:
        try:
            for _ in range({file_megabytes}):
                file.write(bytes(1 << 20))
        except OSError as error:
            print('stopped', error)
            break
    number += 1
""",
    "time": "import time; time.sleep(600)",
    "processor": "while True: pass",
    "rights": """
import os
status = open('/proc/self/status').read()
print(*[line for line in status.split('\\n') if line.startswith(('CapEff', 'CapBnd', 'NoNewPrivs'))])
print('namespace', os.system('unshare --user true 2>/dev/null'))
print('devices', len(os.listdir('/dev')))
""",
}


def attack(wall):
    """In a process of its own: makes all attacks behind WALL, and prints what came of them as JSON."""
    from grader import sandbox
    sandbox.FILE_SIZE, sandbox.TEMPORARY_MEGABYTES = FILE_MEGABYTES << 20, TEMPORARY_MEGABYTES
    sandbox.MEMORY, sandbox.PROCESSES = MEMORY_MEGABYTES << 20, PROCESSES
    folder = tempfile.mkdtemp(prefix="zeropage-test-sandbox-")
    os.chmod(folder, 0o755)
    victim = subprocess.Popen(["sleep", "600"], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        results = make_attacks(sandbox, wall, folder, victim)
    finally:
        victim.kill()
        victim.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(results | {"folder left": os.path.exists(folder)}))


def make_attacks(sandbox, wall, folder, victim):
    secret, readable, writable = (os.path.join(folder, name) for name in ("secret", "readable", "writable"))
    for path in (secret, readable, writable):
        os.mkdir(path)
    with open(os.path.join(secret, "fault.c"), "w", encoding="ascii") as file:
        file.write(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as server:
        box = sandbox.Sandbox(hidden=[secret], only=wall)
        box.own(writable, readable)
        box.seal(readable)
        names = {"port": server.getsockname()[1], "secret": secret, "readable": readable, "grader": os.getpid(),
                 "victim": victim.pid, "token": TOKEN, "walled": box.wall.namespaces, "file_megabytes": FILE_MEGABYTES}
        places = (secret, "/usr/local", "/tmp", "/var/tmp", "/dev/shm", readable)
        results = {"places": {"secret": secret, "readable": readable}}
        for name, code in ATTACKS.items():
            if name == "kill-all" and wall == "none":
                continue            # it would end us, too: nothing stands between
            began, code = time.monotonic(), code.format(**names) + f"\n# {secret}"
            outcome = box.run([sys.executable, "-c", code], cwd=writable, cpu=CPU_SECONDS, readable=[readable], writable=[writable],
                              timeout=SHORT_SECONDS if name in ("time", "fork-bomb") else SECONDS)
            results[name] = {"output": outcome.output[-1000:], "ended": outcome.ended, "status": outcome.status,
                             "seconds": time.monotonic() - began, "left": running(secret), "victim": victim.poll() is None,
                             "written": [place for place in places if remove(os.path.join(place, TOKEN))]}
        return results


def remove(path):
    try:
        os.unlink(path)
        return True
    except OSError:
        return False


def running(words):
    """The processes that have WORDS in their arguments."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as file, \
                     open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as state:
                    if words in file.read() and state.read().rsplit(")", 1)[1].split()[0] != "Z":
                        found.append(int(name))
            except OSError:
                pass
    return found


def judge(title, wall, got):
    """WALL: "namespaces", "user" or "none"."""
    from tap import check, check_contains
    walled, places = wall == "namespaces", got["places"]
    if walled:
        check("reached" not in got["network"]["output"], f"{title}: there is no network", got["network"])
        check(SECRET not in got["solution"]["output"], f"{title}: what is hidden can't be read", got["solution"])
        check("sandbox" not in got["grader"]["output"], f"{title}: the grader is not to be seen in /proc", got["grader"])
        check(not got["outside"]["written"], f"{title}: nothing is written outside", got["outside"])
        check_contains(got["disc"]["output"], "No space left", f"{title}: temporary files can't fill the disc")
        check_contains(got["rights"]["output"], "namespace 256", f"{title}: no further namespaces can be made")
        check_contains(got["rights"]["output"], "devices 7", f"{title}: there are no devices but null and its like")
    if wall != "none":
        check(not {places["readable"], places["secret"], "/usr/local"} & set(got["outside"]["written"]),
              f"{title}: what was built, and what belongs to others, can't be changed", got["outside"])
        check(got["kill"]["victim"] and got["kill-all"]["victim"], f"{title}: other processes can't be ended", got["kill"])
        for words in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
            check_contains(got["rights"]["output"], words, f"{title}: it has no rights beyond a user's ({words.split(':')[0]})")
    check("left" in got["daemon"]["output"] and not got["daemon"]["left"], f"{title}: daemons end with it", got["daemon"])
    check("stopped" in got["fork-bomb"]["output"] and not got["fork-bomb"]["left"] and got["fork-bomb"]["seconds"] < 30,
          f"{title}: a fork bomb comes to its limit and is gone", got["fork-bomb"])
    check(f"took more than {MEMORY_MEGABYTES} megabytes" in got["memory"]["ended"] and not got["memory"]["left"],
          f"{title}: processes that eat memory are ended together", got["memory"])
    check(f"wrote more than {FILE_MEGABYTES} megabytes" in got["output"]["ended"], f"{title}: a flood of output has an end", got["output"])
    check(f"was not over after {SHORT_SECONDS} seconds" in got["time"]["ended"], f"{title}: what sleeps is ended", got["time"])
    check(got["processor"]["status"] in (-signal.SIGKILL, 128 + signal.SIGKILL, -signal.SIGXCPU),
          f"{title}: the processor's time is limited", got["processor"])
    check(not got["folder left"], f"{title}: no folder is left")


def start_attacks(tools, wall, *prefix):
    """The process that makes the attacks. TOOLS is a folder that every user can read."""
    # Our own Python may lie in our home, where nobody else comes.
    python = "/usr/bin/python3" if prefix and os.path.exists("/usr/bin/python3") else sys.executable
    return subprocess.Popen([*prefix, python, os.path.join(tools, "tests", "tools", "sandbox.t"), wall], cwd="/",
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def read_attacks(title, wall, process):
    from tap import check, skip
    output, errors = process.communicate(timeout=240)
    if process.returncode == 0:
        judge(title, wall, json.loads(output))
    elif "can't put up the wall" in errors:
        skip(title, "this machine does not allow it")
    else:
        check(False, f"{title}: the attacks are made", errors)


def copy_tools(folder):
    from tap import ROOT
    shutil.copytree(os.path.join(ROOT, "tools", "grader"), os.path.join(folder, "tools", "grader"))
    os.makedirs(os.path.join(folder, "tests", "tools"))
    shutil.copy(os.path.join(ROOT, "tools", "qemu.py"), os.path.join(folder, "tools"))
    shutil.copy(__file__, os.path.join(folder, "tests", "tools", "sandbox.t"))
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)


def main():
    from tap import done, skip
    root = os.geteuid() == 0
    plain = ["setpriv", f"--reuid={PLAIN_USER}", f"--regid={PLAIN_USER}", "--clear-groups", "env", "PATH=/usr/bin:/bin"] if root else []
    walls = [("root, namespaces", "namespaces"), ("root, another user", "user")] if root else []
    walls += [("a plain user, namespaces", "namespaces", *plain), ("a plain user, limits", "none", *plain)]
    if not root:
        skip("root's walls", "only root can put them up")
    with tempfile.TemporaryDirectory(prefix="zeropage-test-tools-") as folder:
        copy_tools(folder)
        started = [(title, wall, start_attacks(folder, wall, *prefix)) for title, wall, *prefix in walls]
        for each in started:
            read_attacks(*each)
    done()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    if len(sys.argv) > 1:
        sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
        attack(sys.argv[1])
    else:
        sys.path.insert(0, os.path.join(HERE, ".."))
        main()
