// SPDX-License-Identifier: MIT
// What sse-serve takes, for sse.js: what it would refuse is an error where a page says it, since the tabs of
// a browser share one stream, and the refusal of one wish would take it from all.

export const MOST_TOPICS = 64; // of a stream
const MOST_TOPIC = 200, MOST_NAME = 64, MOST_SUBJECT = 200; // bytes

const bytes = (text) => new TextEncoder().encode(text).length;
const refuse = (what, text, rule) => {
  throw new TypeError(`${what} ${JSON.stringify(text)}: ${rule}`);
};

export const isPattern = (topic) => topic.includes("*");

export function matches(pattern, topic) {
  if (!isPattern(pattern)) return pattern === topic;
  const part = (text) => ({ "*": "[^/]+", "**": ".+" })[text] ?? text.replaceAll(".", "\\.");
  return new RegExp(`^${pattern.split("/").map(part).join("/")}$`).test(topic);
}

/**
 * Does a pattern match all that another one, or a topic, matches?
 * @param {string} pattern
 * @param {string} topic
 */
export function covers(pattern, topic) {
  const [wide, narrow] = [pattern.split("/"), topic.split("/")];
  const last = wide.length - 1;
  if (wide[last] === "**" ? narrow.length < wide.length : narrow.length !== wide.length) return false;
  return wide.every((part, i) => part === narrow[i] || (part === "**" && i === last) || (part === "*" && narrow[i] !== "**"));
}

/**
 * May who has this session do that with a topic, or all of a pattern?
 * @type {(session: import("./sse.js").Session, verb: "publish"|"read"|"delete", topic: string) => boolean}
 */
export const may = (session, verb, topic) => !session.access || (session[verb] ?? []).some((pattern) => covers(pattern, topic));

/** Of any script: a mark follows a letter or a digit. */
const isSegment = (part) => /^(?:[._~-]|[\p{L}\p{Nd}]\p{M}*)+$/u.test(part) && !/\p{Default_Ignorable_Code_Point}/u.test(part) &&
  part === part.normalize("NFC") && !/^(\.|\.\.|event|presence)$/.test(part);

/**
 * Throws unless this is a topic, or a pattern where these are allowed.
 * @param {string} topic
 */
export function checkTopic(topic, { patterns = false } = {}) {
  const parts = typeof topic === "string" ? topic.split("/") : [""];
  const good = (part, i) => (patterns && (part === "*" || (part === "**" && i === parts.length - 1))) || isSegment(part);
  if (/^(session|ticket)$/.test(topic)) refuse("the topic", topic, "session and ticket are addresses of log-ins");
  if (!parts.every(good))
    refuse("the topic", topic, "its parts are of letters, digits and . _ ~ -, in Unicode's form NFC, joined by /, and none is . .. event or presence");
  if (bytes(topic) > MOST_TOPIC) refuse("the topic", topic, `it has more than ${MOST_TOPIC} bytes`);
}

/** Throws unless one stream can be of all these topics and patterns; $sys needs one that is alone. */
export function checkTopics(topics) {
  if (topics.length === 1 && topics[0] === "$sys") return;
  if (topics.includes("$sys")) refuse("the topic", "$sys", "it cannot be one of several");
  for (const topic of topics) checkTopic(topic, { patterns: true });
  if (new Set(topics).size > MOST_TOPICS) refuse("the topics", topics, `a stream has at most ${MOST_TOPICS}`);
}

/**
 * Throws unless somebody can take part by this name.
 * @param {string} name
 */
export function checkName(name) {
  if (typeof name !== "string" || name === "" || bytes(name) > MOST_NAME || /[\p{Cc}\p{Cs}]/u.test(name))
    refuse("the name", name, `a name has 1 to ${MOST_NAME} bytes of UTF-8 without control characters`);
}

/** Throws unless this can be the subject of an event. */
export function checkSubject(subject) {
  const good = typeof subject === "string" && subject !== "" && bytes(subject) <= MOST_SUBJECT;
  if (!good || /[\p{Cc}\p{Cs}]/u.test(subject))
    refuse("the subject", subject, `a subject has 1 to ${MOST_SUBJECT} bytes of UTF-8 without control characters`);
}

/** Throws unless this can be an Idempotency-Key. */
export function checkKey(key) {
  if (typeof key !== "string" || !/^[!-~][ -~]{0,254}$/.test(key))
    refuse("the key", key, "a key is 1 to 255 characters of printable ASCII, the first no space");
}
