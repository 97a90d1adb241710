// SPDX-License-Identifier: MIT
// The plots of the status page. All show the same time, and where one points in one of them, by mouse, finger or
// arrow keys, each tells its value.

import { at, setText, t } from "./common.js";
import { SPAN_MS, roundUp } from "./status-history.js";

const TICK_MS = 300_000; // between the times below a plot
const PAGE_MS = 60_000; // that Page Up and Page Down move
const NEAR_MS = 6_000; // of a value to where one points

/** By 24 hours in each language: there is little room. */
const timeOf = (time, seconds) =>
  new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }) });

const plots = [];
let pointed = null; // the time; Infinity: the newest, whichever that is; null: nowhere

function point(time) {
  pointed = time;
  for (const plot of plots) plot.mark();
}

/** One figure: name, how to say a value, and the least that its axis reaches to. */
export class Plot {
  #points = [];
  #now = 0; // the right end
  #parts;
  #root;

  constructor({ name, say, least }) {
    Object.assign(this, { name, say, least });
    const figure = at("plot").content.firstElementChild.cloneNode(true);
    const find = (part) => figure.querySelector(part);
    this.#parts = Object.fromEntries(["now", "more", "top", "half", "zero", "grid", "area", "line", "cursor", "told"]
      .map((part) => [part, find(`.plot-${part}`)]));
    this.#parts.times = [...figure.querySelectorAll(".plot-times span")];
    this.#root = find(".plot-field");
    figure.dataset.name = name;
    find(".plot-name").textContent = t(name);
    this.#root.setAttribute("aria-label", t("lastMinutes", t(name)));
    this.#listen();
    at("plots").append(figure);
    plots.push(this);
  }

  /** Points of a History, and its newest time. */
  show(points, now) {
    this.#points = points;
    this.#now = now;
    const { now: newest, more } = this.#parts;
    const peak = Math.max(0, ...points.map(({ value }) => value));
    const last = points.at(-1);
    const value = last?.at === now ? this.say(last.value) : "–";
    setText(newest, value);
    setText(more, peak > 0 ? t("most", this.say(peak)) : t("most", "–"));
    this.#draw(roundUp(peak, this.least));
    this.mark();
    // One who is in it asks by the keys, and is not told by itself each second.
    if (document.activeElement !== this.#root) this.#tell(value, 0);
  }

  #x(time) {
    return 100 + (100 * (time - this.#now)) / SPAN_MS;
  }

  #draw(top) {
    const { top: upper, half, zero, grid, line, area, times } = this.#parts;
    setText(upper, this.say(top));
    setText(half, this.say(top / 2));
    setText(zero, this.say(0));
    const runs = [];
    for (const { at: time, value, joined } of this.#points) {
      if (!joined || runs.length === 0) runs.push([]);
      runs.at(-1).push([this.#x(time).toFixed(2), (100 - (100 * value) / top).toFixed(2)]);
    }
    line.setAttribute("d", runs.map((run) => `M${run.join("L")}`).join(""));
    area.setAttribute("d", runs.map((run) => `M${run[0][0]},100L${run.join("L")}L${run.at(-1)[0]},100Z`).join(""));
    const first = Math.ceil((this.#now - SPAN_MS) / TICK_MS) * TICK_MS;
    const ticks = times.map((_, i) => first + i * TICK_MS).filter((time) => time <= this.#now);
    times.forEach((element, i) => {
      element.hidden = i >= ticks.length;
      if (element.hidden) return;
      setText(element, timeOf(ticks[i]));
      this.#place(element, this.#x(ticks[i]));
    });
    grid.setAttribute("d", `M0,50H100${ticks.map((time) => `M${this.#x(time).toFixed(2)},0V100`).join("")}`);
  }

  /** So far along the axis, and within it however wide it is. */
  #place(element, percent) {
    element.style.left = `${percent}%`;
    element.style.translate = `-${percent}% 0`;
  }

  #nearest(time) {
    const distance = (one) => Math.abs(one.at - Math.min(time, this.#now));
    return this.#points.reduce((best, one) => (best && distance(best) < distance(one) ? best : one), undefined);
  }

  /** Shows the value where one points. Returns what it says. */
  mark() {
    const { cursor, told } = this.#parts;
    cursor.hidden = told.hidden = pointed === null;
    if (pointed === null) return "";
    const wanted = Math.min(pointed, this.#now);
    const nearest = this.#nearest(wanted);
    const found = nearest && Math.abs(nearest.at - wanted) <= NEAR_MS ? nearest : undefined;
    const time = found?.at ?? wanted;
    const text = `${timeOf(time, true)}: ${found ? this.say(found.value) : "–"}`;
    const x = Math.max(0, this.#x(time));
    cursor.style.left = `${x}%`;
    this.#place(told, x);
    setText(told, text);
    return text;
  }

  #tell(text, seconds) {
    this.#root.setAttribute("aria-valuenow", seconds);
    this.#root.setAttribute("aria-valuetext", text);
  }

  #go(time) {
    point(time);
    this.#tell(this.mark(), Math.max(-SPAN_MS, Math.min(0, time - this.#now)) / 1000);
  }

  #step(by) {
    const times = this.#points.map((one) => one.at);
    const i = times.indexOf(this.#nearest(pointed ?? Infinity)?.at) + by;
    return i < times.length - 1 ? (times[Math.max(0, i)] ?? Infinity) : Infinity;
  }

  #listen() {
    const root = this.#root;
    const away = (by) => Math.max(this.#now - SPAN_MS, Math.min(pointed ?? Infinity, this.#now) + by);
    const keys = {
      ArrowLeft: () => this.#step(-1), ArrowDown: () => this.#step(-1),
      ArrowRight: () => this.#step(1), ArrowUp: () => this.#step(1),
      PageDown: () => away(-PAGE_MS),
      PageUp: () => (away(PAGE_MS) < this.#now ? away(PAGE_MS) : Infinity),
      Home: () => this.#points[0]?.at ?? Infinity,
      End: () => Infinity,
    };
    root.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === "Escape") point(null);
      else if (Object.hasOwn(keys, event.key)) this.#go(keys[event.key]());
      else return;
      event.preventDefault();
    });
    const hover = ({ clientX }) => {
      const { left, width } = root.getBoundingClientRect();
      point(this.#now - SPAN_MS * (1 - Math.max(0, Math.min(1, (clientX - left) / width))));
    };
    root.addEventListener("pointermove", hover);
    root.addEventListener("pointerdown", hover);
    root.addEventListener("pointerleave", () => point(null));
    root.addEventListener("focus", () => root.matches(":focus-visible") && this.#go(Infinity));
    root.addEventListener("blur", () => point(null));
  }
}
