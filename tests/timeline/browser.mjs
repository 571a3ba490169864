/* What browser.t does in Chromium: prints TAP. The argument is a file with what is to be expected. */
import fs from "node:fs";
import { chromium } from "playwright-core";

const expected = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync"];
const STEPS = 40;
const EVENT_BYTES = 16, PAGE_BYTES = 300 * 1024;
const ROW_ELEMENTS = 24, PANEL_ELEMENTS = 4000;     /* a row is made up to three times in a step */

let count = 0, failed = 0;
function check(holds, rule, ...details) {
    console.log(`${holds ? "ok" : "not ok"} ${++count} - ${rule}`);
    if (!holds) {
        failed++;
        console.error(`#   failed: ${rule}\n${details.map(detail => `#   ${JSON.stringify(detail)}`).join("\n")}`);
    }
}
const equal = (got, wanted, rule) => check(JSON.stringify(got) === JSON.stringify(wanted), rule, { got, wanted });

const browser = await chromium.launch({ executablePath: expected.browser, args: FLAGS });
const requests = [], errors = [];

async function open(name, options = {}, before = null, blank = null) {
    const page = blank ?? await browser.newPage({ viewport: { width: 1600, height: 1000 }, ...options });
    if (before)
        await page.addInitScript(before);
    page.on("request", request => requests.push(request.url()));
    page.on("pageerror", error => errors.push(error.stack));
    await page.goto(`file://${expected.folder}/${name}`);
    await page.waitForFunction(() => globalThis.timeline?.app?.state);
    return page;
}

/* The sequence number of the event shown, once it has been drawn. */
async function shown(page) {
    await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
    return Number((await page.textContent("#position")).match(/event ([\d,]+)/)[1].replaceAll(",", ""));
}
async function press(page, key) {
    await page.keyboard.press(key);
    return shown(page);
}

async function stepping() {
    const page = await open("events.html#event=17");
    equal(await shown(page), 17, "a link opens the page at its event");
    equal(await press(page, "ArrowRight"), 18, "the right arrow steps forward");
    await press(page, "ArrowLeft");
    equal(await press(page, "ArrowLeft"), 16, "the left arrow steps back");
    await page.waitForFunction(() => location.hash === "#event=16");
    check(true, "the link in the address line follows");
    await page.evaluate(() => { location.hash = "#event=1200"; });
    equal(await shown(page), 1200, "another link goes there in the open page");
    equal(await press(page, "Home"), 0, "Home goes to the first event");
    equal(await press(page, "ArrowLeft"), 0, "and there is none before it");
    equal(await press(page, "End"), expected.events.at(-1)[0], "End goes to the last event");
    const row = Number(await page.textContent(".row >> nth=3 >> .seq"));
    await page.click(".row >> nth=3");
    await page.waitForSelector(`.row[aria-selected=true] .seq:text-is("${row}")`);
    equal(await shown(page), row, "a click on a row goes to its event");
    await page.close();
}

async function filters() {
    const page = await open("events.html#event=1000");
    for (const name of ["syscall", "vma", "table", "pte", "frame", "process"])
        await page.uncheck(`#filters input[name=${name}]`);
    const faults = expected.events.filter(([, , kind]) => kind === "fault").map(([seq]) => seq);
    equal(await press(page, "ArrowRight"), faults.find(seq => seq > 1000), "with a filter by kind, a step goes to the next event of the kind");
    equal(await press(page, "ArrowLeft"), faults.findLast(seq => seq <= 1000), "and back to the one before");
    check((await page.textContent("#position")).includes(`${faults.length.toLocaleString("en")} shown`), "the page says how many are shown");
    const pid = expected.events.findLast(([, , kind]) => kind === "fault")[1];
    await page.selectOption("#only", String(pid));
    const own = expected.events.filter(([, who, kind]) => who === pid && kind === "fault").map(([seq]) => seq);
    equal([await press(page, "Home"), await press(page, "End")], [own[0], own.at(-1)], "a filter by process shows its events only");
    await page.close();
}

async function search() {
    const page = await open("events.html");
    await page.fill("#query", `frame ${expected.frame}`);
    equal(await page.textContent("#found"), `${expected.frameEvents} events`, "a search for a frame finds the events that name it");
    await page.fill("#query", `frame 0x${expected.frame.toString(16)}`);
    equal(await page.textContent("#found"), `${expected.frameEvents} events`, "also when its number is written as the page writes it");
    await page.fill("#query", "0x7fffffffe123");
    const rows = await page.$$eval(".row .text", cells => cells.map(cell => cell.textContent));
    check(rows.length > 0 && rows.every(text => text.includes("0x7fffffffe") || text.includes("0x0")),
          "a search for an address finds the events of its page and VMA", rows);
    await page.fill("#query", "what?");
    equal(await page.textContent("#found"), "not an address or frame", "nonsense is answered");
    await page.close();
}

async function hovering() {
    const page = await open("events.html#event=2500");
    await press(page, "End");
    const cell = page.locator("#tables .entry[data-frame]").first(), frame = await cell.getAttribute("data-frame");
    const index = await cell.getAttribute("data-page");
    await cell.hover();
    equal(await page.locator(`#areas .lit[data-page="${index}"]`).count(), 1, "hovering an entry lights up its page");
    check((await page.textContent("#hovered")).startsWith(`frame 0x${Number(frame).toString(16)}:`), "and tells of its frame");
    equal(await page.evaluate(() => timeline.app.frames.lit), Number(frame), "which is lit in the grid");
    const pixel = await page.evaluate(() => {
        const { frames } = timeline.app, row = frames.rows.find(({ first }) => frames.lit >= first && frames.lit < first + 32);
        frames.element.scrollTop = row.y - 50;
        return [54 + (frames.lit - row.first + 0.5) * frames.cellWidth(), row.y - frames.element.scrollTop + 6];
    });
    await page.mouse.move(0, 0);
    await page.hover("#frames-canvas", { position: { x: pixel[0], y: pixel[1] } });
    check((await page.locator(`#tables .lit[data-frame="${frame}"]`).count()) > 0, "hovering a frame lights up the entries that map it");
    await page.close();
}

async function lastState() {
    const page = await open("events.html");
    await press(page, "End");
    for (const panel of ["areas", "tables", "frames"])
        await page.click(`details:has(#${panel}-text) summary`);
    for (const [pid, process] of Object.entries(expected.state.processes)) {
        await page.selectOption("#process", pid);
        const text = await page.textContent("#areas-text"), tables = await page.textContent("#tables-text");
        const vmas = [...text.matchAll(/^0x([0-9a-f]+)-0x([0-9a-f]+) /gm)].map(match => [parseInt(match[1], 16), parseInt(match[2], 16)]);
        equal(vmas, process.vmas.map(([start, end]) => [start, end]), `process ${pid}: the text at the last event has the kernel's VMAs`);
        const entries = [...text.matchAll(/^ +0x([0-9a-f]+) frame (0x[0-9a-f]+) \(([^)]*)\)/gm)]
            .map(match => [parseInt(match[1], 16) / 4096, Number(match[2]), match[3].includes("write")]);
        equal(entries, process.entries, `process ${pid}: and its entries`);
        const frames = [...tables.matchAll(/(?:PT|PD|PDPT) frame (0x[0-9a-f]+) from 0x([0-9a-f]+)/g)].map(match => Number(match[1]));
        equal(frames.sort((a, b) => a - b), process.tables.map(([frame]) => frame), `process ${pid}: and its page tables`);
    }
    const taken = [...(await page.textContent("#frames-text")).matchAll(/^(0x[0-9a-f]+)(?:-(0x[0-9a-f]+))? (?!zero)/gm)]
        .reduce((sum, match) => sum + Number(match[2] ?? match[1]) - Number(match[1]) + 1, 0);
    equal(taken, expected.state.frames.length, "the text of the frames counts those that are taken");
    await page.close();
}

async function others() {
    const cut = await open("cut.html");
    check((await cut.textContent("#notice")).includes("line 201 is wrong"), "a journal that is cut off says so in the page");
    const faults = await open("faults.html");
    check((await faults.textContent("#notice")).includes("does not tell of"), "a journal of faults alone says what is missing");
    check(await faults.locator("#areas .area").count() > 0, "and still shows the VMAs and pages of the faults");
    const light = await cut.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await (await open("events.html", { colorScheme: "dark" })).evaluate(() => getComputedStyle(document.body).backgroundColor);
    check(light !== dark, "dark is another page than light", light, dark);
    for (const width of [600, 1000, 1600]) {
        const page = await open("events.html", { viewport: { width, height: 900 } });
        await page.evaluate(() => timeline.app.drawSource(["main", "long.c", 1, [1, "a long line; ".repeat(40)]]));
        check(await page.evaluate(() => [...document.querySelectorAll(".panel")].every(
            panel => panel.getBoundingClientRect().right <= innerWidth)), `${width} pixels wide, no panel sticks out`);
        await page.close();
    }
}

/* Counts the events that a page's replay applies, from its beginning on: the page's own State is replaced as it comes. */
function countWork() {
    globalThis.work = { applied: 0 };
    globalThis.timeline = Object.defineProperty({}, "State", {
        configurable: true,
        set(State) {
            const apply = State.prototype.apply;
            State.prototype.apply = function (index) {
                work.applied++;
                return apply.call(this, index);
            };
            Object.defineProperty(globalThis.timeline, "State", { value: State });
        },
    });
}

/* Goes to STEPS places all over the journal, and from each one event on and back: [what was applied, elements made]. */
function walkAbout(steps) {
    const { app } = timeline, all = { jump: [], on: [], back: [] };
    const watcher = new MutationObserver(() => { });
    watcher.observe(document, { childList: true, subtree: true });
    const weigh = record => [...record.addedNodes].reduce((sum, node) => sum + 1 + (node.querySelectorAll?.("*").length ?? 0), 0);
    for (let i = 0; i < steps; i++) {
        const place = Math.floor((app.journal.length - 2) * ((i * 7 + 3) % steps) / steps);
        for (const [name, index] of [["jump", place], ["on", place + 1], ["back", place]]) {
            const applied = work.applied;
            app.index = index;
            app.draw();
            all[name].push([work.applied - applied, watcher.takeRecords().reduce((sum, record) => sum + weigh(record), 0)]);
        }
    }
    const positions = app.replay.keyframes.map(state => state.position);
    const gaps = positions.map((position, i) => (positions[i + 1] ?? app.journal.length) - position);
    return { ...all, furthest: Math.max(...gaps), kept: app.replay.keyframes.reduce((sum, state) => sum + state.weight(), 0),
             rows: app.list.visibleRows(), length: app.journal.length };
}

const most = (steps, what) => Math.max(...steps.map(step => step[what]));

/* A page that counts its work, and the processor time (seconds) that it took until it was there. */
async function openCounted(name) {
    const blank = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    const session = await blank.context().newCDPSession(blank);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    blank.processorTime = async () =>
        (await session.send("Performance.getMetrics")).metrics.find(metric => metric.name === "TaskDuration").value;
    const began = await blank.processorTime(), page = await open(name, {}, countWork, blank);
    return [page, await page.processorTime() - began];
}

/* What it costs is counted, for the time depends on what else the machine does; it is told, and docs/timeline.md has it. */
async function long() {
    const [page, loading] = await openCounted("long.html"), applied = await page.evaluate(() => work.applied);
    const { jump, on, back, furthest, kept, rows, length } = await page.evaluate(walkAbout, STEPS);
    const step = (await page.processorTime() - loading) / (3 * STEPS);
    const size = fs.statSync(`${expected.folder}/long.html`).size;
    check(applied <= length + furthest, `loading ${length} events applies each once (${loading.toFixed(1)} s of processor time)`, applied);
    check(kept <= length, "and keeps copies of no more entries than there are events", kept);
    check(size < EVENT_BYTES * length + PAGE_BYTES, `the page has ${(size / length).toFixed(1)} bytes an event`, size);
    check(furthest <= Math.max(length / 10, 2001), "a copy of the state is never far away", furthest);
    check(most(jump, 0) <= furthest && most(back, 0) <= furthest,
          `going anywhere applies at most ${most(jump, 0)} events (a step: ${(1000 * step).toFixed(1)} ms of processor time)`, furthest);
    check(most(on, 0) === 1, "going on applies one", most(on, 0));
    check(Math.max(...[jump, on, back].map(steps => most(steps, 1))) < ROW_ELEMENTS * rows + PANEL_ELEMENTS,
          `each makes at most ${Math.max(...[jump, on, back].map(steps => most(steps, 1)))} elements, of which the list's are those in sight`, rows);
    equal(await press(page, "End"), await page.evaluate(() => timeline.app.journal.seqs.at(-1)), "the end of a long list can be reached");
    equal(await page.locator(".row[aria-selected=true]").count(), 1, "and its row is in sight");
    await page.close();
}

try {
    for (const part of [stepping, filters, search, hovering, lastState, others, long])
        await part();
    equal(errors, [], "no script of the page failed");
    equal(requests.filter(url => !/^(file|data|blob):/.test(url)), [], "the page asked the network for nothing");
} catch (error) {
    check(false, "the browser test runs to its end", error.stack);
}
await browser.close();
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);
