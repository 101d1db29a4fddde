// How numbers and times are written, and how elements are made. Text only ever becomes text here:
// nothing on this page sets HTML.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

/** An element with a class, and text or children in it. */
function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** The same of a picture, with attributes. */
function drawn(name, attributes, ...content) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** 950, 1.2k, 34k, 5.6M. */
function count(number) {
  for (const [unit, one] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (number >= one * 0.9995) return digits(number / one) + unit;
  }
  return number >= 10 || Number.isInteger(number) ? String(Math.round(number)) : number.toFixed(1);
}

function digits(number) {
  return number >= 99.95 ? number.toFixed(0) : number.toFixed(1).replace(/\.0$/, "");
}

/** A number of bytes and its unit. */
function bytes(number) {
  for (const [unit, one] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (number >= one) return [digits(number / one), unit];
  }
  return [String(number), "B"];
}

/** How long something lasted: 340 ms, 5.2 s, 3 min 20 s, 2 h 5 min. */
function lasted(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${digits(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A share of time, in per cent. */
function percent(share) {
  return `${Math.round(share * 100)} %`;
}

function counted(number, noun) {
  const many = noun === "process" ? "processes" : `${noun}s`;
  return `${count(number)} ${number === 1 ? noun : many}`;
}

/** What a process does, in words. */
function doing(process) {
  if (process.state === "waiting" && process.waits.length > 0) {
    const [first, ...others] = process.waits;
    const at = first.port ?? first.channel;
    const words = { send: "waits to send on", receive: "waits at", meet: "waits at the barrier", permit: "waits for a permit" };
    const more = others.length > 0 ? ` and ${others.length} more` : "";
    return first.operation === "permit" ? words.permit : `${words[first.operation]} ${at}${more}`;
  }
  if (process.state === "joining") return `waits for ${process.joins} to end`;
  if (process.state === "running" && !process.measured) return "runs";
  if (process.state === "running" && process.cpu_share < 0.02) return "sleeps, or is at work outside";
  return { running: "computes", down: "is down, to be restarted" }[process.state] ?? "waits";
}
