/* The list of events: only the rows in sight exist, so that a million events cost no more than a hundred. */
"use strict";
const timeline = globalThis.timeline ??= {};

const ROW = 22;
/* Browsers lay out no element much taller than this; beyond, one row is less than one row's height of scrolling. */
const TALLEST = 8e6;

class EventList {
    /* CHOSEN is called with the index of an event that a person clicked. */
    constructor(element, journal, chosen) {
        this.element = element;
        this.spacer = element.querySelector("#spacer");
        this.rows = element.querySelector("#rows");
        this.journal = journal;
        this.shown = new Uint32Array(0);
        this.chosenIndex = -1;
        element.addEventListener("scroll", () => this.draw());
        this.height = element.clientHeight;
        new ResizeObserver(() => {
            this.height = element.clientHeight;
            this.draw();
        }).observe(element);
        this.rows.addEventListener("click", event => {
            const row = event.target.closest("[data-index]");
            if (row)
                chosen(Number(row.dataset.index));
        });
    }

    /* Shows the events of SHOWN: indices, in order. */
    setShown(shown) {
        this.shown = shown;
        this.spacer.style.height = `${Math.min(shown.length * ROW, TALLEST)}px`;
        this.draw();
    }

    /* The place in the list of event INDEX, or of the last before it; -1: none. */
    placeOf(index) {
        let low = -1, high = this.shown.length - 1;
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (this.shown[middle] <= index)
                low = middle;
            else
                high = middle - 1;
        }
        return low;
    }

    visibleRows() {
        return Math.max(1, Math.floor(this.height / ROW));
    }

    /* Scrolling and places: the whole way of the scroll bar is the whole list. */
    scale() {
        const way = Math.max(1, Math.min(this.shown.length * ROW, TALLEST) - this.height);
        return Math.max(1, this.shown.length - this.visibleRows()) / way;
    }

    choose(index) {
        this.chosenIndex = index;
        const place = this.placeOf(index), top = this.element.scrollTop * this.scale(), rows = this.visibleRows();
        if (place >= 0 && (place < top + 2 || place > top + rows - 3)) {
            this.element.scrollTop = Math.max(0, place - Math.floor(rows / 2)) / this.scale();
        }
        this.draw();
    }

    draw() {
        const scrolled = this.element.scrollTop, first = Math.max(0, Math.floor(scrolled * this.scale())), rows = [];
        for (let place = first; place < Math.min(this.shown.length, first + this.visibleRows() + 2); place++)
            rows.push(this.row(this.shown[place], place));
        this.rows.style.transform = `translateY(${scrolled}px)`;
        this.rows.replaceChildren(...rows);
        this.element.setAttribute("aria-activedescendant", this.chosenIndex >= 0 ? `event-${this.chosenIndex}` : "");
    }

    row(index, place) {
        const row = document.createElement("div"), journal = this.journal, kind = journal.kindOf(index);
        row.className = `row kind-${kind.split("_")[0]}`;
        row.id = `event-${index}`;
        row.dataset.index = index;
        row.setAttribute("role", "option");
        row.setAttribute("aria-setsize", this.shown.length);
        row.setAttribute("aria-posinset", place + 1);
        row.setAttribute("aria-selected", index === this.chosenIndex);
        for (const [name, text] of [["seq", journal.seqs[index]], ["pid", journal.pids[index] || "·"],
                                    ["kind", kind.replace("_", " ")], ["text", timeline.describe.short(journal, index)]]) {
            const cell = document.createElement("span");
            cell.className = name;
            cell.textContent = text;
            row.append(cell);
        }
        row.title = row.lastChild.textContent;
        return row;
    }
}

timeline.EventList = EventList;
