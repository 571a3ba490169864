# The labs. Here: make lab writes a student's tree. There (the file LAB says so): make hand-in packs it.

ifeq ($(own_lab),)
.PHONY: lab
lab: ## Write a student's tree of lab LAB=3 to OUT=dir (docs/labs; SEED=number for lab 0).
	@tools/setup build labs
	@tools/lab "$(LAB)" "$(OUT)" $(if $(SEED),--seed "$(SEED)")
else
.PHONY: hand-in
hand-in: ## Pack the files that you may change into hand-in-lab$(own_lab).tar.gz.
	@tools/hand-in
endif
