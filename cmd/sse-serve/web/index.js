// SPDX-License-Identifier: MIT
// The users page: lists what is stored, follows what comes, and adds users by a form. That nothing is
// missed or doubled is the business of sse.js.

import { begin, close, heed, may, noAccess, say } from "./access.js";
import { at, clock, connectionView, keepIn, keptIn, number, sentence, setText, t, tellIfUnshared, translate, why } from "./common.js";
import { addCopyButtons } from "./copy.js";
import { discard, history as stored, newKey, post, subscribe, topics } from "./sse.js";
import { forget, isUser, loaded, PAGE, showNewer, showNewest, showOlder } from "./users-list.js";
import { isListed, watchUsers } from "./users-queue.js";
import { showDelays } from "./waiting.js";

translate();
tellIfUnshared();

// --- what a person is told --------------------------------------------------

function showNotice(text) {
  at("notice").hidden = false;
  at("notice-text").textContent = text;
}

at("notice-close").addEventListener("click", () => {
  at("notice").hidden = true;
  at("notice-text").textContent = "";
  at("list-title").focus();
});

/** Text that is no user, such as the demo's tick: one quiet line, which the next replaces. */
let notes = 0;
function showNote(text) {
  notes += 1;
  at("note").hidden = false;
  at("note-text").textContent = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  at("note-when").textContent = clock(new Date()) + (notes > 1 ? `, ${t("soFar", number(notes))}` : "");
}

// --- the list ---------------------------------------------------------------

const OLDER = 400; // are loaded at a time
const markTemplate = at("mark").content.firstElementChild;
markTemplate.querySelector("b").textContent = t("isNew");

let more = false; // are older ones stored than those that are loaded?
let before = null; // how many these are, once that is known
let counted = null; // { id, events }: how many were stored when that one was the newest
let listing = 0; // counts the lists, so that what belongs to an older one is noticed
let others = 0; // loaded, and no users

function showTotal() {
  at("count").textContent = before === null ? "" : number(before + loaded.length - others);
  at("empty").hidden = loaded.length > others || more;
  at("older").hidden = !more;
}

/** A row has the place of its event among all that are stored, the oldest being 1. */
function numberRows(end = loaded.length) {
  if (before === null) return;
  for (let i = 0; i < end; i += 1) if (loaded[i].row) loaded[i].row.dataset.number = number(before + i + 1);
}

/** The list does not say how many are before it. The server does, but of another moment. */
function takeCount() {
  const index = counted ? loaded.findLastIndex(({ id }) => id === counted.id) : -1;
  if (index < 0) return;
  before = Math.max(0, counted.events - index - 1);
  counted = null;
  numberRows();
  showTotal();
}

async function count() {
  const mine = listing;
  const { topics: [found] } = await topics("users").catch(() => ({ topics: [] }));
  if (!found?.id || mine !== listing) return;
  counted = found;
  takeCount();
}

function countOthers() {
  const now = loaded.filter(({ row }) => !row).length;
  if (now > others) showNote(t("otherStored", number(now)));
  others = now;
}

function showList(events, { more: some }) {
  listing += 1;
  arriving = [];
  others = 0;
  more = some;
  before = more ? null : 0;
  for (const { id } of events) isListed(id);
  showNewest(events);
  countOthers();
  numberRows();
  showTotal();
  if (more) count();
  loadWhenNear();
  returnToPlace();
}

let loading = false;

async function loadOlder(limit = OLDER) {
  if (loading || !more) return;
  const mine = listing;
  loading = true;
  try {
    const { events } = await stored("users", { before: loaded[0].id, limit });
    if (mine !== listing) return;
    more = events.length === limit;
    const expected = before === null ? null : before - events.length;
    before = more ? expected && Math.max(0, expected) : 0;
    showOlder(events);
    countOthers();
    numberRows(before === expected ? events.length : loaded.length);
    showTotal();
    takeCount();
    loadWhenNear();
  } catch {
    setTimeout(loadWhenNear, 3_000); // the connection's state says why, and the button tries again at once
  } finally {
    loading = false;
  }
}

/** The last of the entries is what is so now; there are several if one scrolls fast. */
const end = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && loadOlder(), { rootMargin: "0px 0px 150%" });

/** Again after each page, which may not have moved the end out of sight. */
function loadWhenNear() {
  end.disconnect();
  if (more) end.observe(at("older"));
}

at("older").addEventListener("click", () => loadOlder());

function takeDeleted({ id }) {
  if (arriving.length > 0) showArrivals();
  if (id === undefined || (loaded.length === 1 && more)) return users.reload(); // all up to one
  forget(id);
  others = loaded.filter(({ row }) => !row).length;
  numberRows();
  showTotal();
  if (more) count();
}

// --- the place that one comes back to ---------------------------------------

const PLACE = "sse-users-place"; // in this tab's storage: { id, top, rows }
const MOST_ROWS = 10_000; // are loaded to come back to it

window.history.scrollRestoration = "manual";

function rowInSight() {
  const left = list.getBoundingClientRect().left + 1;
  return document.elementFromPoint(left, innerHeight / 2)?.closest("#list li");
}

addEventListener("pagehide", () => {
  const row = scrollY > 0 ? rowInSight() : null;
  const index = loaded.findIndex((entry) => row && entry.row === row);
  const place = index < 0 ? null : { id: loaded[index].id, top: row.getBoundingClientRect().top, rows: loaded.length - index };
  keepIn("sessionStorage", PLACE, place);
});

/** Once, after Back or a reload. */
function takePlace() {
  const [{ type }] = performance.getEntriesByType("navigation");
  const kept = keptIn("sessionStorage", PLACE, null);
  keepIn("sessionStorage", PLACE, null);
  return ["back_forward", "reload"].includes(type) ? kept : null;
}

async function returnToPlace() {
  const place = takePlace();
  if (!place) return;
  const find = () => loaded.find(({ id }) => id === place.id)?.row;
  if (!find()) await loadOlder(Math.min(place.rows + OLDER, MOST_ROWS));
  const row = find();
  // Groups get their height when they come near, so it takes a few steps.
  for (let i = 0; row && i < 10; i += 1) {
    scrollBy({ top: row.getBoundingClientRect().top - place.top, behavior: "instant" });
    await new Promise(requestAnimationFrame);
  }
}

// --- what arrives -----------------------------------------------------------

const list = at("list");
let arriving = []; // events that are to be shown in the next moment, together
let arrived = []; // names not yet announced
let above = 0; // how many arrived above what is on the screen
let topInView = true;

function addUser(event) {
  if (arriving.push({ event, time: new Date() }) === 1) setTimeout(showArrivals);
}

/** Where all are loaded, the new one is the last; otherwise its number waits until it is known. */
function showArrival({ event, time }) {
  const row = showNewer(event);
  if (before !== null) row.dataset.number = number(before + loaded.length);
  markNew(row, time);
}

function showArrivals() {
  const added = arriving;
  arriving = [];
  if (added.length === 0) return;
  keepScroll(() => added.forEach(showArrival));
  showTotal();
  takeCount();
  if (arrived.length === 0) setTimeout(announce, 700);
  for (const { event: { data } } of added) arrived.push(`${data.firstname} ${data.lastname}`);
  if (!topInView) {
    above += added.length;
    showAbove();
  }
}

function markNew(row, time) {
  const mark = markTemplate.cloneNode(true);
  const element = mark.querySelector("time");
  element.dateTime = time.toISOString();
  element.textContent = clock(time);
  row.className = "new";
  row.append(mark);
}

/**
 * What is being read stays where it is. The browser's own scroll anchoring is not enough: some have
 * none, and it loses hold between groups that are skipped. Where it did work there is nothing left.
 */
function keepScroll(change) {
  const seen = topInView ? null : rowInSight();
  const before = seen?.getBoundingClientRect().top;
  change();
  const moved = seen ? seen.getBoundingClientRect().top - before : 0;
  if (moved) scrollBy({ top: moved, behavior: "instant" });
}

/** Told together, so that a burst does not keep a screen reader talking. */
function announce() {
  at("announce").textContent =
    arrived.length === 1 ? t("newOne", arrived[0]) : t("newMany", number(arrived.length));
  arrived = [];
}

function showAbove() {
  at("to-top").hidden = above === 0;
  at("to-top").textContent = t("newAbove", number(above));
}

new IntersectionObserver((entries) => {
  const entry = entries.at(-1);
  topInView = entry.isIntersecting || entry.boundingClientRect.top > 0;
  if (topInView) {
    above = 0;
    showAbove();
  }
}).observe(at("list-top"));

at("to-top").addEventListener("click", () => {
  scrollTo({ top: 0 });
  at("list-title").focus({ preventScroll: true });
});

// --- the form ---------------------------------------------------------------

const form = at("form");
const fields = [at("firstname"), at("lastname")];
let lastKey = ""; // of what was in the form
let live = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [firstname, lastname] = fields.map(({ value }) => value.trim());
  const user = { firstname, lastname };
  lastKey = newKey();
  showFormError("");
  form.reset();
  fields[0].focus();
  // The name appears in the list when the stream brings it, as for everybody else; until then above it.
  await post("users", user, { key: lastKey }).catch((failure) => putBack(user, { code: "broken", detail: String(failure) }));
});

for (const field of fields) field.addEventListener("input", () => field.removeAttribute("aria-invalid"));

/** What the server refused is back in the form, if nothing else is in it: there it can be mended. */
function putBack({ firstname, lastname }, failed) {
  [fields[0].value, fields[1].value] = [firstname, lastname];
  const wrong = fields.find((field) => failed.detail?.includes(field.name)) ?? fields[0];
  if (failed.code === "refused") wrong.setAttribute("aria-invalid", "true");
  showFormError(failed.detail || why(failed), failed.title);
  if (form.contains(document.activeElement)) wrong.focus();
}

function showWaiting({ key, data, state, failed }, count) {
  if (failed?.status === 403) heed({ word: "denied" });
  if (state === "failed" && key === lastKey && fields.every(({ value }) => value === "")) {
    putBack(data, failed);
    discard(key);
  }
  setText(at("form-note"), count > 0 && !live ? t("keptHere") : "");
}

function showFormError(text, title = "") {
  const alert = at("form-error");
  alert.replaceChildren();
  if (!text) return;
  const strong = document.createElement("strong");
  strong.textContent = title && `${sentence(title)} `;
  alert.append(strong, sentence(text));
}

// --- start ------------------------------------------------------------------

for (const span of document.querySelectorAll("[data-url]"))
  span.textContent = new URL(span.dataset.url, location.href).href;
addCopyButtons();
at("terminal").open = matchMedia("(min-width: 64rem)").matches;
at("add").disabled = false;

let users = null; // the subscription
let queue = null; // what is not yet in the list
const showState = connectionView("usersLive", () => (users ?? access).retry(), () => at("list-title"));

const follow = () => subscribe("users", {
  list: showList,
  event(come) {
    const { event, id, data } = come;
    isListed(id);
    if (event === "deleted" && !id) takeDeleted(data);
    if (event !== "update") return;
    if (isUser(data)) addUser(come);
    else showNote(typeof data === "string" ? data : JSON.stringify(data));
  },
  gap: ({ reason }) => reason !== "deleted" && showNotice(t(reason === "unknown-log" ? reason : "expired")),
  state(state) {
    live = state.word === "live";
    showDelays(state);
    showState(state);
    heed(state);
  },
}, { limit: PAGE });

const access = begin(({ access: guarded }) => {
  const reads = may("read", "users");
  const adds = may("publish", "users");
  at("add-section").hidden = !adds;
  if (guarded) setText(at("empty"), t(adds ? "noUsers" : "nobodyYet"));
  at("users").hidden = at("stored").hidden = !reads;
  if (reads) say("");
  else close(t("usersClosed"));
  if (adds && !queue) queue = watchUsers(showWaiting);
  if (reads) users ??= follow();
  else if (!users) showState(noAccess());
}, { state: showState, home: () => at("list-title") });
