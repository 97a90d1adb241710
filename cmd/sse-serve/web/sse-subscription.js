// SPDX-License-Identifier: MIT
// What subscribe() of sse.js returns: the list of each topic, and after it what the stream of all tabs brings,
// without a seam.

import { checkName, isPattern, matches } from "./sse-rules.js";

export class Subscription {
  #history;
  #nap;
  #known = new Map(); // by topic, what the list has shown already
  #held = null; // what comes while it lists
  #opened = null;
  #trouble = null;
  #caughtUp = 0; // when the page was last told
  #over = new Set(); // topics that are closed

  /** Resolves when the page has all that was stored: what its handler uptodate() is told each time. */
  uptodate = new Promise((resolve) => (this.resolve = resolve));
  /** Resolves when all topics are closed: nothing more will ever come. */
  closed = new Promise((resolve) => (this.resolveClosed = resolve));

  /** history and nap are of sse.js. */
  constructor(hub, topics, handlers, { limit, as, history, nap }) {
    Object.assign(this, { hub, topics, handlers, limit, as });
    this.#history = history;
    this.#nap = nap;
  }

  /** Called when the stream has all topics: lists, then hands on what came after. */
  async open() {
    if (this.#opened) return;
    const { signal } = (this.#opened = new AbortController());
    this.#held = [];
    this.#known.clear();
    for (const topic of this.handlers.list ? this.topics.filter((topic) => !isPattern(topic)) : [])
      for (let count = 0; !signal.aborted && !(await this.#list(topic, count, signal)); count += 1);
    if (signal.aborted) return;
    this.hub.begin(null);
    const held = this.#held;
    this.#held = null;
    for (const event of held) this.take(event);
    this.tellCaughtUp();
    this.#tellClosed();
  }

  async #list(topic, count, signal) {
    const { hub, limit } = this;
    try {
      const from = hub.last; // the stream has all that came after it
      const { events, head } = await this.#history(topic, { limit, signal });
      const more = events.length === limit;
      const ids = new Set(events.map(({ id }) => id));
      // If the list begins after that position, the stream also brings what is too old for the list.
      const overtaken = from && from !== head && more &&
        !(await this.#history(topic, { limit: 1, before: from, signal })).events.some(({ id }) => ids.has(id));
      if (signal.aborted) return true;
      if (!from && !hub.begin(head)) return false; // another list was faster
      this.#known.set(topic, { ids, until: overtaken ? events.at(-1).id : null });
      this.#trouble = null;
      this.show();
      this.#call("list", events.filter(({ event }) => event !== "closed"), { topic, head, more });
      if (events.some(({ event }) => event === "closed")) this.#closeTopic(topic);
      return true;
    } catch (failure) {
      const since = this.#trouble?.since ?? Date.now();
      const tell = (trouble) => this.show((this.#trouble = { ...trouble, since }));
      if (!signal.aborted) await this.#nap(count, failure, signal, tell);
      return false;
    }
  }

  take(event) {
    if (event.event === "gap" && !event.topic) {
      this.#call("gap", event.data);
      if (this.handlers.list) this.reload();
    } else if (this.#opened && this.topics.some((topic) => matches(topic, event.topic))) {
      if (this.#held) return void ((event.id || event.event === "deleted") && this.#held.push(event));
      const known = event.id && this.#known.get(event.topic);
      if (known?.until) {
        if (known.until === event.id) known.until = null;
      } else if (!known?.ids.has(event.id)) {
        if (event.id) this.#known.delete(event.topic); // what comes now is newer than the list
        if (event.event === "closed") this.#closeTopic(event.topic);
        else this.#call("event", event);
      }
    }
  }

  show() {
    this.#call("state", this.#trouble ?? this.hub.stateOf(this));
    this.tellCaughtUp();
    this.#tellClosed();
  }

  /** The stream has ended, since all of its topics are closed. */
  #tellClosed() {
    if (this.hub.state.word !== "closed" || this.#held || !this.#opened || this.hub.isLate()) return;
    for (const topic of this.topics) this.#closeTopic(topic);
  }

  #closeTopic(topic) {
    if (this.#over.has(topic)) return;
    this.#over.add(topic);
    this.#call("closed", topic);
    if (this.topics.every((one) => this.#over.has(one))) this.resolveClosed();
  }

  /** Has the page all that the stream brought until it had caught up? */
  tellCaughtUp() {
    const { uptodate } = this.hub.state;
    if (!uptodate || uptodate === this.#caughtUp || this.#held || !this.#opened || this.hub.isLate()) return;
    this.#caughtUp = uptodate;
    this.#call("uptodate");
    this.resolve();
  }

  #call(name, ...values) {
    try {
      this.handlers[name]?.(...values);
    } catch (error) {
      console.error(error); // the page's, and no reason to stop the stream
    }
  }

  /** List again, as after a gap. */
  reload() {
    this.#stop();
    this.hub.open();
  }

  #stop() {
    this.#opened?.abort();
    this.#opened = null;
  }

  /** The page goes, or is put to sleep: a list that is not complete is asked for again when it comes back. */
  pause() {
    if (this.#held) this.#stop();
  }

  /** Take part by this name from now on. */
  rename(as) {
    if (as) checkName(as);
    this.as = as;
    this.hub.want();
  }

  /** Try again now, where something waits. */
  retry() {
    this.hub.tell("wake", { now: this.hub.state.word !== "live" });
  }

  close() {
    this.#stop();
    this.hub.subs.delete(this);
    this.hub.want();
  }
}
