/* The state of the machine: address spaces, frames and processes, and the ways in which events change it. */
"use strict";
const timeline = globalThis.timeline ??= {};
const { ENTRY, PAGE, entryFrame, entryBits } = timeline;

const VM = { READ: 1, WRITE: 2, EXEC: 4, SHARED: 8, GROWSDOWN: 0x100 };


/* One address space. VMAs are never changed, only replaced, so that copies may share them. */
class Space {
    constructor(id, pgd) {
        this.id = id;
        this.pgd = pgd;
        this.vmas = [];             /* by address: { start, end, flags, anonymous } */
        this.entries = new Map();   /* page number → packed entry */
        this.tables = new Map();    /* frame → { level, address } */
    }

    clone() {
        const copy = new Space(this.id, this.pgd);
        copy.vmas = this.vmas.slice();
        copy.entries = new Map(this.entries);
        copy.tables = new Map(this.tables);
        return copy;
    }

    /* The place of the first VMA that ends above ADDRESS. */
    placeOf(address) {
        let low = 0, high = this.vmas.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.vmas[middle].end > address)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    find(address) {
        const vma = this.vmas[this.placeOf(address)];
        return vma && vma.start <= address ? vma : null;
    }

    hasExactly(start, end) {
        const vma = this.find(start);
        return vma !== null && vma.start === start && vma.end === end;
    }

    /* Takes [start, end) away from the VMAs there, and returns the first of those. */
    carve(start, end) {
        const first = this.placeOf(start);
        let last = first;
        const left = [];
        for (; last < this.vmas.length && this.vmas[last].start < end; last++) {
            const vma = this.vmas[last];
            if (vma.start < start)
                left.push({ ...vma, end: start });
            if (vma.end > end)
                left.push({ ...vma, start: end });
        }
        return this.vmas.splice(first, last - first, ...left)[0];
    }

    insert(vma) {
        this.vmas.splice(this.placeOf(vma.start), 0, vma);
    }
}

class State {
    constructor(journal) {
        this.journal = journal;
        this.position = -1;                 /* the last event applied */
        this.nextId = 1;
        this.spaces = new Map();
        this.current = new Map();           /* process → the id of its space */
        this.pending = new Map();           /* process → the id of the space that it builds for fork or exec */
        this.processes = new Map();         /* process → { parent, ended, status } */
        this.frameTypes = new Uint8Array(journal.maxFrame + 1);   /* 0: not taken, else the type + 1 */
        this.users = new Map();             /* frame → how many entries map it */
        this.taken = new Array(journal.about.types.length).fill(0);
        this.faults = new Array(journal.about.outcomes.length).fill(0);
        this.mapped = this.resident = 0;    /* pages, of all spaces together */
    }

    clone() {
        const copy = Object.assign(Object.create(State.prototype), this);
        copy.spaces = new Map([...this.spaces].map(([id, space]) => [id, space.clone()]));
        for (const name of ["current", "pending", "processes", "users"])
            copy[name] = new Map(this[name]);
        for (const name of ["frameTypes", "taken", "faults"])
            copy[name] = this[name].slice();
        return copy;
    }

    /* About how much a copy costs, in events that could be replayed in that time. */
    weight() {
        let weight = this.users.size + (this.frameTypes.length >> 6);
        for (const space of this.spaces.values())
            weight += space.entries.size + space.vmas.length;
        return weight;
    }

    /* ---- which space ---- */

    addSpace(pgd) {
        const space = new Space(this.nextId++, pgd);
        this.spaces.set(space.id, space);
        return space;
    }

    dropSpace(space) {
        for (const page of [...space.entries.keys()])
            this.setEntry(space, page, 0);
        for (const vma of space.vmas)
            this.mapped -= (vma.end - vma.start) / PAGE;
        this.spaces.delete(space.id);
        for (const map of [this.current, this.pending])
            for (const [pid, id] of map)
                if (id === space.id)
                    map.delete(pid);
    }

    pendingOf(pid) {
        return this.spaces.get(this.pending.get(pid));
    }

    /* The space of process PID as a person means it: what it runs in, else what it builds; undefined: none. */
    spaceOf(pid) {
        return this.spaces.get(this.current.get(pid)) ?? this.pendingOf(pid);
    }

    /* The space in which PID changes things: the one that it builds, else its own. */
    target(pid) {
        let space = this.pendingOf(pid) ?? this.spaceOf(pid);
        if (!space) {
            space = this.addSpace(-1);
            this.current.set(pid, space.id);
        }
        return space;
    }

    /* Of the two spaces that PID may mean, the one for which HOLDS; else its target. */
    choose(pid, holds) {
        for (const space of [this.pendingOf(pid), this.spaces.get(this.current.get(pid))])
            if (space && holds(space))
                return space;
        return this.target(pid);
    }

    /* ---- changes ---- */

    setEntry(space, page, entry) {
        const old = space.entries.get(page);
        if (old !== undefined) {
            const frame = entryFrame(old), count = this.users.get(frame) - 1;
            this.resident--;
            if (count)
                this.users.set(frame, count);
            else
                this.users.delete(frame);
        }
        if (entry === 0) {
            space.entries.delete(page);
            return;
        }
        space.entries.set(page, entry);
        this.users.set(entryFrame(entry), (this.users.get(entryFrame(entry)) ?? 0) + 1);
        this.resident++;
    }

    clearEntries(space, start, end) {
        const first = start / PAGE, last = end / PAGE;
        if (last - first > space.entries.size) {
            for (const page of [...space.entries.keys()])
                if (page >= first && page < last)
                    this.setEntry(space, page, 0);
        } else {
            for (let page = first; page < last; page++)
                if (space.entries.has(page))
                    this.setEntry(space, page, 0);
        }
    }

    carve(space, start, end) {
        const pages = vmas => vmas.reduce((sum, vma) => sum + Math.min(end, vma.end) - Math.max(start, vma.start), 0);
        let there = 0;
        for (let i = space.placeOf(start); i < space.vmas.length && space.vmas[i].start < end; i++)
            there += pages([space.vmas[i]]);
        this.mapped -= there / PAGE;
        return space.carve(start, end);
    }

    put(space, start, end, flags, anonymous) {
        const old = this.carve(space, start, end);
        space.insert({ start, end, flags, anonymous: anonymous ?? old?.anonymous ?? false });
        this.mapped += (end - start) / PAGE;
    }

    takeFrames(first, count, type, sign) {
        this.taken[type] += sign * count;
        this.frameTypes.fill(sign > 0 ? type + 1 : 0, first, first + count);
    }

    /* A fork's child without page-table events: it maps the parent's anonymous pages, and neither may write to them. */
    copyEntries(from, to) {
        const anonymous = this.journal.about.types.indexOf("anon") + 1;
        for (const [page, entry] of [...from.entries]) {
            const frame = entryFrame(entry), vma = to.find(page * PAGE);
            if (!vma || vma.flags & VM.SHARED)
                continue;
            if (frame !== this.journal.zeroFrame && this.frameTypes[frame] !== anonymous)
                continue;
            const shared = entryBits(entry) & ENTRY.WRITE ? entry - ENTRY.WRITE : entry;
            this.setEntry(from, page, shared);
            this.setEntry(to, page, shared);
        }
    }

    /* PID now runs in the space that it built, if it built one. */
    adopt(builder, pid) {
        const space = this.pendingOf(builder);
        this.pending.delete(builder);
        if (space)
            this.current.set(pid, space.id);
        return space;
    }

    apply(index) {
        const journal = this.journal;
        timeline.handlers[journal.kindNames[journal.kinds[index]]](this, journal, index, journal.pids[index]);
        this.position = index;
    }
}

Object.assign(timeline, { State, VM });
