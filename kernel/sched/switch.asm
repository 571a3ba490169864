; Changing stacks: the one thing of the scheduler that C can't do, and a new task's first way to
; ring 3.

bits 64
default rel

extern task_begin, asm_return_to_user

section .text

; struct task *switch_stacks(struct task *prev (rdi), struct task *next (rsi))
; Keeps what the C calling convention wants kept; kernel_sp is the first field of struct task.
global switch_stacks
switch_stacks:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov rax, rdi                ; the result, on the other stack too: who ran before
    mov [rdi], rsp
    mov rsp, [rsi]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

; A new task begins here, with struct pt_regs at RSP and its predecessor in RAX.
global task_first_entry
task_first_entry:
    mov rdi, rax
    mov rsi, rsp
    sub rsp, 8                  ; the ABI wants the stack aligned to 16 at a call
    call task_begin
    add rsp, 8
    jmp asm_return_to_user
