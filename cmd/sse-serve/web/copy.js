// SPDX-License-Identifier: MIT
// A button beside each command of a page, which copies it.

import { setText, t } from "./common.js";

const SHOWN_MS = 2_000;

/** Without a secure context there is no clipboard, but the old command, which copies what is selected. */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
  } catch {
    getSelection().selectAllChildren(element);
    if (!document.execCommand("copy")) return; // then it is selected, at least
    getSelection().removeAllRanges();
  }
}

function addButton(code) {
  const button = document.createElement("button");
  let timer = 0;
  button.type = "button";
  button.className = "copy";
  button.textContent = t("copy");
  const name = () => button.setAttribute("aria-label", t("copyWhat", code.textContent.slice(0, 60)));
  button.addEventListener("focus", name);
  button.addEventListener("pointerenter", name);
  name();
  button.addEventListener("click", async () => {
    await copy(code);
    setText(button, t("copied"));
    button.setAttribute("aria-label", t("copied"));
    clearTimeout(timer);
    timer = setTimeout(() => {
      setText(button, t("copy"));
      name();
    }, SHOWN_MS);
  });
  const place = document.createElement("div");
  place.className = "copyable";
  code.parentElement.replaceWith(place);
  place.append(code.parentElement, button);
}

/** To each <pre><code> that there is. */
export function addCopyButtons() {
  for (const code of document.querySelectorAll("pre > code")) addButton(code);
}
