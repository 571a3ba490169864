"""Linux's numbers, as far as the labs' checks speak of them (x86-64 ABI)."""
import errno
import signal

READ, WRITE, OPEN, CLOSE, MMAP, MPROTECT, MUNMAP, BRK, RT_SIGACTION, RT_SIGRETURN = 0, 1, 2, 3, 9, 10, 11, 12, 13, 15
PIPE, SCHED_YIELD, MREMAP, MINCORE, MADVISE, GETPID, CLONE, FORK, VFORK, EXECVE, EXIT, WAIT4, KILL = (
    22, 24, 25, 27, 28, 39, 56, 57, 58, 59, 60, 61, 62)
GETRUSAGE, SETUID, MLOCKALL, SETRLIMIT, EXIT_GROUP = 98, 105, 151, 160, 231
NAMES = {number: name.lower() for name, number in list(globals().items()) if name.isupper() and isinstance(number, int)}

PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC = 0, 1, 2, 4
RW, RWX, RX = PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ | PROT_EXEC
MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MAP_GROWSDOWN = 1, 2, 0x10, 0x20, 0x100
MAP_NORESERVE, MAP_POPULATE, MAP_FIXED_NOREPLACE = 0x4000, 0x8000, 0x100000
MREMAP_MAYMOVE, MREMAP_FIXED = 1, 2
MADV_DONTNEED, MADV_FREE = 4, 8
MCL_FUTURE = 2
RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_AS = 2, 8, 9

SIGABRT, SIGBUS, SIGKILL, SIGSEGV = int(signal.SIGABRT), int(signal.SIGBUS), int(signal.SIGKILL), int(signal.SIGSEGV)
SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR = 1, 2, 2
SA_SIGINFO, SA_RESTORER, SA_NODEFER = 4, 0x04000000, 0x40000000

TASK_SIZE = 0x7ffffffff000
MMAP_MIN = 0x10000
STACK_TOP, STACK_SPAN = TASK_SIZE, 8 << 20
LARGEST_ERROR = 4095


def describe_result(value):
    """A system call's result for a person: its errno's name, or the number."""
    if -LARGEST_ERROR <= value < 0:
        return f"-{errno.errorcode.get(-value, -value)}"
    return f"{value:#x}" if value > 9 else str(value)


def describe_protection(protection):
    words = [word for word, bit in (("PROT_READ", PROT_READ), ("PROT_WRITE", PROT_WRITE), ("PROT_EXEC", PROT_EXEC))
             if protection & bit]
    return "|".join(words) or "PROT_NONE"
