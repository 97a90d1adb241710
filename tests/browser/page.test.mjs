// SPDX-License-Identifier: MIT
// The users page in Chromium against the real server: what a person sees, by mouse and keyboard,
// when all is well and when the server dies, restarts, or answers nonsense.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { Server, launch, live, names, openPage, overflow, shows, state, tempFolder, until, tryNow } from "./helper.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const problem = (status, title, detail, headers = {}) => ({
  status,
  contentType: "application/problem+json",
  headers,
  body: JSON.stringify({ title, status, detail }),
});

/** Lets the form's next request reach the server without the last name, which the server refuses. */
const spoil = (page) =>
  page.route("**/api/users", (route) => {
    const request = route.request();
    if (request.method() !== "POST") return route.continue();
    return route.continue({ postData: JSON.stringify({ firstname: request.postDataJSON().firstname }) });
  });

const fill = async (page, first, last) => {
  await page.getByLabel("First name").fill(first);
  await page.getByLabel("Last name").fill(last);
};

test("the page lists what is stored, newest on top, and follows from there", async (t) => {
  const server = await Server.start(t);
  await server.post("John", "DOE");
  await server.post("Ada", "LOVELACE");
  const page = await openPage(t, browser, server.origin);
  await live(page);
  assert.equal(await page.title(), "Users");
  await shows(page, ["Ada LOVELACE", "John DOE"]);
  assert.equal(await page.locator("#list .mark").count(), 0, "nothing is marked as new yet");

  await server.post("Grace", "HOPPER");
  await shows(page, ["Grace HOPPER", "Ada LOVELACE", "John DOE"]);
  assert.equal(await page.locator("#list li").first().locator(".mark b").textContent(), "new");
  assert.equal(await page.locator("#list .mark").count(), 1);
  assert.equal(await page.locator("#count").textContent(), "3");
  await until("the arrival is announced", async () =>
    (await page.locator("#announce").textContent()) === "New: Grace HOPPER");

  await page.reload();
  await live(page);
  await shows(page, ["Grace HOPPER", "Ada LOVELACE", "John DOE"]);
  assert.equal(await page.locator("#list .mark").count(), 0);
  assert.deepEqual(page.trouble, []);
});

test("an empty list invites the first user, and goes live from its Last-Event-ID", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  assert.ok(await page.locator("#empty").isVisible());
  assert.equal(await page.locator("#count").textContent(), "0");
  await server.post("John", "DOE");
  await shows(page, ["John DOE"]);
  assert.ok(await page.locator("#empty").isHidden());
});

test("the commands to try name the address that the page came from", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin, { viewport: { width: 1280, height: 800 } });
  await live(page);
  const commands = await page.locator("#terminal code").allTextContents();
  assert.ok(commands.some((text) => text === `sse-tail ${server.origin}/api/users/event`), commands.join("\n"));
  assert.ok(commands.some((text) => text.startsWith("curl ") && text.endsWith(`\n${server.origin}/api/users`)));
  await page.locator("#terminal code").first().click();
  assert.equal(await page.evaluate(() => String(getSelection())), commands[0]);
});

test("the form adds a user, who appears exactly once", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  await fill(page, "  John ", "DOE");
  await page.getByRole("button", { name: "Add" }).click();
  await shows(page, ["John DOE"]);
  await until("the fields are empty again", async () => (await page.getByLabel("First name").inputValue()) === "");
  assert.equal(await page.getByLabel("Last name").inputValue(), "");
  await until("the focus is back in the first field", () =>
    page.evaluate(() => document.activeElement.id === "firstname"));
  await server.post("Ada", "LOVELACE"); // had the first come twice, this one would stand third
  await shows(page, ["Ada LOVELACE", "John DOE"]);
  assert.deepEqual(page.trouble, []);
});

test("two pages at once both get each user exactly once", async (t) => {
  const server = await Server.start(t);
  const one = await openPage(t, browser, server.origin);
  const two = await openPage(t, browser, server.origin);
  await Promise.all([live(one), live(two)]);
  await fill(one, "John", "DOE");
  await one.getByRole("button", { name: "Add" }).click();
  await Promise.all([shows(one, ["John DOE"]), shows(two, ["John DOE"])]);
  await fill(two, "Ada", "LOVELACE");
  await two.getByRole("button", { name: "Add" }).click();
  await Promise.all([shows(one, ["Ada LOVELACE", "John DOE"]), shows(two, ["Ada LOVELACE", "John DOE"])]);
});

test("no seam between list and stream while somebody publishes at full speed", async (t) => {
  const server = await Server.start(t);
  const sent = [];
  let publishing = true;
  const publisher = (async () => {
    while (publishing) {
      const name = `N${sent.length}`;
      await server.post(name, "X");
      sent.unshift(`${name} X`);
    }
  })();
  const pages = [];
  for (let i = 0; i < 3; i += 1) {
    const page = await openPage(t, browser, server.origin);
    await live(page);
    await until("some arrive by the stream", async () => (await page.locator("#list .new").count()) > 3);
    pages.push(page);
  }
  publishing = false;
  await publisher;
  for (const page of pages) {
    await until("the older ones are loaded", async () => {
      const older = page.locator("#older");
      if (await older.isVisible()) await older.click({ timeout: 1000 }).catch(() => {}); // they load by themselves, too
      return older.isHidden();
    });
    await shows(page, sent);
  }
});

test("the server is killed and comes back: nothing is lost, nothing is doubled", async (t) => {
  const server = await Server.start(t);
  await server.post("John", "DOE");
  const page = await openPage(t, browser, server.origin);
  await live(page);
  await server.post("Ada", "LOVELACE");
  await shows(page, ["Ada LOVELACE", "John DOE"]);

  await server.kill();
  await until("the page says that it reconnects", async () => /^Reconnecting/.test(await state(page)));
  await until("it says why", async () => (await state(page)) === "Reconnecting: The server cannot be reached.");
  assert.match(await page.locator("#when").textContent(), /^since \d\d:\d\d:\d\d, tried \d+×/);

  await server.restart();
  const expected = ["Ada LOVELACE", "John DOE"];
  for (let i = 0; i < 20; i += 1) {
    await server.post(`Early${i}`, "BIRD");
    expected.unshift(`Early${i} BIRD`);
  }
  await live(page);
  await shows(page, expected);
  await server.post("Late", "BIRD");
  await shows(page, ["Late BIRD", ...expected]);
  assert.ok(await page.locator("#notice").isHidden(), "there was no gap to tell of");
});

test("killed again and again while somebody publishes, two pages agree with what was acknowledged", async (t) => {
  const server = await Server.start(t);
  const pages = [await openPage(t, browser, server.origin), await openPage(t, browser, server.origin)];
  await Promise.all(pages.map(live));
  const acknowledged = [];
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 15; i += 1) {
      await server.post(`R${round}-${i}`, "X");
      acknowledged.unshift(`R${round}-${i} X`);
    }
    await server.restart();
    // Do not wait for the browser's own moment.
    for (const page of pages) {
      await until("the page noticed", async () =>
        (await page.locator("#try-now").isVisible()) || /^Live/.test(await state(page)));
      await tryNow(page);
    }
  }
  for (const page of pages) {
    await live(page);
    await shows(page, acknowledged);
  }
});

test("a server that starts over with an empty database: the page says so and shows its list", async (t) => {
  const server = await Server.start(t);
  await server.post("John", "DOE");
  const page = await openPage(t, browser, server.origin);
  await live(page);
  await shows(page, ["John DOE"]);
  await server.restart({ db: "another.db" });
  await server.post("Ada", "LOVELACE");
  await until("the gap is told", () => page.locator("#notice").isVisible());
  assert.match(await page.locator("#notice-text").textContent(), /different log/);
  await live(page);
  await shows(page, ["Ada LOVELACE"]);
  await server.post("Grace", "HOPPER");
  await shows(page, ["Grace HOPPER", "Ada LOVELACE"]);
  await page.getByRole("button", { name: "Dismiss" }).click();
  assert.ok(await page.locator("#notice").isHidden());
});

test("entries that were removed before the page saw them: the page says so and loads the list", async (t) => {
  const server = await Server.start(t);
  await server.post("John", "DOE");
  let streams = 0;
  const page = await openPage(t, browser, server.origin, {}, (page) =>
    page.route("**/api/users/event?*", (route) => {
      streams += 1;
      if (streams > 1) return route.continue();
      return route.fulfill({
        status: 200,
        contentType: "text/event-stream",
        body: 'event: gap\nid: a:9\ndata: {"after":"a:1","oldest":"a:9","reason":"expired"}\n\n',
      });
    }));
  await until("the gap is told", () => page.locator("#notice").isVisible());
  assert.match(await page.locator("#notice-text").textContent(), /removed some entries/);
  await live(page);
  await shows(page, ["John DOE"]);
});

test("the server answers 503: the page says so, and comes back by itself without losing any", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  const refuse = (route) => route.fulfill(problem(503, "Service Unavailable", "The server is shutting down."));
  await page.route("**/api/users/event*", refuse);
  await server.restart();
  await until("the page says what the server said", async () =>
    (await state(page)) === "Reconnecting: The server answered 503: The server is shutting down.");
  await until("it says when it tries again", async () =>
    /^since \d\d:\d\d:\d\d(, tried \d+×)?, next try in \d+ s$/.test(await page.locator("#when").textContent()));
  await server.post("John", "DOE");
  await page.unroute("**/api/users/event*", refuse);
  await live(page); // without a click
  await shows(page, ["John DOE"]);
});

test("the list cannot be loaded at first: the page says why, and tries again", async (t) => {
  const server = await Server.start(t);
  await server.post("John", "DOE");
  let refusing = true;
  const page = await openPage(t, browser, server.origin, {}, (page) =>
    page.route("**/api/users?*", (route) =>
      refusing ? route.fulfill(problem(500, "Internal Server Error", "The disk cannot be read")) : route.continue()));
  await until("the page says what the server said", async () =>
    (await state(page)) === "Reconnecting: The server answered 500: The disk cannot be read.");
  refusing = false;
  assert.equal(await page.locator("#try-now").textContent(), "Try now");
  await tryNow(page);
  await live(page);
  await shows(page, ["John DOE"]);
});

test("something else than the list or the stream is named for what it is", async (t) => {
  const server = await Server.start(t);
  let list = true;
  let stream = true;
  const html = { status: 200, contentType: "text/html", body: "<h1>Welcome to the hotel's network</h1>" };
  const page = await openPage(t, browser, server.origin, {}, async (page) => {
    await page.route("**/api/users?*", (route) => (list ? route.fulfill(html) : route.continue()));
    await page.route("**/api/users/event*", (route) => (stream ? route.fulfill(html) : route.continue()));
  });
  await until("the list is refused", async () => /answered with text\/html/.test(await state(page)));
  assert.match(await page.locator("#connection").textContent(), /this page cannot use/);
  list = false;
  await tryNow(page);
  await shows(page, []);
  await until("the list is there", () => page.locator("#empty").isVisible());
  await until("the stream is refused", async () => /answered with text\/html/.test(await state(page)));
  stream = false;
  await tryNow(page);
  await live(page);
});

test("hostile names are shown as text, and nothing runs", async (t) => {
  const server = await Server.start(t);
  const hostile = [
    ['<img src=x onerror="alert(1)">', "<script>alert(2)</script>"],
    ["\u202Eevil\u202E", "\u2066STAYS"],
    ["__proto__", "constructor"],
    ["&lt;b&gt;", '"; alert(3); "'],
    ["👩‍👩‍👧‍👦🇰🇷", "é́́́́́́́́́́́"],
    ["אבג", "شخص"],
  ];
  const all = hostile.map(([first, last]) => `${first} ${last}`);
  for (const [first, last] of hostile.slice(0, 3)) await server.post(first, last);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  for (const [first, last] of hostile.slice(3)) await server.post(first, last);
  await shows(page, [...all].reverse());
  assert.equal(await page.locator("#list img, #list script, #list b:not(.mark b)").count(), 0);
  assert.deepEqual(
    await page.evaluate(() => [...document.querySelectorAll("#list bdi")].map((bdi) => getComputedStyle(bdi).unicodeBidi)),
    Array(2 * hostile.length).fill("isolate"),
  );
  await fill(page, "<b>bold</b>", "</li>");
  await page.getByRole("button", { name: "Add" }).click();
  await shows(page, ["<b>bold</b> </li>", ...[...all].reverse()]);
  assert.deepEqual(page.trouble, []);
});

test("text that is no user, live or stored, is a quiet notice", async (t) => {
  const server = await Server.start(t, { args: ["--tick", "1s"] });
  await server.post("John", "DOE");
  const page = await openPage(t, browser, server.origin, {}, (page) =>
    page.route("**/api/users?*", async (route) => {
      const answer = await route.fetch();
      const stored = await answer.json();
      const others = ["some text", 7, null, ["x"], { firstname: 1 }].map((data, i) => ({ topic: "users", id: `a:${i}`, data }));
      await route.fulfill({ response: answer, json: [others[0], ...stored, ...others.slice(1)] });
    }));
  await live(page);
  await until("the tick is shown", async () => (await page.locator("#note-text").textContent()) === "Hello, world!");
  await until("a second one does not add a line", async () =>
    / so far$/.test(await page.locator("#note-when").textContent()));
  await shows(page, ["John DOE"]);
  await server.post("Ada", "LOVELACE");
  await shows(page, ["Ada LOVELACE", "John DOE"]);
  assert.deepEqual(page.trouble, []);
});

test("a name that is missing is refused, by the browser and by the server", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  const posts = [];
  page.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
  const valid = (id) => page.evaluate((id) => document.getElementById(id).validity.valid, id);

  await page.getByRole("button", { name: "Add" }).click();
  assert.equal(await valid("firstname"), false);
  await fill(page, "John", "   ");
  await page.getByRole("button", { name: "Add" }).click();
  assert.equal(await valid("lastname"), false, "spaces alone are no name");
  assert.equal(await page.evaluate(() => document.activeElement.id), "lastname");
  assert.deepEqual(posts, []);

  await fill(page, "John", "X");
  await spoil(page);
  await page.getByRole("button", { name: "Add" }).click();
  const alert = page.locator("#form-error");
  await until("the server's reason is shown", async () => /lastname/.test(await alert.textContent()));
  assert.equal(await alert.getAttribute("role"), "alert");
  assert.equal(await page.getByLabel("First name").inputValue(), "John", "what was typed is kept");
  await until("the focus is in the field that is wrong", () =>
    page.evaluate(() => document.activeElement.id === "lastname"));
  assert.deepEqual(await names(page), []);

  await page.unroute("**/api/users");
  await page.getByLabel("Last name").fill("DOE");
  await page.keyboard.press("Enter");
  await shows(page, ["John DOE"]);
  assert.equal(await alert.textContent(), "", "the reason is gone");
});

/** What was added and is not yet in the list, the newest first, each with its state. */
const waiting = (page) => page.evaluate(() => [...document.querySelectorAll("#waiting li")].map((row) =>
  `${row.dataset.state} ${row.querySelector(".name").textContent}`).join());

const add = async (page, first, last) => {
  await fill(page, first, last);
  await page.getByRole("button", { name: "Add", exact: true }).click();
};

test("users who are added while the server is away wait in the browser, and are added once, in order", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  await server.kill();
  await until("it reconnects", async () => /^Reconnecting/.test(await state(page)));
  await add(page, "John", "DOE");
  await until("it is told", async () => /Kept in this browser/.test(await page.locator("#form-note").textContent()));
  assert.equal(await page.getByLabel("First name").inputValue(), "", "the form is free for the next one");
  await add(page, "Ada", "LOVELACE");
  await until("both wait", async () => (await waiting(page)) === "pending Ada LOVELACE,pending John DOE");
  assert.equal(await page.getByRole("alert").textContent(), "");
  assert.equal(await overflow(page), 0);

  await server.restart();
  await page.reload();
  await shows(page, ["Ada LOVELACE", "John DOE"]);
  await until("none waits any more", async () => (await waiting(page)) === "");
  assert.equal(await page.locator("#form-note").textContent(), "");
});

test("users who were added and not yet sent are there after a reload without the server's answer", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  await page.route("**/api/users", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
  await add(page, "John", "DOE");
  await until("it waits", async () => (await waiting(page)) === "pending John DOE");
  await page.reload();
  await live(page);
  await until("it still waits", async () => (await waiting(page)) === "pending John DOE");
  await page.unroute("**/api/users");
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await shows(page, ["John DOE"]);
  await until("none waits any more", async () => (await waiting(page)) === "");
});

test("a user who is refused while another one is typed can be sent again, or deleted", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  let refuse;
  const held = new Promise((resolve) => (refuse = resolve));
  await page.route("**/api/users", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    await held;
    return route.fulfill(problem(400, "Bad Request", "not today"));
  });
  await add(page, "John", "DOE");
  await add(page, "Ada", "LOVELACE");
  await page.getByLabel("First name").fill("Grace");
  refuse();
  await until("both are refused", async () => (await waiting(page)) === "failed Ada LOVELACE,failed John DOE");
  assert.match(await page.locator("#waiting .mark").first().textContent(), /^Not sent: The server answered 400: Not today\./);
  assert.equal(await page.getByLabel("First name").inputValue(), "Grace", "what is typed stays");
  await page.unroute("**/api/users");
  await page.locator("#waiting li", { hasText: "Ada" }).getByRole("button", { name: "Delete" }).click();
  await until("one is left", async () => (await waiting(page)) === "failed John DOE");
  await page.getByRole("button", { name: "Try again" }).click();
  await shows(page, ["John DOE"]);
  await until("none waits any more", async () => (await waiting(page)) === "");
});

test("pressing twice sends once", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  let posts = 0;
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/api/users", async (route) => {
    if (route.request().method() === "POST") {
      posts += 1;
      await held;
    }
    await route.continue();
  });
  await fill(page, "John", "DOE");
  await page.getByLabel("Last name").press("Enter");
  await until("it is being sent", () => posts === 1);
  await until("it is shown", async () => (await waiting(page)) === "pending John DOE");
  await page.getByLabel("Last name").press("Enter");
  await page.evaluate(() => document.getElementById("form").requestSubmit());
  await page.getByLabel("First name").fill("Ada");
  release();
  await shows(page, ["John DOE"]);
  assert.equal(posts, 1);
  assert.equal(await page.getByLabel("First name").inputValue(), "Ada", "typing goes on while sending");
});

test("the whole form by keyboard alone", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  const focused = () => page.evaluate(() => document.activeElement.id);
  for (let i = 0; i < 5 && (await focused()) !== "firstname"; i += 1) await page.keyboard.press("Tab");
  assert.equal(await focused(), "firstname");
  assert.notEqual(
    await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none", "focus can be seen");
  await page.keyboard.type("John");
  await page.keyboard.press("Tab");
  await page.keyboard.type("DOE");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "add");
  await page.keyboard.press("Space");
  await shows(page, ["John DOE"]);
  await until("the focus is in the first field", async () => (await focused()) === "firstname");
  await page.keyboard.type("Ada");
  await page.keyboard.press("Tab");
  await page.keyboard.type("LOVELACE");
  await page.keyboard.press("Enter");
  await shows(page, ["Ada LOVELACE", "John DOE"]);
});

test("landmarks, names and live regions are there for a screen reader", async (t) => {
  const server = await Server.start(t);
  await server.post("John", "DOE");
  const page = await openPage(t, browser, server.origin);
  await live(page);
  for (const [role, name] of [
    ["banner"], ["main"], ["heading", "Users"], ["form"], ["list", "Users, newest first"],
    ["complementary", "From a terminal"], ["region", "Add a user"], ["textbox", "First name"], ["button", "Add"],
  ]) {
    // A form has its role only with a name; this one stands in a region that has one.
    if (role === "form") continue;
    assert.equal(await page.getByRole(role, name ? { name, exact: true } : {}).count(), 1, `${role} ${name ?? ""}`);
  }
  assert.equal(await page.locator("#state").getAttribute("role"), "status");
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.match(await page.locator("body").ariaSnapshot(), /listitem: John DOE\n?/, "the number is not read out");
});

test("at 360 pixels nothing sticks out, whatever the names and the state", async (t) => {
  const server = await Server.start(t);
  await server.post("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "W".repeat(400));
  const page = await openPage(t, browser, server.origin, { viewport: { width: 360, height: 740 } });
  await live(page);
  assert.equal(await overflow(page), 0);
  await server.post("X".repeat(300), "Y Z");
  await until("the new one is shown", async () => (await names(page)).length === 2);
  assert.equal(await overflow(page), 0);
  await page.locator("summary").click();
  assert.equal(await overflow(page), 0, "with the commands open");
  await fill(page, "John", "DOE");
  await spoil(page);
  await page.getByRole("button", { name: "Add" }).click();
  await until("an error is shown", async () => (await page.getByRole("alert").textContent()) !== "");
  assert.equal(await overflow(page), 0, "with an error");
  await server.kill();
  await until("the page says that it reconnects", async () => /cannot be reached/.test(await state(page)));
  assert.equal(await overflow(page), 0, "while reconnecting");
});

test("light and dark have colours of their own, with contrast enough to read", async (t) => {
  const server = await Server.start(t);
  await server.post("John", "DOE");
  for (const colorScheme of ["light", "dark"]) {
    const page = await openPage(t, browser, server.origin, { colorScheme, viewport: { width: 1280, height: 800 } });
    await live(page);
    await server.post("Ada", colorScheme);
    await until("the new one is shown", async () => (await page.locator(".mark").count()) === 1);
    await fill(page, "John", "DOE");
    await spoil(page);
    await page.getByRole("button", { name: "Add" }).click();
    await until("an error is shown", async () => (await page.locator("#form-error").textContent()) !== "");
    const paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const [red] = paper.match(/\d+/g).map(Number);
    assert.ok(colorScheme === "light" ? red > 200 : red < 50, `${colorScheme}: ${paper}`);
    const poor = await page.evaluate(() => {
      const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
      const luminance = (colour) => {
        const [r, g, b] = numbers(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = (element) => {
        for (let e = element; e; e = e.parentElement) {
          const colour = getComputedStyle(e).backgroundColor;
          if (numbers(colour)[3] !== 0 && colour !== "transparent") return colour;
        }
        return "rgb(255, 255, 255)";
      };
      const found = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || !element.checkVisibility() || element.closest("noscript")) continue;
        element.getAnimations().forEach((animation) => animation.finish());
        element.closest("li")?.getAnimations().forEach((animation) => animation.finish());
        const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) found.push(`${node.data.trim()}: ${ratio.toFixed(2)}`);
      }
      return found;
    });
    assert.deepEqual(poor, [], colorScheme);
  }
});

test("who wants less motion gets none", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin, { reducedMotion: "reduce" });
  await live(page);
  await server.post("John", "DOE");
  await shows(page, ["John DOE"]);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".new")).animationName), "none");
});

/** So many users, from First0 on. */
async function storeUsers(server, count) {
  for (let from = 0; from < count; from += 5_000) {
    const lines = Array.from({ length: Math.min(5_000, count - from) }, (_, i) =>
      JSON.stringify({ firstname: `First${from + i}`, lastname: `Last${from + i}` }));
    const answer = await fetch(`${server.origin}/api/users`, {
      method: "POST",
      headers: { "Content-Type": "application/x-ndjson" },
      body: lines.join("\n"),
    });
    assert.equal(answer.status, 201);
  }
}

const rows = (page) => page.evaluate(() => document.querySelectorAll("#list li").length);
const firstName = (page) => page.locator("#list .name").first().textContent();
const numberOf = (page, name) => page.locator("#list li", { hasText: name }).getAttribute("data-number");

test("10,000 users: the newest are there at once, older ones as one reads down, and reading on stays calm", async (t) => {
  const server = await Server.start(t);
  await storeUsers(server, 10_000);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  assert.equal(await firstName(page), "First9999 Last9999");
  await until("they are counted", async () => (await page.locator("#count").textContent()) === "10,000");
  assert.equal(await numberOf(page, "First9999 Last9999"), "10,000");
  assert.ok((await rows(page)) < 1_000, "those that are far down are not loaded");

  const row = page.locator("#list li", { hasText: "First9000 Last9000" });
  await until("the row comes as one reads down", async () => {
    await page.evaluate(() => scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" }));
    return (await row.count()) === 1;
  });
  await row.scrollIntoViewIfNeeded();
  assert.equal(await numberOf(page, "First9000 Last9000"), "9,001");
  const top = () => row.evaluate((element) => element.getBoundingClientRect().top);
  let at;
  const rest = () => until("the page has come to rest", async () => at === (at = await top()));
  await rest();
  const before = at;
  for (let i = 0; i < 30; i += 1) await server.post(`New${i}`, "ONE");
  await until("they have arrived", async () => (await page.locator("#count").textContent()) === "10,030");
  await rest();
  assert.ok(Math.abs(at - before) < 2, `what is being read stays where it is: ${before}, then ${at}`);
  await page.getByRole("button", { name: "↑ 30 new" }).click();
  await until("the newest is in sight", () =>
    page.locator("#list li").first().evaluate((element) => element.getBoundingClientRect().top < innerHeight));
  await until("the button is gone", () => page.locator("#to-top").isHidden());
  assert.deepEqual(page.trouble, []);
});

test("to the first of 1,000 users, each is there once, with its number; one that is deleted leaves no hole", async (t) => {
  const server = await Server.start(t);
  await storeUsers(server, 1_000);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  await until("all are there", async () => {
    await page.evaluate(() => scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" }));
    return (await rows(page)) === 1_000;
  });
  const shown = await page.locator("#list li").evaluateAll((all) => all.map((row) => `${row.dataset.number} ${row.textContent}`));
  assert.deepEqual(shown, Array.from({ length: 1_000 }, (_, i) => 1_000 - i)
    .map((i) => `${i.toLocaleString("en-GB")} First${i - 1} Last${i - 1}`));
  assert.ok(await page.locator("#older").isHidden(), "there are no more");
  const { 0: { id } } = await (await fetch(`${server.origin}/api/users?envelope=1&limit=1`)).json();
  await fetch(`${server.origin}/api/users/${id}`, { method: "DELETE" });
  await until("it is gone", async () => (await firstName(page)) === "First998 Last998");
  assert.equal(await page.locator("#count").textContent(), "999");
  assert.deepEqual(page.trouble, []);
});

test("Back returns to the place in the list, among users that are not on the newest page", async (t) => {
  const server = await Server.start(t);
  await storeUsers(server, 3_000);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  const row = page.locator("#list li", { hasText: "First1500 Last1500" });
  await until("the row comes as one reads down", async () => {
    await page.evaluate(() => scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" }));
    return (await row.count()) === 1;
  });
  await row.evaluate((element) => element.scrollIntoView({ block: "center", behavior: "instant" }));
  const top = () => row.evaluate((element) => element.getBoundingClientRect().top);
  let at;
  await until("the page has come to rest", async () => at === (at = await top()));
  const before = at;
  for (const leave of [
    async () => {
      await page.evaluate(() => location.assign("chat")); // a click would scroll to the link first
      await page.waitForURL("**/chat/lobby");
      await server.post("Ada", "LOVELACE");
      await page.goBack();
    },
    () => page.reload(),
  ]) {
    await leave();
    await until("the row is back where it was", async () => (await row.count()) === 1 && Math.abs((await top()) - before) < 3);
  }
  await page.goto(`${server.origin}/chat`);
  await page.goto(server.origin);
  await live(page);
  assert.equal(await page.evaluate(() => scrollY), 0, "a new visit begins at the top");
  assert.deepEqual(page.trouble, []);
});

test("the newest of 30,000 users is there with few requests and bytes, so that a slow network shows it soon", async (t) => {
  const server = await Server.start(t);
  await storeUsers(server, 30_000);
  const asked = [];
  const page = await openPage(t, browser, "about:blank");
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 });
  page.on("request", (request) => asked.push(new URL(request.url()).pathname + new URL(request.url()).search));
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector("#list li")) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => (globalThis.firstRow = performance.now())));
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(server.origin, { waitUntil: "commit" });
  const took = await until("the first row is painted", () => page.evaluate(() => globalThis.firstRow));
  assert.equal(await firstName(page), "First29999 Last29999");
  t.diagnostic(`the first row was painted after ${Math.round(took)} ms`);
  const lists = asked.filter((url) => url.startsWith("/api/users?"));
  assert.deepEqual(lists.filter((url) => !/[?&]limit=\d+/.test(url)), [], "the whole list is not asked for");
  await live(page);
  // The rest comes after it, and at once: each module is named in the page, and none is that is not needed.
  const modules = asked.filter((url) => url.endsWith(".js"));
  assert.deepEqual(modules.slice(0, 2).sort(), ["/users-first.js", "/users-list.js"]);
  assert.ok(asked.indexOf(modules[2]) > asked.indexOf(lists[0]));
  const named = await page.locator("head > [rel=modulepreload], head > script").evaluateAll((all) => all.map((one) => new URL(one.href ?? one.src).pathname));
  assert.deepEqual([...new Set(modules)].sort(), named.sort());
  await until("they are counted", async () => (await page.locator("#count").textContent()) === "30,000");
  assert.deepEqual(page.trouble, []);
});

test("a strict Content-Security-Policy is kept, and the console stays clean", async (t) => {
  const server = await Server.start(t);
  let policy = "";
  const page = await openPage(t, browser, server.origin, {}, async (page) => {
    page.on("response", (answer) => {
      if (answer.url() === `${server.origin}/`) policy = answer.headers()["content-security-policy"] ?? "";
    });
  });
  for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"])
    assert.ok(policy.split("; ").includes(rule), `${rule} is in ${policy}`);
  const hosts = new Set();
  page.on("request", (request) => hosts.add(new URL(request.url()).origin));
  await live(page);
  await fill(page, '<img src=x onerror="alert(1)">', "DOE");
  await page.getByRole("button", { name: "Add" }).click();
  await shows(page, ['<img src=x onerror="alert(1)"> DOE']);
  await page.reload();
  await live(page);
  assert.deepEqual(page.trouble, []);
  assert.deepEqual([...hosts], [server.origin], "no other host is asked for anything");

  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.ran = true";
    document.head.append(script);
  });
  assert.equal(await page.evaluate(() => globalThis.ran), undefined, "the policy was in force");
});

test("without JavaScript the page says what it needs", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, server.origin, { javaScriptEnabled: false });
  assert.match(await page.locator("noscript").textContent(), /needs JavaScript/);
  assert.ok(await page.locator("#add").isDisabled());
  for (const path of ["/", "/try", "/chat/lobby"]) {
    await page.goto(server.origin + path);
    assert.ok(await page.locator("noscript .notice").isVisible(), path);
    assert.equal(await page.locator("form:visible").count(), 0, path);
  }
});

test("the tutorial's own client works from --web, unchanged", async (t) => {
  const web = await tempFolder(t);
  await writeFile(path.join(web, "index.html"), `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>SSE</title>
    <script src="./index.js" type="module"></script>
  </head>
  <body></body>
</html>
`);
  await writeFile(path.join(web, "index.js"), `const eventSource = new EventSource("/api/users/event");

eventSource.addEventListener("open", () => {
  console.log("Connection opened");
});

eventSource.addEventListener("error", () => {
  console.error("Connection lost");
});

eventSource.addEventListener("update", (event) => {
  console.log("Update", event.data);
});
`);
  const server = await Server.start(t, { args: ["--web", web] });
  const said = [];
  await openPage(t, browser, server.origin, {}, async (page) => {
    page.on("console", (message) => said.push(message.text()));
  });
  await until("it is connected", () => said.includes("Connection opened"));
  await server.post("John", "DOE");
  await until("the user arrives", () => said.includes('Update {"firstname":"John","lastname":"DOE"}'));
  await server.kill();
  await until("it notices the loss", () => said.includes("Connection lost"));
  await server.restart();
  await server.post("Ada", "LOVELACE");
  await until("the next one arrives", () => said.includes('Update {"firstname":"Ada","lastname":"LOVELACE"}'));
  assert.equal(said.filter((line) => line.startsWith("Update")).length, 2, "each once");
});
