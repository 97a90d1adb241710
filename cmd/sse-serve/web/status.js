// SPDX-License-Identifier: MIT
// The status page: plots of the last two minutes, from the server's own topic $sys. It takes a connection
// of its own, since $sys cannot be one of several topics.

import { begin, close, heed, noAccess, say } from "./access.js";
import { at, connectionView, number, setText, t, translate } from "./common.js";
import { subscribe } from "./sse.js";

const POINTS = 120; // one a second

translate();

const UNITS = ["B", "kB", "MB", "GB", "TB"];
function bytes(value) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${shorten(value / 1000 ** power)} ${UNITS[power]}`;
}

const shorten = (value) => number(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
const micros = (value) => (value < 1000 ? `${shorten(value)} µs` : `${shorten(value / 1000)} ms`);

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
  const rows = now.topics.map(({ topic, streams, published }) => {
    const rate = counted.has(topic) ? Math.max(0, published - counted.get(topic)) / seconds : 0;
    const row = document.createElement("tr");
    for (const value of [topic, number(streams), shorten(rate), number(published)]) row.insertCell().textContent = value;
    return row;
  });
  at("topics").replaceChildren(...rows);
  at("no-topics").hidden = rows.length > 0;
  before = now;
}

let figures = null; // the subscription
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
}, { share: false });

const access = begin(({ access: guarded, status }) => {
  const sees = !guarded || status;
  at("figures").hidden = !sees;
  if (sees) say("");
  else close(t("statusClosed"));
  if (sees) figures ??= follow();
  else if (!figures) showState(noAccess());
}, { state: showState, home: () => at("title") });
