/* Puts the page together: decodes the journal, and goes from event to event as a person asks for it. */
"use strict";
const timeline = globalThis.timeline ??= {};
const { describe, panels, PAGE, Journal, Replay, EventList, Plots, Frames } = timeline;

const GROUPS = ["fault", "syscall", "vma", "table", "pte", "frame", "process", "signal"];
/* Without these the page shows less; what it then lacks. */
const MISSING = {
    pte: "changes of page-table entries, so pages are shown as faults left them (journal=all,pte has all)",
    vma_add: "VMAs", table_alloc: "page tables", frame_alloc: "frames", process: "processes",
};
const PLAY_MS = 150, LINK_MS = 200;

const $ = id => document.getElementById(id);

class App {
    constructor(journal) {
        this.journal = journal;
        this.replay = new Replay(journal);
        this.index = -1;
        this.kinds = new Set(GROUPS);
        this.onlyPid = "";
        this.query = null;
        this.shownPid = 0;
        this.pids = [...new Set(journal.pids)].sort((one, other) => one - other);
        this.list = new EventList($("list"), journal, index => this.go(index));
        this.plots = new Plots($("plots"), this.replay, index => this.go(index));
        this.frames = new Frames($("frames"), journal, frame => this.light(frame, -1), frame => this.seek(String(frame)));
        this.tell();
        this.addFilters();
        this.listen();
        this.filter();
        const linked = this.linked();
        this.go(linked >= 0 ? linked : this.interesting());
    }

    /* Where a page without a link opens: where the zero frame is mapped for the first time, else at the first fault. */
    interesting() {
        const { journal } = this, zero = journal.about.outcomes.indexOf("zero_page");
        const fault = journal.kindNames.indexOf("fault"), first = journal.kinds.indexOf(fault);
        for (let i = first; i >= 0 && i < journal.length; i++)
            if (journal.kinds[i] === fault && journal.low(i, 5) === zero)
                return i;
        return Math.max(0, first);
    }

    linked() {
        const match = /^#event=(\d+)$/.exec(location.hash);
        return match ? this.journal.indexOf(Number(match[1])) : -1;
    }

    tell() {
        const { about } = this.journal;
        document.title = `${about.title}: zeropage timeline`;
        $("title").textContent = about.title;
        const lacks = Object.keys(MISSING).filter(name => !this.journal.has(name)).map(name => MISSING[name]);
        const words = [];
        if (about.problem)
            words.push(`In the journal, ${about.problem}.`);
        if (lacks.length)
            words.push(`The journal does not tell of ${lacks.join("; of ")}.`);
        $("notice").textContent = words.join(" ");
        $("notice").hidden = words.length === 0;
        const legend = (element, looks) => $(element).replaceChildren(...looks.map(look => {
            const item = panels.make("span", "key");
            item.append(panels.make("span", `cell look-${look}`, panels.LOOKS[look][0]), panels.LOOKS[look][1]);
            return item;
        }));
        legend("page-legend", ["promised", "zero", "anon", "cow", "file", "shmem"]);
        legend("frame-legend", ["free", "kernel", "slab", "table", "zero", "anon", "cow", "file", "shmem"]);
    }

    addFilters() {
        const counts = new Map(GROUPS.map(group => [group, 0]));
        this.journal.about.counts.forEach((count, kind) => {
            const group = this.journal.kindNames[kind].split("_")[0];
            counts.set(group, counts.get(group) + count);
        });
        const process = document.createElement("select");
        process.id = "only";
        process.setAttribute("aria-label", "Show events of");
        const name = pid => pid ? `process ${pid}` : "the kernel";
        process.append(new Option("all processes", ""), ...this.pids.map(pid => new Option(name(pid), pid)));
        $("process").append(new Option("of the event", ""), ...this.pids.filter(pid => pid).map(pid => new Option(pid, pid)));
        const boxes = GROUPS.map(group => {
            const label = panels.make("label", `kind kind-${group}`), box = document.createElement("input");
            box.type = "checkbox";
            box.name = group;
            box.checked = counts.get(group) > 0;
            box.disabled = counts.get(group) === 0;
            label.append(box, ` ${group} `, panels.make("small", "", counts.get(group).toLocaleString("en")));
            return label;
        });
        $("filters").replaceChildren(process, ...boxes);
    }

    listen() {
        const moves = { first: () => this.goTo(0), last: () => this.goTo(this.list.shown.length - 1),
                        back: () => this.step(-1), forward: () => this.step(1), play: () => this.play() };
        for (const [id, move] of Object.entries(moves))
            $(id).addEventListener("click", move);
        const keys = { ArrowLeft: moves.back, ArrowRight: moves.forward, Home: moves.first, End: moves.last, " ": moves.play,
                       ArrowUp: moves.back, ArrowDown: moves.forward,
                       PageUp: () => this.step(-this.list.visibleRows()), PageDown: () => this.step(this.list.visibleRows()) };
        document.addEventListener("keydown", event => {
            if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input[type=search], select, summary"))
                return;
            if (event.key === " " && event.target.closest("button, input"))
                return;
            if (keys[event.key]) {
                event.preventDefault();
                keys[event.key]();
            }
        });
        addEventListener("hashchange", () => this.linked() >= 0 && this.go(this.linked()));
        $("filters").addEventListener("change", () => this.filter());
        $("process").addEventListener("change", () => this.draw());
        $("search").addEventListener("submit", event => event.preventDefault());
        $("query").addEventListener("input", () => this.filter());
        for (const details of document.querySelectorAll("details"))
            details.addEventListener("toggle", () => this.drawTexts());
        document.addEventListener("mouseover", event => {
            const cell = event.target.closest?.("[data-frame], [data-page]");
            if (cell)
                this.light(Number(cell.dataset.frame ?? -1), Number(cell.dataset.page ?? -1));
            else if (event.target.id !== "frames-canvas")
                this.light(-1, -1);
        });
        document.addEventListener("click", event => {
            const cell = event.target.closest("[data-page]");
            if (cell)
                this.seek(describe.hex(cell.dataset.page * PAGE));
        });
    }

    seek(text) {
        $("query").value = $("query").value === text ? "" : text;
        this.filter();
    }

    /* ---- which events ---- */

    filter() {
        const journal = this.journal, boxes = [...$("filters").querySelectorAll("input")];
        const wanted = new Set(boxes.filter(box => box.checked).map(box => box.name));
        const kinds = journal.kindNames.map(kind => wanted.has(kind.split("_")[0]));
        const only = $("only").value, query = describe.parseQuery($("query").value);
        const shown = new Uint32Array(journal.length);
        let count = 0;
        for (let i = 0; i < journal.length; i++)
            if (kinds[journal.kinds[i]] && (only === "" || journal.pids[i] === Number(only)) &&
                (!query || describe.concerns(journal, i, query)))
                shown[count++] = i;
        $("query").setAttribute("aria-invalid", query === undefined);
        $("found").textContent = query === undefined ? "not an address or frame" :
            query ? describe.plural(count, "event") : "";
        this.list.setShown(shown.slice(0, count));
        if (this.index >= 0)
            this.list.choose(this.index);
        this.drawPosition();
    }

    /* ---- going ---- */

    goTo(place) {
        const { shown } = this.list;
        if (shown.length)
            this.go(shown[Math.max(0, Math.min(shown.length - 1, place))]);
    }

    step(by) {
        const place = this.list.placeOf(this.index);
        /* From an event that the filters hide, one step forward is the next that they show. */
        const isShown = this.list.shown[place] === this.index;
        this.goTo(isShown || by > 0 ? place + by : place + by + 1);
    }

    play() {
        const stop = () => {
            clearInterval(this.timer);
            this.timer = 0;
        };
        if (this.timer)
            stop();
        else
            this.timer = setInterval(() => {
                const before = this.index;
                this.step(1);
                if (this.index === before)
                    stop();
                $("play").textContent = this.timer ? "‖" : "▸";
            }, PLAY_MS);
        $("play").textContent = this.timer ? "‖" : "▸";
    }

    go(index) {
        this.index = index;
        clearTimeout(this.linking);
        this.linking = setTimeout(() => history.replaceState(null, "", `#event=${this.journal.seqs[index]}`), LINK_MS);
        if (!this.drawing)
            this.drawing = requestAnimationFrame(() => {
                this.drawing = 0;
                this.draw();
            });
    }

    /* ---- drawing ---- */

    /* The space to show: of the chosen process, else of the event's, else of the one shown last. */
    space() {
        const pinned = $("process").value, pid = pinned === "" ? this.journal.pids[this.index] : Number(pinned);
        if (pinned !== "" || this.state.spaceOf(pid))
            this.shownPid = pid;
        return this.state.spaceOf(this.shownPid);
    }

    draw() {
        this.state = this.replay.seek(this.index);
        this.subject = describe.subject(this.journal, this.index);
        /* These two ask where they are scrolled to, which is cheap only before anything changes. */
        this.list.choose(this.index);
        this.frames.show(this.state, this.subject.frame);
        this.drawPosition();
        this.drawEvent();
        this.plots.show(this.index, this.state);
        const space = this.space(), none = `process ${this.shownPid} has no address space now`;
        this.pages = space ? panels.sortedPages(space) : null;
        $("ribbon").replaceChildren(...space ? panels.ribbon(space, this.pages, this.subject.page) : []);
        $("areas").replaceChildren(...space ? panels.areas(this.state, space, this.pages, this.subject.page) : [none]);
        const hasTables = space && this.journal.has("table_alloc");
        $("tables").replaceChildren(...hasTables ? panels.tables(this.state, space, this.pages, this.subject.page) :
            [space ? "the journal does not tell of page tables" : none]);
        $("ribbon-heading").textContent = `Address space of process ${this.shownPid}`;
        this.drawTexts();
        for (const cell of document.querySelectorAll(`#areas [data-page="${this.subject.page}"], #tables [data-page="${
            this.subject.page}"], #tables [data-frame="${this.subject.frame}"]`))
            cell.classList.add("now");
    }

    drawPosition() {
        if (this.index < 0)
            return;
        const { seqs, length } = this.journal, hidden = length - this.list.shown.length;
        $("position").textContent = `event ${seqs[this.index].toLocaleString("en")} of ${seqs[length - 1].toLocaleString("en")}${
            hidden ? `, ${this.list.shown.length.toLocaleString("en")} shown` : ""}`;
    }

    drawEvent() {
        const journal = this.journal, index = this.index, kind = journal.kindOf(index);
        $("now-heading").textContent = describe.heading(journal, index);
        $("now").className = `panel kind-${kind.split("_")[0]}`;
        $("sentence").textContent = describe.sentence(journal, index);
        const source = kind === "fault" ? journal.about.sources[journal.hex(index, 2)] : null;
        const rows = describe.details(journal, index);
        if (source)
            rows[0][1] += ` in ${source[0]}${source[1] ? `, ${source[1]}:${source[2]}` : ""}`;
        $("details").replaceChildren(...rows.flatMap(([name, text]) => [panels.make("dt", "", name), panels.make("dd", "", text)]));
        this.drawSource(source);
    }

    drawSource(source) {
        const excerpt = source?.[3] ?? [];
        $("source").hidden = excerpt.length === 0;
        $("source").replaceChildren(...excerpt.slice(1).map((text, i) => {
            const number = excerpt[0] + i, line = panels.make("code", number === source[2] ? "here" : "");
            line.append(panels.make("i", "", number), text || " ");
            return line;
        }));
    }

    drawTexts() {
        const space = this.state.spaceOf(this.shownPid), fill = (id, text) => {
            if ($(id).parentElement.open)
                $(id).textContent = text();
        };
        const none = `process ${this.shownPid} has no address space now`;
        fill("areas-text", () => space ? panels.areasText(this.state, space, this.pages) : none);
        fill("tables-text", () => space ? panels.tablesText(this.state, space, this.pages) : none);
        fill("frames-text", () => timeline.framesText(this.state));
    }

    /* Lights up FRAME and the pages that it is mapped at, or else PAGE; -1: nothing. */
    light(frame, page) {
        for (const cell of document.querySelectorAll(".lit"))
            cell.classList.remove("lit");
        if (frame >= 0 || page >= 0)
            for (const cell of document.querySelectorAll(frame >= 0 ? `[data-frame="${frame}"]` : `[data-page="${page}"]`))
                cell.classList.add("lit");
        this.frames.light(frame);
        $("hovered").textContent = frame >= 0 ? timeline.frameSentence(this.state, frame) :
            page >= 0 ? `${describe.hex(page * PAGE)}: promised, no frame yet` : "\u00a0";
    }
}

async function decode(text) {
    const binary = atob(text.trim()), bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++)
        bytes[i] = binary.charCodeAt(i);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}

async function start() {
    const began = performance.now(), columns = await decode($("columns").textContent);
    $("columns").remove();
    timeline.app = new App(new Journal(JSON.parse($("about").textContent), columns));
    timeline.loadTime = performance.now() - began;
}

start().catch(error => {
    $("notice").textContent = `The timeline can't be shown: ${error.message}`;
    $("notice").hidden = false;
    throw error;
});
