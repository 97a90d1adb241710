// SPDX-License-Identifier: MIT
// The rows of the users page: the newest on top, older ones below as they are loaded. It imports nothing, since
// users-first.js shows the newest by it while the rest of the page is on its way.

export const PAGE = 100; // of the newest; index.html preloads them
const GROUP_ROWS = 200; // style.css knows the height of a group that is out of sight

const list = document.getElementById("list");
const rowTemplate = document.getElementById("row").content.firstElementChild;

/** What is loaded of the topic, the oldest first: { id, row }; what is no user has no row. */
export let loaded = [];

export const isUser = (value) =>
  typeof value?.firstname === "string" && typeof value?.lastname === "string";

/** Names are text and nothing else; each is isolated, so that its direction stays its own. */
function entryOf({ id, data }) {
  if (!isUser(data)) return { id, row: null };
  const row = rowTemplate.cloneNode(true);
  const [first, last] = row.firstElementChild.children;
  first.textContent = data.firstname;
  last.textContent = data.lastname;
  return { id, row };
}

/**
 * Rows stand in groups: the browser skips a group that is out of sight (content-visibility), so that
 * an arrival costs the same with ten users and with ten thousand. They are no lists of their own.
 */
function roomIn(group, place) {
  if (group && group.childElementCount < GROUP_ROWS) return group;
  const next = document.createElement("ol");
  next.setAttribute("role", "presentation");
  list[place](next);
  return next;
}

function put(row, end, place) {
  const group = roomIn(list[end], place);
  group[place](row);
  group.classList.toggle("full", group.childElementCount === GROUP_ROWS);
}

const rowsOf = (entries) => entries.map(({ row }) => row).filter(Boolean);

/** These events alone, the oldest first. What is shown already stays, and with it the place that is read. */
export function showNewest(events) {
  if (events.length === loaded.length && events.every(({ id }, i) => id === loaded[i].id)) return;
  loaded = events.map(entryOf);
  list.replaceChildren();
  for (const row of rowsOf(loaded).reverse()) put(row, "lastElementChild", "append");
}

export function showOlder(events) {
  const entries = events.map(entryOf);
  loaded = [...entries, ...loaded];
  for (const row of rowsOf(entries).reverse()) put(row, "lastElementChild", "append");
}

/** An event that has just come. Returns its row, or null. */
export function showNewer(event) {
  const entry = entryOf(event);
  loaded.push(entry);
  if (entry.row) put(entry.row, "firstElementChild", "prepend");
  return entry.row;
}

/** Returns whether it was loaded. */
export function forget(id) {
  const index = loaded.findIndex((entry) => entry.id === id);
  if (index < 0) return false;
  loaded[index].row?.remove();
  loaded.splice(index, 1);
  return true;
}
