// SPDX-License-Identifier: MIT
// sse.js where the server asks for a proof: tokens, log-ins, what is denied and goes on. In node, with fakes,
// against the real server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser } from "./fakes.mjs";
import { People, Server, bearer, until } from "./helper.mjs";

globalThis.crypto ??= (await import("node:crypto")).webcrypto;

const NOTHING = (sse) => sse.watch(() => {}); // takes part, as a tab does

const ANN = 'publish=chat/** read=chat/** as="Ann B."';
const BOB = "publish=chat/** read=chat/** as=Bob";

async function setUp(t, lines = { ann: ANN, bob: BOB }) {
  const people = await People.start(t, lines);
  const browser = new Browser();
  t.after(() => browser.end());
  return { people, server: people.server, browser };
}

/** What a tab follows: what is listed, then what comes. */
function collector(topics, options) {
  const got = { texts: [], states: [], lists: 0 };
  got.start = (sse) => (got.subscription = sse.subscribe(topics, {
    list(events) {
      got.lists += 1;
      got.texts = events.map(({ data }) => data.text);
    },
    event: ({ id, data }) => id && got.texts.push(data.text),
    state: (state) => got.states.push(state),
  }, options));
  got.is = (word) => until(`it is ${word}`, () => got.states.at(-1)?.word === word);
  got.has = (texts) => until("all has come", () => got.texts.length >= texts.length)
    .then(() => assert.deepEqual(got.texts, texts));
  return got;
}

/** Cookies, as a browser keeps them for pages of the server; counts what is asked. */
function jar(browser) {
  const kept = { cookie: "", asked: [] };
  browser.answer = async (real, url, options = {}) => {
    const headers = new Headers(options.headers);
    const { pathname, port } = new URL(url);
    if (port !== "1") kept.asked.push(`${options.method ?? "GET"} ${pathname}`);
    if (kept.cookie) headers.set("Cookie", kept.cookie);
    headers.set("Sec-Fetch-Site", "same-origin");
    const answer = await real(url, { ...options, headers });
    const cookie = answer.headers.get("Set-Cookie"); // one at most
    if (cookie) kept.cookie = /Max-Age=0/.test(cookie) ? "" : cookie.split(";")[0];
    return answer;
  };
  return kept;
}

const say = (people, text, topic = "chat/a") => people.server.publish(topic, { text }, { token: people.tokens.bob });

test("what one may is what the server says it is", async (t) => {
  const patterns = ["a", "a/b", "*", "*/b", "a/*", "*/*", "**", "a/**", "*/**", "a/*/c"];
  const { people, server, browser } = await setUp(t, {});
  const { covers, may } = (await browser.open(server, NOTHING)).sse;
  for (const pattern of patterns) {
    await people.change({ ann: `read=${pattern}` });
    for (const topic of [...patterns, "a/b/c", "x", "x/b"]) {
      const answer = await fetch(`${server.origin}/api/event?topic=${topic}`, { headers: bearer(people.tokens.ann) });
      await answer.body.cancel();
      assert.equal(covers(pattern, topic), answer.status === 200, `${pattern} covers ${topic}`);
    }
  }
  assert.ok(may({ access: false }, "read", "a"));
  assert.ok(may({ access: true, read: ["b", "a/*"], publish: [] }, "read", "a/b"));
  assert.ok(!may({ access: true, read: ["b", "a/*"], publish: [] }, "publish", "a/b"));
});

test("a token goes with every request, and with none that was given one by the page", async (t) => {
  const { people, server, browser } = await setUp(t);
  const got = collector("chat/a", { as: "Ann B." });
  const { sse } = await browser.open(server, NOTHING, { token: people.tokens.ann });
  got.start(sse);
  await got.is("live");
  await sse.post("chat/a", { name: "Ann B.", text: "one" });
  await got.has(["one"]);
  assert.equal((await sse.history("chat/a")).events.length, 1);
  assert.deepEqual((await sse.presence("chat/a")).names, ["Ann B."]);
  assert.equal((await sse.session()).as, "Ann B.");
  const other = await sse.ask("api/session", { headers: bearer(people.tokens.bob) });
  assert.equal((await other.json()).as, "Bob");
});

test("a token that ends: a function is asked for another, and the stream goes on without a gap", async (t) => {
  const { people, server, browser } = await setUp(t);
  const refusals = [];
  const got = collector("chat/a");
  const token = async (failure) => {
    if (failure) refusals.push(failure.status);
    return refusals.length > 0 ? people.tokens.bob : people.tokens.ann;
  };
  await browser.open(server, got.start, { token });
  await got.is("live");
  await say(people, "one");
  await got.has(["one"]);
  await people.change({ bob: BOB });
  await until("the token was refused", () => refusals.length > 0);
  await say(people, "two");
  await got.has(["one", "two"]);
  assert.equal(got.lists, 1, "it went on, and did not begin again");
  assert.deepEqual([...new Set(refusals)], [401]);
  assert.ok(got.states.some(({ code, detail }) => code === "ended" && /withdrawn/.test(detail)), "the reason is told");
  assert.ok(!got.states.some(({ word }) => word === "denied"));
});

test("who is denied asks no more; a log-in in any tab goes on in all, without a gap", async (t) => {
  const { people, server, browser } = await setUp(t);
  const kept = jar(browser);
  const all = [collector("chat/a"), collector("chat/a")];
  const tabs = [];
  for (const got of all) tabs.push((await browser.open(server, got.start)).sse);
  for (const got of all) await got.is("denied");
  assert.equal(all[0].states.at(-1).status, 401);
  await assert.rejects(tabs[1].login("sse_wrong"), { status: 401 });
  await assert.rejects(tabs[1].login("no header ☃"), { status: 401 });
  assert.equal((await tabs[1].login(people.tokens.ann)).as, "Ann B.");
  for (const got of all) await got.is("live");
  await say(people, "one");
  for (const got of all) await got.has(["one"]);

  await people.change({ bob: BOB });
  for (const got of all) await got.is("denied");
  kept.asked.length = 0;
  await say(people, "two");
  for (const tab of browser.tabs) browser.fire(tab, "visibilitychange"); // nor when it is looked at
  const lost = collector("chat/a");
  await browser.open({ origin: "http://127.0.0.1:1" }, lost.start);
  await until("a tab of a server that is away has tried ten times", () => lost.states.at(-1)?.tries > 10);
  assert.deepEqual(kept.asked, ["POST /api/chat/a"], "nothing is tried by itself");
  // Let its list arrive.
  const withJar = browser.answer;
  browser.answer = (real, url, options) => (new URL(url).port === "1"
    ? Response.json([], { headers: { "Last-Event-ID": "a:1" } }) : withJar(real, url, options));
  await until("its list has come", () => lost.lists === 1);
  await people.change({ ann: ANN, bob: BOB });
  await tabs[0].login(people.tokens.ann);
  for (const got of all) await got.has(["one", "two"]);
  assert.deepEqual(all.map(({ lists }) => lists), [1, 1], "they went on, and did not begin again");

  const told = [];
  tabs[1].watchSession(({ name }, by) => told.push(`${by}: ${name}`));
  await until("it is known", () => told.length === 1);
  await tabs[0].logout();
  for (const got of all) await got.is("denied");
  assert.deepEqual(told, ["server: ann", "logout: null"]);
  assert.equal(kept.cookie, "");
});

test("a session that ends with a server: who may still read goes on as nobody", async (t) => {
  const lines = { anonymous: "read=chat/**", ann: ANN, bob: BOB };
  const { people, server, browser } = await setUp(t, lines);
  const kept = jar(browser);
  const got = collector("chat/a");
  const names = [];
  const { sse } = await browser.open(server, NOTHING);
  await sse.login(people.tokens.ann);
  got.start(sse);
  await got.is("live");
  sse.watchSession(({ name }) => names.push(name));
  await server.restart();
  await got.is("denied");
  kept.cookie = "sse-session=sse_of-the-server-before";
  await sse.session();
  await got.is("live");
  assert.deepEqual(names, ["ann", null]);
});

test("what is to be sent: 401 lets it wait for a log-in, 403 is refused for good, and says why", async (t) => {
  const { people, server, browser } = await setUp(t, { ann: ANN, bob: BOB, eve: "publish=other" });
  jar(browser);
  const entries = [];
  const { sse } = await browser.open(server, (sse) => sse.watch(({ key, state, failed }) => entries.push([key, state, failed])));
  await sse.post("chat/a", { name: "Ann B.", text: "one" }, { key: "k1" });
  await sse.post("chat/a", { name: "Ann B.", text: "two" }, { key: "k2" });
  const states = (key) => entries.filter(([which]) => which === key).map(([, state]) => state);
  const other = await browser.open(server, NOTHING);
  await other.sse.login(people.tokens.ann);
  await until("they are sent", () => states("k2").at(-1) === "sent");
  assert.deepEqual([...states("k1"), ...states("k2")], ["pending", "sent", "pending", "sent"], "and never failed");
  await sse.login(people.tokens.eve);
  await sse.post("chat/a", { text: "three" }, { key: "k3" });
  await until("it is refused", () => states("k3").at(-1) === "failed");
  const [, , failed] = entries.at(-1);
  assert.equal(failed.status, 403);
  assert.match(failed.detail, /eve may not publish to the topic chat\/a/);
});

test("what is not yet sent waits, unseen, for the person who wrote it, and is thrown away when another comes", async (t) => {
  const { people, server, browser } = await setUp(t);
  jar(browser);
  const got = collector("chat/a");
  const { sse } = await browser.open(server, NOTHING);
  await sse.login(people.tokens.ann);
  got.start(sse);
  await got.is("live");
  const withJar = browser.answer;
  const cut = (real, url, options) => (options?.method === "POST" && /chat/.test(url)
    ? Promise.reject(new TypeError("cut")) : withJar(real, url, options));
  const write = async (text) => {
    browser.answer = cut;
    await sse.post("chat/a", { name: "Ann B.", text });
    await sse.logout();
    browser.answer = withJar;
  };
  const seen = async () => {
    const entries = [];
    sse.watch((entry) => entries.push(entry.data.text))();
    await sse.session();
    return entries;
  };
  await write("one");
  assert.deepEqual(await seen(), [], "nobody sees it");
  await sse.login(people.tokens.ann);
  await got.has(["one"]);
  await write("two");
  await sse.login(people.tokens.bob);
  assert.deepEqual(await seen(), [], "nor does Bob");
  await sse.post("chat/a", { name: "Bob", text: "three" });
  await got.has(["one", "three"]);
  await sse.login(people.tokens.ann);
  await sse.post("chat/a", { name: "Ann B.", text: "four" });
  await got.has(["one", "three", "four"]);
});

test("a server without access control, also an older one, knows everybody", async (t) => {
  const server = await Server.start(t);
  const browser = new Browser();
  t.after(() => browser.end());
  const { sse } = await browser.open(server, NOTHING);
  assert.deepEqual(await sse.session(), { access: false });
  browser.answer = (real, url, options) => (/session/.test(url) ? Response.json({}, { status: 404 }) : real(url, options));
  assert.deepEqual(await sse.session(), { access: false });
});
