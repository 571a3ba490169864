# Host tests: mm/ and what lies below it, built for this machine with sanitizers. Every tests/host/NAME_test.c becomes build/host/NAME_test.
# Included by the Makefile; works alone too: make -f tests/host/host.mk host-tests

BUILD ?= build
HOST_CC ?= cc
HOST_BUILD ?= $(BUILD)/host
HOST_SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=undefined

# panic and the symbol table belong to the machine; arch_host.c has the tests' panic.
HOST_KERNEL_SOURCES ?= $(sort $(wildcard boot/*.c) $(wildcard mm/*.c) $(wildcard kernel/trace/*.c) \
    $(filter-out kernel/lib/panic.c kernel/lib/ksyms.c,$(wildcard kernel/lib/*.c)) \
    kernel/dev/vt.c kernel/dev/vt_sequence.c kernel/dev/vt_history.c kernel/dev/vt_glyph.c kernel/dev/keys.c kernel/dev/framebuffer.c \
    kernel/fs/tty_line.c kernel/fs/ustar.c kernel/proc/elf.c kernel/proc/exec_layout.c kernel/sched/sigpending.c kernel/sched/timer.c)
HOST_HARNESS_SOURCES ?= $(sort $(filter-out %_test.c %_subject.c,$(wildcard tests/host/*.c)))
HOST_TEST_SOURCES ?= $(sort $(wildcard tests/host/*_test.c))

HOST_CFLAGS = -std=gnu11 -g -O1 -I. -D_GNU_SOURCE -DZEROPAGE_HOST -DZEROPAGE_DEBUG $(LAB_FLAGS) -Wall -Wextra \
    $(if $(filter 1,$(WERROR)),-Werror) -fno-omit-frame-pointer $(HOST_SANITIZE) -MMD -MP
# Names that the host's C library has too. Its memcpy and relatives, which the sanitizer watches, serve the kernel's code as well; the
# kernel's own versions are there under another name, for their test.
HOST_KERNEL_NAMES := -Dsnprintf=kernel_snprintf -Dvsnprintf=kernel_vsnprintf
HOST_STRING_NAMES := -fno-builtin $(foreach name,memcpy memmove memset memcmp strlen strnlen strcmp strncmp \
    strchr strrchr strlcpy,-D$(name)=kernel_$(name))

HOST_OBJECTS := $(patsubst %.c,$(HOST_BUILD)/obj/%.o,$(HOST_KERNEL_SOURCES) $(HOST_HARNESS_SOURCES))
HOST_TEST_OBJECTS := $(patsubst %.c,$(HOST_BUILD)/obj/%.o,$(HOST_TEST_SOURCES))
HOST_TESTS := $(patsubst tests/host/%.c,$(HOST_BUILD)/%,$(HOST_TEST_SOURCES))

.PHONY: host-tests
host-tests: $(HOST_TESTS)

$(HOST_BUILD)/obj/kernel/lib/string.o: HOST_KERNEL_NAMES += $(HOST_STRING_NAMES)

$(HOST_BUILD)/obj/tests/%.o: tests/%.c tests/host/host.mk
	@printf '  %-5s %s\n' HOSTCC $<
	@mkdir -p $(@D)
	@$(HOST_CC) $(HOST_CFLAGS) -c -o $@ $<

$(HOST_BUILD)/obj/%.o: %.c tests/host/host.mk
	@printf '  %-5s %s\n' HOSTCC $<
	@mkdir -p $(@D)
	@$(HOST_CC) $(HOST_CFLAGS) $(HOST_KERNEL_NAMES) -c -o $@ $<

# An archive: a test takes from it what it needs, so the lower half's tests do not wait for the upper half.
$(HOST_BUILD)/libkernel.a: $(HOST_OBJECTS)
	@rm -f $@
	@ar rcs $@ $^

$(HOST_TESTS): $(HOST_BUILD)/%_test: $(HOST_BUILD)/obj/tests/host/%_test.o $(HOST_BUILD)/libkernel.a
	@printf '  %-5s %s\n' HOSTLD $@
	@$(HOST_CC) $(HOST_SANITIZE) -o $@ $(filter %.o,$^) $(HOST_BUILD)/libkernel.a -lcmocka

# What is no part of the kernel, and is tested all the same.
$(HOST_BUILD)/malloc_test: $(HOST_BUILD)/obj/tests/host/malloc_subject.o

-include $(HOST_OBJECTS:.o=.d) $(HOST_TEST_OBJECTS:.o=.d) $(HOST_BUILD)/obj/tests/host/malloc_subject.d
