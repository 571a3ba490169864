/* What the library's own files share: raw system calls, and the place where errors become errno. */
#ifndef USER_LIB_INTERNAL_H
#define USER_LIB_INTERNAL_H

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>

/* The kernel's results from here up are negated error numbers. */
#define FIRST_ERROR_RESULT (-4095UL)

/* One system call with up to six arguments; returns what the kernel left in RAX. */
static inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* The same with one to four arguments, so that the rest is not loaded for nothing. */
static inline long raw_syscall1(long number, long a)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a) : "rcx", "r11", "memory");
    return result;
}

static inline long raw_syscall2(long number, long a, long b)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long raw_syscall3(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long raw_syscall4(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

/* Turn a raw result into C's convention: -1 and errno on an error, else the result itself. */
long __result(long raw);

/* CALLn(name, ...): the system call of that name with n arguments, in C's convention. */
#define CALL0(name)          __result(raw_syscall1(SYS_##name, 0))
#define CALL1(name, a)       __result(raw_syscall1(SYS_##name, (long)(a)))
#define CALL2(name, a, b)    __result(raw_syscall2(SYS_##name, (long)(a), (long)(b)))
#define CALL3(name, a, b, c) __result(raw_syscall3(SYS_##name, (long)(a), (long)(b), (long)(c)))
#define CALL4(name, a, b, c, d) \
    __result(raw_syscall4(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d)))
#define CALL5(name, a, b, c, d, e) CALL6(name, a, b, c, d, e, 0)
#define CALL6(name, a, b, c, d, e, f) \
    __result(raw_syscall(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
                         (long)(f)))

/* Write out all streams; in stdio.c, and linked only when a program uses streams. */
void __flush_all_streams(void) __attribute__((weak));

#endif
