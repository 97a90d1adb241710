// SPDX-License-Identifier: MIT
// The users page: lists what is stored, follows what comes, and adds users by a form. That nothing is
// missed or doubled is the business of sse.js.

import { begin, close, heed, may, noAccess, say } from "./access.js";
import { at, clock, connectionView, number, sentence, setText, t, tellIfUnshared, translate, why } from "./common.js";
import { addCopyButtons } from "./copy.js";
import { discard, newKey, post, subscribe } from "./sse.js";
import { isListed, watchUsers } from "./users-queue.js";
import { showDelays } from "./waiting.js";

const GROUP_ROWS = 200; // style.css knows the height of a group that is out of sight

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

const list = at("list");
const rowTemplate = at("row").content.firstElementChild;
const markTemplate = at("mark").content.firstElementChild;
markTemplate.querySelector("b").textContent = t("isNew");

let total = 0;
let filling = 0; // counts the fillings, so that an older one notices that it is out of date

const isUser = (value) =>
  typeof value?.firstname === "string" && typeof value?.lastname === "string";

/** Names are text and nothing else; each is isolated, so that its direction stays its own. */
function makeRow(user, place) {
  const row = rowTemplate.cloneNode(true);
  const [first, last] = row.firstElementChild.children;
  first.textContent = user.firstname;
  last.textContent = user.lastname;
  row.dataset.number = number(place);
  return row;
}

function showTotal() {
  at("count").textContent = number(total);
  at("empty").hidden = total > 0;
}

/**
 * Rows stand in groups: the browser skips a group that is out of sight (content-visibility), so that
 * an arrival costs the same with ten users and with ten thousand. They are no lists of their own.
 */
function makeGroup() {
  const group = document.createElement("ol");
  group.setAttribute("role", "presentation");
  return group;
}

/** Newest on top: the first screen is there at once, the older ones follow below in batches. */
async function showList(events) {
  const users = events.map(({ data }) => data).filter(isUser);
  const others = events.length - users.length;
  const mine = ++filling;
  arriving = [];
  for (const { id } of events) isListed(id);
  list.replaceChildren();
  total = users.length;
  showTotal();
  if (others > 0) showNote(t("otherStored", number(others)));

  list.setAttribute("aria-busy", "true");
  for (let end = users.length; end > 0; end -= GROUP_ROWS) {
    const group = makeGroup();
    for (let i = end; i > Math.max(0, end - GROUP_ROWS); i -= 1) group.append(makeRow(users[i - 1], i));
    group.classList.toggle("full", group.childElementCount === GROUP_ROWS);
    list.append(group);
    await new Promise((resume) => setTimeout(resume));
    if (mine !== filling) return;
  }
  list.removeAttribute("aria-busy");
}

function prepend(row) {
  let group = list.firstElementChild;
  if (!group || group.childElementCount >= GROUP_ROWS) {
    group?.classList.add("full");
    group = makeGroup();
    list.prepend(group);
  }
  group.prepend(row);
}

let arriving = []; // users that are to be shown in the next moment, together
let arrived = []; // names not yet announced
let above = 0; // how many arrived above what is on the screen
let topInView = true;

function addUser(user) {
  if (arriving.push({ user, time: new Date() }) === 1) setTimeout(showArrivals);
}

function showArrivals() {
  const users = arriving;
  arriving = [];
  if (users.length === 0) return;
  keepScroll(() => {
    for (const { user, time } of users) prepend(markNew(makeRow(user, ++total), time));
  });
  showTotal();
  if (arrived.length === 0) setTimeout(announce, 700);
  for (const { user } of users) arrived.push(`${user.firstname} ${user.lastname}`);
  if (!topInView) {
    above += users.length;
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
  return row;
}

/**
 * What is being read stays where it is. The browser's own scroll anchoring is not enough: some have
 * none, and it loses hold between groups that are skipped. Where it did work there is nothing left.
 */
function keepScroll(change) {
  const left = () => list.getBoundingClientRect().left + 1;
  const seen = topInView ? null : document.elementFromPoint(left(), innerHeight / 2)?.closest("li");
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

new IntersectionObserver(([entry]) => {
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
  event({ event, id, data }) {
    isListed(id);
    if (event === "deleted" && !id) users.reload(); // the list is without it, and its numbers are right
    if (event !== "update") return;
    if (isUser(data)) addUser(data);
    else showNote(typeof data === "string" ? data : JSON.stringify(data));
  },
  gap: ({ reason }) => reason !== "deleted" && showNotice(t(reason === "unknown-log" ? reason : "expired")),
  state(state) {
    live = state.word === "live";
    showDelays(state);
    showState(state);
    heed(state);
  },
});

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
