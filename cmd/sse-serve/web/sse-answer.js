// SPDX-License-Identifier: MIT
// What comes in answer to sse.js: streams, other bodies, and failures.

/**
 * `code`: offline, unreachable, timeout, lost, ended (detail), type (detail), refused (status, title, detail, after;
 * denied, if it takes another proof of who one is), closed.
 */
export class Failure extends Error {
  constructor(code, more = {}) {
    super(more.detail || code);
    Object.assign(this, { code }, more);
    // For the types alone: what it may have.
    /** @type {string} */ this.code;
    /** @type {string|undefined} */ this.detail;
    /** @type {string|undefined} */ this.title;
    /** @type {number|undefined} */ this.status;
    /** @type {number|undefined} */ this.after;
    /** @type {boolean|undefined} */ this.denied;
  }
}

/** An answer that is not the server's, such as the page of a network that wants a login first. */
export function wrongType(answer) {
  answer.body?.cancel().catch(() => {});
  return new Failure("type", { detail: answer.headers.get("Content-Type") || `status ${answer.status}` });
}

/**
 * Reads until the stream breaks: take() gets the events of each piece. Resolves to the wait that the server wants,
 * and its reason if it has ended the stream because of who reads it.
 */
export async function readEvents(body, signal, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", block = {}, after = 0, reason;
  for (;;) {
    const { value, done } = await reader.read().catch(() => ({ done: true }));
    if (done || signal.aborted || reason) return { after, reason };
    const lines = (rest + value).split("\n"); // sse-serve sends no CR
    rest = lines.pop();
    const events = [];
    for (const line of lines) {
      const [, name, text] = /^([^:]*):? ?(.*)$/.exec(line);
      if (name) block[name] = name === "data" && "data" in block ? `${block.data}\n${text}` : text;
      if (line !== "") continue;
      after = Number(block.retry) || after;
      if (block.event === "denied") reason = JSON.parse(block.data).reason;
      else if (block.event === "uptodate") events.push({ event: "uptodate" });
      else if (block.event === "gap") events.push({ event: "gap", id: block.id, data: JSON.parse(block.data) });
      else if ("data" in block) events.push({ ...JSON.parse(block.data), id: block.id });
      else if (block.id) events.push({ event: "", id: block.id }); // the position at which it starts
      block = {};
    }
    take(events);
  }
}

/** Reads all of an answer. It fails if nothing comes for `most`, or for `first` when something wakes who naps. */
export async function readText({ body }, { most, first, naps }) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let all = "", code = null, came;
  const stop = (why) => {
    code ??= why;
    reader.cancel().catch(() => {});
  };
  const woken = () => Date.now() - came >= first && stop("lost");
  naps.add(woken);
  try {
    for (;;) {
      came = Date.now();
      const timer = setTimeout(stop, most, "timeout");
      const { value, done } = await reader.read().catch(() => ((code ??= "lost"), { done: true }));
      clearTimeout(timer);
      if (code) throw new Failure(code);
      if (done) return all;
      all += value;
    }
  } finally {
    naps.delete(woken);
  }
}
