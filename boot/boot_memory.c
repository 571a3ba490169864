/* Reads the loader's structures through the first tables; says why when the kernel can't start. */
#include "boot/boot_memory.h"

/* boot/entry.asm maps the lowest 4 GiB here, where mm/ later has its direct map. */
#define FIRST_DIRECT_MAP 0xffff888000000000ul

#define COM1 0x3f8
#define COM2 0x2f8
#define UART_LINE_STATUS 5
#define TRANSMITTER_EMPTY (1u << 5)
#define WAIT_LIMIT 1000000

#define DEBUG_EXIT_PORT 0x501   /* as in kernel/dev/power.h, which boot/ may not use */
#define EXIT_PANIC 0x12

static void outb(u16 port, u8 value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static u8 inb(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

const void *boot_memory(phys_addr_t address, u64 size)
{
    if (address == 0 || address >= BOOT_MAPPED_END || size > BOOT_MAPPED_END - address)
        return NULL;
    return (const void *)(FIRST_DIRECT_MAP + address);
}

static void send(u16 port, char byte)
{
    for (unsigned i = 0; i < WAIT_LIMIT && !(inb(port + UART_LINE_STATUS) & TRANSMITTER_EMPTY); i++)
        ;
    outb(port, (u8)byte);
}

static void send_line(u16 port, const char *text)
{
    for (; *text; text++)
        send(port, *text);
    send(port, '\r');
    send(port, '\n');
}

void boot_stop(const char *sentence)
{
    send_line(COM1, sentence);
    send_line(COM2, sentence);
    outb(DEBUG_EXIT_PORT, EXIT_PANIC);
    for (;;)
        __asm__ volatile("cli; hlt");
}
