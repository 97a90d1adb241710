// SPDX-License-Identifier: MIT
// What sse-serve takes, for sse.js: what it would refuse is an error where a page says it, since the tabs of
// a browser share one stream, and the refusal of one wish would take it from all.

export const MOST_TOPICS = 64; // of a stream
const MOST_TOPIC = 200, MOST_NAME = 64; // bytes

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

/** Throws unless this is a topic, or a pattern where these are allowed. */
export function checkTopic(topic, { patterns = false } = {}) {
  const parts = typeof topic === "string" ? topic.split("/") : [""];
  const good = (part, i) => (patterns && (part === "*" || (part === "**" && i === parts.length - 1))) ||
    (/^[A-Za-z0-9._~-]+$/.test(part) && !/^(\.|\.\.|event|presence)$/.test(part));
  if (!parts.every(good))
    refuse("the topic", topic, "its parts are of A-Z a-z 0-9 . _ ~ -, joined by /, and none is . .. event or presence");
  if (topic.length > MOST_TOPIC) refuse("the topic", topic, `it has more than ${MOST_TOPIC} bytes`);
}

/** Throws unless one stream can be of all these topics and patterns; $sys needs one that is alone. */
export function checkTopics(topics, { alone = false } = {}) {
  if (alone && topics.length === 1 && topics[0] === "$sys") return;
  if (topics.includes("$sys")) refuse("the topic", "$sys", "it needs a connection of its own, share: false");
  for (const topic of topics) checkTopic(topic, { patterns: true });
  if (new Set(topics).size > MOST_TOPICS) refuse("the topics", topics, `a stream has at most ${MOST_TOPICS}`);
}

/** Throws unless somebody can take part by this name. */
export function checkName(name) {
  if (typeof name !== "string" || name === "" || bytes(name) > MOST_NAME || /[\p{Cc}\p{Cs}]/u.test(name))
    refuse("the name", name, `a name has 1 to ${MOST_NAME} bytes of UTF-8 without control characters`);
}

/** Throws unless this can be an Idempotency-Key. */
export function checkKey(key) {
  if (typeof key !== "string" || !/^[!-~][ -~]{0,254}$/.test(key))
    refuse("the key", key, "a key is 1 to 255 characters of printable ASCII, the first no space");
}
