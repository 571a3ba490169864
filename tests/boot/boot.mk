# What booting under a second emulator takes longer than make test may.

.PHONY: bochs nightly
bochs: ## Boot the ISO under Bochs, and run all guest tests and attacks there: a second implementation of the processor.
	@tools/setup build run bochs
	@$(AGAIN) $(BUILD)/zeropage.iso attack-programs
	@BUILD=$(BUILD) NIGHTLY=1 RECORD_RESULT=1 prove tests/boot/bochs.t

nightly: bochs
