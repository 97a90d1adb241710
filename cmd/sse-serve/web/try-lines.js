// SPDX-License-Identifier: MIT
// What the forms of the playground ask for: as a request, and as lines for a shell or a script that ask for the same.
// Pure text, without a page.
//
// follow: { topics, start, value, as, events, envelope, mark }; start is one of STARTS, value is what it needs.
// publish: { topic, kind, body, event, key, subject, ephemeral }; kind is json, text or batch.
// where: { origin, guarded }; guarded: the server wants a token.

import { isPattern } from "./sse-rules.js";

/** Where a stream can start, and the parameter that says so. */
export const STARTS = { now: null, all: "since", last: "last", since: "since", after: "last_event_id", latest: "latest" };

const DEFAULT_ORIGIN = "http://localhost:8000"; // of SSE_URL, for sse-tail and sse-post
const TYPES = { json: "application/json", text: "text/plain", batch: "application/x-ndjson" };

/** Percent-encodes what has to be, and leaves the rest readable. */
const escape = (text) => encodeURIComponent(text).replace(/%(2F|3A|2C|24|40)/g, decodeURIComponent);
const queryOf = (pairs) => pairs.map(([name, value]) => `${name}=${escape(value)}`).join("&");
const withQuery = (path, pairs) => (pairs.length > 0 ? `${path}?${queryOf(pairs)}` : path);

const isOne = ({ topics }) => topics.length === 1 && !isPattern(topics[0]);

function startOf({ start, value }) {
  const fixed = { all: "all", latest: "1" };
  return STARTS[start] ? [[STARTS[start], fixed[start] ?? value]] : [];
}

const switchesOf = ({ as, events, envelope, mark }) => [
  ...events.map((event) => ["event", event]), ...(as ? [["as", as]] : []),
  ...(envelope ? [["envelope", "1"]] : []), ...(mark ? [["mark", "1"]] : []),
];

const pathOf = (follow) => (isOne(follow) ? `/api/${escape(follow.topics[0])}/event` : "/api/event");
const topicsOf = (follow) => (isOne(follow) ? [] : follow.topics.map((topic) => ["topic", topic]));

/** The target of the stream's GET. */
export const streamTarget = (follow) =>
  withQuery(pathOf(follow), [...topicsOf(follow), ...startOf(follow), ...switchesOf(follow)]);

/** The POST: { target, headers, body }. */
export function publishRequest({ topic, kind, body, event, key, subject, ephemeral }) {
  const pairs = [...(event ? [["event", event]] : []), ...(subject ? [["subject", subject]] : []),
    ...(ephemeral ? [["ephemeral", "1"]] : [])];
  return {
    target: withQuery(`/api/${escape(topic)}`, pairs),
    headers: { "Content-Type": TYPES[kind], ...(kind === "batch" && { Accept: TYPES.batch }), ...(key && { "Idempotency-Key": key }) },
    body,
  };
}

// --- for a shell ------------------------------------------------------------

const quote = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const TOKEN = ' -H "Authorization: Bearer $SSE_TOKEN"';
const options = (pairs) => pairs.filter(([, value]) => value).map(([name, value]) => ` ${name} ${quote(value)}`).join("");

export const curlFollow = (follow, { origin, guarded }) =>
  `curl -N${guarded ? TOKEN : ""} ${quote(origin + streamTarget(follow))}`;

/** By sse-tail's own options, where it has one for all that is asked; otherwise by the URL. */
export function tailLine(follow, { origin }) {
  if (!isOne(follow) || switchesOf(follow).length > 0) return `sse-tail ${quote(origin + streamTarget(follow))}`;
  const [topic] = follow.topics;
  const named = origin === DEFAULT_ORIGIN && topic !== "$sys" ? topic : `${origin}${pathOf(follow)}`;
  const flags = { all: " --since all", latest: " --latest" };
  const { start, value } = follow;
  const flag = { last: "--last", since: "--since", after: "--last-event-id" }[start];
  return `sse-tail ${quote(named)}${flags[start] ?? (flag ? options([[flag, value]]) : "")}`;
}

export function curlPublish(publish, { origin, guarded }) {
  const { target, headers, body } = publishRequest(publish);
  const lines = Object.entries(headers).map(([name, value]) => ` -H ${quote(`${name}: ${value}`)}`).join("");
  return `curl -i${guarded ? TOKEN : ""}${lines} --data-raw ${quote(body)} ${quote(origin + target)}`;
}

const isJson = (text) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** sse-post finds out by itself what is JSON; it is told only where the form says otherwise. */
const formOf = ({ kind, body }) => (kind === "batch" || (kind === "json") !== isJson(body) ? [["--as", kind === "text" ? "text" : "json"]] : []);

export function postLine(publish, { origin }) {
  const { topic, kind, body, event, key, subject, ephemeral } = publish;
  const { target } = publishRequest({ topic, ephemeral });
  const to = origin === DEFAULT_ORIGIN && !ephemeral ? topic : origin + target;
  const how = options([...formOf(publish), ["--event", event], ["--subject", subject], ["--idempotency-key", key]]);
  if (kind === "batch") {
    const lines = body.split("\n").filter((line) => line.trim() !== "");
    return `printf '%s\\n' ${lines.map(quote).join(" ")} | sse-post ${quote(to)} --lines --batch always${how}`;
  }
  if (body.startsWith("@") || body === "-") return `printf %s ${quote(body)} | sse-post ${quote(to)} --slurp${how}`;
  return `sse-post ${quote(to)} -d ${body === "" ? "''" : quote(body)}${how}`;
}

// --- for a page -------------------------------------------------------------

const js = (value) => JSON.stringify(value);

/** types: those that came, since EventSource hands on no other than those that it is told to listen for. */
export function eventSourceCode(follow, { origin, types = [] }) {
  const listened = new Set(follow.events.length > 0 ? follow.events : ["update", ...types]);
  return `const events = new EventSource(${js(origin + streamTarget(follow))});
for (const type of ${js([...listened.add("gap")]).replaceAll('","', '", "')})
  events.addEventListener(type, ({ data, lastEventId }) => console.log(type, lastEventId, data));`;
}

/** Undefined where sse.js cannot do it: it lists topics by number, not from a time or an id on. */
export function sseJsFollow(follow, { origin }) {
  const { topics, start, value, as, events, mark } = follow;
  const lists = start === "all" || (start === "last" && Number(value) > 0);
  const listed = lists && topics.every((topic) => !isPattern(topic)) && (start === "all" || topics.length === 1);
  if (["since", "after"].includes(start) || (lists && !listed) || topics.includes("$sys")) return undefined;
  const chosen = events.length > 0 ? `${js(events)}.includes(event.event) && ` : "";
  const handlers = [
    ...(lists ? [`  list: (events) => events.forEach(show),`] : []),
    "  event: show,",
    '  gap: (gap) => console.log("gap", gap),',
    ...(mark ? ['  uptodate: () => console.log("uptodate"),'] : []),
  ].join("\n");
  const how = [...(start === "last" && lists ? [`limit: ${Number(value)}`] : []), ...(start === "latest" ? ["latest: true"] : []),
    ...(as ? [`as: ${js(as)}`] : [])].join(", ");
  return `import { subscribe } from ${js(`${origin}/sse.js`)};

const show = (event) => ${chosen}console.log(event);
subscribe(${js(topics.length === 1 ? topics[0] : topics)}, {
${handlers}
}${how ? `, { ${how} }` : ""});`;
}

/** Does JSON stay the same if it becomes a value of JavaScript? Long numbers and repeated names do not. */
const survives = (text) => isJson(text) && !text.includes("__proto__") && JSON.stringify(JSON.parse(text)) === text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");

export function sseJsPublish(publish, { origin }) {
  const { topic, kind, body, event, key, subject, ephemeral } = publish;
  const from = js(`${origin}/sse.js`);
  if (kind === "text" || (kind === "json" && survives(body) && !/^\s*"/.test(body))) {
    const how = Object.entries({ event, subject, key, ephemeral }).filter(([, set]) => set)
      .map(([name, set]) => `${name}: ${js(set)}`).join(", ");
    return `import { send } from ${from};

await send(${js(topic)}, ${kind === "text" ? js(body) : body.trim()}${how ? `, { ${how} }` : ""});`;
  }
  const { target, headers } = publishRequest(publish);
  const lines = Object.entries(headers).map(([name, value]) => `${js(name)}: ${js(value)}`).join(", ");
  return `import { ask } from ${from};

await ask(${js(target.slice(1))}, {
  method: "POST",
  headers: { ${lines} },
  body: ${js(body)},
});`;
}
