/* A circular doubly linked list whose links live inside the elements. */
#ifndef KERNEL_LIB_LIST_H
#define KERNEL_LIB_LIST_H

#include "kernel/lib/types.h"

struct list_head {
    struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void list_init(struct list_head *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
    return head->next == head;
}

static inline void list_insert_between(struct list_head *entry, struct list_head *prev,
                                       struct list_head *next)
{
    entry->prev = prev;
    entry->next = next;
    prev->next = entry;
    next->prev = entry;
}

/* Inserts ENTRY as the first element of HEAD. */
static inline void list_add(struct list_head *entry, struct list_head *head)
{
    list_insert_between(entry, head, head->next);
}

/* Inserts ENTRY as the last element of HEAD. */
static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
    list_insert_between(entry, head->prev, head);
}

/* Takes ENTRY out of its list and leaves it as an empty list of its own: deleting twice is harmless. */
static inline void list_del(struct list_head *entry)
{
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    list_init(entry);
}

#define list_entry(pointer, type, member) container_of(pointer, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)

#define list_for_each_entry(entry, head, member)                            \
    for (entry = list_entry((head)->next, __typeof__(*entry), member);      \
         &entry->member != (head);                                          \
         entry = list_entry(entry->member.next, __typeof__(*entry), member))

/* As above, but ENTRY may be deleted in the body; FOLLOWING is a second cursor. */
#define list_for_each_entry_safe(entry, following, head, member)                    \
    for (entry = list_entry((head)->next, __typeof__(*entry), member),              \
        following = list_entry(entry->member.next, __typeof__(*entry), member);     \
         &entry->member != (head);                                                  \
         entry = following, following = list_entry(entry->member.next, __typeof__(*entry), member))

#endif
