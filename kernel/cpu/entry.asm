; Where the processor enters the kernel for exceptions and interrupts, and how it leaves again.
;
; Each stub completes a struct pt_regs on the stack and calls a C function with its address. From
; ring 3 the stack is the task's own; from the kernel it is whatever was in use, except for the
; vectors with stacks of their own (IST). The kernel never uses GS, so there is no SWAPGS anywhere.

%include "kernel/cpu/asm.inc"

VECTOR_DEBUG equ 1
VECTOR_NMI equ 2
VECTOR_DOUBLE_FAULT equ 8
VECTOR_GENERAL_PROTECTION equ 13
VECTOR_PAGE_FAULT equ 14
VECTOR_MACHINE_CHECK equ 18
EXCEPTIONS equ 32
IRQ_COUNT equ 16
; A page fault's error code from ring 3 has this bit set and none beyond those.
PF_USER equ 1 << 2
PF_ERROR_CODE equ 0x1f
; Bit N: exception N pushes an error code (SDM vol. 3A, table 6-1).
WITH_ERROR_CODE equ 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30

extern this_cpu, exc_page_fault, exc_other, irq_dispatch, exit_to_user_work
global entry_stubs, asm_return_to_user, asm_compat_syscall_entry

default rel
section .text

; The page fault, the hot one: 38 instructions in and out. C preserves RBX, RBP and R12-R15, so
; their saved copies are skipped on the way out unless there is work to do: only that may change
; them.
align 16
asm_exc_page_fault:
    PUSH_REGISTERS                  ; the error code is already where orig_ax belongs
    mov rdi, rsp
    mov rsi, [rsp + PT_ORIG_AX]
    sub rsp, 8                      ; the ABI wants the stack aligned to 16 at a call
    cld                             ; neither flag is cleared by the processor
    CLAC
    test byte [rdi + PT_CS], 3
    jz .from_kernel
    call exc_page_fault
    cmp dword [this_cpu + CPU_WORK_PENDING], 0
    jne .work
    add rsp, 8 + CALLEE_SAVED_SIZE
    POP_CALLER_SAVED
    add rsp, 8                      ; the error code
    IRET_TO_USER
.work:
    add rsp, 8
    mov qword [rsp + PT_ORIG_AX], -1    ; no system call: there is nothing to start again
    jmp asm_return_to_user
.from_kernel:
    call exc_page_fault
    add rsp, 8
    jmp return_to_kernel

; All other exceptions. The stub left an error code or 0, RDI, and the vector in EDI.
exception_common:
    PUSH_REGISTERS_BELOW_RDI
    cld
    CLAC
    mov esi, edi
    mov rdi, rsp
    mov rdx, [rsp + PT_ORIG_AX]
    sub rsp, 8
    call exc_other
    add rsp, 8
    jmp return_to_interrupted

; The same for vectors with stacks of their own. From ring 3 the registers move to the task's stack
; at once, because work on the way back may switch tasks.
exception_on_own_stack:
    PUSH_REGISTERS_BELOW_RDI
    cld
    CLAC
    mov ebx, edi
    test byte [rsp + PT_CS], 3
    jz .saved
    mov rsi, rsp
    mov rsp, [this_cpu + CPU_KERNEL_STACK_TOP]
    sub rsp, PT_REGS_SIZE
    mov rdi, rsp
    mov ecx, PT_REGS_SIZE / 8
    rep movsq
.saved:
    mov rdi, rsp
    mov esi, ebx
    mov rdx, [rsp + PT_ORIG_AX]
    sub rsp, 8
    call exc_other
    add rsp, 8
    jmp return_to_interrupted

; Device interrupts. The stub left ~vector, RDI, and the IRQ number in EDI.
irq_common:
    PUSH_REGISTERS_BELOW_RDI
    cld
    CLAC
    mov esi, edi
    mov rdi, rsp
    sub rsp, 8
    call irq_dispatch
    add rsp, 8

return_to_interrupted:              ; RSP at a struct pt_regs
    test byte [rsp + PT_CS], 3
    jnz asm_return_to_user
return_to_kernel:
    POP_CALLEE_SAVED
    POP_CALLER_SAVED
    add rsp, 8
    iretq

asm_return_to_user:                 ; RSP at a struct pt_regs
    cmp dword [this_cpu + CPU_WORK_PENDING], 0
    jne .work
    POP_CALLEE_SAVED
    POP_CALLER_SAVED
    add rsp, 8
    IRET_TO_USER
.work:
    mov rdi, rsp
    sub rsp, 8
    call exit_to_user_work
    add rsp, 8
    jmp asm_return_to_user

; fixup_exception() sends a faulting IRETQ here, with the stack as it was: the program's registers
; are back in place, so this looks like a general protection exception at the instruction that it
; wanted to go to.
bad_iret:
    sub rsp, 8                      ; the error code: as IRETQ's exception had it
    push rdi
    mov edi, [this_cpu + CPU_FIXUP_ERROR]
    mov [rsp + 8], rdi
    mov edi, VECTOR_GENERAL_PROTECTION
    jmp exception_common

; SYSCALL in 32-bit compatibility mode. No descriptor leads there; should a program find a way, its
; call doesn't exist.
asm_compat_syscall_entry:
    mov eax, -38                    ; -ENOSYS
    o32 sysret

; ---- the stubs themselves ----

%macro EXCEPTION_STUB 1
%if (WITH_ERROR_CODE >> %1) & 1 == 0
    push 0
%endif
    push rdi
    mov edi, %1
%if %1 == VECTOR_DEBUG || %1 == VECTOR_NMI || %1 == VECTOR_DOUBLE_FAULT || %1 == VECTOR_MACHINE_CHECK
    jmp exception_on_own_stack
%else
    jmp exception_common
%endif
%endmacro

%assign vector 0
%rep EXCEPTIONS
stub_ %+ vector:
    EXCEPTION_STUB vector
%assign vector vector + 1
%endrep

; Goes to %1 unless register %2 and those behind it are what lies below PT_ORIG_AX's place, as PUSH_REGISTERS has them.
%macro COMPARE_REGISTERS 2-*
%define %%otherwise %1
%assign %%depth 2 * 8
%rep %0 - 1
    %rotate 1
    cmp [rsp - %%depth], %1
    jne %%otherwise
%assign %%depth %%depth + 8
%endrep
%endmacro

; The timer's. In the kernel interrupts are off, so a tick that falls into a page fault waits until the registers are
; back in the program. They are then still to be seen where the fault has saved them, below RSP, under its error code.
; Only if the program has since changed none may it be the program's time all the same.
timer_stub:
    test qword [rsp - 8], ~PF_ERROR_CODE
    jnz .of_program
    test byte [rsp - 8], PF_USER
    jz .of_program
    COMPARE_REGISTERS .of_program, rdi, rsi, rdx, rcx, rax, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15
    push ORIG_AX_TICK_IN_FAULT
    jmp .go_on
.of_program:
    push ~EXCEPTIONS
.go_on:
    push rdi
    xor edi, edi
    jmp irq_common

%assign irq 0
%rep IRQ_COUNT
stub_ %+ vector:
%if irq == 0
    jmp timer_stub
%endif
    push ~vector
    push rdi
    mov edi, irq
    jmp irq_common
%assign irq irq + 1
%assign vector vector + 1
%endrep

; The address of each vector's stub, for the IDT.
section .rodata
align 8
entry_stubs:
%assign vector 0
%rep EXCEPTIONS + IRQ_COUNT
%if vector == VECTOR_PAGE_FAULT
    dq asm_exc_page_fault
%else
    dq stub_ %+ vector
%endif
%assign vector vector + 1
%endrep
