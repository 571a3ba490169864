# Builds the programs of the attacks that need a machine or options of their own ($(BUILD)/tests/attacks/NAME), and adds
# them to LINUX_TESTS, which make test builds.

attack_names := $(sort $(basename $(notdir $(wildcard tests/attacks/*.c))))
ATTACK_PROGRAMS := $(attack_names:%=$(BUILD)/tests/attacks/%)
LINUX_TESTS += $(ATTACK_PROGRAMS)

$(BUILD)/tests/attacks/%.o: tests/attacks/%.c user/user.mk tests/attacks/attacks.mk
	$(call user_say,CC,$<)
	@mkdir -p $(@D)
	$(quiet)$(USER_CC) $(user_cflags) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/attacks/%: $(BUILD)/tests/attacks/%.o $(user_lib) user/lib/user.ld
	$(call user_say,LINK,$@)
	$(quiet)$(USER_CC) $(user_ldflags) -o $@ $< $(user_lib)

.SECONDARY: $(ATTACK_PROGRAMS:%=%.o)
-include $(ATTACK_PROGRAMS:%=%.d)
