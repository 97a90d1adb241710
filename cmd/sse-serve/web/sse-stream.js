// SPDX-License-Identifier: MIT
// The stream of sse.js; or, where something on the way holds streams back, polls in its place: requests that
// wait for what comes next and then end, so that their answers are let through.

import { isPattern } from "./sse-rules.js";
import { Failure, readEvents, wrongType } from "./sse-answer.js";

const WAIT_MS = 25_000; // of a poll; proxies end a request that takes a minute or half of it
const LEAST_MS = 500; // a poll that takes less, and brings nothing, is no reason to ask again at once

/** What reads for one copy of sse.js. */
export function makeRead({ ask, settings }) {
  let held = false; // streams are held back: all that follows are polls
  let late = 0; // how long the server took to answer when that was found out
  let waits = 0; // since when one waits for a first id to go on after

  const accept = { headers: { Accept: "text/event-stream" } };

  /**
   * One answer, to its end. Resolves to the wait that the server wants before the next request. left has the topics that
   * are not closed, as far as the answers tell.
   */
  async function readOne(url, { left, signal, open, take }) {
    const note = (events) => {
      if (events.some(({ id }) => id)) waits = 0;
      for (const { event, topic } of events) if (event === "closed") left.delete(topic);
      take(events);
    };
    const own = new AbortController(); // a signal that lasts for days is not to collect a listener of each request
    const end = () => own.abort();
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    try {
      const answer = await ask(url, { signal: own.signal, ...accept });
      if (answer.status === 204) throw new Failure("closed");
      if (!answer.headers.get("Content-Type")?.startsWith("text/event-stream")) throw wrongType(answer);
      open();
      const { after, reason } = await readEvents(answer.body, signal, note);
      if (left.size === 0) throw new Failure("closed");
      if (reason) throw new Failure("ended", { after, detail: reason });
      return after;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  /** Reads a stream until it breaks, which is a Failure; returns if it is held back. */
  async function readStream(url, { polls, left, signal, open, take }) {
    const own = new AbortController();
    const end = () => own.abort();
    let going = true; // and nothing has come
    let found = false; // that it is held back
    let watch = 0;
    const look = async () => {
      const began = Date.now();
      const answers = await ask(`${url}&until=now&wait=0`, { method: "HEAD", signal: own.signal, ...accept })
        .then(() => true, () => false);
      if (!answers || !going) return;
      late = Date.now() - began;
      if (late > settings.prompt) return void (watch = setTimeout(look, settings.held)); // the server itself was held up
      held = found = true;
      end();
    };
    if (polls) watch = setTimeout(look, settings.held);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    try {
      const after = await readOne(url, {
        left, signal: own.signal, open,
        take: (events) => {
          going = false;
          take(events);
        },
      });
      if (going && found && !signal.aborted) return;
      throw new Failure("lost", { after });
    } catch (failure) {
      if (!going || !found || signal.aborted) throw failure;
    } finally {
      going = false;
      clearTimeout(watch);
      signal.removeEventListener("abort", end);
    }
  }

  /** Reads polls until one fails. To who takes it, all of them are one stream, which has caught up with the first. */
  async function readPolls(url, { id, latest, left, signal, open, take }) {
    const wait = Math.floor(Math.min(WAIT_MS, settings.silence / 2, settings.answer * 0.75));
    for (let first = true; ; first = false) {
      const start = Date.now();
      const since = latest ? {} : { since: `${start - waits + late}ms` };
      const from = id ? { last_event_id: id } : since;
      let whole = false, brought = false;
      const after = await readOne(`${url}&${new URLSearchParams({ until: "now", wait: `${wait}ms`, ...from })}`, {
        left,
        signal,
        open: () => first && open(),
        take: (events) => {
          whole ||= events.some(({ event }) => event === "uptodate");
          brought ||= events.some(({ event }) => event && event !== "uptodate");
          id = events.findLast((event) => event.id)?.id ?? id;
          take(events.filter(({ event }) => first || event !== "uptodate"));
        },
      });
      if (!whole || signal.aborted || (!brought && Date.now() - start < LEAST_MS)) throw new Failure("lost", { after });
    }
  }

  /**
   * Reads until something breaks, which is a Failure: of the code "closed" if the topics are, for good. take() gets the
   * events of each piece that comes.
   */
  return async function read(topics, { id, as, was, latest, signal, open = () => {}, take }) {
    if (!id) waits ||= Date.now();
    const query = new URLSearchParams({ envelope: 1, mark: 1, ...(as && { as }), ...(was && { was }), ...(latest && { latest: 1 }) });
    const one = topics.length === 1 && !isPattern(topics[0]);
    if (!one) for (const topic of topics) query.append("topic", topic);
    const url = `${one ? `api/${topics[0]}/event` : "api/event"}?${query}`;
    const from = id ? `&${new URLSearchParams({ last_event_id: id })}` : "";
    const left = new Set(topics);
    const polls = !topics.includes("$sys"); // which brings only what polls miss
    if (!held || !polls) await readStream(url + from, { polls, left, signal, open, take });
    return readPolls(url, { id, latest, left, signal, open, take });
  };
}
