# Builds the programs of the attacks that need a machine or options of their own ($(BUILD)/tests/attacks/NAME), and adds
# them to LINUX_TESTS, which make test builds.

attack_names := $(sort $(basename $(notdir $(wildcard tests/attacks/*.c))))
ATTACK_PROGRAMS := $(attack_names:%=$(BUILD)/tests/attacks/%)
LINUX_TESTS += $(ATTACK_PROGRAMS)

$(BUILD)/tests/attacks/%.o: tests/attacks/%.c user/user.mk tests/attacks/attacks.mk
	$(call user_say,CC,$<)
	@mkdir -p $(@D)
	$(quiet)$(USER_CC) $(user_cflags) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

fuzzer_objects := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/attacks/fuzzer/*.c))
charge_objects := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/attacks/charges/*.c))
$(BUILD)/tests/attacks/calls: $(fuzzer_objects)
$(BUILD)/tests/attacks/bombs: $(charge_objects)

$(BUILD)/tests/attacks/%: $(BUILD)/tests/attacks/%.o $(user_lib) user/lib/user.ld
	$(call user_say,LINK,$@)
	$(quiet)$(USER_CC) $(user_ldflags) -o $@ $(filter %.o,$^) $(user_lib)

.SECONDARY: $(ATTACK_PROGRAMS:%=%.o) $(fuzzer_objects) $(charge_objects)
-include $(ATTACK_PROGRAMS:%=%.d) $(fuzzer_objects:.o=.d) $(charge_objects:.o=.d)

# --- What takes longer than make test may -------------------------------------------------------------------

CALLS ?= 10000000
SEED ?= 1
MINUTES ?= 240
# hardening.t also runs one of the programs that are compared with Linux.
attack_programs := $(ATTACK_PROGRAMS) $(BUILD)/tests/linux/low_addresses
attack_parts := $(BUILD)/zeropage.elf $(BUILD)/archive.tar $(attack_programs)

.PHONY: attack-programs fuzz-calls bombs soak defences nightly
attack-programs: $(attack_programs)

fuzz-calls: ## Make CALLS=10000000 random system calls from SEED=1 on, under timer interrupts at random instructions.
	@tools/setup build run
	@$(AGAIN) $(attack_parts)
	@BUILD=$(BUILD) CALLS=$(CALLS) SEED=$(SEED) RECORD_RESULT=1 prove tests/attacks/calls.t

bombs: ## Light every bomb (memory, forks, mappings, page tables, ...) with 16 MiB to 2 GiB, and on Linux 6.1.
	@tools/setup build run
	@$(AGAIN) $(attack_parts)
	@BUILD=$(BUILD) NIGHTLY=1 RECORD_RESULT=1 prove tests/attacks/bombs.t tests/attacks/attacks.t

soak: ## Keep memory full for MINUTES=240 of the guest's time, with 16 MiB.
	@tools/setup build run
	@$(AGAIN) $(attack_parts)
	@BUILD=$(BUILD) MINUTES=$(MINUTES) RECORD_RESULT=1 prove tests/attacks/soak.t

defences: ## Take each defence of the kernel away, in a copy, and see that its test fails.
	@tools/setup build run
	@$(AGAIN) $(attack_parts)
	@tests/attacks/defences

nightly: fuzz-calls bombs soak defences
