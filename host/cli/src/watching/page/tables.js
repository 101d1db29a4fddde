// The tables of processes and channels: sorted by any column, and found in.
"use strict";

/** How many rows are drawn; all are sorted, and found. */
const ROWS = 200;

class Table {
  /** Columns have: a title, the value to sort by, and what fills the cell. */
  constructor(id, columns, sorted) {
    this.table = document.getElementById(id);
    this.more = document.getElementById(`${id}-more`);
    this.columns = columns;
    this.sorted = sorted;
    this.down = true;
    this.rows = new Map();
    this.items = [];
    this.chosen = new Set();
    this.keep = () => true;
    this.heads = columns.map((column, index) => this.head(column, index));
    this.body = element("tbody", "");
    this.table.append(element("thead", "", element("tr", "", ...this.heads)), this.body);
    this.mark();
  }

  head(column, index) {
    const button = element("button", "", column.title);
    button.type = "button";
    button.addEventListener("click", () => {
      this.down = this.sorted === index ? !this.down : column.number === true;
      this.sorted = index;
      this.mark();
      this.show(this.items);
    });
    const cell = element("th", this.className(column), button);
    cell.scope = "col";
    return cell;
  }

  className(column) {
    return [column.number ? "number" : "", column.late ? "late" : ""].filter(Boolean).join(" ");
  }

  mark() {
    this.heads.forEach((head, index) => {
      if (index === this.sorted) head.setAttribute("aria-sort", this.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  show(items) {
    this.items = items;
    const value = this.columns[this.sorted].value;
    const kept = items.filter(this.keep);
    kept.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      const order = typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
      return (this.down ? -order : order) || one.id - other.id;
    });
    const shown = kept.slice(0, ROWS);
    const rows = shown.map((item) => this.row(item));
    this.body.replaceChildren(...rows);
    const left = new Set(shown.map((item) => item.id));
    for (const id of this.rows.keys()) if (!left.has(id)) this.rows.delete(id);
    const hidden = kept.length - shown.length;
    this.more.hidden = hidden === 0 && kept.length > 0;
    this.more.textContent = kept.length === 0 ? "None." : `and ${count(hidden)} more: sort or find to see them`;
  }

  row(item) {
    let row = this.rows.get(item.id);
    if (!row) {
      row = element("tr", "", ...this.columns.map((column) => element("td", this.className(column))));
      this.rows.set(item.id, row);
    }
    row.classList.toggle("chosen", this.chosen.has(item.id));
    this.columns.forEach((column, index) => {
      const cell = row.cells[index];
      const content = column.cell(item);
      if (typeof content === "string") {
        if (cell.textContent !== content || cell.childElementCount > 0) cell.textContent = content;
        cell.title = content;
      } else {
        cell.replaceChildren(...content);
        cell.title = cell.textContent;
      }
    });
    return row;
  }
}

const SIDES = { held: new Set(), stuck: new Set() };

function processName(process) {
  const parts = [element("span", `dot ${process.state}`), element("span", "name", process.name)];
  if (SIDES.stuck.has(process.id)) parts.push(element("span", "tag bad", "deadlock"));
  else if (SIDES.held.has(process.id)) parts.push(element("span", "tag", "bottleneck"));
  return parts;
}

function meter(channel) {
  const share = channel.capacity === 0 ? channel.full : channel.waiting / channel.capacity;
  const inner = element("i", "");
  inner.style.width = percent(Math.min(1, share)).replace(" ", "");
  return [element("span", channel.full >= 0.5 ? "meter full" : "meter", inner), fill(channel)];
}

const processTable = new Table("processes", [
  { title: "Process", value: (one) => one.name, cell: processName },
  { title: "Processor", number: true, value: (one) => one.cpu_share, cell: (one) => percent(one.cpu_share) },
  { title: "Does", value: (one) => doing(one), cell: (one) => doing(one) },
  { title: "Time", number: true, late: true, value: (one) => one.cpu_seconds, cell: (one) => lasted(one.cpu_seconds * 1000) },
  { title: "Memory", number: true, value: (one) => one.memory, cell: (one) => bytes(one.memory).join(" ") },
  { title: "In/s", number: true, value: (one) => one.receive_rate, cell: (one) => count(one.receive_rate) },
  { title: "Out/s", number: true, value: (one) => one.send_rate, cell: (one) => count(one.send_rate) },
  { title: "In", number: true, late: true, value: (one) => one.received, cell: (one) => count(one.received) },
  { title: "Out", number: true, late: true, value: (one) => one.sent, cell: (one) => count(one.sent) },
  { title: "Restarts", number: true, value: (one) => one.restarts, cell: (one) => count(one.restarts) },
  { title: "Component", late: true, value: (one) => one.component, cell: (one) => one.component },
], 1);

const channelTable = new Table("channels", [
  { title: "Channel", value: (one) => one.label, cell: (one) => one.label },
  { title: "Fill", value: (one) => (one.capacity === 0 ? one.full : one.waiting / one.capacity), cell: meter },
  { title: "Full", number: true, value: (one) => one.full, cell: (one) => `${percent(one.full)} of the time` },
  { title: "Messages/s", number: true, value: (one) => one.rate, cell: (one) => count(one.rate) },
  { title: "Messages", number: true, late: true, value: (one) => one.sent, cell: (one) => count(one.sent) },
  { title: "Dropped", number: true, late: true, value: (one) => one.dropped, cell: (one) => count(one.dropped) },
  { title: "Senders wait", number: true, late: true, value: (one) => one.senders_waiting, cell: (one) => count(one.senders_waiting) },
  { title: "Receivers wait", number: true, late: true, value: (one) => one.receivers_waiting, cell: (one) => count(one.receivers_waiting) },
], 3);

document.getElementById("find").addEventListener("input", (event) => {
  const sought = event.target.value.toLowerCase();
  processTable.keep = (one) => one.name.toLowerCase().includes(sought) || one.component.toLowerCase().includes(sought);
  processTable.show(processTable.items);
});
