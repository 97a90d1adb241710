// SPDX-License-Identifier: MIT
// The chat page: one room, which is the topic chat/ROOM. What is shown of the log is a window on what
// was loaded, so that ten thousand messages cost no more than a few hundred. Names and texts are text
// and nothing else. That nothing is lost, doubled or out of order is the business of sse.js.

import { begin, close, heed, may, noAccess, say } from "./access.js";
import { alertFor, beginAlerts } from "./chat-alerts.js";
import { hueOf, initialOf, isShared, meet, shortToken, tokenOf } from "./chat-authors.js";
import { keep, keepDraft, kept, keptDraft } from "./chat-kept.js";
import { fillText, isMentioned, mentionOf } from "./chat-text.js";
import { at, connectionView, hour, isolate, longDay, number, setText, t, tellIfUnshared, translate, why } from "./common.js";
import { addCopyButtons } from "./copy.js";
import { checkTopic, covers, history, newKey, post, presence, remove, send, subscribe, topics, watch } from "./sse.js";
import { fillMark, showDelays } from "./waiting.js";

const PAGE = 60; // messages that are loaded, or shown, at a time
const MOST_ROWS = 240; // in the document
const MOST_KEPT = 20_000; // messages in memory, and keys
const NEAR = 600; // pixels from an edge at which more is shown
const TOGETHER_MS = 5 * 60_000; // of one author within that time: named once
const TYPING_EVERY_MS = 3_000;
const TYPING_FOR_MS = 6_000;
const READ_ELSEWHERE_MS = 1_000;
const KEEP_READ_MS = 300; // what was read in that time is told to other tabs together
const SHOW_EVERY_MS = 33; // at most so often: of a burst, many messages are shown together
const MOST_ROOMS = 12; // that one was in
const MOST_OTHERS = 50; // that the server lists beside these

/** Can this be a room: is chat/NAME a topic? */
const isRoom = (name) => {
  try {
    checkTopic(`chat/${name}`);
    return typeof name === "string";
  } catch {
    return false;
  }
};
/** The name as topics have it: keyboards and other pages may have composed its letters otherwise. */
const asRoom = (text) => text.trim().normalize("NFC");
const pathOf = (name) => encodeURI(`/chat/${name}`);

function roomOf(path) {
  const name = path.replace(/^\/chat\/?/, "").replace(/\/$/, "");
  try {
    return asRoom(decodeURIComponent(name));
  } catch {
    return name;
  }
}

const wanted = roomOf(location.pathname);
const room = isRoom(wanted) ? wanted : "lobby";
const topic = `chat/${room}`;
if (location.pathname !== pathOf(room)) window.history.replaceState(null, "", pathOf(room));

translate();
tellIfUnshared();

// --- who one is here --------------------------------------------------------

/** What the server takes as a name. */
const isName = (name) => typeof name === "string" && name !== "" && new TextEncoder().encode(name).length <= 64 &&
  !/[\p{Cc}\p{Cs}]/u.test(name);

let me = ""; // what one's name is here, if one has one
let mention = null; // what finds it in a text, after an @

function setName(name) {
  me = name;
  mention = mentionOf(name);
}

/** What this browser's messages have in common: see chat-authors.js. */
let token = newKey().slice(0, 16);

function keepToken() {
  token = tokenOf({ author: kept("author", "") }) || token;
  keep("author", token);
}

let rooms = [room, ...[kept("rooms", [])].flat().filter((name) => name !== room && isRoom(name))].slice(0, MOST_ROOMS);
keep("rooms", rooms);

// --- one message ------------------------------------------------------------

const log = at("log");
const scroll = at("scroll");
const rowTemplate = at("row").content.firstElementChild;

/** What sse-post or anybody may have sent: { name, text }, or text, or some other JSON. */
function messageOf({ id, time, data }) {
  const whole = typeof data?.text === "string";
  return {
    id,
    time: new Date(time),
    name: whole && typeof data.name === "string" ? data.name.trim().slice(0, 64) : "",
    author: whole ? tokenOf(data) : "",
    text: whole ? data.text : typeof data === "string" ? data : JSON.stringify(data),
    key: whole && typeof data.key === "string" ? data.key : "",
  };
}

/** A name that is proven is one's own wherever one wrote; with others, what this browser wrote is. */
const isOwn = ({ name, author }) => (names === "proven" ? author === "" && name === me : author === token);
const isSameAuthor = (one, other) => one.name === other.name && one.author === other.author;
const isCalling = (message) => !isOwn(message) && isMentioned(mention, message.text);

/** Will the server delete it for who is here: any message, or one's own, if the name is proven or proves nothing? */
const mayDelete = (message) => message.id && isOwn(message) &&
  (may("delete", topic) || (names === "proven" && may("publish", topic)));

/** Of these buttons one is reached by Tab, the last; from there the arrows lead to the others. */
const deleteButtons = () => [...log.querySelectorAll(".delete")];
let reaching = 0;
function reachLast() {
  reaching = 0;
  const all = deleteButtons();
  if (!all.includes(document.activeElement)) all.forEach((one, i) => (one.tabIndex = i === all.length - 1 ? 0 : -1));
}

log.addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const all = step ? deleteButtons() : [];
  const next = all[all.indexOf(event.target) + step];
  if (!all.includes(event.target) || !next) return;
  event.preventDefault();
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

/** Asks once more in its own place, since what is deleted is gone for good. */
function deleteButton(message) {
  const button = document.createElement("button");
  let sure = false;
  const ask = (now) => {
    sure = now;
    button.textContent = t(sure ? "removeSure" : "remove");
    button.setAttribute("aria-label", t(sure ? "removeSureWhat" : "removeWhat", message.text.slice(0, 60)));
  };
  button.type = "button";
  button.className = "plain delete";
  button.tabIndex = -1;
  reaching ||= setTimeout(reachLast);
  ask(false);
  button.addEventListener("blur", () => ask(false));
  button.addEventListener("click", async () => {
    if (!sure) return ask(true);
    button.disabled = true;
    try {
      await remove(topic, message.id); // the stream tells when it is gone, as it tells everybody
      place().focus({ preventScroll: true });
    } catch (failure) {
      button.disabled = false;
      at("notice").hidden = false;
      at("notice-text").textContent = t("notRemoved", why(failure));
    }
    return undefined;
  });
  return button;
}

function makeRow(message, before) {
  const row = rowTemplate.cloneNode(true);
  const together = before && isSameAuthor(before, message) && message.time - before.time < TOGETHER_MS && sameDay(before, message);
  const [who, text, mark] = row.children;
  who.classList.toggle("unseen-text", Boolean(together)); // who listens hears it with each
  who.querySelector("bdi").textContent = message.name || t("someone");
  who.querySelector(".avatar").textContent = initialOf(message.name);
  row.dataset.hue = hueOf(message);
  tagAuthor(row, message);
  fillText(text, message.text, { mention: isOwn(message) ? null : mention, shown: () => scroll.focus({ preventScroll: true }) });
  row.classList.toggle("calling", isCalling(message));
  const time = mark.querySelector("time");
  time.dateTime = message.time.toISOString();
  time.textContent = hour(message.time);
  time.title = message.time.toLocaleString();
  mark.classList.toggle("same", Boolean(together) && hour(before.time) === time.textContent); // calm: it says nothing new
  row.classList.toggle("own", isOwn(message));
  if (mayDelete(message)) mark.prepend(deleteButton(message));
  row.classList.toggle("first", !together);
  return row;
}

/** What stands after a name that is not clear by itself. */
function tagAuthor(row, message) {
  const own = isOwn(message);
  const clear = !isShared(message.name) && (!own || message.name === me);
  row.querySelector(".tag").textContent = clear ? "" : own ? t("you") : shortToken(message.author);
}

/** Takes note of who wrote these. If a name has become that of several, the rows that have it say whose it is. */
function meetAll(added) {
  if (added.filter(meet).length === 0) return;
  [...log.querySelectorAll(".message")].forEach((row, i) => tagAuthor(row, messages[from + i]));
}

const sameDay = (one, other) => one.time.toDateString() === other.time.toDateString();

function dayName(time) {
  const day = new Date(time).setHours(0, 0, 0, 0);
  const today = new Date().setHours(0, 0, 0, 0);
  const days = Math.round((today - day) / 86_400_000);
  return days === 0 ? t("today") : days === 1 ? t("yesterday") : longDay(time);
}

function separator(kind, text) {
  const item = document.createElement("li");
  item.className = kind;
  item.textContent = text;
  return item;
}

// --- the log ----------------------------------------------------------------

let messages = []; // what was loaded, without a hole
let from = 0, to = 0; // what of it stands in the document
let oldest = null; // the id before which there may be more,
let more = false; // if so
let loading = false;
let firstUnread = null; // the id of the message above which "new" stands
let unread = 0;
let calls = 0; // of those, how many mention who reads
let following = true; // the end is in sight, and stays so

/** All that stands in the document for a message: day, mark, row. */
function itemsOf(index) {
  const message = messages[index];
  const before = messages[index - 1];
  const items = [];
  if (!before || !sameDay(before, message)) items.push(separator("day", dayName(message.time)));
  if (message.id === firstUnread) items.push(separator("unread", t("newHere")));
  const row = makeRow(message, items.length > 0 ? null : before);
  row.dataset.id = message.id;
  items.push(row);
  return items;
}

const rowsOf = (first, end) => {
  const fragment = document.createDocumentFragment();
  for (let i = first; i < end; i += 1) fragment.append(...itemsOf(i));
  return fragment;
};

/** Takes a message and what belongs to it out, at the top or at the end. */
function dropFirst() {
  while (log.firstElementChild && !log.firstElementChild.dataset.id) log.firstElementChild.remove();
  log.firstElementChild?.remove();
  from += 1;
}

function dropLast() {
  log.lastElementChild?.remove();
  while (log.lastElementChild && !log.lastElementChild.dataset.id) log.lastElementChild.remove();
  to -= 1;
}

/** The first row names its day and author again, as what was above is gone or new. */
function redoFirst() {
  if (from >= to) return;
  while (log.firstElementChild && !log.firstElementChild.dataset.id) log.firstElementChild.remove();
  log.firstElementChild?.remove();
  log.prepend(...itemsOf(from));
}

/** Changes the document, while what is read stays where it is. Nothing of it is announced as new. */
function quietly(change) {
  const top = scroll.getBoundingClientRect().top;
  const seen = [...log.children].find((row) => row.dataset.id && row.getBoundingClientRect().bottom > top);
  const id = seen?.dataset.id;
  const before = seen?.getBoundingClientRect().top;
  scroll.setAttribute("aria-busy", "true");
  change();
  const now = id && log.querySelector(`[data-id="${CSS.escape(id)}"]`);
  if (now) scroll.scrollTop += now.getBoundingClientRect().top - before;
  scroll.removeAttribute("aria-busy");
}

function showEdges() {
  at("empty").hidden = !listed || messages.length > 0 || at("pending").childElementCount > 0;
  at("beginning").hidden = !listed || more || from > 0 || messages.length === 0;
  at("older").hidden = !(more || from > 0);
  const away = !following || to < messages.length;
  at("to-newest").hidden = !away;
  const words = calls > 0 ? "newBelowCalled" : unread > 0 ? "newBelow" : "toNewest";
  if (away) setText(at("to-newest"), t(words, number(unread)));
  showTitle();
}

/** How many are new here, after an @ if one is mentioned here or in another room. */
function showTitle() {
  const called = calls > 0 || [...news.values()].some(isCalledIn);
  const title = `${called ? "@ " : ""}${unread > 0 ? `(${unread}) ` : ""}${room} · ${t("chat")}`;
  if (document.title !== title) document.title = title;
}

function showOlder() {
  if (from === 0) return void loadOlder();
  quietly(() => {
    const first = Math.max(0, from - PAGE);
    const end = from;
    from = first;
    const below = end < to ? end : -1;
    log.prepend(rowsOf(first, end));
    if (below >= 0) redo(below);
    while (to - from > MOST_ROWS) dropLast();
  });
  showEdges();
}

/** The row at this place, anew, since what is above it has changed. */
function redo(index) {
  const row = log.querySelector(`[data-id="${CSS.escape(messages[index].id)}"]`);
  while (row.previousElementSibling && !row.previousElementSibling.dataset.id) row.previousElementSibling.remove();
  row.replaceWith(...itemsOf(index));
}

function showNewer() {
  if (to >= messages.length) return;
  quietly(() => {
    const end = Math.min(messages.length, to + PAGE);
    log.append(rowsOf(to, end));
    to = end;
    while (to - from > MOST_ROWS) dropFirst();
    redoFirst();
  });
  showEdges();
}

async function loadOlder() {
  if (loading || !more || !oldest) return;
  loading = true;
  try {
    const page = await history(topic, { before: oldest, limit: PAGE });
    more = page.events.length === PAGE;
    oldest = page.events[0]?.id ?? oldest;
    const added = page.events.filter(isMessage).map(messageOf);
    meetAll(added);
    messages.unshift(...added);
    from += added.length;
    to += added.length;
    if (added.length > 0) showOlder();
  } catch {
    // The connection's state says why; scrolling or the button tries again.
  }
  loading = false;
  showEdges();
  if (more && scroll.scrollTop < NEAR && scroll.scrollHeight <= scroll.clientHeight + NEAR) loadOlder();
}

function toEnd() {
  scroll.scrollTop = scroll.scrollHeight;
}

function showNewest() {
  scroll.setAttribute("aria-busy", "true");
  to = messages.length;
  from = Math.max(0, to - PAGE);
  log.replaceChildren(rowsOf(from, to));
  following = true;
  markRead();
  toEnd();
  scroll.removeAttribute("aria-busy");
}

const isMessage = ({ event, data }) => event === "update" && data !== null;
let listed = false;

function showList(events, { more: some }) {
  more = some;
  oldest = events[0]?.id ?? null;
  const stored = events.filter(isMessage).map(messageOf);
  meetAll(stored);
  messages = stored;
  for (const { key } of messages) arrived(key);
  listed = true;
  keepRead();
  const last = kept("read", {})[room];
  const place = messages.findIndex(({ id }) => id === last);
  const next = place < 0 ? undefined : messages.slice(place + 1).find((message) => !isOwn(message));
  firstUnread = next?.id ?? null;
  showNewest();
  const mark = log.querySelector(".unread");
  if (mark && mark.offsetTop < scroll.scrollTop) mark.scrollIntoView({ block: "start" });
  if (more && messages.length < PAGE / 2) loadOlder();
}

let coming = []; // messages to be shown in the next moment, together

let shownAt = -Infinity; // when some were last shown

function showMessage(event) {
  if (coming.push(messageOf(event)) === 1) setTimeout(showComing, Math.max(0, shownAt + SHOW_EVERY_MS - performance.now()));
}

function showComing() {
  const added = coming;
  coming = [];
  shownAt = performance.now();
  const complete = to === messages.length;
  const seen = following && complete && !document.hidden;
  for (const message of added) {
    arrived(message.key);
    stopTyping(message);
    if (isOwn(message)) continue;
    if (!seen) {
      unread += 1;
      if (isCalling(message)) calls += 1;
      firstUnread ??= message.id;
    }
    alertFor(message, { room, calling: isCalling(message) });
  }
  meetAll(added);
  messages.push(...added);
  if (complete && following && messages.length > MOST_KEPT) forget(messages.length - MOST_KEPT / 2);
  if (complete && following) {
    const first = Math.max(to, messages.length - MOST_ROWS);
    if (first > to) {
      log.replaceChildren();
      from = first;
    }
    log.append(rowsOf(first, messages.length));
    to = messages.length;
    if (to - from > MOST_ROWS) {
      while (to - from > MOST_ROWS - PAGE) dropFirst();
      redoFirst();
    }
    toEnd();
  } else if (complete && to - from + added.length <= MOST_ROWS) {
    log.append(rowsOf(to, messages.length));
    to = messages.length;
  }
  markRead();
}

/** The oldest can be loaded again. */
function forget(count) {
  const some = Math.min(count, from);
  messages.splice(0, some);
  from -= some;
  to -= some;
  oldest = messages[0].id;
  more = true;
}

/** What was deleted is gone from here too: the message of that id, or all up to it. */
function forgetDeleted({ id, upto }) {
  const last = id ?? upto;
  const isLast = (message) => message.id === last;
  if (coming.some(isLast)) showComing();
  const index = messages.findIndex(isLast);
  // All up to one that is not here may be some that are.
  if (index < 0 && upto !== undefined) return subscription.reload();
  if (index < 0) return;
  const first = upto === undefined ? index : 0;
  const count = index + 1 - first;
  const moved = (place) => (place <= first ? place : Math.max(first, place - count));
  quietly(() => {
    messages.splice(first, count);
    [from, to] = [moved(from), moved(to)];
    log.replaceChildren(rowsOf(from, to));
  });
  if (upto !== undefined) more = false;
  markRead();
}

let keeping = 0; // the timer until it is kept what was read
let lastRead = null; // the id

/** What is in sight is read. */
function markRead() {
  if (following && to === messages.length && !document.hidden) {
    unread = calls = 0;
    lastRead = messages.at(-1)?.id ?? lastRead;
    keeping ||= setTimeout(keepRead, KEEP_READ_MS);
  }
  showEdges();
}

/** All tabs are told by this. */
function keepRead() {
  if (!keeping) return;
  clearTimeout(keeping);
  keeping = 0;
  const read = kept("read", {});
  if (lastRead && read[room] !== lastRead) keep("read", { ...read, [room]: lastRead });
}

addEventListener("pagehide", keepRead);

scroll.addEventListener("scroll", () => {
  const below = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
  following = below < 40 && to === messages.length;
  if (scroll.scrollTop < NEAR) showOlder();
  if (below < NEAR) showNewer();
  markRead();
}, { passive: true });

const resized = new ResizeObserver(() => following && toEnd());
for (const element of [scroll, log.parentElement]) resized.observe(element);

at("older").addEventListener("click", showOlder);
at("to-newest").addEventListener("click", () => {
  showNewest();
  place().focus({ preventScroll: true });
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return void markRead();
  firstUnread = null; // what comes from now on is new
  log.querySelector(".unread")?.remove();
});

// --- what is not yet there --------------------------------------------------

const waiting = new Map(); // by key, the rows at the end
const there = new Set(); // the keys of messages that came

function arrived(key) {
  if (!key) return;
  there.add(key);
  if (there.size > MOST_KEPT) there.delete(there.values().next().value);
  waiting.get(key)?.remove();
  waiting.delete(key);
}

const watchWaiting = () => watch((entry) => {
  if (entry.topic !== topic || typeof entry.data?.text !== "string") return;
  const { key, state } = entry;
  if (state === "gone" || there.has(key)) {
    arrived(key);
  } else {
    const row = makeWaiting(entry);
    if (waiting.has(key)) waiting.get(key).replaceWith(row);
    else at("pending").append(row);
    waiting.set(key, row);
    if (following) toEnd();
  }
  showEdges();
});

function makeWaiting(entry) {
  const message = messageOf({ time: entry.at, data: entry.data });
  const [first = entry.key] = waiting.keys();
  const row = makeRow(message, first === entry.key ? messages.at(-1) : message);
  row.dataset.state = entry.state;
  fillMark(row.lastElementChild, entry);
  return row;
}

// --- writing ----------------------------------------------------------------

const text = at("text");

/** A name that is proven needs no token beside it: it is the same person in any browser. */
const authorship = () => (names === "claimed" ? { author: token } : {});

let writer = null; // who is logged in

function setDraft(words) {
  text.value = words;
  keepDraft(room, writer, words);
}

text.addEventListener("input", () => keepDraft(room, writer, text.value));

at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (!said) return;
  setDraft("");
  lastTyping = 0;
  firstUnread = null;
  log.querySelector(".unread")?.remove();
  if (!following || to < messages.length) showNewest();
  const key = newKey();
  post(topic, { name: me, ...authorship(), text: said, key }, { key }).catch(() => {
    setDraft([said, text.value].filter(Boolean).join("\n")); // this browser cannot keep it
  });
  text.focus();
});

text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  at("composer").requestSubmit();
});

let names = ""; // by which one writes: proven, claimed, or none
let asking = false; // for another name

/** Where one writes, or gives a name before; or neither. */
function showWriting() {
  const writes = may("read", topic) && may("publish", topic);
  const nameless = names === "claimed" && (asking || me === "");
  at("name-form").hidden = !writes || !nameless;
  at("composer").hidden = !writes || nameless || me === "";
  at("me").textContent = me;
  at("rename").hidden = names !== "claimed" || nameless;
  at("cancel").hidden = me === "";
  setText(at("join"), t(me === "" ? "join" : "change"));
}

function askName(open) {
  asking = open;
  showWriting();
  if (open) at("name").value = me;
}

/** What has the focus where nothing else does. */
const place = () => (at("composer").hidden ? scroll : text);

at("name").addEventListener("input", () => {
  const name = at("name").value.trim();
  at("name").setCustomValidity(name === "" || isName(name) ? "" : t("nameRule"));
});
at("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setName(at("name").value.trim());
  keep("name", me);
  askName(false);
  showNewest(); // mentions of that name are marked
  subscription.rename(me);
  text.focus();
});

function cancelRename() {
  askName(false);
  text.focus();
}

at("cancel").addEventListener("click", cancelRename);
at("name-form").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && me !== "") cancelRename();
});
at("rename").addEventListener("click", () => {
  openPanel(false);
  askName(true);
  at("name").focus();
});

// --- who is here, and who is typing -----------------------------------------

let here = new Set();
let hereIsKnown = false;
let asked = 0; // counts the questions, so that only the answer to the last one counts

async function askPresence() {
  const mine = ++asked;
  hereIsKnown = false;
  const answer = await presence(topic).catch(() => null);
  if (!answer || mine !== asked) return;
  hereIsKnown = true;
  showNames(answer.names);
}

/** A join or leave says how many there are now: only who has another number has to ask. */
function changePresence(joins, { name, count }) {
  if (joins) here.add(name);
  else here.delete(name);
  if (hereIsKnown && here.size === count) showNames(here);
  else askPresence();
}

function showNames(names) {
  here = new Set(names);
  const items = [...here].sort().map((name) => {
    const item = document.createElement("li");
    const own = document.createElement("bdi");
    own.textContent = name;
    item.append(own, ...(name === me ? [` (${t("you")})`] : []));
    return item;
  });
  at("names").replaceChildren(...items);
  at("nobody").hidden = here.size > 0;
  setText(at("here-count"), number(here.size));
}

const typing = new Map(); // by who it is, their name and the timer that ends it
const typist = ({ name, author }) => JSON.stringify([name, author]);
let lastTyping = 0;

text.addEventListener("input", () => {
  if (text.value.trim() === "" || Date.now() - lastTyping < TYPING_EVERY_MS || state?.word !== "live") return;
  lastTyping = Date.now();
  send(topic, { name: me, ...authorship() }, { event: "typing", ephemeral: true }).catch(() => {});
});

function startTyping(who) {
  clearTimeout(typing.get(typist(who))?.timer);
  typing.set(typist(who), { ...who, timer: setTimeout(stopTyping, TYPING_FOR_MS, who) });
  showTyping();
}

function stopTyping(who) {
  clearTimeout(typing.get(typist(who))?.timer);
  if (typing.delete(typist(who))) showTyping();
}

function showTyping() {
  const names = [...typing.values()].map(({ name }) => isolate(name));
  const words = ["", "typingOne", "typingTwo"][names.length] ?? "typingMany";
  setText(at("typing"), words && t(words, ...names));
}

function showEphemeral({ event, data }) {
  if (typeof data?.name !== "string") return;
  const who = { name: data.name.slice(0, 64), author: tokenOf(data) };
  if (event === "typing" && !isOwn(who)) startTyping(who);
  if (event === "leave") for (const one of typing.values()) if (one.name === who.name) stopTyping(one);
  if (event === "join" || event === "leave") changePresence(event === "join", data);
}

// --- rooms ------------------------------------------------------------------

const news = new Map(); // by room, the ids that were not read, and whether they mention who reads
const isCalledIn = (ids) => [...ids.values()].includes(true);
let others = []; // rooms that one was not in

/** The rooms that the server lists, the newest first. Where it does not tell, there are those that one was in. */
async function discoverRooms() {
  const { topics: found } = await topics("chat/**").catch(() => ({ topics: [] }));
  const used = found.filter(({ id, streams }) => id || streams > 0)
    .sort((a, b) => (b.time ?? "").localeCompare(a.time ?? ""))
    .map((one) => one.topic.slice("chat/".length));
  others = used.filter((name) => isRoom(name) && !rooms.includes(name)).slice(0, MOST_OTHERS);
  showRooms();
}

document.addEventListener("visibilitychange", () => !document.hidden && subscription && discoverRooms());

function showRooms() {
  const items = [...rooms, ...others].map((name) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = pathOf(name);
    link.append(name);
    if (name === room) link.setAttribute("aria-current", "page");
    const ids = news.get(name) ?? new Map();
    if (ids.size > 0) {
      const badge = document.createElement("span");
      badge.className = "badge";
      badge.textContent = (isCalledIn(ids) ? "@ " : "") + (ids.size >= PAGE ? `${PAGE}+` : ids.size);
      link.append(badge);
    }
    item.append(link);
    return item;
  });
  at("rooms").replaceChildren(...items);
  showTitle();
}

function addNews(name, message) {
  if (isOwn(message)) return;
  if (!news.has(name)) news.set(name, new Map());
  const ids = news.get(name);
  const calling = isCalling(message);
  if (ids.size < PAGE || (calling && !isCalledIn(ids))) ids.set(message.id, calling);
}

/** What came to the other rooms since they were last seen. */
async function countNews() {
  const read = kept("read", {});
  for (const name of rooms.slice(1)) {
    const page = await history(`chat/${name}`, { limit: PAGE }).catch(() => null);
    if (!page) continue;
    const place = page.events.findIndex(({ id }) => id === read[name]);
    for (const event of page.events.slice(place + 1)) if (isMessage(event)) addNews(name, messageOf(event));
  }
  showRooms();
}

function showElsewhere(event) {
  const name = event.topic.slice("chat/".length);
  if (event.event === "deleted" && !event.id && news.get(name)?.delete(event.data.id)) showRooms();
  if (!event.id || !event.topic.startsWith("chat/") || name === room || !rooms.includes(name)) return;
  if (!isMessage(event)) return;
  const message = messageOf(event);
  addNews(name, message);
  showRooms();
  // A tab that has that room in sight says at once that it was read.
  if (isCalling(message)) setTimeout(() => news.get(name)?.has(event.id) && alertFor(message, { room: name, calling: true }), READ_ELSEWHERE_MS);
}

/** Up to that id it was read in another tab: true if that tells how many are new. */
function forgetNews(ids, last) {
  if (ids.size >= PAGE || !ids.has(last)) return ids.size === 0;
  for (const id of ids.keys()) {
    ids.delete(id);
    if (id === last) break;
  }
  return true;
}

addEventListener("storage", (event) => {
  if (event.key !== "sse-chat-read") return;
  const read = kept("read", {});
  if ([...news].every(([name, ids]) => forgetNews(ids, read[name]))) return showRooms();
  news.clear();
  return countNews();
});

at("goto-room").addEventListener("input", () => {
  const name = asRoom(at("goto-room").value);
  at("goto-room").setCustomValidity(name === "" || isRoom(name) ? "" : t("roomRule"));
});
at("goto").addEventListener("submit", (event) => {
  event.preventDefault();
  location.href = pathOf(asRoom(at("goto-room").value));
});

// --- the panel ------------------------------------------------------------

function openPanel(open) {
  at("panel").classList.toggle("open", open);
  at("panel-toggle").setAttribute("aria-expanded", open);
  if (open && subscription) discoverRooms();
}

at("panel-toggle").addEventListener("click", () => openPanel(!at("panel").classList.contains("open")));
scroll.addEventListener("pointerdown", () => openPanel(false));
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !at("panel").classList.contains("open")) return;
  openPanel(false);
  at("panel-toggle").focus();
});

// --- start ------------------------------------------------------------------

setText(at("room"), room);
text.placeholder = t("write", room);
at("here-url").textContent = location.origin;
for (const name of document.querySelectorAll("code .room")) name.textContent = room;
addCopyButtons();
beginAlerts();
at("notice-close").addEventListener("click", () => {
  at("notice").hidden = true;
  at("notice-text").textContent = "";
  scroll.focus();
});
if (wanted !== room && wanted !== "") {
  at("notice").hidden = false;
  at("notice-text").textContent = t("noRoom", wanted.slice(0, 200), room);
}
at("join").disabled = false;
showEdges();

let state = null;
let subscription = null;
const showState = connectionView("chatLive", () => (subscription ?? access).retry(), () => scroll);

const follow = () => subscribe(topic, {
  list: showList,
  event(event) {
    if (event.event === "deleted" && !event.id) forgetDeleted(event.data);
    else if (!event.id) showEphemeral(event);
    else if (isMessage(event)) showMessage(event);
  },
  gap({ reason }) {
    if (reason === "deleted") return; // the list comes anew, without it
    at("notice").hidden = false;
    at("notice-text").textContent = t(reason === "unknown-log" ? reason : "expired");
  },
  state(now) {
    if (now.word === "live") askPresence(); // said again whenever the stream is another
    else for (const one of typing.values()) stopTyping(one);
    state = now;
    showDelays(now);
    showState(now);
    heed(now);
  },
}, { limit: PAGE, as: me || undefined });

/** A pattern that one may read and that has the room: who only counts what is new there is not present there. */
const patternOf = (name) => [`*/${name}`, "chat/*", "chat/**"].find((pattern) =>
  covers(pattern, `chat/${name}`) && may("read", pattern));

function followOthers() {
  if (rooms.length < 2) return;
  const patterns = new Set(rooms.slice(1).map(patternOf).filter(Boolean));
  if (patterns.size > 0) subscribe([...patterns], { event: showElsewhere });
  countNews();
}

/** What one may do here, and by what name. */
function showAccess(session) {
  const reads = may("read", topic);
  const before = me;
  names = !session.access || (session.as === null && session.any_name) ? "claimed" : session.as === null ? "none" : "proven";
  setName({ proven: session.as, claimed: [kept("name", "")].find(isName) ?? "", none: "" }[names]);
  if (names === "claimed") keepToken();
  writer = session.name ?? null;
  if (text.value === "") text.value = keptDraft(room, writer);
  for (const claim of ["claim", "claim-again"]) {
    at(claim).hidden = names !== "claimed";
    if (session.access) setText(at(claim), t("claimSome"));
  }
  for (const part of [scroll, at("typing"), at("here")]) part.hidden = !reads;
  if (!reads) setText(at("here-count"), "–");
  sayWhatIsMissing(session, reads);
  askName(false);
  if (reads && !subscription) {
    const granted = (session.read ?? []).map((pattern) => /^chat\/(.*)/.exec(pattern)?.[1] ?? "").filter(isRoom);
    rooms = [...new Set([...rooms, ...granted])].filter((name) => name === room || may("read", `chat/${name}`));
    watchWaiting();
    subscription = follow();
    followOthers();
    discoverRooms();
  } else if (subscription && me !== before) {
    subscription.rename(me || undefined);
  } else if (!subscription) {
    showState(noAccess());
  }
  showRooms();
}

function sayWhatIsMissing({ name }, reads) {
  if (!reads) close(t("roomClosed"));
  else if (names === "none" && name === null) say(t("logInToWrite"));
  else if (!may("publish", topic)) say(t(name === null ? "logInToWrite" : "mayNotWrite"));
  else say(names === "none" ? t("noNameToWrite") : "");
}

const access = begin(showAccess, { state: showState, home: place });
