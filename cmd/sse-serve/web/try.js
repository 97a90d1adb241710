// SPDX-License-Identifier: MIT
// The playground: a stream as the form asks for it, with its raw frames; a POST with its answer; and the same as lines
// for a shell and for scripts. It reads the stream by itself, and not by sse.js, so as to show what comes as it comes;
// when the connection breaks, it does what an EventSource does.

import { begin, close, heed, may, noAccess, say } from "./access.js";
import { addWords, at, clock, connectionView, number, setText, t, translate, whileSeen } from "./common.js";
import { addCopyButtons } from "./copy.js";
import { answers, newKey, settings, topics as askTopics } from "./sse.js";
import { Pulse, watchSilence } from "./sse-pulse.js";
import { isPattern, matches } from "./sse-rules.js";
import { indented, readFrames, visible } from "./try-frames.js";
import * as lines from "./try-lines.js";
import words from "./try-words.js";

const MOST_ROWS = 500;
const CLIP = 4_000; // characters of a frame that are shown at first
const MOST_KNOWN = 12; // topics that are offered as buttons
const MOST_OFFERED = 200; // and while one types
const RETRY_MS = 3_000; // until the server says
const RETRY_MOST_MS = 15_000;
const MOST_STREAMS = 2; // of all tabs: a browser allows six connections, and the other pages need theirs
const ANSWER_MS = 30_000; // and is given up after this

addWords(words);
translate();

// --- the forms --------------------------------------------------------------

const origin = location.origin;
const parts = (text) => text.split(/[\s,]+/).filter(Boolean);
const VALUES = { last: "valueLast", since: "valueSince", after: "valueAfter" }; // the starts that need one
const FIRST_VALUES = { last: "10", since: "10m", after: "" };

const followForm = () => ({
  topics: parts(at("topics").value),
  start: at("start").value,
  value: at("value").value.trim(),
  as: at("as").value,
  events: parts(at("events").value),
  envelope: at("envelope").checked,
  mark: at("mark").checked,
});

const publishForm = () => ({
  topic: at("topic").value.trim(),
  kind: at("kind").value,
  body: at("body").value,
  event: at("event").value.trim(),
  key: at("key").value.trim(),
  subject: at("subject").value,
  ephemeral: at("ephemeral").checked,
});

let values = { ...FIRST_VALUES };

function showStart() {
  const start = at("start").value;
  const label = VALUES[start];
  at("value-field").hidden = !label;
  at("value").required = Boolean(label);
  if (label) setText(at("value-label"), t(label));
  if (label) at("value").value = values[start];
  at("value").inputMode = start === "last" ? "numeric" : "text";
  const hint = { last: "hintLast", since: "hintSince", after: "hintAfter", latest: "hintLatest" }[start];
  at("value-hint").hidden = !hint;
  if (hint) setText(at("value-hint"), t(hint, `${new Date().toISOString().slice(0, 14)}00:00Z`));
}

at("start").addEventListener("change", () => {
  showStart();
  if (!at("value-field").hidden) at("value").select();
});
at("value").addEventListener("input", () => (values[at("start").value] = at("value").value));

/** The page's own query has the parameters of the stream, so that a reload, and a link, bring the form back. */
function fillFromAddress() {
  const query = new URLSearchParams(location.search);
  if (query.has("topic")) at("topics").value = query.getAll("topic").join(" ");
  for (const [start, name] of Object.entries(lines.STARTS)) {
    const value = name && query.get(name);
    if (!value || (start === "since" && value === "all") || (start === "all" && value !== "all")) continue;
    at("start").value = start;
    if (start in values) values[start] = value;
  }
  at("events").value = query.getAll("event").join(" ");
  at("as").value = query.get("as") ?? "";
  for (const name of ["envelope", "mark"]) at(name).checked = query.get(name) === "1";
  showStart();
}

function keepInAddress(follow) {
  const [, query = ""] = lines.streamTarget(follow).split("?");
  const named = follow.topics.map((topic) => `topic=${encodeURIComponent(topic).replaceAll("%2F", "/")}`);
  const rest = query.split("&").filter((pair) => pair && !pair.startsWith("topic="));
  history.replaceState(null, "", `${location.pathname}?${[...named, ...rest].join("&")}`);
}

// What is to be published follows the topic, and an example the kind, until somebody writes one of their own.
let topicIsOwn = false;
let example = "";

function exampleFor({ topic, kind }) {
  const object = topic === "users" ? '{"firstname":"Ada","lastname":"LOVELACE"}'
    : topic.startsWith("chat/") ? '{"name":"Ada","text":"Hello"}' : '{"hello":"world"}';
  if (kind === "text") return "Hello, world";
  if (kind === "json") return object;
  return object === '{"hello":"world"}' ? '{"n":1}\n{"n":2}\n{"n":3}' : `${object}\n${object}`;
}

function proposeTopic() {
  const [first] = followForm().topics;
  if (topicIsOwn || !first || first === "$sys") return;
  const there = known.find(({ topic }) => matches(first, topic))?.topic;
  at("topic").value = isPattern(first) ? there ?? first.replace(/\*+/g, "lobby") : first;
}

function proposeData() {
  if (at("body").value !== example) return;
  example = exampleFor(publishForm());
  at("body").value = example;
}

at("topic").addEventListener("input", () => (topicIsOwn = at("topic").value !== ""));
at("make-key").addEventListener("click", () => {
  at("key").value = newKey();
  showLines();
});

// --- the same as lines ------------------------------------------------------

let guarded = false;
const typesSeen = new Set();

function showLines() {
  const where = { origin, guarded, types: [...typesSeen] };
  const [follow, publish] = [followForm(), publishForm()];
  if (follow.topics.length === 0) follow.topics = ["hello"];
  const sseJs = lines.sseJsFollow(follow, where);
  const shown = {
    "line-curl": lines.curlFollow(follow, where),
    "line-tail": lines.tailLine(follow, where),
    "line-eventsource": lines.eventSourceCode(follow, where),
    "line-ssejs": sseJs ?? "",
    "post-curl": lines.curlPublish(publish, where),
    "post-post": lines.postLine(publish, where),
    "post-ssejs": lines.sseJsPublish(publish, where),
  };
  for (const [id, text] of Object.entries(shown)) setText(at(id), text);
  at("line-ssejs").closest(".copyable").hidden = !sseJs;
  at("no-ssejs").hidden = Boolean(sseJs);
  at("token-note").hidden = !guarded;
}

for (const form of ["follow", "publish"])
  for (const type of ["input", "change"])
    at(form).addEventListener(type, () => {
      if (form === "follow") proposeTopic();
      proposeData();
      showLines();
    });

// --- the topics that there are ----------------------------------------------

let known = []; // as the server lists them
let knowsAll = false;
let offering = 0; // counts the questions, so that only the answer to the last one counts

/** Offers while one types: the datalist has what the field would hold with one more topic. */
function offer(found) {
  const before = /^(.*[\s,])?[^\s,]*$/.exec(at("topics").value)[1] ?? "";
  const options = (start) => found.slice(0, MOST_OFFERED).map(({ topic }) =>
    Object.assign(document.createElement("option"), { value: start + topic }));
  at("known-topics").replaceChildren(...options(before));
  at("known-names").replaceChildren(...options(""));
}

async function learnTopics() {
  try {
    const { topics, more } = await askTopics();
    known = topics;
    knowsAll = !more;
  } catch {
    known = []; // the server does not tell who is here, or cannot be reached: then one types
  }
  showKnown();
  offerMatching();
  proposeTopic();
}

function showKnown() {
  const newest = [...known].sort((a, b) => (b.time ?? "").localeCompare(a.time ?? "") || b.streams - a.streams);
  const items = newest.slice(0, MOST_KNOWN).map(({ topic, events }) => {
    const [item, button, count] = ["li", "button", "small"].map((name) => document.createElement(name));
    button.type = "button";
    count.textContent = number(events);
    button.append(topic, " ", count);
    button.addEventListener("click", () => chooseTopic(topic));
    item.append(button);
    return item;
  });
  const left = known.length - items.length;
  if (left > 0) {
    const rest = document.createElement("li");
    rest.className = "hint";
    rest.textContent = t("moreTopics", number(left) + (knowsAll ? "" : "+"));
    items.push(rest);
  }
  at("known-title").hidden = items.length === 0;
  at("known-list").replaceChildren(...items);
}

function chooseTopic(topic) {
  at("topics").value = topic;
  at("follow").dispatchEvent(new Event("input"));
  connect();
}

/** Of more topics than a page lists, the server gives those that go on as what is typed. */
async function offerMatching() {
  const word = /[^\s,]*$/.exec(at("topics").value)[0];
  const mine = ++offering;
  if (knowsAll || !word || isPattern(word)) return offer(known);
  const { topics } = await askTopics("**", { after: word, limit: MOST_OFFERED }).catch(() => ({ topics: [] }));
  if (mine === offering) offer(topics.filter(({ topic }) => topic.startsWith(word)));
  return undefined;
}
at("topics").addEventListener("input", offerMatching);
at("topics").addEventListener("focus", learnTopics);

// --- the rows ---------------------------------------------------------------

const list = at("trace");
const box = at("frames");
const rowTemplate = at("row").content.firstElementChild;
let atEnd = true;

box.addEventListener("scroll", () => {
  atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
}, { passive: true });

function addRows(rows) {
  const more = rows.slice(-MOST_ROWS);
  list.append(...more);
  const surplus = list.childElementCount - MOST_ROWS;
  for (let i = 0; i < surplus; i += 1) list.firstElementChild.remove();
  if (surplus > 0 || more.length < rows.length) at("dropped").hidden = false;
  if (atEnd) box.scrollTop = box.scrollHeight;
}

/** The text of a pre: what is long is cut, until one wants all of it. */
function fillText(element, text, fill = (part) => element.append(visible(part))) {
  element.replaceChildren();
  if (text.length <= CLIP) return fill(text);
  fill(`${text.slice(0, CLIP)}…`);
  return element.append("\n", moreButton(t("moreText", number(text.length)), () => element.replaceChildren(visible(text))));
}

/** A button at the end of a text, which has it replaced by more of it. */
function moreButton(words, show) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: words });
  button.addEventListener("click", () => {
    show();
    box.focus({ preventScroll: true });
  });
  return button;
}

/** The lines as they came, with the names of the fields set off. */
function fillRaw(element, text) {
  fillText(element, text, (part) => {
    for (const line of visible(part).split("\n")) {
      const name = /^[\w-]+(?=:)/.exec(line)?.[0] ?? "";
      const strong = Object.assign(document.createElement("b"), { textContent: name });
      element.append(...(element.childNodes.length > 0 ? ["\n"] : []), ...(name ? [strong] : []), line.slice(name.length));
    }
  });
}

/** kind: classes of the row. data and note may be left out; whole is what a button puts in place of raw. */
function makeRow(kind, { head, id, data, note, raw, whole }) {
  const row = rowTemplate.cloneNode(true);
  const [told, rawPart] = row.children;
  row.className = `frame ${kind}`;
  told.querySelector("b").textContent = visible(head);
  told.querySelector("code").textContent = visible(id ?? "");
  const now = new Date();
  const time = told.querySelector("time");
  time.dateTime = now.toISOString();
  time.textContent = clock(now);
  if (data === undefined) told.querySelector(".data").remove();
  else fillText(told.querySelector(".data"), indented(data));
  setText(told.querySelector(".note"), note ?? "");
  if (raw === undefined) rawPart.remove();
  else fillRaw(rawPart, raw);
  if (whole) rawPart.append("\n", moreButton(t("allHeaders"), () => fillRaw(rawPart, whole)));
  if (id !== undefined) told.querySelector(".resume").append(resumeButton(id));
  return row;
}

function resumeButton(id) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: t("resumeHere") });
  button.setAttribute("aria-label", t("resumeHereWhat", id));
  button.addEventListener("click", () => {
    at("start").value = "after";
    values.after = id;
    showStart();
    showLines();
    connect();
  });
  return button;
}

const SAID = new Set(["uptodate", "closed", "deleted", "denied", "join", "leave"]);

function noteOf({ event, data, id }) {
  if (event === "gap") {
    const { reason } = JSON.parse(data);
    return t(`gap-${reason}`);
  }
  if (SAID.has(event)) return t(`${event}Note`);
  return id === undefined ? t("ephemeralNote") : "";
}

function rowOf(frame) {
  const { lines: came, data, event = "message", id, retry, comments } = frame;
  const raw = came.join("\n");
  if (data !== undefined) return makeRow(event === "gap" || event === "denied" ? "bad" : "event", { head: event, id, data, note: noteOf({ event, data, id }), raw });
  if (retry !== undefined) return makeRow("", { head: "retry", note: t("frameRetry", (retry / 1000).toLocaleString()), raw });
  if (id !== undefined) return makeRow("", { head: t("position"), id, note: t("frameId"), raw });
  if (comments.length > 0) return makeRow("comment", { head: t("comment"), note: t("frameComment"), raw });
  return makeRow("", { head: t("frame"), note: t("frameOther"), raw });
}

/** A comment after the same comment is counted, not shown again. */
function countComment(row) {
  const last = list.lastElementChild;
  if (!row.matches(".comment") || !last?.matches(".comment") || last.querySelector(".raw").textContent !== row.querySelector(".raw").textContent) return false;
  last.dataset.times = Number(last.dataset.times ?? 1) + 1;
  last.querySelector(".head code").textContent = t("times", last.dataset.times);
  last.querySelector("time").replaceWith(row.querySelector("time"));
  return true;
}

let pending = []; // frames that are to be shown in the next moment, together
let came = []; // types not yet announced

function takeFrames(frames) {
  for (const { id, retry, event = "message", data } of frames) {
    if (id !== undefined) lastId = id;
    if (retry !== undefined) retryMs = retry;
    if (data === undefined) continue;
    if (came.push(event) === 1) setTimeout(announce, 700);
    if (typesSeen.size < 20 && !typesSeen.has(event) && typesSeen.add(event)) showLines();
  }
  if (pending.length === 0) setTimeout(showPending);
  pending.push(...frames);
}

function showPending() {
  if (pending.length === 0) return;
  const frames = pending.slice(-MOST_ROWS);
  if (frames.length < pending.length) at("dropped").hidden = false;
  pending = [];
  let rows = [];
  for (const frame of frames) {
    const row = rowOf(frame);
    if (row.matches(".comment") && rows.length > 0) addRows(rows), (rows = []);
    if (!countComment(row)) rows.push(row);
  }
  addRows(rows);
  if (frames.some(({ id }) => id === published)) reveal(at("wire"));
}

function announce() {
  setText(at("announce"), came.length === 1 ? t("cameOne", came[0]) : t("cameMany", number(came.length)));
  came = [];
}

at("clear").addEventListener("click", () => {
  list.replaceChildren();
  at("dropped").hidden = true;
});

// --- the connection ---------------------------------------------------------

let running = null; // the AbortController of the connection, or of the wait for the next
let asking = null; // the form by which it was made
let lastId;
let retryMs = RETRY_MS;
let wakeUp = () => {};
let letGo = false;

const showState = connectionView("tryLive", () => (running ? wakeUp() : access.retry()), () => at("title"));
let since = 0;
let word = "";
function tellState(now, more = {}) {
  if (now !== word) since = Date.now();
  word = now;
  showState({ word, since, ...more, ...(now === "live" && { uptodate: since }) });
  const open = ["connecting", "live", "silent", "waiting"].includes(now);
  const resumes = !open && lastId !== undefined;
  at("toggle").hidden = !open && !resumes;
  at("toggle").textContent = t(resumes ? "resume" : "disconnect");
}

function stop() {
  running?.abort();
  running = null;
  showPending();
}

/** As the form says, from its start. */
function connect() {
  const follow = followForm();
  if (follow.topics.length === 0) return at("topics").focus();
  keepInAddress(follow);
  if (follow.topics.join() !== asking?.topics.join()) {
    typesSeen.clear();
    showLines();
  }
  asking = follow;
  lastId = undefined;
  return run();
}

async function run() {
  stop();
  letGo = document.hidden; // it connects when somebody sees it
  if (letGo) return tellState("idle");
  const { signal } = (running = new AbortController());
  takePlace(signal);
  tellAccess();
  for (let tries = 1; !signal.aborted; tries += 1) {
    if (word !== "waiting") tellState("connecting");
    const { opened, ...end } = await attempt(signal, tries);
    if (signal.aborted) return;
    if (end.over) return finish(end);
    if (opened) tries = 1;
    await pause(end, tries, signal);
  }
}

function finish({ over, status }) {
  stop(); // and let the place go
  if (over === "denied") {
    tellState("denied", { status });
    heed({ word: "denied" });
  } else {
    tellState(over);
  }
}

/**
 * Where too many tabs are connected, the one that has been for longest lets go. Each holds a lock, whose name says since
 * when, and learns by its loss that another needs the place. Without locks each tab is by itself, as the page says.
 */
function takePlace(signal) {
  const { locks } = navigator;
  const name = (when) => `sse-try ${when}`;
  const hold = async () => {
    const { held } = await locks.query();
    const places = held.map((lock) => lock.name).filter((one) => one.startsWith(name(""))).sort();
    for (const place of places.slice(0, -MOST_STREAMS)) locks.request(place, { steal: true }, () => {});
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  };
  locks?.request(name(`${Date.now()} ${newKey()}`), hold).catch(() => signal.aborted || quit(t("letGoOther")));
}

/** What an EventSource does in between: it waits as long as the server said, then asks again with the last id. */
async function pause({ head, code, row }, tries, signal) {
  const delay = Math.min(retryMs * 2 ** (tries - 1), Math.max(retryMs, RETRY_MOST_MS));
  const seconds = (Math.round(delay / 100) / 10).toLocaleString();
  const note = lastId === undefined ? t("waitsFor", seconds) : t("waitsWith", seconds, lastId);
  row?.remove(); // of an attempt that nobody answered: one row stands for all of them
  const last = list.lastElementChild;
  const times = row && last?.matches(".unreached") ? Number(last.dataset.times) + 1 : 1;
  if (times > 1) last.remove();
  const shown = makeRow(row ? "turn bad unreached" : "turn bad", { head: times > 1 ? `${head} ${t("times", times)}` : head, note });
  shown.dataset.times = times;
  addRows([shown]);
  tellState("waiting", { code, due: Date.now() + delay, tries });
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, delay);
    wakeUp = () => (clearTimeout(timer), resolve());
    signal.addEventListener("abort", wakeUp);
  });
}

const TELLING = /^(content-type|last-event-id|location|retry-after|stream-\w+|www-authenticate):/; // headers that are shown at once
const headersOf = (answer) => [...answer.headers].map(([name, value]) => `${name}: ${value}`);

/** One request, to the end of its answer: { opened, over, head, code, row }. */
async function attempt(signal, tries) {
  const target = lines.streamTarget(asking);
  const headers = { Accept: "text/event-stream", ...(lastId !== undefined && { "Last-Event-ID": lastId }) };
  const request = [`GET ${target}`, ...Object.entries(headers).map(([name, value]) => `${name.toLowerCase()}: ${value}`)];
  const row = makeRow("turn", { head: t("asked"), raw: request.join("\n") });
  addRows([row]);
  const own = new AbortController();
  wakeUp = () => own.abort();
  signal.addEventListener("abort", wakeUp);
  let answer;
  try {
    answer = await fetch(target, { headers, signal: own.signal, cache: "no-store" });
  } catch {
    if (signal.aborted) return {};
    return { opened: false, head: t("unreached"), code: navigator.onLine === false ? "offline" : "unreachable", row };
  }
  const streams = answer.status === 200 && answer.headers.get("Content-Type")?.startsWith("text/event-stream");
  const show = (all) => [...request, "", `${answer.status} ${answer.statusText}`, ...all].join("\n");
  const shown = { raw: show(headersOf(answer).filter((line) => TELLING.test(line))), whole: show(headersOf(answer)) };
  if (!streams) return refuse(row, answer, shown);
  row.replaceWith(makeRow("turn", { head: t("connected"), ...shown }));
  learnTopics();
  const ended = await listen(answer.body, own);
  return { opened: true, head: t(ended ? "streamEnded" : "brokeOff"), code: "lost", tries };
}

async function refuse(row, answer, shown) {
  const { status } = answer;
  const text = await answer.text().catch(() => "");
  const denied = (status === 401 || status === 403) && answer.headers.has("WWW-Authenticate");
  const note = status === 204 ? t("answeredOver") : t("eventSourceStops");
  row.replaceWith(makeRow(status === 204 ? "turn" : "turn bad", {
    head: `${status === 204 ? t("closed") : t("answeredBad")}: ${status} ${answer.statusText}`,
    ...(text && { data: text }), note, raw: text ? `${shown.raw}\n\n${text}` : shown.raw, whole: text ? `${shown.whole}\n\n${text}` : shown.whole,
  }));
  if (atEnd) box.scrollTop = box.scrollHeight;
  return { over: status === 204 ? "closed" : denied ? "denied" : "idle", status };
}

function disconnect(note) {
  stop();
  addRows([makeRow("turn", { head: t("stopped"), note })]);
  tellState("idle");
}

at("follow").addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
});
at("toggle").addEventListener("click", () => {
  if (running) disconnect(lastId === undefined ? "" : t("stoppedHow"));
  else run();
});

/** Lets the connection go, until the page comes into sight again. */
function quit(note) {
  if (!running) return;
  disconnect(note);
  letGo = true;
}

whileSeen(() => quit(t("letGo")), () => letGo && run());
addEventListener("pagehide", () => {
  if (!running) return;
  stop();
  letGo = true;
});
addEventListener("pageshow", (event) => event.persisted && letGo && run());

// --- does the server answer? ------------------------------------------------

const changed = () => (word === "live" || word === "silent") && tellState(pulse.state.word);
const pulse = new Pulse({ settings, answers, overdue: look, changed });
let abort = () => {}; // ends the stream

/** Where the server cannot be reached, the stream is over. */
async function look() {
  if ((await pulse.look()) === "no") abort();
}
addEventListener("offline", look);

/** Reads a stream to its end: true, or false if it broke. */
async function listen(body, own) {
  const silence = watchSilence(settings.silence, () => own.abort());
  const hear = (frames) => {
    silence.hear();
    pulse.hear();
    takeFrames(frames);
  };
  abort = () => own.abort();
  pulse.watch(true);
  hear([]);
  tellState(pulse.state.word);
  const ended = await readFrames(body, hear).then(() => true, () => false);
  pulse.watch(false);
  silence.stop();
  return ended;
}

// --- publishing -------------------------------------------------------------

let sending = false;
let published = null; // the id of what was published last

function showResult(good, text) {
  at("result").hidden = false;
  at("result-word").className = good === null ? "" : good ? "good" : "bad";
  setText(at("result-word"), text);
}

async function publish() {
  const { target, headers, body } = lines.publishRequest(publishForm());
  const shown = [`POST ${target}`, `host: ${location.host}`, ...Object.entries(headers).map(([name, value]) => `${name.toLowerCase()}: ${value}`), "", body];
  fillRaw(at("sent"), shown.join("\n"));
  fillRaw(at("answer"), "…");
  const began = performance.now();
  const late = setTimeout(() => {
    showResult(null, t("answerLater"));
    pulse.setStuck({});
  }, settings.late);
  try {
    const answer = await fetch(target, { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_MS) });
    const took = Math.round(performance.now() - began);
    const text = await answer.text();
    fillRaw(at("answer"), [`${answer.status} ${answer.statusText}`, ...headersOf(answer), ...(text ? ["", text] : [])].join("\n"));
    showResult(answer.ok, t("answered", answer.status, answer.statusText, number(took)));
    published = answer.headers.get("Last-Event-ID");
    reveal(answer.ok ? at("wire") : at("result-word"));
    if (answer.status === 401) heed({ word: "denied" });
  } catch (error) {
    fillRaw(at("answer"), "–");
    showResult(false, error.name === "TimeoutError" ? t("noAnswerInTime")
      : t("noAnswer", error.name === "TypeError" && !/header/i.test(error.message) ? t("unreachable") : error.message));
  } finally {
    clearTimeout(late);
    pulse.setStuck(null);
  }
}

/** On a small screen the frames are below: what was published, or why not, is to be seen. */
function reveal(element) {
  if (element.getBoundingClientRect().bottom > innerHeight) element.scrollIntoView({ block: "end" });
}

at("publish").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (sending) return;
  sending = true;
  at("send").textContent = t("publishing");
  await publish();
  sending = false;
  at("send").textContent = t("publishIt");
  learnTopics();
});
at("body").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("publish").requestSubmit();
});

// --- start ------------------------------------------------------------------

addCopyButtons();
fillFromAddress();
proposeTopic();
example = exampleFor(publishForm());
at("body").value = example;
showLines();
tellState("connecting");

let session = null;

/** A page says what is wanted for what it asks; the server's own words stand in the row of the request. */
function tellAccess() {
  if (!session) return;
  const nothing = session.access && session.name === null && session.read.length + session.publish.length === 0;
  for (const part of ["forms", "wire", "lines"]) at(part).hidden = nothing;
  if (nothing) close(t("tryClosed"));
  else say(followForm().topics.every((topic) => may("read", topic)) ? "" : t(session.name === null ? "logInFirst" : "tryReads"));
}

const access = begin((now) => {
  session = now;
  guarded = now.access;
  showLines();
  tellAccess();
  if (at("forms").hidden) showState(noAccess());
  else if (!running && (!asking || word === "denied")) connect();
}, { state: showState, home: () => at("title") });
