// SPDX-License-Identifier: MIT
// sse.js: follow topics of sse-serve and publish to them, so that nothing is lost, doubled or out of
// order, whatever breaks. sse-tools(7) says how to use it. Beside it, sse-tabs.js is how all tabs of a
// browser share one connection, sse-outbox.js keeps what is not yet sent, sse-rules.js says what may be sent,
// and sse-answer.js reads what comes.

import { Failure, readEvents, readText, wrongType } from "./sse-answer.js";
import { Outbox } from "./sse-outbox.js";
import { checkKey, checkName, checkTopic, checkTopics, isPattern, matches } from "./sse-rules.js";
import { Hub } from "./sse-tabs.js";

export { checkName, checkTopic, Failure };

/** What a page may change before its first call; times are in milliseconds. */
export const settings = {
  base: new URL(".", import.meta.url).href, // where api/ is
  answer: 20_000, // the wait for the head of an answer, and for more of a list
  first: 1_000, most: 30_000, // back-off: each is twice the one before
  silence: 45_000, // a stream is dead then; the server's heartbeat comes every 15 s
  watch: 10_000, // how often a tab that is seen asks whether the leading one is still there
};

/** Do tabs share? Web Locks exist only on https and on localhost; elsewhere each tab is by itself. */
export const shared = Boolean(
  globalThis.isSecureContext && globalThis.navigator?.locks && globalThis.BroadcastChannel);

const unreachable = () => new Failure(globalThis.navigator?.onLine === false ? "offline" : "unreachable");

/** 32 random digits, also where there is no crypto.randomUUID. */
export const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");

const naps = new Set();
const wake = () => naps.forEach((end) => end());

/** Waits, longer each time and never in step with others, or until wake(). tell() gets why and how long. */
function nap(count, failure, signal, tell = () => {}) {
  const most = Math.min(settings.most, settings.first * 2 ** count);
  const delay = Math.max(failure.after ?? 0, most / 2) + (Math.random() * most) / 2;
  const { code = "broken", detail = String(failure), title, status } = failure;
  tell({ word: "waiting", code, detail, title, status, due: Date.now() + delay, tries: count + 1 });
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      naps.delete(end);
      resolve();
    };
    const timer = setTimeout(end, delay);
    naps.add(end);
    signal?.addEventListener("abort", end, { once: true });
  });
}

/** fetch of `api/...`; throws a Failure unless the answer is a good one and its head comes in time. */
export async function ask(path, { signal, ...options } = {}) {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(stop, settings.answer);
  signal?.addEventListener("abort", stop, { once: true });
  const answer = await fetch(new URL(path, settings.base), { cache: "no-store", ...options, signal: limit.signal })
    .catch(() => {
      throw limit.signal.aborted && !signal?.aborted ? new Failure("timeout") : unreachable();
    })
    .finally(() => clearTimeout(timer));
  if (answer.ok) return answer;
  let problem = {}; // RFC 9457, if it is one
  if (/\bjson\b/.test(answer.headers.get("Content-Type"))) problem = (await json(answer).catch(() => null)) ?? {};
  const text = (value) => (typeof value === "string" ? value.trim() : "");
  const { status, statusText } = answer;
  throw new Failure("refused", {
    status,
    title: text(problem.title) || statusText || `Status ${status}`,
    detail: text(problem.detail),
    after: 1000 * answer.headers.get("Retry-After") || 0,
  });
}

async function json(answer) {
  const text = answer.body && (await readText(answer, { most: settings.answer, first: settings.first, naps }));
  try {
    return JSON.parse(text);
  } catch {
    throw wrongType(answer);
  }
}

/**
 * What is stored: `{ events, head }`, the oldest first; an event is `{ topic, id, time, event, data }`.
 * @param {string} topic
 * @param {{limit?: number, before?: string, signal?: AbortSignal}} [which] the newest so many, before an id
 */
export async function history(topic, { limit, before, signal } = {}) {
  const query = new URLSearchParams({ envelope: 1, ...(limit && { limit }), ...(before && { before }) });
  const answer = await ask(`api/${topic}?${query}`, { signal, headers: { Accept: "application/json" } });
  const head = answer.headers.get("Last-Event-ID");
  const events = head && (await json(answer));
  if (head && Array.isArray(events)) return { events, head };
  throw wrongType(answer);
}

/** Who is in a topic: `{ count, names, streams }`. */
export const presence = async (topic) => json(await ask(`api/${topic}/presence`));

/**
 * One POST, now or not at all: resolves to the id (undefined if ephemeral), or throws a Failure.
 * @param {{event?: string, key?: string, ephemeral?: boolean}} [how] with a key it may be sent again
 */
export async function send(topic, data, { event, key, ephemeral } = {}) {
  const query = new URLSearchParams({ ...(event && { event }), ...(ephemeral && { ephemeral: 1 }) });
  const [type, body] = typeof data === "string" ? ["text/plain", data] : ["application/json", JSON.stringify(data)];
  const headers = new Headers({ "Content-Type": type, ...(key && { "Idempotency-Key": key }) }); // throws if it cannot be
  const answer = await ask(`api/${topic}?${query}`.replace(/\?$/, ""), { method: "POST", headers, body });
  const id = answer.headers.get("Last-Event-ID");
  if (ephemeral ? answer.status === 202 : answer.status === 201 && id) return id ?? undefined;
  throw wrongType(answer);
}

/** Reads a stream until it breaks, which is a Failure. take() gets the events of each piece that comes. */
async function read(topics, { id, as, signal, open = () => {}, take }) {
  const query = new URLSearchParams({ envelope: 1, ...(id && { last_event_id: id }), ...(as && { as }) });
  const one = topics.length === 1 && !isPattern(topics[0]);
  if (!one) for (const topic of topics) query.append("topic", topic);
  const path = one ? `api/${topics[0]}/event` : "api/event";
  const answer = await ask(`${path}?${query}`, { signal, headers: { Accept: "text/event-stream" } });
  if (!answer.headers.get("Content-Type")?.startsWith("text/event-stream")) throw wrongType(answer);
  open();
  throw new Failure("lost", { after: await readEvents(answer.body, signal, take) });
}

let common = null; // the connection of all tabs
const connect = (name) => new Hub({ name, outbox, settings, read, nap, wake, newKey });
const hub = () => (common ??= connect(shared ? `sse.js ${settings.base}` : null));
const outbox = new Outbox({ settings, send, nap, tell: (...message) => hub().tell(...message) });

class Subscription {
  #known = new Map(); // by topic, what the list has shown already
  #held = null; // what comes while it lists
  #opened = null;
  #trouble = null;

  constructor(hub, topics, handlers, { limit, as }) {
    Object.assign(this, { hub, topics, handlers, limit, as });
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
  }

  async #list(topic, count, signal) {
    const { hub, limit } = this;
    try {
      const from = hub.last; // the stream has all that came after it
      const { events, head } = await history(topic, { limit, signal });
      const more = events.length === limit;
      const ids = new Set(events.map(({ id }) => id));
      // If the list begins after that position, the stream also brings what is too old for the list.
      const overtaken = from && from !== head && more &&
        !(await history(topic, { limit: 1, before: from, signal })).events.some(({ id }) => ids.has(id));
      if (signal.aborted) return true;
      if (!from && !hub.begin(head)) return false; // another list was faster
      this.#known.set(topic, { ids, until: overtaken ? events.at(-1).id : null });
      this.#trouble = null;
      this.show();
      this.#call("list", events, { topic, head, more });
      return true;
    } catch (failure) {
      const since = this.#trouble?.since ?? Date.now();
      const tell = (trouble) => this.show((this.#trouble = { ...trouble, since }));
      if (!signal.aborted) await nap(count, failure, signal, tell);
      return false;
    }
  }

  take(event) {
    if (event.event === "gap" && !event.topic) {
      this.#call("gap", event.data);
      if (this.handlers.list) this.reload();
    } else if (this.#opened && this.topics.some((topic) => matches(topic, event.topic))) {
      if (this.#held) return void (event.id && this.#held.push(event));
      const known = event.id && this.#known.get(event.topic);
      if (known?.until) {
        if (known.until === event.id) known.until = null;
      } else if (!known?.ids.has(event.id)) {
        this.#known.delete(event.topic); // what comes now is newer than the list
        this.#call("event", event);
      }
    }
  }

  show() {
    this.#call("state", this.#trouble ?? this.hub.stateOf(this));
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
    this.#opened?.abort();
    this.#opened = null;
    this.hub.open();
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
    this.#opened?.abort();
    this.hub.subs.delete(this);
    this.hub.want();
  }
}

/**
 * Follow topics: what is stored, and then what comes, without a seam.
 * @param {string|string[]} topics patterns such as "chat/*" too; these are not listed
 * @param {object} handlers each is optional
 *   list(events, { topic, head, more }): all that is to be shown of a topic, at first and after a gap
 *   event(event): one more; without an id it is ephemeral, such as join, leave and typing
 *   gap({ after, oldest, reason }): events are missing; with list, that comes next
 *   state({ word, since, code, detail, title, status, due, tries }): connecting, live or waiting
 * @param {{limit?: number, as?: string, share?: boolean}} [options] the newest so many of each topic; the
 *   name to take part by; false for a connection of its own, as $sys needs it
 * Throws if the server would refuse it: see checkTopic and checkName; all that a tab shares is at most 64 topics.
 */
export function subscribe(topics, handlers, { share = true, ...options } = {}) {
  const wanted = [topics].flat();
  checkTopics(share && common ? [...common.wanted(), ...wanted] : wanted, { alone: !share });
  if (options.as) checkName(options.as);
  const subscription = new Subscription(share ? hub() : connect(null), wanted, handlers, options);
  subscription.hub.subs.add(subscription);
  subscription.hub.want();
  return subscription;
}

/**
 * Publish, surely: it is kept in this browser until the server has it, over reloads and days offline,
 * and sent once, in order. Resolves to its key as soon as it is kept; rejects what can never be sent.
 * @param {string} topic
 * @param {string|object} data text, or what becomes JSON
 * @param {{event?: string, key?: string}} [how]
 */
export async function post(topic, data, { event, key = newKey() } = {}) {
  checkTopic(topic);
  checkKey(key);
  const kept = typeof data === "string" ? data : JSON.parse(JSON.stringify(data));
  await outbox.add({ key, topic, data: kept, event, at: Date.now() });
  return key;
}

/** Calls watcher({ key, topic, data, event, at, state, id, failed }) for what waits, and for each change;
 *  state: pending, sent (its id), failed (refused for good, and why), gone. Returns what ends it. */
export const watch = (watcher) => hub() && outbox.watch(watcher);
/** Sends what failed once more. */
export const retry = (key) => outbox.retry(key);
/** Throws away what failed. */
export const discard = (key) => outbox.discard(key);
