// SPDX-License-Identifier: MIT
// The lines that the playground, /try, gives for a shell and for scripts: each is run, and does what the form does.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, launch, live, openPage, openProfile, openTab, streamsOf, until } from "./helper.mjs";
import { moduleOf } from "./modules.mjs";
import { datas, follow, line, openTry, publish, run, stored } from "./try.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Runs a module in a page of the server, and resolves to the page; said collects what it logs. */
async function runModule(t, server, code) {
  const said = [];
  const page = await openPage(t, browser, null, {}, (page) => {
    page.on("console", (message) => said.push(message.text()));
    return page.route("**/run.*", (route) => route.fulfill(/js$/.test(route.request().url())
      ? { contentType: "text/javascript", body: `${code}\nglobalThis.ran = true;` }
      : { contentType: "text/html", body: '<!doctype html><title>run</title><script type="module" src="/run.js"></script>' }));
  });
  await page.goto(`${server.origin}/run.html`);
  await until("the module has run", () => page.evaluate(() => globalThis.ran)).catch((error) => {
    throw new Error(`${error.message}\n${code}\n${page.trouble.join("\n")}`);
  });
  return { page, said };
}

const FOLLOWED = [
  { topics: "a", start: "all", brings: [1, 2, 4] },
  { topics: "a", start: "last", value: "2", brings: [2, 4] },
  { topics: "a", start: "since", value: "1h", brings: [1, 2, 4], noSseJs: true },
  { topics: "a", start: "after", value: "FIRST", brings: [2, 4], noSseJs: true },
  { topics: "a", start: "latest", brings: [2, 4] },
  { topics: "a b", start: "all", brings: [1, 2, 3, 4] },
  { topics: "*", start: "all", events: "it's odd", brings: [2], noSseJs: true },
  { topics: "a", start: "all", events: "it's", brings: [] },
  { topics: "a", start: "all", envelope: true, as: "Ada's", brings: [1, 2, 4] },
  { topics: "a", start: "now", brings: [] },
];

test("each line that follows brings what the form does", async (t) => {
  const server = await Server.start(t);
  const subject = async (topic, n, name, event = "update") => {
    const answer = await fetch(`${server.origin}/api/${topic}?subject=${name}&event=${encodeURIComponent(event)}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ num: n }) });
    assert.equal(answer.status, 201);
    return answer.headers.get("Last-Event-ID");
  };
  const first = await subject("a", 1, "s");
  await subject("a", 2, "r", "odd");
  await subject("b", 3, "s");
  await subject("a", 4, "s");
  const page = await openTry(t, browser, server, "?topic=a&since=all&event=odd");
  await until("the type was seen", async () => (await datas(page)).length === 1);
  for (const { brings, noSseJs, ...form } of FOLLOWED) {
    const value = form.value === "FIRST" ? first : form.value;
    await follow(page, { as: "", events: "", envelope: false, mark: false, ...form, ...(value && { value }) });
    const what = JSON.stringify(form);
    const later = 1000 + Math.floor(Math.random() * 1e6); // so that one knows when all has come
    const isLater = (out) => out.includes(String(later));
    const numbers = (out) => [...out.matchAll(/"num\\?": ?(\d+)/g)].map(([, n]) => Number(n)).filter((n) => n < 1000);
    const send = () => subject("a", later, "later", form.events ? form.events.split(" ").at(-1) : "update");
    const came = async (out, start) => {
      await until(`its stream is open: ${what}`, async () => (await streamsOf(server, "a")) > start);
      await send();
      return out;
    };
    for (const name of ["line-curl", "line-tail"]) {
      const start = await streamsOf(server, "a");
      const command = await line(page, name);
      let sent = null;
      const out = await run(command, async (out) => {
        sent ??= came(out, start);
        await sent;
        return isLater(out);
      });
      assert.deepEqual(numbers(out), brings, `${what} ${command}`);
      await until("it is gone", async () => (await streamsOf(server, "a")) === start);
      await fetch(`${server.origin}/api/a/${(await stored(server, "a")).at(-1).id}`, { method: "DELETE" });
    }
    for (const name of ["line-eventsource", "line-ssejs"]) {
      const code = await line(page, name);
      if (name === "line-ssejs") assert.equal(code === "", Boolean(noSseJs), what);
      if (code === "") continue;
      const start = await streamsOf(server, "a");
      // What is printed is an object, of which the console tells little.
      const { page: runs, said } = await runModule(t, server,
        code.replace("console.log(event)", "console.log(JSON.stringify(event))"));
      await came("", start);
      await until(`all has come: ${what} ${code}`, () => isLater(said.join("\n"))).catch((error) => {
        throw new Error(`${error.message}\n${said.join("\n")}`);
      });
      // sse.js lists one topic after the other.
      const order = (all) => (name === "line-ssejs" ? all.sort() : all);
      assert.deepEqual(order(numbers(said.join("\n"))), brings, `${what} ${code}`);
      await runs.close();
      await until("it is gone", async () => (await streamsOf(server, "a")) === start);
      await fetch(`${server.origin}/api/a/${(await stored(server, "a")).at(-1).id}`, { method: "DELETE" });
    }
  }
});

const PUBLISHED = [
  { kind: "json", body: '{"it\'s":[1,2.50,"ü"]}' },
  { kind: "json", body: '{"long":12345678901234567890}', event: "it's new", subject: "a b", key: "first key" },
  { kind: "json", body: '"a string"' },
  { kind: "text", body: "Hello, 'world'\n$HOME `id` \\n\n", event: "say" },
  { kind: "text", body: "@/etc/hostname" },
  { kind: "text", body: "-" },
  { kind: "text", body: "12" },
  { kind: "batch", body: '{"n":1}\n\n{"it\'s":2}\n"three"\n', event: "many", subject: "x", key: "batch" },
  { kind: "json", body: '{"soon":"gone"}', event: "typing", ephemeral: true },
];

test("each line that publishes stores what the form does", async (t) => {
  const server = await Server.start(t);
  const page = await openTry(t, browser, server, "?topic=**&envelope=1");
  for (const [i, form] of PUBLISHED.entries()) {
    const stores = async (topic) => {
      const all = form.ephemeral
        ? (await datas(page)).map((data) => JSON.parse(data)).filter((event) => event.topic === topic)
        : JSON.parse(await (await fetch(`${server.origin}/api/${topic}?envelope=1`)).text().then((raw) => raw.replaceAll(/\d{17,}/g, '"$&"')));
      return all.map(({ event, subject, data }) => ({ event, subject, data }));
    };
    const done = (topic) => until(`it is there: ${topic}`, async () => (await stores(topic)).length > 0 && stores(topic));
    await publish(page, { event: "", subject: "", key: "", ephemeral: false, ...form, topic: `form/${i}` });
    const wanted = await done(`form/${i}`);
    for (const name of ["post-curl", "post-post", "post-ssejs"]) {
      await page.locator("#topic").fill(`${name}/${i}`);
      const code = await line(page, name);
      if (name === "post-ssejs") await runModule(t, server, code);
      else await run(`${code}; echo; echo ended $?`, (out) => /ended 0/.test(out));
      assert.deepEqual(await done(`${name}/${i}`), wanted, code);
      // With a key, once more is no more.
      if (!form.key) continue;
      if (name === "post-ssejs") await runModule(t, server, code);
      else await run(`${code}; echo; echo ended $?`, (out) => /ended 0/.test(out));
      assert.deepEqual(await stores(`${name}/${i}`), wanted, code);
    }
  }
});

test("at the address that sse-tail and sse-post take by themselves, their lines name only the topic", async (t) => {
  const { postLine, tailLine } = await import(moduleOf("try-lines.js"));
  const where = { origin: "http://localhost:8000" };
  const server = await Server.start(t);
  const form = { topics: ["hello"], start: "all", value: "", as: "", events: [] };
  const posts = postLine({ topic: "hello", kind: "json", body: '{"a":1}', event: "new" }, where);
  assert.equal(posts, `sse-post hello -d '{"a":1}' --event new`);
  await run(`${posts}; echo ended $?`, (out) => /ended 0/.test(out), { SSE_URL: server.origin });
  assert.equal(tailLine(form, where), "sse-tail hello --since all");
  await run(tailLine(form, where), (out) => /"event":"new","data":"{\\"a\\":1}"/.test(out), { SSE_URL: server.origin });
  assert.equal(tailLine({ ...form, start: "now", envelope: true }, where), "sse-tail 'http://localhost:8000/api/hello/event?envelope=1'");
});

test("a copy button copies its line whole, also where there is no clipboard", async (t) => {
  const server = await Server.start(t, { args: ["--host", "plain.example"] });
  const profile = await openProfile(t, browser, { permissions: ["clipboard-read", "clipboard-write"] });
  const page = await openTab(profile, `${server.origin}/try`);
  await live(page);
  const button = page.locator(".line:has(#post-curl) .copy");
  await button.click();
  await until("it says so", async () => (await button.textContent()) === "Copied");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await line(page, "post-curl"));
  const plain = await openTab(profile, server.origin.replace("127.0.0.1", "plain.example") + "/try");
  await live(plain);
  assert.equal(await plain.evaluate(() => isSecureContext), false);
  await plain.locator(".line:has(#line-tail) .copy").click();
  await until("it says so", async () => (await plain.locator(".line:has(#line-tail) .copy").textContent()) === "Copied");
  await page.bringToFront();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await line(plain, "line-tail"));
});
