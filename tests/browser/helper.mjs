// SPDX-License-Identifier: MIT
// What the browser tests share: the real server as a child process, Chromium, and waiting.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const here = path.dirname(fileURLToPath(import.meta.url));
export const PROGRAM = path.resolve(process.env.SSE_SERVE ?? path.join(here, "../../build/bin/sse-serve"));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Generous: it is reached only where something is broken, or the machine is very busy. */
export const LIMIT_MS = 60_000;

/** Waits until check() gives something true, and returns it. */
export async function until(what, check, limit = LIMIT_MS) {
  const end = Date.now() + limit;
  let last;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${limit / 1000} s in vain until ${what}; last: ${last}`);
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

/** A folder that is removed after the test. */
export async function tempFolder(t) {
  const folder = await mkdtemp(path.join(tmpdir(), "sse-browser-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A proxy in front of a server that holds back `what` of its answers; returns where. */
export async function hoard(t, server, what) {
  const cwd = await tempFolder(t);
  const proxy = spawn(process.execPath, [path.join(here, "../scenario/hoarder.mjs"), "0", server.origin, what], { cwd });
  t.after(() => proxy.kill("SIGKILL"));
  const port = await until("the proxy listens", () => readFile(path.join(cwd, "hoarder.port"), "utf8"));
  return `http://127.0.0.1:${port.trim()}`;
}

/** sse-serve in a temporary folder; stopped, and the folder removed, after the test. */
export class Server {
  static async start(t, { args = [] } = {}) {
    const server = new Server();
    server.folder = await mkdtemp(path.join(tmpdir(), "sse-browser-"));
    server.db = path.join(server.folder, "events.db");
    server.args = args;
    t.after(() => server.remove());
    await server.run("127.0.0.1:0");
    return server;
  }

  async run(listen) {
    const child = spawn(PROGRAM, ["--listen", listen, "--db", this.db, ...this.args], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    this.ending = false;
    child.once("exit", (code, signal) => {
      if (!this.ending) this.died = `${PROGRAM} ended by itself (${signal ?? code}): ${this.said}`;
    });
    this.gone = once(child, "exit");
    this.gone.catch(() => {}); // told below, where it matters
    this.said = "";
    child.stderr.on("data", (bytes) => (this.said = (this.said + bytes).slice(-4000)));
    const listening = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const match = /^Listening on (https?:\/\/\S+)$/.exec(line);
        if (match) resolve(match[1]);
      });
    });
    const ended = this.gone.then(([code, signal]) => {
      throw new Error(`${PROGRAM} ended (${signal ?? code}) before it listened: ${this.said}`);
    });
    ended.catch(() => {});
    let timer;
    const tooLate = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${PROGRAM} did not say where it listens: ${this.said}`)), LIMIT_MS);
    });
    try {
      this.origin = (await Promise.race([listening, ended, tooLate])).replace(/\/$/, "");
    } finally {
      clearTimeout(timer);
    }
  }

  /** kill -9: what was not yet on stable storage is lost. */
  async kill() {
    this.ending = true;
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGKILL");
      await this.gone;
    }
  }

  /** Again at the same address; with another database if one is named. */
  async restart({ db } = {}) {
    await this.kill();
    if (db) this.db = path.join(this.folder, db);
    await this.run(new URL(this.origin).host);
  }

  async remove() {
    await this.kill().catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
    if (this.died) throw new Error(this.died);
  }

  post(firstname, lastname) {
    return this.publish("users", { firstname, lastname });
  }

  /** data is a value, or text; with json it is text that is JSON already. */
  async publish(topic, data, { event, token, json = typeof data !== "string" } = {}) {
    const answer = await fetch(`${this.origin}/api/${topic}${event ? `?event=${event}` : ""}`, {
      method: "POST",
      headers: { "Content-Type": json ? "application/json" : "text/plain", ...bearer(token) },
      body: typeof data === "string" ? data : JSON.stringify(data),
    }).catch((error) => {
      // "fetch failed" alone helps nobody.
      const { exitCode, signalCode } = this.child;
      throw new Error(`POST: ${error.cause ?? error}; the server ended with ${signalCode ?? exitCode ?? "nothing yet"}: ${this.said}`);
    });
    if (answer.status !== 201) throw new Error(`POST: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}

export const bearer = (token) => (token ? { Authorization: `Bearer ${token}` } : {});

/** Who may do what on a server: lines of its --access file, by names, each with a token of its own. */
export class People {
  tokens = {};
  #digests = {};

  /** lines: by name, what is granted, such as "read=chat/* as=Ann". */
  static async start(t, lines, { args = [] } = {}) {
    const people = new People();
    people.file = path.join(await tempFolder(t), "who");
    await people.write(lines);
    people.server = await Server.start(t, { args: ["--access", people.file, ...args] });
    return people;
  }

  async write(lines) {
    let text = "";
    for (const [name, grants] of Object.entries(lines)) {
      if (name !== "anonymous" && !this.tokens[name]) await this.#meet(name);
      text += `${name} ${this.#digests[name] ?? ""} ${grants}\n`;
    }
    await writeFile(this.file, text, { mode: 0o600 });
  }

  async #meet(name) {
    const { stdout, stderr } = await promisify(execFile)(PROGRAM, ["--new-token", name]);
    [, this.#digests[name]] = stdout.split(" ");
    this.tokens[name] = stderr.trim();
  }

  /** Other lines, from now on. */
  async change(lines) {
    await this.write(lines);
    this.server.said = "";
    this.server.child.kill("SIGHUP");
    await until("the file has been read again", () => this.server.said.includes("reloaded"));
  }
}

/** home: the folder whose .pki/nssdb has the CAs that it trusts beside its own. */
export function launch({ home } = {}) {
  return chromium.launch({
    executablePath: CHROMIUM,
    env: { ...process.env, ...(home && { HOME: home }) },
    headless: true,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // A name that is no secure context, as one of a LAN; and one that is nothing of ours.
      "--host-resolver-rules=MAP plain.example 127.0.0.1, MAP evil.example 127.0.0.1",
    ],
  });
}

/** Watches for what must not be: console errors, exceptions, dialogs and CSP violations, in page.trouble. */
async function prepared(page, prepare) {
  page.trouble = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning" || message.text().startsWith("CSP:"))
      page.trouble.push(message.text());
  });
  page.on("pageerror", (error) => page.trouble.push(String(error)));
  page.on("dialog", (dialog) => {
    page.trouble.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.log(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
  await prepare(page);
  return page;
}

/** A browser's profile, for pages that are tabs of it. */
export async function openProfile(t, browser, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  t.after(() => context.close());
  context.setDefaultTimeout(LIMIT_MS);
  return context;
}

export async function openTab(context, url, prepare = async () => {}) {
  const page = await prepared(await context.newPage(), prepare);
  if (url) await page.goto(url);
  return page;
}

/** A page in a profile of its own. */
export async function openPage(t, browser, url, options = {}, prepare) {
  return openTab(await openProfile(t, browser, options), url, prepare);
}

/** The names on the page, from the top. */
export const names = (page) =>
  page.evaluate(() => [...document.querySelectorAll("#list .name")].map((name) => name.textContent));

/** The connection's state as it is announced, such as "Reconnecting: The server cannot be reached." */
export const state = (page) =>
  page.evaluate(() => ["state-word", "state-reason"].map((id) => document.getElementById(id).textContent).join(": "));

export async function live(page) {
  let seen;
  await until("the page is live", async () => /^Live: /.test((seen = await state(page)))).catch((error) => {
    throw new Error(`${error.message}; it says: ${seen}`);
  });
}

/** As if the page were behind another: headless ones never are. */
export const hide = (page, hidden) => page.evaluate((hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}, hidden);

/** Does not wait for the page's own moment, unless it is connected by then. */
export const tryNow = (page) => page.locator("#try-now").click({ timeout: 1000 }).catch(() => {});

/** Waits until the page shows exactly these, from the top. */
export async function shows(page, expected) {
  const wanted = JSON.stringify(expected);
  let seen = "";
  await until(
    "the page shows what it should",
    async () => (seen = JSON.stringify(await names(page))) === wanted,
  ).catch((error) => {
    throw new Error(`${error.message}\nwanted ${wanted}\nseen   ${seen}`);
  });
}

/** What axe-core finds on the page. */
export async function violations(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`);
  });
}

/** How much the page is wider than the screen. */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Streams of a topic that are open on the server. */
export async function streamsOf(server, topic) {
  return (await (await fetch(`${server.origin}/api/${topic}/presence`)).json()).streams;
}

// --- chat -------------------------------------------------------------------

/** A page of a room, with a name. */
export async function enter(page, name) {
  await page.locator("#name").fill(name);
  await page.locator("#join").click();
  await live(page);
}

export async function say(page, text) {
  await page.locator("#text").fill(text);
  await page.locator("#text").press("Enter");
}

/** What stands in the log, each as "name: text"; what waits at its end with its state before it. */
export const said = (page) => page.evaluate(() => [...document.querySelectorAll(".message")].map((row) =>
  (row.dataset.state ? `${row.dataset.state} ` : "") +
  `${row.querySelector(".who bdi").textContent}: ${row.querySelector(".text").textContent}`));

/** Waits until the log holds exactly these. */
export async function reads(page, expected) {
  const wanted = JSON.stringify(expected);
  let seen = "";
  await until("the log holds what it should", async () => (seen = JSON.stringify(await said(page))) === wanted)
    .catch((error) => {
      throw new Error(`${error.message}\nwanted ${wanted}\nseen   ${seen}`);
    });
}
