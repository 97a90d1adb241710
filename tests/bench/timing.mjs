// SPDX-License-Identifier: MIT
// Does the time of an answer tell how much of a token is right?
//   node tests/bench/timing.mjs [REQUESTS]     with BIN, the folder of the programs
// Asks with a token that is wrong in its first byte, and with one that is wrong in its last, in
// random order on one connection, and compares the times by Welch's t-test, without the slowest
// tenth of each.  As dudect does, it takes |t| above 4.5 for a difference, and then ends with 1.
// It asks twice: first both groups are the same, which shows that the method itself sees none.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const requests = Number(process.argv[2] ?? 200_000);
const serve = join(process.env.BIN ?? "build/bin", "sse-serve");
const folder = mkdtempSync(join(tmpdir(), "timing."));
const made = spawnSync(serve, ["--new-token", "ann"], { encoding: "utf8" });
const token = made.stderr.trim();
writeFileSync(join(folder, "who"), made.stdout, { mode: 0o600 });

const server = spawn(serve, ["--listen", "127.0.0.1:0", "--db", ":memory:", "--loops", "1",
  "--access", join(folder, "who"), "--trust-proxy", "127.0.0.1"], { stdio: ["ignore", "pipe", "ignore"] });
const port = await new Promise((resolve) =>
  server.stdout.on("data", (text) => resolve(Number(/:(\d+)\n/.exec(text)[1]))));
const socket = connect({ port, host: "127.0.0.1", noDelay: true });

// The answer is small, and comes at once.
const answer = () => new Promise((resolve) => socket.once("data", resolve));

let client = 0;
async function ask(proof) {
  // Wrong tokens of one address are slowed: each request is of another.
  client += 1;
  const from = `10.${(client >> 16) & 255}.${(client >> 8) & 255}.${client & 255}`;
  const head = `GET /api/a HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${from}\r\n` +
    `Authorization: Bearer ${proof}\r\n\r\n`;
  const start = process.hrtime.bigint();
  const done = answer();
  socket.write(head);
  const status = String(await done).slice(9, 12);
  const took = Number(process.hrtime.bigint() - start);
  if (status !== "401") throw new Error(`answered ${status}`);
  return took;
}

function sum(times) {
  const kept = times.sort((a, b) => a - b).slice(0, Math.floor(times.length * 0.9));
  const mean = kept.reduce((a, b) => a + b, 0) / kept.length;
  const variance = kept.reduce((a, b) => a + (b - mean) ** 2, 0) / (kept.length - 1);
  return { mean, variance, count: kept.length };
}

async function compare(name, proofs) {
  const times = [[], []];
  for (let i = 0; i < requests / 20; i += 1) await ask(proofs[i % 2]); // warm up
  for (let i = 0; i < requests; i += 1) {
    const group = Math.random() < 0.5 ? 0 : 1;
    times[group].push(await ask(proofs[group]));
  }
  const [a, b] = times.map(sum);
  const t = (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
  console.log(`${name}: ${a.mean.toFixed(0)} and ${b.mean.toFixed(0)} ns, t = ${t.toFixed(2)}`);
  return Math.abs(t) <= 4.5;
}

const other = (letter) => (letter === "a" ? "b" : "a");
const first = token.slice(0, 4) + other(token[4]) + token.slice(5);
const last = token.slice(0, -1) + other(token.at(-1));
const control = await compare("the same token, twice", [first, first]);
const same = await compare("wrong in its first byte, and in its last", [first, last]);
console.log(same ? "no difference is seen" : "there is a difference");
socket.destroy();
server.kill();
rmSync(folder, { recursive: true });
process.exit(control && same ? 0 : 1);
