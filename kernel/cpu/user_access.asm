; Copies between the kernel and the running program: the only instructions that run with EFLAGS.AC
; set under SMAP.
;
; A fault that can't be served comes back here through the exception table. After one in the middle
; of eight bytes, the rest is done byte by byte, so that the copy stops exactly where the accessible
; memory ends.

%include "kernel/cpu/asm.inc"

global arch_copy_user, arch_clear_user
section .text

; unsigned long arch_copy_user(void *to, const void *from, unsigned long n): returns the bytes NOT
; copied.
align 16
arch_copy_user:
    mov rcx, rdx
    shr rcx, 3
    STAC
.words:
    rep movsq
    mov ecx, edx
    and ecx, 7
.bytes:
    rep movsb
.stopped:
    CLAC
    mov rax, rcx
    ret
.bytewise:                          ; RCX words and (N & 7) bytes are left
    and edx, 7
    lea rcx, [rdx + rcx * 8]
    jmp .bytes
EX_TABLE .words, .bytewise
EX_TABLE .bytes, .stopped

; unsigned long arch_clear_user(void *to, unsigned long n): returns the bytes NOT cleared.
align 16
arch_clear_user:
    mov rcx, rsi
    shr rcx, 3
    xor eax, eax
    STAC
.words:
    rep stosq
    mov ecx, esi
    and ecx, 7
.bytes:
    rep stosb
.stopped:
    CLAC
    mov rax, rcx
    ret
.bytewise:
    and esi, 7
    lea rcx, [rsi + rcx * 8]
    jmp .bytes
EX_TABLE .words, .bytewise
EX_TABLE .bytes, .stopped
