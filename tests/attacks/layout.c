/* Prints where a program's pieces lie: stack, mappings, heap; and that the address space works there. */
#include <sys/mman.h>

#include "tests/guest/mem.h"

int main(void)
{
    int on_stack = 0;
    unsigned long heap = raw_brk(0);
    char *mapping = anon(4), *grown = (char *)raw_brk(heap + 4 * PAGE) - PAGE;

    write_pages(mapping, 4);
    *(volatile char *)grown = 1;
    pid_t child = fork();
    if (child == 0)
        _exit(mapping[PAGE] == 1 && *grown == 1 ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    printf("stack %lx mapping %lx heap %lx status %d\n", (unsigned long)&on_stack, (unsigned long)mapping, heap, status);
    return status != 0;
}
