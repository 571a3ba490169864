/* Signals, and the state of the processor that a handler is shown. */
#ifndef _SIGNAL_H
#define _SIGNAL_H

#include <sys/types.h>

#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGBUS    7
#define SIGFPE    8
#define SIGKILL   9
#define SIGUSR1   10
#define SIGSEGV   11
#define SIGUSR2   12
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGSTKFLT 16
#define SIGCHLD   17
#define SIGCONT   18
#define SIGSTOP   19
#define SIGTSTP   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGURG    23
#define SIGXCPU   24
#define SIGXFSZ   25
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGIO     29
#define SIGPWR    30
#define SIGSYS    31
#define NSIG      65

#define SA_NOCLDSTOP 0x00000001
#define SA_NOCLDWAIT 0x00000002
#define SA_SIGINFO   0x00000004
#define SA_RESTORER  0x04000000
#define SA_ONSTACK   0x08000000
#define SA_RESTART   0x10000000
#define SA_NODEFER   0x40000000
#define SA_RESETHAND 0x80000000

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SI_USER   0
#define SI_KERNEL 128
#define SI_TKILL  (-6)
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define ILL_ILLOPN 2
#define FPE_INTDIV 1
#define TRAP_BRKPT 1
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM (1U << 31)
#define MINSIGSTKSZ   2048
#define SIGSTKSZ      8192

typedef unsigned long sigset_t; /* 64 signals, bit n - 1 is signal n: the kernel's own layout */
typedef int sig_atomic_t;
typedef void (*sighandler_t)(int);
#define SIG_DFL ((sighandler_t)0)
#define SIG_IGN ((sighandler_t)1)
#define SIG_ERR ((sighandler_t)-1)

union sigval {
    int sival_int;
    void *sival_ptr;
};

/* 128 bytes, as the kernel writes them; which fields are valid depends on signal and code. */
typedef struct {
    int si_signo;
    int si_errno;
    int si_code;
    int _padding;
    union {
        struct {
            pid_t pid;
            uid_t uid;
            union {
                int status;
                union sigval value;
            } s;
        } sender;
        struct {
            void *addr;
            short addr_lsb;
        } fault;
        char _room[112];
    } _u;
} siginfo_t;
#define si_pid    _u.sender.pid
#define si_uid    _u.sender.uid
#define si_status _u.sender.s.status
#define si_value  _u.sender.s.value
#define si_addr   _u.fault.addr

typedef struct {
    void *ss_sp;
    int ss_flags;
    size_t ss_size;
} stack_t;

/* The order of gregs. */
enum {
    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RDI, REG_RSI, REG_RBP,
    REG_RBX, REG_RDX, REG_RAX, REG_RCX, REG_RSP, REG_RIP, REG_EFL, REG_CSGSFS, REG_ERR, REG_TRAPNO,
    REG_OLDMASK, REG_CR2, NGREG
};

typedef long long greg_t;
typedef greg_t gregset_t[NGREG];

/* The area of FXSAVE. */
struct _libc_fpstate {
    unsigned short cwd, swd, ftw, fop;
    unsigned long rip, rdp;
    unsigned int mxcsr, mxcr_mask;
    unsigned int _st[32];
    unsigned int _xmm[64];
    unsigned int _reserved[24];
};
typedef struct _libc_fpstate *fpregset_t;

typedef struct {
    gregset_t gregs;
    fpregset_t fpregs;
    unsigned long long _reserved[8];
} mcontext_t;

typedef struct ucontext_t {
    unsigned long uc_flags;
    struct ucontext_t *uc_link;
    stack_t uc_stack;
    mcontext_t uc_mcontext;
    sigset_t uc_sigmask;
} ucontext_t;

struct sigaction {
    union {
        sighandler_t handler;
        void (*action)(int, siginfo_t *, void *);
    } _u;
    sigset_t sa_mask;
    int sa_flags;
    void (*sa_restorer)(void); /* sigaction() fills it in itself */
};
#define sa_handler   _u.handler
#define sa_sigaction _u.action

sighandler_t signal(int signal, sighandler_t handler); /* with SA_RESTART */
int sigaction(int signal, const struct sigaction *restrict action, struct sigaction *restrict old);
int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old);
int sigaltstack(const stack_t *restrict stack, stack_t *restrict old);
int sigsuspend(const sigset_t *mask);
int sigpending(sigset_t *set);
int kill(pid_t process, int signal);
int raise(int signal);
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int signal);
int sigdelset(sigset_t *set, int signal);
int sigismember(const sigset_t *set, int signal);

#endif
