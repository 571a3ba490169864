# make coverage: two more builds of the same files, both unoptimised and counting, and every test that runs mm/.

COVERAGE_HOST := build/coverage/host

.PHONY: coverage coverage-host
coverage: ## What the tests reach of mm/, on the host and in the guest, as a page; fails below 100 % of lines, 95 % of branches.
	@tools/setup build run test coverage
	@$(AGAIN) $(BUILD)/archive.tar
	@$(AGAIN) BUILD=$(COVERAGE_HOST) HOST_SANITIZE='--coverage -O0 -fsanitize=address' coverage-host
	@$(AGAIN) COVERAGE=1 build/coverage/guest/zeropage.elf
	@tests/coverage/coverage

coverage-host: host-tests $(BUILD)/fuzz/replay

.PHONY: nightly nightly-coverage
nightly-coverage:
	@$(MAKE) coverage
nightly: nightly-coverage
