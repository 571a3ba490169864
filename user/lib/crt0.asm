; What C can't say: the first instructions, jumps between stacks, the return from a signal.

bits 64
default rel

SYS_RT_SIGPROCMASK equ 14
SYS_RT_SIGRETURN   equ 15
SYS_CLONE          equ 56
SYS_VFORK          equ 58
SYS_EXIT           equ 60
SIG_SETMASK        equ 2
SIGSET_SIZE        equ 8

; jmp_buf: eight registers, then whether the signal mask was saved, then the mask.
JB_RBX             equ 0
JB_RBP             equ 8
JB_R12             equ 16
JB_R13             equ 24
JB_R14             equ 32
JB_R15             equ 40
JB_RSP             equ 48
JB_RIP             equ 56
JB_MASK_SAVED      equ 64
JB_MASK            equ 72

extern __start_c
extern __result

section .text._start progbits alloc exec nowrite align=16
global _start:function
_start:                                 ; the kernel jumps here, RSP points at argc
    xor     ebp, ebp                    ; the outermost frame, where a backtrace ends
    mov     rdi, rsp                    ; argc, argv, environment, auxiliary vector: from here up
    and     rsp, -16                    ; the alignment that a call needs
    call    __start_c                   ; does not return
    ud2
.end:

section .text.__restore_rt progbits alloc exec nowrite align=16
global __restore_rt:function
__restore_rt:                           ; a signal handler returns to here, RSP points at the frame
    mov     eax, SYS_RT_SIGRETURN
    syscall

section .text.vfork progbits alloc exec nowrite align=16
global vfork:function
vfork:                                  ; the child runs on this very stack until it execs or exits
    pop     rdx                         ; so the return address must not lie on it
    mov     eax, SYS_VFORK
    syscall
    push    rdx
    mov     rdi, rax
    jmp     __result                    ; errno and -1 if it failed

section .text.__clone progbits alloc exec nowrite align=16
global __clone:function
; long __clone(body, stack_end, flags, argument, parent_tid, tls, child_tid): the raw result
__clone:
    and     rsi, -16
    sub     rsi, 16
    mov     [rsi], rdi                  ; body and argument wait on the new stack
    mov     [rsi + 8], rcx
    mov     rdi, rdx                    ; flags
    mov     rdx, r8                     ; parent_tid
    mov     r8, r9                      ; tls
    mov     r10, [rsp + 8]              ; child_tid
    mov     eax, SYS_CLONE
    syscall
    test    rax, rax
    jnz     .parent
.child:
    xor     ebp, ebp                    ; the new task's outermost frame
    pop     rax                         ; body
    pop     rdi                         ; argument
    call    rax
    mov     edi, eax
    mov     eax, SYS_EXIT               ; this task only, not its whole group
    syscall
    ud2
.parent:
    ret

; NASM writes no unwind tables: this one says where a backtrace ends (DWARF 4, section 6.4.1).
DW_CFA_DEF_CFA     equ 0x0c
DW_CFA_UNDEFINED   equ 0x07
DWARF_RSP          equ 7
DWARF_RIP          equ 16
NO_CIE             equ 0xffffffff       ; in its place a description has where its CIE lies

ENTRY_SIZE         equ 24

section .debug_frame progbits noalloc noexec nowrite align=8
called_by_nobody:
    dd ENTRY_SIZE
.entry:
    dd NO_CIE
    db 1, 0, 1, -8 & 0x7f, DWARF_RIP    ; version, no augmentation, alignments of code and data
    db DW_CFA_DEF_CFA, DWARF_RSP, 8, DW_CFA_UNDEFINED, DWARF_RIP
    times ENTRY_SIZE - ($ - .entry) db 0
%macro OUTERMOST 2                      ; the code from %1 to %2
    dd ENTRY_SIZE
    dd called_by_nobody
    dq %1, %2 - %1
    dd 0
%endmacro
    OUTERMOST _start, _start.end
    OUTERMOST __clone.child, __clone.parent

section .text.setjmp progbits alloc exec nowrite align=16
global setjmp:function
global sigsetjmp:function
setjmp:
    xor     esi, esi                    ; without the signal mask
sigsetjmp:
    mov     [rdi + JB_RBX], rbx
    mov     [rdi + JB_RBP], rbp
    mov     [rdi + JB_R12], r12
    mov     [rdi + JB_R13], r13
    mov     [rdi + JB_R14], r14
    mov     [rdi + JB_R15], r15
    lea     rdx, [rsp + 8]              ; RSP as it is after the return
    mov     [rdi + JB_RSP], rdx
    mov     rdx, [rsp]
    mov     [rdi + JB_RIP], rdx
    movsxd  rsi, esi
    mov     [rdi + JB_MASK_SAVED], rsi
    test    rsi, rsi
    jz      .done
    lea     rdx, [rdi + JB_MASK]        ; where the current mask goes
    xor     esi, esi                    ; no new mask
    mov     edi, SIG_SETMASK
    mov     r10d, SIGSET_SIZE
    mov     eax, SYS_RT_SIGPROCMASK
    syscall
.done:
    xor     eax, eax
    ret

section .text.longjmp progbits alloc exec nowrite align=16
global longjmp:function
global siglongjmp:function
longjmp:
siglongjmp:
    mov     r8, rdi                     ; the buffer
    mov     r9d, esi                    ; the value
    cmp     qword [r8 + JB_MASK_SAVED], 0
    je      .registers
    lea     rsi, [r8 + JB_MASK]
    xor     edx, edx                    ; the old mask is not wanted
    mov     edi, SIG_SETMASK
    mov     r10d, SIGSET_SIZE
    mov     eax, SYS_RT_SIGPROCMASK
    syscall
.registers:
    mov     eax, r9d
    test    eax, eax
    jnz     .not_zero
    inc     eax                         ; setjmp's second return is never 0
.not_zero:
    mov     rbx, [r8 + JB_RBX]
    mov     rbp, [r8 + JB_RBP]
    mov     r12, [r8 + JB_R12]
    mov     r13, [r8 + JB_R13]
    mov     r14, [r8 + JB_R14]
    mov     r15, [r8 + JB_R15]
    mov     rsp, [r8 + JB_RSP]
    jmp     [r8 + JB_RIP]

section .note.GNU-stack noalloc noexec nowrite progbits
