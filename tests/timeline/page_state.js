/*
 * Prints the state that a page's replay finds, as JSON: node page_state.js PAGE.html [SEQ | all]... For `all`, it goes to and fro
 * through the events and prints how many states differ from those of a replay that only went forward.
 */
"use strict";
const fs = require("fs"), path = require("path"), zlib = require("zlib");
const viewer = path.join(__dirname, "..", "..", "tools", "viewer");
for (const name of ["columns.js", "state.js", "replay.js"])
    require(path.join(viewer, name));
const { Journal, Replay, State, ENTRY, entryFrame, entryBits } = globalThis.timeline;

function open(file) {
    const page = fs.readFileSync(file, "utf8");
    const part = id => new RegExp(`<script[^>]* id="${id}">([^<]*)<`).exec(page)[1];
    const block = zlib.inflateSync(Buffer.from(part("columns"), "base64"));
    return new Journal(JSON.parse(part("about")), new Uint8Array(block).buffer);
}

function show(state) {
    const processes = {}, frames = [];
    for (const pid of state.processes.keys()) {
        const space = state.spaceOf(pid);
        if (!space)
            continue;
        processes[pid] = {
            top: space.pgd,
            vmas: space.vmas.map(vma => [vma.start, vma.end, vma.flags]),
            entries: [...space.entries].sort((one, other) => one[0] - other[0])
                .map(([page, entry]) => [page, entryFrame(entry), (entryBits(entry) & ENTRY.WRITE) !== 0]),
            tables: [...space.tables].map(([frame, { level, address }]) => [frame, level, address]).sort((one, other) => one[0] - other[0]),
        };
    }
    state.frameTypes.forEach((type, frame) => type && frames.push([frame, state.journal.about.types[type - 1]]));
    return { processes, frames, mapped: state.mapped, resident: state.resident,
             free: state.journal.about.framesFree - state.taken.reduce((sum, count) => sum + count, 0), taken: state.taken, faults: state.faults,
             users: [...state.users].sort((one, other) => one[0] - other[0]) };
}

/* Goes to COUNT events in an order that jumps about, and by single steps back. */
function differences(journal, count) {
    const replay = new Replay(journal), straight = new State(journal), wanted = new Map();
    const places = Array.from({ length: count }, (_, i) => Math.floor(i * (journal.length - 1) / (count - 1)));
    for (let index = 0; index < journal.length; index++) {
        straight.apply(index);
        if (places.includes(index))
            wanted.set(index, JSON.stringify(show(straight)));
    }
    const order = places.map((place, i) => places[(i * 7 + 3) % count]).concat([...places].reverse());
    return order.filter(index => JSON.stringify(show(replay.seek(index))) !== wanted.get(index)).length;
}

const journal = open(process.argv[2]), what = process.argv[3] ?? String(journal.seqs[journal.length - 1]);
if (what === "all")
    console.log(JSON.stringify({ differences: differences(journal, 41) }));
else
    console.log(JSON.stringify(show(new Replay(journal).seek(journal.indexOf(Number(what))))));
