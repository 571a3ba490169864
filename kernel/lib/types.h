/* The integer types, attributes and small arithmetic that every other file uses. */
#ifndef KERNEL_LIB_TYPES_H
#define KERNEL_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
typedef int32_t s32;

typedef u64 phys_addr_t;        /* a physical byte address */
typedef unsigned long pfn_t;    /* a page frame number: physical address >> PAGE_SHIFT */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __noreturn __attribute__((noreturn))
#define __printf(text, first) __attribute__((format(printf, text, first)))
#define __must_check __attribute__((warn_unused_result))
#define __always_inline_fn inline __attribute__((always_inline))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* ALIGNMENT is a power of two in all three. */
#define ALIGN_DOWN(x, alignment) ((x) & ~((__typeof__(x))(alignment) - 1))
#define ALIGN_UP(x, alignment) ALIGN_DOWN((x) + ((__typeof__(x))(alignment) - 1), alignment)
#define IS_ALIGNED(x, alignment) (((x) & ((__typeof__(x))(alignment) - 1)) == 0)

#endif
