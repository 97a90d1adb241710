// SPDX-License-Identifier: MIT
// Who wrote a message, as far as the page can tell. Each browser puts a random token of its own into its messages,
// beside the name. Everybody can read and copy it: it tells two people with one name apart, and proves nothing.

const HUES = 8; // chat.css has their colours
const MOST_NAMES = 2_000; // that are remembered

/** The token that a message has, or "". */
export const tokenOf = ({ author }) => (typeof author === "string" && /^[\w-]{4,64}$/.test(author) ? author : "");

/** What of a token is shown after a name that several people use. */
export const shortToken = (token) => token.slice(0, 4);

/** Names that look alike are the same name here. */
const plain = (name) => name.normalize("NFKC").replace(/\p{DI}/gu, "").toLowerCase();

/** Which of the colours an author has: always the same one. */
export function hueOf({ name, author }) {
  let hash = 0x811c9dc5; // FNV-1a
  for (const char of author || plain(name)) hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193);
  return (hash >>> 8) % HUES;
}

/** The first letter or digit of a name, else its first character. */
export function initialOf(name) {
  const chars = [...name.normalize("NFC")];
  const first = chars.find((char) => /[\p{L}\p{N}]/u.test(char)) ?? chars[0] ?? "?";
  return [...first.toUpperCase()][0];
}

const authors = new Map(); // by name, the first author who used it, or null after another one did

/** Takes note of an author. Is the name now, and was it not before, the name of several? */
export function meet({ name, author }) {
  const key = plain(name);
  const known = authors.get(key);
  if (known === undefined) {
    if (authors.size >= MOST_NAMES) authors.delete(authors.keys().next().value);
    authors.set(key, author);
  }
  if (known === undefined || known === null || known === author) return false;
  authors.set(key, null);
  return true;
}

/** Do several authors use that name? */
export const isShared = (name) => authors.get(plain(name)) === null;
