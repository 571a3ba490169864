/* Checks what a signal handler is told about each kind of fault: code, address, error bits, trap number. */
#define _GNU_SOURCE
#include "catch.h"

static char *data, *read_only, *no_access, *unmapped;

static void write_word_across(void *address)
{
    *(volatile uint64_t *)((char *)address - 4) = 0x1111111111111111UL;
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
                     : : : "rax", "rcx", "rdx", "cc");
}

static void divide_overflow(void *nothing)
{
    (void)nothing;
    __asm__ volatile("mov $1, %%ecx\n\tmov $2, %%edx\n\txor %%eax, %%eax\n\tdiv %%ecx"
                     : : : "rax", "rcx", "rdx", "cc");
}

static void breakpoint(void *nothing)
{
    (void)nothing;
    __asm__ volatile("int3");
}

static void overflow_vector(void *nothing)
{
    (void)nothing;
    __asm__ volatile("int $4");
}

static void halt(void *nothing)
{
    (void)nothing;
    __asm__ volatile("hlt");
}

static void bad_selector(void *selector)
{
    __asm__ volatile("mov %0, %%ds" : : "r"((int)(uintptr_t)selector));
}

static void single_step(void *nothing)
{
    (void)nothing;
    __asm__ volatile("sub $128, %%rsp\n\tpushf\n\torl $0x100, (%%rsp)\n\tpopf\n\tnop\n\tadd $128, %%rsp"
                     : : : "memory", "cc");
}

static void x87_divide_by_zero(void *nothing)
{
    unsigned short control = 0x37b;

    (void)nothing;
    __asm__ volatile("fldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" : : "m"(control));
}

static void x87_invalid(void *nothing)
{
    unsigned short control = 0x37e;

    (void)nothing;
    __asm__ volatile("fldcw %0\n\tfldz\n\tfldz\n\tfdivrp\n\tfwait" : : "m"(control));
}

#define FAULT(body, argument, expected, rule) check_str(fault_of(body, argument), expected, rule)
#define ADDRESS_IS(expected, rule) check_eq(caught.address, (unsigned long)(expected), rule)

static void no_mapping(void)
{
    FAULT(read_byte, unmapped + 5, "SEGV code 1 error 4 trap 14",
          "reading where nothing is mapped is MAPERR, error 4");
    ADDRESS_IS(unmapped + 5, "si_addr is the exact byte");
    check_eq(caught.cr2, caught.address, "and CR2 too");
    FAULT(write_byte, unmapped + 5, "SEGV code 1 error 6 trap 14", "writing there: error 6");
    FAULT(execute_at, unmapped + 5, "SEGV code 1 error 14 trap 14",
          "executing there: error 14 hex");
    check_eq(caught.instruction, (unsigned long)unmapped + 5,
             "the instruction pointer is there too");
    FAULT(read_byte, NULL, "SEGV code 1 error 4 trap 14", "address 0 is no exception");
    ADDRESS_IS(0, "si_addr is 0");
    FAULT(write_word_across, unmapped, "SEGV code 1 error 6 trap 14",
          "a store across a page's end");
    ADDRESS_IS(unmapped, "reports the second page's first byte");
    check(all_bytes_are(unmapped - 4, 4, 0), "and has written nothing");
}

static void forbidden(void)
{
    FAULT(write_byte, read_only + 9, "SEGV code 2 error 6 trap 14",
          "writing an untouched read-only page is ACCERR, error 6");
    ADDRESS_IS(read_only + 9, "si_addr is the exact byte");
    read_pages(read_only, 1);
    FAULT(write_byte, read_only + 9, "SEGV code 2 error 7 trap 14",
          "writing a present one: error 7");
    FAULT(execute_at, read_only, "SEGV code 2 error 15 trap 14",
          "executing a present one: error 15 hex");
    FAULT(read_byte, no_access, "SEGV code 2 error 4 trap 14",
          "reading without access is ACCERR, error 4");
    FAULT(write_byte, no_access, "SEGV code 2 error 6 trap 14", "writing without access: error 6");
    FAULT(execute_at, no_access, "SEGV code 2 error 14 trap 14",
          "executing without access: error 14 hex");
    raw_mprotect(data, PAGE, READ_WRITE);
    data[0] = 1;
    raw_mprotect(data, PAGE, PROT_NONE);
    FAULT(read_byte, data, "SEGV code 2 error 4 trap 14",
          "reading a populated page without access: error 4, as if it were missing");
    FAULT(write_byte, data, "SEGV code 2 error 6 trap 14", "writing it: error 6");
    raw_mprotect(data, PAGE, READ_WRITE);
}

static void executing_data(void)
{
    char *fresh = anon(1);

    FAULT(execute_at, fresh, "SEGV code 2 error 15 trap 14",
          "executing an untouched writable page: error 15 hex");
    check_str(present(fresh, 1), "1", "the page is present afterwards");
    FAULT(execute_at, data, "SEGV code 2 error 15 trap 14",
          "executing a written page: error 15 hex");
    raw_munmap(fresh, PAGE);
}

static void kernel_addresses(void)
{
    FAULT(read_byte, (void *)KERNEL_ADDRESS, "SEGV code 1 error 5 trap 14",
          "reading the kernel is MAPERR, error 5");
    ADDRESS_IS(KERNEL_ADDRESS, "si_addr is the address");
    FAULT(write_byte, (void *)0xffff888000000000, "SEGV code 1 error 7 trap 14",
          "writing it: error 7");
    FAULT(execute_at, (void *)0xffffffff80100000, "SEGV code 1 error 15 trap 14",
          "executing it: error 15 hex");
    FAULT(read_byte, (void *)0xfffff00000000000, "SEGV code 1 error 5 trap 14",
          "reading kernel space that is not mapped: error 5");
    FAULT(read_byte, (void *)-1UL, "SEGV code 1 error 5 trap 14",
          "reading the last byte of all: error 5");
    FAULT(read_byte, (void *)USER_END, "SEGV code 1 error 5 trap 14",
          "reading the end of user space: error 5");
    FAULT(read_byte, (void *)(USER_END + 0xfff), "SEGV code 1 error 5 trap 14",
          "reading the page above it: error 5");
}

static void non_canonical(void)
{
    unsigned long cr2;

    goes_well(read_byte, unmapped);
    cr2 = caught.cr2;
    FAULT(read_byte, (void *)NON_CANONICAL, "SEGV code 128 error 0 trap 13",
          "a non-canonical address is a general protection fault");
    ADDRESS_IS(0, "its si_addr is 0");
    check_eq(caught.cr2, cr2, "and CR2 is that of the last page fault");
    FAULT(write_byte, (void *)0x800000000000, "SEGV code 128 error 0 trap 13",
          "2^47 is non-canonical");
    FAULT(execute_at, (void *)NON_CANONICAL, "SEGV code 128 error 0 trap 13",
          "a jump to such an address too");
}

static void instructions(void)
{
    FAULT(undefined_instruction, NULL, "ILL code 2 error 0 trap 6", "ud2 is ILLOPN, trap 6");
    ADDRESS_IS(caught.instruction, "si_addr is the instruction");
    FAULT(divide_by_zero, NULL, "FPE code 1 error 0 trap 0", "division by zero is INTDIV, trap 0");
    ADDRESS_IS(caught.instruction, "si_addr is the instruction");
    FAULT(divide_overflow, NULL, "FPE code 1 error 0 trap 0",
          "a quotient that is too large is INTDIV too");
    FAULT(breakpoint, NULL, "TRAP code 128 error 0 trap 3", "int3 is SI_KERNEL, trap 3");
    ADDRESS_IS(0, "si_addr is 0");
    FAULT(overflow_vector, NULL, "SEGV code 128 error 0 trap 4", "int $4 is SIGSEGV, trap 4");
    FAULT(halt, NULL, "SEGV code 128 error 0 trap 13", "hlt is SIGSEGV, trap 13");
    FAULT(bad_selector, (void *)0x1234, "SEGV code 128 error 1234 trap 13",
          "a bad selector is the error code");
    FAULT(single_step, NULL, "TRAP code 2 error 0 trap 1", "the trap flag is TRAP_TRACE, trap 1");
    ADDRESS_IS(caught.instruction, "si_addr is the next instruction");
    FAULT(x87_divide_by_zero, NULL, "FPE code 3 error 0 trap 16",
          "an x87 division by zero is FLTDIV, trap 16");
    __asm__ volatile("fninit");
    FAULT(x87_invalid, NULL, "FPE code 7 error 0 trap 16", "an invalid x87 operation is FLTINV");
    __asm__ volatile("fninit");
}

static void behind_the_end_of_a_file(const char *self)
{
    int file = open(self, O_RDONLY);
    unsigned long end = (unsigned long)lseek(file, 0, SEEK_END);
    char *memory = raw_mmap(0, 2 * PAGE, READ_WRITE, MAP_PRIVATE, file, end & -PAGE);

    FAULT(read_byte, memory + PAGE + 3, "BUS code 2 error 4 trap 14",
          "reading behind a file's end is BUS_ADRERR, error 4");
    ADDRESS_IS(memory + PAGE + 3, "si_addr is the exact byte");
    FAULT(write_byte, memory + PAGE, "BUS code 2 error 6 trap 14", "writing there: error 6");
    raw_munmap(memory, 2 * PAGE);
    close(file);
}

static void not_counted(void)
{
    long before;

    goes_well(read_byte, unmapped);
    before = minor_faults();
    for (int i = 0; i < 10; i++)
        goes_well(read_byte, unmapped);
    check_eq(minor_faults() - before, 0,
             "a fault that ends in a signal is not counted as a minor fault");
}

int main(int argc, char **argv)
{
    (void)argc;
    catch_faults();
    warm_up();
    data = anon(1);
    read_only = raw_mmap(0, PAGE, PROT_READ, PRIVATE_ANON, -1, 0);
    no_access = raw_mmap(0, PAGE, PROT_NONE, PRIVATE_ANON, -1, 0);
    unmapped = anon_at(free_range(4), 1, READ_WRITE) + PAGE;
    no_mapping();
    forbidden();
    executing_data();
    kernel_addresses();
    non_canonical();
    instructions();
    behind_the_end_of_a_file(argv[0]);
    not_counted();
    return done();
}
