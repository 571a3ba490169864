# Builds, runs and tests zeropage. `make help` lists what there is to make.
#
# Variables for the command line: DEBUG=1 (build-debug/, unoptimised), WERROR=1 (warnings are errors),
# CC=clang (for the kernel), V=1 (show the commands), SETUP=no (install nothing, say what is missing),
# MEMORY=256M and FIRMWARE=bios|uefi (for make run), LAB=3 (the starter of lab 3 in build-lab3/, tests/labs/labs.mk).

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/sh

# A student's tree has its lab's number in a file.
own_lab := $(shell cat LAB 2>/dev/null)
LAB := $(or $(own_lab),$(LAB))
ifneq ($(filter-out 0 1 2 3 4 5 6 7,$(LAB)),)
$(error There is no lab $(LAB): LAB is a number from 0 to 7)
endif
LAB_FLAGS := $(if $(LAB),-DLAB=$(LAB) -fmacro-prefix-map=./=)

ifeq ($(COVERAGE),1)
BUILD := build/coverage/guest
OPTIMISE := -O2 -g
else ifeq ($(DEBUG),1)
BUILD := build-debug
# Without inlining, so that each step of the fault path can be stepped into.
OPTIMISE := -Og -g3 -fno-inline -DZEROPAGE_DEBUG
USER_CFLAGS += -Og -g3 -fno-omit-frame-pointer
else
BUILD := build$(if $(own_lab),,$(if $(LAB),-lab$(LAB)))
OPTIMISE := -O2 -g
endif

# --- What a person types ------------------------------------------------------------------------------------
# Each of these first sees to its tools and then starts make again, because the variables further down
# depend on the tools that are there.

PROCESSORS := $(shell nproc 2>/dev/null || echo 1)
AGAIN = $(MAKE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(PROCESSORS))
MEMORY ?= 256M
FIRMWARE ?= bios

PROG ?= tour
.PHONY: all run run-direct run-window screenshots debug debug-server rewind timeline docs setup-viewer iso test nightly bench performance reliability check doctor setup clean help
all: ## Build the kernel, the programs and the ISO (this is what plain `make` does).
	@tools/setup build
	@$(AGAIN) $(BUILD)/zeropage.iso
	@echo "$(BUILD)/zeropage.iso is ready: make run boots it, make help lists what else there is."

run: ## Boot the ISO in QEMU, in this terminal (FIRMWARE=uefi, MEMORY=4G, PROGRAMS="a.out": static ones to take along).
	@tools/setup build run
	@$(AGAIN) $(BUILD)/zeropage.iso
	@BUILD=$(BUILD) tools/offer $(PROGRAMS)
	@tools/boot --build $(BUILD)/run --memory $(MEMORY) --firmware $(FIRMWARE)

run-direct: ## The same without GRUB: QEMU starts the kernel itself (PVH).
	@tools/setup build run
	@$(AGAIN) $(BUILD)/zeropage.elf $(BUILD)/archive.tar
	@BUILD=$(BUILD) tools/offer $(PROGRAMS)
	@tools/boot --build $(BUILD)/run --memory $(MEMORY) --firmware direct

run-window: ## Boot the ISO in a window of QEMU's, with its screen and keyboard (FIRMWARE=uefi, MEMORY=4G).
	@tools/setup build run window
	@$(AGAIN) $(BUILD)/zeropage.iso
	@tools/boot --window --build $(BUILD) --memory $(MEMORY) --firmware $(FIRMWARE)

screenshots: ## Take the pictures of the screen in docs/ anew (no window is needed for that).
	@tools/setup build run
	@$(AGAIN) $(BUILD)/zeropage.iso
	@BUILD=$(BUILD) tools/screenshots docs

debug: ## Step through page faults: GDB with a machine of its own, stopped at the first fault of PROG="tour".
	@tools/setup build run debug
	@$(AGAIN) DEBUG=1 debug-programs
	@tools/debug --memory $(MEMORY) $(PROG)

debug-server: ## The same machine for the GDB of an editor, which finds it at localhost:1234 (.vscode/launch.json).
	@tools/setup build run debug
	@$(AGAIN) DEBUG=1 debug-programs
	@tools/debug --memory $(MEMORY) --server $(PROG)

rewind: ## Record a whole run of PROG="tour" first; GDB then goes back in it as well: reverse-continue, who-wrote.
	@tools/setup build run debug
	@$(AGAIN) DEBUG=1 debug-programs
	@tools/debug --rewind $(if $(filter-out file,$(origin MEMORY)),--memory $(MEMORY)) $(PROG)

timeline: ## Run PROG="tour" and make of its journal a page to step through, build/timeline.html (docs/timeline.md).
	@tools/setup build run
	@$(AGAIN) $(BUILD)/zeropage.elf $(BUILD)/archive.tar
	@BUILD=$(BUILD) tools/viewer/record --memory $(MEMORY) -o $(BUILD)/timeline.html $(PROG)

docs: ## Make anew what is generated in docs/ and the README: the tour's timeline, transcripts, pictures, the table of docs/linux.md.
	@tools/setup build run test debug
	@$(AGAIN) $(BUILD)/zeropage.iso $(BUILD)/zeropage.elf $(BUILD)/archive.tar
	@$(AGAIN) DEBUG=1 debug-programs
	@BUILD=$(BUILD) tools/viewer/record -o $(BUILD)/tour.html tour >/dev/null
	@cp $(BUILD)/tour.html docs/tour.html
	@BUILD=$(BUILD) tests/outside/readme.t --write
	@RECORD=1 tests/gdb/docs.t
	@$(AGAIN) linux-table
	@BUILD=$(BUILD) tools/screenshots docs
	@tools/viewer/picture $(BUILD)/tour.html $(BUILD)/tour.jsonl docs/timeline-tour.png

setup-viewer: ## Install what the browser test of the timeline needs: Node.js, Chromium and playwright-core.
	@tools/setup viewer
	@npm ci --prefix tests/timeline --no-audit --no-fund

iso: ## Build the ISO for BIOS and UEFI, and print its hash.
	@tools/setup build
	@$(AGAIN) $(BUILD)/zeropage.iso
	@sha256sum $(BUILD)/zeropage.iso

test: ## Run all tests (TESTS="tests/tools tests/boot/matrix.t" for some of them).
	@tools/setup build run test debug
	@$(AGAIN) test-programs
	$(if $(or $(findstring gdb,$(TESTS)),$(if $(own_lab)$(TESTS),,yes)),@$(AGAIN) DEBUG=1 debug-programs)
	@BUILD=$(BUILD) tests/run-tests $(TESTS)

# Each area adds what it has to try at length: `nightly: target` in its fragment.
nightly: ## Run what takes hours: 100,000 random sequences beside Linux 6.1, fuzzing, bombs and soaks (SEEDS=5000 FIRST=1).
	@echo "all of make nightly is well"

bench: ## Count what each operation costs (LINUX=1: Linux 6.1 beside it; SCALE=1: what may not grow; JSON=FILE; RECORD=1).
	@tools/setup build run
	@$(AGAIN) $(BUILD)/zeropage.elf $(BUILD)/archive.tar
	@BUILD=$(BUILD) tools/bench $(if $(LINUX),--linux --wall) $(if $(SCALE),--scale) $(if $(JSON),--json $(JSON)) $(if $(RECORD),--record)

performance: ## Write docs/performance.md anew: the benchmark beside Linux 6.1, and how each cost grows.
	@tools/setup build run plot
	@$(AGAIN) $(BUILD)/zeropage.elf $(BUILD)/archive.tar
	@BUILD=$(BUILD) tools/bench --linux --document

reliability: ## Put the results of the last runs into docs/reliability.md, which says how to run each again.
	@BUILD=$(BUILD) tools/reliability

check: ## Look for mistakes with clang-tidy and cppcheck; each finding is an error.
	@tools/setup build check
	@$(AGAIN) clang-tidy cppcheck
nightly: check

doctor: ## List each tool with the version found, the version needed and the fix.
	@tools/doctor

setup: ## Install all tools that are missing, those of make check included.
	@tools/setup build run test debug check plot labs fuzz coverage bochs

clean: ## Remove what was built (not what was downloaded into build/linux).
	@rm -rf build-debug
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name linux -exec rm -rf {} +

help: ## List the targets.
	@echo "zeropage: a small x86_64 kernel about anonymous memory. Targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | $(if $(own_lab),grep -E '^  make ($(students_targets))	',cat) | \
	    expand -t 21

# --- Tools --------------------------------------------------------------------------------------------------

first_of = $(firstword $(foreach program,$(1),$(shell command -v $(program) 2>/dev/null)))
native_gcc := $(if $(filter x86_64%,$(shell gcc -dumpmachine 2>/dev/null)),gcc)
CROSS_CC := $(notdir $(call first_of,x86_64-elf-gcc x86_64-linux-gnu-gcc $(native_gcc)))
CROSS := $(patsubst %gcc,%,$(CROSS_CC))
ifeq ($(origin CC),default)
CC := $(CROSS_CC)
endif
USER_CC ?= $(CROSS_CC)
LD := $(CROSS)ld
AR := $(CROSS)ar
NM := $(CROSS)nm
STRIP := $(CROSS)strip
NASM ?= nasm
HOST_CC ?= $(notdir $(call first_of,gcc cc clang))
GRUB_FILE := $(call first_of,grub-file grub2-file x86_64-elf-grub-file)
TAR := $(call first_of,gtar tar)

ifeq ($(V),1)
say = @:
quiet :=
else
say = @printf '  %-5s %s\n' $(1) $(patsubst $(CURDIR)/%,%,$(2))
quiet := @
endif

# --- The kernel ---------------------------------------------------------------------------------------------

KERNEL_CFLAGS := -std=gnu11 $(OPTIMISE) -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
    -mgeneral-regs-only -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
    -fstack-protector-strong -mstack-protector-guard=global -fno-strict-aliasing -fcf-protection=none -Wall -Wextra -I. $(LAB_FLAGS) $(if $(findstring clang,$(CC)),--target=x86_64-elf)
# Two builds in different folders are to be equal, so no path of this machine goes into the files.
KERNEL_CFLAGS += -ffile-prefix-map=$(CURDIR)/=
KERNEL_ASFLAGS := -f elf64 -g -F dwarf -I ./
# --discard-locals: NASM's names for labels in macros (..@8.site) would cut functions in two for a debugger.
KERNEL_LDFLAGS := -nostdlib -static -T linker.ld -z max-page-size=4096 -z noexecstack --build-id=none --discard-locals \
    $(if $(shell $(LD) --help 2>/dev/null | grep -e --no-warn-rwx-segments),--no-warn-rwx-segments)
ifeq ($(WERROR),1)
KERNEL_CFLAGS += -Werror
KERNEL_ASFLAGS += -Werror
KERNEL_LDFLAGS += --fatal-warnings
endif

kernel_sources := $(sort $(wildcard boot/*.c boot/*.asm mm/*.c mm/*.asm syscall/*.c syscall/*.asm) \
    $(shell find kernel -name '*.c' -o -name '*.asm'))
ifeq ($(COVERAGE),1)
include tests/coverage/kernel-build
endif
kernel_objects := $(kernel_sources:%=$(BUILD)/kernel/%.o) $(BUILD)/font.asm.o

# These two change only when the commands that build the kernel change, or the list of its files.
# Where the tree lies makes no difference to what comes out, so a copy of it is not built anew.
$(BUILD)/kernel/flags: wanted = $(CC) $(filter-out -ffile-prefix-map=%,$(KERNEL_CFLAGS)) $(NASM) $(KERNEL_ASFLAGS)
$(BUILD)/kernel/parts: wanted = $(LD) $(KERNEL_LDFLAGS) $(kernel_objects)
$(BUILD)/kernel/flags $(BUILD)/kernel/parts: FORCE
	@mkdir -p $(@D)
	@new=$@.$$$$; echo '$(wanted)' >$$new; if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi
.PHONY: FORCE
FORCE:

# In mm/ and its system calls only functions with arrays of bytes are protected: -strong also guards each structure whose address is taken,
# which costs a read fault 12 instructions and an mmap 40 (make bench), and there are no arrays to run over in them.
$(BUILD)/kernel/mm/%.c.o $(BUILD)/kernel/syscall/memory.c.o: STACK_PROTECTOR := -fstack-protector
$(BUILD)/kernel/%.c.o: %.c $(BUILD)/kernel/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(KERNEL_CFLAGS) $(STACK_PROTECTOR) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

$(BUILD)/kernel/%.asm.o: %.asm $(BUILD)/kernel/flags
	$(call say,NASM,$<)
	@mkdir -p $(@D)
	$(quiet)$(NASM) $(KERNEL_ASFLAGS) -MD $(@:.o=.d) -MP $< -o $@

# The symbol table of the first link goes into the second one (kernel/lib/ksyms.h).
$(BUILD)/ksyms-empty.asm: tools/ksyms
	@mkdir -p $(@D)
	$(quiet)tools/ksyms >$@
$(BUILD)/ksyms.asm: $(BUILD)/zeropage-without-ksyms.elf tools/ksyms
	$(quiet)tools/ksyms $(NM) $< >$@
$(BUILD)/%.asm.o: $(BUILD)/%.asm $(BUILD)/kernel/flags
	$(quiet)$(NASM) -f elf64 $< -o $@

# The screen's font is a drawing, and becomes an object like the others.
$(BUILD)/font.asm: kernel/dev/font.txt tools/font
	@mkdir -p $(@D)
	$(quiet)tools/font $< >$@

$(BUILD)/zeropage-without-ksyms.elf: $(kernel_objects) $(BUILD)/ksyms-empty.asm.o linker.ld $(BUILD)/kernel/parts
	$(quiet)$(LD) $(KERNEL_LDFLAGS) -o $@ $(filter %.o,$^)

$(BUILD)/zeropage.elf: $(kernel_objects) $(BUILD)/ksyms.asm.o $(BUILD)/zeropage-without-ksyms.elf linker.ld
	$(call say,LD,$@)
	$(quiet)$(LD) $(KERNEL_LDFLAGS) -o $@ $(filter %.o,$^)
	$(quiet)tools/check-kernel $(NM) $@ $(BUILD)/zeropage-without-ksyms.elf $(GRUB_FILE)

-include $(kernel_objects:.o=.d)

# --- Programs, tests ----------------------------------------------------------------------------------------
# These add to USER_PROGRAMS, GUEST_TESTS, HOST_TESTS, LINUX_TESTS and BENCH_PROGRAMS: the files that they build.

include user/user.mk $(sort $(wildcard tests/*/*.mk))

.PHONY: debug-programs
debug-programs: $(BUILD)/zeropage.elf $(BUILD)/archive.tar $(DEBUG_PROGRAMS)

.PHONY: test-programs
test-programs: $(BUILD)/zeropage.elf $(BUILD)/archive.tar $(BUILD)/zeropage.iso $(HOST_TESTS) $(LINUX_TESTS) \
    $(BENCH_PROGRAMS)

# --- The archive and the disc -------------------------------------------------------------------------------

$(BUILD)/archive.tar: $(USER_PROGRAMS) $(GUEST_TESTS) $(shell find iso/rootfs) tools/archive
	$(call say,TAR,$@)
	$(quiet)TAR=$(TAR) STRIP=$(STRIP) tools/archive $@ iso/rootfs bin $(USER_PROGRAMS) tests $(GUEST_TESTS)

$(BUILD)/zeropage.iso: $(BUILD)/zeropage.elf $(BUILD)/archive.tar iso/grub.cfg tools/iso
	$(call say,ISO,$@)
	$(quiet)STRIP=$(STRIP) tools/iso $@ $(BUILD)/zeropage.elf $(BUILD)/archive.tar iso/grub.cfg

# --- Static checks ------------------------------------------------------------------------------------------

checked_sources := $(filter %.c,$(kernel_sources))

.PHONY: clang-tidy cppcheck
clang-tidy:
	@echo $(checked_sources) | tr ' ' '\n' | xargs -P $(PROCESSORS) -n 4 sh -c \
	    'clang-tidy --quiet --warnings-as-errors="*" "$$@" -- $(filter-out --target=%,$(KERNEL_CFLAGS)) 2>&1 | \
	     grep -v -e "warnings generated" -e "^Suppressed" -e "^Use -header-filter" && exit 1 || exit 0' clang-tidy

cppcheck:
	@mkdir -p $(BUILD)/cppcheck
	@cppcheck --quiet --error-exitcode=1 --std=c11 --platform=unix64 --enable=warning,performance,portability \
	    --inline-suppr --suppressions-list=.cppcheck --cppcheck-build-dir=$(BUILD)/cppcheck -j $(PROCESSORS) \
	    -I. $(checked_sources)
