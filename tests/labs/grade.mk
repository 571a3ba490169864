# Proves that the labs' grader works (tests/labs/labs-check); CI runs it before all tests.

.PHONY: labs-check
labs-check: ## Grade each lab's solution, starter, seeded bugs and forgers (LABS="3 5"; WRITE=1 renews the table in docs/labs/teaching.md).
	@tools/setup build run test labs
	@$(AGAIN) $(BUILD)/zeropage.elf $(BUILD)/archive.tar
	@tests/labs/labs-check $(if $(WRITE),--write) $(LABS)

.PHONY: grade-under-load grade-times nightly
grade-under-load: ## Grade a solution, a mistake and a starter 20 times each beside stress-ng: always the same score (RUNS=20; WRITE=1: into docs/labs/teaching.md).
	@tools/setup build run test labs load
	@tests/labs/grade-figures load $(if $(RUNS),--runs $(RUNS)) $(if $(WRITE),--write)

grade-times: ## Measure what the whole grade of each lab's solution takes (WRITE=1: into docs/labs/teaching.md).
	@tools/setup build run test labs
	@tests/labs/grade-figures time $(if $(WRITE),--write)

.PHONY: grade-class
grade-class:
	@ALL=1 prove tests/tools/grade_class.t

nightly: grade-under-load grade-times grade-class
