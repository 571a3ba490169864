; The puppet: a process of the labs' checks that does nothing by itself. The grader stops it at `checkpoint`, sets its
; registers, lets it execute one of the pieces below, and finds it at `checkpoint` again: what was loaded, what a system
; call returned, and what the page tables hold then is read from outside. It has no stack, no data and no opinion.
;
; Each piece stands in a slot of 32 bytes; tools/grader/puppet.py names the slots in this order. It runs at a place that
; is different in each run, so nothing here may be an address. r15 tells who it is.
bits 64
default rel

%macro slot 0
    align 32, int3
%endmacro

start:
    mov r15d, 1
    jmp checkpoint
slot
checkpoint:                 ; a breakpoint
    nop
    jmp checkpoint
slot
caught:                     ; a breakpoint: the handler of its signals; rdi the signal, rsi the siginfo
    nop
    jmp caught
slot
restorer:
    mov eax, 15             ; rt_sigreturn
    syscall
slot
call:                       ; a system call
    syscall
    jmp checkpoint
slot
fork:                       ; a system call that returns twice: the child is the puppet r14
    syscall
    test eax, eax
    jnz checkpoint
    mov r15, r14
    jmp checkpoint
slot
load:                       ; rax = the byte at rdi
    movzx eax, byte [rdi]
    jmp checkpoint
slot
store:                      ; the byte at rdi = sil
    mov [rdi], sil
    jmp checkpoint
slot
store_long:                 ; the 8 bytes at rdi = rsi
    mov [rdi], rsi
    jmp checkpoint
slot
load_long:
    mov rax, [rdi]
    jmp checkpoint
slot
fill:                       ; rcx bytes at rdi = al
    rep stosb
    jmp checkpoint
slot
compare:                    ; goes on while the bytes at rdi are al: rcx of them at most; then rax = 1 if all were
    cmp al, al
    repe scasb
    sete al
    movzx eax, al
    jmp checkpoint
slot
read_pages:                 ; loads one byte at rdi, rdi + rsi, ...: rcx times
    movzx eax, byte [rdi]
    add rdi, rsi
    dec rcx
    jnz read_pages
    jmp checkpoint
slot
write_pages:                ; stores al there
    mov [rdi], al
    add rdi, rsi
    dec rcx
    jnz write_pages
    jmp checkpoint
slot
jump:                       ; executes what is at rdi; code there comes back by `jmp rdx`
    jmp rdi
slot
invoke:                     ; calls the C function at rax, in a program that has any (tests/labs/4/heap.asm)
    call rax
    jmp checkpoint
slot
