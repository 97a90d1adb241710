// SPDX-License-Identifier: MIT
// What this browser keeps for the chat: a few facts for all tabs, and drafts for this one.

import { keepIn, keptIn } from "./common.js";

const DRAFTS = "sse-chat-drafts";
const MOST_DRAFTS = 20;

let forgotten = false;

export const keep = (name, value) => forgotten || keepIn("localStorage", `sse-chat-${name}`, value);
export const kept = (name, otherwise) => keptIn("localStorage", `sse-chat-${name}`, otherwise);

const drafts = () => Object.entries(keptIn("sessionStorage", DRAFTS, {}));

/** What is being written in a room. writer: who is logged in, or null; only they get it back. */
export function keepDraft(room, writer, text) {
  const others = drafts().filter(([name]) => name !== room).slice(1 - MOST_DRAFTS);
  const own = text === "" ? [] : [[room, { writer, text }]];
  keepIn("sessionStorage", DRAFTS, Object.fromEntries([...others, ...own]));
}

export function keptDraft(room, writer) {
  const draft = drafts().find(([name]) => name === room)?.[1];
  return draft?.writer === writer && typeof draft.text === "string" ? draft.text : "";
}

/** After a log-out the next person finds nothing of it. */
export function forgetAll() {
  forgotten = true;
  try {
    for (const name of ["author", "name", "rooms", "read"]) localStorage.removeItem(`sse-chat-${name}`);
    sessionStorage.removeItem(DRAFTS);
  } catch {
    // It is not allowed: then nothing is kept there.
  }
}
