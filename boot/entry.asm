; From the loader's 32-bit protected mode to kernel_main in the higher half. Paging is off at first,
; so every address that the 32-bit code uses is written as PHYSICAL(label).

KERNEL_IMAGE_BASE equ 0xffffffff80000000
%define PHYSICAL(label) (label - KERNEL_IMAGE_BASE)

PAGE_SIZE equ 4096
BOOT_STACK_SIZE equ 4 * PAGE_SIZE
KERNEL_CS equ 0x10
KERNEL_DS equ 0x18

MULTIBOOT2_BOOTLOADER_MAGIC equ 0x36d76289
LOADER_MULTIBOOT2 equ 0
LOADER_PVH equ 1

PTE_PRESENT equ 1 << 0
PTE_WRITE equ 1 << 1
PTE_LARGE equ 1 << 7
TABLE equ PTE_PRESENT | PTE_WRITE
LARGE_PAGE equ PTE_PRESENT | PTE_WRITE | PTE_LARGE
LARGE_PAGE_SIZE equ 1 << 21
GIB_MAPPED equ 4

; PML4 and PDPT slots: of address 0, of the direct map (PAGE_OFFSET) and of the image's last 2 GiB.
DIRECT_MAP_SLOT equ (0xffff888000000000 >> 39) & 511
IMAGE_SLOT equ (KERNEL_IMAGE_BASE >> 39) & 511
IMAGE_PDPT_SLOT equ (KERNEL_IMAGE_BASE >> 30) & 511

CR0_PE equ 1 << 0
CR0_PG equ 1 << 31
CR4_PAE equ 1 << 5
MSR_EFER equ 0xc0000080
EFER_LME equ 1 << 8
EFLAGS_ID equ 1 << 21
CPUID_EXTENDED equ 0x80000000
CPUID_FEATURES equ 0x80000001
FEATURE_LONG_MODE equ 29            ; bit of EDX

extern boot_parse_multiboot2, boot_parse_pvh, kernel_main, boot_stop_32
global multiboot2_entry, pvh_entry, boot_stack, boot_stack_top, boot_entry_tsc

section .text
bits 32

multiboot2_entry:                   ; EAX: magic, EBX: the information (multiboot2 3.3)
    cli
    cld
    mov esp, PHYSICAL(boot_stack_top)
    cmp eax, MULTIBOOT2_BOOTLOADER_MAGIC
    mov esi, PHYSICAL(not_multiboot2)
    jne stop
    mov ebp, LOADER_MULTIBOOT2
    jmp start

pvh_entry:                          ; EBX: struct hvm_start_info
    cli
    cld
    mov esp, PHYSICAL(boot_stack_top)
    mov ebp, LOADER_PVH

start:
    mov edi, ebx                    ; CPUID overwrites EBX: keep the information's address in EDI
    rdtsc                           ; when it all began: what the time to the first program counts from
    mov [PHYSICAL(boot_entry_tsc)], eax
    mov [PHYSICAL(boot_entry_tsc) + 4], edx
    call check_long_mode
    call make_tables
    call enable_paging
    lgdt [PHYSICAL(gdt_pointer)]
    jmp KERNEL_CS:PHYSICAL(start_64)

; Stops with a sentence when the processor has no 64-bit mode. Changes EAX, EBX, ECX, EDX, ESI.
check_long_mode:
    mov esi, PHYSICAL(no_long_mode)
    pushfd                          ; CPUID exists if the ID flag can be changed (SDM vol. 1, 20.1.2)
    pop eax
    mov ecx, eax
    xor eax, EFLAGS_ID
    push eax
    popfd
    pushfd
    pop eax
    push ecx
    popfd
    cmp eax, ecx
    je stop
    mov eax, CPUID_EXTENDED
    cpuid
    cmp eax, CPUID_FEATURES
    jb stop
    mov eax, CPUID_FEATURES
    cpuid
    bt edx, FEATURE_LONG_MODE
    jnc stop
    ret

; The first tables: the lowest 4 GiB in 2 MiB pages, at address 0 (for the instructions that switch
; paging on), at PAGE_OFFSET, and their first GiB at KERNEL_IMAGE_BASE. kernel_map_init replaces
; them. Changes EAX, ECX, EDX.
make_tables:
    mov eax, LARGE_PAGE
    xor ecx, ecx
.large_page:
    mov [PHYSICAL(boot_directories) + ecx * 8], eax
    add eax, LARGE_PAGE_SIZE        ; the upper half of each entry stays 0
    inc ecx
    cmp ecx, GIB_MAPPED * 512
    jne .large_page

    mov eax, PHYSICAL(boot_directories) + TABLE
    xor ecx, ecx
.directory:
    mov [PHYSICAL(boot_low_pdpt) + ecx * 8], eax
    add eax, PAGE_SIZE
    inc ecx
    cmp ecx, GIB_MAPPED
    jne .directory
    mov dword [PHYSICAL(boot_image_pdpt) + IMAGE_PDPT_SLOT * 8], PHYSICAL(boot_directories) + TABLE

    mov dword [PHYSICAL(boot_pml4)], PHYSICAL(boot_low_pdpt) + TABLE
    mov dword [PHYSICAL(boot_pml4) + DIRECT_MAP_SLOT * 8], PHYSICAL(boot_low_pdpt) + TABLE
    mov dword [PHYSICAL(boot_pml4) + IMAGE_SLOT * 8], PHYSICAL(boot_image_pdpt) + TABLE
    ret

; SDM vol. 3A, 9.8.5: PAE, CR3, LME, and last PG. Changes EAX, ECX, EDX.
enable_paging:
    mov eax, cr4
    or eax, CR4_PAE
    mov cr4, eax
    mov eax, PHYSICAL(boot_pml4)
    mov cr3, eax
    mov ecx, MSR_EFER
    rdmsr
    or eax, EFER_LME
    wrmsr
    mov eax, cr0
    or eax, CR0_PG | CR0_PE
    mov cr0, eax
    ret

stop:                               ; ESI: the sentence
    call boot_stop_32

bits 64

start_64:
    mov rax, start_high             ; a jump to the same code at its linked address
    jmp rax

start_high:
    mov eax, KERNEL_DS
    mov ss, eax
    xor eax, eax                    ; 64-bit mode needs no other segment
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov rsp, boot_stack_top
    mov eax, ebp
    xor ebp, ebp                    ; the end of the chain of frames for backtraces
    mov edi, edi                    ; the upper half of RDI is undefined after the switch
    cmp eax, LOADER_PVH
    je .pvh
    call boot_parse_multiboot2
    jmp .parsed
.pvh:
    call boot_parse_pvh
.parsed:
    call kernel_main
    ud2                             ; it never returns

section .rodata
no_long_mode: db "zeropage: this processor has no 64-bit mode (long mode), and the kernel needs it.", 10, 0
not_multiboot2: db "zeropage: the boot loader did not start the kernel by the multiboot2 protocol.", 10, 0

; The same selectors as the final table of kernel/cpu/descriptors.c has.
align 8
gdt:
    dq 0
    dq 0
    dq 0x00af9b000000ffff           ; KERNEL_CS: 64-bit code, ring 0
    dq 0x00cf93000000ffff           ; KERNEL_DS: data, ring 0
.end:
gdt_pointer:
    dw gdt.end - gdt - 1
    dd PHYSICAL(gdt)

section .data
boot_entry_tsc: dq 0                ; not in .bss, which is cleared later

section .bss.page_aligned nobits alloc noexec write align=4096
boot_pml4: resb PAGE_SIZE
boot_low_pdpt: resb PAGE_SIZE
boot_image_pdpt: resb PAGE_SIZE
boot_directories: resb GIB_MAPPED * PAGE_SIZE
boot_stack: resb BOOT_STACK_SIZE
boot_stack_top:
