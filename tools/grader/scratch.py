"""Temporary folders that do not pile up: who is killed leaves one behind, and who comes next removes it."""
import fcntl
import glob
import os
import shutil
import stat
import tempfile

PREFIX, UNLOCKED = "zeropage-grading-", "zeropage-new-"


class Scratch:
    """A fresh folder, PATH; close() removes it. The lock on it says that its owner is alive."""

    def __init__(self):
        sweep()
        fresh = tempfile.mkdtemp(prefix=UNLOCKED)
        self.lock = os.open(fresh, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        # Only now it gets a name that others look for, so none of them ever finds it unlocked.
        self.path = os.path.join(os.path.dirname(fresh), PREFIX + os.path.basename(fresh).removeprefix(UNLOCKED))
        os.rename(fresh, self.path)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.lock is not None:
            remove(self.path)
            os.close(self.lock)
            self.lock = None


def sweep():
    """Removes the folders of those who are gone."""
    for path in glob.glob(os.path.join(glob.escape(tempfile.gettempdir()), PREFIX + "*")):
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue            # another user's, or gone
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(path)
        except OSError:
            pass                # its owner is alive
        finally:
            os.close(lock)


def remove(path):
    """All of it, also what a submission has closed to us."""
    shutil.rmtree(path, ignore_errors=True)
    if os.path.isdir(path):
        os.chmod(path, stat.S_IRWXU)
        for base, folders, _ in os.walk(path):
            for name in folders:
                if not os.path.islink(os.path.join(base, name)):
                    os.chmod(os.path.join(base, name), stat.S_IRWXU)
        shutil.rmtree(path, ignore_errors=True)
