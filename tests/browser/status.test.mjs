// SPDX-License-Identifier: MIT
// The status page: what a person sees of the last ten minutes, by mouse and keyboard, and that it does not count itself.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, launch, live, openPage, overflow, state, tryNow, until, violations } from "./helper.mjs";
import { moduleOf } from "./modules.mjs";

const NARROW = { width: 320, height: 740 };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const figure = (page, name) => page.locator(`figure[data-name=${name}]`);
const text = (page, name, part) => figure(page, name).locator(`.plot-${part}`).textContent();

// --- figures that a server might have ---------------------------------------

const NOTHING = { count: 0, mean: 0, max: 0 };
const NOW = Date.parse("2026-11-22T20:14:30.000Z");

/** A sample, so many seconds before NOW. */
const sample = (before, more = {}) => ({
  time: new Date(NOW - 1000 * before).toJSON(), uptime: 90_061 - before, streams: 1, behind: 0, published: 0, delivered: 0,
  requests: 0, sync_us: NOTHING, publish_us: NOTHING, ...more,
});

const stats = (before, more) => ({
  ...sample(before, more), version: "0.1.0", names: 0, topics: [],
  window: { bytes: 0, cap: 64_000_000, events: 0 }, database: { bytes: 1_500_000, events: 0 }, ...more,
});

/** A page of a server that tells these samples and then these events. */
const pretend = (t, server, { samples = [], events, options = {} }) =>
  openPage(t, browser, `${server.origin}/status`, { timezoneId: "UTC", ...options }, async (page) => {
    const body = events.map((event) => `event: stats\ndata: ${JSON.stringify({ topic: "$sys", event: "stats", data: event })}\n\n`).join("");
    await page.route("**/api/$sys/event*", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: `retry: 60000\nid: t:0\n\n${body}` }));
    await page.route("**/api/$sys", (route) => route.fulfill({ json: samples }));
  });

/** Ten minutes: nothing; five minutes ago 20 events a second for 10 s; then 2 a second. */
function tenMinutes() {
  const samples = [];
  let published = 5_000;
  for (let before = 600; before >= 5; before -= 5) {
    published += before === 300 || before === 295 ? 100 : before < 295 ? 10 : 0;
    samples.push(sample(before, { published, delivered: 3 * published, streams: before < 295 ? 3 : 1,
      publish_us: before === 300 ? { count: 100, mean: 1_000, max: 20_400 } : NOTHING }));
  }
  return { samples, events: [stats(0, { published: published + 10, delivered: 3 * (published + 10), streams: 3 })] };
}

test("rates are the growth in five seconds, from samples and events alike, but not over a restart or a gap", async () => {
  const { History, roundUp } = await import(moduleOf("status-history.js"));
  const history = new History();
  const values = (name) => history.points(name).map(({ value }) => value);
  assert.deepEqual(values("published"), []);
  assert.ok(history.add(stats(0, { published: 60 })), "what was before is missing");
  assert.deepEqual(values("published"), []);
  history.fill([sample(10, { published: 0 }), sample(5, { published: 50 })]);
  assert.deepEqual(values("published"), [10, 2]);
  assert.deepEqual(values("streams"), [1, 1, 1]);
  assert.equal(history.add(stats(-1, { published: 61 })), false, "nothing is missing");
  assert.deepEqual(values("published"), [10, 2, 11 / 6]);
  // A second after a restart of the server, its counts are others.
  assert.ok(history.add(stats(-2, { published: 500, uptime: 1 })));
  assert.ok(!history.points("streams").at(-1).joined);
  assert.equal(values("published").length, 3);
  history.fill([sample(-1, { published: 490, uptime: 0 })]);
  assert.deepEqual(values("published"), [10, 2, 10], "the samples take the place of what came meanwhile");
  // It was silent for a minute.
  assert.ok(history.add(stats(-62, { published: 900, uptime: 61 })));
  assert.equal(values("published").length, 3);
  // Ten minutes later nothing of this is left.
  history.add(stats(-700, { published: 900, uptime: 699 }));
  assert.deepEqual(values("published"), []);
  assert.deepEqual(values("streams"), [1]);
  assert.deepEqual([[0, 1], [0, 2], [1, 1], [1.1, 1], [3, 1], [5, 1], [39, 1], [41, 1], [1e6, 1], [1_000_001, 1]]
    .map(([value, least]) => roundUp(value, least)), [1, 2, 1, 2, 4, 10, 40, 100, 1e6, 2e6]);
});

test("ten minutes of history are there when the page comes, with axes, a peak, and how long things took", async (t) => {
  const server = await Server.start(t);
  const page = await pretend(t, server, { ...tenMinutes(), options: { viewport: NARROW } });
  await until("the peak is there", async () => (await text(page, "published", "more")) === "peak 20/s");
  assert.equal(await text(page, "published", "now"), "2/s");
  assert.equal(await text(page, "delivered", "more"), "peak 60/s");
  assert.equal(await text(page, "openStreams", "now"), "3");
  assert.equal(await text(page, "requests", "more"), "peak –");
  assert.deepEqual(await Promise.all(["top", "half", "zero"].map((part) => text(page, "published", part))), ["20/s", "10/s", "0/s"]);
  assert.deepEqual(await Promise.all(["top", "half", "zero"].map((part) => text(page, "openStreams", part))), ["4", "2", "0"]);
  assert.deepEqual(await figure(page, "published").locator(".plot-times span:visible").allTextContents(), ["20:05", "20:10"]);
  assert.equal(await page.locator("#publish").textContent(), "1\u00a0ms on average, peak\u00a020\u00a0ms");
  assert.equal(await page.locator("#sync").textContent(), "–");
  assert.equal(await overflow(page), 0);
});

test("values are told on hover, in all plots, and by the arrow keys, which move in time", async (t) => {
  const server = await Server.start(t);
  const page = await pretend(t, server, tenMinutes());
  await until("the peak is there", async () => (await text(page, "published", "more")) === "peak 20/s");
  const field = figure(page, "published").getByRole("slider");
  const { width } = await field.boundingBox();
  await field.hover({ position: { x: width / 2 + 2, y: 20 } });
  assert.equal(await text(page, "published", "told"), "20:09:35: 20/s");
  assert.equal(await text(page, "delivered", "told"), "20:09:35: 60/s");
  assert.ok(await figure(page, "openStreams").locator(".plot-cursor").isVisible());
  await field.hover({ position: { x: width / 4, y: 20 } });
  assert.equal(await text(page, "published", "told"), "20:07:00: 0/s");
  await page.mouse.move(0, 0);
  assert.equal(await page.locator(".plot-told:visible").count(), 0);

  // By keyboard alone: the plots are after the links and before the topics.
  const says = () => page.evaluate(() => document.activeElement.ariaValueText);
  for (let i = 0; i < 20 && (await page.evaluate(() => document.activeElement.ariaLabel)) !== "Events published, the last 10 minutes"; i += 1)
    await page.keyboard.press("Tab");
  assert.equal(await says(), "20:14:30: 2/s");
  assert.equal(await text(page, "published", "told"), "20:14:30: 2/s");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await says(), "20:14:25: 2/s");
  for (let i = 0; i < 5; i += 1) await page.keyboard.press("PageDown");
  assert.equal(await says(), "20:09:25: 0/s");
  await page.keyboard.press("ArrowRight");
  assert.equal(await says(), "20:09:30: 20/s");
  assert.equal(await page.evaluate(() => document.activeElement.ariaValueNow), "-300");
  await page.keyboard.press("Home");
  assert.equal(await says(), "20:04:35: 0/s");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await says(), "20:04:35: 0/s");
  await page.keyboard.press("End");
  assert.equal(await says(), "20:14:30: 2/s");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".plot-told:visible").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.role), "slider");
  assert.deepEqual(page.trouble, []);
});

test("where the server was away the line is broken, and nothing is told", async (t) => {
  const server = await Server.start(t);
  const samples = tenMinutes().samples.filter((_, i) => i < 40 || i > 80);
  const page = await pretend(t, server, { ...tenMinutes(), samples });
  for (const name of ["openStreams", "published"]) {
    const line = figure(page, name).locator(".plot-line");
    await until("there are two pieces", async () => (await line.getAttribute("d"))?.match(/M/g).length === 2);
  }
  const field = figure(page, "openStreams").getByRole("slider");
  const { width } = await field.boundingBox();
  await field.hover({ position: { x: width / 2, y: 20 } });
  assert.match(await text(page, "openStreams", "told"), /^20:09:\d\d: –$/);
});

test("what happened before the page was opened is shown, from the server itself", async (t) => {
  const server = await Server.start(t);
  for (let i = 0; i < 20; i += 1) await server.publish("sensors/attic", { i });
  await until("the server has a sample of it", async () =>
    (await (await fetch(`${server.origin}/api/$sys`)).json()).some(({ published }) => published === 20));
  const page = await openPage(t, browser, `${server.origin}/status`);
  await live(page);
  await until("it is in the plot", async () => /^peak [1-9]/.test(await text(page, "published", "more")));
  await until("how long it took, too", async () =>
    /^[\d.]+\s[µm]s on average, peak\s[\d.]+\s[µm]s$/.test(await page.locator("#publish").textContent()));
  assert.deepEqual(page.trouble, []);
});

test("a server where nothing happens shows that, however many look", async (t) => {
  const server = await Server.start(t);
  const pages = [await openPage(t, browser, `${server.origin}/status`), await openPage(t, browser, `${server.origin}/status`)];
  for (const page of pages) await live(page);
  for (const page of pages) {
    await until("some time has passed", async () => /^([3-9]|\d\d)\s/.test(await page.locator("#uptime").textContent()));
    await until("the topic that pages have is there", () => page.locator("#topics tr").count());
    const [now, more] = await Promise.all(["now", "more"].map((part) =>
      Promise.all(["openStreams", "published", "delivered", "requests"].map((name) => text(page, name, part)))));
    assert.deepEqual(now, ["0", "0/s", "0/s", "0/s"]);
    assert.deepEqual(more, ["peak –", "peak –", "peak –", "peak –"]);
    assert.deepEqual(await page.locator("#topics tr").first().locator("td").allTextContents(), ["users", "0", "–", "0", "–"]);
    assert.match(await page.locator("#window").textContent(), /^0\sB of 67\sMB, 0 events$/);
    for (const id of ["#publish", "#sync"]) assert.equal(await page.locator(id).textContent(), "–");
    assert.equal(await page.locator("#behind").textContent(), "0");
  }
});

for (const [name, options] of [["light", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }], ["forced colours", { forcedColors: "active" }]]) {
  test(`axe-core finds nothing, and 320 pixels are enough: ${name}`, async (t) => {
    const server = await Server.start(t);
    await server.publish("a/topic/with-a-rather-long-name-that-has-no-place-to-break", { i: 1 });
    const page = await pretend(t, server, { ...tenMinutes(), options: { viewport: NARROW, ...options } });
    await until("the peak is there", async () => (await text(page, "published", "more")) === "peak 20/s");
    await until("the topics are there", () => page.locator("#topics tr").count());
    await figure(page, "published").getByRole("slider").focus();
    await page.keyboard.press("Home");
    assert.ok(await figure(page, "published").locator(".plot-told").isVisible());
    assert.deepEqual(await violations(page), []);
    assert.equal(await overflow(page), 0);
    await page.keyboard.press("End");
    assert.equal(await overflow(page), 0);
  });
}

test("figures that the server no longer renews are set off, with their time", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, `${server.origin}/status`);
  const colour = () => figure(page, "openStreams").locator(".plot-now").evaluate((element) => getComputedStyle(element).color);
  const age = () => page.locator("#as-of").textContent();
  await until("there are figures", async () => (await text(page, "openStreams", "now")) === "0");
  const fresh = await colour();
  assert.equal(await age(), "");
  await server.kill();
  await until("it says of when they are", async () => /^as of \d\d:\d\d:\d\d$/.test(await age()));
  assert.notEqual(await colour(), fresh);
  assert.deepEqual(await violations(page), []);
  await server.restart();
  await tryNow(page);
  await until("they are new", async () => (await age()) === "");
  assert.equal(await colour(), fresh);
});

test("what is stored and what was published since the start are told of one time", async (t) => {
  const server = await Server.start(t);
  await server.publish("sensors/attic", { i: 1 });
  let release;
  const page = await openPage(t, browser, `${server.origin}/status`);
  const cells = async () => (await page.locator("#topics tr", { hasText: "sensors/attic" }).locator("td").allTextContents()).slice(3).join();
  await until("both are told", async () => (await cells()) === "1,1");
  assert.match(await page.locator("#window").textContent(), /, 1 event$/);
  const held = new Promise((resume) => (release = resume));
  await page.route("**/api?*", async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  await server.publish("sensors/attic", { i: 2 });
  await until("the figures have it", async () => /, 2 events$/.test(await page.locator("#window").textContent()));
  assert.equal(await cells(), "1,1");
  release();
  await until("both are told", async () => (await cells()) === "2,2");
});

for (const width of [320, 768, 1280]) {
  test(`in Korean the times below a plot are apart, at ${width} pixels`, async (t) => {
    const server = await Server.start(t);
    const { samples } = tenMinutes();
    const page = await pretend(t, server, { samples, events: [stats(-30, { published: 6_000 })], options: { locale: "ko-KR", viewport: { width, height: 800 } } });
    const times = figure(page, "published").locator(".plot-times span:visible");
    await until("there are three", async () => (await times.allTextContents()).join() === "20:05,20:10,20:15");
    const boxes = await times.evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ left, right }) => ({ left, right })));
    for (const [i, { left }] of boxes.entries()) assert.ok(i === 0 || left > boxes[i - 1].right + 4, JSON.stringify(boxes));
    assert.equal(await overflow(page), 0);
  });
}

test("in Korean the units are Korean", async (t) => {
  const server = await Server.start(t);
  const page = await pretend(t, server, { ...tenMinutes(), options: { locale: "ko-KR", viewport: NARROW } });
  await until("the peak is there", async () => (await text(page, "published", "more")) === "최대 초당\u00a020");
  assert.equal(await text(page, "published", "top"), "초당\u00a020");
  assert.equal(await page.locator("#uptime").textContent(), "1일 1시간");
  assert.equal(await page.locator("#publish").textContent(), "평균 1\u00a0ms, 최대\u00a020\u00a0ms");
  assert.equal(await page.locator("#window").textContent(), "64\u00a0MB 중 0\u00a0B, 이벤트 0개");
  assert.equal(await page.locator("#plots-title").textContent(), "최근 10분");
  assert.equal(await overflow(page), 0);
});

test("the status page shows what the server does, also over a restart, and at 320 pixels", async (t) => {
  const server = await Server.start(t);
  const page = await openPage(t, browser, `${server.origin}/status`, { viewport: NARROW });
  await live(page);
  const shown = (name) => text(page, name, "now").then(parseFloat);
  let publishing = true;
  const publisher = (async () => {
    for (let i = 0; publishing; i += 1) await server.publish(i % 3 ? "sensors/attic" : "logs/app", { i });
  })();
  t.after(() => (publishing = false));
  await until("events come in", async () => (await shown("published")) > 0);
  await until("requests too", async () => (await shown("requests")) > 0);
  await until("the topics are there, the busiest first", async () =>
    (await page.locator("#topics td:first-child").allTextContents()).join() === "sensors/attic,logs/app,users");
  await until("what is stored is counted", async () => /^[1-9][\d,]*$/.test(await page.locator("#topics tr").first().locator("td").nth(3).textContent()));
  assert.equal(await page.locator("#topics a").first().getAttribute("href"), "try?topic=sensors/attic");
  assert.match(await page.locator("#window").textContent(), /^[\d.]+\s.?B of 67\sMB, [\d,]+ events$/);
  assert.match(await page.locator("#sync").textContent(), /^[\d.]+\s[µm]s on average, peak\s[\d.]+\s[µm]s$/);
  assert.match(await figure(page, "published").getByRole("slider").getAttribute("aria-valuetext"), /^[\d.]+\/s$/);
  await until("a line is drawn", async () =>
    /^M[\d.]+,[\d.]+L/.test(await figure(page, "published").locator(".plot-line").getAttribute("d")));
  assert.equal(await overflow(page), 0);
  publishing = false;
  await publisher;
  await server.restart();
  await until("it reconnects", async () => /^Reconnecting/.test(await state(page)));
  await tryNow(page);
  await live(page);
  await until("the figures go on", async () => /^\d\ss$/.test(await page.locator("#uptime").textContent()));
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
    sync_us: NOTHING, publish_us: NOTHING, node: one.node, nodes } });
  const open = (nodes) => openPage(t, browser, `${server.origin}/status`, { viewport: NARROW }, (page) =>
    page.route("**/api/$sys/event*", (route) => route.fulfill({
      contentType: "text/event-stream", body: `retry: 60000\nid: t:0\n\nevent: stats\ndata: ${stats(nodes)}\n\n` })));
  const page = await open([one, node("<b>node</b>:8000", 7)]);
  await until("the nodes are there", () => page.locator("#nodes-section").isVisible());
  assert.deepEqual(await page.locator("#nodes tr:first-child td").allTextContents(),
    ["node-1.sse.example.com:8000 (this one)", "1,200", "1", "1\u00a0h 1\u00a0min", "0.1.0"]);
  assert.equal(await page.locator("#nodes tr:nth-child(2) td").first().textContent(), "<b>node</b>:8000");
  assert.equal(await overflow(page), 0);
  const alone = await open([one]);
  await until("there are figures", async () => (await alone.locator("#version").textContent()) === "0.1.0");
  assert.ok(await alone.locator("#nodes-section").isHidden());
});

