// SPDX-License-Identifier: MIT
// The chat page in Chromium against the real server: what two people see, with cut cables, killed servers
// and hostile neighbours.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PROGRAM, Server, enter, hide, launch, live, openPage, openProfile, openTab, overflow, reads, said, say, state, streamsOf, until, tryNow } from "./helper.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const room = (server, name = "lobby") => `${server.origin}/chat/${name}`;

async function two(t, server, url = room(server)) {
  const ada = await openPage(t, browser, url);
  const bob = await openPage(t, browser, url);
  await enter(ada, "Ada");
  await enter(bob, "Bob");
  return [ada, bob];
}

const here = (page) => page.locator("#names li").allTextContents();
const stored = async (server, topic = "chat/lobby") => (await fetch(`${server.origin}/api/${topic}`)).json();
const both = (pages, expected) => Promise.all(pages.map((page) => reads(page, expected)));

test("two people chat: each message once, in order, with author and time; who is here and who is typing", async (t) => {
  const server = await Server.start(t);
  const [ada, bob] = await two(t, server);
  await until("both are here", async () => (await here(bob)).join() === "Ada,Bob (you)");
  await say(ada, "Hello");
  await both([ada, bob], ["Ada: Hello"]);
  await bob.locator("#text").pressSequentially("Hi");
  await until("Ada sees that Bob is typing", async () =>
    /Bob.* is typing/.test(await ada.locator("#typing").textContent()));
  await bob.locator("#text").press("Enter");
  await both([ada, bob], ["Ada: Hello", "Bob: Hi"]);
  await until("he is not any more", async () => (await ada.locator("#typing").textContent()) === "");
  for (let i = 0; i < 5; i += 1) {
    await say(ada, `a${i}`);
    await say(bob, `b${i}`);
  }
  const settled = async (page) => (await said(page)).filter((line) => !/^(pending|sent)/.test(line)).length;
  for (const page of [ada, bob]) await until("all are there", async () => (await settled(page)) === 12);
  assert.deepEqual(await said(ada), await said(bob));
  for (const who of ["Ada: a", "Bob: b"])
    assert.deepEqual((await said(ada)).filter((line) => line.startsWith(who)), [0, 1, 2, 3, 4].map((i) => who + i));
  assert.equal(await ada.locator(".day").textContent(), "Today");
  assert.match(await ada.locator(".message time").first().getAttribute("datetime"), /^\d{4}-.*Z$/);
  assert.match(await ada.locator(".message time").first().textContent(), /^\d\d:\d\d$/);
  await bob.close();
  assert.deepEqual([...ada.trouble, ...bob.trouble], []);
});

test("a message is shown at once as pending, then as sent, then as what it is, once", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server));
  await enter(page, "Ada");
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/api/chat/lobby", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });
  await say(page, "Hello");
  await reads(page, ["pending Ada: Hello"]);
  assert.match(await page.locator("[data-state=pending] .mark").textContent(), /sending/);
  assert.equal(await page.locator("#text").inputValue(), "");
  release();
  await reads(page, ["Ada: Hello"]);

  // No stream, but POSTs arrive: it is shown as sent until the stream is back.
  await page.route("**/event?*", (route) => route.abort());
  await server.restart();
  await until("it reconnects", async () => /^Reconnecting/.test(await state(page)));
  await say(page, "Still there?");
  await tryNow(page);
  await reads(page, ["Ada: Hello", "sent Ada: Still there?"]);
  await page.unroute("**/event?*");
  await tryNow(page);
  await reads(page, ["Ada: Hello", "Ada: Still there?"]);
});

test("the server is killed and comes back amid typing: each message once, in order, on both", async (t) => {
  const server = await Server.start(t);
  const pages = await two(t, server);
  const written = [0, 0];
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 4; i += 1)
      for (const [who, page] of pages.entries()) await say(page, `${who}-${written[who]++}`);
    await server.kill();
    for (const [who, page] of pages.entries()) {
      await say(page, `${who}-${written[who]++}`);
      await page.locator("#text").pressSequentially("half a sen");
    }
    await server.restart();
    for (const page of pages) {
      await tryNow(page);
      assert.equal(await page.locator("#text").inputValue(), "half a sen", "what is being typed stays");
    }
  }
  const count = written[0] + written[1];
  for (const page of pages)
    await until("all are there", async () => (await said(page)).filter((line) => !/^(pending|sent)/.test(line)).length === count);
  const lines = await said(pages[0]);
  assert.deepEqual(await said(pages[1]), lines);
  assert.deepEqual((await stored(server)).map(({ name, text }) => `${name}: ${text}`), lines);
  for (const [who, name] of ["Ada", "Bob"].entries())
    assert.deepEqual(lines.filter((line) => line.startsWith(name)), Array.from({ length: written[who] }, (_, i) => `${name}: ${who}-${i}`));
});

test("the cable is pulled: what is typed offline is delivered once, in order, when it is back", async (t) => {
  const server = await Server.start(t);
  const [ada, bob] = await two(t, server);
  await ada.context().setOffline(true);
  for (const text of ["one", "two", "three"]) await say(ada, text);
  await reads(ada, ["pending Ada: one", "pending Ada: two", "pending Ada: three"]);
  await say(bob, "Where is Ada?");
  await reads(bob, ["Bob: Where is Ada?"]);
  await ada.context().setOffline(false);
  await both([ada, bob], ["Bob: Where is Ada?", "Ada: one", "Ada: two", "Ada: three"]);
});

test("what could not be sent is still there after a reload, and is sent once, also if an answer was lost", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server));
  await enter(page, "Ada");
  let lost = 0;
  await page.route("**/api/chat/lobby", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    await route.fetch().catch(() => {}); // it arrives; the answer does not
    lost += 1;
    return route.abort().catch(() => {}); // the page may have gone on without it
  });
  await say(page, "one");
  await say(page, "two");
  await until("the answer was lost more than once", () => lost >= 2);
  await page.reload();
  await live(page);
  await until("it is shown, as what it is or as what waits", async () =>
    (await said(page)).some((line) => /one/.test(line)) && (await said(page)).some((line) => /two/.test(line)));
  await page.unroute("**/api/chat/lobby");
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await reads(page, ["Ada: one", "Ada: two"]);
  assert.deepEqual((await stored(server)).map(({ text }) => text), ["one", "two"]);
});

test("a message that is refused says why; it can be sent again, or deleted", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server));
  await enter(page, "Ada");
  let refusing = true;
  await page.route("**/api/chat/lobby", (route) => (refusing && route.request().method() === "POST"
    ? route.fulfill({ status: 400, contentType: "application/problem+json", body: JSON.stringify({ detail: "not today" }) })
    : route.continue()));
  await say(page, "one");
  await say(page, "two");
  await reads(page, ["failed Ada: one", "failed Ada: two"]);
  assert.match(await page.locator("[data-state=failed] .mark").first().textContent(), /Not sent: The server answered 400: Not today\./);
  refusing = false;
  await page.locator("[data-state=failed]").first().getByRole("button", { name: "Delete" }).click();
  await reads(page, ["failed Ada: two"]);
  await page.getByRole("button", { name: "Try again" }).click();
  await reads(page, ["Ada: two"]);
});

test("one's own message can be deleted: it is gone on all pages, for good; others' cannot", async (t) => {
  const server = await Server.start(t);
  const [ada, bob] = await two(t, server);
  await say(ada, "first");
  await both([ada, bob], ["Ada: first"]);
  await say(ada, "too much");
  await both([ada, bob], ["Ada: first", "Ada: too much"]);
  await say(bob, "last");
  await both([ada, bob], ["Ada: first", "Ada: too much", "Bob: last"]);
  assert.equal(await ada.locator(".delete").count(), 2);
  assert.equal(await bob.locator(".delete").count(), 1);
  // It asks once more; who goes elsewhere has not answered.
  await ada.getByRole("button", { name: "Delete: too much" }).click();
  await ada.getByRole("button", { name: "Delete for everyone? too much" }).waitFor();
  await ada.locator("#text").click();
  await ada.getByRole("button", { name: "Delete: too much" }).waitFor({ state: "attached" });
  assert.equal((await stored(server)).length, 3);
  // By the keyboard alone: Tab leads to the last one, the arrows to the others.
  const label = () => ada.evaluate(() => document.activeElement.getAttribute("aria-label"));
  await ada.keyboard.press("Shift+Tab");
  assert.equal(await label(), "Delete: too much");
  await ada.keyboard.press("ArrowUp");
  assert.equal(await label(), "Delete: first");
  await ada.keyboard.press("ArrowDown");
  await ada.keyboard.press("Enter");
  assert.equal(await label(), "Delete for everyone? too much");
  await ada.keyboard.press("Enter");
  await both([ada, bob], ["Ada: first", "Bob: last"]);
  await until("the focus is where one writes", () => ada.evaluate(() => document.activeElement.id === "text"));
  assert.deepEqual((await stored(server)).map(({ text }) => text), ["first", "last"]);
  // All at once, from elsewhere.
  await fetch(`${server.origin}/api/chat/lobby`, { method: "DELETE" });
  await both([ada, bob], []);
  await say(bob, "anew");
  await both([ada, bob], ["Bob: anew"]);
});

test("hostile messages are text: markup, script links, bidi, a megabyte, emoji", async (t) => {
  const server = await Server.start(t);
  const texts = [
    '<img src=x onerror="alert(1)"><script>alert(2)</script>',
    "javascript:alert(3) data:text/html,<script>alert(4)</script>",
    "https://example.com/?q=<b>&x=\"onclick='alert(5)'",
    "https://good.example@evil.example/ http://user:pw@evil.example/",
    "\u202Eevil\u202C \u2066STAYS",
    "https://example.com/\u202Egnp.exe",
    "👩‍👩‍👧‍👦🏳️‍🌈🇰🇷 e\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
    "אבג https://example.com/אבג שלום",
    "__proto__",
    "see (https://example.com/a_(b)), or https://example.com/x.",
  ];
  for (const [i, text] of texts.entries()) await server.publish("chat/lobby", { name: i % 2 ? "<b>Eve</b>" : "\u202EevE", text });
  await server.publish("chat/lobby", "a line of text, by nobody");
  await server.publish("chat/lobby", { not: "a message" });
  await server.publish("chat/lobby", { name: { toString: 1 }, text: "odd name" });
  await server.publish("chat/lobby", { name: "x".repeat(5000), text: "long name" });
  const page = await openPage(t, browser, room(server), { viewport: { width: 360, height: 740 } });
  await enter(page, "Ada");
  await until("all are there", async () => (await said(page)).length === texts.length + 4);
  const lines = await said(page);
  for (const [i, text] of texts.entries()) assert.ok(lines[i].endsWith(`: ${text}`), lines[i]);
  assert.ok(lines.includes("someone: a line of text, by nobody"));
  assert.ok(lines.includes('someone: {"not":"a message"}'));
  const links = await page.locator(".text a").evaluateAll((all) => all.map((link) => [link.href, link.textContent, link.rel, link.target]));
  assert.ok(links.every(([href, , rel]) => /^https:\/\/example\.com\//.test(href) && /noopener/.test(rel) && /noreferrer/.test(rel)), JSON.stringify(links));
  assert.deepEqual(links.map(([, text]) => text), ["https://example.com/?q=", "https://example.com/", "https://example.com/אבג", "https://example.com/a_(b)", "https://example.com/x"]);
  assert.equal(await page.locator(".text").locator("img, script, b").count(), 0);
  assert.deepEqual(await page.evaluate(() => [...new Set([...document.querySelectorAll(".who bdi, .text")].map((e) => getComputedStyle(e).unicodeBidi))]), ["isolate"]);
  assert.equal(await overflow(page), 0);

  const big = `${"W".repeat(1_000_000)} the end`;
  const began = Date.now();
  await server.publish("chat/lobby", { name: "Eve", text: big });
  await server.publish("chat/lobby", { name: "Eve", text: "\n".repeat(3000) + "far below" });
  await until("they are shown in short", async () => (await page.locator(".text button").count()) === 2);
  t.diagnostic(`a megabyte takes ${Date.now() - began} ms`);
  assert.ok((await page.locator(".text").evaluateAll((all) => Math.max(...all.map((e) => e.textContent.length)))) < 5000);
  assert.ok((await page.locator(".message").last().evaluate((e) => e.offsetHeight)) < 1200);
  await page.getByRole("button", { name: /Show all 1,000,008 characters/ }).click();
  await until("all of it is shown", () => page.evaluate(() => document.body.textContent.includes("W the end")));
  assert.equal(await overflow(page), 0);
  assert.deepEqual(page.trouble, []);
});

test("10,000 messages: reading back stays smooth, the document stays small, nothing is skipped", async (t) => {
  const server = await Server.start(t);
  for (let i = 0; i < 10_000; i += 2_500) {
    const lines = Array.from({ length: 2_500 }, (_, n) => JSON.stringify({ name: `P${(i + n) % 3}`, text: `m${i + n}` }));
    const answer = await fetch(`${server.origin}/api/chat/lobby`, {
      method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: lines.join("\n"),
    });
    assert.equal(answer.status, 201);
  }
  const page = await openPage(t, browser, room(server));
  await until("the newest is there", async () => (await said(page)).at(-1) === "P0: m9999");
  const ready = await page.evaluate(() => Math.round(performance.now()));
  t.diagnostic(`the newest of 10,000 messages is shown after ${ready} ms`);
  const bound = async () => {
    const rows = await page.locator(".message").count();
    assert.ok(rows <= 240, `${rows} rows`);
    const lines = (await said(page)).map((line) => Number(line.split(": m")[1]));
    lines.forEach((n, i) => i === 0 || assert.equal(n, lines[i - 1] + 1, "without a hole"));
    return lines;
  };
  let top = (await bound())[0];
  const pages = [];
  for (let i = 0; i < 25; i += 1) {
    const began = Date.now();
    await page.evaluate(() => (document.getElementById("scroll").scrollTop = 0));
    await until("more is there", async () => (await bound())[0] < top);
    pages.push(Date.now() - began);
    top = (await bound())[0];
  }
  t.diagnostic(`a page of history takes ${pages.sort((a, b) => a - b)[12]} ms`);
  assert.ok(top < 8600, `${top}`);

  // What is being read does not move when messages come.
  const row = page.locator(".message").nth(20);
  const place = () => row.evaluate((element) => element.getBoundingClientRect().top);
  const before = await place();
  for (let i = 0; i < 10; i += 1) await server.publish("chat/lobby", { name: "Ada", text: `new${i}` });
  await until("it is told", async () => /^↓ 10 new$/.test(await page.locator("#to-newest").textContent()));
  assert.ok(Math.abs((await place()) - before) < 2);

  // And down again, without the server.
  const bottom = async () => (await said(page)).at(-1);
  for (let last = await bottom(), i = 0; i < 5; i += 1, last = await bottom()) {
    await page.evaluate(() => (document.getElementById("scroll").scrollTop = 1e9));
    await until("newer are there", async () => (await bottom()) !== last);
    await page.locator(".message").count().then((rows) => assert.ok(rows <= 240));
  }
  await page.locator("#to-newest").click();
  await until("the newest is there", async () => (await bottom()) === "Ada: new9");
  await until("nothing is new any more", () => page.locator("#to-newest").isHidden());
  assert.deepEqual(page.trouble, []);
});

test("presence through a connection that flaps: nobody leaves; who goes for good does", async (t) => {
  const server = await Server.start(t, { args: ["--presence-grace", "3s"] });
  const [ada, bob] = await two(t, server);
  await until("both are here", async () => (await here(bob)).length === 2);
  let text = "";
  const types = () => [...text.matchAll(/^event: (\w+)$/gm)].map(([, type]) => type);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const stream = await fetch(`${server.origin}/api/chat/lobby/event`, { signal: stop.signal });
  (async () => {
    for await (const chunk of stream.body) text += Buffer.from(chunk).toString();
  })().catch(() => {});
  // Their joins may be told later than they are here: what counts begins behind a mark.
  await fetch(`${server.origin}/api/chat/lobby?ephemeral=1&event=mark`, {
    method: "POST", headers: { "Content-Type": "text/plain" }, body: "mark" });
  await until("the mark came", () => types().includes("mark"));
  for (let i = 0; i < 4; i += 1) {
    await ada.context().setOffline(true);
    await until("Ada notices", async () => {
      await ada.evaluate(() => dispatchEvent(new Event("online"))); // the connection is given up
      return /^Reconnecting/.test(await state(ada));
    });
    await ada.context().setOffline(false);
    await live(ada);
  }
  await say(ada, "I am still here");
  await reads(bob, ["Ada: I am still here"]);
  assert.deepEqual((await here(bob)), ["Ada", "Bob (you)"]);
  await until("it came", () => types().includes("update"));
  const after = types().slice(types().indexOf("mark") + 1);
  assert.deepEqual(after.filter((type) => type !== "typing"), ["update"], "neither leave nor join");
  await ada.context().close();
  await until("Ada is gone", async () => (await here(bob)).join() === "Bob (you)");
});

test("who is here follows from what joins and leaves tell: a room that fills does not ask for each", async (t) => {
  const server = await Server.start(t, { args: ["--presence-grace", "100ms"] });
  const [, bob] = await two(t, server);
  await until("both are here", async () => (await here(bob)).length === 2);
  let questions = 0;
  bob.on("request", (request) => { questions += /\/presence$/.test(request.url()); });
  const streams = new AbortController();
  t.after(() => streams.abort());
  const names = Array.from({ length: 30 }, (_, i) => `guest ${i + 10}`);
  for (const name of names)
    await fetch(`${server.origin}/api/chat/lobby/event?as=${encodeURIComponent(name)}`, { signal: streams.signal });
  await until("all are here", async () => (await here(bob)).join() === ["Ada", "Bob (you)", ...names].join());
  streams.abort();
  await until("all are gone", async () => (await here(bob)).join() === "Ada,Bob (you)");
  assert.equal(await bob.locator("#here-count").textContent(), "2");
  assert.equal(questions, 0);
});

test("what came unseen is marked and counted, in the title too; and remembered over a visit", async (t) => {
  const server = await Server.start(t, { args: ["--presence-grace", "100ms"] });
  const profile = await openProfile(t, browser);
  const page = await openTab(profile, room(server));
  await enter(page, "Ada");
  await server.publish("chat/lobby", { name: "Bob", text: "seen" });
  await reads(page, ["Bob: seen"]);
  assert.equal(await page.title(), "lobby · Chat");
  await hide(page, true);
  for (const text of ["unseen 1", "unseen 2"]) await server.publish("chat/lobby", { name: "Bob", text });
  await until("they are counted", async () => (await page.title()) === "(2) lobby · Chat");
  assert.equal(await page.locator(".unread + .message .text").textContent(), "unseen 1");
  await hide(page, false);
  await until("they are read", async () => (await page.title()) === "lobby · Chat");
  await page.close();
  await server.publish("chat/lobby", { name: "Bob", text: "while away" });
  await server.publish("chat/side/room", { name: "Bob", text: "elsewhere" });

  const again = await openTab(profile, room(server, "side/room"));
  await live(again);
  await reads(again, ["Bob: elsewhere"]);
  await until("the other room has news", async () =>
    (await again.locator("#rooms li").allTextContents()).join() === "side/room,lobby1");
  await server.publish("chat/lobby", { name: "Bob", text: "and more" });
  await until("they are counted as they come", async () => (await again.locator("#rooms .badge").textContent()) === "2");
  await until("Ada is here", async () => (await here(again)).join() === "Ada (you)");
  await until("who only counts what is new there is not there", async () =>
    (await (await fetch(`${server.origin}/api/chat/lobby/presence`)).json()).names.length === 0);
  await again.locator("#rooms a", { hasText: "lobby" }).click();
  await until("the mark stands above what is new", async () =>
    (await again.locator(".unread + .message .text").allTextContents()).join() === "while away");
});

test("the rooms that the server lists are there, the newest first, beside those that one was in", async (t) => {
  const server = await Server.start(t);
  for (const name of ["side/room", "attic", "cellar"]) await server.publish(`chat/${name}`, { name: "Bob", text: "here" });
  await server.publish("users-of-other-things", { text: "no room" });
  const page = await openPage(t, browser, room(server));
  await live(page);
  const listed = async () => (await page.locator("#rooms a").allTextContents()).join();
  await until("they are there", async () => (await listed()) === "lobby,cellar,attic,side/room");
  await server.publish("chat/brand-new", { name: "Bob", text: "here" });
  await hide(page, true);
  await hide(page, false);
  await until("a new one is there when one comes back", async () => (await listed()) === "lobby,brand-new,cellar,attic,side/room");
  await page.route("**/api?*", (route) => route.fulfill({ status: 403, contentType: "application/problem+json", body: "{}" }));
  await page.reload();
  await live(page);
  await until("where the server does not tell, there are those that one was in", async () => (await listed()) === "lobby");
});

test("the commands of the chat and of the users page are copied by a button", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser, { permissions: ["clipboard-read", "clipboard-write"], viewport: { width: 1280, height: 800 } });
  for (const [path, command] of [["/chat/side", `sse-post chat/side name=Ada text=Hello`], ["/", `sse-tail ${server.origin}/api/users/event`]]) {
    const page = await openTab(profile, server.origin + path);
    await live(page);
    await page.locator(".copyable", { hasText: command.slice(0, 9) }).first().locator(".copy").click();
    await until("it is copied", async () => (await page.evaluate(() => navigator.clipboard.readText())) === command);
    assert.deepEqual(page.trouble, []);
  }
});

test("by keyboard alone, with the roles that a screen reader needs", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server), { viewport: { width: 1280, height: 800 } });
  await live(page);
  const focused = () => page.evaluate(() => document.activeElement.id);
  const tab = async (id) => {
    for (let i = 0; i < 12 && (await focused()) !== id; i += 1) await page.keyboard.press("Tab");
    assert.equal(await focused(), id);
  };
  await tab("name");
  await page.keyboard.type("Ada");
  await page.keyboard.press("Enter");
  await until("one can write", async () => (await focused()) === "text");
  await page.keyboard.type("one line");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("and another");
  await page.keyboard.press("Enter");
  await reads(page, ["Ada: one line\nand another"]);
  assert.equal(await focused(), "text");
  // A word that is being composed, as in Korean, is not sent by its Enter.
  await page.keyboard.type("half");
  await page.locator("#text").dispatchEvent("keydown", { key: "Enter", isComposing: true });
  assert.equal(await page.locator("#text").inputValue(), "half");
  await page.keyboard.press("Shift+Tab");
  assert.match(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), /^Delete: one line/);
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focused(), "scroll");
  for (const [role, name] of [["log", "Messages"], ["banner"], ["main"], ["heading", "lobby"], ["complementary", "People and rooms"],
    ["textbox", "Message"], ["button", "Send"], ["navigation", "Pages"], ["checkbox", "Sound"]])
    assert.equal(await page.getByRole(role, name ? { name, exact: true } : {}).count(), 1, `${role} ${name ?? ""}`);
  assert.equal(await page.locator("#scroll").getAttribute("aria-live"), "polite");
  assert.match(await page.locator("#claim").textContent(), /Names aren’t verified/);
});

test("at 360 pixels nothing sticks out, with the panel open, with long words, while reconnecting", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server, "a-room.with~a_very-long-name".repeat(4)), { viewport: { width: 360, height: 740 } });
  await enter(page, "W".repeat(60));
  await say(page, `${"W".repeat(400)} https://example.com/${"w".repeat(400)}`);
  await until("it is there", async () => (await said(page)).length === 1);
  assert.equal(await overflow(page), 0);
  await page.locator("#panel-toggle").click();
  assert.ok(await page.locator("#panel").isVisible());
  assert.equal(await overflow(page), 0);
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#panel").isHidden());
  await server.kill();
  await until("it reconnects", async () => /cannot be reached/.test(await state(page)));
  assert.equal(await overflow(page), 0);
  assert.ok(await page.locator("#text").isVisible());
  const box = await page.locator("#composer").boundingBox();
  assert.ok(box.y + box.height <= 740, "one can always write");
});

test("a sound and a notification for who wants them, and for nobody else", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server), { permissions: ["notifications"], viewport: { width: 1280, height: 800 } }, (page) =>
    page.addInitScript(() => {
      globalThis.notes = [];
      globalThis.Notification = class extends EventTarget {
        static permission = "granted";
        static requestPermission = async () => "granted";
        constructor(title, options) {
          super();
          notes.push(`${title}: ${options.body}`);
        }
      };
    }));
  await enter(page, "Ada");
  await hide(page, true);
  await server.publish("chat/lobby", { name: "Bob", text: "one" });
  await reads(page, ["Bob: one"]);
  await page.getByLabel("Notify me of all messages").check();
  await page.getByLabel("Sound").check();
  await server.publish("chat/lobby", { name: "Bob", text: "two" });
  await reads(page, ["Bob: one", "Bob: two"]);
  await hide(page, false);
  await server.publish("chat/lobby", { name: "Bob", text: "three" });
  await reads(page, ["Bob: one", "Bob: two", "Bob: three"]);
  assert.deepEqual(await page.evaluate(() => notes), ["\u2068Bob\u2069 · lobby: two"]);
  await page.reload();
  await live(page);
  assert.ok(await page.getByLabel("Notify me of all messages").isChecked(), "it is remembered");
});

test("where notifications throw, as on Android, the message is shown, and the box is off", async (t) => {
  const server = await Server.start(t);
  const throws = (permission) => (page) => page.addInitScript((permission) => {
    globalThis.Notification = class {
      static permission = permission;
      static requestPermission = async () => "granted";
      constructor() {
        throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.");
      }
    };
  }, permission);
  const options = { viewport: { width: 1280, height: 800 } };
  const first = await openPage(t, browser, room(server), options, throws("default"));
  await live(first);
  for (const box of await first.getByLabel(/^Notify me/).all()) assert.ok(await box.isDisabled());
  assert.match(await first.locator("#no-notify").textContent(), /does not let pages show notifications/);
  const page = await openPage(t, browser, room(server), options, throws("granted"));
  await enter(page, "Ada");
  await page.getByLabel("Notify me of all messages").check();
  await hide(page, true);
  await server.publish("chat/lobby", { name: "Bob", text: "one" });
  await server.publish("chat/lobby", { name: "Bob", text: "two" });
  await reads(page, ["Bob: one", "Bob: two"]);
  assert.ok(await page.getByLabel("Notify me of all messages").isDisabled());
  assert.deepEqual([...first.trouble, ...page.trouble], []);
});

test("a room that can be none breaks nothing: it is told, not kept, and neither is what was kept before", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser, { viewport: { width: 1280, height: 800 } });
  const tab = await openTab(profile, room(server));
  await live(tab);
  const kept = () => tab.evaluate(() => JSON.parse(localStorage.getItem("sse-chat-rooms")));
  for (const name of ["event", "presence", "a/event", "event/b", "x".repeat(196), "a//b", "a%20b"]) {
    await tab.goto(room(server, name));
    await live(tab);
    assert.match(tab.url(), /\/chat\/lobby$/, name);
    assert.deepEqual(await kept(), ["lobby"], name);
    assert.match(await tab.locator("#notice-text").textContent(), /^“.*” is not a valid room name\. This is the room lobby\.$/);
  }
  const longest = "y".repeat(195);
  await tab.goto(room(server, longest));
  await enter(tab, "Ada");
  await until("Ada is there", async () => (await here(tab)).join() === "Ada (you)");
  assert.ok(await tab.locator("#notice").isHidden());
  await tab.evaluate(() => localStorage.setItem("sse-chat-rooms", '["event", "good", ".", "a/presence", 5]'));
  await tab.goto(`${server.origin}/chat`);
  await live(tab);
  assert.deepEqual(await tab.locator("#rooms a").allTextContents(), ["lobby", "good"]);
  const users = await openTab(profile, server.origin);
  await live(users);
  for (const name of ["event", "a/..", "a\u202eb", "a b", "한".repeat(66)]) {
    await tab.locator("#goto-room").fill(name);
    await tab.locator("#goto button").click();
    assert.equal(await tab.locator("#goto-room").evaluate((input) => input.validity.valid), false, name);
  }
  await tab.locator("#goto-room").fill("a/events");
  await tab.locator("#goto button").click();
  await tab.waitForURL("**/chat/a/events");
});

test("a room has a Korean name: one goes there, shares its address, and finds it among the rooms", async (t) => {
  const server = await Server.start(t);
  const name = "한국어/방";
  const address = encodeURI(room(server, name));
  const ada = await openPage(t, browser, room(server), { viewport: { width: 1280, height: 800 } });
  await live(ada);
  await ada.locator("#goto-room").fill(name.normalize("NFD")); // as some keyboards compose it
  await ada.locator("#goto button").click();
  await ada.waitForURL(address);
  await enter(ada, "Ada");
  await say(ada, "안녕");
  await reads(ada, ["Ada: 안녕"]);
  assert.equal(await ada.locator("h1").textContent(), name);
  assert.match(await ada.title(), /한국어\/방/);
  const bob = await openPage(t, browser, ada.url(), { viewport: { width: 1280, height: 800 } });
  await enter(bob, "Bob");
  await reads(bob, ["Ada: 안녕"]);
  await say(bob, "반가워요");
  await reads(ada, ["Ada: 안녕", "Bob: 반가워요"]);
  assert.equal((await stored(server, encodeURI(`chat/${name}`))).length, 2);
  await bob.goto(encodeURI(room(server, name.normalize("NFD"))));
  await reads(bob, ["Ada: 안녕", "Bob: 반가워요"]);
  assert.equal(bob.url(), address);
  const other = await openPage(t, browser, room(server), { viewport: { width: 1280, height: 800 } });
  await other.locator("#rooms a", { hasText: name }).click();
  await other.waitForURL(address);
  assert.deepEqual([...ada.trouble, ...bob.trouble, ...other.trouble], []);
});

test("a name that the server refuses is refused by the form, and forgotten if it was kept", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server), { viewport: { width: 1280, height: 800 } });
  for (const name of ["a\tb", "a\u0085b"]) {
    await page.locator("#name").fill(name);
    await page.locator("#join").click();
    assert.equal(await page.locator("#name").evaluate((input) => input.validity.valid), false);
  }
  await page.evaluate(() => localStorage.setItem("sse-chat-name", '"a\\tb"'));
  await page.reload();
  await live(page);
  assert.equal(await page.locator("#name").inputValue(), "");
});

test("marks upon marks in a name stay in their line; a link shows where it leads", async (t) => {
  const server = await Server.start(t);
  const tall = `Z${"\u0301".repeat(300)}algo`;
  await server.publish("chat/lobby", { name: tall, text: "see (https://\u0430pple.com/a) or https://2130706433:81/ and [https://example.com/x]" });
  await server.post(tall, tall);
  const page = await openPage(t, browser, room(server), { viewport: { width: 1280, height: 800 } });
  await page.locator(".text a").first().waitFor();
  assert.deepEqual(await page.locator(".text a").allTextContents(), ["https://\u0430pple.com/a", "https://2130706433:81/", "https://example.com/x"]);
  assert.equal(await page.locator(".text").textContent(),
    "see (https://\u0430pple.com/a (xn--pple-43d.com)) or https://2130706433:81/ (127.0.0.1) and [https://example.com/x]");
  await page.locator("#name").fill(`Z${"\u0301".repeat(30)}`);
  await page.locator("#join").click();
  await page.locator("#names li").waitFor();
  const clips = (page, what) => page.locator(what).first().evaluate((element) =>
    [getComputedStyle(element).overflowY, element.offsetHeight < 60]);
  // A list that is drawn again meanwhile leaves an element without style; the next look finds the new one.
  const clipped = (what) => until(`${what} is clipped`, async () => (await clips(page, what)).join() === "clip,true");
  for (const what of [".who", "#names li"]) await clipped(what);
  await page.goto(server.origin);
  await page.locator("#list .name").waitFor();
  await clipped("#list .name");
});

test("without a script the page says so in one piece, and names no room that it is not", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server, "foo"), { javaScriptEnabled: false });
  const notice = page.locator("noscript .notice");
  assert.equal(await notice.evaluate((element) => getComputedStyle(element).display), "block");
  assert.match(await notice.textContent(), /\/api\/chat\/ROOM/);
  assert.deepEqual(await page.locator("code .room").allTextContents(), ["ROOM", "ROOM"]);
});

test("the pages weigh what the README says", async (t) => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const server = await Server.start(t);
  const folder = new URL("../../cmd/sse-serve/web/", import.meta.url);
  let bytes = 0;
  for (const name of await readdir(folder)) {
    const answer = await fetch(`${server.origin}/${name}`, { headers: { "Accept-Encoding": "gzip" } });
    assert.equal(answer.status, 200, name);
    bytes += Number(answer.headers.get("content-length"));
  }
  const told = Number(/take (\d+) kB all together/.exec(readme)[1]);
  assert.ok(Math.abs(bytes / 1000 - told) < 3, `${bytes} bytes, and not ${told} kB`);
});

test("who takes another name is there by that one, and what was said by the other is still theirs", async (t) => {
  const server = await Server.start(t, { args: ["--presence-grace", "100ms"] });
  const page = await openPage(t, browser, room(server), { viewport: { width: 1280, height: 800 } });
  await enter(page, "Ada");
  await say(page, "as Ada");
  await reads(page, ["Ada: as Ada"]);
  await page.getByRole("button", { name: "Change" }).click();
  assert.equal(await page.locator("#name").inputValue(), "Ada");
  await page.locator("#name").fill("\u{1F980}".repeat(17)); // 68 bytes
  await page.locator("#join").click();
  assert.equal(await page.locator("#name").evaluate((input) => input.validity.valid), false);
  await page.locator("#name").fill("Grace");
  await page.locator("#join").click();
  await until("Grace is here, and Ada is not", async () => (await here(page)).join() === "Grace (you)");
  await say(page, "as Grace");
  await reads(page, ["Ada: as Ada", "Grace: as Grace"]);
  const own = () => page.locator(".own").evaluateAll((all) => all.map((row) =>
    [...row.querySelectorAll(".who bdi, .tag, .text")].map((e) => e.textContent).join("|")));
  assert.deepEqual(await own(), ["Ada|you|as Ada", "Grace||as Grace"]);
  await page.reload();
  await live(page);
  await until("the name is remembered", async () => (await here(page)).join() === "Grace (you)");
  assert.deepEqual(await own(), ["Ada|you|as Ada", "Grace||as Grace"]);
  await page.getByRole("button", { name: "Delete: as Ada" }).click();
  await page.getByRole("button", { name: "Delete for everyone? as Ada" }).click();
  await reads(page, ["Grace: as Grace"]);
});

test("a gap is told, and what is there now is shown", async (t) => {
  const server = await Server.start(t);
  const [ada, bob] = await two(t, server);
  await say(ada, "before");
  await both([ada, bob], ["Ada: before"]);
  await server.restart({ db: "another.db" });
  await server.publish("chat/lobby", { name: "Eve", text: "after" });
  for (const page of [ada, bob]) {
    await until("the gap is told", () => page.locator("#notice").isVisible());
    await reads(page, ["Eve: after"]);
  }
  await say(bob, "I see");
  await both([ada, bob], ["Eve: after", "Bob: I see"]);
  await ada.getByRole("button", { name: "Dismiss" }).click();
  assert.ok(await ada.locator("#notice").isHidden());
});

test("on a plain-HTTP address each tab has a connection of its own, sends all the same, and says so", async (t) => {
  const server = await Server.start(t, { args: ["--host", "plain.example"] });
  const profile = await openProfile(t, browser);
  const url = `http://plain.example:${new URL(server.origin).port}/chat/lobby`;
  const tabs = [await openTab(profile, url), await openTab(profile, url)];
  assert.equal(await tabs[0].evaluate(() => isSecureContext), false);
  await enter(tabs[0], "Ada");
  await live(tabs[1]);
  for (const tab of tabs) assert.match(await tab.locator("#unshared").textContent(), /does not use https/);
  assert.match(await tabs[0].locator("#no-notify").textContent(), /need https/);
  // The one that was open before there was a name may take a moment to go.
  await until("two connections", async () => (await streamsOf(server, "chat/lobby")) === 2);
  await say(tabs[0], "Hello");
  await both(tabs, ["Ada: Hello"]);
  assert.equal((await stored(server)).length, 1);
  const secure = await openTab(profile, room(server));
  await live(secure);
  assert.ok(await secure.locator("#unshared").isHidden());
});

test("the page with sse.js in sse-tools(7) shows whatever is said, and says something", async (t) => {
  const manual = await readFile(new URL("../../man/sse-tools.7", import.meta.url), "utf8");
  const sample = /^\.Ss A page with sse\.js$[^]*?^\.Bd .*\n([^]*?)^\.Ed$/m.exec(manual)[1].replaceAll("\\e", "\\");
  const server = await Server.start(t);
  for (const data of [{ name: "Ada", text: "Hello" }, { text: "by nobody" }, "Hello, all", { celsius: 20.5 }, [1]]) await server.publish("chat/lobby", data);
  const page = await openPage(t, browser, null, {}, (page) =>
    page.route("**/lobby", (route) => (new URL(route.request().url()).pathname === "/lobby" ? route.fulfill({ contentType: "text/html", body: sample }) : route.continue())));
  await page.goto(`${server.origin}/lobby`);
  const said = async () => (await page.locator("#list li").allTextContents()).join("|");
  const all = 'Ada: Hello|someone: by nobody|"Hello, all"|{"celsius":20.5}|[1]';
  await until("all is there", async () => (await said()) === all);
  await page.locator("input").fill("And this");
  await page.locator("input").press("Enter");
  await until("it is there", async () => (await said()) === `${all}|Ada: And this`);
});

test("a terminal and a browser in one room, by the function of sse-tools(7)", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server));
  await enter(page, "Ada");
  const manual = await readFile(path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../man/sse-tools.7"), "utf8");
  const lines = /^\$ (chat\(\) \{[^]*?\n)> \}\n/m.exec(manual);
  assert.ok(lines, "the page has it");
  const code = `${lines[1].replace(/^> /gm, "").replace(/\\e/g, "\\")}}\n`;
  assert.ok(code.split("\n").length <= 11, "in ten lines");
  const programs = path.dirname(PROGRAM);
  const terminal = spawn("sh", ["-c", `${code}chat lobby Tess`], {
    env: { ...process.env, PATH: `${programs}:${process.env.PATH}`, SSE_URL: server.origin },
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => terminal.kill());
  let shown = "";
  terminal.stdout.on("data", (bytes) => (shown += bytes));
  await until("it is connected", async () => (await streamsOf(server, "chat/lobby")) === 2);
  await say(page, "Hello, terminal");
  await until("the terminal shows it", () => /Ada.*Hello, terminal/s.test(shown));
  terminal.stdin.write('Hello, browser; "quotes" \\ and <b>\n');
  await reads(page, ["Ada: Hello, terminal", 'Tess: Hello, browser; "quotes" \\ and <b>']);
  // A line that begins with @ is no file, and the last one need not end.
  terminal.stdin.end(`@${server.db}\n\\@ada\n  the last`);
  await reads(page, ["Ada: Hello, terminal", 'Tess: Hello, browser; "quotes" \\ and <b>',
    `Tess: @${server.db}`, "Tess: \\@ada", "Tess:   the last"]);
  await until("it ends with its input", () => terminal.exitCode !== null);
  await until("and follows no more", async () => (await streamsOf(server, "chat/lobby")) === 1);
});
