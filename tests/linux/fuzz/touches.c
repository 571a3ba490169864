/* The accesses of the fuzzer, by the program itself and by the kernel on its behalf, and how their faults are caught. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <ucontext.h>

#include "tests/linux/fuzz/fuzz.h"

#define PAGE_WAS_PRESENT 1UL /* in the error code */

static sigjmp_buf after_fault;
static char fault_text[96];

static void note_fault(int signal, siginfo_t *info, void *context)
{
    const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    snprintf(fault_text, sizeof(fault_text), "signal %d code %d at %lx error %lx trap %lx", signal,
             info->si_code, (unsigned long)info->si_addr, (unsigned long)registers[REG_ERR] & ~(CONTRACT_ONLY ? PAGE_WAS_PRESENT : 0),
             (unsigned long)registers[REG_TRAPNO]);
    siglongjmp(after_fault, 1);
}

static void handle_faults_by(void (*handler)(int, siginfo_t *, void *))
{
    static const int signals[] = {SIGSEGV, SIGBUS};
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;
    for (int i = 0; i < 2; i++)
        sigaction(signals[i], &action, NULL);
}

void catch_faults(void)
{
    handle_faults_by(note_fault);
}

/* Does what BODY says at ADDRESS, and notes the signal if there is one. */
void attempt(void (*body)(char *), unsigned long address)
{
    begin();
    if (sigsetjmp(after_fault, 1) == 0) {
        body((char *)address);
        end(0);
    } else {
        end(0);
        note_text(" %s", fault_text);
    }
}

static volatile unsigned long read_value;

static void load_byte(char *address)
{
    read_value = *(volatile unsigned char *)address;
}

static void load_word(char *address)
{
    read_value = *(volatile unsigned long *)address;
}

void store_byte(char *address)
{
    *(volatile char *)address = (char)(read_value = 1 + pick(255));
}

static void store_word(char *address)
{
    *(volatile unsigned long *)address = (read_value = random_bits());
}

static void add_to_byte(char *address)
{
    __asm__ volatile("addb $3, (%0)" : : "r"(address) : "memory", "cc");
}

static void call_it(char *address)
{
    ((void (*)(void))(uintptr_t)address)();
}

void touch(void)
{
    static const struct {
        const char *text;
        void (*body)(char *);
    } kinds[] = {{"load_byte", load_byte},   {"load_word", load_word},     {"store_byte", store_byte},
                 {"store_byte", store_byte}, {"store_word", store_word},   {"store_byte", store_byte},
                 {"load_byte", load_byte},   {"add_to_byte", add_to_byte}, {"call_it", call_it}};
    unsigned int kind = (unsigned int)pick(9);
    unsigned long address = pick_page() + (pick(3) == 0 ? PAGE - 1 - pick(9) : pick(64) * 8);

    if (kind == 8) { /* code: a return, where it may be written */
        address &= -8UL;
        if (sigsetjmp(after_fault, 1) == 0 && pick(2) == 0)
            *(volatile unsigned char *)address = 0xc3;
        /* What else lies there must not be run: only a return or a fault is. */
        if (sigsetjmp(after_fault, 1) == 0 && *(volatile unsigned char *)address != 0xc3)
            kind = 0;
    }
    read_value = 0;
    note_text("%s(0x%lx);", kinds[kind].text, address);
    attempt(kinds[kind].body, address);
    note_text(" value %lx", read_value);
}

void touch_several(void)
{
    unsigned long address = pick_page(), pages = 1 + pick(8);
    bool write = pick(2) == 0;

    for (unsigned long i = 0; i < pages; i++) {
        note_text("%s%s(0x%lx);", i == 0 ? "" : " ", write ? "store_byte" : "load_byte", address + i * PAGE);
        read_value = 0;
        attempt(write ? store_byte : load_byte, address + i * PAGE);
        note_text(" value %lx;", read_value);
    }
}

/* --- A handler that mends the mapping, so that the access is done again --- */

enum { MOST_MENDINGS = 4 };

static int mendings;
static char mended[256];

/* Maps a page where there is none, allows everything where something was forbidden. */
static void mend(int signal, siginfo_t *info, void *context)
{
    unsigned long page = (unsigned long)info->si_addr & -PAGE;
    size_t length = strlen(mended);
    long result;

    (void)context;
    if (signal == SIGSEGV && info->si_code == SEGV_MAPERR)
        result = (long)raw_mmap(page, PAGE, READ_WRITE, PRIVATE_ANON | MAP_FIXED_NOREPLACE, -1, 0);
    else if (signal == SIGSEGV)
        result = raw_mprotect((void *)page, PAGE, READ_WRITE | PROT_EXEC);
    else
        result = raw_munmap((void *)page, PAGE);
    snprintf(mended + length, sizeof(mended) - length, " %d/%d at %lx %s", signal, info->si_code,
             (unsigned long)info->si_addr, result == -1 ? error_name(errno) : "mended");
    if (++mendings > MOST_MENDINGS || result == -1)
        siglongjmp(after_fault, 1);
}

void touch_and_mend(void)
{
    static void (*const kinds[])(char *) = {load_word, store_word, add_to_byte, store_byte};
    static const char *const names[] = {"load_word", "store_word", "add_to_byte", "store_byte"};
    unsigned long kind = pick(4), address = pick_page() + (pick(2) == 0 ? PAGE - pick(8) : pick(500) * 8);

    mendings = 0;
    mended[0] = '\0';
    fault_text[0] = '\0';
    handle_faults_by(mend);
    note_text("mending %s(0x%lx);", names[kind], address);
    attempt(kinds[kind], address);
    note_text("%s", mended);
    handle_faults_by(note_fault);
}

/* The kernel reads or writes the memory on our behalf, through a pipe. */
void through_the_kernel(void)
{
    static char sink[8 * PAGE];
    unsigned long address = pick_page() + (pick(2) == 0 ? PAGE - pick(200) : pick(4) * 512);
    unsigned long length = pick(3) == 0 ? pick(3 * PAGE) : pick(400);

    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (read(ends[0], sink, sizeof(sink)) > 0)
        continue;
    if (pick(2) == 0) {
        note_text("write(ends[1], 0x%lx, 0x%lx);", address, length);
        MEASURE(syscall(SYS_write, ends[1], address, length));
    } else {
        memset(sink, (int)pick(256), length);
        if (write(ends[1], sink, length) < 0)
            note_text("(pipe is full) ");
        note_text("read(ends[0], 0x%lx, 0x%lx);", address, length);
        MEASURE(syscall(SYS_read, ends[0], address, length));
    }
}

/* Without exec permission the digest would need a fault; present pages may still be without access. */
bool guarded_digest(const char *page, unsigned long *digest)
{
    volatile unsigned long sum = *digest;

    if (sigsetjmp(after_fault, 1) != 0)
        return false;
    for (unsigned long i = 0; i < PAGE; i += 8)
        sum = sum * 31 + *(volatile unsigned long *)(page + i);
    *digest = sum ^ sum >> 32 ^ sum >> 16 ^ sum >> 8;
    return true;
}
