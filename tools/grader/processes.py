"""Finds and ends processes, where the system has /proc; elsewhere it finds none."""
import ctypes
import os
import signal
import sys
import time

PAGE = os.sysconf("SC_PAGE_SIZE")
BE_PARENT_OF_ORPHANS = 36       # PR_SET_CHILD_SUBREAPER of <linux/prctl.h>
ROUNDS = 200


def adopt_orphans():
    """From now on a process below us whose parent has ended becomes our child."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(BE_PARENT_OF_ORPHANS, 1, 0, 0, 0)


def parents():
    """{process: its parent}."""
    found = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    found[int(name)] = int(file.read().rsplit(b")", 1)[1].split()[1])
            except (OSError, IndexError):
                pass            # it has ended meanwhile
    return found


def children(pid, table=None):
    return [child for child, parent in (table or parents()).items() if parent == pid]


def below(pids):
    """PIDS and all that they have started, directly or not."""
    table, found, waiting = parents(), set(), list(pids)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children(pid, table)
    return found


def memory(pids):
    """The bytes of memory that PIDS have to themselves, all together."""
    pages = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                _, resident, shared, *_ = map(int, file.read().split())
            pages += resident - shared
        except (OSError, ValueError):
            pass
    return pages * PAGE


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def kill_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def count_of_user(user):
    """How many threads USER has, as RLIMIT_NPROC counts them."""
    count = 0
    for pid in parents():
        try:
            if os.stat(f"/proc/{pid}").st_uid == user:
                count += len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            pass
    return count


def kill_user(user):
    """Ends all that USER runs, at once, so that nothing can be started meanwhile. For root."""
    child = os.fork()
    if child == 0:
        try:
            os.setresuid(user, user, user)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def end_children_but(kept):
    """Ends our children but KEPT, and all below them; for who has adopted orphans."""
    for _ in range(ROUNDS):
        others = [pid for pid in children(os.getpid()) if pid not in kept]
        if not others:
            return
        for pid in below(others):
            kill(pid)
        for pid in others:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
        time.sleep(0.005)
