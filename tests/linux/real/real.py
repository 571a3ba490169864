"""Programs that somebody else has written: Debian's static binaries, and Debian's static libraries at work."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import transcripts  # noqa: E402
from tap import BUILD, ROOT  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
STORE = os.path.join(ROOT, "build", "linux", "packages")
OUT = os.path.join(BUILD, "tests", "linux", "real")
LIBRARIES = os.path.join(STORE, "usr", "lib", "x86_64-linux-gnu")
C_FLAGS = ["-static", "-O2", "-w", "-D_GNU_SOURCE", "-I", os.path.join(STORE, "usr", "include"),
           "-I", os.path.join(STORE, "usr", "include", "x86_64-linux-gnu"),
           "-I", os.path.join(STORE, "usr", "include", "lua5.4")]

# Compilers that are tried where they are installed; they are too large to be asked for.
OTHER_LANGUAGES = {"go": ["go", "build", "-trimpath"], "rustc": ["rustc", "-O", "-C", "target-feature=+crt-static"]}


class Real:
    """One program: how it is got (a package's file, or a command that builds it), and the command to run."""

    def __init__(self, name, command, package=None, binary=None, source=None, compiler="gcc", libraries=(),
                 sources_of=None):
        self.name, self.command, self.package, self.binary = name, command, package, binary
        self.source, self.compiler, self.libraries, self.sources_of = source, compiler, libraries, sources_of
        self.golden = os.path.join(transcripts.GOLDEN, "real", f"{name}.txt")
        self.program = command.split()[0]

    def prepare(self):
        """The program's file; (path, None), or (None, why it is not to be had)."""
        if self.package and not fetch(self.package):
            return None, f"Debian's package {self.package} is not to be had"
        if self.sources_of and not fetch_source(self.sources_of):
            return None, f"the source of Debian's package {self.sources_of} is not to be had"
        if self.binary:
            return os.path.join(STORE, self.binary), None
        if shutil.which(self.compiler) is None:
            return None, f"{self.compiler} is not installed"
        os.makedirs(OUT, exist_ok=True)
        target = os.path.join(OUT, self.name)
        source = os.path.join(HERE, self.source)
        libraries = [os.path.join(LIBRARIES, library) if library.endswith(".a") else library
                     for library in self.libraries]
        command = OTHER_LANGUAGES.get(self.compiler, [self.compiler, *C_FLAGS]) + ["-o", target, source, *libraries]
        done = subprocess.run(command, env=dict(os.environ, CGO_ENABLED="0"), capture_output=True, text=True, check=False)
        return (target, None) if done.returncode == 0 else (None, f"it does not compile: {done.stderr.strip()[-300:]}")


PROGRAMS = [
    Real("ash", "/bin/busybox sh /tests/real/ash.sh", package="busybox-static", binary="bin/busybox"),
    Real("bash", "/bin/bash /tests/real/bash.sh", package="bash-static", binary="bin/bash-static"),
    Real("lua", "/bin/lua /tests/real/work.lua", package="liblua5.4-dev", source="lua_host.c",
         libraries=("liblua5.4.a", "-lm")),
    Real("sqlite", "/bin/sqlite_work", package="libsqlite3-dev", source="sqlite_work.c",
         libraries=("libsqlite3.a", "-lm", "-lpthread")),
    Real("zstd", "/bin/zstd_work", package="libzstd-dev", source="zstd_work.c",
         libraries=("libzstd.a", "-lpthread")),
    Real("jemalloc", "/bin/jemalloc_work", package="libjemalloc-dev", source="malloc_work.c",
         libraries=("libjemalloc.a", "-lm", "-lpthread", "-lstdc++")),
    # Debian has no static library of it: its source package is compiled as one file.
    Real("mimalloc", "/bin/mimalloc_work", sources_of="mimalloc", source="malloc_work.c",
         libraries=("-DMI_MALLOC_OVERRIDE", "-I" + os.path.join(STORE, "source", "mimalloc", "include"),
                    os.path.join(STORE, "source", "mimalloc", "src", "static.c"), "-lpthread")),
    Real("glibc_malloc", "/bin/glibc_malloc", source="malloc_work.c"),
    Real("musl_malloc", "/bin/musl_malloc", source="malloc_work.c", compiler="musl-gcc"),
    Real("glibc_threads", "/bin/glibc_threads", source="pthreads_work.c"),
    Real("musl_threads", "/bin/musl_threads", source="pthreads_work.c", compiler="musl-gcc"),
    Real("containers", "/bin/containers", source="containers.cc", compiler="g++"),
    Real("go", "/bin/go_work", source="work.go", compiler="go"),
    Real("rust", "/bin/rust_work", source="work.rs", compiler="rustc"),
]


def fetch(package):
    """Downloads and unpacks (does not install) a package, once; whether it is there."""
    mark = os.path.join(STORE, f".{package}")
    if os.path.exists(mark):
        return True
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return False
    folder = os.path.join(STORE, f"fetch-{os.getpid()}")
    os.makedirs(folder, exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, check=True)
        for deb in glob.glob(os.path.join(folder, "*.deb")):
            subprocess.run(["dpkg-deb", "-x", deb, STORE], capture_output=True, check=True)
        with open(mark, "w", encoding="ascii"):
            return True
    except subprocess.CalledProcessError:
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)


APT_SOURCES = "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main\n"


def fetch_source(package):
    """Downloads and unpacks the source of a package, once, by an apt of our own; whether it is there."""
    target = os.path.join(STORE, "source", package)
    if os.path.isdir(target):
        return True
    if shutil.which("apt-get") is None or shutil.which("xz") is None:
        return False
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STORE, prefix="source-") as folder:
        for part in ("lists/partial", "cache/archives/partial", "unpacked"):
            os.makedirs(os.path.join(folder, part))
        with open(os.path.join(folder, "sources.list"), "w", encoding="ascii") as file:
            file.write(APT_SOURCES)
        apt = ["apt-get", "-o", f"Dir::Etc::sourcelist={folder}/sources.list", "-o", "Dir::Etc::sourceparts=-",
               "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=root"]
        try:
            subprocess.run([*apt, "update"], capture_output=True, check=True, timeout=120)
            subprocess.run([*apt, "source", "--download-only", package], cwd=folder, capture_output=True, check=True,
                           timeout=120)
            archive = glob.glob(os.path.join(folder, "*.orig.tar.*"))[0]
            subprocess.run(["tar", "-xf", archive, "--strip-components=1", "-C", os.path.join(folder, "unpacked")],
                           capture_output=True, check=True)
        except (subprocess.SubprocessError, IndexError):
            return False
        os.rename(os.path.join(folder, "unpacked"), target)
    return True


def run(tool, ready):
    """Runs READY, pairs of (Real, file), in one boot; {command: transcript}, what the tool said."""
    command = [os.path.join(ROOT, "tools", tool), "--timeout", "300", "--memory", "512M"]
    # Linux on a processor without random numbers has none for a while, and mimalloc says so.
    command += ["--cpu", "qemu64,+rdrand"] if tool == "linux-run" else []
    for script in ("ash.sh", "bash.sh", "work.lua"):
        command += ["--file", f"{os.path.join(HERE, script)}=/tests/real/{script}"]
    for real, path in ready:
        command += ["--file", f"{path}={real.program}"]
    command += [os.path.join(BUILD, "tests", "linux", "each"), *(real.command for real, _ in ready)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return transcripts.sections(done.stdout.decode(errors="replace")), done.stderr.decode(errors="replace")
