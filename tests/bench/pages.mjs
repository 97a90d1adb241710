// SPDX-License-Identifier: MIT
// What the pages cost a browser: node pages.mjs [post|paint|tasks ...], all of them if none is named. It uses Chromium
// as the browser tests do, and prints a line for each figure.

import { enter, launch, live, openPage, openProfile, openTab, Server } from "../browser/helper.mjs";

const PATHS = ["", "chat/lobby", "status", "try"];
const TABS = ["chat/lobby", "", "status", "try", "chat/other", "", "status", "chat/lobby"];
const POSTS = 200, WARM = 20;
const VISITS = 9;
const SECONDS = 10, BATCH = 10, BATCH_MS = 10; // 1,000 events a second

const endings = [];
const t = { after: (end) => endings.push(end) };
const sleep = (ms) => new Promise((resume) => setTimeout(resume, ms));
const now = () => performance.timeOrigin + performance.now();
const sorted = (values) => values.toSorted((a, b) => a - b);
const at = (values, part) => sorted(values)[Math.floor((values.length - 1) * part)];
const tell = (what, values) => console.log(
  `${what}: median ${at(values, 0.5).toFixed(1)} ms, 90 % ${at(values, 0.9).toFixed(1)} ms, most ${at(values, 1).toFixed(1)} ms (${values.length})`);

/** From before a POST until the message is painted in a chat, one at a time, with eight tabs open. */
async function post() {
  const browser = await launch();
  const server = await Server.start(t);
  const profile = await openProfile(t, browser);
  const tabs = [];
  for (const path of TABS) tabs.push(await openTab(profile, `${server.origin}/${path}`));
  const [chat] = tabs;
  await enter(chat, "Ada");
  await Promise.all(tabs.map(live));
  await chat.bringToFront();
  await chat.evaluate(() => {
    const painted = new Map();
    globalThis.paintOf = async (text) => {
      while (!painted.has(text)) await new Promise((resume) => setTimeout(resume, 5));
      return painted.get(text);
    };
    const { port1, port2 } = new MessageChannel(); // its task is run after the frame
    port1.onmessage = ({ data }) => data.forEach((text) => painted.set(text, performance.timeOrigin + performance.now()));
    new MutationObserver((changes) => {
      const texts = changes.flatMap(({ addedNodes }) => [...addedNodes]).map((node) => node.querySelector?.(".text")?.textContent);
      requestAnimationFrame(() => port2.postMessage(texts.filter(Boolean)));
    }).observe(document.body, { childList: true, subtree: true });
  });
  const took = [];
  for (let i = 0; i < POSTS; i += 1) {
    const began = now();
    await server.publish("chat/lobby", { name: "Bob", text: `m${i}` });
    const painted = await chat.evaluate((text) => globalThis.paintOf(text), `m${i}`);
    if (i >= WARM) took.push(painted - began);
    await sleep(20 + Math.random() * 30);
  }
  tell(`POST to paint, ${TABS.length} tabs open`, took);
  await browser.close();
}

/** The first contentful paint of each page, in a browser that has just been started and has nothing of it. */
async function paint() {
  const server = await Server.start(t);
  for (let i = 0; i < 50; i += 1) await server.publish("chat/lobby", { name: "Bob", text: `Message ${i}` });
  for (let i = 0; i < 50; i += 1) await server.post("Ada", `LOVELACE ${i}`);
  for (const path of PATHS) {
    const took = [];
    for (let i = 0; i < VISITS; i += 1) {
      const browser = await launch();
      const page = await openPage(t, browser, `${server.origin}/${path}`);
      await live(page);
      took.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
      await browser.close();
    }
    tell(`first paint of /${path}, cold`, took);
  }
}

/** Those of the main thread of the page's process, which is the busiest. */
function tasksOfPage(events) {
  const mains = events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const threads = mains.map(({ pid, tid }) =>
    events.filter((event) => event.name.endsWith("RunTask") && event.pid === pid && event.tid === tid && event.tdur !== undefined));
  return threads.toSorted((a, b) => b.length - a.length)[0];
}

const longest = (tasks, time) => (Math.max(...tasks.map((task) => task[time])) / 1000).toFixed(0);

/** The longest task of a chat that gets 1,000 messages a second. */
async function tasks() {
  const browser = await launch();
  const server = await Server.start(t);
  const chat = await openPage(t, browser, `${server.origin}/chat/lobby`);
  await enter(chat, "Ada");
  await browser.startTracing(chat, { categories: ["disabled-by-default-devtools.timeline", "toplevel", "__metadata"] });
  let sent = 0;
  const began = now();
  const running = new Set();
  for (const end = began + SECONDS * 1000; now() < end; await sleep(1)) {
    for (; sent < ((now() - began) / BATCH_MS) * BATCH; sent += BATCH) {
      const lines = Array.from({ length: BATCH }, (_, i) => JSON.stringify({ name: `P${i}`, text: `Message ${sent + i}, as somebody writes one` }));
      const request = fetch(`${server.origin}/api/chat/lobby`, {
        method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: lines.join("\n") }).then((answer) => answer.arrayBuffer());
      running.add(request);
      request.finally(() => running.delete(request));
    }
  }
  await Promise.all(running);
  const rate = sent / ((now() - began) / 1000);
  await chat.getByText(`Message ${sent - 1},`).waitFor();
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const tasks = tasksOfPage(traceEvents);
  console.log(`a chat at ${rate.toFixed(0)} events a second for ${SECONDS} s: ${tasks.length} tasks, the longest ` +
    `${longest(tasks, "tdur")} ms of CPU time, ${longest(tasks, "dur")} ms by the clock`);
  await browser.close();
}

const all = { post, paint, tasks };
try {
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(all)) await all[name]();
} finally {
  for (const end of endings.toReversed()) await Promise.resolve(end()).catch(() => {});
}
process.exit();
