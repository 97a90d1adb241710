// SPDX-License-Identifier: MIT
// What comes in answer to sse.js: streams, other bodies, and failures.

/** `code`: offline, unreachable, timeout, lost, type (detail), refused (status, title, detail, after). */
export class Failure extends Error {
  constructor(code, more = {}) {
    super(more.detail || code);
    Object.assign(this, { code }, more);
  }
}

/** An answer that is not the server's, such as the page of a network that wants a login first. */
export function wrongType(answer) {
  answer.body?.cancel().catch(() => {});
  return new Failure("type", { detail: answer.headers.get("Content-Type") || `status ${answer.status}` });
}

/** Reads until the stream breaks: take() gets the events of each piece. Resolves to the wait the server wants. */
export async function readEvents(body, signal, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", block = {}, retry = 0;
  for (;;) {
    const { value, done } = await reader.read().catch(() => ({ done: true }));
    if (done || signal.aborted) return retry;
    const lines = (rest + value).split("\n"); // sse-serve sends no CR
    rest = lines.pop();
    const events = [];
    for (const line of lines) {
      const [, name, text] = /^([^:]*):? ?(.*)$/.exec(line);
      if (name) block[name] = name === "data" && "data" in block ? `${block.data}\n${text}` : text;
      if (line !== "") continue;
      retry = Number(block.retry) || retry;
      if (block.event === "gap") events.push({ event: "gap", id: block.id, data: JSON.parse(block.data) });
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
