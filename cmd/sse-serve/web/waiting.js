// SPDX-License-Identifier: MIT
// What a page shows of an entry that is not yet stored: what becomes of it, and what one can do.

import { t, why } from "./common.js";
import { discard, retry } from "./sse.js";

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
  if (state !== "failed") mark.replaceChildren(t(state));
  else mark.replaceChildren(t("notSent", why(failed)), makeButton("again", () => retry(key)), makeButton("drop", () => discard(key)));
}
