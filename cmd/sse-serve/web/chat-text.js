// SPDX-License-Identifier: MIT
// The text of a message. It is text and nothing else, but for links, and for mentions of who reads it.

import { number, t } from "./common.js";

const CLIP = 3_000; // characters of a message that are shown at first
const CLIP_LINES = 40;

const LINK = /https?:\/\/[^\s<>"'`\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gi;

/** The address that a text is, if it may be a link: http or https, and no name before an @ that misleads. */
function address(text) {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}

/** A link without what ends the sentence around it: a closing bracket belongs to it if it was opened in it. */
function withoutEnd(link) {
  const count = (bracket) => link.split(bracket).length;
  const last = link.at(-1);
  const opening = { ")": "(", "]": "[", "}": "{" }[last];
  const foreign = opening ? count(last) > count(opening) : /[.,;:!?]/.test(last);
  return foreign ? withoutEnd(link.slice(0, -1)) : link;
}

/** Where a link leads, if what is written looks otherwise: letters of other scripts that pass for ours. */
function trueHost(shown, href) {
  const written = /^https?:\/\/([^/?#\\]*?)(:\d*)?(?=[/?#\\]|$)/i.exec(shown)?.[1].toLowerCase();
  const { hostname } = new URL(href);
  return hostname === written ? "" : ` (${hostname})`;
}

const NO_SPACES = /[\p{sc=Hang}\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}]$/u; // after these a word need not end

/** What finds @NAME in a text, or null where there is no name. */
export function mentionOf(name) {
  if (name === "") return null;
  const forms = new Set([name, name.normalize("NFC"), name.normalize("NFD")]);
  const any = [...forms].map((form) => form.replace(/[$()*+./?[\\\]^{|}]/g, "\\$&")).join("|");
  return new RegExp(`(^|[^\\p{L}\\p{N}_@./])(@(?:${any}))${NO_SPACES.test(name) ? "" : "(?![\\p{L}\\p{M}\\p{N}_])"}`, "giu");
}

export const isMentioned = (mention, text) => mention !== null && text.includes("@") && text.search(mention) >= 0;

function appendWords(element, text, mention) {
  let end = 0;
  for (const match of isMentioned(mention, text) ? text.matchAll(mention) : []) {
    const start = match.index + match[1].length;
    const mark = document.createElement("mark");
    mark.textContent = match[2];
    element.append(text.slice(end, start), mark);
    end = start + match[2].length;
  }
  element.append(text.slice(end));
}

function appendText(element, text, mention) {
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = withoutEnd(match[0]);
    const href = address(shown);
    if (!href) continue;
    const link = document.createElement("a");
    link.href = href;
    link.rel = "noopener noreferrer nofollow ugc";
    link.target = "_blank";
    link.dir = "ltr";
    link.textContent = shown;
    appendWords(element, text.slice(end, match.index), mention);
    element.append(link, trueHost(shown, href));
    end = match.index + shown.length;
  }
  appendWords(element, text.slice(end), mention);
}

/** Long ones in short, with a button that shows all; then shown() is called, since the button had the focus. */
export function fillText(element, text, { mention, shown }) {
  const lines = text.split("\n", CLIP_LINES + 1);
  const short = lines.slice(0, CLIP_LINES).join("\n").slice(0, CLIP);
  if (text.length - short.length < CLIP / 10 && lines.length <= CLIP_LINES) return appendText(element, text, mention);
  appendText(element, `${short.replace(/[\ud800-\udbff]$/, "")} …`, mention);
  const all = document.createElement("button");
  all.type = "button";
  all.className = "plain";
  all.textContent = t("showAll", number(text.length));
  all.addEventListener("click", () => {
    element.replaceChildren();
    element.append(text);
    shown();
  });
  return element.append(all);
}
