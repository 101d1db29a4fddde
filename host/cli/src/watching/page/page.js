// Looks at the network every second, and shows what it sees; or what it saw at another time.
"use strict";

const at = (id) => document.getElementById(id);

/** How often to look, in milliseconds. */
const PAUSE = 1000;

const Page = {
  /** What was seen when, oldest first: a few numbers for each moment. */
  history: [],
  /** The moment that is shown; null is now. */
  chosen: null,
  last: null,
  gone: false,

  async get(path) {
    const answer = await fetch(path, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  },

  async look() {
    try {
      const each = at("each").checked ? "?each=1" : "";
      const [now, history] = await Promise.all([this.get(`api/now${each}`), this.get("api/history")]);
      this.gone = false;
      this.last = now;
      this.history = history;
      if (this.chosen === null) this.show(now);
      this.showTime();
    } catch {
      this.gone = true;
      this.showState(this.last);
    }
    setTimeout(() => this.look(), PAUSE);
  },

  async lookBack(moment) {
    this.chosen = moment;
    this.showTime();
    try {
      const each = at("each").checked ? "&each=1" : "";
      const then = await this.get(`api/then?at=${moment.at}${each}`);
      if (this.chosen === moment) this.show(then);
    } catch {
      // It has become too old, or the command has ended.
    }
  },

  show(look) {
    document.title = `${look.network} – Transputer`;
    at("network").textContent = look.network;
    this.showState(look);
    this.showTiles(look);
    this.showVerdict(look);
    SIDES.held = new Set(look.bottlenecks.flatMap((one) => one.readers));
    SIDES.stuck = new Set(look.stuck);
    at("each-label").hidden = !look.picture.choice;
    Picture.show(look);
    processTable.show(look.processes);
    channelTable.show(look.channels);
    this.showEvents(look);
  },

  showState(look) {
    const state = at("state");
    const [text, kind] = this.state(look);
    state.textContent = text;
    state.className = `pill ${kind}`;
    if (!look) return;
    const totals = look.totals;
    const parts = [`for ${lasted(look.at)}`, `${counted(totals.born, "process")} so far`, `${counted(totals.sent, "message")} sent`];
    if (totals.restarts > 0) parts.push(counted(totals.restarts, "restart"));
    if (totals.failed > 0) parts.push(`${count(totals.failed)} failed`);
    if (totals.dropped > 0) parts.push(`${counted(totals.dropped, "message")} dropped`);
    at("facts").textContent = parts.join(" · ");
  },

  state(look) {
    if (look && look.ended) return [look.ended, look.ended.startsWith("succeeded") ? "good" : "bad"];
    if (this.gone) return ["the command has ended", "warn"];
    if (!look) return ["connecting", ""];
    if (look.deadlocks.length > 0) return ["deadlock", "bad"];
    if (look.stopping) return ["stopping", "warn"];
    return ["running", "good"];
  },

  showTiles(look) {
    const totals = look.totals;
    at("rate").textContent = count(totals.rate);
    at("cpu").textContent = totals.cpu_share.toFixed(totals.cpu_share < 9.95 ? 1 : 0);
    at("cpu-unit").textContent = `of ${counted(look.cores, "core")}`;
    at("living").textContent = count(totals.living);
    at("living-more").textContent = `${count(totals.running)} running, ${count(totals.living - totals.running)} waiting`;
    const [number, unit] = bytes(totals.memory);
    at("memory").textContent = number;
    at("memory-unit").textContent = unit;
  },

  /** The last minutes of each number, and what happened in them. */
  showTime() {
    const history = this.history;
    if (history.length === 0) return;
    const [first, last] = [history[0].at, history[history.length - 1].at];
    const across = (moment) => (last > first ? (100 * (moment - first)) / (last - first) : 100);
    const cursor = this.chosen === null ? null : across(this.chosen.at);
    for (const [id, key] of [["rate-line", "rate"], ["cpu-line", "cpu_share"], ["living-line", "living"], ["memory-line", "memory"]]) {
      this.line(at(id), history.map((one) => [across(one.at), one[key]]), cursor);
    }
    const marks = history.filter((one) => one.failed > 0 || one.restarts > 0);
    at("marks").setAttribute("viewBox", "0 0 100 6");
    at("marks").replaceChildren(...marks.map((one) => drawn("rect", { x: across(one.at) - 0.2, y: 0, width: 0.4, height: 6, fill: one.failed > 0 ? "var(--bad)" : "var(--warn-line)" })));
    const range = at("when");
    range.max = history.length - 1;
    if (this.chosen === null) range.value = history.length - 1;
    else range.value = history.findIndex((one) => one.at >= this.chosen.at);
    at("when-text").textContent = this.chosen === null ? `last ${lasted(last - first)}` : `${lasted(last - this.chosen.at)} ago`;
    at("live").hidden = this.chosen === null;
  },

  line(svg, points, cursor) {
    const most = Math.max(...points.map(([, value]) => value), 1e-9) * 1.1;
    const places = points.map(([x, value]) => `${x.toFixed(2)},${(40 - (38 * value) / most).toFixed(2)}`);
    svg.setAttribute("viewBox", "0 0 100 40");
    const drawing = [
      drawn("polygon", { class: "area", points: [`${points[0][0]},40`, ...places, "100,40"].join(" ") }),
      drawn("polyline", { class: "stroke", points: places.join(" ") }),
    ];
    if (cursor !== null) drawing.push(drawn("line", { class: "cursor", x1: cursor, x2: cursor, y1: 0, y2: 40 }));
    svg.replaceChildren(...drawing);
  },

  showVerdict(look) {
    const verdict = at("verdict");
    const parts = [];
    for (const deadlock of look.deadlocks.slice(-3)) {
      parts.push(element("p", parts.length > 0 ? "next" : "", element("b", "", "Deadlock: "), `${counted(deadlock.size, "process")} wait for each other, and nobody else can free them.`));
      if (deadlock.cycle.length > 0) {
        const names = deadlock.cycle.slice(0, 24);
        const items = [...names, deadlock.cycle.length > names.length ? "…" : names[0]];
        parts.push(element("ol", "cycle", ...items.map((name) => element("li", "", element("b", "", name)))));
      }
      parts.push(element("ul", "stuck", ...deadlock.stuck.slice(0, 8).map((line) => element("li", "", line))));
    }
    for (const held of look.bottlenecks.slice(0, 3)) {
      parts.push(element("p", parts.length > 0 ? "next" : "", element("b", "", "Bottleneck: "), held.reader, ` ${reader(look, held)}, while ${held.label} was full for ${percent(held.full)} of the last ${lasted(look.window)}.`));
    }
    verdict.hidden = parts.length === 0;
    verdict.classList.toggle("bad", look.deadlocks.length > 0);
    verdict.replaceChildren(...parts);
  },

  showEvents(look) {
    const items = look.events.map((event) => element("li", event.level,
      element("time", "", `${(event.at / 1000).toFixed(2)} s`),
      element("span", "level", event.level),
      element("span", "text", event.text)));
    if (items.length === 0) items.push(element("li", "none", "Nothing has happened yet: ends, restarts, deadlocks and log lines appear here."));
    at("events").replaceChildren(...items.reverse());
  },
};

/** What the reader of a channel that is full does. */
function reader(look, held) {
  const found = look.processes.find((one) => held.readers.includes(one.id));
  return found ? doing(found) : "computes";
}

at("when").addEventListener("input", (event) => {
  const index = Number(event.target.value);
  if (index >= Page.history.length - 1) at("live").click();
  else Page.lookBack(Page.history[index]);
});
at("live").addEventListener("click", () => {
  Page.chosen = null;
  if (Page.last) Page.show(Page.last);
  Page.showTime();
});
Picture.onChoose = (box) => {
  const same = box.processes.every((id) => processTable.chosen.has(id));
  processTable.chosen = new Set(same ? [] : box.processes);
  processTable.show(processTable.items);
};
Page.look();
