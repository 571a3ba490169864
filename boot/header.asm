; What the loaders look for: the multiboot2 header (GRUB) and the PVH note (QEMU's -kernel).

KERNEL_IMAGE_BASE equ 0xffffffff80000000

MULTIBOOT2_MAGIC equ 0xe85250d6
ARCHITECTURE_I386 equ 0
TAG_END equ 0
TAG_INFORMATION_REQUEST equ 1
TAG_ENTRY_ADDRESS equ 3
TAG_FRAMEBUFFER equ 5
TAG_OPTIONAL equ 1
TAG_MODULE_ALIGNMENT equ 6
INFORMATION_MEMORY_MAP equ 6

XEN_ELFNOTE_PHYS32_ENTRY equ 18

extern multiboot2_entry, pvh_entry

; Multiboot2 specification 1.6, 3.1: within the first 32768 bytes of the file, 64-bit aligned.
section .multiboot2 progbits alloc exec nowrite align=8
header:
    dd MULTIBOOT2_MAGIC
    dd ARCHITECTURE_I386
    dd header.end - header
    dd (-(MULTIBOOT2_MAGIC + ARCHITECTURE_I386 + (header.end - header))) & 0xffffffff

    align 8, db 0
    dw TAG_INFORMATION_REQUEST, 0
    dd 12
    dd INFORMATION_MEMORY_MAP

    align 8, db 0
    dw TAG_ENTRY_ADDRESS, 0
    dd 12
    dd multiboot2_entry - KERNEL_IMAGE_BASE

    align 8, db 0
    dw TAG_MODULE_ALIGNMENT, 0
    dd 8

    align 8, db 0
    dw TAG_FRAMEBUFFER, TAG_OPTIONAL
    dd 20
    dd 800, 600, 32                 ; what we like best: 100 columns, 37 lines; anything will do

    align 8, db 0
    dw TAG_END, 0
    dd 8
.end:

; Xen's PVH boot protocol: the 32-bit physical entry point. The descriptor is one machine word.
section .note.pvh note alloc noexec nowrite align=4
    dd 4                            ; length of the name
    dd 8                            ; length of the descriptor
    dd XEN_ELFNOTE_PHYS32_ENTRY
    db "Xen", 0
    dq pvh_entry - KERNEL_IMAGE_BASE
