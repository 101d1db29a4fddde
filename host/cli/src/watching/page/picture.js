// The network as a picture. The server says where everything lies; here it is drawn, and coloured anew
// at each look.
"use strict";

const Picture = {
  frame: document.getElementById("picture"),
  revision: null,
  svg: null,
  size: [0, 0],
  zoom: null,
  boxes: [],
  arrows: [],
  onChoose: () => {},

  show(look) {
    const picture = look.picture;
    if (picture.boxes.length === 0) {
      this.revision = null;
      this.svg = null;
      this.frame.replaceChildren(element("p", "", picture.note || "No process lives."));
      return;
    }
    if (picture.revision !== this.revision) this.draw(picture);
    const processes = new Map(look.processes.map((one) => [one.id, one]));
    const channels = new Map(look.channels.map((one) => [one.id, one]));
    const stuck = new Set(look.stuck);
    const held = new Set(look.bottlenecks.flatMap((one) => one.readers));
    picture.boxes.forEach((box, index) => this.colourBox(this.boxes[index], box, processes, held, stuck));
    picture.arrows.forEach((arrow, index) => this.colourArrow(this.arrows[index], arrow, channels, stuck));
  },

  draw(picture) {
    this.revision = picture.revision;
    this.size = [picture.width, picture.height];
    this.svg = drawn("svg", { viewBox: `0 0 ${picture.width} ${picture.height}`, role: "img", "aria-label": "The network's processes and channels" });
    const head = drawn("marker", { id: "head", class: "heads", viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" }, drawn("path", { d: "M0 0L10 5L0 10z" }));
    this.svg.append(drawn("defs", {}, head));
    this.arrows = picture.arrows.map((arrow) => this.drawArrow(arrow));
    this.boxes = picture.boxes.map((box) => this.drawBox(box));
    this.frame.replaceChildren(this.svg);
    this.fit();
  },

  drawBox(box) {
    const [left, top] = [box.x - box.w / 2, box.y - box.h / 2];
    const parts = {
      group: drawn("g", { class: "box" }),
      title: drawn("title", {}),
      name: drawn("text", { x: left + 14, y: top + 19 }, box.name),
      line: drawn("text", { class: "line2", x: left + 14, y: top + 35 }),
      badge: drawn("text", { class: "badge", x: box.x, y: top - 5, "text-anchor": "middle" }),
      bars: ["running", "waiting", "down"].map((state) => drawn("rect", { class: `bar ${state}`, x: left + 1, width: 5, y: top + 1, height: 0 })),
      top: top + 1, height: box.h - 2,
    };
    const frame = drawn("rect", { x: left, y: top, width: box.w, height: box.h, rx: 7 });
    parts.group.append(parts.title, frame, ...parts.bars, parts.name, parts.line, parts.badge);
    if (box.kind === "outside") parts.group.classList.add("outside");
    else parts.group.addEventListener("click", () => this.onChoose(box));
    this.svg.append(parts.group);
    return parts;
  },

  drawArrow(arrow) {
    const group = drawn("g", { class: "arrow" });
    const title = drawn("title", {});
    const paths = arrow.paths.map((path, index) => {
      const last = index === arrow.paths.length - 1;
      return drawn("path", last ? { d: path, "marker-end": "url(#head)" } : { d: path });
    });
    const label = drawn("text", { x: arrow.x, y: arrow.y + 4, "text-anchor": "middle" });
    group.append(title, ...paths, label);
    this.svg.append(group);
    return { group, title, label };
  },

  colourBox(parts, box, processes, held, stuck) {
    const members = box.processes.map((id) => processes.get(id)).filter(Boolean);
    const share = (state) => members.filter((one) => (one.state === "joining" ? "waiting" : one.state) === state).length / Math.max(1, members.length);
    let top = parts.top;
    ["running", "waiting", "down"].forEach((state, index) => {
      const height = parts.height * share(state);
      parts.bars[index].setAttribute("y", top);
      parts.bars[index].setAttribute("height", height);
      top += height;
    });
    const isHeld = members.some((one) => held.has(one.id));
    const isStuck = members.some((one) => stuck.has(one.id));
    parts.group.classList.toggle("bottleneck", isHeld && !isStuck);
    parts.group.classList.toggle("stuck", isStuck);
    parts.badge.textContent = isStuck ? "deadlock" : isHeld ? "bottleneck" : "";
    parts.line.textContent = this.line(box, members);
    const cpu = members.reduce((sum, one) => sum + one.cpu_share, 0);
    parts.title.textContent = members.length === 1
      ? `${box.name}: ${doing(members[0])}; ${percent(cpu)} of a core`
      : `${box.name}: ${counted(members.length, "process")}; ${percent(cpu)} of a core`;
  },

  /** The line below a box's name. */
  line(box, members) {
    if (box.kind === "outside") return box.detail;
    if (members.length === 0) return "has ended";
    const most = Math.floor((box.w - 22) / 6);
    const cut = (text) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
    if (members.length > 1) {
      const computing = members.filter((one) => one.state === "running").length;
      return cut(`${count(members.length)}, ${count(computing)} running`);
    }
    const restarts = members[0].restarts > 0 ? `↻${count(members[0].restarts)} ` : "";
    return cut(restarts + doing(members[0]));
  },

  colourArrow(parts, arrow, channels, stuck) {
    const all = arrow.channels.map((id) => channels.get(id)).filter(Boolean);
    const rate = all.reduce((sum, one) => sum + one.rate, 0);
    const full = all.filter((one) => one.full >= 0.5);
    const empty = all.length > 0 && all.every((one) => one.receivers_waiting > 0 && one.rate < 1);
    const isStuck = all.some((one) => one.waiters.some((id) => stuck.has(id)));
    parts.group.classList.toggle("stuck", isStuck);
    parts.group.classList.toggle("full", full.length > 0 && !isStuck);
    parts.group.classList.toggle("empty", empty && !isStuck && full.length === 0);
    parts.group.classList.toggle("poisoned", all.some((one) => one.poisoned !== null));
    parts.label.textContent = all.length === 0 ? "" : rate >= 0.05 ? `${count(rate)}/s` : this.fill(all);
    parts.title.textContent = all.slice(0, 12).map((one) => `${one.label}: ${count(one.rate)}/s, ${fill(one)}`).join("\n");
  },

  fill(channels) {
    return channels.length === 1 ? fill(channels[0]) : `${counted(channels.length, "channel")}`;
  },

  /** As large as the card, but no larger than the text of the page. */
  fit() {
    this.zoom = null;
    const room = this.frame.clientWidth - 16;
    this.scale(Math.min(1.25, Math.max(0.7, room / this.size[0])));
  },

  scale(zoom) {
    if (!this.svg) return;
    this.zoom = Math.min(3, Math.max(0.15, zoom));
    this.svg.setAttribute("width", this.size[0] * this.zoom);
    this.svg.setAttribute("height", this.size[1] * this.zoom);
  },
};

/** What is in a channel. */
function fill(channel) {
  return channel.capacity === 0 ? "rendezvous" : `${count(channel.waiting)} of ${count(channel.capacity)}`;
}

document.getElementById("fit").addEventListener("click", () => Picture.fit());
document.getElementById("larger").addEventListener("click", () => Picture.scale(Picture.zoom * 1.3));
document.getElementById("smaller").addEventListener("click", () => Picture.scale(Picture.zoom / 1.3));
