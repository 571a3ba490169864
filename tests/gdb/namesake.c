/* namesake: a program that has names of the kernel's for things of its own, which the debugger must not mix up. */
#include <stdlib.h>

struct page {
    int number;
};
struct list_head {
    char letter;
};
struct mm_struct {
    short nothing;
};
struct vm_area_struct {
    char nothing;
};
enum page_type {
    PAGE_OF_A_BOOK = 1
};

struct page page = { 7 };
struct list_head list = { 'z' };
struct mm_struct current;
struct vm_area_struct mem_map;
enum page_type max_pfn = PAGE_OF_A_BOOK;
/* Without constants the file's headers would be a segment of their own at address 0, where nobody may map. */
const char title[] = "a book";

int main(void)
{
    volatile char *memory = malloc(1);
    *memory = (char)(page.number + list.letter + current.nothing + mem_map.nothing + max_pfn + title[max_pfn]);
    return 0;
}
