// SPDX-License-Identifier: MIT
// Tabs of one browser, which share a connection: eight of them, the leading one closed or frozen, and no
// seam while somebody publishes at full speed.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { Server, enter, hide, launch, live, names, openProfile, openTab, reads, said, say, shows, state, streamsOf, tempFolder, tryNow, until } from "./helper.mjs";

/** The streams that a browser holds open, by their paths. */
function openStreams(profile) {
  const open = new Set();
  profile.on("request", (request) => /\/event(\?|$)/.test(request.url()) && request.method() === "GET" && open.add(request));
  for (const end of ["requestfinished", "requestfailed"]) profile.on(end, (request) => open.delete(request));
  return () => [...open].map((request) => new URL(request.url()).pathname);
}

const PAGES = ["", "chat/lobby", "status", "try"];

/** Each page as a tab of one browser, with less patience; a name is entered in the chat. */
async function openEach(t, server) {
  const profile = await openProfile(t, browser);
  const tabs = {};
  for (const page of PAGES) {
    const tab = (tabs[page || "users"] = await openTab(profile, `${server.origin}/${page}`));
    await tab.evaluate(async () => Object.assign((await import("/sse.js")).settings, { overdue: 1_500, prompt: 1_000, late: 1_000 }));
  }
  await enter(tabs["chat/lobby"], "Ada");
  await Promise.all(Object.values(tabs).map(live));
  return { profile, chat: tabs["chat/lobby"], tabs: Object.values(tabs) };
}

const allSay = (tabs, pattern) => Promise.all(tabs.map((tab) =>
  until(`${tab.url()} says ${pattern}`, async () => pattern.test(await state(tab)))));
const mark = (page) => page.locator(".message .mark").last().textContent();

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("eight tabs have one connection, and all get each message once; so it stays as the leading one closes", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  const tabs = [];
  for (let i = 0; i < 8; i += 1) tabs.push(await openTab(profile, `${server.origin}/chat/lobby`));
  await enter(tabs[0], "Ada");
  await Promise.all(tabs.map(live));
  await until("there is one connection", async () => (await streamsOf(server, "chat/lobby")) === 1);
  const expected = [];
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 3; i += 1) {
      await server.publish("chat/lobby", { name: "Bob", text: `${round}-${i}` });
      expected.push(`Bob: ${round}-${i}`);
    }
    const closing = tabs.shift().close();
    await server.publish("chat/lobby", { name: "Bob", text: `${round}-closing` });
    expected.push(`Bob: ${round}-closing`);
    await closing;
    await Promise.all(tabs.map((tab) => reads(tab, expected)));
    await until("there is one connection again", async () => (await streamsOf(server, "chat/lobby")) === 1);
  }
  for (const tab of tabs) assert.deepEqual(tab.trouble, []);
});

test("what a tab writes as it is closed, or another while the leading one is, arrives once", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  const one = await openTab(profile, `${server.origin}/chat/lobby`);
  await enter(one, "Ada");
  const two = await openTab(profile, `${server.origin}/chat/lobby`);
  await live(two);
  await two.route("**/api/chat/lobby", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
  await one.route("**/api/chat/lobby", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
  await say(one, "from the leading one");
  await say(two, "from the other");
  await until("both wait", async () => (await said(two)).length === 2);
  await one.close();
  await two.unroute("**/api/chat/lobby");
  await reads(two, ["Ada: from the leading one", "Ada: from the other"]);
  const stored = await (await fetch(`${server.origin}/api/chat/lobby`)).json();
  assert.deepEqual(stored.map(({ text }) => text), ["from the leading one", "from the other"]);
});

test("the leading tab is frozen: another takes over without a loss, and it has all when it is thawed", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  const one = await openTab(profile, `${server.origin}/chat/lobby`);
  await live(one);
  const two = await openTab(profile, `${server.origin}/chat/lobby`);
  await live(two);
  const expected = [];
  const publish = async (text) => {
    await server.publish("chat/lobby", { name: "Bob", text });
    expected.push(`Bob: ${text}`);
  };
  await publish("before");
  await Promise.all([reads(one, expected), reads(two, expected)]);
  const session = await profile.newCDPSession(one);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  for (let i = 0; i < 10; i += 1) await publish(`frozen ${i}`);
  await reads(two, expected);
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await publish("after");
  await Promise.all([reads(one, expected), reads(two, expected)]);
  await until("there is one connection", async () => (await streamsOf(server, "chat/lobby")) === 1);
});

test("a server that cannot store events: no page says that all is well, and a message waits until it can", async (t) => {
  const server = await Server.start(t);
  const { profile, chat, tabs: [users] } = await openEach(t, server);
  const detail = "NATS has no leader";
  await profile.route("**/api/chat/lobby*", (route) => (route.request().method() !== "POST" ? route.continue() :
    route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ title: "Service Unavailable", detail }) })));
  await say(chat, "Hello");
  await allSay([users, chat], /^Not storing: The server cannot store events now\. .* NATS has no leader\.$/);
  assert.equal(await mark(chat), "waiting to be sent");
  await profile.unroute("**/api/chat/lobby*");
  await tryNow(chat);
  await reads(chat, ["Ada: Hello"]);
  await Promise.all([users, chat].map(live));
});

test("pages of different topics share it too", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  const users = await openTab(profile, server.origin);
  await live(users);
  const chat = await openTab(profile, `${server.origin}/chat/lobby`);
  await enter(chat, "Ada");
  await server.post("John", "DOE");
  await server.publish("chat/lobby", { name: "Bob", text: "Hello" });
  await shows(users, ["John DOE"]);
  await reads(chat, ["Bob: Hello"]);
  const stats = await new Promise((resolve, reject) => {
    const stop = new AbortController();
    t.after(() => stop.abort());
    fetch(`${server.origin}/api/$sys/event`, { signal: stop.signal }).then(async (answer) => {
      let text = "";
      for await (const chunk of answer.body) {
        const data = /^data: (.*)$/m.exec((text += Buffer.from(chunk)));
        if (data) return resolve(JSON.parse(data[1]));
      }
      return undefined;
    }).catch(reject);
  });
  assert.equal(stats.streams, 1, "theirs; this one of $sys does not count");
  await users.close();
  await server.publish("chat/lobby", { name: "Bob", text: "again" });
  await reads(chat, ["Bob: Hello", "Bob: again"]);
});

test("no seam while somebody publishes at full speed as the pages load, the leading ones closing", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  let publishing = true;
  let sent = 0;
  const publisher = (async () => {
    for (; publishing; sent += 1) {
      await server.publish("chat/lobby", { name: `P${sent % 7}`, text: `m${sent}` });
      await server.post(`N${sent}`, "X");
    }
  })();
  const tabs = [];
  for (let i = 0; i < 5; i += 1) {
    const tab = await openTab(profile, `${server.origin}/${i === 2 ? "" : "chat/lobby"}`);
    tabs.push(tab);
    if (i !== 2) await until("some come live", async () => Number((await said(tab)).at(-1)?.split(": m")[1]) > sent - 60);
    if (i === 3) await tabs.shift().close();
  }
  publishing = false;
  await publisher;
  for (const tab of tabs) {
    if (/chat/.test(tab.url())) {
      await tab.locator("#to-newest").click({ timeout: 500 }).catch(() => {});
      await until("the last is there", async () => (await said(tab)).at(-1)?.endsWith(`: m${sent - 1}`));
      const numbers = (await said(tab)).map((line) => Number(line.split(": m")[1]));
      numbers.forEach((n, i) => assert.equal(n, numbers[0] + i, "each once, in order"));
    } else {
      const expected = Array.from({ length: sent }, (_, i) => `N${sent - 1 - i} X`);
      await until("the last is there", async () => {
        await tab.evaluate(() => scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" })); // loads older ones
        return (await names(tab)).length >= sent;
      });
      assert.deepEqual(await names(tab), expected);
    }
  }
  t.diagnostic(`${2 * sent} events were published meanwhile`);
});

test("the page of fifteen lines in the README chats with the built-in one", async (t) => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const [, page] = /```html\n([^`]*sse\.js[^]*?)```/.exec(readme);
  assert.ok(page.trim().split("\n").length <= 15, "in fifteen lines");
  const web = await tempFolder(t);
  await writeFile(path.join(web, "index.html"), page);
  const server = await Server.start(t, { args: ["--web", web] });
  await server.publish("chat/lobby", { name: "Bob", text: "<b>before</b>" });
  await server.publish("chat/lobby", "a text", { event: "note" });
  await server.publish("chat/lobby", "a line");
  const profile = await openProfile(t, browser);
  const tabs = [await openTab(profile, server.origin), await openTab(profile, server.origin)];
  const shows = (lines) => Promise.all(tabs.map((tab) => until("it shows all", async () =>
    JSON.stringify(await tab.locator("li").allTextContents()) === JSON.stringify(lines))));
  await shows(["Bob: <b>before</b>", "a line"]);
  await tabs[0].locator("input").fill("Hello");
  await tabs[0].locator("input").press("Enter");
  await shows(["Bob: <b>before</b>", "a line", "Ada: Hello"]);
  await server.restart();
  await server.publish("chat/lobby", { name: "Bob", text: "after" });
  await shows(["Bob: <b>before</b>", "a line", "Ada: Hello", "Bob: after"]);
  await until("they share a connection", async () => (await streamsOf(server, "chat/lobby")) === 1);
});

test("a server that stops answering: each page says so instead of Live, and what one writes waits; all goes on by itself", async (t) => {
  const server = await Server.start(t, { args: ["--heartbeat", "1s"] });
  const { chat, tabs } = await openEach(t, server);
  server.child.kill("SIGSTOP");
  t.after(() => server.child.kill("SIGCONT"));
  await allSay(tabs, /^Not answering: The server has stopped answering/);
  await say(chat, "Hello");
  await tabs[0].locator("#firstname").fill("Grace");
  await tabs[0].locator("#lastname").fill("HOPPER");
  await tabs[0].locator("#add").click();
  await until("it waits", async () => (await mark(chat)) === "waiting to be sent");
  await until("so does the user", async () => (await tabs[0].locator("#waiting .mark").textContent()) === "waiting to be sent");
  server.child.kill("SIGCONT");
  await allSay(tabs, /^Live: /);
  await reads(chat, ["Ada: Hello"]);
  await shows(tabs[0], ["Grace HOPPER"]);
});

test("a POST that has no answer: the pages say that the server doesn't answer, though the stream goes on", async (t) => {
  const server = await Server.start(t, { args: ["--heartbeat", "500ms"] });
  const { profile, chat, tabs } = await openEach(t, server);
  const [users, , , playground] = tabs;
  let release;
  const answered = new Promise((resolve) => (release = resolve));
  await profile.route("**/api/**", async (route) => {
    if (route.request().method() === "POST") await answered;
    await route.continue();
  });
  await say(chat, "Hello");
  await allSay([chat, users], /^Not answering: /);
  assert.equal(await mark(chat), "waiting to be sent");
  await playground.locator("#send").click();
  await allSay([playground], /^Not answering: /);
  release();
  await allSay(tabs, /^Live: /);
  await reads(chat, ["Ada: Hello"]);
});

test("a device that goes offline: each page says so, and what one writes waits; all goes on when it is online", async (t) => {
  const server = await Server.start(t);
  const { profile, chat, tabs } = await openEach(t, server);
  await profile.setOffline(true);
  await allSay(tabs, /^Reconnecting: This device is offline/);
  await say(chat, "Hello");
  await until("it waits", async () => (await mark(chat)) === "waiting to be sent");
  await profile.setOffline(false);
  await allSay(tabs, /^Live: /);
  await reads(chat, ["Ada: Hello"]);
});

test("nine tabs of all pages: few connections, and a message reaches each chat and stays", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  const streams = openStreams(profile);
  const tabs = [];
  for (const page of ["try", "status", "chat/lobby", "", "status", "chat/lobby", "try", "status", "chat/lobby"])
    tabs.push(await openTab(profile, `${server.origin}/${page}`));
  await Promise.all(tabs.map(live));
  const few = "/api/$sys/event /api/event /api/hello/event /api/hello/event";
  await until("there are few connections", () => streams().sort().join(" ") === few);
  const chats = tabs.filter((tab) => /chat/.test(tab.url()));
  await enter(chats[0], "Ada");
  await say(chats[0], "Hello");
  await Promise.all(chats.map((chat) => reads(chat, ["Ada: Hello"])));
  await chats[0].reload();
  await live(chats[0]);
  await reads(chats[0], ["Ada: Hello"]);
  for (const tab of tabs) assert.deepEqual(tab.trouble, []);
});

test("nine playgrounds leave connections to the others: the one that was connected for longest lets go, and says so", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  const streams = openStreams(profile);
  const tabs = [];
  for (let i = 0; i < 9; i += 1) {
    tabs.push(await openTab(profile, `${server.origin}/try`));
    await live(tabs[i]);
  }
  await until("two are left", () => streams().length === 2);
  await allSay(tabs.slice(0, 7), /^Not connected: /);
  assert.match(await tabs[0].locator(".frame .note").last().textContent(), /gave its connection to another tab/);
  const chat = await openTab(profile, `${server.origin}/chat/lobby`);
  await enter(chat, "Ada");
  await say(chat, "Hello");
  await reads(chat, ["Ada: Hello"]);
  await server.publish("hello", "1", { json: true });
  await hide(tabs[0], true);
  await hide(tabs[0], false);
  await live(tabs[0]);
  await until("it has what it missed", async () => (await tabs[0].locator(".frame .data").allTextContents()).join() === "1");
  await allSay([tabs[7]], /^Not connected: /);
});

test("status pages that nobody sees let go of their connection, and come back to it", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  const streams = openStreams(profile);
  const tabs = [];
  for (let i = 0; i < 3; i += 1) tabs.push(await openTab(profile, `${server.origin}/status`));
  await Promise.all(tabs.map(live));
  await until("they have one", () => streams().length === 1);
  for (const tab of tabs) await hide(tab, true);
  await until("it is let go", () => streams().length === 0);
  await hide(tabs[1], false);
  await live(tabs[1]);
  await until("it has one again", () => streams().length === 1);
  await until("the figures go on", async () => (await tabs[1].locator("#version").textContent()) !== "–");
});
