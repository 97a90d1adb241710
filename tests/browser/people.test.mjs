// SPDX-License-Identifier: MIT
// The people of the chat in Chromium: who is who, who calls whom, what one has begun to write, and what is printed.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { People, Server, enter, launch, live, openPage, openProfile, openTab, overflow, reads, said, say, until } from "./helper.mjs";
import { moduleOf } from "./modules.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 320, height: 640 };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const room = (server, name = "lobby") => `${server.origin}/chat/${name}`;

/** A page of a browser whose messages have that token. */
const openAs = (t, server, token, options = { viewport: WIDE }, name = "lobby") =>
  openPage(t, browser, room(server, name), options, (page) =>
    page.addInitScript((token) => localStorage.setItem("sse-chat-author", JSON.stringify(token)), token));

const hide = (page, hidden) => page.evaluate((hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}, hidden);

/** Each message with what stands after its author's name. */
const tagged = (page) => page.evaluate(() => [...document.querySelectorAll("#log .message")].map((row) =>
  [".who bdi", ".tag", ".text"].map((part) => row.querySelector(part).textContent).join("|")));
const tags = async (page, expected) => {
  let seen;
  await until("all are there, each with who it is by", async () => (seen = (await tagged(page)).join()) === expected.join())
    .catch((error) => {
      throw new Error(`${error.message}\nwanted ${expected}\nseen   ${seen}`);
    });
};

/** Where colours are forced they are the person's own, and axe-core takes the page's for them. */
async function violations(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const rules = { "color-contrast": { enabled: !matchMedia("(forced-colors: active)").matches } };
    const { violations } = await axe.run(document, { resultTypes: ["violations"], rules });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`);
  });
}

/** The text that has less contrast than AA asks for, of the elements that a selector finds. */
const poor = (page, selector) => page.evaluate((selector) => {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) if (numbers(getComputedStyle(e).backgroundColor)[3] !== 0) return getComputedStyle(e).backgroundColor;
    return getComputedStyle(document.documentElement).backgroundColor;
  };
  return [...document.querySelectorAll(selector)].map((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((x, y) => y - x);
    return { text: element.textContent, ratio: (a + 0.05) / (b + 0.05) };
  }).filter(({ ratio }) => ratio < 4.5).map(({ text, ratio }) => `${text}: ${ratio.toFixed(2)}`);
}, selector);

test("who it is by: tokens, names that look alike, initials, colours", async () => {
  const { hueOf, initialOf, isShared, meet, tokenOf } = await import(moduleOf("chat-authors.js"));
  for (const author of ["abcd", "a_-9".repeat(16)]) assert.equal(tokenOf({ author }), author);
  for (const author of ["abc", "a".repeat(65), "a b c d", "\u202eabcd", 12345, null, {}, undefined]) assert.equal(tokenOf({ author }), "");
  assert.deepEqual(["Ada", "ada", "éa", "김철수", "(Bob)", "🦀 crab", "🦀", "ß", "٣", ""].map(initialOf),
    ["A", "A", "É", "김", "B", "C", "🦀", "S", "٣", "?"]);
  const hues = Array.from({ length: 200 }, (_, i) => hueOf({ name: "Ada", author: `token${i}` }));
  assert.deepEqual([...new Set(hues)].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(hueOf({ name: "Ada", author: "" }), hueOf({ name: "ada", author: "" }));
  assert.equal(meet({ name: "Ada", author: "one1" }), false);
  assert.equal(meet({ name: "Ada", author: "one1" }), false);
  assert.ok(!isShared("Ada"));
  assert.equal(meet({ name: "Ad\u200ba", author: "two2" }), true, "it looks the same");
  assert.ok(isShared("Ada") && isShared("ａｄａ"));
  assert.equal(meet({ name: "ADA", author: "three" }), false, "it is known");
  for (let i = 0; i < 3_000; i += 1) meet({ name: `n${i}`, author: "" });
  assert.ok(!isShared("Ada"), "so many are remembered, and no more");
});

test("two people with one name are told apart, in what was said before too; a terminal is a third", async (t) => {
  const server = await Server.start(t);
  const one = await openAs(t, server, "aaaa1111");
  const two = await openAs(t, server, "bbbb2222");
  for (const page of [one, two]) await enter(page, "Ada");
  await say(one, "I am Ada");
  await tags(two, ["Ada||I am Ada"]);
  await tags(one, ["Ada||I am Ada"]);
  await two.locator("#text").pressSequentially("So");
  await until("the other Ada is typing", async () => /Ada.* is typing/.test(await one.locator("#typing").textContent()));
  assert.equal(await two.locator("#typing").textContent(), "", "but not to herself");
  await say(two, "So am I");
  await tags(one, ["Ada|you|I am Ada", "Ada|bbbb|So am I"]);
  await tags(two, ["Ada|aaaa|I am Ada", "Ada|you|So am I"]);
  await server.publish("chat/lobby", { name: "Ada", text: "from a terminal" });
  await tags(two, ["Ada|aaaa|I am Ada", "Ada|you|So am I", "Ada||from a terminal"]);
  // Each with a head of its own, and with colours of their own.
  assert.equal(await one.locator(".message.first").count(), 3);
  const colours = await one.locator("#log .who b").evaluateAll((all) => all.map((e) => getComputedStyle(e).color));
  assert.equal(new Set(colours.slice(0, 2)).size, 2);
  assert.deepEqual(await one.locator("#log .avatar").allTextContents(), ["A", "A", "A"]);
  assert.deepEqual(await one.locator(".own .text").allTextContents(), ["I am Ada"]);
  assert.equal(await one.locator(".delete").count(), 1);
  await two.reload();
  await live(two);
  await tags(two, ["Ada|aaaa|I am Ada", "Ada|you|So am I", "Ada||from a terminal"]);
  assert.deepEqual(await (await fetch(`${server.origin}/api/chat/lobby`)).json().then((all) => all.map(({ author }) => author)),
    ["aaaa1111", "bbbb2222", undefined]);
  assert.deepEqual([...one.trouble, ...two.trouble], []);
});

for (const [look, options] of [["light", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }],
  ["forced colours", { colorScheme: "dark", forcedColors: "active" }]]) {
  test(`all colours of authors can be read, nothing is cut at 320 pixels, and axe-core finds nothing: ${look}`, async (t) => {
    const server = await Server.start(t);
    const { hueOf } = await import(moduleOf("chat-authors.js"));
    const authors = Array.from({ length: 100 }, (_, i) => `token${i}`);
    for (const hue of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const author = authors.find((one) => hueOf({ name: "", author: one }) === hue);
      await server.publish("chat/lobby", { name: "Bob", author, text: "one" });
      await server.publish("chat/lobby", { name: "ليلى", author, text: "@Ada مرحبا" });
    }
    await server.publish("chat/lobby", { name: "W".repeat(64), author: "token200", text: `@Ada ${"w".repeat(300)}` });
    const page = await openPage(t, browser, room(server), { ...options, viewport: NARROW, reducedMotion: "reduce" });
    await enter(page, "Ada");
    await say(page, "mine");
    await until("all is there", async () => (await said(page)).at(-1) === "Ada: mine");
    assert.equal(await page.locator(".calling").count(), 9);
    assert.equal(new Set(await page.locator("[data-hue]").evaluateAll((all) => all.map((row) => row.dataset.hue))).size, 8);
    if (!options.forcedColors) assert.deepEqual(await poor(page, "#log .who b, #log .avatar, #log .tag, #log .text, #log mark, #log time"), []);
    const edges = await page.locator("#log .avatar").evaluateAll((all) => all.map((e) => getComputedStyle(e).borderTopColor));
    if (options.forcedColors) assert.ok(edges.every((colour) => !/, 0\)$/.test(colour)), "what has no colour has an edge");
    assert.equal(await overflow(page), 0);
    assert.deepEqual(await violations(page), []);
    await page.locator("#panel-toggle").click();
    assert.deepEqual(await violations(page), [], "the panel");
    await page.locator("#rename").click();
    assert.equal(await overflow(page), 0);
    for (const part of ["#name", "#join", "#cancel"]) {
      const { x, width } = await page.locator(part).boundingBox();
      assert.ok(x >= 0 && x + width <= NARROW.width && width > 60, part);
    }
    assert.deepEqual(await violations(page), [], "another name");

    const users = await openPage(t, browser, server.origin, { ...options, viewport: NARROW, reducedMotion: "reduce" });
    await live(users);
    await users.route("**/api/users", (route) => (route.request().method() === "POST"
      ? route.fulfill({ status: 400, contentType: "application/problem+json", body: '{"detail":"not today"}' }) : route.continue()));
    const add = async (first) => {
      await users.locator("#firstname").fill(first);
      await users.locator("#lastname").fill("W".repeat(60));
      await users.locator("#add").click();
    };
    await add("John");
    await until("it is refused", async () => /Not today\.$/.test(await users.locator("#form-error").textContent()));
    await users.unroute("**/api/users");
    await server.kill();
    await add("Ada");
    await until("it waits", () => users.locator("#waiting li").count());
    assert.equal(await overflow(users), 0);
    assert.deepEqual(await violations(users), [], "users who wait");
  });
}

test("what waits to be sent below another's message says whose it is, and below one's own does not", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server), { viewport: WIDE });
  await enter(page, "Ada");
  await server.publish("chat/lobby", { name: "Bob", author: "token200", text: "hello" });
  await reads(page, ["Bob: hello"]);
  await page.route("**/api/chat/lobby", () => {});
  const names = () => page.locator("#pending .who:not(.unseen-text)").allTextContents();
  const wait = async (text, count) => {
    await page.locator("#text").fill(text);
    await page.keyboard.press("Enter");
    await until("it waits", async () => (await page.locator("#pending .text").count()) === count);
  };
  await wait("mine", 1);
  assert.match((await names()).join(), /^\S*Ada/);
  await wait("and mine", 2);
  assert.equal((await names()).length, 1);
});

test("each message tells its time: at once, by the pointer, or by the keyboard in the log", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server), { viewport: WIDE });
  await enter(page, "Ada");
  for (let i = 0; i < 3; i += 1) await server.publish("chat/lobby", { name: "Bob", text: `m${i}` });
  await reads(page, ["Bob: m0", "Bob: m1", "Bob: m2"]);
  // A minute that ends meanwhile is told by itself.
  const shown = () => page.locator("#log .mark").evaluateAll((all) => all.map((e) => Number(getComputedStyle(e).opacity)));
  const same = await page.locator("#log .mark").evaluateAll((all) => all.map((e) => e.classList.contains("same")));
  assert.equal(same[0], false);
  await page.mouse.move(0, 0);
  await until("what says nothing new is calm", async () => (await shown()).join() === same.map((one) => (one ? 0 : 1)).join());
  await page.locator(".message").nth(1).hover();
  await until("by the pointer", async () => (await shown())[1] === 1);
  await page.mouse.move(0, 0);
  await page.locator("#text").focus();
  await page.keyboard.press("Shift+Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "scroll");
  await until("by the keyboard", async () => (await shown()).join() === "1,1,1");
  const finger = await openPage(t, browser, room(server), { viewport: NARROW, hasTouch: true, isMobile: true });
  await reads(finger, ["Bob: m0", "Bob: m1", "Bob: m2"]);
  assert.deepEqual(await finger.locator("#log .mark").evaluateAll((all) => all.map((e) => getComputedStyle(e).opacity)), ["1", "1", "1"]);
});

test("what is written from right to left begins beside its name, and keeps its own direction", async (t) => {
  const server = await Server.start(t);
  await server.publish("chat/lobby", { name: "Bob", text: "שלום" });
  await server.publish("chat/lobby", { name: "ليلى (1)", text: "مرحبا بالجميع!" });
  for (const viewport of [WIDE, NARROW]) {
    const page = await openPage(t, browser, room(server), { viewport });
    await until("both are there", async () => (await page.locator("#log .message").count()) === 2);
    for (const row of await page.locator("#log .message").all()) {
      const [name, text] = await row.evaluate((element) => ["b", ".text"].map((part) => {
        const range = document.createRange();
        range.selectNodeContents(element.querySelector(part));
        const { left } = range.getBoundingClientRect();
        return left;
      }));
      assert.ok(Math.abs(name - text) < 40, `the name at ${name}, the text at ${text}`);
      assert.equal(await row.locator(".text").evaluate((e) => getComputedStyle(e).direction), "rtl");
    }
    assert.deepEqual(await page.locator("#log bdi").allTextContents(), ["Bob", "ليلى (1)"]);
  }
});

/** Counts in notes what is shown, and in asked how often leave is asked for; answer: what the person says. */
const fakeNotifications = (answer) => (page) => page.addInitScript((answer) => {
  Object.assign(globalThis, { notes: [], asked: 0 });
  globalThis.Notification = class extends EventTarget {
    static permission = "default";
    static requestPermission = async () => {
      globalThis.asked += 1;
      return (Notification.permission = answer);
    };
    constructor(title, options) {
      super();
      if (Notification.permission === "granted") notes.push(`${title}: ${options.body}`);
    }
  };
}, answer);

test("who is mentioned sees it in the text, in the title and in the list of rooms, and is notified once they asked for it", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser, { viewport: WIDE });
  const page = await openTab(profile, room(server, "side"));
  await enter(page, "Ann B.");
  await page.goto(room(server));
  await live(page);
  await fakeNotifications("granted")(page);
  await page.reload();
  await live(page);
  const tell = (text, topic = "chat/lobby") => server.publish(topic, { name: "Bob", text });
  const calm = ["@Ann", "@Ann B.C", "x@Ann B.", "Ann B.", "https://example.com/@Ann B."];
  const calling = ["@Ann B.", "(@ann b.), look", "to @Ann B.: yes", "@Bob @Ann B."];
  for (const text of [...calm, ...calling]) await tell(text);
  await until("all are there", async () => (await said(page)).length === calm.length + calling.length);
  assert.deepEqual(await page.locator(".calling .text").allTextContents(), calling);
  assert.deepEqual(await page.locator("mark").allTextContents(), ["@Ann B.", "@ann b.", "@Ann B.", "@Ann B."]);
  await say(page, "I am @Ann B.");
  await until("it is there", async () => (await said(page)).at(-1) === "Ann B.: I am @Ann B.");
  assert.equal(await page.locator("mark").count(), 4, "not by oneself");
  assert.equal(await page.title(), "lobby · Chat");

  await hide(page, true);
  await tell("no name");
  await until("it is counted", async () => (await page.title()) === "(1) lobby · Chat");
  await tell("@Ann B. come");
  await until("so is the mention", async () => (await page.title()) === "@ (2) lobby · Chat");
  assert.deepEqual(await page.evaluate(() => [asked, notes.length]), [0, 0], "nobody is asked, or notified, by itself");
  await hide(page, false);
  await until("it is read", async () => (await page.title()) === "lobby · Chat");
  await page.getByLabel("Notify me of mentions").check();
  assert.equal(await page.evaluate(() => asked), 1);
  await tell("@Ann B. seen", "chat/lobby");
  await until("it is there", async () => (await said(page)).at(-1) === "Bob: @Ann B. seen");
  await hide(page, true);
  await tell("again no name");
  await tell("@Ann B. here");
  await tell("@Ann B. there", "chat/side");
  await until("the other room calls", async () => (await page.locator(".badge").allTextContents()).join() === "@ 1");
  await until("both are notified", async () => (await page.evaluate(() => notes.length)) === 2);
  assert.deepEqual(await page.evaluate(() => notes), ["\u2068Bob\u2069 mentions you · lobby: @Ann B. here", "\u2068Bob\u2069 mentions you · side: @Ann B. there"]);
  await hide(page, false);
  await until("the other room still calls", async () => (await page.title()) === "@ lobby · Chat");
  const side = await openTab(profile, room(server, "side"));
  await until("it is read there", async () => (await side.locator("mark").allTextContents()).join() === "@Ann B.");
  await until("and so here", async () => (await page.title()) === "lobby · Chat");
  assert.deepEqual(page.trouble, []);
});

test("who says no to the browser's question gets no notifications; after a name in Korean a word may go on", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server), { viewport: WIDE }, fakeNotifications("denied"));
  await enter(page, "에이다");
  await page.getByLabel("Notify me of mentions").click();
  await until("the box is empty", async () => !(await page.getByLabel("Notify me of mentions").isChecked()));
  await hide(page, true);
  await server.publish("chat/lobby", { name: "Bob", text: "@에이다님, 안녕하세요" });
  await until("it calls", async () => (await page.locator(".calling mark").allTextContents()).join() === "@에이다");
  assert.equal(await page.title(), "@ (1) lobby · Chat");
  await hide(page, false);
  await page.locator("#scroll").evaluate((e) => e.dispatchEvent(new Event("scroll")));
  assert.deepEqual(await page.evaluate(() => notes), []);
});

test("what one has begun to write is there after a reload, in its room alone, until it is sent", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server), { viewport: WIDE });
  const text = page.locator("#text");
  await enter(page, "Ada");
  await text.pressSequentially("half a sen");
  await page.reload();
  await live(page);
  assert.equal(await text.inputValue(), "half a sen");
  await page.goto(room(server, "side"));
  await live(page);
  assert.equal(await text.inputValue(), "");
  await text.fill("another\nroom");
  await page.goto(room(server));
  await live(page);
  assert.equal(await text.inputValue(), "half a sen");
  await text.pressSequentially("tence");
  await text.press("Enter");
  await reads(page, ["Ada: half a sentence"]);
  await page.reload();
  await live(page);
  assert.equal(await text.inputValue(), "");
  await page.goto(room(server, "side"));
  await live(page);
  assert.equal(await text.inputValue(), "another\nroom");
});

test("a draft is for who wrote it: another person who logs in does not see it", async (t) => {
  const people = await People.start(t, { ann: "publish=chat/* read=chat/* as=Ann", bob: "publish=chat/* read=chat/* as=Bob" });
  const page = await openPage(t, browser, room(people.server), { viewport: WIDE });
  const logIn = async (name) => {
    await page.locator("#token").fill(people.tokens[name]);
    await page.locator("#logIn").click();
    await live(page);
  };
  await page.locator("#token").waitFor();
  await logIn("ann");
  await page.locator("#text").fill("a secret");
  await page.reload();
  await live(page);
  assert.equal(await page.locator("#text").inputValue(), "a secret");
  await page.context().clearCookies(); // the log-in ends by itself
  await page.reload();
  await page.locator("#token").waitFor();
  await logIn("bob");
  assert.equal(await page.locator("#text").inputValue(), "");
  await page.locator("#text").fill("of Bob");
  await page.locator("#logOut").click();
  await page.locator("#token").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem("sse-chat-drafts")), null);
});

test("another name can be given up, by Cancel and by Escape: the name and what was being written stay", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, room(server), { viewport: WIDE });
  await live(page);
  assert.ok(await page.locator("#cancel").isHidden(), "there is no name to go back to");
  assert.equal(await page.locator("#join").textContent(), "Join");
  await enter(page, "Ada");
  await page.locator("#text").fill("half a sen");
  for (const giveUp of [() => page.getByRole("button", { name: "Cancel" }).click(), () => page.keyboard.press("Escape")]) {
    await page.locator("#rename").click();
    assert.equal(await page.locator("#name").evaluate((e) => e === document.activeElement && e.value), "Ada");
    assert.equal(await page.locator("#join").textContent(), "Change");
    await page.locator("#name").fill("Grace");
    await giveUp();
    assert.ok(await page.locator("#name-form").isHidden());
    assert.equal(await page.locator("#text").evaluate((e) => e === document.activeElement && e.value), "half a sen");
  }
  assert.equal(await page.locator("#me").textContent(), "Ada");
  await page.keyboard.press("Enter");
  await reads(page, ["Ada: half a sen"]);
  assert.equal(await page.evaluate(() => localStorage.getItem("sse-chat-name")), '"Ada"');
});

test("on paper each page has what it shows, dark on white, in one piece, and nothing to press", async (t) => {
  const server = await Server.start(t);
  const count = 100;
  for (let i = 0; i < count; i += 1) {
    await server.publish("chat/lobby", { name: `P${i % 3}`, text: `m${i}` });
    await server.post("Ada", `number ${i}`);
  }
  const profile = await openProfile(t, browser, { colorScheme: "dark", viewport: { width: 360, height: 640 } });
  const first = { "/chat/lobby": ".message .text", "/": "#list .name", "/status": "#topics td", "/try?topic=users": ".frame .head b" };
  for (const [path, what] of Object.entries(first)) {
    const page = await openTab(profile, server.origin + path);
    await live(page);
    if (path.startsWith("/try")) {
      await page.locator("#start").selectOption("all");
      await page.locator("#connect").click();
    }
    await until("it shows something", async () => (await page.locator(what).count()) >= (path === "/status" ? 1 : 60));
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    for (const element of await page.locator("button, input, textarea, nav, .connection, aside").all())
      assert.ok(await element.isHidden(), `${path}: ${await element.evaluate((e) => e.outerHTML.slice(0, 80))}`);
    assert.deepEqual(await poor(page, `h1, ${what}`), [], path);
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), "rgb(255, 255, 255)");
    const cut = await page.evaluate(() => [...document.querySelectorAll("main *")].filter((e) =>
      /auto|scroll|hidden/.test(getComputedStyle(e).overflowY) && e.checkVisibility() && e.scrollHeight > e.clientHeight + 2 && e.clientHeight > 2).map((e) => e.id));
    assert.deepEqual(cut, [], `${path}: nothing is out of sight`);
    const pages = (await page.pdf({ format: "A4" })).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
    assert.ok(path === "/status" ? pages >= 1 : pages >= 2, `${path}: ${pages} pages`);
  }
});
