/* Checks which accesses kill a process, and the wait status that its parent sees. */
#include "mem.h"

static char *unmapped, *read_only, *no_access, *data;

static void read_word_across(void *address)
{
    (void)*(volatile uint64_t *)((char *)address - 4);
}

static void jump_into_data(void *address)
{
    *(volatile unsigned char *)address = 0xc3;
    execute_at(address);
}

static void stack_pointer_astray(void *address)
{
    __asm__ volatile("mov %0, %%rsp\n\tpush %%rax" : : "r"(address) : "memory");
}

static void privileged(void *nothing)
{
    (void)nothing;
    __asm__ volatile("hlt");
}

static void disable_interrupts(void *nothing)
{
    (void)nothing;
    __asm__ volatile("cli");
}

static void read_port(void *nothing)
{
    (void)nothing;
    __asm__ volatile("inb $0x60, %%al" : : : "rax");
}

static void read_control_register(void *nothing)
{
    (void)nothing;
    __asm__ volatile("mov %%cr3, %%rax" : : : "rax");
}

static void undefined_instruction(void *nothing)
{
    (void)nothing;
    __asm__ volatile("ud2");
}

static void divide_by_zero(void *nothing)
{
    (void)nothing;
    __asm__ volatile("xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tmov $1, %%eax\n\tdiv %%ecx"
                     : : : "rax", "rcx", "rdx");
}

static void breakpoint(void *nothing)
{
    (void)nothing;
    __asm__ volatile("int3");
}

static void page_fault_vector(void *nothing)
{
    (void)nothing;
    __asm__ volatile("int $14");
}

static void x87_divide_by_zero(void *nothing)
{
    unsigned short control = 0x37b; /* the divide-by-zero exception unmasked */

    (void)nothing;
    __asm__ volatile("fldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" : : "m"(control));
}

static void exits_normally(void *nothing)
{
    (void)nothing;
}

static void dies_of(void (*body)(void *), const void *argument, int signal, const char *rule)
{
    check_eq(status_of_child(body, (void *)argument) & ~0x80, signal, "%s", rule);
}

static void memory_accesses(void)
{
    dies_of(read_byte, NULL, SIGSEGV, "reading address 0 kills with SIGSEGV");
    dies_of(write_byte, NULL, SIGSEGV, "writing address 0 does");
    dies_of(execute_at, NULL, SIGSEGV, "executing address 0 does");
    dies_of(read_byte, unmapped, SIGSEGV, "reading what is not mapped does");
    dies_of(write_byte, unmapped, SIGSEGV, "writing it does");
    dies_of(execute_at, unmapped, SIGSEGV, "executing it does");
    dies_of(write_byte, read_only, SIGSEGV, "writing an untouched read-only page does");
    read_pages(read_only, 1);
    dies_of(write_byte, read_only, SIGSEGV, "writing one that was read does");
    dies_of(read_byte, no_access, SIGSEGV, "reading a page without access does");
    dies_of(write_byte, no_access, SIGSEGV, "writing it does");
    dies_of(execute_at, no_access, SIGSEGV, "executing it does");
    dies_of(jump_into_data, data, SIGSEGV, "executing data does");
    dies_of(execute_at, data + PAGE, SIGSEGV, "executing an untouched page does");
    dies_of(read_byte, unmapped - 1, 0, "the byte before an unmapped page can be read");
    dies_of(read_word_across, unmapped, SIGSEGV, "a word across the border cannot");
}

static void program_parts(void)
{
    dies_of(write_byte, (void *)(uintptr_t)privileged, SIGSEGV, "writing the program's code kills");
    dies_of(write_byte, (void *)"constant", SIGSEGV, "writing its constants does");
    dies_of(read_byte, (void *)(uintptr_t)privileged, 0, "reading its code does not");
}

static void kernel_addresses(void)
{
    dies_of(read_byte, (void *)USER_END, SIGSEGV, "reading the end of user space kills");
    dies_of(read_byte, (void *)(NON_CANONICAL >> 16), SIGSEGV, "reading 2^47 does");
    dies_of(read_byte, (void *)NON_CANONICAL, SIGSEGV, "reading a non-canonical address does");
    dies_of(write_byte, (void *)NON_CANONICAL, SIGSEGV, "writing one does");
    dies_of(execute_at, (void *)NON_CANONICAL, SIGSEGV, "jumping to one does");
    dies_of(read_byte, (void *)0xffff888000000000, SIGSEGV, "reading the kernel's memory does");
    dies_of(write_byte, (void *)0xffff888000000000, SIGSEGV, "writing it does");
    dies_of(read_byte, (void *)0xffffffff80100000, SIGSEGV, "reading the kernel's code does");
    dies_of(execute_at, (void *)0xffffffff80100000, SIGSEGV, "jumping to it does");
    dies_of(read_byte, (void *)-1UL, SIGSEGV, "reading the last byte of all does");
    dies_of(stack_pointer_astray, (void *)KERNEL_ADDRESS, SIGSEGV,
            "pushing on a kernel stack does");
    dies_of(stack_pointer_astray, (void *)8, SIGSEGV, "pushing at address 0 does");
}

static void instructions(void)
{
    dies_of(privileged, NULL, SIGSEGV, "hlt kills with SIGSEGV");
    dies_of(disable_interrupts, NULL, SIGSEGV, "cli does");
    dies_of(read_port, NULL, SIGSEGV, "in does");
    dies_of(read_control_register, NULL, SIGSEGV, "reading CR3 does");
    dies_of(page_fault_vector, NULL, SIGSEGV, "int $14 does");
    dies_of(undefined_instruction, NULL, SIGILL, "ud2 kills with SIGILL");
    dies_of(divide_by_zero, NULL, SIGFPE, "division by zero kills with SIGFPE");
    dies_of(x87_divide_by_zero, NULL, SIGFPE, "an unmasked x87 exception kills with SIGFPE");
    dies_of(breakpoint, NULL, SIGTRAP, "int3 kills with SIGTRAP");
    dies_of(exits_normally, NULL, 0, "a process that does none of this does not die");
}

static void what_remains(void)
{
    data[0] = 'x';
    dies_of(write_byte, NULL, SIGSEGV, "a child's death");
    check_eq(data[0], 'x', "leaves its parent's memory alone");
}

int main(void)
{
    data = anon(2);
    read_only = raw_mmap(0, PAGE, PROT_READ, PRIVATE_ANON, -1, 0);
    no_access = raw_mmap(0, PAGE, PROT_NONE, PRIVATE_ANON, -1, 0);
    unmapped = anon_at(free_range(3), 1, READ_WRITE) + PAGE;
    memory_accesses();
    program_parts();
    kernel_addresses();
    instructions();
    what_remains();
    return done();
}
