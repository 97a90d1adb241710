// SPDX-License-Identifier: MIT
// Users that were added by the form and are not yet in the list: sse.js keeps them in this browser until the server
// has them. Each has a row below the form, until the list has it.

import { at, t } from "./common.js";
import { watch } from "./sse.js";
import { fillMark } from "./waiting.js";

const rowTemplate = at("row").content.firstElementChild;
const rows = new Map(); // by key
const sent = new Map(); // by id, the key: stored, and not yet in the list
const came = new Set(); // ids that came while there are rows: one may come before it is told that it was sent
const MOST_CAME = 1_000;

function makeRow(entry) {
  const row = rowTemplate.cloneNode(true);
  const [first, last] = row.firstElementChild.children;
  first.textContent = entry.data.firstname;
  last.textContent = entry.data.lastname;
  row.dataset.state = entry.state;
  const mark = document.createElement("span");
  mark.className = "mark";
  fillMark(mark, entry);
  row.append(mark);
  return row;
}

function drop(key) {
  rows.get(key)?.remove();
  rows.delete(key);
  if (rows.size === 0) came.clear();
}

function show(entry) {
  const row = makeRow(entry);
  if (rows.has(entry.key)) rows.get(entry.key).replaceWith(row);
  else at("waiting").prepend(row);
  rows.set(entry.key, row);
}

/** The list has the event of that id. */
export function isListed(id) {
  if (!id || rows.size === 0) return;
  came.add(id);
  if (came.size > MOST_CAME) came.delete(came.values().next().value);
  drop(sent.get(id));
  sent.delete(id);
}

/** Shows what waits. changed(entry, count) is called for each change of one, after it is shown; so many wait. */
export const watchUsers = (changed) => watch((entry) => {
  if (entry.topic !== "users" || typeof entry.data?.firstname !== "string" || typeof entry.data?.lastname !== "string") return;
  if (entry.state === "gone" || came.has(entry.id)) drop(entry.key);
  else show(entry);
  if (entry.state === "sent" && rows.has(entry.key)) sent.set(entry.id, entry.key);
  changed(entry, rows.size);
});
