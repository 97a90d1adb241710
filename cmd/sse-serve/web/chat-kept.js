// SPDX-License-Identifier: MIT
// What this browser keeps for the chat: a few facts for all tabs, and drafts for this one.

const MOST_DRAFTS = 20;

export function keep(name, value) {
  try {
    localStorage.setItem(`sse-chat-${name}`, JSON.stringify(value));
  } catch {
    // It is not allowed, or full: then it lasts as long as the page.
  }
}

export function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`sse-chat-${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function drafts() {
  try {
    return Object.entries(JSON.parse(sessionStorage.getItem("sse-chat-drafts")) ?? {});
  } catch {
    return [];
  }
}

/** What is being written in a room. writer: who is logged in, or null; only they get it back. */
export function keepDraft(room, writer, text) {
  const others = drafts().filter(([name]) => name !== room).slice(1 - MOST_DRAFTS);
  const own = text === "" ? [] : [[room, { writer, text }]];
  try {
    sessionStorage.setItem("sse-chat-drafts", JSON.stringify(Object.fromEntries([...others, ...own])));
  } catch {
    // It is not allowed, or too long: then it lasts as long as the page.
  }
}

export function keptDraft(room, writer) {
  const draft = drafts().find(([name]) => name === room)?.[1];
  return draft?.writer === writer && typeof draft.text === "string" ? draft.text : "";
}

/** After a log-out the next person finds nothing of it. */
export function forgetAll() {
  try {
    for (const name of ["author", "name", "rooms", "read"]) localStorage.removeItem(`sse-chat-${name}`);
    sessionStorage.removeItem("sse-chat-drafts");
  } catch {
    // It is not allowed: then nothing is kept there.
  }
}
