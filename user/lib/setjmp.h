/* Jumps out of functions and of signal handlers. */
#ifndef _SETJMP_H
#define _SETJMP_H

/* rbx rbp r12 r13 r14 r15 rsp rip, whether the signal mask was saved, the mask. */
typedef unsigned long jmp_buf[10];
typedef unsigned long sigjmp_buf[10];

int setjmp(jmp_buf place) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf place, int value);
int sigsetjmp(sigjmp_buf place, int save_mask) __attribute__((returns_twice));
_Noreturn void siglongjmp(sigjmp_buf place, int value);
#define _setjmp  setjmp
#define _longjmp longjmp

#endif
