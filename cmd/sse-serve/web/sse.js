// SPDX-License-Identifier: MIT
// sse.js: follow topics of sse-serve and publish to them, so that nothing is lost, doubled or out of
// order, whatever breaks. sse-tools(7) says how to use it. Beside it, sse-tabs.js is how all tabs of a
// browser share one connection, sse-subscription.js is what a page has of it, sse-outbox.js keeps what is not yet sent,
// sse-access.js knows who one is, sse-rules.js says what may be sent, sse-pulse.js whether the server answers,
// sse-requests.js asks, sse-stream.js reads streams, and sse-answer.js what comes.

import { Access } from "./sse-access.js";
import { Failure, wrongType } from "./sse-answer.js";
import { Outbox } from "./sse-outbox.js";
import { makeRequests } from "./sse-requests.js";
import { checkKey, checkName, checkSubject, checkTopic, checkTopics, covers, isPattern, may } from "./sse-rules.js";
import { Subscription } from "./sse-subscription.js";
import { makeRead } from "./sse-stream.js";
import { Hub } from "./sse-tabs.js";

export { checkName, checkTopic, covers, Failure, may };

/**
 * @typedef {{topic: string, event: string, data: any, id?: string, time?: string, subject?: string, user?: string}} Event
 *   one that is ephemeral has no id
 * @typedef {{word: "connecting"|"live"|"silent"|"waiting"|"denied"|"closed", since?: number, uptodate?: number, code?: string,
 *   detail?: string, title?: string, status?: number, due?: number, tries?: number}} State
 * @typedef {{
 *   list?: (events: Event[], which: {topic: string, head: string, more: boolean}) => void,
 *   event?: (event: Event) => void,
 *   gap?: (gap: {after: string, oldest: string|null, reason: string}) => void,
 *   uptodate?: () => void,
 *   closed?: (topic: string) => void,
 *   state?: (state: State) => void}} Handlers
 * @typedef {{access: boolean, name?: string|null, as?: string|null, any_name?: boolean, publish?: string[],
 *   read?: string[], delete?: string[], status?: boolean, expires?: string|null}} Session
 * @typedef {{key: string, topic: string, data: any, event?: string, subject?: string, at: number,
 *   state: "pending"|"sent"|"failed"|"gone", id?: string, failed?: object}} Entry
 */

/** What a page may change before its first call; times are in milliseconds. */
export const settings = {
  base: new URL(".", import.meta.url).href, // where api/ is
  answer: 20_000, // the wait for the head of an answer, and for more of a list
  first: 1_000, most: 30_000, // back-off: each is twice the one before
  held: 5_000, // nothing came of a stream by then: if the server answers, it is held back on its way, and polls follow
  overdue: 15_500, // the server's heartbeat comes every 15 s; if nothing did for so long, the server is asked if it answers
  prompt: 2_500, // the wait for that answer
  late: 5_000, // a POST that had no answer by then is told to be stuck
  silence: 45_000, // a stream is dead then
  watch: 10_000, // how often a tab that is seen asks whether the leading one is still there
  // Who one is, where no cookie says it, as for a page of another origin: a token, or a function that gives one, or
  // a promise of one. It is called for each request, and once more, with the Failure, if what it gave is refused.
  /** @type {null|string|((refusal?: Failure) => (string|null|Promise<string|null>))} */
  token: null,
};

/** Do tabs share? Web Locks exist only on https and on localhost; elsewhere each tab is by itself. */
export const shared = Boolean(
  globalThis.isSecureContext && globalThis.navigator?.locks && globalThis.BroadcastChannel);

/** 32 random digits, also where there is no crypto.randomUUID. */
export const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");

const { answers, ask, json, history, nap, remove, wake } = makeRequests(settings);
const read = makeRead({ ask, settings });

/** fetch of `api/...`; throws a Failure unless the answer is a good one and its head comes in time. */
export { ask };
/** Does the server answer now? Resolves to "yes", "no" if it cannot be reached, or "late". */
export { answers };
/** What is stored of a topic: see sse-requests.js. */
export { history };

/**
 * The topics that one may read, by name: `{ topics, head, more }`; a topic is `{ topic, events, id, time, streams }`,
 * and id and time, of its newest event, are null where nothing is stored; and closed is true if it is closed.
 * @param {string|string[]} [pattern] those that match one of these
 * @param {{limit?: number, after?: string, signal?: AbortSignal}} [which] the first so many, after a name
 * @returns {Promise<{topics: {topic: string, events: number, id: string|null, time: string|null, streams: number,
 *   closed?: boolean}[], head: string, more: boolean}>}
 */
export async function topics(pattern = "**", { limit, after, signal } = {}) {
  const query = new URLSearchParams({ ...(limit && { limit }), ...(after && { after }) });
  for (const one of [pattern].flat()) query.append("topic", one);
  const answer = await ask(`api?${query}`, { signal, headers: { Accept: "application/json" } });
  const head = answer.headers.get("Last-Event-ID");
  const found = head && (await json(answer));
  if (head && Array.isArray(found)) return { topics: found, head, more: answer.headers.has("Link") };
  throw wrongType(answer);
}

/**
 * Who is in a topic: `{ count, names, streams }`.
 * @type {(topic: string) => Promise<{count: number, names: string[], streams: number}>}
 */
export const presence = async (topic) => json(await ask(`api/${topic}/presence`));

/**
 * One POST, now or not at all: resolves to the id (undefined if ephemeral), or throws a Failure.
 * @param {string} topic
 * @param {any} data text, or what becomes JSON
 * @param {{event?: string, subject?: string, key?: string, ephemeral?: boolean, close?: boolean}} [how] with a key it
 *   may be sent again; close: it is the last one of the topic, which is closed after it, or, if data is undefined, now
 * @returns {Promise<string|undefined>}
 */
export async function send(topic, data, { event, subject, key, ephemeral, close } = {}) {
  const query = new URLSearchParams({
    ...(event && { event }), ...(subject && { subject }), ...(ephemeral && { ephemeral: 1 }),
    ...(close && { close: 1 }) });
  const [type, body] = typeof data === "string" ? ["text/plain", data] : ["application/json", JSON.stringify(data)];
  const headers = new Headers({ "Content-Type": type, ...(key && { "Idempotency-Key": key }) }); // throws if it cannot be
  const answer = await ask(`api/${topic}?${query}`.replace(/\?$/, ""), { method: "POST", headers, body });
  const id = answer.headers.get("Last-Event-ID");
  if (ephemeral ? answer.status === 202 : answer.status === 201 && id) return id ?? undefined;
  throw wrongType(answer);
}

export { remove }; // (topic, id): deletes an event for everybody; resolves when it is gone, also if it was before

let common = null; // the connection of all tabs
let figures = null; // theirs to $sys: other rules say who may read it, and a refusal must not end the common one
const parts = { settings, answers, nap, wake, newKey };
const connect = (name, read, more) => new Hub({ ...parts, name, shared: name && shared, read, ...more });
const readLatest = (topics, how) => read(topics, { ...how, latest: true });
const name = () => `sse.js ${settings.base}`;
const hub = () => (common ??= connect(name(), read, { access, outbox })); // the only one that sends, and knows who one is
const figuresHub = () => (figures ??= connect(`${name()} $sys`, read));
const tell = (...message) => hub().tell(...message);
const access = new Access({ ask, json, nap, tell });
const outbox = new Outbox({ settings, send, nap, tell, access });

/**
 * Follow topics: what is stored, and then what comes, without a seam.
 * @param {string|string[]} topics patterns such as "chat/*" too; these are not listed
 * @param {Handlers} handlers each is optional
 *   list(events, { topic, head, more }): all that is to be shown of a topic, at first and after a gap
 *   event(event): one more; without an id it is ephemeral: join, leave, typing, deleted (data: { id }, or { upto }), ...
 *   gap({ after, oldest, reason }): events are missing; with list, that comes next
 *   uptodate(): all that was stored was handed on; again after each time that the stream was behind
 *   closed(topic): it is closed for good, and all that it had was handed on
 *   state({ word, since, uptodate, code, detail, title, status, due, tries }): connecting, live, silent (the stream is open,
 *     but the server does not answer, or, if there is a code, cannot store what post() has for it), waiting, closed, or denied, which lasts until login(), or retry(), says that the
 *     server may now be content with who one is
 * @param {{limit?: number, as?: string, share?: boolean, latest?: boolean}} [options] the newest so many of each topic;
 *   the name to take part by; false for a connection of its own; true for the present values, each by
 *   event(), before uptodate(), without list() and by a connection of its own: all of them come again after gap()
 * Throws if the server would refuse it: see checkTopic and checkName; all that a tab shares is at most 64 topics.
 */
export function subscribe(topics, handlers, { share = true, latest = false, ...options } = {}) {
  const wanted = [topics].flat();
  const own = !share || latest;
  const system = wanted.length === 1 && wanted[0] === "$sys";
  if (latest && handlers.list) throw new TypeError("with latest, values come by event(): there is no list()");
  checkTopics(!own && !system && common ? [...common.wanted(), ...wanted] : wanted);
  if (options.as) checkName(options.as);
  const connection = own ? connect(null, latest ? readLatest : read) : system ? figuresHub() : hub();
  const subscription = new Subscription(connection, wanted, handlers, { ...options, history, nap });
  subscription.hub.subs.add(subscription);
  subscription.hub.want();
  return subscription;
}

/**
 * Publish, surely: it is kept in this browser until the server has it, over reloads and days offline,
 * and sent once, in order. Resolves to its key as soon as it is kept; rejects what can never be sent.
 * @param {string} topic
 * @param {string|object} data text, or what becomes JSON
 * @param {{event?: string, subject?: string, key?: string}} [how]
 */
export async function post(topic, data, { event, subject, key = newKey() } = {}) {
  checkTopic(topic);
  checkKey(key);
  if (subject !== undefined) checkSubject(subject);
  const kept = typeof data === "string" ? data : JSON.parse(JSON.stringify(data));
  await outbox.add({ key, topic, data: kept, event, subject, at: Date.now(), who: access.name });
  return key;
}

/**
 * Calls watcher({ key, topic, data, event, subject, at, state, id, failed }) for what waits, and for each change;
 * state: pending, sent (its id), failed (refused for good, and why), gone. Returns what ends it.
 * @type {(watcher: (entry: Entry) => void) => (() => void)}
 */
export const watch = (watcher) => hub() && outbox.watch(watcher);
/** Sends what failed once more. @type {(key: string) => void} */
export const retry = (key) => outbox.retry(key);
/** Throws away what failed. @type {(key: string) => void} */
export const discard = (key) => outbox.discard(key);

/**
 * Who one is: `{ access, name, as, any_name, publish, read, delete, status, expires }`; or access is false, where everyone
 * may do everything. may(session, "read", topic) says what follows from it.
 * @type {() => Promise<Session>}
 */
export const session = () => access.update();

/**
 * Logs all tabs of this browser in; the server keeps the token's session in a cookie. Resolves to who one is,
 * or throws a Failure: status 401 if the token is no good. What others left to be sent is thrown away.
 * @param {string} token
 * @returns {Promise<Session>}
 */
export async function login(token) {
  const session = await access.login(token);
  await outbox.keepOnly(session.name); // before a page that is told may go
  tell("session", { session, by: "login" });
  return session;
}

/** Logs all tabs out; what is not yet sent waits for the same person. @type {() => Promise<void>} */
export const logout = () => access.logout();

/**
 * Calls watcher(session, by) once it is known who one is, and at each change, in any tab, by: "server", "login" or
 * "logout". state() is as for subscribe, until that is known. The returned object has retry() and close().
 * @param {(session: Session, by: "server"|"login"|"logout") => void} watcher
 * @param {{state?: (state: State) => void}} [how]
 */
export function watchSession(watcher, { state } = {}) {
  const ending = new AbortController();
  access.watch(watcher, ending.signal, state);
  return { retry: () => tell("wake", { now: true }), close: () => ending.abort() };
}
