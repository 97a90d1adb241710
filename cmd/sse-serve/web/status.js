// SPDX-License-Identifier: MIT
// The status page: plots of the last two minutes, from the server's own topic $sys. All status pages of a browser
// share a connection of it, which cannot be that of other topics; those that nobody sees let go of it.

import { begin, close, heed, noAccess, say } from "./access.js";
import { at, connectionView, number, setText, t, translate, whileSeen } from "./common.js";
import { subscribe, topics as askTopics } from "./sse.js";

const POINTS = 120; // one a second
const LIST_EVERY_MS = 2_000; // where it is short
const LONG_LIST_EVERY_MS = 10_000;
const LONG_LIST = 200;
const MOST_TOPICS = 200;

translate();

const UNITS = ["B", "kB", "MB", "GB", "TB"];
function bytes(value) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${shorten(value / 1000 ** power)}\u00a0${UNITS[power]}`;
}

const shorten = (value) => number(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
const micros = (value) => (value < 1000 ? `${shorten(value)}\u00a0µs` : `${shorten(value / 1000)}\u00a0ms`);

function span(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${Math.floor(seconds) % 60} s` : `${Math.floor(seconds)} s`;
}

// --- plots ------------------------------------------------------------------

/** One figure with its plot. show(value, more): the next point, and words beside it. */
function plot(name) {
  const figure = at("plot").content.firstElementChild.cloneNode(true);
  const [now, beside, svg] = [".plot-now", ".plot-more", "svg"].map((part) => figure.querySelector(part));
  const [area, line] = svg.children;
  const points = [];
  figure.dataset.name = name;
  figure.querySelector(".plot-name").textContent = t(name);
  svg.setAttribute("aria-label", t(name));
  at("plots").append(figure);
  return (value, more) => {
    points.push(value);
    if (points.length > POINTS) points.shift();
    const most = Math.max(1, ...points);
    const place = (point, i) => `${POINTS - points.length + i},${(39 - (37 * point) / most).toFixed(2)}`;
    const path = points.map(place).join("L");
    line.setAttribute("d", `M${path}`);
    area.setAttribute("d", `M${POINTS - points.length},40L${path}L${POINTS - 1},40Z`);
    const high = t("most", shorten(Math.max(...points)));
    setText(now, shorten(value));
    setText(beside, more ?? high);
    svg.setAttribute("aria-label", `${t(name)}: ${shorten(value)}, ${high}`);
  };
}

const plots = Object.fromEntries(["streams", "published", "delivered", "requests"].map((name) => [name, plot(name)]));

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

let before = null; // the event before, for what is counted in all

function show(now) {
  const since = before && before.uptime <= now.uptime ? before : null; // not over a restart
  const seconds = since ? Math.max(0.1, (new Date(now.time) - new Date(since.time)) / 1000) : 1;
  plots.streams(now.streams);
  for (const name of ["published", "delivered", "requests"])
    if (since) plots[name](Math.max(0, now[name] - since[name]) / seconds);

  const { window: memory, database } = now;
  const timing = ({ mean, max }) => `${micros(mean)}, ${t("most", micros(max))}`;
  setText(at("behind"), number(now.behind));
  setText(at("window"), `${bytes(memory.bytes)} ${t("ofCap", bytes(memory.cap))}, ${t("eventsStored", number(memory.events))}`);
  setText(at("database"), bytes(database.bytes) + (database.events == null ? "" : `, ${t("eventsStored", number(database.events))}`));
  setText(at("publish"), timing(now.publish_us));
  setText(at("sync"), timing(now.sync_us));
  setText(at("uptime"), span(now.uptime));
  setText(at("version"), now.version);
  showNodes(now.nodes ?? []);

  const counted = new Map(since?.topics.map(({ topic, published }) => [topic, published]));
  showTopics(now.topics.map(({ topic, streams, published }) => {
    const rate = counted.has(topic) ? Math.max(0, published - counted.get(topic)) / seconds : 0;
    return { topic, streams, rate: shorten(rate), published };
  }));
  before = now;
}

// --- the topics -------------------------------------------------------------

let listed = []; // as the server lists them; none, if it does not tell who looks
let isListing = false;
const askedFor = new Set(); // topics that the figures had when it was asked
let lastList = -Infinity;
const rows = new Map(); // by topic

/** Asks now and then, and when there is a topic that was not there the last time. */
async function listTopics(active) {
  const isNew = active.some(({ topic }) => !askedFor.has(topic));
  const every = listed.length < LONG_LIST ? LIST_EVERY_MS : LONG_LIST_EVERY_MS;
  if (isListing || document.hidden || (!isNew && performance.now() - lastList < every)) return;
  isListing = true;
  if (askedFor.size > 1000) askedFor.clear();
  for (const { topic } of active) askedFor.add(topic);
  listed = (await askTopics().catch(() => ({ topics: [] }))).topics;
  lastList = performance.now();
  isListing = false;
}

function makeRow(topic) {
  const row = document.createElement("tr");
  const link = document.createElement("a");
  link.href = `try?topic=${encodeURIComponent(topic).replaceAll("%2F", "/")}`;
  link.textContent = topic;
  row.insertCell().append(link);
  for (let i = 0; i < 4; i += 1) row.insertCell();
  return row;
}

/** The active ones first, as the figures have them; then those that the server only lists, the newest first. */
function showTopics(active) {
  listTopics(active);
  const stored = new Map(listed.map((one) => [one.topic, one]));
  const names = new Set(active.map(({ topic }) => topic));
  const quiet = listed.filter(({ topic }) => !names.has(topic)).sort((a, b) => (b.time ?? "").localeCompare(a.time ?? ""))
    .map(({ topic, streams }) => ({ topic, streams, rate: shorten(0), published: 0 }));
  const all = [...active, ...quiet].slice(0, MOST_TOPICS);
  const focused = document.activeElement;
  for (const { topic, streams, rate, published } of all) {
    if (!rows.has(topic)) rows.set(topic, makeRow(topic));
    const there = stored.has(topic) ? number(stored.get(topic).events) : "–";
    [number(streams), rate, there, number(published)].forEach((value, i) => setText(rows.get(topic).cells[i + 1], value));
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
