/* The journal as columns of numbers, as tools/timeline packed them, and page-table entries as single numbers. */
"use strict";
const timeline = globalThis.timeline ??= {};

const HIGH = 4294967296;
const FIRST_KERNEL_HIGH = 0x80000000;

/* A page-table entry as one exact number: the frame, then the low 9 bits and no-execute. */
const ENTRY_BITS = 1024;
const ENTRY = { PRESENT: 1, WRITE: 2, USER: 4, ACCESSED: 32, DIRTY: 64, PROTNONE: 256, NO_EXECUTE: 512 };
const packEntry = (low, high) => low === 0 && high === 0 ? 0 :
    ((high & 0xfffff) * 1048576 + (low >>> 12)) * ENTRY_BITS + (low & 0x1ff) + (high >>> 31) * ENTRY.NO_EXECUTE;
const entryFrame = entry => Math.floor(entry / ENTRY_BITS);
const entryBits = entry => entry % ENTRY_BITS;

class Journal {
    /* ABOUT is what tools/timeline wrote beside the columns; BUFFER the columns themselves. */
    constructor(about, buffer) {
        let place = 0;
        const take = (Type, count) => {
            const array = new Type(buffer, place, count);
            place += Math.ceil(array.byteLength / 8) * 8;
            return array;
        };
        this.about = about;
        this.length = about.events;
        this.kindNames = about.kinds.map(kind => kind[0]);
        this.argumentNames = about.kinds.map(kind => kind[1]);
        this.kinds = take(Uint8Array, this.length);
        this.pids = take(Uint32Array, this.length);
        this.seqs = take(Uint32Array, this.length);
        /* Each argument takes two words, low and high. */
        this.columns = about.kinds.map((kind, number) => kind[1].map(() => take(Uint32Array, 2 * about.counts[number])));
        this.ranks = new Uint32Array(this.length);
        const used = new Array(about.kinds.length).fill(0);
        for (let i = 0; i < this.length; i++)
            this.ranks[i] = used[this.kinds[i]]++;
        this.zeroFrame = this.findZeroFrame();
        this.maxFrame = this.findMaxFrame();
    }

    has(...names) {
        return names.some(name => this.about.counts[this.kindNames.indexOf(name)] > 0);
    }

    kindOf(index) {
        return this.kindNames[this.kinds[index]];
    }

    low(index, argument) {
        return this.columns[this.kinds[index]][argument][2 * this.ranks[index]];
    }

    high(index, argument) {
        return this.columns[this.kinds[index]][argument][2 * this.ranks[index] + 1];
    }

    /* Exact below 2^53: for user addresses, frames, counts. */
    number(index, argument) {
        return this.high(index, argument) * HIGH + this.low(index, argument);
    }

    signed(index, argument) {
        return (this.high(index, argument) | 0) * HIGH + this.low(index, argument);
    }

    hex(index, argument) {
        const high = this.high(index, argument), low = this.low(index, argument).toString(16);
        return "0x" + (high ? high.toString(16) + low.padStart(8, "0") : low);
    }

    page(index, argument) {
        return this.high(index, argument) * 1048576 + (this.low(index, argument) >>> 12);
    }

    entry(index, argument) {
        return packEntry(this.low(index, argument), this.high(index, argument));
    }

    isKernel(index, argument) {
        return this.high(index, argument) >= FIRST_KERNEL_HIGH;
    }

    /* The event with sequence number SEQ, or the last one before it. */
    indexOf(seq) {
        let low = 0, high = this.length - 1;
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (this.seqs[middle] <= seq)
                low = middle;
            else
                high = middle - 1;
        }
        return low;
    }

    findZeroFrame() {
        const fault = this.kindNames.indexOf("fault"), outcome = this.about.outcomes.indexOf("zero_page");
        const outcomes = this.columns[fault][5], after = this.columns[fault][7];
        for (let i = 0; i < outcomes.length; i += 2)
            if (outcomes[i] === outcome)
                return entryFrame(packEntry(after[i], after[i + 1]));
        return -1;
    }

    findMaxFrame() {
        let max = this.zeroFrame;
        for (const name of ["frame_alloc", "frame_free", "table_alloc"]) {
            const column = this.columns[this.kindNames.indexOf(name)][0];
            for (let i = 0; i < column.length; i += 2)
                max = Math.max(max, column[i]);
        }
        for (const [name, argument] of [["pte", 2], ["fault", 7]]) {
            const column = this.columns[this.kindNames.indexOf(name)][argument];
            for (let i = 0; i < column.length; i += 2)
                max = Math.max(max, entryFrame(packEntry(column[i], column[i + 1])));
        }
        return max;
    }
}

Object.assign(timeline, { Journal, ENTRY, PAGE: 4096, entryFrame, entryBits, packEntry });
