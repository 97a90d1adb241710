// SPDX-License-Identifier: MIT
// What make cluster starts, while a chat and sse-tail are open: each of its six servers is killed, and started again.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LIMIT_MS, PROGRAM, enter, launch, live, openPage, reads, say, state, tempFolder, tryNow, until } from "./helper.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const runs = (command) => {
  try {
    return execFileSync("sh", ["-c", command], { encoding: "utf8" });
  } catch {
    return "";
  }
};

/** Why it cannot be tried here, or false. */
function missing() {
  if (!runs(`'${PROGRAM}' --version`).includes("libnats")) return "sse-serve is built without libnats";
  for (const command of ["nats-server", "nginx"])
    if (!runs(`PATH=$PATH:/usr/sbin command -v ${command}`)) return `${command} is not installed`;
  return false;
}

/** Runs the script of make cluster, and returns where it listens and its folder. */
async function startCluster(t) {
  const port = 20000 + 20 * Math.floor(Math.random() * 400);
  const child = spawn("sh", [path.join(here, "../../.ci/cluster"), path.dirname(PROGRAM)], {
    cwd: await tempFolder(t),
    env: { ...process.env, PORT: port, NATS_PORT: port + 5, SSE_ADDRESS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (told += bytes));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  const folder = await until("the cluster is ready", () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${told}`);
    return /cat (\S+)\/nats1\.pid/.exec(told)?.[1];
  });
  return { origin: `http://127.0.0.1:${port}`, port, folder };
}

/** Kills one of the cluster's servers as the README does, and starts it again. */
async function killed(cluster, name, meanwhile) {
  const pid = Number(await readFile(path.join(cluster.folder, `${name}.pid`), "utf8"));
  process.kill(pid, "SIGKILL");
  await meanwhile();
  spawn(path.join(cluster.folder, name), { stdio: "ignore", detached: true }).unref();
}

const ready = async (cluster) => {
  for (const node of [1, 2, 3])
    if (!(await fetch(`http://127.0.0.1:${cluster.port + node}/readyz`)).ok) return false;
  return true;
};

/** The texts that sse-tail has printed so far. */
function tail(t, url) {
  const lines = [];
  const child = spawn(path.join(path.dirname(PROGRAM), "sse-tail"), ["--event", "update", "--output", "data", url]);
  t.after(() => child.kill("SIGKILL"));
  let rest = "";
  child.stdout.on("data", (bytes) => {
    const parts = (rest + bytes).split("\n");
    rest = parts.pop();
    lines.push(...parts.map((line) => JSON.parse(line).text));
  });
  return lines;
}

test("each of six servers is killed under a chat: each message once, in order, for both people and for sse-tail",
  { skip: missing(), timeout: 8 * LIMIT_MS }, async (t) => {
    const cluster = await startCluster(t);
    const lines = tail(t, `${cluster.origin}/api/chat/lobby/event?since=all`);
    const ada = await openPage(t, browser, `${cluster.origin}/chat/lobby`);
    const bob = await openPage(t, browser, `${cluster.origin}/chat/lobby`);
    await enter(ada, "Ada");
    await enter(bob, "Bob");
    const texts = [];
    const talk = async () => {
      for (let i = 0; i < 5; i += 1) {
        texts.push(`m${texts.length}`);
        await say(ada, texts.at(-1));
        await new Promise((resume) => setTimeout(resume, 150));
      }
    };
    for (const name of ["nats1", "node1", "nats2", "node2", "nats3", "node3"]) {
      await talk();
      await killed(cluster, name, talk);
      await talk();
      await until("all servers are ready", () => ready(cluster));
    }
    await Promise.all([tryNow(ada), tryNow(bob)]);
    await Promise.all([live(ada), live(bob)]);
    const expected = texts.map((text) => `Ada: ${text}`);
    await reads(ada, expected);
    await reads(bob, expected);
    await until("sse-tail has all", () => lines.length >= texts.length);
    assert.deepEqual(lines, texts);
  });

test("while NATS has no majority, a chat says that nothing is stored; what was written is sent when it has one again",
  { skip: missing(), timeout: 8 * LIMIT_MS }, async (t) => {
    const cluster = await startCluster(t);
    const ada = await openPage(t, browser, `${cluster.origin}/chat/lobby`);
    await enter(ada, "Ada");
    await killed(cluster, "nats1", () => killed(cluster, "nats2", async () => {
      await say(ada, "Hello");
      await until("it says so", async () => /^Not storing: The server cannot store events now\./.test(await state(ada)));
      assert.equal(await ada.locator("#pending .mark").textContent(), "waiting to be sent");
    }));
    await until("all servers are ready", () => ready(cluster));
    await tryNow(ada);
    await reads(ada, ["Ada: Hello"]);
    await live(ada);
  });
