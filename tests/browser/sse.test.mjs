// SPDX-License-Identifier: MIT
// sse.js alone: in node, with tabs, locks and a database that are small fakes, against the real server.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Browser } from "./fakes.mjs";
import { Server, hoard, until } from "./helper.mjs";
import { moduleOf } from "./modules.mjs";

globalThis.crypto ??= (await import("node:crypto")).webcrypto;

async function setUp(t, options, args) {
  const server = await Server.start(t, { args });
  const browser = new Browser(options);
  t.after(() => browser.end());
  return { server, browser };
}

const say = (server, text, topic = "chat/a") => server.publish(topic, { text });

/** What a tab of this gets, as one array: what is listed, then what comes. */
function collector(topics, options) {
  const got = [];
  got.gaps = [];
  got.states = [];
  got.start = (sse) => (got.subscription = sse.subscribe(topics, {
    list: (events, { topic }) => got.splice(0, got.length, ...got.filter((event) => event.topic !== topic), ...events),
    event: (event) => got.push(event),
    gap: (gap) => got.gaps.push(gap),
    state: (state) => got.states.push(state),
  }, options));
  got.texts = () => got.filter(({ id }) => id).map(({ data }) => data.text);
  got.live = () => until("it is live", () => got.states.at(-1)?.word === "live" && got.states.length);
  return got;
}

const numbers = (count, first = 0) => Array.from({ length: count }, (_, i) => first + i);
const has = (got, expected) => until("all has come", () => got.texts().length >= expected.length)
  .then(() => assert.deepEqual(got.texts(), expected));

async function streams(server, topic = "chat/a") {
  return (await (await fetch(`${server.origin}/api/${topic}/presence`)).json()).streams;
}

/** Publishes numbers as fast as the server takes them until it is told to stop; resolves to how many. */
function publisher(server, topic) {
  let going = true;
  let count = 0;
  const done = (async () => {
    while (going) await say(server, count++, topic);
    return count;
  })();
  return { stop: () => ((going = false), done), count: () => count };
}

test("the module that pages import can be read in one go: less than 300 lines", async () => {
  const text = await readFile(new URL("../../cmd/sse-serve/web/sse.js", import.meta.url), "utf8");
  assert.ok(text.split("\n").length < 300);
});

test("topics and names that the server takes are good, and no others", async (t) => {
  const { server, browser } = await setUp(t);
  const { checkName, checkTopic } = (await browser.open(server)).sse;
  const answer = async (query) => {
    const { status, body } = await fetch(`${server.origin}/api/event?${new URLSearchParams(query)}`);
    await body.cancel();
    return status === 200;
  };
  const passes = (check, ...values) => {
    try {
      check(...values);
      return true;
    } catch (error) {
      assert.ok(error instanceof TypeError);
      return false;
    }
  };
  const topics = ["chat/a", "A.z_~-9", "x".repeat(200), "x".repeat(201), "", "/", "a/", "/a", "a//b", ".", "a/..", "event",
    "chat/event/a", "a/presence", "events", "...", "a b", "a\n", "$sys", "a?b", "*", "a/*/b", "a/**", "**/a", "a*", "***",
    "채팅/한국어", "채팅/*", "ä", "한".normalize("NFD"), "a\u0308", "q\u0323", "\u0301a", ".\u0301", "हिन्दी", "น้ำ", "١٢", "a\u202e", "a\u200d",
    "a\ufe0f", "\u3164", "a\uff0eb", "a\u2024b", "\u{1f600}", "\ue000", "한".repeat(66), "한".repeat(67)];
  for (const topic of topics) {
    assert.equal(passes(checkTopic, topic, { patterns: true }), topic === "$sys" ? false : await answer({ topic }), topic);
    assert.equal(passes(checkTopic, topic), !topic.includes("*") && passes(checkTopic, topic, { patterns: true }), topic);
  }
  for (const as of ["Ada", " ", "", "\t", "a\nb", "\x7f", "\x85", "\xa0", "é".repeat(32), `${"é".repeat(32)}x`, "🙂".repeat(16)])
    assert.equal(passes(checkName, as), await answer({ topic: "a", as }), JSON.stringify(as));
  for (const value of [undefined, null, 5, "\ud800"]) assert.ok(!passes(checkName, value) && !passes(checkTopic, value));
});

test("what is stored is listed, and what comes follows; types, times and ids are told", async (t) => {
  const { server, browser } = await setUp(t);
  await say(server, "one");
  const got = collector("chat/a");
  await browser.open(server, got.start);
  await got.live();
  await server.publish("chat/a", "text, not JSON", { event: "note" });
  await until("both are there", () => got.length === 2);
  assert.equal(got[0].data.text, "one");
  assert.deepEqual([got[1].topic, got[1].event, got[1].data], ["chat/a", "note", "text, not JSON"]);
  assert.match(got[1].id, /:/);
  assert.ok(Math.abs(new Date(got[1].time) - Date.now()) < 60_000);
  assert.deepEqual(got.gaps, []);
});

for (const limit of [undefined, 5]) {
  test(`no seam while somebody publishes at full speed, ${limit ? `the newest ${limit}` : "all"} listed`, async (t) => {
    const { server, browser } = await setUp(t);
    const { stop, count } = publisher(server);
    const all = [];
    for (let i = 0; i < 6; i += 1) {
      const got = collector("chat/a", { limit });
      await browser.open(server, got.start);
      const now = count();
      await until("some came", () => got.length > 0 && got.texts().at(-1) > now + 20);
      all.push(got);
    }
    const end = await stop();
    for (const got of all) {
      await until("the last came", () => got.texts().at(-1) === end - 1);
      const first = got.texts()[0];
      assert.deepEqual(got.texts(), numbers(end - first, first), "from the first on each once, in order");
      assert.ok(limit ? true : first === 0);
    }
    await until("one connection", async () => (await streams(server)) === 1);
  });
}

test("a page is told when it has all that was stored, and again after it was behind", async (t) => {
  const { server, browser } = await setUp(t);
  for (const n of numbers(20)) await say(server, n);
  const told = [];
  const [first, second] = [collector("chat/a"), collector("chat/*")];
  for (const got of [first, second]) {
    const { start } = got;
    got.start = (sse) => {
      const subscribe = (topics, handlers, options) =>
        sse.subscribe(topics, { ...handlers, uptodate: () => told.push([got, got.length]) }, options);
      return start({ ...sse, subscribe });
    };
    await browser.open(server, got.start);
    await got.subscription.uptodate;
  }
  assert.deepEqual(told.map(([got, length]) => [got === first, length]).slice(0, 1), [[true, 20]]);
  assert.ok(told.some(([got]) => got === second));
  const before = told.length;
  await server.restart();
  await say(server, 20);
  // The event may come before or after that.
  for (const got of [first, second]) await until("it is told again", () => told.slice(before).some(([whose]) => whose === got));
  await has(first, numbers(21));
  assert.ok(first.states.at(-1).uptodate > 0);
});

test("the page is told when its topics are closed, whenever it comes, and all of them have the last event", async (t) => {
  const { server, browser } = await setUp(t);
  const tabs = [];
  const open = async (topics) => {
    const got = collector(topics, { limit: 100 });
    const closed = [];
    const { sse } = await browser.open(server, (sse) => got.start({
      ...sse,
      subscribe: (names, handlers, options) =>
        sse.subscribe(names, { ...handlers, closed: (topic) => closed.push(topic) }, options),
    }));
    tabs.push(got);
    return { sse, got, closed };
  };
  const first = await open("chat/a");
  const second = await open(["chat/a", "chat/b"]);
  await first.got.live();
  await second.got.live();
  for (const number of numbers(10)) await say(server, number);
  await first.sse.send("chat/a", { text: 10 }, { close: true });
  await first.got.subscription.closed;
  await has(first.got, numbers(11));
  await until("the other tab knows too", () => second.closed.includes("chat/a"));
  await first.sse.send("chat/b", undefined, { close: true });
  await second.got.subscription.closed;
  assert.deepEqual([first.closed, second.closed], [["chat/a"], ["chat/a", "chat/b"]]);
  await until("nobody asks any more", () => tabs.every((got) => got.states.at(-1).word === "closed"));
  await assert.rejects(first.sse.send("chat/a", { text: 11 }), (failure) => failure.status === 409);
  // Who comes later has it all at once; another topic is not closed.
  const third = await open("chat/a");
  await third.got.subscription.closed;
  await third.got.subscription.uptodate;
  await has(third.got, numbers(11));
  const fourth = await open("chat/c");
  await fourth.got.live();
  assert.deepEqual([third.closed, fourth.closed], [["chat/a"], []]);
  await say(server, 0, "chat/c");
  await has(fourth.got, [0]);
});

test("topics are fetched a page at a time, and events from then on follow without a seam", async (t) => {
  const { server, browser } = await setUp(t);
  const { sse } = await browser.open(server);
  for (const topic of ["chat/b", "chat/a", "chat/a/b", "x", "chat/b"]) await say(server, topic, topic);
  const names = ({ topics }) => topics.map(({ topic }) => topic);
  const all = await sse.topics();
  assert.deepEqual(names(all), ["chat/a", "chat/a/b", "chat/b", "users", "x"]);
  assert.equal(all.more, false);
  assert.deepEqual(all.topics[2], { topic: "chat/b", events: 2, id: all.head, time: all.topics[2].time, streams: 0 });
  assert.deepEqual({ ...all.topics[3] }, { topic: "users", events: 0, id: null, time: null, streams: 0 });
  const first = await sse.topics("chat/**", { limit: 2 });
  assert.deepEqual([names(first), first.more], [["chat/a", "chat/a/b"], true]);
  const second = await sse.topics("chat/**", { limit: 2, after: "chat/a/b" });
  assert.deepEqual([names(second), second.more], [["chat/b"], false]);
  assert.deepEqual(names(await sse.topics(["x", "chat/*"])), ["chat/a", "chat/b", "x"]);
  await assert.rejects(sse.topics("a*"), (failure) => failure instanceof sse.Failure && failure.status === 400);
});

test("a tab that asks for more topics does not disturb the others", async (t) => {
  const { server, browser } = await setUp(t);
  const [a, b] = [publisher(server, "chat/a"), publisher(server, "chat/b")];
  const first = collector("chat/a");
  await browser.open(server, first.start);
  await first.live();
  const second = collector(["chat/b", "chat/a"]);
  await browser.open(server, second.start);
  await until("the second has some", () => second.length > 40);
  const pattern = collector("chat/*");
  await browser.open(server, pattern.start);
  await until("the third has some", () => pattern.length > 40);
  const [ends, endsB] = await Promise.all([a.stop(), b.stop()]);
  await has(first, numbers(ends));
  const of = (got, topic) => got.filter((event) => event.topic === topic).map(({ data }) => data.text);
  await until("all has come", () => of(second, "chat/a").length >= ends && of(second, "chat/b").length >= endsB);
  assert.deepEqual(of(second, "chat/a"), numbers(ends));
  assert.deepEqual(of(second, "chat/b"), numbers(endsB));
  for (const topic of ["chat/a", "chat/b"]) {
    const texts = of(pattern, topic);
    assert.deepEqual(texts, numbers(texts.length, texts[0]));
  }
  await until("one connection", async () => (await streams(server)) === 1);
});

test("the leading tab closes again and again: one connection, and every tab gets each once", async (t) => {
  const { server, browser } = await setUp(t);
  const all = [];
  for (let i = 0; i < 8; i += 1) {
    const got = collector("chat/a");
    got.tab = await browser.open(server, got.start);
    all.push(got);
  }
  await Promise.all(all.map((got) => got.live()));
  await until("one connection", async () => (await streams(server)) === 1);
  const { stop, count } = publisher(server);
  for (let i = 0; i < 6; i += 1) {
    const now = count();
    await until("some more came", () => all.at(-1).texts().at(-1) > now + 10);
    browser.close(all.shift().tab);
  }
  const end = await stop();
  for (const got of all) await has(got, numbers(end));
  assert.deepEqual(all.map(({ gaps }) => gaps), [[], []]);
  await until("one connection is left", async () => (await streams(server)) === 1);
});

test("what a leading tab said last and the next one reads again is taken once", async (t) => {
  const { server, browser } = await setUp(t);
  const got = collector("chat/a");
  await browser.open(server, got.start);
  await got.live();
  await say(server, 0);
  await has(got, [0]);
  const prev = got.at(-1).id;
  const id = prev.replace(/\d+$/, (position) => Number(position) + 1);
  const other = new BroadcastChannel(`sse.js ${server.origin}/`);
  t.after(() => other.close());
  other.postMessage({ type: "events", events: [{ ...got.at(-1), data: { text: 1 }, id, prev }] });
  await has(got, [0, 1]);
  for (const n of [1, 2, 3]) await say(server, n);
  await has(got, [0, 1, 2, 3]);
});

test("the leading tab is frozen, and thawed: another leads, and it catches up", async (t) => {
  const { server, browser } = await setUp(t);
  const [one, two] = [collector("chat/a"), collector("chat/a")];
  const tab = await browser.open(server, one.start);
  await one.live();
  await browser.open(server, two.start);
  await two.live();
  await say(server, 0);
  await has(two, [0]);
  browser.fire(tab, "freeze");
  for (const n of numbers(50, 1)) await say(server, n);
  await has(two, numbers(51));
  assert.equal(one.length, 1, "frozen");
  browser.fire(tab, "resume");
  await has(one, numbers(51));
  await say(server, 51);
  await Promise.all([has(one, numbers(52)), has(two, numbers(52))]);
  await until("one connection is left", async () => (await streams(server)) === 1);
});

test("a tab that goes while it lists asks no more, and lists when it comes back", async (t) => {
  const { server, browser } = await setUp(t);
  await say(server, 0);
  let asked = 0;
  const cut = async () => {
    asked += 1;
    throw new TypeError("cut");
  };
  browser.answer = cut;
  const got = collector("chat/a");
  const tab = await browser.open(server, got.start, { first: 1, most: 2 });
  await until("it has asked again", () => asked > 3);
  browser.fire(tab, "freeze");
  const before = asked;
  await new Promise((resume) => setTimeout(resume, 100)); // 50 tries, if it went on
  assert.ok(asked <= before + 1, "it asks no more");
  browser.answer = (real, ...request) => real(...request);
  browser.fire(tab, "resume");
  await has(got, [0]);
  await got.live();
  await say(server, 1);
  await has(got, [0, 1]);
});

test("a leading tab that hangs loses its place to one that is seen", async (t) => {
  const { server, browser } = await setUp(t);
  navigator.locks.request(`sse.js ${server.origin}/`, () => new Promise(() => {})).catch(() => {});
  const got = collector("chat/a");
  await browser.open(server, got.start, { watch: 50 });
  await got.live();
  await say(server, 0);
  await has(got, [0]);
});

test("what is lost between the tabs is noticed, and fetched", async (t) => {
  const { server, browser } = await setUp(t);
  const [one, two] = [collector("chat/a"), collector("chat/a")];
  await browser.open(server, one.start);
  await one.live();
  const real = BroadcastChannel;
  let lose = 0;
  globalThis.BroadcastChannel = class extends real {
    set onmessage(action) {
      super.onmessage = (message) => (message.data.type === "events" && lose-- > 0 ? undefined : action(message));
    }
  };
  await browser.open(server, two.start);
  globalThis.BroadcastChannel = real;
  await two.live();
  await say(server, 0);
  await has(two, [0]);
  lose = 3;
  for (const n of [1, 2, 3, 4, 5]) {
    await say(server, n);
    await has(one, numbers(n + 1));
  }
  await has(two, numbers(6));
  assert.deepEqual(two.gaps, []);
  await until("it follows the leading tab again", async () => (await streams(server)) === 1);
});

for (const [what, settings, end] of [
  ["silence ends it", { silence: 100 }, () => {}],
  ["the network is back", {}, (browser, tab) => browser.fire(tab, "online")],
]) {
  test(`a tab that fetches what it missed by a stream that goes silent: it tries again when ${what}`, async (t) => {
    const { server, browser } = await setUp(t);
    const [one, two] = [collector("chat/a"), collector("chat/a")];
    await browser.open(server, one.start);
    await one.live();
    const tab = await browser.open(server, two.start, settings);
    await two.live();
    await say(server, 0);
    await has(two, [0]);
    let stalled = 0;
    browser.answer = async (real, url, options) => {
      if (!`${url}`.includes("last_event_id") || stalled++ > 0) return real(url, options);
      const still = new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode(": still\n")) });
      return breakable(new Response(still, { headers: { "Content-Type": "text/event-stream" } }), options.signal);
    };
    const id = two.at(-1).id.replace(/\d+$/, (position) => Number(position) + 1);
    const other = new BroadcastChannel(`sse.js ${server.origin}/`);
    t.after(() => other.close());
    other.postMessage({ type: "have", topics: ["chat/a"], last: id, state: { word: "live", since: Date.now() } });
    await until("it fetches", () => stalled > 0);
    await say(server, 1);
    await new Promise((resume) => setTimeout(resume, 50));
    end(browser, tab);
    await has(two, [0, 1]);
  });
}

test("the server is killed while it streams: nothing is lost or doubled, and the state says so", async (t) => {
  const { server, browser } = await setUp(t);
  const all = [collector("chat/a"), collector("chat/a")];
  for (const got of all) await browser.open(server, got.start);
  await Promise.all(all.map((got) => got.live()));
  let sent = 0;
  for (let round = 0; round < 4; round += 1) {
    for (let i = 0; i < 10; i += 1) await say(server, sent++);
    await server.kill();
    await until("it waits", () => all.every((got) => got.states.at(-1).word === "waiting"));
    await server.restart();
  }
  for (const got of all) {
    await has(got, numbers(sent));
    const codes = new Set(got.states.filter(({ word }) => word === "waiting").map(({ code }) => code));
    assert.ok(codes.has("unreachable") || codes.has("lost"), [...codes].join());
    assert.ok(got.states.find(({ word }) => word === "waiting").due > 0);
  }
});

test("an error status, which ends an EventSource for good, is waited out; its reason is told", async (t) => {
  const { server, browser } = await setUp(t);
  let refusing = true;
  browser.answer = (real, url, options) => (refusing && `${url}`.includes("/event")
    ? new Response(JSON.stringify({ title: "Busy", detail: "come back" }), { status: 503, headers: { "Content-Type": "application/problem+json" } })
    : real(url, options));
  const got = collector("chat/a");
  await browser.open(server, got.start);
  await until("it was tried again and again", () => got.states.at(-1)?.tries >= 3);
  const { word, code, status, detail, title } = got.states.at(-1);
  assert.deepEqual({ word, code, status, detail, title }, { word: "waiting", code: "refused", status: 503, detail: "come back", title: "Busy" });
  await say(server, 0);
  refusing = false;
  await got.live();
  await has(got, [0]);
});

test("what the server would refuse is an error at once, and takes the stream from nobody", async (t) => {
  const { server, browser } = await setUp(t);
  const [one, two] = [collector("chat/a"), collector("chat/b")];
  await browser.open(server, one.start);
  const { sse } = await browser.open(server, two.start);
  await Promise.all([one.live(), two.live()]);
  const many = numbers(64).map((n) => `many/${n}`);
  for (const topics of ["chat/event", ["chat/c", "a b"], many, ""]) assert.throws(() => sse.subscribe(topics, {}), TypeError);
  for (const topics of [["$sys", "chat/a"], [...many, "a"]]) assert.throws(() => sse.subscribe(topics, {}, { share: false }), TypeError);
  assert.throws(() => sse.subscribe("chat/c", {}, { as: "A\tB" }), TypeError);
  assert.throws(() => two.subscription.rename("x".repeat(65)), TypeError);
  two.subscription.rename("Bob");
  sse.subscribe(many.slice(1), {});
  await say(server, 0);
  await say(server, 0, "chat/b");
  await Promise.all([has(one, [0]), has(two, [0])]);
  assert.ok([...one.states, ...two.states].every(({ word }) => word !== "waiting"));
});

test("tabs that want more topics together than a stream can have: the last waits until another is closed", async (t) => {
  const { server, browser } = await setUp(t);
  const all = ["a", "b", "c"].map((name) => collector(numbers(30).map((n) => `${name}/${n}`)));
  for (const got of all) {
    got.tab = await browser.open(server, got.start);
    if (got !== all[2]) await got.live();
  }
  await until("the last is told why", () => all[2].states.at(-1)?.word === "waiting");
  assert.match(all[2].states.at(-1).detail, /more than 64 topics/);
  for (const name of ["a", "b", "c"]) await say(server, 0, `${name}/0`);
  await Promise.all([has(all[0], [0]), has(all[1], [0])]);
  browser.close(all[0].tab);
  await all[2].live();
  await has(all[2], [0]);
  await say(server, 1, "c/0");
  await say(server, 1, "b/0");
  await Promise.all([has(all[1], [0, 1]), has(all[2], [0, 1])]);
});

test("a name for which the server has no room is left out, and the events come", async (t) => {
  const { server, browser } = await setUp(t, {}, ["--max-names", "1"]);
  const { body } = await fetch(`${server.origin}/api/chat/a/event?as=Ada`);
  t.after(() => body.cancel());
  const got = collector("chat/a", { as: "Bob" });
  await browser.open(server, got.start);
  await got.live();
  await say(server, 0);
  await has(got, [0]);
});

test("waiting ends at once when the network is back, and by retry()", async (t) => {
  const { server, browser } = await setUp(t);
  let cut = true;
  let tries = 0;
  browser.answer = (real, url, options) => (cut ? (tries++, Promise.reject(new TypeError("cut"))) : real(url, options));
  navigator.onLine = false;
  const got = collector("chat/a");
  const tab = await browser.open(server, got.start, { first: 1e6, most: 1e6 });
  await until("it waits", () => got.states.at(-1)?.code === "offline");
  got.subscription.retry();
  await until("it tried again", () => tries >= 2);
  cut = false;
  navigator.onLine = true;
  browser.fire(tab, "online");
  await got.live();
});

test("a stream that is silent for too long is given up; heartbeats keep one", async (t) => {
  const { server, browser } = await setUp(t);
  let opened = 0;
  const still = () => new Response(new ReadableStream({
    start: (body) => body.enqueue(new TextEncoder().encode("id: a:0\n\n")),
  }), { headers: { "Content-Type": "text/event-stream" } });
  browser.answer = (real, url, options) => {
    if (!`${url}`.includes("/event")) return real(url, options);
    opened += 1;
    const answer = still();
    options.signal.addEventListener("abort", () => answer.body.cancel?.().catch(() => {}));
    return opened < 3 ? breakable(answer, options.signal) : real(url, options);
  };
  const got = collector("chat/a");
  await browser.open(server, got.start, { silence: 100 });
  await until("the third is a good one", () => opened >= 3);
  await say(server, 0);
  await has(got, [0]);
});

/** The answer with a body that fails when the signal says so, as fetch has it. */
function breakable(answer, signal) {
  const { readable, writable } = new TransformStream();
  answer.body.pipeTo(writable, { signal }).catch(() => {});
  return new Response(readable, { headers: answer.headers });
}

for (const [what, settings, end] of [
  ["is tried again after a while", { answer: 100 }, () => {}],
  ["is tried again when the network is back", { answer: 1e6 }, (browser, tab) => browser.fire(tab, "online")],
]) {
  test(`a list that stops in the middle ${what}`, async (t) => {
    const { server, browser } = await setUp(t);
    let stalled = 0;
    browser.answer = async (real, url, options) => {
      const answer = await real(url, options);
      if (!`${url}`.includes("envelope") || stalled++ > 0) return answer;
      await answer.text();
      return new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode("[")) }), { headers: answer.headers });
    };
    await say(server, 0);
    const got = collector("chat/a");
    const tab = await browser.open(server, got.start, settings);
    await until("it waits for more", () => stalled > 0);
    await new Promise((resume) => setTimeout(resume, 50));
    end(browser, tab);
    await has(got, [0]);
  });
}

test("a stream that comes byte by byte is the same", async (t) => {
  const { server, browser } = await setUp(t);
  browser.answer = async (real, url, options) => {
    const answer = await real(url, options);
    if (!`${url}`.includes("/event")) return answer;
    const bytes = new TransformStream({ transform: (chunk, out) => chunk.forEach((byte) => out.enqueue(Uint8Array.of(byte))) });
    return new Response(answer.body.pipeThrough(bytes), { headers: answer.headers });
  };
  const got = collector("chat/a");
  await browser.open(server, got.start);
  await got.live();
  const texts = ["plain", "héllo 👩‍👩‍👧‍👦 안녕", "line\nline\n\nline", ": colon", " space "];
  for (const text of texts) await say(server, text);
  await server.publish("chat/a", '{"text":\n\n  "over lines"}', { json: true });
  await has(got, [...texts, "over lines"]);
});

test("another database: the gap is told once, and the list is what is there now", async (t) => {
  const { server, browser } = await setUp(t);
  const all = [collector("chat/a", { limit: 3 }), collector("chat/a", { limit: 3 })];
  for (const got of all) await browser.open(server, got.start);
  await Promise.all(all.map((got) => got.live()));
  for (const n of numbers(5)) await say(server, n);
  await Promise.all(all.map((got) => has(got, numbers(5))));
  await server.kill();
  await server.restart({ db: "another.db" });
  for (const n of numbers(9, 100)) await say(server, n);
  for (const got of all) {
    await until("the new list is shown", () => got.texts()[0] >= 100 && got.texts().at(-1) === 108);
    const first = got.texts()[0];
    assert.deepEqual(got.texts(), numbers(109 - first, first));
    assert.deepEqual(got.gaps.map(({ reason }) => reason), ["unknown-log"]);
  }
});

// --- the outbox -------------------------------------------------------------

const listed = async (server) => (await (await fetch(`${server.origin}/api/chat/a`)).json()).map(({ text }) => text);

test("what is posted offline is sent once, in order, also after a reload", async (t) => {
  const { server, browser } = await setUp(t);
  let cut = true;
  browser.answer = (real, url, options) => (cut ? Promise.reject(new TypeError("cut")) : real(url, options));
  const tab = await browser.open(server, (sse) => sse.watch(() => {}));
  for (const text of [0, 1, 2]) await tab.sse.post("chat/a", { text });
  browser.close(tab);
  const seen = [];
  const again = await browser.open(server, (sse) => sse.watch((entry) => seen.push(entry)));
  await until("what waits is shown again", () => seen.length === 3);
  assert.deepEqual(seen.map(({ state, data }) => [state, data.text]), [["pending", 0], ["pending", 1], ["pending", 2]]);
  await again.sse.post("chat/a", { text: 3 });
  cut = false;
  browser.fire(again, "online");
  await until("all are sent", () => seen.filter(({ state }) => state === "sent").length === 4);
  assert.deepEqual(await listed(server), [0, 1, 2, 3]);
  assert.ok(seen.filter(({ state }) => state === "sent").every(({ id }) => id.includes(":")));
});

test("an answer that gets lost does not make two of it", async (t) => {
  const { server, browser } = await setUp(t);
  let lose = 3;
  browser.answer = async (real, url, options) => {
    const answer = await real(url, options);
    if (options?.method === "POST" && lose-- > 0) throw new TypeError("the answer is lost");
    return answer;
  };
  const seen = [];
  const tab = await browser.open(server, (sse) => sse.watch(({ state }) => seen.push(state)));
  await tab.sse.post("chat/a", { text: 0 });
  await tab.sse.post("chat/a", { text: 1 });
  await until("both are sent", () => seen.filter((state) => state === "sent").length === 2);
  assert.deepEqual(await listed(server), [0, 1]);
});

test("all tabs post at once, the leading one is closed: each once, in the order of each tab", async (t) => {
  const { server, browser } = await setUp(t);
  const tabs = [];
  for (let i = 0; i < 4; i += 1) tabs.push(await browser.open(server, (sse) => sse.watch(() => {})));
  const posts = tabs.map(async ({ sse }, tab) => {
    for (let i = 0; i < 10; i += 1) await sse.post("chat/a", { text: `${tab}-${i}` });
  });
  await until("some are there", async () => (await listed(server)).length > 5);
  await Promise.all(posts);
  browser.close(tabs[0]);
  await until("all are there", async () => (await listed(server)).length >= 40);
  const texts = await listed(server);
  assert.equal(texts.length, 40);
  for (const tab of [0, 1, 2, 3])
    assert.deepEqual(texts.filter((text) => text.startsWith(`${tab}-`)), numbers(10).map((i) => `${tab}-${i}`));
});

test("an answer that is not the server's, as of a network that wants a login first, is not taken for one", async (t) => {
  const { server, browser } = await setUp(t);
  let portal = true;
  const pages = [{ status: 200 }, { status: 201 }, { status: 202 }];
  browser.answer = (real, url, options) => (portal && options?.method === "POST"
    ? new Response("<p>Log in", { ...pages[0], headers: { "Content-Type": "text/html" } })
    : real(url, options));
  const seen = [];
  const tab = await browser.open(server, (sse) => sse.watch(({ state }) => seen.push(state)));
  await tab.sse.post("chat/a", { text: 0 });
  for (; pages.length > 0; pages.shift())
    await assert.rejects(tab.sse.send("chat/a", { text: 1 }), { code: "type", detail: "text/html" });
  pages.push({ status: 201 });
  await assert.rejects(tab.sse.send("chat/a", { text: 1 }, { ephemeral: true }), { code: "type" });
  assert.deepEqual(seen, ["pending"]);
  portal = false;
  await until("it is sent", () => seen.includes("sent"));
  assert.deepEqual(await listed(server), [0]);
});

test("what the server refuses does not hold up the rest; it can be retried or thrown away", async (t) => {
  const { server, browser } = await setUp(t);
  const seen = [];
  const tab = await browser.open(server, (sse) => sse.watch((entry) => seen.push(entry)));
  const { post, retry, discard } = tab.sse;
  const key = await post("users", { firstname: "Ada" });
  await post("chat/a", { text: 0 });
  const last = (key) => seen.filter((entry) => entry.key === key).at(-1);
  await until("one is refused", () => last(key).state === "failed");
  assert.match(last(key).failed.detail, /lastname/);
  assert.equal(last(key).failed.code, "refused");
  await until("the other is there", async () => (await listed(server)).length === 1);
  const failures = () => seen.filter((entry) => entry.key === key && entry.state === "failed").length;
  await retry(key);
  await until("it is refused again", () => failures() === 2);
  await discard(key);
  assert.equal(last(key).state, "gone");
});

test("what can never be sent is refused at once; what was kept all the same does not hold up the rest", async (t) => {
  const { server, browser } = await setUp(t);
  const store = indexedDB.open("sse.js").result.transaction().objectStore();
  for (const [key, data] of [["a\nb", { text: 0 }], ["ключ", { text: 0 }], ["big", { text: 0n }]]) store.put({ key, topic: "chat/a", data, at: 0 });
  const seen = [];
  const { sse } = await browser.open(server, (sse) => sse.watch((entry) => seen.push(entry)));
  const circle = {};
  circle.circle = circle;
  for (const data of [circle, { n: 1n }, undefined]) await assert.rejects(sse.post("chat/a", data));
  for (const key of ["", " ", "a\nb", "ключ", "x".repeat(256), 5]) await assert.rejects(sse.post("chat/a", "text", { key }), TypeError);
  await assert.rejects(sse.post("chat/event", "text"), TypeError);
  await sse.post("chat/a", { text: new Date(0), not: () => {} }, { key: "~".repeat(255) });
  await until("it is sent", () => seen.some(({ state }) => state === "sent"));
  assert.deepEqual(await listed(server), ["1970-01-01T00:00:00.000Z"]);
  const failed = seen.filter(({ state }) => state === "failed");
  assert.deepEqual(failed.map(({ key }) => key), ["a\nb", "ключ", "big"]);
  assert.ok(failed.every(({ failed }) => failed.code === "broken" && failed.detail.startsWith("TypeError")));
});

for (const told of [true, false]) {
  test(`the database is cleared while a page is open, ${told ? "which is told" : "untold"}: it goes on with a new one`, async (t) => {
    const { server, browser } = await setUp(t);
    const tab = await browser.open(server, (sse) => sse.watch(() => {}));
    await tab.sse.post("chat/a", { text: 0 });
    await until("it is there", async () => (await listed(server)).length === 1);
    indexedDB.clear({ told });
    await tab.sse.post("chat/a", { text: 1 });
    await until("both are there", async () => (await listed(server)).length === 2);
  });
}

test("what is for another server waits in a database of its own", async (t) => {
  const { server, browser } = await setUp(t);
  let cut = true;
  const real = browser.answer;
  browser.answer = (fetch, url, options) => (cut && `${url}`.includes("/other/") ? Promise.reject(new TypeError("cut")) : real(fetch, url, options));
  const seen = [];
  const other = await browser.open(server, (sse) => sse.watch(() => {}), { base: `${server.origin}/other/` });
  await other.sse.post("chat/a", { text: "elsewhere" });
  const { sse } = await browser.open(server, (sse) => sse.watch((entry) => seen.push(entry)));
  await sse.post("chat/a", { text: "here" });
  await until("it is sent", () => seen.some(({ state }) => state === "sent"));
  assert.deepEqual(await listed(server), ["here"]);
  assert.ok(seen.every(({ data }) => data.text === "here"));
  cut = false;
});

test("without a database what is posted lasts as long as the page, and is sent all the same", async (t) => {
  const { server, browser } = await setUp(t, { database: false });
  await browser.open(server, (sse) => sse.watch(() => {}));
  const tab = await browser.open(server, (sse) => sse.watch(() => {}));
  await tab.sse.post("chat/a", { text: 0 });
  await tab.sse.post("chat/a", { text: 1 });
  await until("both are there", async () => (await listed(server)).length === 2);
  assert.deepEqual(await listed(server), [0, 1]);
});

test("without a secure context each tab has a connection of its own, and makes good keys", async (t) => {
  const { server, browser } = await setUp(t, { secure: false });
  const all = [collector("chat/a"), collector("chat/a")];
  for (const got of all) await browser.open(server, got.start);
  await Promise.all(all.map((got) => got.live()));
  assert.equal(browser.tabs[0].sse.shared, false);
  await until("two connections", async () => (await streams(server)) === 2);
  const keys = numbers(100).map(() => browser.tabs[0].sse.newKey());
  assert.equal(new Set(keys).size, 100);
  assert.ok(keys.every((key) => /^[0-9a-f]{32}$/.test(key)));
  await browser.tabs[1].sse.post("chat/a", { text: 0 });
  await Promise.all(all.map((got) => has(got, [0])));
});

test("an event has the subject that it was sent with, by post and send, and no data clears it", async (t) => {
  const { server, browser } = await setUp(t);
  const got = collector("hosts/**");
  const { history, post, send } = (await browser.open(server, got.start)).sse;
  await got.live();
  await post("hosts/a", { up: true }, { subject: "wéb 1&2" });
  await until("it is stored", async () => (await history("hosts/a")).events.length === 1);
  await send("hosts/a", "", { subject: "wéb 1&2", event: "state" });
  await send("hosts/a", "none");
  const expected = [["update", "wéb 1&2", { up: true }], ["state", "wéb 1&2", ""], ["update", undefined, "none"]];
  const seen = (events) => events.map(({ event, subject, data }) => [event, subject, data]);
  assert.deepEqual(seen((await history("hosts/a")).events), expected);
  await until("all have come", () => got.length === 3);
  assert.deepEqual(seen(got), expected);
  for (const subject of ["", "a\n", "\u0085", "\ud800", "x".repeat(201), "é".repeat(101), 7, null])
    await assert.rejects(post("hosts/a", "x", { subject }), TypeError);
  await send("hosts/a", "x", { subject: "é".repeat(100) });
});

// --- presence and what is not stored ----------------------------------------

test("names come and go; what is ephemeral reaches all tabs and is not stored", async (t) => {
  const { server, browser } = await setUp(t, {}, ["--presence-grace", "1h"]);
  const [one, two] = [collector("chat/a", { as: "Ada" }), collector("chat/a")];
  const tab = await browser.open(server, one.start);
  await browser.open(server, two.start);
  await Promise.all([one.live(), two.live()]);
  const { presence, send } = tab.sse;
  await until("Ada is here", async () => (await presence("chat/a")).names.join() === "Ada");
  one.subscription.rename("Grace");
  await until("Grace is here, and Ada is not", async () => (await presence("chat/a")).names.join() === "Grace");
  assert.equal(await send("chat/a", { name: "Grace" }, { event: "typing", ephemeral: true }), undefined);
  for (const got of [one, two]) await until("it is told", () => got.some(({ event, id }) => event === "typing" && !id));
  assert.deepEqual(await listed(server), []);
});

for (const what of ["whole", "body"]) {
  test(`behind a proxy that holds streams back (${what}) each event comes once, through a killed server too`, async (t) => {
    const { server, browser } = await setUp(t);
    const behind = { origin: await hoard(t, server, what) };
    for (const n of numbers(3)) await say(server, n);
    let told = 0;
    const [got, pattern] = [collector("chat/a"), collector("chat/*")];
    const { start } = got;
    got.start = (sse) => start({
      ...sse, subscribe: (topics, handlers) => sse.subscribe(topics, { ...handlers, uptodate: () => (told += 1) }),
    });
    const settings = { held: 500, answer: 4_000, silence: 6_000 };
    await browser.open(behind, got.start, settings);
    await has(got, numbers(3));
    await until("it reads", async () => (await streams(server)) > 0);
    for (const n of numbers(3, 3)) await say(server, n);
    await has(got, numbers(6));
    await got.subscription.uptodate;
    await browser.open(behind, pattern.start, settings);
    await pattern.live();
    await until("it is told of new ones", async () => {
      await say(server, "new");
      return pattern.texts().includes("new");
    });
    await server.restart();
    await say(server, "last");
    await until("the last came", () => got.texts().includes("last") && pattern.texts().includes("last"));
    const all = (await (await fetch(`${server.origin}/api/chat/a?envelope=1`)).json()).map(({ id }) => id);
    assert.deepEqual(got.map(({ id }) => id), all);
    assert.equal(new Set(pattern.map(({ id }) => id)).size, pattern.length);
    assert.deepEqual([got.gaps, pattern.gaps], [[], []]);
    assert.ok(told > 0);
  });
}

// --- does the server answer -------------------------------------------------

test("a server is asked for another tab just before this one would ask: that it does not answer is seen all the same", async () => {
  const { Pulse } = await import(moduleOf("sse-pulse.js"));
  let answer;
  let overdue = 0;
  const answers = () => new Promise((resolve) => (answer = () => resolve("late")));
  const pulse = new Pulse({ settings: { overdue: 50 }, answers, overdue: () => (overdue += 1), changed: () => {} });
  pulse.watch(true);
  const looked = pulse.look();
  await until("this one would ask, too", () => overdue > 0);
  answer();
  await looked;
  assert.equal(pulse.state.word, "silent");
  pulse.hear();
  assert.equal(pulse.state.word, "live");
  pulse.watch(false);
});
