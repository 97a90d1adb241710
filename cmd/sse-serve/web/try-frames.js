// SPDX-License-Identifier: MIT
// The frames of an event stream as they come, for the playground: each with its lines, and what an EventSource makes of it.

/** The fields of a frame: { lines, data, event, id, retry, comments }; what it does not have is undefined. */
export function readFrame(lines) {
  const frame = { lines, comments: [] };
  for (const line of lines) {
    const [, name, value] = /^([^:]*):? ?([^]*)$/.exec(line);
    if (name === "") frame.comments.push(value);
    else if (name === "data") frame.data = frame.data === undefined ? value : `${frame.data}\n${value}`;
    else if (name === "event" || name === "id") frame[name] = value;
    else if (name === "retry" && /^\d+$/.test(value)) frame.retry = Number(value);
  }
  return frame;
}

/** Reads a body to its end, and hands on the frames of each piece. An unfinished frame at the end is none. */
export async function readFrames(body, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", lines = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const pieces = (rest + value).split("\n"); // sse-serve sends no CR
    rest = pieces.pop();
    const frames = [];
    for (const line of pieces) {
      if (line !== "") lines.push(line);
      else if (lines.length > 0) frames.push(readFrame(lines)), (lines = []);
    }
    if (frames.length > 0) take(frames);
  }
}

/** JSON with a line for each member: only the spaces change, no digit does. Other text stays as it is. */
export function indented(text) {
  try {
    if (typeof JSON.parse(text) !== "object") return text;
  } catch {
    return text;
  }
  const short = text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");
  const tokens = short.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^"{}[\],:]+/g);
  if (short.length <= 40) return tokens.join("").replace(/("(?:[^"\\]|\\.)*")|([:,])/g, (_, string, mark) => string ?? `${mark} `);
  let depth = 0;
  const newLine = () => `\n${"  ".repeat(depth)}`;
  return tokens.map((token, i) => {
    const empty = /^[{[]$/.test(tokens[i - 1]) && /^[}\]]$/.test(token);
    if (/^[{[]$/.test(token)) return (depth += 1), /^[}\]]$/.test(tokens[i + 1]) ? token : token + newLine();
    if (/^[}\]]$/.test(token)) return (depth -= 1), empty ? token : newLine() + token;
    return token === "," ? token + newLine() : token === ":" ? ": " : token;
  }).join("");
}

/** Characters that steer how text looks, or that nobody sees, are shown as what they are. */
export const visible = (text) => text.replace(
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
  (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
