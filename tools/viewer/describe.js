/* Says in words what an event is: a short line for the list, a sentence, and its details. */
"use strict";
const timeline = globalThis.timeline ??= {};
const { PAGE, entryFrame, entryBits, ENTRY } = timeline;

/* What each outcome of the fault path means (enum fault_outcome, mm/fault.h). */
const OUTCOMES = {
    zero_page: "The first touch was a read: the page now maps the zero frame, read-only.",
    new_page: "The first touch was a write: the page gets a fresh, zeroed frame.",
    zero_replaced: "A write to a page that was only read so far: a fresh, zeroed frame takes the zero frame's place.",
    cow_copied: "A write to a frame that others map too: this page gets a copy of its own.",
    cow_reused: "A write to a frame that nobody else maps any more: the page just becomes writable.",
    file_mapped: "A page of a file: its frame in the page cache is mapped.",
    file_copied: "A write to a private page of a file: it gets a copy.",
    shared_mapped: "A page of shared memory: the object's frame is mapped.",
    spurious: "The entry already allows it, so there was nothing to do.",
    no_mapping: "Refused: no VMA covers the address.",
    below_stack: "Refused: the address lies below a stack that can't grow that far.",
    not_readable: "Refused: the VMA does not allow reading.",
    not_writable: "Refused: the VMA does not allow writing.",
    not_executable: "Refused: the VMA does not allow execution.",
    kernel_address: "Refused: the address belongs to the kernel.",
    beyond_file: "Refused: the page lies beyond the end of the file.",
    out_of_memory: "There was no frame left.",
};

const SIGNALS = { 1: "SIGHUP", 2: "SIGINT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
                  10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 17: "SIGCHLD" };
const TABLES = ["", "page table", "page directory", "page-directory-pointer table", "PML4"];
const TYPES = { anon: "anonymous memory", table: "a page table", slab: "room for kernel objects", kernel: "kernel memory",
                file: "a page of a file", shmem: "a page of shared memory" };
const ERROR_WRITE = 2, ERROR_USER = 4, ERROR_INSTRUCTION = 16;

const hex = number => "0x" + number.toString(16);

const rights = flags => (flags & 1 ? "r" : "-") + (flags & 2 ? "w" : "-") + (flags & 4 ? "x" : "-") + (flags & 8 ? "s" : "p");

/* BYTES as 4 KiB, 1.5 GiB. */
function size(bytes) {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    for (; bytes >= 1024 && unit < units.length - 1; unit++)
        bytes /= 1024;
    return `${Number(bytes.toFixed(1))} ${units[unit]}`;
}

const plural = (count, thing) => `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;

/* The bits of a packed entry by name. */
function bitNames(entry) {
    const names = [["PRESENT", "present"], ["WRITE", "write"], ["USER", "user"], ["ACCESSED", "accessed"], ["DIRTY", "dirty"],
                   ["NO_EXECUTE", "no execute"]];
    const bits = entryBits(entry);
    if (!(bits & ENTRY.PRESENT))
        return bits & ENTRY.PROTNONE ? "nobody may touch it" : "not present";
    return names.filter(([bit]) => bits & ENTRY[bit]).map(([, name]) => name).join(", ");
}

const entryText = entry => entry === 0 ? "empty" : `frame ${hex(entryFrame(entry))} (${bitNames(entry)})`;

function access(error) {
    const what = error & ERROR_INSTRUCTION ? "executed" : error & ERROR_WRITE ? "wrote to" : "read";
    return error & ERROR_USER ? what : `had the kernel ${what === "wrote to" ? "write to" : "read"}`;
}

const span = (journal, i, at = 0) => `${journal.hex(i, at)}–${journal.hex(i, at + 1)}`;
const area = (journal, i, at = 0) =>
    `${span(journal, i, at)} ${rights(journal.low(i, at + 2))}, ${size(journal.number(i, at + 1) - journal.number(i, at))}`;
const frames = (journal, i) => {
    const count = 1 << journal.low(i, 1), first = journal.number(i, 0);
    return count === 1 ? `frame ${hex(first)}` : `frames ${hex(first)}–${hex(first + count - 1)}`;
};
const typeName = (journal, i) => TYPES[journal.about.types[journal.low(i, 2)]] ?? journal.about.types[journal.low(i, 2)];
const callName = (journal, i) => journal.about.calls[journal.low(i, 0)] ?? `system call ${journal.low(i, 0)}`;

/* For addresses below the kernel's half only; above, hexadecimal is all there is. */
function result(journal, i) {
    const value = journal.signed(i, 7);
    return Math.abs(value) > 0xffffff ? journal.hex(i, 7) : String(value);
}

/* kind → the short text beside its name, without the kind */
const short = {
    fault: (j, i) => `${j.about.outcomes[j.low(i, 5)]} ${j.hex(i, 0)}`,
    syscall: (j, i) => `${callName(j, i)} = ${result(j, i)}`,
    vma_add: (j, i) => `${span(j, i)} ${rights(j.low(i, 2))}`,
    vma_delete: (j, i) => `${span(j, i)} ${rights(j.low(i, 2))}`,
    vma_change: (j, i) => `${span(j, i, 3)} ${rights(j.low(i, 5))}`,
    vma_split: (j, i) => `at ${j.hex(i, 3)}`,
    vma_merge: (j, i) => `${span(j, i)} ${rights(j.low(i, 2))}`,
    table_alloc: (j, i) => `level ${j.low(i, 1)}, frame ${j.hex(i, 0)}`,
    table_free: (j, i) => `level ${j.low(i, 1)}, frame ${j.hex(i, 0)}`,
    pte: (j, i) => `${j.hex(i, 0)} → ${j.entry(i, 2) ? `frame ${hex(entryFrame(j.entry(i, 2)))}` : "empty"}`,
    frame_alloc: (j, i) => `${frames(j, i)}, ${j.about.types[j.low(i, 2)]}`,
    frame_free: (j, i) => `${frames(j, i)}, ${j.about.types[j.low(i, 2)]}`,
    process: (j, i) => `${j.about.steps[j.low(i, 0)]} ${j.number(i, 1)}`,
    signal: (j, i) => SIGNALS[j.low(i, 0)] ?? `signal ${j.low(i, 0)}`,
};

const HEADINGS = {
    syscall: "System call", vma_add: "A new VMA", vma_delete: "A VMA goes", vma_change: "A VMA changes", vma_split: "A VMA is split",
    vma_merge: "VMAs are joined", table_alloc: "A new page table", table_free: "A page table goes", pte: "A page-table entry changes",
    frame_alloc: "Frames are taken", frame_free: "Frames are given back", process: "Process", signal: "Signal",
};

function heading(journal, i) {
    const kind = journal.kindOf(i);
    return kind === "fault" ? `Page fault: ${journal.about.outcomes[journal.low(i, 5)].replaceAll("_", " ")}` : HEADINGS[kind];
}

const who = (j, i) => j.pids[i] ? `Process ${j.pids[i]}` : "The kernel";

/* kind → a sentence */
const sentences = {
    fault: (j, i) => `${who(j, i)} ${access(j.low(i, 1))} ${j.hex(i, 0)}. ${OUTCOMES[j.about.outcomes[j.low(i, 5)]] ??
        j.about.outcomes[j.low(i, 5)]}`,
    syscall: (j, i) => `${who(j, i)} called ${callName(j, i)}; the result is ${result(j, i)}.`,
    vma_add: (j, i) => `${who(j, i)} promised memory: a new VMA, ${area(j, i)}. No frame is taken for it yet.`,
    vma_delete: (j, i) => `${who(j, i)} took a promise back: the VMA ${area(j, i)} is gone.`,
    vma_change: (j, i) => `${who(j, i)} changed a VMA: from ${area(j, i)} to ${area(j, i, 3)}.`,
    vma_split: (j, i) => `${who(j, i)} split the VMA ${area(j, i)} at ${j.hex(i, 3)}.`,
    vma_merge: (j, i) => `${who(j, i)} joined neighbours: one VMA, ${area(j, i)}.`,
    table_alloc: (j, i) => `${who(j, i)} needed a ${TABLES[j.low(i, 1)]} for the addresses from ${j.hex(i, 2)}: it stands in frame ${
        j.hex(i, 0)}.`,
    table_free: (j, i) => `${who(j, i)} gave back the ${TABLES[j.low(i, 1)]} in frame ${j.hex(i, 0)}.`,
    pte: (j, i) => `The page-table entry of ${j.hex(i, 0)} changed: ${entryText(j.entry(i, 1))} → ${entryText(j.entry(i, 2))}.`,
    frame_alloc: (j, i) => `${who(j, i)} took ${frames(j, i)} as ${typeName(j, i)}.`,
    frame_free: (j, i) => `${who(j, i)} gave back ${frames(j, i)}, which had been ${typeName(j, i)}.`,
    process: (j, i) => ({
        start: `Process ${j.number(i, 1)} starts: the first one.`,
        fork: `Process ${j.signed(i, 2)} forked: the child is process ${j.number(i, 1)}.`,
        exec: `Process ${j.number(i, 1)} runs a new program.`,
        exit: `Process ${j.number(i, 1)} ended, with wait status ${j.signed(i, 2)}.`,
    })[j.about.steps[j.low(i, 0)]] ?? "",
    signal: (j, i) => `${who(j, i)} gets ${SIGNALS[j.low(i, 0)] ?? `signal ${j.low(i, 0)}`}, code ${j.signed(i, 1)}.`,
};

/* [name, text] of what the sentence leaves out. */
function details(journal, i) {
    const kind = journal.kindOf(i);
    if (kind === "fault")
        return [["instruction", journal.hex(i, 2)],
                ["VMA", journal.number(i, 4) ? span(journal, i, 3) : "none"],
                ["entry before", entryText(journal.entry(i, 6))], ["entry after", entryText(journal.entry(i, 7))]];
    if (kind === "syscall")
        return [["arguments", [1, 2, 3, 4, 5, 6].map(at => journal.hex(i, at)).join("  ")]];
    return [];
}

/* The page and frame that event I is about: { page, frame }, each -1 when there is none. */
function subject(journal, i) {
    const kind = journal.kindOf(i), none = { page: -1, frame: -1 };
    const frameOf = entry => entry ? entryFrame(entry) : -1;
    if (kind === "fault")
        return { page: journal.isKernel(i, 0) ? -1 : journal.page(i, 0), frame: frameOf(journal.entry(i, 7)) };
    if (kind === "pte")
        return { page: journal.page(i, 0), frame: frameOf(journal.entry(i, 2) || journal.entry(i, 1)) };
    if (kind.startsWith("frame_") || kind.startsWith("table_"))
        return { page: -1, frame: journal.number(i, 0) };
    return none;
}

/* The ranges of addresses that event I names, as [start, end) pairs of user addresses. */
function ranges(journal, i) {
    const kind = journal.kindOf(i), number = at => journal.number(i, at);
    if (kind === "fault" || kind === "pte")
        return [[journal.page(i, 0) * PAGE, journal.page(i, 0) * PAGE + PAGE]];
    if (kind === "vma_change")
        return [[number(0), number(1)], [number(3), number(4)]];
    if (kind.startsWith("vma_"))
        return [[number(0), number(1)]];
    if (kind === "signal")
        return [[number(2), number(2) + 1]];
    if (kind === "syscall")
        return [1, 2, 3, 4, 5, 6, 7].map(at => [number(at), number(at) + 1]);
    return [];
}

/* The frames that event I names. */
function framesOf(journal, i) {
    const kind = journal.kindOf(i), list = [];
    const add = entry => entry && list.push([entryFrame(entry), entryFrame(entry)]);
    if (kind === "fault") {
        add(journal.entry(i, 6));
        add(journal.entry(i, 7));
    } else if (kind === "pte") {
        add(journal.entry(i, 1));
        add(journal.entry(i, 2));
    } else if (kind.startsWith("frame_")) {
        list.push([journal.number(i, 0), journal.number(i, 0) + (1 << journal.low(i, 1)) - 1]);
    } else if (kind.startsWith("table_")) {
        list.push([journal.number(i, 0), journal.number(i, 0)]);
    }
    return list;
}

/*
 * Does event I have to do with what QUERY seeks, { address } or { frame }? The addresses of events lie in pages, VMAs
 * and arguments, so that an address finds the promise, the fault and the call.
 */
function concerns(journal, i, query) {
    if (query.address !== undefined)
        return ranges(journal, i).some(([start, end]) =>
            start <= query.address && query.address < end || Math.floor(start / PAGE) === Math.floor(query.address / PAGE));
    return framesOf(journal, i).some(([first, last]) => first <= query.frame && query.frame <= last);
}

/* What a person typed: { address }, { frame }, null for nothing, or undefined for something else. */
function parseQuery(text) {
    text = text.trim();
    if (!text)
        return null;
    const match = /^frame\s*(0x[0-9a-f]{1,13}|\d+)$/i.exec(text) ?? /^(\d+)$/.exec(text);
    if (match)
        return { frame: Number(match[1]) };
    if (/^(0x)?[0-9a-f]{1,13}$/i.test(text))
        return { address: parseInt(text.replace(/^0x/i, ""), 16) };
    return undefined;
}

timeline.describe = {
    hex, rights, size, plural, entryText, bitNames, heading, details, subject, concerns, parseQuery, OUTCOMES,
    short: (journal, i) => short[journal.kindOf(i)](journal, i),
    sentence: (journal, i) => sentences[journal.kindOf(i)](journal, i),
};
