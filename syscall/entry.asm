; Where SYSCALL enters the kernel, and how it leaves again.
;
; The call's number is in EAX, its arguments in RDI, RSI, RDX, R10, R8 and R9; the processor put the program's RIP
; into RCX and its RFLAGS into R11 (SDM vol. 2B, SYSCALL). Interrupts are off (SFMASK) and stay off. All registers
; but RAX, RCX and R11 come back unchanged.

%include "kernel/cpu/asm.inc"

; The rest of struct pt_regs (kernel/cpu/regs.h).
PT_R11 equ 6 * 8
PT_AX equ 10 * 8
PT_CX equ 11 * 8
PT_IP equ 16 * 8
PT_FLAGS equ 18 * 8
PT_SP equ 19 * 8

USER_DS equ 0x2b
USER_CS equ 0x33
FLAGS_TF equ 1 << 8
FLAGS_RF equ 1 << 16
TASK_SIZE equ 0x00007ffffffff000

; Names shared with C: syscall/table.h.
SYSCALL_LIMIT equ 512
JOURNAL_SYSCALL_BIT equ 1 << 1

extern this_cpu, journal_mask, syscall_table, syscall_recorded, sys_unknown, do_rt_sigreturn
extern asm_return_to_user
global asm_syscall_entry, asm_rt_sigreturn

default rel
section .text

align 16
asm_syscall_entry:
    mov [this_cpu + CPU_USER_SP], rsp       ; SYSCALL does not change stacks
    mov rsp, [this_cpu + CPU_KERNEL_STACK_TOP]
    push USER_DS                            ; struct pt_regs, as an interrupt would have left it
    push qword [this_cpu + CPU_USER_SP]
    push r11
    push USER_CS
    push rcx
    push rax
    PUSH_REGISTERS
    sub rsp, 8                              ; the ABI wants the stack aligned to 16 at a call
    test dword [journal_mask], JOURNAL_SYSCALL_BIT
    jnz .recorded
    mov eax, eax                            ; the number is 32 bits wide
    cmp eax, SYSCALL_LIMIT
    jae .unknown
    mov rcx, r10                            ; C's fourth argument is in RCX, the program's in R10
    lea r11, [syscall_table]
    call [r11 + rax * 8]

.exit:
    ; SYSRET takes RIP from RCX and RFLAGS from R11. With an address that is not canonical it would fault in ring 0,
    ; on the program's stack (SDM vol. 2B, SYSRET); and it can't set TF or RF as they should be.
    cmp dword [this_cpu + CPU_WORK_PENDING], 0
    jne .slow
    mov rcx, [rsp + 8 + PT_IP]
    cmp rcx, [rsp + 8 + PT_CX]              ; differs after execve: all registers are new then
    jne .slow
    cmp rcx, [task_size]
    jae .slow
    mov r11, [rsp + 8 + PT_FLAGS]
    test r11d, FLAGS_TF | FLAGS_RF
    jnz .slow
    add rsp, 8 + CALLEE_SAVED_SIZE + 8      ; C preserved RBX, RBP and R12-R15; R11 is set
    pop r10
    pop r9
    pop r8
    add rsp, 16                             ; RAX is the result, RCX is set
    pop rdx
    pop rsi
    pop rdi
    mov rsp, [rsp + PT_SP - 15 * 8]
    o64 sysret

.slow:
    mov [rsp + 8 + PT_AX], rax
    add rsp, 8
    jmp asm_return_to_user

.recorded:
    lea rdi, [rsp + 8]
    call syscall_recorded
    jmp .exit
.unknown:
    call sys_unknown
    jmp .exit

; rt_sigreturn replaces all registers, the preserved ones too: it never goes back through the fast way.
asm_rt_sigreturn:
    mov rsp, [this_cpu + CPU_KERNEL_STACK_TOP]
    sub rsp, PT_REGS_SIZE + 8
    lea rdi, [rsp + 8]
    call do_rt_sigreturn
    mov [rsp + 8 + PT_AX], rax
    add rsp, 8
    jmp asm_return_to_user

section .rodata
align 8
task_size: dq TASK_SIZE
