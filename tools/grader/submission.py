"""
Reads a submission, which may be a folder, an archive or a git commit, and takes from it the files that the lab lets a
student change: regular files of a sensible size, wherever links, devices or names with `..` would lead.
"""
import hashlib
import os
import pickle
import resource
import stat
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass, field

from .words import Problem, plural

LARGEST_FILE = 1 << 20
LARGEST_ARCHIVE = 256 << 20
MOST_NAMES = 20000
READING_MEMORY, READING_SECONDS = 1 << 30, 60       # of the processor


@dataclass
class Submission:
    """FILES are those to be taken over; IGNORED are others that differ from the original; REFUSED says why one was left out."""
    files: dict = field(default_factory=dict)
    ignored: list = field(default_factory=list)
    refused: list = field(default_factory=list)


class Source:
    """Names and contents. NAMES are paths relative to where the tree begins; EQUALS(name, bytes) may be faster than READ(name)."""

    def __init__(self, names, read, equals=None):
        self.names, self.read = names, read
        self.equals = equals or (lambda name, content: read(name) == content)


def read_submission(place, lab, original, root):
    """ORIGINAL(path) gives the bytes of the pristine file, None if there is none. ROOT is where commits are looked for."""
    return within_limits(place, lambda: take_files(place, lab, original, root))


def within_limits(place, read):
    """READ(), in a process of its own: what unpacks to more than this machine's memory ends only that."""
    incoming, outgoing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (READING_MEMORY, READING_MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (READING_SECONDS, READING_SECONDS))
            try:
                answer = read()
            except Problem as problem:
                answer = problem
            except MemoryError:
                answer = Problem(f"{place} can't be read: it takes more than {plural(READING_MEMORY >> 20, 'megabyte')} of memory")
            with os.fdopen(outgoing, "wb") as pipe:
                pickle.dump(answer, pipe)
        finally:
            os._exit(0)
    os.close(outgoing)
    with os.fdopen(incoming, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    answer = pickle.loads(data) if data else Problem(f"{place} can't be read: that takes more time or memory than a submission needs")
    if isinstance(answer, Problem):
        raise answer
    return answer


def take_files(place, lab, original, root):
    source = single_file_source(place, lab) or open_source(place, root)
    prefix = find_prefix(source.names, lab)
    submission = Submission()
    for name in source.names:
        if not name.startswith(prefix):
            continue
        path = name[len(prefix):]
        if lab.permits(path):
            content = source.read(name)
            if isinstance(content, bytes):
                submission.files[path] = content
            else:
                submission.refused.append(f"{path} {content}")
        elif not is_guarded(before := original(path)) and not source.equals(name, before):
            submission.ignored.append(path)
    return submission


def is_guarded(content):
    """Unknown files, and those that look different in a student's tree because a lab's regions are cut out of them."""
    return content is None or b"LAB" in content


def find_prefix(names, lab):
    """Archives often have one folder at the top; the tree begins where the lab's first file lies, or just there."""
    heads = {name[:-len(path)] for name in names for path in [name.split("/", 1)[-1], name] if lab.permits(path)
             and name.count("/") - path.count("/") <= 1}
    return min(heads, key=len) if heads else ""


def single_file_source(place, lab):
    """A lab that wants one file at the top of the tree may be handed in as just that, under whatever name; else None."""
    if len(lab.files) != 1 or "/" in lab.files[0] or not os.path.isfile(place) or zipfile.is_zipfile(place) or tarfile.is_tarfile(place):
        return None
    return Source(lab.files, lambda name: read_regular(place))


def open_source(place, root):
    if os.path.isdir(place):
        return folder_source(place)
    if os.path.isfile(place):
        return archive_source(place)
    if os.path.lexists(place):
        raise Problem(f"{place} is neither a folder nor a file")
    return commit_source(place, root)


# --- A folder ----------------------------------------------------------------------------------------------------

def folder_source(folder):
    names = []
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", "build", "build-debug") and
                      not os.path.islink(os.path.join(base, name))]
        names += [os.path.relpath(os.path.join(base, name), folder) for name in files]
        if len(names) > MOST_NAMES:
            raise Problem(f"{folder} has more than {MOST_NAMES} files: is it a submission?")
    return Source(sorted(names), lambda name: read_regular(os.path.join(folder, name)))


def read_regular(path):
    """The bytes of a regular file, or the end of a sentence that says why not."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        return "is a link" if os.path.islink(path) else f"can't be read: {error.strerror}"
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return "is not a regular file"
        return too_large(status.st_size) or file.read(LARGEST_FILE)


def too_large(size):
    return f"is too large ({size:,} bytes; {LARGEST_FILE:,} are allowed)" if size > LARGEST_FILE else None


# --- An archive ----------------------------------------------------------------------------------------------------

def safe_name(name):
    """NAME within the tree, or None when it would lead out of it."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if name.startswith("/") or ".." in parts or not parts else "/".join(parts)


def archive_source(path):
    try:
        if zipfile.is_zipfile(path):
            contents = zip_contents(path)
        else:
            contents = tar_contents(path)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Problem(f"{path} is neither a tar nor a zip archive that can be read: {error}") from None
    return Source(sorted(contents), contents.get)


def tar_contents(path):
    contents, total = {}, 0
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            total = count(path, total, member.size, len(contents))
            name = safe_name(member.name)
            if not name or member.isdir():
                continue
            if not member.isreg():
                contents[name] = "is not a regular file"
            else:
                contents[name] = too_large(member.size) or archive.extractfile(member).read(LARGEST_FILE)
    return contents


def zip_contents(path):
    contents, total = {}, 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            total = count(path, total, member.file_size, len(contents))
            name = safe_name(member.filename.replace("\\", "/"))
            if not name or member.is_dir():
                continue
            if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
                contents[name] = "is not a regular file"
            elif problem := too_large(member.file_size):
                contents[name] = problem
            else:
                with archive.open(member) as file:
                    contents[name] = file.read(LARGEST_FILE)
    return contents


def count(path, total, size, names):
    total += size
    if total > LARGEST_ARCHIVE or names > MOST_NAMES:
        raise Problem(f"{path} unpacks to more than {plural(LARGEST_ARCHIVE >> 20, 'megabyte')} or {MOST_NAMES} files: "
                      "is it a submission?")
    return total


# --- A commit --------------------------------------------------------------------------------------------------------

def git(root, *arguments):
    return subprocess.run(["git", "-C", root, *arguments], capture_output=True, check=False)


def commit_source(commit, root):
    if commit.startswith("-"):
        raise Problem(f"{commit} is no submission")
    found = git(root, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if found.returncode != 0:
        raise Problem(f"there is no submission {commit}: no folder, no archive, and no commit of that name in {root}")
    commit = found.stdout.decode().strip()
    listed = git(root, "ls-tree", "-r", "-z", "--full-tree", commit).stdout.split(b"\0")
    blobs = {}
    for line in filter(None, listed):
        about, _, name = line.partition(b"\t")
        mode, kind, blob = about.decode().split()
        blobs[os.fsdecode(name)] = blob if kind == "blob" and mode.startswith("100") else None
    return Source(sorted(blobs), lambda name: read_blob(root, blobs[name]), lambda name, content: blobs[name] == blob_name(content, commit))


def blob_name(content, commit):
    """What git calls CONTENT, in a repository that has COMMIT."""
    digest = hashlib.sha1 if len(commit) == hashlib.sha1().digest_size * 2 else hashlib.sha256
    return digest(b"blob %d\0" % len(content) + content).hexdigest()


def read_blob(root, blob):
    if blob is None:
        return "is not a regular file"
    size = int(git(root, "cat-file", "-s", blob).stdout)
    return too_large(size) or git(root, "cat-file", "blob", blob).stdout
