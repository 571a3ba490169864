# Builds the programs of the debugger's sessions and tests ($(BUILD)/tests/gdb/NAME) and adds them to DEBUG_PROGRAMS.

gdb_program_names := $(sort $(basename $(notdir $(wildcard tests/gdb/*.c))))
DEBUG_PROGRAMS += $(addprefix $(BUILD)/tests/gdb/,$(gdb_program_names))

$(BUILD)/tests/gdb/%.o: tests/gdb/%.c user/user.mk tests/gdb/gdb.mk
	$(call user_say,CC,$<)
	@mkdir -p $(@D)
	$(quiet)$(USER_CC) $(user_cflags) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/gdb/%: $(BUILD)/tests/gdb/%.o $(user_lib) user/lib/user.ld
	$(call user_say,LINK,$@)
	$(quiet)$(USER_CC) $(user_ldflags) -o $@ $< $(user_lib)

.SECONDARY: $(gdb_program_names:%=$(BUILD)/tests/gdb/%.o)
-include $(gdb_program_names:%=$(BUILD)/tests/gdb/%.d)
