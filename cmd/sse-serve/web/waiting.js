// SPDX-License-Identifier: MIT
// What a page shows of an entry that is not yet stored: what becomes of it, and what one can do.

import { setText, t, why } from "./common.js";
import { discard, retry } from "./sse.js";

let live = true; // only then is what is pending on its way

const wordOf = (state) => t(state === "pending" && !live ? "delayed" : state);

/** Says of all that is pending whether it is on its way or waits, by the state of the connection. */
export function showDelays({ word }) {
  live = word === "live";
  for (const mark of document.querySelectorAll("[data-state=pending] .mark")) setText(mark, wordOf("pending"));
}

function makeButton(name, action) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.textContent = t(name);
  button.addEventListener("click", action);
  return button;
}

/** Fills the mark beside an entry of watch(). */
export function fillMark(mark, { key, state, failed }) {
  if (state !== "failed") mark.replaceChildren(wordOf(state));
  else mark.replaceChildren(t("notSent", why(failed)), makeButton("again", () => retry(key)), makeButton("remove", () => discard(key)));
}
