// SPDX-License-Identifier: MIT
// sse.js with `latest`: the present value of each subject, in node, with the fakes of sse.test.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser } from "./fakes.mjs";
import { Server, until } from "./helper.mjs";

globalThis.crypto ??= (await import("node:crypto")).webcrypto;

const value = (server, subject, text, topic = "hosts/a") =>
  fetch(`${server.origin}/api/${topic}?subject=${subject}`, { method: "POST", body: text, headers: { "Content-Type": "text/plain" } })
    .then(({ status }) => assert.equal(status, 201));

/** As a dashboard keeps them. */
function dashboard(topics) {
  const board = { values: {}, gaps: [], events: 0, uptodate: 0 };
  const keep = ({ subject, data }) => {
    board.events += 1;
    if (data === "") delete board.values[subject];
    else board.values[subject] = data;
  };
  const gap = (what) => {
    board.gaps.push(what);
    board.values = {};
  };
  board.start = (sse) => (board.subscription = sse.subscribe(topics, {
    event: keep, gap, state: (state) => (board.state = state), uptodate: () => (board.uptodate += 1),
  }, { latest: true }));
  return board;
}

async function setUp(t, args) {
  const server = await Server.start(t, { args });
  const browser = new Browser();
  t.after(() => browser.end());
  return { server, browser };
}

test("present values come before uptodate, then what changes; a server that was killed costs nothing", async (t) => {
  const { server, browser } = await setUp(t, ["--retain-topic", "hosts/**=latest"]);
  for (const n of [1, 2, 3]) await value(server, "web1", `${n}`);
  await value(server, "db", "up");
  await value(server, "gone", "soon");
  await value(server, "gone", "");
  const board = dashboard("hosts/**");
  const tab = await browser.open(server, board.start);
  await board.subscription.uptodate;
  assert.deepEqual([board.values, board.events], [{ web1: "3", db: "up" }, 2]);
  await value(server, "db", "");
  await until("it is live", () => Object.keys(board.values).length === 1);
  await server.kill();
  await server.restart();
  for (const n of [4, 5, 6]) await value(server, "web1", `${n}`);
  await value(server, "web2", "up", "hosts/b");
  await until("all has come", () => board.values.web2 && board.values.web1 === "6");
  assert.deepEqual([board.values, board.gaps], [{ web1: "6", web2: "up" }, []]);
  // The list of them, and what cannot be.
  const { events, head } = await tab.sse.history("hosts/a", { latest: true });
  assert.deepEqual(events.map(({ subject, data }) => [subject, data]), [["web1", "6"]]);
  assert.match(head, /:/);
  assert.throws(() => tab.sse.subscribe("hosts/a", { list: () => {} }, { latest: true }), TypeError);
});

test("after another log, and after what expired, all values come again", async (t) => {
  const { server, browser } = await setUp(t, ["--retain-topic", "hosts/**=latest,2"]);
  await value(server, "a", "1");
  await value(server, "b", "1");
  const board = dashboard("hosts/a");
  await browser.open(server, board.start);
  await board.subscription.uptodate;
  await server.kill();
  await server.restart({ db: "another.db" });
  for (const subject of ["c", "d", "e"]) await value(server, subject, "2");
  await until("its values are there", () => board.values.e);
  assert.equal(board.gaps[0].reason, "unknown-log");
  assert.deepEqual(Object.keys(board.values).filter((subject) => subject < "c"), []);
});
