# Builds the transcript programs (tests/linux/*.c) with our C library, adds them to LINUX_TESTS, and knows how
# the golden files are made. Uses the variables of user/user.mk.

# init.c is the first process of the Linux guest; tools/linux-run builds it.
linux_test_names := $(filter-out init,$(sort $(basename $(notdir $(wildcard tests/linux/*.c)))))
linux_test_objects := $(linux_test_names:%=$(BUILD)/tests/linux/%.o)
LINUX_TESTS += $(addprefix $(BUILD)/tests/linux/,$(linux_test_names))

$(BUILD)/tests/linux/%.o: tests/linux/%.c user/user.mk
	$(call user_say,CC,$<)
	@mkdir -p $(@D)
	$(quiet)$(USER_CC) $(user_cflags) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/linux/%: $(BUILD)/tests/linux/%.o $(user_lib) user/lib/user.ld
	$(call user_say,LINK,$@)
	$(quiet)$(USER_CC) $(user_ldflags) -o $@ $< $(user_lib)

# The differential fuzzer is one program of several files. Its own mappings are part of what it tells, so they keep
# their size when a function of the library grows.
fuzz_objects := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/linux/fuzz/*.c)))
LINUX_TESTS += $(BUILD)/tests/linux/fuzz/fuzz

$(BUILD)/tests/linux/fuzz/fuzz: $(fuzz_objects) $(user_lib) user/lib/user.ld
	$(call user_say,LINK,$@)
	$(quiet)$(USER_CC) -Wl,--defsym=SEGMENT_ROOM=0x10000 $(user_ldflags) -o $@ $(fuzz_objects) $(user_lib)

# The same without what a kernel may choose: how many faults, which pages ahead. The grader of lab 7 runs it.
contract_objects := $(fuzz_objects:%.o=%.contract.o)
LINUX_TESTS += $(BUILD)/tests/linux/fuzz/contract

$(contract_objects): $(BUILD)/%.contract.o: %.c user/user.mk
	$(call user_say,CC,$<)
	@mkdir -p $(@D)
	$(quiet)$(USER_CC) $(user_cflags) $(USER_CFLAGS) -DCONTRACT_ONLY=1 -MMD -MP -c -o $@ $<

$(BUILD)/tests/linux/fuzz/contract: $(contract_objects) $(user_lib) user/lib/user.ld
	$(call user_say,LINK,$@)
	$(quiet)$(USER_CC) $(user_ldflags) -o $@ $(contract_objects) $(user_lib)

# The programs that docs/linux.md is made of.
table_programs := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/linux/table/*.c)))
table_objects := $(table_programs:%=%.o)
LINUX_TESTS += $(table_programs)

$(table_programs): %: %.o $(user_lib) user/lib/user.ld
	$(call user_say,LINK,$@)
	$(quiet)$(USER_CC) $(user_ldflags) -o $@ $< $(user_lib)

.SECONDARY: $(linux_test_objects) $(fuzz_objects) $(contract_objects) $(table_objects)
-include $(linux_test_objects:.o=.d) $(fuzz_objects:.o=.d) $(contract_objects:.o=.d) $(table_objects:.o=.d)

.PHONY: linux-check linux-golden linux-table
linux-check: ## Compare our kernel with Linux: golden files of 6.1, and the host (ORACLE=guest boots a 6.1).
	@tools/setup build run test
	@$(AGAIN) $(BUILD)/zeropage.elf $(BUILD)/archive.tar $(LINUX_TESTS)
	@BUILD=$(BUILD) prove --ext .t --recurse tests/linux

linux-golden: ## Make the golden files anew, on Debian's Linux 6.1 in QEMU.
	@tools/setup build run test
	@$(AGAIN) $(GUEST_TESTS) $(LINUX_TESTS)
	@BUILD=$(BUILD) tests/linux/make-golden

linux-table: ## Write docs/linux.md anew: what is as on Linux, call by call and flag by flag.
	@tools/setup build run test
	@$(AGAIN) $(BUILD)/zeropage.elf $(BUILD)/archive.tar $(LINUX_TESTS)
	@BUILD=$(BUILD) tests/linux/document.t --write

# Sequences of three lengths: short ones are many, long ones meet more at once.
SEEDS ?= 100000
FIRST ?= 1
.PHONY: fuzz-linux
fuzz-linux: ## Compare SEEDS=100000 random sequences of memory calls, from seed FIRST=1 on, with Linux 6.1.
	@tools/setup build run test
	@$(AGAIN) $(BUILD)/zeropage.elf $(BUILD)/archive.tar $(LINUX_TESTS)
	@BUILD=$(BUILD) tools/fuzz --first $(FIRST) --count $(SEEDS) --steps 40,20,60 --record
nightly: fuzz-linux
