# Builds our C library ($(BUILD)/user/lib/libzp.a), our programs ($(BUILD)/user/bin/NAME) and the
# guest tests ($(BUILD)/tests/guest/NAME), all with symbols; the archive gets them without. Adds the
# programs to USER_PROGRAMS and the tests to GUEST_TESTS. Uses USER_CC (else CC), AR, NASM,
# USER_CFLAGS and WERROR.

BUILD ?= build
USER_CC ?= $(CC)
NASM ?= nasm

# Only our own headers and the compiler's (stdint.h, stddef.h, stdarg.h), never the host's.
user_includes := -nostdinc -isystem user/lib -I. \
    -isystem $(if $(USER_CC),$(shell $(USER_CC) -print-file-name=include))
# -ffreestanding: the compiler must not take our memcpy for a loop that had better call memcpy.
user_cflags := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
    -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing -ffunction-sections \
    -fdata-sections -ffile-prefix-map=$(CURDIR)/= -Wall -Wextra $(user_includes) $(LAB_FLAGS) \
    $(if $(filter 1,$(WERROR)),-Werror)
user_ldflags := -static -nostdlib -Wl,-T,user/lib/user.ld -Wl,--gc-sections -Wl,--build-id=none \
    -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack $(if $(findstring gcc,$(USER_CC)),-no-pie)

user_lib := $(BUILD)/user/lib/libzp.a
user_lib_sources := $(sort $(wildcard user/lib/*.c user/common/*.c))
user_lib_objects := $(patsubst %.c,$(BUILD)/%.o,$(user_lib_sources)) $(BUILD)/user/lib/crt0.o
user_program_names := $(sort $(basename $(notdir $(wildcard user/*.c))))
guest_test_names := $(sort $(basename $(notdir $(wildcard tests/guest/*.c))))
user_program_objects := $(user_program_names:%=$(BUILD)/user/%.o) \
    $(guest_test_names:%=$(BUILD)/tests/guest/%.o)

USER_PROGRAMS += $(addprefix $(BUILD)/user/bin/,$(user_program_names))
GUEST_TESTS += $(addprefix $(BUILD)/tests/guest/,$(guest_test_names))

.PHONY: user
user: $(USER_PROGRAMS) $(GUEST_TESTS)

user_say = $(if $(say),$(call say,$(1),$(2)))

$(BUILD)/user/%.o: user/%.c user/user.mk
	$(call user_say,CC,$<)
	@mkdir -p $(@D)
	$(quiet)$(USER_CC) $(user_cflags) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/guest/%.o: tests/guest/%.c user/user.mk
	$(call user_say,CC,$<)
	@mkdir -p $(@D)
	$(quiet)$(USER_CC) $(user_cflags) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/user/lib/crt0.o: user/lib/crt0.asm user/user.mk
	$(call user_say,NASM,$<)
	@mkdir -p $(@D)
	$(quiet)$(NASM) -f elf64 -g -F dwarf -Wall -o $@ $<

$(user_lib): $(user_lib_objects)
	$(call user_say,AR,$@)
	$(quiet)rm -f $@
	$(quiet)$(AR) rcs $@ $^

$(BUILD)/user/bin/%: $(BUILD)/user/%.o $(user_lib) user/lib/user.ld
	$(call user_say,LINK,$@)
	@mkdir -p $(@D)
	$(quiet)$(USER_CC) $(user_ldflags) -o $@ $< $(user_lib)

$(BUILD)/tests/guest/%: $(BUILD)/tests/guest/%.o $(user_lib) user/lib/user.ld
	$(call user_say,LINK,$@)
	$(quiet)$(USER_CC) $(user_ldflags) -o $@ $< $(user_lib)

.SECONDARY: $(user_program_objects)
-include $(user_lib_objects:.o=.d) $(user_program_objects:.o=.d)
