/* The run as small plots, each with a line where we are; a click goes to that place. */
"use strict";
const timeline = globalThis.timeline ??= {};
const { describe, PAGE } = timeline;

const WIDTH = 300, HEIGHT = 64;
/* The outcomes that stand apart in the plot of faults; the others are one line. */
const LINES = 5;

const svg = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes))
        element.setAttribute(key, value);
    return element;
};

/* The way from point to point; LOGARITHMIC for values that differ by orders of magnitude. */
function path(values, max, logarithmic) {
    const scale = value => logarithmic ? Math.log2(1 + value) / Math.log2(1 + max) : value / max;
    return values.map((value, i) => `${i ? "L" : "M"}${(i + 1) / values.length * WIDTH} ${
        (HEIGHT - 2 - (max ? scale(value) : 0) * (HEIGHT - 6)).toFixed(1)}`).join("");
}

class Plots {
    /* JUMP is called with the index of the event at the place that was clicked. */
    constructor(element, replay, jump) {
        this.replay = replay;
        this.cursors = [];
        const { series } = replay, outcomes = replay.journal.about.outcomes, last = series.faults.at(-1);
        const order = outcomes.map((_, i) => i).filter(i => last[i]).sort((a, b) => last[b] - last[a]);
        const faults = order.slice(0, LINES - 1).map(i =>
            [outcomes[i].replaceAll("_", " "), series.faults.map(all => all[i]), state => state.faults[i]]);
        const others = order.slice(LINES - 1), rest = all => others.reduce((sum, i) => sum + all[i], 0);
        if (others.length)
            faults.push(["others", series.faults.map(all => rest(all)), state => rest(state.faults)]);
        const bytes = pages => describe.size(pages * PAGE), count = value => value.toLocaleString("en");
        const most = series.taken.reduce((a, b) => Math.max(a, b)), tables = replay.journal.about.types.indexOf("table");
        this.plots = [
            this.plot("Mapped and resident", [["mapped", series.mapped, state => state.mapped],
                                               ["resident", series.resident, state => state.resident]], bytes, true),
            this.framesFree(series, most, count),
            this.plot("Faults by outcome", faults, count),
            this.plot("Page-table frames", [["tables", series.tables, state => state.taken[tables] ?? 0]], count),
        ];
        element.replaceChildren(...this.plots.map(plot => plot.figure));
        element.addEventListener("click", event => {
            const picture = event.target.closest("svg");
            if (!picture)
                return;
            const box = picture.getBoundingClientRect();
            jump(Math.round((event.clientX - box.left) / box.width * (replay.journal.length - 1)));
        });
    }

    /* The line runs between the fewest and the most, for most of memory is never touched. */
    framesFree(series, most, count) {
        const free = this.replay.journal.about.framesFree, line = series.taken.map(taken => most - taken);
        const taken = state => state.taken.reduce((sum, frames) => sum + frames, 0);
        if (free === null)
            return this.plot("Frames free, against the fewest", [["free", line, state => most - taken(state)]], count);
        return this.plot("Frames free", [["free", line, state => free - taken(state)]],
            value => `${count(value)} of ${count(free)}, at the least ${count(free - most)}`);
    }

    plot(title, lines, format, logarithmic = false) {
        const figure = document.createElement("figure"), caption = document.createElement("figcaption");
        const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
        const max = Math.max(1, ...lines.map(([, values]) => values.reduce((a, b) => Math.max(a, b), 0)));
        lines.forEach(([, values], i) => {
            const line = path(values, max, logarithmic);
            if (lines.length === 1)
                picture.append(svg("path", { d: `${line}V${HEIGHT}H0Z`, class: "fill line-0" }));
            picture.append(svg("path", { d: line, class: `line line-${i}` }));
        });
        const cursor = svg("line", { y1: 0, y2: HEIGHT, class: "cursor" });
        picture.append(cursor);
        this.cursors.push(cursor);
        const heading = document.createElement("h2"), values = document.createElement("p");
        heading.textContent = title;
        caption.append(heading, values);
        figure.append(caption, picture);
        return { figure, lines, format, values };
    }

    /* Shows the values at event INDEX, after which the machine is in STATE. */
    show(index, state) {
        const x = (index + 1) / this.replay.journal.length * WIDTH;
        for (const cursor of this.cursors) {
            cursor.setAttribute("x1", x);
            cursor.setAttribute("x2", x);
        }
        for (const plot of this.plots)
            plot.values.replaceChildren(...plot.lines.map(([name, , value], i) => {
                const label = document.createElement("span");
                label.className = `line-${i}`;
                label.textContent = `${name} ${plot.format(value(state))}`;
                return label;
            }));
    }
}

timeline.Plots = Plots;
