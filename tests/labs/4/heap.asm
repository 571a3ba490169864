; A puppet with a heap: the pieces of tests/labs/puppet.asm in a program that is linked with the submission's user/lib. The
; grader calls malloc, free, brk and sbrk in it one by one, with arguments of its own, and looks at what they leave.
; It says nothing itself. tools/grader/player.py knows the symbols.

section .text align=4096
global pieces
pieces:
%include "tests/labs/puppet.asm"

global main
main:
    mov r15d, edi           ; argc is its number
    and rsp, -16            ; as a call needs it
    jmp checkpoint

; So that the linker takes them from the library.
extern malloc, free, calloc, realloc, aligned_alloc, brk, sbrk, errno
    dq malloc, free, calloc, realloc, aligned_alloc, brk, sbrk, errno, mailbox

section .bss align=4096
global mailbox
mailbox:
    resb 4096

section .note.GNU-stack noalloc noexec nowrite progbits
