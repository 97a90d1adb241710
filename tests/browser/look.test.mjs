// SPDX-License-Identifier: MIT
// What holds for all pages: axe-core's rules, a strict policy, few bytes, something to see before any
// script, Korean; and the status page.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Server, enter, launch, live, openPage, openTab, openProfile, overflow, reads, say, state, until, tryNow } from "./helper.mjs";
import { moduleOf } from "./modules.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = ["/try", "/", "/chat/lobby", "/status"];
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function violations(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`);
  });
}

const fill = async (server) => {
  await server.post("Ada", "LOVELACE");
  for (const [name, text] of [["Ada", "Hello"], ["Grace", "See https://example.com/engine"], ["Grace", "x".repeat(4000)]])
    await server.publish("chat/lobby", { name, text });
};

for (const [colorScheme, viewport] of [["light", NARROW], ["dark", WIDE]]) {
  test(`axe-core finds nothing: ${colorScheme}, ${viewport.width} pixels`, async (t) => {
    const server = await Server.start(t);
    await fill(server);
    const profile = await openProfile(t, browser, { colorScheme, viewport, reducedMotion: "reduce" });
    for (const path of PAGES) {
      const page = await openTab(profile, server.origin + path);
      await live(page);
      if (path === "/status") await until("there are figures", () => page.locator("#topics tr").count());
      assert.deepEqual(await violations(page), [], path);
      if (path !== "/chat/lobby") continue;
      await enter(page, "Ada");
      await profile.route("**/api/chat/lobby", (route) => (route.request().method() === "POST" ? route.fulfill({ status: 400 }) : route.continue()));
      await say(page, "refused");
      await until("it is refused", () => page.locator("[data-state=failed]").count());
      if (viewport === NARROW) await page.locator("#panel-toggle").click();
      assert.deepEqual(await violations(page), [], "with a name, a failed message and the panel");
      await server.kill();
      await until("it reconnects", async () => /cannot be reached/.test(await state(page)));
      assert.deepEqual(await violations(page), [], "while reconnecting");
      await server.restart();
    }
  });
}

test("each page has a strict policy, which holds; all of them take less than 100 kB", async (t) => {
  const server = await Server.start(t);
  await fill(server);
  const sizes = new Map();
  const profile = await openProfile(t, browser);
  for (const path of PAGES) {
    const page = await openTab(profile, null, (page) => {
      page.on("response", async (answer) => {
        if (answer.url().includes("/api/")) return;
        const { responseBodySize, responseHeadersSize } = await answer.request().sizes().catch(() => ({}));
        sizes.set(answer.url(), responseBodySize + responseHeadersSize);
      });
    });
    const answer = await page.goto(server.origin + path);
    const rules = (answer.headers()["content-security-policy"] ?? "").split("; ");
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"])
      assert.ok(rules.includes(rule), `${path}: ${rule}`);
    await live(page);
    assert.deepEqual(page.trouble, [], path);
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "globalThis.ran = true";
      document.body.append(script);
      const link = document.createElement("a");
      link.href = "javascript:globalThis.ran = true";
      document.body.append(link);
      link.click();
      document.body.insertAdjacentHTML("beforeend", '<img src="x:" onerror="globalThis.ran = true"><style>body { display: none }</style>');
    });
    await until("what was tried is refused", () => page.trouble.length >= 3);
    assert.equal(await page.evaluate(() => globalThis.ran), undefined);
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).display), "none");
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  t.diagnostic(`${sizes.size} files, ${total} bytes`);
  assert.ok(sizes.size >= 12, [...sizes.keys()].join());
  assert.ok(total < 100_000, `${total} bytes`);
});

test("something is to be seen before any script has come", async (t) => {
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  for (const path of PAGES) {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    const page = await openTab(profile, null, (page) => page.route("**/*.js", async (route) => {
      await held;
      await route.continue();
    }));
    await page.goto(server.origin + path, { waitUntil: "commit" });
    const painted = await until("it is painted", () =>
      page.evaluate(() => Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0)));
    t.diagnostic(`${path}: first paint after ${painted} ms, without a script`);
    assert.ok(await page.getByRole("heading", { level: 1 }).isVisible());
    release();
    await live(page);
  }
});

test("a browser that prefers Korean gets Korean; another gets English", async (t) => {
  const server = await Server.start(t);
  await fill(server);
  const profile = await openProfile(t, browser, { locale: "ko-KR", viewport: NARROW });
  const korean = /[가-힣]/;
  for (const path of PAGES) {
    const page = await openTab(profile, server.origin + path);
    await until("it is live", async () => /^연결됨: /.test(await state(page)));
    assert.equal(await page.locator("html").getAttribute("lang"), "ko");
    const words = await page.locator("[data-text]").evaluateAll((all) =>
      all.filter((element) => element.textContent && !element.closest("code, #room")).map((element) => element.textContent));
    assert.deepEqual(words.filter((word) => !korean.test(word)), [], path);
    for (const name of await page.locator("[aria-label][data-label]").evaluateAll((all) => all.map((e) => e.ariaLabel)))
      assert.match(name, korean);
    assert.equal(await overflow(page), 0);
    if (path !== "/chat/lobby") continue;
    await page.locator("#name").fill("에이다");
    await page.locator("#join").click();
    await say(page, "안녕하세요");
    await until("it is there", async () => (await page.locator(".own .text").allTextContents()).join() === "안녕하세요");
    assert.equal(await page.locator(".day").textContent(), "오늘");
    assert.deepEqual(page.trouble, []);
  }
  const other = await openPage(t, browser, server.origin, { locale: "fr-FR" });
  await live(other);
  assert.equal(await other.locator("html").getAttribute("lang"), "en");
});

test("the status page shows what the server does, also over a restart, and at 360 pixels", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, `${server.origin}/status`, { viewport: NARROW });
  await live(page);
  const figure = (name) => page.locator(`figure[data-name=${name}] .plot-now`).textContent();
  await until("it counts its own stream", async () => (await figure("streams")) === "1");
  let publishing = true;
  const publisher = (async () => {
    for (let i = 0; publishing; i += 1) await server.publish(i % 3 ? "sensors/attic" : "logs/app", { i });
  })();
  t.after(() => (publishing = false));
  await until("events come in", async () => Number(await figure("published")) > 0);
  await until("requests too", async () => Number(await figure("requests")) > 0);
  await until("the topics are there, the busiest first", async () =>
    (await page.locator("#topics td:first-child").allTextContents()).join() === "sensors/attic,logs/app,users");
  await until("what is stored is counted", async () => /^[1-9][\d,]*$/.test(await page.locator("#topics tr").first().locator("td").nth(3).textContent()));
  assert.equal(await page.locator("#topics a").first().getAttribute("href"), "try?topic=sensors/attic");
  assert.match(await page.locator("#window").textContent(), /^[\d.]+\s.?B of 67\sMB, [\d,]+ events$/);
  assert.match(await page.locator("#sync").textContent(), /^[\d.]+\s[µm]s, peak [\d.]+\s[µm]s$/);
  assert.match(await page.locator("figure svg").first().getAttribute("aria-label"), /^Streams: 1, peak \d$/);
  await until("a line is drawn", async () =>
    /^M[\d.]+,[\d.]+L/.test(await page.locator("figure[data-name=published] .line").getAttribute("d")));
  assert.equal(await overflow(page), 0);
  publishing = false;
  await publisher;
  await server.restart();
  await until("it reconnects", async () => /^Reconnecting/.test(await state(page)));
  await tryNow(page);
  await live(page);
  await until("the figures go on", async () => /^\d s$/.test(await page.locator("#uptime").textContent()));
  await until("quiet topics are still there, which the server lists", async () =>
    (await page.locator("#topics td:first-child").allTextContents()).sort().join() === "logs/app,sensors/attic,users");
});

test("where the server keeps its state to itself, the status page says so", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, `${server.origin}/status`, {}, (page) =>
    page.route("**/api/$sys/event*", (route) => route.fulfill({
      status: 403, contentType: "application/problem+json", body: JSON.stringify({ detail: "$sys is for loopback" }) })));
  await until("it says so", () => page.locator("#hidden-note").isVisible());
  assert.match(await page.locator("#hidden-note").textContent(), /--open-status/);
  await page.unroute("**/api/$sys/event*");
  await tryNow(page);
  await live(page);
  assert.ok(await page.locator("#hidden-note").isHidden());
});

test("the status page shows the nodes of a cluster, if there are several", async (t) => {
  const server = await Server.start(t);
  const node = (name, streams) =>
    ({ node: name, version: "0.1.0", uptime: 3700, streams, behind: 1, requests: 2, delivered: 3 });
  const one = node("node-1.sse.example.com:8000", 1200);
  const stats = (nodes) => JSON.stringify({ topic: "$sys", event: "stats", data: {
    time: new Date().toJSON(), uptime: 1, version: "0.1.0", streams: 1, behind: 0, names: 0, published: 0, delivered: 0,
    requests: 1, topics: [], window: { bytes: 0, cap: 1, events: 0 }, database: { bytes: 0, events: 0 },
    sync_us: { mean: 0, max: 0 }, publish_us: { mean: 0, max: 0 }, node: one.node, nodes } });
  const open = (nodes) => openPage(t, browser, `${server.origin}/status`, { viewport: NARROW }, (page) =>
    page.route("**/api/$sys/event*", (route) => route.fulfill({
      contentType: "text/event-stream", body: `retry: 60000\nid: t:0\n\nevent: stats\ndata: ${stats(nodes)}\n\n` })));
  const page = await open([one, node("<b>node</b>:8000", 7)]);
  await until("the nodes are there", () => page.locator("#nodes-section").isVisible());
  assert.deepEqual(await page.locator("#nodes tr:first-child td").allTextContents(),
    ["node-1.sse.example.com:8000 (this one)", "1,200", "1", "1 h 1 min", "0.1.0"]);
  assert.equal(await page.locator("#nodes tr:nth-child(2) td").first().textContent(), "<b>node</b>:8000");
  assert.equal(await overflow(page), 0);
  const alone = await open([one]);
  await until("there are figures", async () => (await alone.locator("#version").textContent()) === "0.1.0");
  assert.ok(await alone.locator("#nodes-section").isHidden());
});

test("each word of the pages is used, has both languages, and is named once", async () => {
  const folder = new URL("../../cmd/sse-serve/web/", import.meta.url);
  const files = {};
  for (const name of await readdir(folder)) if (/\.(js|html)$/.test(name)) files[name] = await readFile(new URL(name, folder), "utf8");
  const WORDS = /const WORDS = (\{[^]*?\n\});/;
  const tables = [new Function(`return ${WORDS.exec(files["common.js"])[1]}`)(), (await import(moduleOf("try-words.js"))).default];
  files["common.js"] = files["common.js"].replace(WORDS, "");
  delete files["try-words.js"];
  const code = Object.values(files).join("\n");
  // Some are named by what a state, an event or an element is called.
  const made = /^gap-|^(uptodate|closed|deleted|denied|join|leave)Note$/;
  const used = (name) => made.test(name) || new RegExp(`["'\`]${name}["'\`]|[ ,{(]${name}:`).test(code);
  const names = tables.flatMap(Object.keys);
  assert.ok(names.length > 200);
  assert.deepEqual(names.filter((name) => !used(name)), []);
  assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
  for (const [english, korean] of tables.flatMap(Object.values)) assert.ok(english && /[가-힣]|^id$/.test(korean), english);
  for (const [, name] of code.matchAll(/data-(?:text|label|title)="(\w+)"/g)) assert.ok(names.includes(name), name);
});
