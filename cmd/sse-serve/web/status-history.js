// SPDX-License-Identifier: MIT
// The figures of the last ten minutes: the samples that the server kept, and the events that came since. All have
// totals since the server's start; what is shown of these is how much they grew in five seconds, so that the newest
// value and the highest are measured alike.

export const SPAN_MS = 600_000;
const MEAN_MS = 4_500; // a sample may be a little early
const GAP_MS = 12_000; // more than two samples are missing: the line is broken

/** Of the same run of the server: between them its clock and its uptime grew alike. */
const isSameRun = (a, b) => Math.abs(b.at - a.at - 1000 * (b.uptime - a.uptime)) < 1500;
const follows = (a, b) => b.at - a.at <= GAP_MS && isSameRun(a, b);

/** A figure that is counted since the start, and not one of the moment. */
const isTotal = (name) => name !== "streams";

export class History {
  #records = []; // the oldest first

  get newest() {
    return this.#records.at(-1);
  }

  /** stats: the data of an event. True if something is missing before it, which the server's samples may have. */
  add(stats) {
    const record = { ...stats, at: Date.parse(stats.time) };
    const last = this.newest;
    if (last && record.at <= last.at) this.#records = this.#records.filter(({ at }) => at < record.at); // its clock was put back
    this.#records.push(record);
    while (this.#records[0].at < record.at - SPAN_MS - GAP_MS) this.#records.shift();
    return !last || !isSameRun(last, record) || record.at - last.at > 2_500;
  }

  /** Takes what the server kept in place of what came in the same time. */
  fill(samples) {
    if (samples.length === 0) return;
    const kept = samples.map((sample) => ({ ...sample, at: Date.parse(sample.time) }));
    const [from, upto] = [kept[0].at, kept.at(-1).at];
    const others = this.#records.filter(({ at }) => at < from || at > upto);
    this.#records = [...others, ...kept].sort((a, b) => a.at - b.at);
  }

  #value(name, i) {
    const record = this.#records[i];
    if (!isTotal(name)) return record[name];
    let from = i;
    while (from > 0 && record.at - this.#records[from].at < MEAN_MS && follows(this.#records[from - 1], this.#records[from])) from -= 1;
    if (from === i) return null;
    const base = this.#records[from];
    return (1000 * Math.max(0, record[name] - base[name])) / (record.at - base.at);
  }

  /** What there is to draw of a figure: `{ at, value, joined }`, joined to the one before it, or after a gap. */
  points(name) {
    const since = (this.newest?.at ?? 0) - SPAN_MS;
    let before = null; // the record, if it has a value
    const points = [];
    this.#records.forEach((record, i) => {
      const value = this.#value(name, i);
      if (value !== null && record.at >= since) points.push({ at: record.at, value, joined: Boolean(before && follows(before, record)) });
      before = value === null ? null : record;
    });
    return points;
  }

  /** How long something took in all this time: `{ count, mean, max }`. */
  times(name) {
    const all = this.#records.map((record) => record[name]).filter(({ count }) => count > 0);
    const count = all.reduce((sum, one) => sum + one.count, 0);
    const total = all.reduce((sum, one) => sum + one.mean * one.count, 0);
    return { count, mean: total / count, max: Math.max(...all.map(({ max }) => max)) };
  }
}

/** The least round number that is not below value: the top of an axis, of which half is round too. */
export function roundUp(value, least) {
  let power = 1;
  for (;;) {
    for (const digit of [1, 2, 4]) if (digit * power >= Math.max(value, least)) return digit * power;
    power *= 10;
  }
}
