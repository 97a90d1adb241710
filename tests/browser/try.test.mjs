// SPDX-License-Identifier: MIT
// The playground, /try: what comes beside its raw frames, resuming and gaps, and publishing.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { People, Server, hide, launch, live, openPage, overflow, state, streamsOf, tryNow, until } from "./helper.mjs";
import { datas, events, fill, follow, line, openTry, publish, rows, run, shows, stored, text } from "./try.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TINY = { width: 320, height: 640 };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("a newcomer finds /try first, publishes, and sees the event beside its frame", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  for (const at of ["/", "/chat/lobby", "/status"]) {
    await page.goto(server.origin + at);
    assert.equal(await text(page, ".pages a:first-child"), "Playground");
  }
  await page.locator(".pages a").first().click();
  await live(page);
  await until("the stream begins", async () => (await rows(page)).length === 3);
  const [answer, retry, position] = await rows(page);
  assert.match(answer.raw, /^GET \/api\/hello\/event\n(.*\n)*\n200 OK\n(.*\n)*content-type: text\/event-stream/);
  await page.locator(".turn .raw button").click();
  assert.match((await rows(page))[0].raw, /\nx-request-id: [0-9a-f]{16}$/);
  assert.match(retry.raw, /^retry: \d{4}$/);
  assert.match(position.raw, /^id: \S+$/);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await shows(page, ['{"hello":"world"}']);
  const [{ head, id, data, raw }] = await events(page);
  assert.equal(raw, `event: update\ndata: {"hello":"world"}\nid: ${id}`);
  assert.deepEqual([head, data], ["update", '{"hello": "world"}']);
  await until("it is answered", async () => /^201 Created, after \d+ ms$/.test(await text(page, "#result-word")));
  assert.match(await text(page, "#sent"), /^POST \/api\/hello\nhost: \S+\ncontent-type: application\/json\n\n{"hello":"world"}$/);
  assert.match(await text(page, "#answer"), new RegExp(`^201 Created\n(.*\n)*last-event-id: ${id}\nlocation: /api/hello/${id}\n`));
  await until("the topic is offered", async () => (await page.locator("#known-list button").allTextContents()).join() === "hello 1,users 0");
  await until("it is told", async () => (await text(page, "#announce")) === "Event: update");
  assert.deepEqual(page.trouble, []);
});

test("disconnect, publish, resume: what was missed comes, once; from any event; an unknown id is a gap", async (t) => {
  const server = await Server.start(t);
  const page = await openTry(t, browser, server);
  await publish(page, { body: "1" });
  await shows(page, ["1"]);
  await page.getByRole("button", { name: "Disconnect" }).click();
  await until("it is told", async () => (await state(page)) === "Not connected: ");
  await until("the stream is gone", async () => (await streamsOf(server, "hello")) === 0);
  await publish(page, { body: "2" });
  await publish(page, { body: "3" });
  await shows(page, ["1"]);
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await shows(page, ["1", "2", "3"]);
  const [first] = await events(page);
  assert.match((await rows(page)).findLast(({ head }) => head === "Connected").raw, new RegExp(`^last-event-id: ${first.id}$`, "m"));
  await page.locator(".event").first().getByRole("button", { name: `Resume from here, after ${first.id}` }).click();
  await shows(page, ["1", "2", "3", "2", "3"]);
  assert.equal(await page.locator("#value").inputValue(), first.id);
  assert.match(page.url(), new RegExp(`\\?topic=hello&last_event_id=${first.id}$`));
  await follow(page, { value: "elsewhere:7" });
  await page.getByRole("button", { name: "Clear" }).click();
  await page.locator("#connect").click();
  await until("the gap and all that is stored come", async () => (await events(page)).length === 4);
  const [gap] = await events(page);
  assert.deepEqual([gap.head, JSON.parse(gap.data).reason], ["gap", "unknown-log"]);
  assert.match(gap.note, /doesn’t know this id/);
  // What is deleted before one comes back is a gap, too.
  await fetch(`${server.origin}/api/hello/${first.id}`, { method: "DELETE" });
  await follow(page, { value: `${first.id.split(":")[0]}:0` });
  await page.locator("#connect").click();
  await until("the gap tells why", async () => (await rows(page)).some(({ note }) => /they were deleted/.test(note)));
});

test("when the server goes and comes back, it resumes by itself, as EventSource does; Try now does not wait", async (t) => {
  const server = await Server.start(t);
  const page = await openTry(t, browser, server);
  await server.publish("hello", "1", { json: true });
  await shows(page, ["1"]);
  const [{ id }] = await events(page);
  await server.kill();
  await until("it says so", async () => /^Reconnecting: The server cannot be reached/.test(await state(page)));
  await until("one row counts the attempts", async () => {
    await tryNow(page);
    const told = (await rows(page)).filter(({ head }) => /^Server not reached/.test(head));
    return told.length === 1 && /^Server not reached \d+×$/.test(told[0].head);
  });
  await server.restart();
  await server.publish("hello", "2", { json: true });
  await until("it is there", async () => {
    await tryNow(page);
    return (await datas(page)).join() === "1,2";
  });
  await live(page);
  assert.match((await rows(page)).findLast(({ head }) => head === "Connected").raw, new RegExp(`^last-event-id: ${id}$`, "m"));
});

test("the form asks for what it says: starts, patterns, types, presence, envelope, mark; a refusal is shown as it is", async (t) => {
  const server = await Server.start(t);
  for (const [topic, n, event] of [["a/x", 1, "one"], ["a/y", 2, "two"], ["b", 3, "one"], ["a/x", 4, "two"]])
    await server.publish(topic, String(n), { event, json: true });
  const page = await openTry(t, browser, server, "?topic=a/*&since=all");
  await shows(page, ["1", "2", "4"]);
  assert.equal(await page.locator("#topics").inputValue(), "a/*");
  const again = async (form, expected) => {
    await follow(page, form);
    await page.locator("#clear").click();
    await page.locator("#connect").click();
    await shows(page, expected);
  };
  await again({ topics: "a/* b", start: "last", value: "2" }, ["3", "4"]);
  await again({ start: "since", value: "1h", events: "one" }, ["1", "3"]);
  await again({ topics: "b", start: "all", events: "", mark: true }, ["3", `{"id":"${(await stored(server, "a/x"))[1].id}"}`]);
  assert.match((await events(page))[1].note, /^All stored events/);
  await again({ start: "now", as: "Ada's", mark: false }, ['{"name":"Ada\'s","count":1}']);
  assert.match((await rows(page)).find(({ head }) => head === "join").note, /not stored/);
  assert.deepEqual((await (await fetch(`${server.origin}/api/b/presence`)).json()).names, ["Ada's"]);
  await again({ start: "since", value: "2h", as: "Ada's", mark: true }, ["3", `{"id":"${(await stored(server, "a/x"))[1].id}"}`]);
  await page.reload();
  await live(page);
  await until("a reload brings the form back", async () => (await datas(page)).includes("3"));
  assert.deepEqual([...await Promise.all(["topics", "start", "value", "as"].map((id) => page.locator(`#${id}`).inputValue())), await page.locator("#mark").isChecked()],
    ["b", "since", "2h", "Ada's", true]);
  await follow(page, { start: "all", as: "", mark: false, envelope: true });
  await page.locator("#clear").click();
  await page.locator("#connect").click();
  await until("there is an envelope", async () => JSON.parse((await datas(page))[0] ?? "{}").topic === "b");
  await follow(page, { envelope: false, start: "last", value: "1", events: "one" });
  await page.locator("#connect").click();
  await until("the refusal is shown", async () => /^Refused: 400/.test((await rows(page)).at(-1).head));
  assert.match((await rows(page)).at(-1).data, /event/);
  assert.match(await state(page), /^Not connected/);
});

test("topics that exist are offered, also beyond a page of the list; choosing one follows it", async (t) => {
  const server = await Server.start(t);
  const many = Array.from({ length: 1500 }, (_, i) => `{"topic":"t/${String(i).padStart(4, "0")}","data":{"i":${i}}}\n`).join("");
  assert.equal((await fetch(`${server.origin}/api`, { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: many })).status, 201);
  const page = await openTry(t, browser, server);
  await until("some are offered", async () => (await page.locator("#known-list li").count()) === 13);
  assert.match(await text(page, "#known-list li:last-child"), /^and [\d,]+\+ more$/);
  await page.locator("#topics").fill("hello t/149");
  const offered = () => page.locator("#known-topics option").evaluateAll((all) => all.map(({ value }) => value));
  await until("those that go on so are offered", async () =>
    (await offered()).join() === Array.from({ length: 10 }, (_, i) => `hello t/149${i}`).join());
  const chosen = page.locator("#known-list button").first();
  const name = (await chosen.textContent()).split(" ")[0];
  await chosen.click();
  await until("it is followed", async () => (await streamsOf(server, name)) === 1);
  assert.equal(await page.locator("#topic").inputValue(), name);
});

test("publishing: text, a batch, types, a key twice, subjects, ephemeral, and what the server refuses", async (t) => {
  const server = await Server.start(t);
  const page = await openTry(t, browser, server, "?topic=hello&envelope=1");
  await publish(page, { kind: "text", body: "Hello, 🌍\nsecond line", event: "greeting" });
  await publish(page, { kind: "batch", body: '{"n":1}\n{"n":2}\n', event: "" });
  const first = await publish(page, { kind: "json", body: '{"long":12345678901234567890,"cost":1.50}', key: "k-1", subject: "it" });
  const second = await publish(page);
  const id = (answer) => /^last-event-id: (.*)$/m.exec(answer)[1];
  assert.equal(id(first), id(second));
  assert.deepEqual((await stored(server, "hello")).map(({ event, subject, data }) => ({ event, subject, data })), [
    { event: "greeting", subject: undefined, data: "Hello, 🌍\nsecond line" },
    { event: "update", subject: undefined, data: { n: 1 } }, { event: "update", subject: undefined, data: { n: 2 } },
    { event: "update", subject: "it", data: { long: 12345678901234567890, cost: 1.5 } },
  ]);
  await until("the digits are those that came", async () => /"long": 12345678901234567890,\n\s+"cost": 1\.50/.test((await events(page)).at(-1)?.data ?? ""));
  assert.match(await publish(page, { key: "", subject: "", ephemeral: true, body: '{"soon":"gone"}' }), /^202 Accepted/);
  await until("it is there without an id", async () => {
    const last = (await events(page)).at(-1);
    return /soon/.test(last.data) && last.id === "" && /Not stored/.test(last.note);
  });
  assert.match(await publish(page, { ephemeral: false, body: "{" }), /^400 Bad Request\n[^]*\n\n\{.*"detail"/);
  assert.match(await text(page, "#result-word"), /^400/);
  assert.match(await publish(page, { topic: "users", body: '{"firstname":"Ada"}' }), /lastname/);
  await page.locator("#make-key").click();
  assert.match(await page.locator("#key").inputValue(), /^[0-9a-f]{32}$/);
  await page.locator("#key").fill("☃");
  await page.locator("#send").click();
  await until("what cannot be sent is told", async () => /^No answer: /.test(await text(page, "#result-word")));
  assert.deepEqual(page.trouble.filter((line) => !/status of 400/.test(line)), []);
});

// --- who may do what --------------------------------------------------------

test("with access control one logs in; a refusal is shown as it is; the lines take SSE_TOKEN", async (t) => {
  const people = await People.start(t, { anonymous: "read=open", ann: "publish=open,private read=open,private as=Ann" });
  const { server, tokens } = people;
  const page = await openPage(t, browser, `${server.origin}/try?topic=private`);
  await until("the refusal is shown", async () => /^Refused: 401/.test((await rows(page)).at(-1)?.head ?? ""));
  assert.match(await state(page), /^No access/);
  await page.locator("#openLogin").click();
  await page.locator("#token").fill(tokens.ann);
  await page.locator("#token").press("Enter");
  await live(page);
  assert.match(await publish(page), /^201/);
  await shows(page, ['{"hello":"world"}']);
  await until("only what one may read is offered", async () => (await page.locator("#known-list button").allTextContents()).join() === "private 1");
  await follow(page, { start: "all" });
  const env = { SSE_TOKEN: tokens.ann };
  for (const name of ["line-curl", "line-tail"]) await run(await line(page, name), (out) => /hello.*world/.test(out), env);
  for (const name of ["post-curl", "post-post"]) await run(`${await line(page, name)}; echo; echo ended $?`, (out) => /ended 0/.test(out), env);
  assert.equal((await stored(server, "private", tokens.ann)).length, 3);
  assert.ok(await page.locator("#token-note").isVisible());
  await follow(page, { topics: "elsewhere" });
  await page.locator("#connect").click();
  await until("the refusal is shown", async () => /^Refused: 403/.test((await rows(page)).at(-1).head));
  assert.equal(await text(page, "#access-words"), "You may not read all of these topics.");
});

test("who may do nothing gets the log-in, and nothing else", async (t) => {
  const people = await People.start(t, { ann: "publish=** read=** as=Ann" });
  const page = await openPage(t, browser, `${people.server.origin}/try`);
  await until("it is asked for", () => page.locator("#token").isVisible());
  for (const hidden of ["#forms", "#wire", "#lines"]) assert.ok(await page.locator(hidden).isHidden());
  await page.locator("#token").fill(people.tokens.ann);
  await page.locator("#token").press("Enter");
  await live(page);
  assert.ok(await page.locator("#forms").isVisible());
});

// --- for everyone -----------------------------------------------------------

test("the keyboard alone does everything", async (t) => {
  const server = await Server.start(t);
  const page = await openTry(t, browser, server);
  await until("it begins", async () => (await rows(page)).length === 3);
  const tabTo = async (id) => {
    for (let i = 0; i < 80; i += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((id) => document.activeElement.id === id || document.activeElement.closest(id.startsWith(".") ? id : "#never"), id)) return;
    }
    throw new Error(`Tab does not come to ${id}`);
  };
  await tabTo("topics");
  await page.keyboard.type("kbd");
  await page.keyboard.press("Enter");
  await until("it is followed", async () => (await streamsOf(server, "kbd")) === 1);
  await tabTo("body");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("1");
  await page.keyboard.press("Control+Enter");
  await shows(page, ["1"]);
  await tabTo("toggle");
  await page.keyboard.press("Enter");
  await until("it is let go", async () => (await streamsOf(server, "kbd")) === 0);
  await page.keyboard.press("Enter");
  await live(page);
  await tabTo("frames");
  await tabTo(".event .resume");
  await page.keyboard.press("Enter");
  await until("it resumes", async () => (await page.locator("#start").inputValue()) === "after");
  await tabTo(".copy");
});

test("axe-core finds nothing, in light, dark and forced colours; at 320 pixels nothing is cut", async (t) => {
  const server = await Server.start(t);
  await server.publish("a/very/long/topic/that-goes-on-and-on-and-on-and-on-and-on-and-on", { text: "x".repeat(500) });
  for (const options of [{ colorScheme: "light", viewport: TINY }, { colorScheme: "dark", viewport: { width: 1280, height: 800 } }, { forcedColors: "active", viewport: TINY }]) {
    const page = await openTry(t, browser, server, "?topic=**&since=all", options);
    await fill(page, {});
    await publish(page, { topic: "hello" });
    await page.locator("#toggle").click();
    await follow(page, { start: "after", value: "elsewhere:1" });
    await page.locator("#connect").click();
    await until("there is a gap", () => page.locator(".frame.bad").count());
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`));
    assert.deepEqual(found, [], JSON.stringify(options));
    assert.equal(await overflow(page), 0);
    const cut = await page.evaluate(() => [...document.querySelectorAll("main *, header *")]
      .filter((e) => e.checkVisibility() && !e.matches(".unseen-text, option, input, textarea, select, datalist") && e.clientWidth > 0 &&
        e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")
      .map((e) => `${e.tagName} ${e.id} ${e.className} ${e.textContent.slice(0, 40)}`));
    assert.deepEqual(cut, []);
  }
});

test("what is refused leaves nothing behind: the next topic has its connection, and its own types in the lines", async (t) => {
  const server = await Server.start(t);
  await server.publish("stats?event=sample", { n: 1 });
  const page = await openTry(t, browser, server, "?topic=stats&since=all");
  await shows(page, ['{"n":1}']);
  await until("its type is in the line", async () => /sample/.test(await line(page, "line-eventsource")));
  for (const topics of ["*foo", "hello", "a//b", "c//d", "hello"]) {
    await follow(page, { topics });
    await page.locator("#connect").click();
    if (topics === "hello") {
      await live(page);
      continue;
    }
    await until("it is refused", async () => /^Refused: 400/.test((await rows(page)).at(-1).head));
    assert.ok(await page.locator("#toggle").isHidden(), "there is nothing to disconnect");
  }
  assert.doesNotMatch(await line(page, "line-eventsource"), /sample/);
  await publish(page, { topic: "hello", body: '"there"' });
  await until("the event comes", async () => (await rows(page)).some(({ data }) => data === '"there"'));
  assert.ok((await rows(page)).every(({ note }) => !/another tab/.test(note ?? "")));
  assert.ok((await state(page)).startsWith("Live"));
});

test("a stream that brings nothing for too long is made anew, though the server answers", async (t) => {
  const server = await Server.start(t, { args: ["--heartbeat", "1h"] });
  const page = await openTry(t, browser, server);
  await live(page);
  await page.evaluate(async () => Object.assign((await import("./sse.js")).settings, { silence: 1_000 }));
  await page.locator("#connect").click();
  await until("it is made anew", async () => (await rows(page)).filter(({ head }) => head === "Connected").length >= 3);
});

test("at 360 pixels what was published comes into sight, and so does a refusal; there is one Connect", async (t) => {
  const server = await Server.start(t);
  const page = await openTry(t, browser, server, "", { viewport: { width: 360, height: 740 } });
  const inSight = (selector) => page.locator(selector).last().evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  const connects = () => page.getByRole("button", { name: "Connect", exact: true }).count();
  await page.locator("#send").click();
  await until("the event is in sight", () => inSight(".event"));
  await page.locator("#body").fill("{");
  await page.locator("#send").click();
  await until("the refusal is in sight", async () => /^400/.test(await text(page, "#result-word")) && inSight("#result-word"));
  assert.equal(await connects(), 1);
  await page.locator("#toggle").click();
  await until("one can resume", () => page.getByRole("button", { name: "Resume", exact: true }).isVisible());
  assert.equal(await connects(), 1);
  await follow(page, { start: "last", value: "none" });
  await page.locator("#connect").click();
  await until("it is refused", async () => /^Refused: 400/.test((await rows(page)).at(-1).head));
  assert.equal(await connects(), 1);
  await page.getByLabel("Join as", { exact: true }).fill("Ada");
});

test("what comes is text and nothing else; what would steer it is shown as what it is", async (t) => {
  const server = await Server.start(t);
  const page = await openTry(t, browser, server, "?topic=hello&since=all");
  const hostile = '<img src=x onerror="globalThis.ran = 1"> \u202eevil\u0007';
  await server.publish("hello", hostile, { event: "<b>type\u202e" });
  await until("it is there", async () => (await events(page)).length === 1);
  const [{ head, data, raw }] = await events(page);
  assert.equal(head, "<b>type\\u202e");
  assert.equal(data, '<img src=x onerror="globalThis.ran = 1"> \\u202eevil\\u0007');
  assert.match(raw, /\\u202eevil\\u0007/);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  await server.publish("hello", "y".repeat(50_000));
  await until("it is there", async () => (await events(page)).length === 2);
  assert.ok((await events(page))[1].raw.length < 5_000);
  await page.locator(".frame .data button").click();
  await until("all of it is shown", async () => (await events(page))[1].data.length === 50_000);
  assert.deepEqual(page.trouble, []);
});

test("thousands of events leave a bounded page that shows the newest", async (t) => {
  const server = await Server.start(t);
  const page = await openTry(t, browser, server);
  for (let from = 0; from < 6000; from += 2000) {
    const body = Array.from({ length: 2000 }, (_, i) => `${from + i}\n`).join("");
    await fetch(`${server.origin}/api/hello`, { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body });
  }
  await until("the newest is there", async () => (await datas(page)).at(-1) === "5999");
  assert.ok((await rows(page)).length <= 500);
  assert.ok(await page.locator("#dropped").isVisible());
  assert.ok(await page.evaluate(() => {
    const box = document.getElementById("frames");
    return box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  }));
});

test("a tab that is hidden lets its connection go, and resumes when it is seen", async (t) => {
  const server = await Server.start(t);
  const page = await openTry(t, browser, server, "", {});
  await hide(page, true);
  await until("it is let go", async () => (await streamsOf(server, "hello")) === 0);
  await server.publish("hello", "1", { json: true });
  await hide(page, false);
  await shows(page, ["1"]);
});
