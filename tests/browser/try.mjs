// SPDX-License-Identifier: MIT
// What the tests of the playground share: its rows, its forms, and a shell for its lines.

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { PROGRAM, live, openPage, until } from "./helper.mjs";

const BIN = path.dirname(PROGRAM);

export async function openTry(t, browser, server, query = "", options = {}) {
  const page = await openPage(t, browser, `${server.origin}/try${query}`, options);
  await live(page);
  return page;
}

export const text = (page, selector) => page.locator(selector).textContent();

/** The rows: what each is called, and its frame as it came. */
export const rows = (page) => page.evaluate(() => [...document.querySelectorAll(".frame")].map((row) => ({
  head: row.querySelector(".head b").textContent,
  id: row.querySelector(".head code").textContent,
  data: row.querySelector(".data")?.textContent,
  note: row.querySelector(".note").textContent,
  raw: row.querySelector(".raw")?.textContent,
})));
export const events = async (page) => (await rows(page)).filter(({ raw }) => /^data:/m.test(raw ?? ""));
export const datas = async (page) => (await events(page)).map(({ raw }) => /^data: (.*)$/m.exec(raw)[1]);

export async function shows(page, expected) {
  const wanted = JSON.stringify(expected);
  let seen;
  await until("the page shows these events", async () => (seen = JSON.stringify(await datas(page))) === wanted)
    .catch((error) => {
      throw new Error(`${error.message}\nwanted ${wanted}\nseen   ${seen}`);
    });
}

/** Publishes by the form, and waits for the answer. */
export async function publish(page, { topic, kind, body, ...more } = {}) {
  if (topic) await page.locator("#topic").fill(topic);
  if (kind) await page.locator("#kind").selectOption(kind);
  if (body !== undefined) await page.locator("#body").fill(body);
  await fill(page, more);
  await page.locator("#send").click();
  await until("it is answered", async () => /^\d{3} /.test(await text(page, "#answer")) && (await text(page, "#send")) === "Publish");
  return text(page, "#answer");
}

/** Fills fields by their ids, also those that are folded away. */
export async function fill(page, fields) {
  await page.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
  for (const [id, value] of Object.entries(fields))
    await (typeof value === "boolean" ? page.locator(`#${id}`).setChecked(value) : page.locator(`#${id}`).fill(value));
}

export async function follow(page, { topics, start, value, ...more }) {
  if (topics) await page.locator("#topics").fill(topics);
  if (start) await page.locator("#start").selectOption(start);
  if (value !== undefined) await page.locator("#value").fill(value);
  await fill(page, more);
}

export const stored = async (server, topic, token) => (await fetch(`${server.origin}/api/${topic}?envelope=1`, {
  headers: token ? { Authorization: `Bearer ${token}` } : {} })).json();

/** Runs a line in a shell, for as long as check() of what it printed says no; resolves to what it printed. */
export async function run(line, check, env = {}) {
  let out = "";
  const child = spawn("sh", ["-c", `exec 2>&1; ${line}`], {
    detached: true, // a group of its own, to be ended whole
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PATH: `${BIN}:${process.env.PATH}`, HOME: "/nonexistent", ...env },
  });
  const ended = once(child, "exit");
  child.stdout.on("data", (bytes) => (out += bytes));
  try {
    await until(`this prints what it should: ${line}`, () => check(out));
  } catch (error) {
    throw new Error(`${error.message}\nit printed: ${out}`);
  } finally {
    try {
      process.kill(-child.pid);
    } catch {
      // It has ended.
    }
    await ended;
  }
  return out;
}

export const line = (page, name) => text(page, `#${name}`);
