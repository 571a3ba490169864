# Host fuzzing of mm/: sequences of memory calls against a plain model (docs/architecture.md, "Ways to test").
#   build/fuzz/replay   runs kept sequences again; like the host tests, with their compiler, for make test
#   build/fuzz/mm       the same with libFuzzer, for make fuzz-mm

HOST_BUILD ?= $(BUILD)/host
FUZZ_SOURCES := $(filter-out tests/fuzz/target.c tests/fuzz/replay.c,$(sort $(wildcard tests/fuzz/*.c)))
FUZZ_OBJECTS := $(patsubst %.c,$(HOST_BUILD)/obj/%.o,$(FUZZ_SOURCES) tests/fuzz/replay.c)

test-programs: $(BUILD)/fuzz/replay

$(BUILD)/fuzz/replay: $(FUZZ_OBJECTS) $(HOST_BUILD)/libkernel.a
	@mkdir -p $(@D)
	@printf '  %-5s %s\n' HOSTLD $@
	@$(HOST_CC) $(HOST_SANITIZE) -o $@ $(FUZZ_OBJECTS) $(HOST_BUILD)/libkernel.a -lcmocka

# The fuzzer's own build: clang, coverage feedback from the kernel's files alone, and a small TLB, which is searched after each step.
FUZZ_CC ?= clang
FUZZ_KERNEL := $(sort $(wildcard mm/*.c)) $(wildcard kernel/trace/*.c) kernel/lib/printf.c kernel/lib/printk.c kernel/lib/rbtree.c
FUZZ_HARNESS := $(FUZZ_SOURCES) tests/fuzz/target.c $(addprefix tests/host/,arch_host.c mmu.c mmu_access.c harness.c)
FUZZ_CFLAGS := -std=gnu11 -g -O2 -I. -D_GNU_SOURCE -DZEROPAGE_HOST -DZEROPAGE_DEBUG -DTLB_ENTRIES=1024 -Wall -Wextra \
    -fno-omit-frame-pointer -MMD -MP
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
mm_fuzz_objects := $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(FUZZ_KERNEL) $(FUZZ_HARNESS))

# Counters of what was reached are enough: tracing each comparison as well, as -fsanitize=fuzzer does, takes most of the time.
$(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(FUZZ_KERNEL)): FUZZ_CFLAGS += $(FUZZ_SANITIZE) $(HOST_KERNEL_NAMES) \
    -fsanitize-coverage=inline-8bit-counters,pc-table
# The arena's owner tells the sanitizer what is free; the model is left alone, for speed: the replay has it watched.
$(BUILD)/fuzz/obj/tests/host/arch_host.o: FUZZ_CFLAGS += $(FUZZ_SANITIZE)

$(BUILD)/fuzz/obj/%.o: %.c tests/fuzz/fuzz.mk
	@printf '  %-5s %s\n' CLANG $<
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -c -o $@ $<

$(BUILD)/fuzz/mm: $(mm_fuzz_objects)
	@printf '  %-5s %s\n' CLANG $@
	@$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ -lcmocka

-include $(FUZZ_OBJECTS:.o=.d) $(mm_fuzz_objects:.o=.d)

.PHONY: fuzz-mm nightly
SECONDS ?= 60
fuzz-mm: ## Random memory calls on the host's mm/ against a model of it, under sanitizers (SECONDS=60 or RUNS=10000).
	@tools/setup test fuzz
	@$(AGAIN) $(BUILD)/fuzz/mm $(BUILD)/fuzz/replay
	@BUILD=$(BUILD) tests/fuzz/fuzz-mm $(if $(RUNS),--runs $(RUNS),--seconds $(SECONDS))

.PHONY: nightly-fuzz-mm
nightly-fuzz-mm:
	@$(MAKE) fuzz-mm SECONDS=600
nightly: nightly-fuzz-mm

.PHONY: planted
planted: ## Plant bugs into mm/, in a copy, one by one, and see the fuzzer's kept sequences find each; fifty times, one bug each.
	@tools/setup test
	@$(AGAIN) $(BUILD)/fuzz/replay
	@tests/fuzz/planted
nightly: planted
