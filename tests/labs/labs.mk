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
.PHONY: grade hand-in
grade: ## Your score, check by check, and why; by the same program that grades what you hand in.
	@tools/setup build run test
	@tools/grade --lab $(own_lab) --pristine "$$(git rev-list --max-parents=0 HEAD | tail -n 1)" . || [ $$? = 1 ]

hand-in: ## Pack the files that you may change into hand-in-lab$(own_lab).tar.gz.
	@tools/hand-in
endif
