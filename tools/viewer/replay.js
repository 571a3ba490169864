/* What each kind of event does to the state, and the way to the state after any event. */
"use strict";
const timeline = globalThis.timeline ??= {};
const { State, VM, PAGE, entryFrame } = timeline;

const TOP_LEVEL = 4;
const SERIES_POINTS = 1000;
const LEAST_BETWEEN_KEYFRAMES = 2000;

/* ---- the events ---- */

const range = (journal, index, at = 0) => [journal.number(index, at), journal.number(index, at + 1),
                                           journal.low(index, at + 2)];

const processSteps = {
    start(state, pid, child) {
        state.processes.set(child, { parent: 0, ended: false, status: 0 });
    },
    fork(state, pid, child, parent) {
        const own = state.spaces.get(state.current.get(pid)), built = state.adopt(pid, child);
        if (!built && own)
            state.current.set(child, own.id);        /* a thread, or vfork */
        else if (built && own && !state.journal.has("pte"))
            state.copyEntries(own, built);
        state.processes.set(child, { parent, ended: false, status: 0 });
    },
    exec(state, pid, process) {
        const old = state.spaces.get(state.current.get(pid)), built = state.adopt(pid, process);
        if (built && old && old !== built && ![...state.current.values()].includes(old.id))
            state.dropSpace(old);
    },
    exit(state, pid, process, status) {
        state.processes.set(process, { parent: 0, ...state.processes.get(process), ended: true, status });
        const space = state.spaces.get(state.current.get(process));
        if (!space || state.journal.has("table_free"))
            return;
        state.current.delete(process);
        if (![...state.current.values()].includes(space.id))
            state.dropSpace(space);
    },
};

const handlers = {
    fault(state, journal, index, pid) {
        state.faults[journal.low(index, 5)]++;
        if (journal.isKernel(index, 0))
            return;
        const space = state.target(pid), start = journal.number(index, 3), end = journal.number(index, 4);
        if (end && !journal.has("vma_add") && !space.hasExactly(start, end))
            state.put(space, start, end, 0);
        if (!journal.has("pte"))
            state.setEntry(space, journal.page(index, 0), journal.entry(index, 7));
    },
    syscall() { },
    vma_add(state, journal, index, pid) {
        const [start, end, flags] = range(journal, index);
        let space = state.target(pid);
        /* Without the events of page tables, a VMA on top of another one is how a new space shows. */
        if (!journal.has("table_alloc") && !state.pending.has(pid) && space.vmas[space.placeOf(start)]?.start < end) {
            space = state.addSpace(-1);
            state.pending.set(pid, space.id);
        }
        state.put(space, start, end, flags, journal.number(index, 3) === start / PAGE && !(flags & VM.SHARED));
    },
    vma_delete(state, journal, index, pid) {
        const [start, end] = range(journal, index);
        const dying = space => space.hasExactly(start, end) && space.pgd >= 0 && space.tables.size === 0;
        const owner = state.choose(pid, dying);
        const space = dying(owner) ? owner : state.choose(pid, candidate => candidate.hasExactly(start, end));
        if (!journal.has("pte"))
            state.clearEntries(space, start, end);
        state.carve(space, start, end);
    },
    vma_change(state, journal, index, pid) {
        const [start, end] = range(journal, index), [newStart, newEnd, flags] = range(journal, index, 3);
        const space = state.choose(pid, candidate => candidate.hasExactly(start, end));
        if (!journal.has("pte")) {
            if (newStart > start)
                state.clearEntries(space, start, newStart);
            if (newEnd < end)
                state.clearEntries(space, newEnd, end);
        }
        const old = state.carve(space, start, end);
        state.put(space, newStart, newEnd, flags, old?.anonymous);
    },
    vma_split(state, journal, index, pid) {
        const [start, end, flags] = range(journal, index), at = journal.number(index, 3);
        const space = state.choose(pid, candidate => candidate.hasExactly(start, end));
        const old = state.carve(space, start, end);
        state.put(space, start, at, flags, old?.anonymous);
        state.put(space, at, end, flags, old?.anonymous);
    },
    vma_merge(state, journal, index, pid) {
        const [start, end, flags] = range(journal, index);
        state.put(state.target(pid), start, end, flags);
    },
    table_alloc(state, journal, index, pid) {
        const frame = journal.number(index, 0), level = journal.low(index, 1);
        if (level === TOP_LEVEL)
            state.pending.set(pid, state.addSpace(frame).id);
        else if (!journal.isKernel(index, 2))
            state.target(pid).tables.set(frame, { level, address: journal.number(index, 2) });
    },
    table_free(state, journal, index) {
        const frame = journal.number(index, 0), level = journal.low(index, 1);
        for (const space of state.spaces.values()) {
            if (level === TOP_LEVEL && space.pgd === frame)
                state.dropSpace(space);
            else if (space.tables.delete(frame) && level === 1 && !journal.has("pte"))
                state.clearEntries(space, journal.number(index, 2), journal.number(index, 2) + 512 * PAGE);
        }
    },
    pte(state, journal, index, pid) {
        const page = journal.page(index, 0), before = journal.entry(index, 1), after = journal.entry(index, 2);
        const space = before === 0 ? state.target(pid) :
            state.choose(pid, candidate => entryFrame(candidate.entries.get(page) ?? 0) === entryFrame(before));
        state.setEntry(space, page, after);
    },
    frame_alloc(state, journal, index) {
        state.takeFrames(journal.number(index, 0), 1 << journal.low(index, 1), journal.low(index, 2), 1);
    },
    frame_free(state, journal, index) {
        state.takeFrames(journal.number(index, 0), 1 << journal.low(index, 1), journal.low(index, 2), -1);
    },
    process(state, journal, index, pid) {
        const step = processSteps[journal.about.steps[journal.low(index, 0)]];
        step?.(state, pid, journal.number(index, 1), journal.signed(index, 2));
    },
    signal() { },
};

timeline.handlers = handlers;

/* ---- going to any event ---- */

class Replay {
    /* Runs through the whole journal once, keeping copies of the state and the lines for the plots. */
    constructor(journal) {
        this.journal = journal;
        this.keyframes = [];
        const points = Math.min(SERIES_POINTS, journal.length);
        this.series = { at: [], mapped: [], resident: [], taken: [], tables: [], faults: [] };
        const state = new State(journal), tableType = journal.about.types.indexOf("table");
        let sinceKeyframe = Infinity, point = 1;
        for (let index = 0; index < journal.length; index++) {
            if (sinceKeyframe >= LEAST_BETWEEN_KEYFRAMES && sinceKeyframe >= state.weight()) {
                this.keyframes.push(state.clone());
                sinceKeyframe = 0;
            }
            state.apply(index);
            sinceKeyframe++;
            if (index + 1 >= point * journal.length / points) {
                point++;
                this.series.at.push(index);
                this.series.mapped.push(state.mapped);
                this.series.resident.push(state.resident);
                this.series.taken.push(state.taken.reduce((sum, count) => sum + count, 0));
                this.series.tables.push(tableType < 0 ? 0 : state.taken[tableType]);
                this.series.faults.push(state.faults.slice());
            }
        }
        this.state = state;
    }

    /* The state after event INDEX. It is this object's own: to be looked at, until the next call. */
    seek(index) {
        let low = 0, high = this.keyframes.length - 1;
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (this.keyframes[middle].position < index)
                low = middle;
            else
                high = middle - 1;
        }
        const keyframe = this.keyframes[low];
        if (this.state.position > index || this.state.position < keyframe.position)
            this.state = keyframe.clone();
        for (let next = this.state.position + 1; next <= index; next++)
            this.state.apply(next);
        return this.state;
    }
}

timeline.Replay = Replay;
