// SPDX-License-Identifier: MIT
// What holds for all pages: axe-core's rules, a strict policy, few bytes, something to see before any
// script, Korean.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Server, enter, launch, live, openPage, openTab, openProfile, overflow, say, state, until, violations } from "./helper.mjs";
import { moduleOf } from "./modules.mjs";

const PAGES = ["/try", "/", "/chat/lobby", "/status"];
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

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

test("each word of the pages is used, has both languages, is named once, and is what the HTML says", async () => {
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
  const words = Object.assign({}, ...tables);
  const plain = (text) => text.replace(/\s+/g, " ").trim();
  for (const [, name, text] of code.matchAll(/data-text="(\w+)"[^>]*>([^<]*)</g)) assert.equal(plain(text), plain(words[name][0]));
});
