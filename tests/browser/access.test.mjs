// SPDX-License-Identifier: MIT
// The pages where not everyone may do everything: logging in and out, and what is seen by whom.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { People, Server, launch, live, openPage, openProfile, openTab, overflow, reads, said, say, shows, state, tempFolder, until } from "./helper.mjs";

const ANN = 'publish=chat/**,users read=** as="Ann B." status';
const BOB = "publish=chat/* read=chat/* as=Bob";
const LINES = { ann: ANN, bob: BOB };

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const room = ({ server }, name = "lobby") => `${server.origin}/chat/${name}`;
const seen = (page, selector) => until(`${selector} is seen`, () => page.locator(selector).isVisible());
const text = (page, selector) => page.locator(selector).textContent();

async function logIn(page, token) {
  await seen(page, "#token");
  await page.locator("#token").fill(token);
  await page.locator("#token").press("Enter");
}

/** A page, in a profile of its own, of somebody who is logged in. */
async function enter(t, people, name, url = room(people), options = {}) {
  const page = await openPage(t, browser, url, options);
  await logIn(page, people.tokens[name]);
  await seen(page, "#logOut");
  await live(page);
  return page;
}

/** What a page may complain of, but for the answers that it expects. */
const trouble = (page) => page.trouble.filter((line) => !/status of 40[13]/.test(line));

/** Do words of the page that are to be seen say that names are not verified? */
const saysClaim = (page) => page.evaluate(() => /n’t verified/.test(document.body.innerText));

test("where everyone may do everything, nothing of it is to be seen", async (t) => {
  const server = await Server.start(t);
  for (const path of ["/try", "/", "/chat/lobby", "/status"]) {
    const page = await openPage(t, browser, server.origin + path);
    await live(page);
    assert.equal(await page.locator("#account, #access").evaluateAll((all) => all.map((e) => e.childNodes.length + !e.hidden).join()), "0,0");
    assert.ok(await page.locator(".pages [href$=status]").isVisible());
    if (path === "/chat/lobby") assert.ok(await saysClaim(page));
    assert.deepEqual(page.trouble, []);
  }
});

test("a wrong token is told, the right one logs in, by keyboard alone; the page keeps it nowhere", async (t) => {
  const people = await People.start(t, LINES);
  const page = await openPage(t, browser, room(people));
  await seen(page, "#login-form");
  assert.match(await state(page), /^No access: Log in/);
  assert.equal(await text(page, "#access-words"), "Log in to read this room.");
  for (const hidden of ["#scroll", "#composer", "#name-form", "#here", "#logOut", ".pages [href$=status]"])
    assert.ok(await page.locator(hidden).isHidden(), hidden);
  const field = page.getByLabel("Token");
  assert.deepEqual(await field.evaluate(({ type, autocomplete }) => [type, autocomplete]), ["password", "current-password"]);
  await field.focus();
  for (const wrong of ["sse_wrong", "☃", people.tokens.ann.slice(0, -1)]) {
    await page.keyboard.type(wrong);
    await page.keyboard.press("Enter");
    await until("it is told", async () => /not valid/.test(await page.getByRole("alert").first().textContent()));
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await until("it can be typed over", () => field.evaluate((e) => e === document.activeElement && e.selectionEnd === e.value.length && !e.readOnly));
    await page.keyboard.press("Delete");
    assert.equal(await field.getAttribute("aria-invalid"), null);
  }
  await page.keyboard.type(` ${people.tokens.ann} `);
  await page.keyboard.press("Enter");
  await live(page);
  assert.equal(await text(page, "#account-name"), "Ann B.");
  assert.ok(await page.locator("#login-form").isHidden());
  const kept = await page.evaluate(async () => {
    const databases = await Promise.all((await indexedDB.databases()).map(({ name }) => new Promise((resolve) => {
      indexedDB.open(name).onsuccess = ({ target: { result } }) =>
        (result.transaction("outbox").objectStore("outbox").getAll().onsuccess = (event) => resolve(event.target.result));
    })));
    const fields = [...document.querySelectorAll("input, textarea")].map(({ value }) => value);
    return JSON.stringify([databases, fields, { ...localStorage }, { ...sessionStorage }, document.cookie, location.href,
      document.documentElement.outerHTML]);
  });
  assert.ok(!kept.includes(people.tokens.ann.slice(4)));
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.value.includes(people.tokens.ann)], [true, "Strict", false]);
  assert.deepEqual(trouble(page), []);
});

test("two people chat by the names that their tokens prove, and need not say them", async (t) => {
  const people = await People.start(t, LINES);
  const pages = [await enter(t, people, "ann"), await enter(t, people, "bob")];
  for (const page of pages) {
    for (const hidden of ["#name-form", "#rename", "#claim", "#claim-again"]) assert.ok(await page.locator(hidden).isHidden(), hidden);
    assert.ok(!(await saysClaim(page)));
  }
  await say(pages[0], "Hello");
  await say(pages[1], "Hi");
  for (const page of pages) await until("both are there", async () => (await said(page)).sort().join() === "Ann B.: Hello,Bob: Hi");
  await until("both are here", async () => (await pages[1].locator("#names li").allTextContents()).join() === "Ann B.,Bob (you)");
  assert.equal(await pages[1].locator(".own .text").textContent(), "Hi");
  // A browser that kept a name from before has another now.
  await pages[1].evaluate(() => localStorage.setItem("sse-chat-name", '"Ann B."'));
  await pages[1].reload();
  await live(pages[1]);
  await say(pages[1], "still Bob");
  await until("it is there", async () => (await said(pages[0])).includes("Bob: still Bob"));
  for (const page of pages) assert.deepEqual(trouble(page), []);
});

for (const host of ["127.0.0.1", "plain.example"]) {
  test(`who logs out in one tab is out in all, and leaves nothing to be read: ${host}`, async (t) => {
    const people = await People.start(t, LINES, { args: ["--host", host] });
    const { server } = people;
    const origin = server.origin.replace("127.0.0.1", host);
    await server.publish("users", { firstname: "Grace", lastname: "HOPPER" }, { token: people.tokens.ann });
    const profile = await openProfile(t, browser);
    const chat = await openTab(profile, `${origin}/chat/lobby`);
    const other = await openTab(profile, `${origin}/chat/lobby`);
    const users = await openTab(profile, origin);
    await logIn(chat, people.tokens.ann);
    for (const tab of [chat, other, users]) await live(tab);
    await shows(users, ["Grace HOPPER"]);
    await say(chat, "a secret");
    for (const tab of [chat, other]) await reads(tab, ["Ann B.: a secret"]);
    await chat.evaluate(() => {
      localStorage.setItem("sse-chat-rooms", '["cellar"]');
      localStorage.setItem("sse-chat-name", '"Ann"');
    });
    await chat.locator("#logOut").click();
    for (const tab of [chat, other, users]) {
      await seen(tab, "#login-form");
      await until("nothing of it is left", async () =>
        !/secret|Grace|Ann B/.test(await tab.evaluate(() => document.documentElement.outerHTML)));
    }
    assert.deepEqual(await chat.evaluate(() => ({ ...localStorage })), { "sse-chat-rooms": '["lobby"]' }, "where one is now");
    assert.deepEqual(await profile.cookies(), []);
    const { streams } = await (await fetch(`${server.origin}/api/chat/lobby/presence`,
      { headers: { Authorization: `Bearer ${people.tokens.ann}` } })).json();
    assert.equal(streams, 0);
    await logIn(other, people.tokens.bob);
    for (const tab of [chat, other]) await until("it is Bob's", async () => (await text(tab, "#account-name")) === "Bob");
    assert.equal(await text(users, "#access-words"), "Bob may not read this. Log in with a token that grants access.");
  });
}

test("a token that is withdrawn: the log-in is back, and after it all goes on where it was", async (t) => {
  const people = await People.start(t, LINES);
  const page = await enter(t, people, "ann");
  const tab = await openTab(page.context(), room(people));
  await live(tab);
  const write = (words) => people.server.publish("chat/lobby", { name: "Bob", text: words }, { token: people.tokens.bob });
  await write("before");
  for (const one of [page, tab]) await reads(one, ["Bob: before"]);
  await page.locator("#text").fill("half a sen");
  const asked = [];
  for (const one of [page, tab]) one.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await people.change({ bob: BOB });
  for (const one of [page, tab]) {
    await seen(one, "#login-form");
    assert.equal(await text(one, "#access-words"), "Your login has ended. Log in to continue.");
    for (const hidden of ["#scroll", "#composer"]) assert.ok(await one.locator(hidden).isHidden());
  }
  await write("meanwhile");
  await people.change(LINES);
  await logIn(page, people.tokens.ann);
  for (const one of [page, tab]) await reads(one, ["Bob: before", "Bob: meanwhile"]);
  await write("after");
  for (const one of [page, tab]) await reads(one, ["Bob: before", "Bob: meanwhile", "Bob: after"]);
  assert.equal(await page.locator("#text").inputValue(), "half a sen");
  assert.deepEqual(asked.filter((request) => request === "GET /api/chat/lobby"), [], "nothing was listed again");
  await say(page, "done");
  await until("it is there", async () => (await said(tab)).at(-1) === "Ann B.: done");
  for (const one of [page, tab]) assert.deepEqual(trouble(one), []);
});

test("what is not yet sent waits for who wrote it; another never sees it", async (t) => {
  const people = await People.start(t, LINES);
  const page = await enter(t, people, "ann");
  const cut = (route) => (route.request().method() === "POST" ? route.abort() : route.continue());
  const write = async (words, expected) => {
    await page.route("**/api/chat/lobby", cut);
    await say(page, words);
    await reads(page, [...expected, `pending Ann B.: ${words}`]);
    await page.locator("#logOut").click();
    await seen(page, "#login-form");
    await page.unroute("**/api/chat/lobby", cut);
  };
  await write("one", []);
  await logIn(page, people.tokens.ann);
  await reads(page, ["Ann B.: one"]);
  await write("two", ["Ann B.: one"]);
  await logIn(page, people.tokens.bob);
  await reads(page, ["Ann B.: one"]);
  await say(page, "three");
  await reads(page, ["Ann B.: one", "Bob: three"]);
  await page.locator("#logOut").click();
  await logIn(page, people.tokens.ann);
  await reads(page, ["Ann B.: one", "Bob: three"]);
});

test("who may read, but not write, is told why, and has nothing to write into", async (t) => {
  const people = await People.start(t, {
    anonymous: "read=chat/*,users", ann: ANN, eve: "read=chat/* as=Eve", max: "publish=chat/* read=chat/*",
  });
  const page = await openPage(t, browser, room(people));
  await live(page);
  assert.equal(await text(page, "#access-words"), "Log in to write here.");
  for (const hidden of ["#composer", "#name-form", "#login-form", "#claim-again"]) assert.ok(await page.locator(hidden).isHidden(), hidden);
  await page.locator("#openLogin").press("Enter");
  await until("the field has the focus", () => page.locator("#token").evaluate((e) => e === document.activeElement));
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#login-form").isHidden());
  assert.ok(await page.locator("#openLogin").evaluate((e) => e === document.activeElement));
  for (const [name, words, shown] of [["eve", /may read this room, but not write/, "Eve"], ["max", /no name to write under/, "max"]]) {
    const theirs = await openPage(t, browser, room(people));
    await theirs.locator("#showLogin").click();
    await logIn(theirs, people.tokens[name]);
    await until("it is told", async () => words.test(await text(theirs, "#access-words")));
    for (const hidden of ["#composer", "#name-form", "#openLogin", "#login-form"]) assert.ok(await theirs.locator(hidden).isHidden(), hidden);
    assert.equal(await text(theirs, "#account-name"), shown);
  }
  const users = await openPage(t, browser, people.server.origin);
  await live(users);
  assert.ok(await users.locator("#form").isHidden());
  assert.ok(await users.locator("#login-form").isHidden());
  assert.ok(await users.locator("#empty").isVisible());
});

test("where names are free but for those that are proven, one gives a name, and is told what it is worth", async (t) => {
  const people = await People.start(t, { anonymous: "publish=chat/* read=chat/* as=*", ann: ANN });
  const page = await openPage(t, browser, room(people));
  await seen(page, "#name-form");
  assert.match(await text(page, "#claim"), /^Your name isn’t verified, and others can use it too/);
  await page.locator("#name").fill("Max");
  await page.locator("#join").click();
  await live(page);
  await say(page, "Hello");
  await reads(page, ["Max: Hello"]);
  assert.ok(await page.locator("#rename").isVisible());
  const ann = await openPage(t, browser, room(people));
  await ann.locator("#showLogin").click();
  await logIn(ann, people.tokens.ann);
  await seen(ann, "#logOut");
  assert.ok(!(await saysClaim(ann)));
  await reads(ann, ["Max: Hello"]);
  // Who takes a name that is proven is refused, and sees it.
  await page.locator("#rename").click();
  await page.locator("#name").fill("Ann B.");
  await page.locator("#join").click();
  await say(page, "I am Ann");
  await until("it is refused", async () => /Nothing proves that the name/.test(await text(page, "[data-state=failed] .mark")));
});

test("too many attempts are told, and when to try again", async (t) => {
  const people = await People.start(t, LINES);
  const page = await openPage(t, browser, room(people));
  await page.route("**/api/session", (route) => (route.request().method() === "POST"
    ? route.fulfill({ status: 429, headers: { "Retry-After": "7" }, contentType: "application/problem+json", body: "{}" })
    : route.continue()));
  await logIn(page, "sse_guess");
  await until("it is told", async () => (await text(page, "#login-error")) === "Too many attempts. Try again in 7 s.");
  await page.unrouteAll();
  await people.server.kill();
  await logIn(page, people.tokens.ann);
  await until("it is told", async () => (await text(page, "#login-error")) === "Not logged in: The server cannot be reached.");
  assert.equal(await page.locator("#token").inputValue(), people.tokens.ann, "what was typed is still there");
});

test("who cannot reach the server is not logged out, and is told so", async (t) => {
  const people = await People.start(t, LINES);
  const page = await enter(t, people, "ann");
  await people.server.kill();
  await page.locator("#logOut").click();
  await until("it is told", async () => (await text(page, "#login-error")) === "Not logged out: The server cannot be reached.");
});

test("the status page and the link to it are for who is granted status", async (t) => {
  const people = await People.start(t, LINES);
  const page = await openPage(t, browser, `${people.server.origin}/status`);
  await logIn(page, people.tokens.bob);
  await until("it is Bob's", async () => (await text(page, "#access-words")) === "Bob may not read this. Log in with a token that grants access.");
  assert.ok(await page.locator("#figures").isHidden());
  assert.match(await state(page), /^No access: You may not read this/);
  await logIn(page, people.tokens.ann);
  await live(page);
  await until("there are figures", async () => /^\d+\ss$/.test(await text(page, "#uptime")));
  await page.goto(room(people));
  await live(page);
  assert.ok(await page.locator(".pages [href$=status]").isVisible());
  const bob = await enter(t, people, "bob");
  assert.ok(await bob.locator(".pages [href$=status]").isHidden());
});

test("rooms: those that one may read are named, others are not asked for", async (t) => {
  const people = await People.start(t, { bob: BOB, eve: "publish=chat/lobby read=chat/lobby,chat/attic,news as=Eve" });
  await people.server.publish("chat/attic", { name: "Bob", text: "up here" }, { token: people.tokens.bob });
  const page = await openPage(t, browser, room(people));
  await page.evaluate(() => localStorage.setItem("sse-chat-rooms", '["cellar"]'));
  await page.reload();
  await logIn(page, people.tokens.eve);
  await live(page);
  await until("what is new is counted", async () =>
    (await page.locator("#rooms a").allTextContents()).join() === "lobby,attic1");
  assert.deepEqual(page.trouble, []);
  const bob = await enter(t, people, "bob", room(people, "attic"));
  await bob.goto(room(people));
  await live(bob);
  await people.server.publish("chat/attic", { name: "Eve", text: "and here" }, { token: people.tokens.bob }).catch(() => {});
  await people.server.publish("chat/attic", { text: "by nobody" }, { token: people.tokens.bob });
  await until("what comes is counted", async () =>
    (await bob.locator("#rooms a").allTextContents()).some((name) => /^attic[12]$/.test(name)));
  assert.deepEqual(bob.trouble, []);
});

test("a page that may come back from the browser's memory is not to be seen by the next person", async (t) => {
  const people = await People.start(t, LINES);
  const page = await enter(t, people, "ann");
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
  assert.ok(await page.locator("body").isHidden());
  const loaded = page.waitForEvent("load");
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await loaded;
  await live(page);
  assert.ok(await page.locator("body").isVisible());
});

test("a page of another origin has a token of its own: it lists, follows and posts, and asks for the next in time", async (t) => {
  const web = await tempFolder(t);
  await writeFile(path.join(web, "index.html"), `<!doctype html><title>elsewhere</title><link rel="icon" href="data:,">`);
  const elsewhere = await Server.start(t, { args: ["--web", web] });
  const people = await People.start(t, LINES, { args: ["--cors", elsewhere.origin] });
  await people.server.publish("chat/lobby", { text: "before" }, { token: people.tokens.bob });
  const page = await openPage(t, browser, elsewhere.origin);
  await page.evaluate(async ([base, tokens]) => {
    const { post, settings, subscribe } = await import("/sse.js");
    globalThis.texts = [];
    Object.assign(settings, { base, token: async (failure) => (failure ? tokens.shift() && tokens[0] : tokens[0]) });
    const add = ({ id, data }) => id && globalThis.texts.push(data.text);
    subscribe("chat/lobby", { list: (events) => events.forEach(add), event: add });
    await post("chat/lobby", { name: "Ann B.", text: "mine" });
  }, [`${people.server.origin}/`, [people.tokens.ann, people.tokens.bob]]);
  const has = (...texts) => until("all is there", async () => (await page.evaluate(() => globalThis.texts.join())) === texts.join());
  await has("before", "mine");
  await people.change({ bob: BOB });
  await people.server.publish("chat/lobby", { text: "after" }, { token: people.tokens.bob });
  await has("before", "mine", "after");
  assert.deepEqual(trouble(page), []);
});

test("axe-core finds nothing, nothing sticks out at 360 pixels, and Korean is Korean", async (t) => {
  const people = await People.start(t, LINES);
  for (const [colorScheme, width, locale] of [["light", 360, "en-GB"], ["dark", 1280, "en-GB"], ["dark", 360, "ko-KR"]]) {
    const options = { colorScheme, locale, viewport: { width, height: 740 } };
    const profile = await openProfile(t, browser, { ...options, bypassCSP: true });
    const check = async (page, what) => {
      assert.equal(await overflow(page), 0, what);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), [], what);
      if (locale !== "ko-KR") return;
      const words = await page.locator("#access, #account").evaluateAll((all) =>
        all.flatMap((e) => [...e.querySelectorAll("p, label, button, span")]).filter((e) => e.textContent).map((e) => e.textContent));
      assert.deepEqual(words.filter((one) => !/[가-힣]/.test(one)), [], what);
    };
    for (const path of ["/", "/chat/lobby", "/status"]) {
      const page = await openTab(profile, people.server.origin + path);
      await seen(page, "#login-form");
      await check(page, `${path} ${locale} closed`);
      await logIn(page, "sse_wrong");
      await until("it is told", () => text(page, "#login-error"));
      await check(page, `${path} ${locale} wrong`);
    }
    const page = await openTab(profile, room(people));
    await logIn(page, people.tokens.ann);
    await seen(page, "#composer");
    await check(page, `${locale} open`);
  }
});
