/* The grid of physical frames on a canvas: rows in which nothing ever happens are folded, and only those in sight are drawn. */
"use strict";
const timeline = globalThis.timeline ??= {};
const { panels, describe, entryFrame, packEntry, PAGE } = timeline;

const PER_ROW = 32, ROW = 13, FOLD = 14, LABEL = 54;
const MOST_USERS = 6, LEAST_WITH_LETTER = 8;
const FONT = "9px ui-monospace, 'DejaVu Sans Mono', monospace";

/* For each row of frames whether the journal ever says something about it. */
function rowsOf(journal) {
    const rows = new Uint8Array(Math.floor(journal.maxFrame / PER_ROW) + 1);
    const mark = frame => { rows[Math.floor(frame / PER_ROW)] = 1; };
    const columns = name => journal.columns[journal.kindNames.indexOf(name)];
    for (const name of ["frame_alloc", "frame_free"]) {
        const [frames, orders] = columns(name);
        for (let i = 0; i < frames.length; i += 2)
            for (let frame = frames[i]; frame < frames[i] + (1 << orders[i]); frame += PER_ROW)
                mark(frame);
    }
    const tables = columns("table_alloc")[0];
    for (let i = 0; i < tables.length; i += 2)
        mark(tables[i]);
    for (const column of [columns("pte")[2], columns("fault")[7]])
        for (let i = 0; i < column.length; i += 2)
            if (column[i] || column[i + 1])
                mark(entryFrame(packEntry(column[i], column[i + 1])));
    return rows;
}

class Frames {
    /* HOVER is called with the frame under the pointer or -1; CHOSEN with one that was clicked. */
    constructor(element, journal, hover, chosen) {
        this.element = element;
        this.canvas = element.querySelector("canvas");
        this.state = null;
        this.width = this.height = 0;
        this.lit = this.subject = -1;
        this.rows = [];
        let y = 2, last = -1;
        rowsOf(journal).forEach((used, row) => {
            if (!used)
                return;
            if (row > last + 1)
                y += FOLD;
            this.rows.push({ first: row * PER_ROW, y, folded: row - last - 1 });
            y += ROW;
            last = row;
        });
        element.querySelector("#frames-spacer").style.height = `${y + 4}px`;
        element.style.setProperty("--content", `${y + 4}px`);
        element.addEventListener("scroll", () => this.draw());
        const measure = () => {
            this.width = element.clientWidth;
            this.height = element.clientHeight;
            this.makeTiles();
            this.draw();
        };
        new ResizeObserver(measure).observe(element);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", measure);
        measure();
        this.canvas.addEventListener("mousemove", event => hover(this.frameAt(event)));
        this.canvas.addEventListener("mouseleave", () => hover(-1));
        this.canvas.addEventListener("click", event => this.frameAt(event) >= 0 && chosen(this.frameAt(event)));
    }

    cellWidth() {
        return Math.max(6, Math.min(ROW, Math.floor((this.width - LABEL - 4) / PER_ROW)));
    }

    frameAt(event) {
        const y = event.offsetY + this.element.scrollTop, column = Math.floor((event.offsetX - LABEL) / this.cellWidth());
        const row = this.rows[this.rowAt(y)];
        return row && y >= row.y && y < row.y + ROW && column >= 0 && column < PER_ROW ? row.first + column : -1;
    }

    /* The last row that begins at or above Y. */
    rowAt(y) {
        let low = 0, high = this.rows.length - 1;
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (this.rows[middle].y <= y)
                low = middle;
            else
                high = middle - 1;
        }
        return low;
    }

    show(state, subject) {
        this.state = state;
        this.subject = subject;
        const row = subject >= 0 ? this.rows.find(({ first }) => subject >= first && subject < first + PER_ROW) : null;
        if (row && (row.y < this.element.scrollTop || row.y + ROW > this.element.scrollTop + this.height))
            this.element.scrollTop = row.y - this.height / 2;
        this.draw();
    }

    light(frame) {
        if (this.lit !== frame) {
            this.lit = frame;
            this.draw();
        }
    }

    /* A cell of each look is painted once; drawing the grid then only copies. */
    makeTiles() {
        const ratio = devicePixelRatio || 1, style = getComputedStyle(this.element), looks = Object.keys(panels.LOOKS);
        const colour = name => style.getPropertyValue(`--${name}`).trim(), width = this.cellWidth();
        this.ratio = ratio;
        this.quiet = colour("quiet");
        this.mark = colour("mark");
        this.canvas.width = this.width * ratio;
        this.canvas.height = this.height * ratio;
        this.canvas.style.width = `${this.width}px`;
        this.canvas.style.height = `${this.height}px`;
        this.tiles = document.createElement("canvas");
        this.tiles.width = ROW * ratio * looks.length;
        this.tiles.height = ROW * ratio;
        this.tileOf = Object.fromEntries(looks.map((look, i) => [look, i * ROW * ratio]));
        const context = this.tiles.getContext("2d");
        context.scale(ratio, ratio);
        context.font = FONT;
        context.textBaseline = "middle";
        context.textAlign = "center";
        looks.forEach((look, i) => {
            context.fillStyle = colour(look);
            context.fillRect(i * ROW, 0, width - 1, ROW - 1);
            context.fillStyle = colour(`${look}-ink`) || colour("cell-ink");
            if (width >= LEAST_WITH_LETTER)
                context.fillText(panels.LOOKS[look][0], i * ROW + (width - 1) / 2, ROW / 2);
        });
    }

    draw() {
        if (!this.state)
            return;
        const scrollTop = this.element.scrollTop, context = this.canvas.getContext("2d");
        context.setTransform(this.ratio, 0, 0, this.ratio, 0, -scrollTop * this.ratio);
        context.clearRect(0, scrollTop, this.width, this.height);
        context.font = FONT;
        context.textBaseline = "middle";
        for (let i = this.rowAt(scrollTop); i < this.rows.length && this.rows[i].y < scrollTop + this.height + FOLD; i++)
            this.drawRow(context, this.rows[i]);
    }

    drawRow(context, row) {
        const width = this.cellWidth(), ratio = this.ratio;
        context.textAlign = "left";
        context.fillStyle = this.quiet;
        if (row.folded > 0)
            context.fillText(`⋯ ${(row.folded * PER_ROW).toLocaleString("en")} frames of which the journal says nothing`, LABEL,
                             row.y - FOLD / 2);
        context.textAlign = "right";
        context.fillText(describe.hex(row.first), LABEL - 6, row.y + ROW / 2);
        for (let i = 0; i < PER_ROW; i++)
            context.drawImage(this.tiles, this.tileOf[panels.frameLook(this.state, row.first + i)], 0, width * ratio, ROW * ratio,
                              LABEL + i * width, row.y, width, ROW);
        for (const [frame, thickness] of [[this.subject, 1.5], [this.lit, 2.5]]) {
            if (frame < row.first || frame >= row.first + PER_ROW)
                continue;
            context.strokeStyle = this.mark;
            context.lineWidth = thickness;
            context.strokeRect(LABEL + (frame - row.first) * width - 0.5, row.y - 0.5, width, ROW);
        }
    }
}

/* Who maps FRAME, as "process 2 at 0x…". */
function usersOf(state, frame) {
    const users = [];
    for (const space of state.spaces.values()) {
        const pid = [...state.current].find(([, id]) => id === space.id)?.[0];
        for (const [page, entry] of space.entries)
            if (entryFrame(entry) === frame)
                users.push(`${pid === undefined ? "a space in the making" : `process ${pid}`} at ${describe.hex(page * PAGE)}`);
    }
    return users;
}

function frameSentence(state, frame) {
    const users = usersOf(state, frame), more = users.length - MOST_USERS;
    return `frame ${describe.hex(frame)}: ${panels.LOOKS[panels.frameLook(state, frame)][1]}${users.length ? "; mapped by " : ""}${
        users.slice(0, MOST_USERS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/* Runs of frames of one look, as text. */
function framesText(state) {
    const lines = [];
    let first = 0, look = panels.frameLook(state, 0);
    for (let frame = 1; frame <= state.frameTypes.length; frame++) {
        const next = frame < state.frameTypes.length ? panels.frameLook(state, frame) : "";
        if (next === look)
            continue;
        if (look !== "free")
            lines.push(`${describe.hex(first)}${first === frame - 1 ? "" : `-${describe.hex(frame - 1)}`} ${panels.LOOKS[look][1]}`);
        first = frame;
        look = next;
    }
    return lines.join("\n") || "no frame is taken";
}

Object.assign(timeline, { Frames, frameSentence, framesText });
