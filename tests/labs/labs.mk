# The labs. Here: make lab writes a student's tree. There (the file LAB says so): make grade grades it, by what was
# handed out, which is its first commit; make hand-in packs it.

ifeq ($(own_lab),)
.PHONY: lab
lab: ## Write a student's tree of lab LAB=3 to OUT=dir (docs/labs; SEED=number for lab 0).
	@tools/setup build labs$(if $(filter 0,$(LAB)), run)
	$(if $(filter 0,$(LAB)),@$(AGAIN) LAB= build/zeropage.elf build/archive.tar)
	@tools/lab "$(LAB)" "$(OUT)" $(if $(SEED),--seed "$(SEED)")

.PHONY: starters nightly
starters:
	@prove tests/labs/starters.t
nightly: starters
else
# What make help lists in a student's tree: what needs nothing that only the whole repository has.
empty :=
students_targets := $(subst $(empty) ,|,all run run-direct run-window debug debug-server rewind timeline iso test bench doctor \
                      setup clean help grade hand-in)

.PHONY: grade hand-in
grade: ## Your score, check by check, and why; by the same program that grades what you hand in.
	@tools/setup build run test
	@tools/grade --lab $(own_lab) --pristine "$$(git rev-list --max-parents=0 HEAD | tail -n 1)" . || [ $$? = 1 ]

hand-in: ## Pack the files that you may change, into one archive beside this Makefile.
	@tools/hand-in
endif

# A puppet that is linked with the submission's user/lib, below where the other programs and puppets lie.
PLAYER_BASE := 0x200000

$(BUILD)/labs/heap.o: tests/labs/4/heap.asm tests/labs/puppet.asm
	$(call say,NASM,$<)
	@mkdir -p $(@D)
	$(quiet)$(NASM) -f elf64 -I ./ -o $@ $<

$(BUILD)/labs/heap: $(BUILD)/labs/heap.o $(user_lib) user/lib/user.ld
	$(call say,LINK,$@)
	$(quiet)$(USER_CC) -Wl,--defsym=IMAGE_BASE=$(PLAYER_BASE) $(user_ldflags) -o $@ $< $(user_lib)
