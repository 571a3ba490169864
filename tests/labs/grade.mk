# Proves that the labs' grader works (tests/labs/labs-check); CI runs it before all tests.

.PHONY: labs-check
labs-check: ## Grade each lab's solution, starter, seeded bugs and forgers (LABS="3 5"; WRITE=1 renews the table in docs/labs/teaching.md).
	@tools/setup build run test labs
	@$(AGAIN) $(BUILD)/zeropage.elf $(BUILD)/archive.tar
	@tests/labs/labs-check $(if $(WRITE),--write) $(LABS)
