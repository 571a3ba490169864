/* The address space as a ribbon and page by page, and the tree of page tables, as elements and as text. */
"use strict";
const timeline = globalThis.timeline ??= {};
const { describe, PAGE, VM, entryFrame, ENTRY, entryBits } = timeline;

const MOST_CELLS = 320, MOST_AREAS = 60, MOST_TABLES = 48, MOST_ENTRIES = 128;
const SHORTEST_FOLD = 12;
const TABLE_NAMES = ["", "PT", "PD", "PDPT", "PML4"];
const ENTRIES = 512;

/* What a page or a frame can be: [letter, name]. The class name chooses the colour. */
const LOOKS = {
    promised: ["·", "promised, nothing there yet"],
    zero: ["z", "zero frame"],
    anon: ["a", "anonymous, private"],
    cow: ["c", "copy-on-write, several users"],
    file: ["f", "file"],
    shmem: ["s", "shared memory"],
    table: ["T", "page table"],
    slab: ["k", "kernel objects"],
    kernel: ["K", "kernel"],
    free: ["·", "free"],
};

function make(name, className, text) {
    const element = document.createElement(name);
    element.className = className;
    if (text !== undefined)
        element.textContent = text;
    return element;
}

/* The look of FRAME in STATE. */
function frameLook(state, frame) {
    const journal = state.journal, type = journal.about.types[state.frameTypes[frame] - 1], users = state.users.get(frame);
    if (frame === journal.zeroFrame)
        return "zero";
    if (type === "anon")
        return users > 1 ? "cow" : "anon";
    if (type)
        return LOOKS[type] ? type : "kernel";
    return users ? "file" : "free";
}

/* The look of the page of VMA (null: none) that ENTRY (undefined: none) maps. */
function pageLook(state, vma, entry) {
    if (entry === undefined)
        return "promised";
    const look = frameLook(state, entryFrame(entry));
    return look === "file" && (vma?.anonymous || !state.journal.has("frame_alloc") && vma?.flags & VM.WRITE) ? "anon" : look;
}

function areaName(vma) {
    if (vma.flags & VM.GROWSDOWN)
        return "stack";
    if (vma.flags & VM.SHARED)
        return "shared";
    if (vma.anonymous)
        return "anonymous";
    return vma.flags & VM.EXEC ? "text" : vma.flags & VM.WRITE ? "data" : "file";
}

function pageCell(state, vma, page, entry) {
    const look = pageLook(state, vma, entry), cell = make("span", `cell look-${look}`, LOOKS[look][0]);
    cell.dataset.page = page;
    if (entry !== undefined)
        cell.dataset.frame = entryFrame(entry);
    cell.title = `${describe.hex(page * PAGE)}: ${entry === undefined ? "promised" : describe.entryText(entry)}`;
    return cell;
}

/* The numbers of the pages of SPACE that have an entry, in order. */
const sortedPages = space => Float64Array.from(space.entries.keys()).sort();

/* The place in PAGES of the first that is at least PAGE. */
function lowerBound(pages, page) {
    let low = 0, high = pages.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (pages[middle] >= page)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* At most COUNT of the places 0…LENGTH, around PLACE: [first, end). */
function around(place, length, count) {
    const first = Math.max(0, Math.min(place - Math.floor(count / 2), length - count));
    return [first, Math.min(length, first + count)];
}

/* ---- the ribbon ---- */

function ribbon(space, pages, subject) {
    const parts = [];
    let end = 0;
    for (const vma of space.vmas) {
        if (vma.start > end) {
            const gap = make("span", "gap");
            gap.title = `nothing for ${describe.size(vma.start - end)}`;
            parts.push(gap);
        }
        end = vma.end;
        const count = (vma.end - vma.start) / PAGE, name = areaName(vma), part = make("span", `part area-${name}`);
        const resident = lowerBound(pages, vma.end / PAGE) - lowerBound(pages, vma.start / PAGE);
        part.style.flexGrow = 1 + Math.log2(count);
        part.title = `${describe.hex(vma.start)}–${describe.hex(vma.end)} ${describe.rights(vma.flags)} ${name}, ${
            describe.size(vma.end - vma.start)}, ${describe.plural(resident, "page")} there`;
        const fill = make("span", "fill");
        fill.style.width = `${100 * resident / count}%`;
        if (subject >= vma.start / PAGE && subject < vma.end / PAGE)
            part.classList.add("subject");
        part.append(fill, make("span", "name", name));
        parts.push(part);
    }
    return parts;
}

/* ---- page by page ---- */

function areaCells(state, space, vma, pages, subject) {
    const first = vma.start / PAGE, last = vma.end / PAGE, cells = [];
    const [from, to] = [lowerBound(pages, first), lowerBound(pages, last)];
    const [shownFrom, shownTo] = around(lowerBound(pages, subject), to, MOST_CELLS).map(place => Math.max(from, place));
    if (shownFrom > from)
        cells.push(make("span", "fold", `${describe.plural(shownFrom - from, "page")} more`));
    const promised = (start, end) => {
        if (end - start < SHORTEST_FOLD)
            for (let page = start; page < end; page++)
                cells.push(pageCell(state, vma, page));
        else
            cells.push(make("span", "fold", `${(end - start).toLocaleString("en")} promised`));
    };
    let next = shownFrom > from ? pages[shownFrom] : first;
    for (let place = shownFrom; place < shownTo; place++) {
        promised(next, pages[place]);
        cells.push(pageCell(state, vma, pages[place], space.entries.get(pages[place])));
        next = pages[place] + 1;
    }
    if (shownTo < to)
        cells.push(make("span", "fold", `${describe.plural(to - shownTo, "page")} more`));
    else
        promised(next, last);
    return cells;
}

function areas(state, space, pages, subject) {
    const [first, end] = around(space.placeOf(Math.max(0, subject) * PAGE), space.vmas.length, MOST_AREAS), rows = [];
    if (first > 0)
        rows.push(make("div", "more", `${describe.plural(first, "VMA")} below`));
    for (const vma of space.vmas.slice(first, end)) {
        const row = make("div", "area"), cells = make("span", "cells");
        if (subject >= vma.start / PAGE && subject < vma.end / PAGE)
            row.classList.add("subject");
        cells.append(...areaCells(state, space, vma, pages, subject));
        row.append(make("span", `swatch area-${areaName(vma)}`), make("span", "address", describe.hex(vma.start)),
                   make("span", "rights", describe.rights(vma.flags)), make("span", "what", areaName(vma)),
                   make("span", "size", describe.size(vma.end - vma.start)), cells);
        row.title = `${describe.hex(vma.start)}–${describe.hex(vma.end)}`;
        rows.push(row);
    }
    if (end < space.vmas.length)
        rows.push(make("div", "more", `${describe.plural(space.vmas.length - end, "VMA")} above`));
    return rows;
}

function areasText(state, space, pages) {
    return space.vmas.map(vma => {
        const there = pages.slice(lowerBound(pages, vma.start / PAGE), lowerBound(pages, vma.end / PAGE));
        const lines = [...there.slice(0, MOST_CELLS)].map(page => {
            const entry = space.entries.get(page);
            return `    ${describe.hex(page * PAGE)} ${describe.entryText(entry)}: ${LOOKS[pageLook(state, vma, entry)][1]}`;
        });
        if (there.length > MOST_CELLS)
            lines.push(`    and ${describe.plural(there.length - MOST_CELLS, "page")} more`);
        return [`${describe.hex(vma.start)}-${describe.hex(vma.end)} ${describe.rights(vma.flags)} ${areaName(vma)}, ${
            describe.size(vma.end - vma.start)}, ${describe.plural(there.length, "page")} there`, ...lines].join("\n");
    }).join("\n") || "no VMA";
}

/* ---- page tables ---- */

const span = level => PAGE * ENTRIES ** level;

/* The tables of SPACE from the top down, each before those that hang on it. */
function tableList(space) {
    const list = [...space.tables].map(([frame, table]) => ({ frame, ...table }));
    list.sort((one, other) => one.address - other.address || other.level - one.level);
    return [{ frame: space.pgd, level: 4, address: 0 }, ...list];
}

const indexIn = (address, level) => Math.floor(address / span(level - 1)) % ENTRIES;

function tableEntries(state, space, table, pages, subject) {
    const first = lowerBound(pages, table.address / PAGE), end = lowerBound(pages, table.address / PAGE + ENTRIES);
    const [from, to] = around(lowerBound(pages, subject), end, MOST_ENTRIES).map(place => Math.max(first, place)), cells = [];
    for (const page of pages.slice(from, to)) {
        const entry = space.entries.get(page), cell = pageCell(state, space.find(page * PAGE), page, entry);
        cell.classList.add("entry");
        cell.title = `entry ${page % ENTRIES}: ${cell.title}`;
        cell.textContent = page % ENTRIES;
        cell.classList.toggle("writable", (entryBits(entry) & ENTRY.WRITE) !== 0);
        cells.push(cell);
    }
    if (to - from < end - first)
        cells.push(make("span", "fold", `${end - first - (to - from)} more`));
    return cells;
}

function tables(state, space, pages, subject) {
    const list = tableList(space), at = list.findLastIndex(table => table.address <= Math.max(0, subject) * PAGE);
    const [first, end] = around(at, list.length, MOST_TABLES), rows = [];
    if (first > 0)
        rows.push(make("div", "more", `${describe.plural(first, "table")} below`));
    for (const table of list.slice(first, end)) {
        const row = make("div", `level level-${table.level}`), name = make("span", "table look-table", TABLE_NAMES[table.level]);
        name.dataset.frame = table.frame;
        if (subject >= 0 && subject * PAGE >= table.address && subject * PAGE < table.address + span(table.level))
            row.classList.add("subject");
        name.title = `${TABLE_NAMES[table.level]} in frame ${describe.hex(table.frame)}, from ${describe.hex(table.address)}`;
        row.append(make("span", "slot", table.level < 4 ? indexIn(table.address, table.level + 1) : ""), name,
                   make("span", "frame", `frame ${describe.hex(table.frame)}`));
        if (table.level > 1) {
            row.append(make("span", "address", `from ${describe.hex(table.address)}, ${describe.size(span(table.level - 1))} an entry`));
        } else {
            const cells = make("span", "cells");
            cells.append(...tableEntries(state, space, table, pages, subject));
            row.append(make("span", "address", describe.hex(table.address)), cells);
        }
        rows.push(row);
    }
    if (end < list.length)
        rows.push(make("div", "more", `${describe.plural(list.length - end, "table")} above`));
    return rows;
}

function tablesText(state, space, pages) {
    return tableList(space).map(table => {
        const indent = "  ".repeat(4 - table.level);
        const head = `${indent}${table.level < 4 ? `[${indexIn(table.address, table.level + 1)}] ` : ""}${
            TABLE_NAMES[table.level]} frame ${describe.hex(table.frame)} from ${describe.hex(table.address)}`;
        if (table.level > 1)
            return head;
        const there = pages.slice(lowerBound(pages, table.address / PAGE), lowerBound(pages, table.address / PAGE + ENTRIES));
        return [head, ...[...there].map(page => `${indent}  [${page % ENTRIES}] ${describe.hex(page * PAGE)} ${
            describe.entryText(space.entries.get(page))}`)].join("\n");
    }).join("\n");
}

timeline.panels = { LOOKS, make, frameLook, sortedPages, ribbon, areas, areasText, tables, tablesText };
