// SPDX-License-Identifier: MIT
// The status page: plots of the last ten minutes, from the server's own topic $sys. All status pages of a browser
// share a connection of it, which cannot be that of other topics; those that nobody sees let go of it.

import { begin, close, heed, noAccess, say } from "./access.js";
import { at, clock, connectionView, number, setText, t, translate, whileSeen } from "./common.js";
import { ask, subscribe, topics as askTopics } from "./sse.js";
import { History } from "./status-history.js";
import { Plot } from "./status-plot.js";

const LIST_EVERY_MS = 2_000; // where it is short
const LONG_LIST_EVERY_MS = 10_000;
const LONG_LIST = 200;
const MOST_TOPICS = 200;
const RATE_MS = 5_000; // that a topic's rate is of

translate();

const UNITS = ["B", "kB", "MB", "GB", "TB"];
function bytes(value) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${shorten(value / 1000 ** power)}\u00a0${UNITS[power]}`;
}

const shorten = (value) => number(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
const rate = (value) => t("each", shorten(value));
const eventsOf = (count) => (count === 1 ? t("eventStored") : t("eventsStored", number(count)));
const micros = (value) => (value < 1000 ? `${shorten(value)}\u00a0µs` : `${shorten(value / 1000)}\u00a0ms`);
const timing = ({ count, mean, max }) => (count > 0 ? t("timing", micros(mean), micros(max)) : "–");

function span(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return t("days", days, hours);
  if (hours > 0) return t("hours", hours, minutes);
  return minutes > 0 ? t("minutes", minutes, Math.floor(seconds) % 60) : t("seconds", Math.floor(seconds));
}

/** The nodes of a cluster, this one first; nothing if it is alone. */
function showNodes(nodes) {
  const rows = nodes.map(({ node, version, uptime, streams, behind }, i) => {
    const row = document.createElement("tr");
    for (const value of [i === 0 ? t("thisNode", node) : node, number(streams), number(behind), span(uptime), version])
      row.insertCell().textContent = value;
    return row;
  });
  at("nodes").replaceChildren(...rows);
  at("nodes-section").hidden = rows.length < 2;
}

// --- what comes -------------------------------------------------------------

const history = new History();
const plots = [
  new Plot({ name: "openStreams", say: number, least: 2 }),
  ...["published", "delivered", "requests"].map((name) => new Plot({ name, say: rate, least: 1 })),
];
const FIGURES = ["streams", "published", "delivered", "requests"]; // of the plots

function draw() {
  plots.forEach((plot, i) => plot.show(history.points(FIGURES[i]), history.newest.at));
  setText(at("publish"), timing(history.times("publish_us")));
  setText(at("sync"), timing(history.times("sync_us")));
}

/** What the server kept of before the page came, or while it was away. */
async function fetchHistory() {
  const samples = await ask("api/$sys").then((answer) => answer.json()).catch(() => []);
  history.fill(samples);
  draw();
}

let recent = []; // the newest events, for the rates of topics: { at, uptime, published }

/** What each topic was sent a second, of late. */
function ratesOf({ time, uptime, topics }) {
  const now = { at: Date.parse(time), uptime, published: new Map(topics.map(({ topic, published }) => [topic, published])) };
  recent = [...recent.filter((one) => one.uptime <= uptime && now.at - one.at <= RATE_MS + 500), now];
  return (topic) => {
    const since = recent.find(({ published }) => published.has(topic));
    const more = now.published.get(topic) - since.published.get(topic);
    return more > 0 ? (1000 * more) / (now.at - since.at) : 0;
  };
}

let cameAt = null; // the newest event

/** Those of a server that does not renew them are set off, with their time. */
function showAge(old) {
  at("figures").classList.toggle("old", old);
  setText(at("as-of"), old ? t("asOf", clock(cameAt)) : "");
}

function show(now) {
  cameAt = new Date();
  showAge(false);
  if (history.add(now)) fetchHistory();
  draw();
  const { window: memory, database } = now;
  setText(at("behind"), number(now.behind));
  setText(at("window"), `${t("ofCap", bytes(memory.bytes), bytes(memory.cap))}, ${eventsOf(memory.events)}`);
  setText(at("database"), bytes(database.bytes) + (database.events == null ? "" : `, ${eventsOf(database.events)}`));
  setText(at("uptime"), span(now.uptime));
  setText(at("version"), now.version);
  showNodes(now.nodes ?? []);
  const rateOf = ratesOf(now);
  const active = now.topics.map((one) => ({ ...one, rate: rateOf(one.topic) }));
  listTopics(active, [now.published, now.streams, database.events, memory.events].join());
  showTopics(active);
}

// --- the topics -------------------------------------------------------------

let listed = []; // as the server lists them; none, if it does not tell who looks
let counted = new Map(); // by topic, how many were published when they were listed: both columns are of one time
let isListing = false;
const askedFor = new Set(); // topics that the figures had when it was asked
let lastList = -Infinity;
let listedAt = ""; // what the figures were then
const rows = new Map(); // by topic

/** Asks where something happened since, at most now and then, or when there is a topic that was not there the last time. */
async function listTopics(active, figures) {
  const isNew = active.some(({ topic }) => !askedFor.has(topic));
  const every = listed.length < LONG_LIST ? LIST_EVERY_MS : LONG_LIST_EVERY_MS;
  const isDue = figures !== listedAt && performance.now() - lastList >= every;
  if (isListing || document.hidden || !(isNew || isDue)) return;
  isListing = true;
  if (askedFor.size > 1000) askedFor.clear();
  for (const { topic } of active) askedFor.add(topic);
  listedAt = figures;
  listed = (await askTopics().catch(() => ({ topics: [] }))).topics;
  counted = new Map(listed.length > 0 ? active.map(({ topic, published }) => [topic, published]) : []);
  lastList = performance.now();
  isListing = false;
  showTopics(active);
}

function makeRow(topic) {
  const row = document.createElement("tr");
  const link = document.createElement("a");
  link.href = `try?topic=${encodeURIComponent(topic).replaceAll("%2F", "/")}`;
  link.append(...topic.split("/").flatMap((part, i) => (i > 0 ? ["/", document.createElement("wbr"), part] : [part])));
  row.insertCell().append(link);
  for (let i = 0; i < 4; i += 1) row.insertCell();
  return row;
}

/** The active ones first, as the figures have them; then those that the server only lists, the newest first. */
function showTopics(active) {
  const stored = new Map(listed.map((one) => [one.topic, one]));
  const names = new Set(active.map(({ topic }) => topic));
  const quiet = listed.filter(({ topic }) => !names.has(topic)).sort((a, b) => (b.time ?? "").localeCompare(a.time ?? ""))
    .map(({ topic, streams }) => ({ topic, streams, rate: 0, published: 0 }));
  const all = [...active, ...quiet].slice(0, MOST_TOPICS);
  const focused = document.activeElement;
  for (const { topic, streams, rate, published } of all) {
    if (!rows.has(topic)) rows.set(topic, makeRow(topic));
    const there = stored.has(topic) ? number(stored.get(topic).events) : "";
    const count = (value, say) => (value > 0 ? say(value) : "–");
    [number(streams), count(rate, shorten), there, count(counted.get(topic) ?? published, number)].forEach((value, i) => setText(rows.get(topic).cells[i + 1], value));
  }
  const wanted = all.map(({ topic }) => rows.get(topic));
  const table = at("topics");
  if (wanted.length !== table.rows.length || wanted.some((row, i) => row !== table.rows[i])) {
    table.replaceChildren(...wanted);
    if (table.contains(focused)) focused.focus({ preventScroll: true });
    for (const topic of rows.keys()) if (!rows.get(topic).isConnected) rows.delete(topic);
  }
  at("no-topics").hidden = wanted.length > 0;
}

let figures = null; // the subscription, while the page is seen
const showState = connectionView("statusLive", () => (figures ?? access).retry(), () => at("title"));

const follow = () => subscribe("$sys", {
  event({ event, data }) {
    if (event === "stats") show(data);
  },
  state(state) {
    at("hidden-note").hidden = state.word === "denied" || state.status !== 403;
    showState(state);
    if (state.word !== "live" && cameAt) showAge(true);
    heed(state);
  },
});

let mayFollow = false;
const access = begin(({ access: guarded, status }) => {
  const sees = !guarded || status;
  at("figures").hidden = !sees;
  if (sees) say("");
  else close(t("statusClosed"));
  mayFollow = sees;
  if (sees) figures ??= follow();
  else if (!figures) showState(noAccess());
}, { state: showState, home: () => at("title") });

whileSeen(() => {
  figures?.close();
  figures = null;
}, () => {
  if (mayFollow) figures ??= follow();
});
