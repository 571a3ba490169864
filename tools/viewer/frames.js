/* The grid of physical frames on a canvas: rows in which nothing ever happens are folded, and only those in sight are drawn. */
"use strict";
const timeline = globalThis.timeline ??= {};
const { panels, describe, entryFrame, packEntry, PAGE } = timeline;

const PER_ROW = 32, ROW = 13, FOLD = 14, LABEL = 54;
const MOST_USERS = 6;

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
        new ResizeObserver(() => this.draw()).observe(element);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
        this.canvas.addEventListener("mousemove", event => hover(this.frameAt(event)));
        this.canvas.addEventListener("mouseleave", () => hover(-1));
        this.canvas.addEventListener("click", event => this.frameAt(event) >= 0 && chosen(this.frameAt(event)));
    }

    cellWidth() {
        return Math.max(6, Math.min(ROW, Math.floor((this.element.clientWidth - LABEL - 4) / PER_ROW)));
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
        const { scrollTop, clientHeight } = this.element;
        if (row && (row.y < scrollTop || row.y + ROW > scrollTop + clientHeight))
            this.element.scrollTop = row.y - clientHeight / 2;
        this.draw();
    }

    light(frame) {
        if (this.lit !== frame) {
            this.lit = frame;
            this.draw();
        }
    }

    draw() {
        if (!this.state)
            return;
        const { clientWidth: width, clientHeight: height, scrollTop } = this.element, ratio = devicePixelRatio || 1;
        if (this.canvas.width !== width * ratio || this.canvas.height !== height * ratio) {
            this.canvas.width = width * ratio;
            this.canvas.height = height * ratio;
            this.canvas.style.width = `${width}px`;
            this.canvas.style.height = `${height}px`;
        }
        const context = this.canvas.getContext("2d"), style = getComputedStyle(this.element);
        const colours = {}, inks = {};
        for (const look of Object.keys(panels.LOOKS)) {
            colours[look] = style.getPropertyValue(`--${look}`).trim();
            inks[look] = style.getPropertyValue(`--${look}-ink`).trim() || style.getPropertyValue("--cell-ink").trim();
        }
        const text = style.getPropertyValue("--quiet").trim(), mark = style.getPropertyValue("--mark").trim();
        context.setTransform(ratio, 0, 0, ratio, 0, -scrollTop * ratio);
        context.clearRect(0, scrollTop, width, height);
        context.font = "9px ui-monospace, 'DejaVu Sans Mono', monospace";
        context.textBaseline = "middle";
        for (let i = this.rowAt(scrollTop); i < this.rows.length && this.rows[i].y < scrollTop + height + FOLD; i++)
            this.drawRow(context, this.rows[i], { colours, inks, text, mark });
    }

    drawRow(context, row, look) {
        const width = this.cellWidth();
        context.textAlign = "left";
        context.fillStyle = look.text;
        if (row.folded > 0)
            context.fillText(`⋯ ${(row.folded * PER_ROW).toLocaleString("en")} frames of which the journal says nothing`, LABEL,
                             row.y - FOLD / 2);
        context.textAlign = "right";
        context.fillText(String(row.first), LABEL - 6, row.y + ROW / 2);
        context.textAlign = "center";
        for (let i = 0; i < PER_ROW; i++) {
            const frame = row.first + i, kind = panels.frameLook(this.state, frame), x = LABEL + i * width;
            context.fillStyle = look.colours[kind];
            context.fillRect(x, row.y, width - 1, ROW - 1);
            if (width >= 8) {
                context.fillStyle = look.inks[kind];
                context.fillText(panels.LOOKS[kind][0], x + (width - 1) / 2, row.y + ROW / 2);
            }
            if (frame === this.lit || frame === this.subject) {
                context.strokeStyle = look.mark;
                context.lineWidth = frame === this.lit ? 2.5 : 1.5;
                context.strokeRect(x - 0.5, row.y - 0.5, width, ROW);
            }
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
    return `frame ${frame}: ${panels.LOOKS[panels.frameLook(state, frame)][1]}${users.length ? "; mapped by " : ""}${
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
            lines.push(`${first === frame - 1 ? first : `${first}-${frame - 1}`} ${panels.LOOKS[look][1]}`);
        first = frame;
        look = next;
    }
    return lines.join("\n") || "no frame is taken";
}

Object.assign(timeline, { Frames, frameSentence, framesText });
