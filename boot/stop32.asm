; The last words of a kernel that can't even reach 64-bit mode: a sentence on COM1, COM2 and the VGA
; text screen.

COM1 equ 0x3f8
COM2 equ 0x2f8
UART_INTERRUPTS equ 1
UART_LINE_CONTROL equ 3
UART_LINE_STATUS equ 5
LINE_8N1 equ 0x03
LINE_DIVISOR equ 0x80               ; registers 0 and 1 are the baud rate's divisor
TRANSMITTER_EMPTY equ 1 << 5

VGA_TEXT equ 0xb8000
VGA_LAST_LINE equ VGA_TEXT + 24 * 160
WHITE_ON_RED equ 0x4f

DEBUG_EXIT_PORT equ 0x501           ; as in kernel/dev/power.h
EXIT_PANIC equ 0x12

global boot_stop_32

section .text
bits 32

; ESI: the physical address of the sentence. Never returns.
boot_stop_32:
    mov ebp, esi
    mov edi, COM1
    call send
    mov edi, COM2
    call send
    mov esi, ebp
    mov edi, VGA_LAST_LINE
    mov ah, WHITE_ON_RED
.screen:
    lodsb
    cmp al, ' '
    jb .shown
    stosw
    jmp .screen
.shown:
    mov dx, DEBUG_EXIT_PORT
    mov al, EXIT_PANIC
    out dx, al
    cli
.halt:
    hlt
    jmp .halt

; Sends the sentence at EBP to the port at EDI, after setting the port up. Changes EAX, ECX, EDX,
; ESI.
send:
    lea edx, [edi + UART_INTERRUPTS]
    xor eax, eax
    out dx, al
    lea edx, [edi + UART_LINE_CONTROL]
    mov al, LINE_DIVISOR | LINE_8N1
    out dx, al
    mov edx, edi
    mov al, 1                       ; 115200 baud
    out dx, al
    inc edx
    xor eax, eax
    out dx, al
    lea edx, [edi + UART_LINE_CONTROL]
    mov al, LINE_8N1
    out dx, al
    mov esi, ebp
.byte:
    lodsb
    test al, al
    jz .done
    cmp al, 10
    jne .send
    mov al, 13                      ; a terminal wants both
    call .wait_and_send
    mov al, 10
.send:
    call .wait_and_send
    jmp .byte
.done:
    ret

.wait_and_send:
    mov ah, al
    mov ecx, 1000000                ; a port that never becomes ready doesn't stop us
    lea edx, [edi + UART_LINE_STATUS]
.wait:
    in al, dx
    test al, TRANSMITTER_EMPTY
    loopz .wait
    mov al, ah
    mov edx, edi
    out dx, al
    ret
