"""
The kernel's defences, and how each is taken away: (name, file, what stands there, what replaces it, test, words of the rule
that has to fail, or of several with | between them). A test is a file, or "guest NAME" (tests/guest/NAME.c), or "host NAME" (tests/host/NAME_test.c). The rule
DEATH says that the kernel does not survive it, END that the test's program does not.

Those of BOCHS are about what QEMU does otherwise than a processor: it clears DF at each SYSCALL whatever SFMASK says, takes a SYSRET to any
address, and does not put off the debug exception of MOV SS. Where Bochs is missing they are skipped.
"""
DEATH = "the machine ends"
END = "the program ends too early"
BOCHS = "tests/boot/bochs.t"
HARDENING, BOMBS, ATTACKS, CALLS, ASLR = (f"tests/attacks/{name}.t" for name in ("hardening", "bombs", "attacks", "calls", "aslr"))

DEFENCES = (
    # --- what may be written, executed, read -------------------------------------------------------------------------
    ("text-read-only", "mm/kernel_map.c", "#define KERNEL_TEXT KERNEL_PAGE", "#define KERNEL_TEXT (KERNEL_PAGE | PTE_WRITE)",
     HARDENING, "the kernel's text can't be written"),
    ("constants-read-only", "mm/kernel_map.c", "#define KERNEL_RODATA (KERNEL_PAGE | PTE_NX)",
     "#define KERNEL_RODATA (KERNEL_PAGE | PTE_NX | PTE_WRITE)", HARDENING, "its constants can't be written"),
    ("write-protect", "kernel/cpu/cpu.c", "CR0_MP | CR0_NE | CR0_WP | CR0_AM;", "CR0_MP | CR0_NE | CR0_AM;\n    cr0 &= ~CR0_WP;",
     HARDENING, "the kernel's text can't be written"),
    ("direct-map-read-only", "mm/kernel_map.c", "constant_start, constant_end, KERNEL_RODATA", "constant_start, constant_end, KERNEL_DATA",
     HARDENING, "nor through the direct map"),
    ("data-not-executable", "mm/kernel_map.c", "#define KERNEL_DATA (KERNEL_PAGE | PTE_WRITE | PTE_NX)",
     "#define KERNEL_DATA (KERNEL_PAGE | PTE_WRITE)", HARDENING, "its data can't be executed"),
    ("constants-not-executable", "mm/kernel_map.c", "#define KERNEL_RODATA (KERNEL_PAGE | PTE_NX)", "#define KERNEL_RODATA KERNEL_PAGE",
     HARDENING, "nor its constants"),
    ("zero-frame-constant", "mm/page.c", "__aligned(PAGE_SIZE) __ro_after_init;", "__aligned(PAGE_SIZE);", HARDENING, "nor the zero frame"),
    ("low-addresses", "mm/unmapped_area.c", "if (unlikely(address < mmap_min_addr) && !may_map_below_minimum(mm, address))", "if (false)",
     "guest mmap_place", "an ordinary user's MAP_FIXED at 0 is EPERM"),
    ("low-addresses-of-root", "mm/unmapped_area.c", "return low_mappings_allowed && (", "return (", HARDENING, "nothing is mapped below"),
    ("low-address-of-a-growth", "mm/expand_stack.c", "    if (address < mmap_min_addr)\n        return -ENOMEM;\n", "", HARDENING,
     "nothing is mapped below"),
    ("low-address-of-zeroes", "mm/mmap.c", "unsigned long address = get_unmapped_area(mm, start, PAGE_ALIGN(length), MAP_FIXED);",
     "unsigned long address = start;", HARDENING, "nothing is mapped below"),
    ("lowest-address-fixed", "mm/limits.c", "mmap_min_addr = MAX(address, LSM_MMAP_MIN_ADDR);", "mmap_min_addr = address;", HARDENING,
     "nothing is mapped below"),
    ("program-data-not-executable", "mm/mm.c", "#define PROTECTION_READ (PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_NX)",
     "#define PROTECTION_READ (PTE_PRESENT | PTE_USER | PTE_ACCESSED)", "guest segv", "execut"),
    ("smep", "kernel/cpu/cpu.c", "cr4 |= this_cpu.has_smep ? CR4_SMEP : 0;", "", HARDENING, "nor execute it (SMEP)"),
    ("smap", "kernel/cpu/cpu.c", "cr4 |= this_cpu.has_smap ? CR4_SMAP : 0;", "", HARDENING, "can't read a program's memory by mistake"),
    ("ac-cleared", "kernel/cpu/cpu.c", "FLAGS_NT | FLAGS_AC | FLAGS_RF);", "FLAGS_NT | FLAGS_RF);", HARDENING,
     "not even before it has cleared AC"),
    ("umip", "kernel/cpu/cpu.c", "cr4 |= this_cpu.has_umip ? CR4_UMIP : 0;", "", HARDENING, "sgdt tells a program nothing"),
    ("user-copy-bounds", "mm/user_copy.h", "return n <= TASK_SIZE && address <= TASK_SIZE - n;", "return address + n != 1;",
     "guest user_pointers", DEATH),
    # --- stacks --------------------------------------------------------------------------------------------------------
    ("guard-page", "mm/kstack.c", "#define KSTACK_PAGES (KSTACK_SIZE / PAGE_SIZE)", "#define KSTACK_PAGES (KSTACK_SLOT / PAGE_SIZE)",
     HARDENING, "a single write below it"),
    ("stack-of-double-faults", "kernel/cpu/descriptors.c", "        return STACK_DOUBLE_FAULT + 1;", "        return 0;", HARDENING,
     "a kernel stack that overflows meets its guard page"),
    ("stack-protector", "Makefile", "-fstack-protector-strong -mstack-protector-guard=global", "-fno-stack-protector",
     HARDENING, "an array that is written past its end"),
    ("guard-value", "kernel/cpu/stack_protector.c", "cpu_entropy() & ~NUL_BYTE", "0x1122334455667700ul", HARDENING, "differs from boot to boot"),
    # --- ways into the kernel and back -----------------------------------------------------------------------------------
    ("gates-closed", "kernel/cpu/descriptors.c", "bool for_ring3 = vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW;",
     "bool for_ring3 = true;", "guest entry", END),
    ("ports-closed", "kernel/cpu/descriptors.c", ".io_map_base = sizeof(struct tss)", ".io_map_base = 0", "guest attacks", "is for the kernel only"),
    ("returned-flags", "kernel/proc/sigframe.c", "#define FLAGS_RESTORABLE 0x50dd5ul", "#define FLAGS_RESTORABLE 0x57dd5ul", "guest entry",
     "gives no flag that a program may not set"),
    ("returned-ring", "kernel/proc/sigframe.c", "regs->cs = context->cs | ring3;", "regs->cs = context->cs;", "guest entry", DEATH),
    ("syscall-without-steps", "kernel/cpu/cpu.c", "wrmsr(MSR_SFMASK, FLAGS_TF | ", "wrmsr(MSR_SFMASK, ", HARDENING,
     "does not run in single steps"),
    ("syscall-forwards", "kernel/cpu/cpu.c", "FLAGS_IF | FLAGS_DF | FLAGS_IOPL", "FLAGS_IF | FLAGS_IOPL", BOCHS,
     "entry: copies what it should, forwards|entry: as many checks"),
    ("sysret-canonical", "syscall/entry.asm", "    cmp rcx, [task_size]\n    jae .slow\n", "", BOCHS,
     "that returns to an address that is not canonical"),
    ("stack-of-debug-exceptions", "kernel/cpu/descriptors.c", "        return STACK_DEBUG + 1;", "        return 0;", BOCHS,
     "that MOV SS puts off into the kernel"),
    ("registers-preserved", "syscall/entry.asm", "    pop r9\n    pop r8\n", "    pop r9\n    add rsp, 8\n", CALLS,
     "none changed a register that it has to preserve"),
    # --- what others have left ---------------------------------------------------------------------------------------------
    ("fresh-frames-zero", "mm/page_alloc.c", "    clear_page(page_address(page));\n    return page;\n}\n\nstruct page *alloc_zeroed_page",
     "    return page;\n}\n\nstruct page *alloc_zeroed_page", HARDENING, "the program runs to its end"),
    ("shared-memory-zero", "mm/shmem.c", "    clear_page(page_address(page));", "    (void)page;", HARDENING, "nor does shared memory"),
    ("holes-cleared", "syscall/system.c", "    u32 hole;", "    /* no hole */", HARDENING, "sysinfo gives away nothing"),
    ("signal-frame-cleared", "kernel/proc/sigframe.c", "struct signal_frame frame = { .return_address = action->restorer };",
     "struct signal_frame frame;\n    frame.return_address = action->restorer;", HARDENING, "the frame of a signal gives away nothing"),
    ("no-address-in-proc", "kernel/fs/proc_system.c", "frame_counts[PAGE_SLAB], kernel, zero_pfn);",
     "frame_counts[PAGE_SLAB], kernel, (unsigned long)mem_map);", HARDENING, "none tells root an address of the kernel"),
    ("unreadable-file", "kernel/fs/procfs.c", " || (file_readable(file) && !node->entry->show)", "", HARDENING, "the program runs to its end"),
    ("quarantine", "kernel/start_memory.c", "set_quarantine(MIN(", "set_quarantine(0 * MIN(", HARDENING,
     "a write to a frame that was freed is found"),
    ("aslr", "kernel/proc/aslr.c", "return aslr_enabled ? cpu_entropy()", "return aslr_enabled ? 0 * cpu_entropy()", ASLR,
     "with aslr=on the stack"),
    # --- memory that is full ---------------------------------------------------------------------------------------------------
    ("dying-kill-nobody", "kernel/proc/oom.c", "    if (victim->exiting)\n        return false;\n    if (memory_is_full())\n        "
     "victim = somebody_is_dying() ? NULL : choose_victim();", "    if (memory_is_full())\n        victim = choose_victim();", ATTACKS,
     "and nobody else"),
    ("inode-limit", "kernel/fs/ramfs.c", "device != DEVICE_SHMEM && inode_count", "false && inode_count", BOMBS,
     "as many and as large files|the program runs to its end"),
    ("crowd", "kernel/proc/oom.c", "|| !kill_crowd()", "|| true", BOMBS, "a fork bomb is killed as a whole"),
    ("descriptors-held", "kernel/proc/oom.c", "(thread->files ? files_pages_held(thread->files) : 0)", "0", ATTACKS, "by bytes in pipes was killed"),
    ("shell-last", "kernel/proc/oom.c", "    return process->pid == 1 || process_is_init(process) ||", "    return false &&", ATTACKS,
     "a leader of a session that holds most|the program runs to its end"),
    ("reserve", "mm/page_init.c", "reserve_frames = MIN(MAX(", "reserve_frames = 0 * MIN(MAX(", ATTACKS, "page tables are made out of the reserve"),
    ("reserve-for-stacks", "mm/page_alloc.c", "type == PAGE_SLAB || type == PAGE_KERNEL;", "type == PAGE_SLAB;", ATTACKS,
     "their stacks come out of the reserve"),
    ("reserve-for-page-tables", "mm/page_alloc.c", "return type == PAGE_TABLE || type", "return type", ATTACKS,
     "page tables are made out of the reserve"),
    ("reserve-for-objects", "mm/page_alloc.c", "|| type == PAGE_SLAB ||", "||", ATTACKS, "objects of the kernel come out of the reserve"),
    ("reserve-for-copies", "kernel/proc/oom.c", "reserve_frames = reserve / 2;", "reserve_frames = reserve;", ATTACKS,
     "a copy to a page that is not there yet"),
    ("epoll-paths", "kernel/fs/epoll.c", "if (epoll_has_too_many_paths(epoll, file))", "if (false)", "guest epoll", "500 ways lead"),
    ("no-node-left", "mm/page_tree.c", "            tree->height = height_for(index);", "            tree->height = 1;", "host page_tree",
     "a_tree_that_begins_far_away_leaves_nothing"),
    # --- broken files -----------------------------------------------------------------------------------------------------------
    ("elf-segments", "kernel/proc/elf.c", "    return start < TASK_SIZE && segment->filesz", "    return segment->filesz", "host elf",
     "a_segment_must_lie_in_the_user_half"),
    ("archive-checksum", "kernel/fs/ustar.c", "    if (!checksum_is_right(header))", "    if (false)", "host ustar",
     "a_damaged_archive_is_not_read_on"),
)
