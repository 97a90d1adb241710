// SPDX-License-Identifier: MIT
// How sse.js asks the server: each request takes the page's token along, a bad answer is a Failure, and who
// failed waits before trying again.

import { Failure, readText, wrongType } from "./sse-answer.js";
import { checkTopic } from "./sse-rules.js";

const GATEWAY = [502, 504]; // what a proxy says whose server does not answer

const unreachable = () => new Failure(globalThis.navigator?.onLine === false ? "offline" : "unreachable");

/** RFC 9457, if it is one. */
async function failureOf(answer, json) {
  let problem = {};
  if (/\bjson\b/.test(answer.headers.get("Content-Type"))) problem = (await json(answer).catch(() => null)) ?? {};
  const text = (value) => (typeof value === "string" ? value.trim() : "");
  const { status, statusText, headers } = answer;
  return new Failure("refused", {
    status,
    title: text(problem.title) || statusText || `Status ${status}`,
    detail: text(problem.detail),
    after: 1000 * headers.get("Retry-After") || 0,
    // Another server's 401, such as a proxy's, may pass by itself; this one's takes another proof.
    denied: (status === 401 || status === 403) && /^Bearer\b/.test(headers.get("WWW-Authenticate")),
  });
}

/** What one copy of sse.js asks by. */
export function makeRequests(settings) {
  const naps = new Set(); // what ends each
  const denials = new Set(); // of naps that last until there is a new proof

  /** Ends the naps; those that wait for a new proof only if there may be one. */
  const wake = ({ proof } = {}) => [...naps, ...(proof ? denials : [])].forEach((end) => end());

  /** Waits, longer each time and never in step with others, or until wake(). tell() gets why and how long. */
  function nap(count, failure, signal, tell = () => {}) {
    const most = Math.min(settings.most, settings.first * 2 ** count);
    const delay = Math.max(failure.after ?? 0, most / 2) + (Math.random() * most) / 2;
    const { code = "broken", detail = String(failure), title, status, denied } = failure;
    if (denied) tell({ word: "denied", code, detail, title, status });
    else tell({ word: "waiting", code, detail, title, status, due: Date.now() + delay, tries: count + 1 });
    const ends = denied ? denials : naps;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        ends.delete(end);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = denied ? 0 : setTimeout(end, delay);
      ends.add(end);
      signal?.addEventListener("abort", end);
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

  /** One request; throws a Failure unless the answer is a good one and its head comes in time. */
  async function attempt(path, { signal, ...options }) {
    const limit = new AbortController();
    const stop = () => limit.abort();
    const timer = setTimeout(stop, settings.answer);
    signal?.addEventListener("abort", stop); // until it fails; the body of a good answer is stopped too
    if (signal?.aborted) stop();
    try {
      const answer = await fetch(new URL(path, settings.base), { cache: "no-store", ...options, signal: limit.signal })
        .catch(() => {
          throw limit.signal.aborted && !signal?.aborted ? new Failure("timeout") : unreachable();
        })
        .finally(() => clearTimeout(timer));
      if (answer.ok) return answer;
      throw await failureOf(answer, json);
    } catch (failure) {
      signal?.removeEventListener("abort", stop);
      throw failure;
    }
  }

  /**
   * fetch of `api/...` with the page's token: where that is a function and what it gave is refused, with a new one.
   * @param {string} path
   * @param {RequestInit} [options]
   */
  async function ask(path, { headers, ...options } = {}) {
    const { token } = settings;
    if (!token || new Headers(headers).has("Authorization")) return attempt(path, { headers, ...options });
    const asks = typeof token === "function";
    const withToken = async (refusal) => {
      const given = asks ? await token(refusal) : token;
      const all = new Headers(headers);
      if (given) all.set("Authorization", `Bearer ${given}`);
      return attempt(path, { headers: all, ...options });
    };
    return withToken().catch((failure) => {
      if (asks && failure.status === 401) return withToken(failure);
      throw failure;
    });
  }

  /** Does the server answer, whatever it says? "yes", "no" if it cannot be reached, or "late". */
  async function answers() {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), settings.prompt);
    const failure = await ask("api?limit=1", { method: "HEAD", signal: limit.signal }).then(() => null, (error) => error);
    clearTimeout(timer);
    if (limit.signal.aborted || GATEWAY.includes(failure?.status)) return "late";
    return failure?.code === "offline" || failure?.code === "unreachable" ? "no" : "yes";
  }

  /**
   * What is stored: `{ events, head }`, the oldest first; an event is `{ topic, id, time, event, subject?, data }`.
   * @param {string} topic
   * @param {{limit?: number, before?: string, latest?: boolean, signal?: AbortSignal}} [which] the newest so many, before
   *   an id; or the newest of each subject that is not cleared
   * @returns {Promise<{events: import("./sse.js").Event[], head: string}>}
   */
  async function history(topic, { limit, before, latest, signal } = {}) {
    const which = { ...(limit && { limit }), ...(before && { before }), ...(latest && { latest: 1 }) };
    const query = new URLSearchParams({ envelope: 1, ...which });
    const answer = await ask(`api/${topic}?${query}`, { signal, headers: { Accept: "application/json" } });
    const head = answer.headers.get("Last-Event-ID");
    const events = head && (await json(answer));
    if (head && Array.isArray(events)) return { events, head };
    throw wrongType(answer);
  }

  /**
   * @param {string} topic
   * @param {string} id
   */
  async function remove(topic, id) {
    checkTopic(topic);
    await ask(`api/${topic}/${encodeURIComponent(id)}`, { method: "DELETE" }).catch((failure) => {
      if (failure.status !== 410) throw failure;
    });
  }

  return { answers, ask, json, history, nap, remove, wake };
}
