// SPDX-License-Identifier: MIT
// Pages over https, in a browser that trusts a CA of the test's own.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { People, Server, launch, live, openPage, openProfile, openTab, shows, until } from "./helper.mjs";

const exec = promisify(execFile);

let home, args, browser;

/** A CA, the server's certificate, and a browser that trusts the CA. */
before(async () => {
  home = await mkdtemp(path.join(tmpdir(), "sse-browser-"));
  const at = (name) => path.join(home, name);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await exec("openssl", ["req", "-x509", ...key, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "30", "-subj", "/CN=test CA"]);
  await exec("openssl", ["req", ...key, "-keyout", at("server.key"), "-out", at("server.request"), "-subj", "/CN=localhost"]);
  await writeFile(at("names"), "subjectAltName=IP:127.0.0.1\n");
  await exec("openssl", ["x509", "-req", "-in", at("server.request"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"),
    "-set_serial", "1", "-days", "10", "-extfile", at("names"), "-out", at("server.pem")]);
  args = ["--tls-cert", at("server.pem"), "--tls-key", at("server.key")];
  const db = `sql:${at(".pki/nssdb")}`;
  await mkdir(at(".pki/nssdb"), { recursive: true });
  await exec("certutil", ["-d", db, "-N", "--empty-password"]);
  await exec("certutil", ["-d", db, "-A", "-t", "C,,", "-n", "test CA", "-i", at("ca.pem")]);
  browser = await launch({ home });
});
after(async () => {
  await browser?.close();
  await rm(home, { recursive: true, force: true });
});

/** The page itself publishes. */
const post = (page, firstname) =>
  page.evaluate(async (firstname) => {
    const headers = { "Content-Type": "application/json" };
    return (await fetch("/api/users", { method: "POST", headers, body: JSON.stringify({ firstname, lastname: "x" }) })).status;
  }, firstname);

test("a page over https has a live stream, and publishes", async (t) => {
  const server = await Server.start(t, { args });
  assert.match(server.origin, /^https:/);
  const page = await openPage(t, browser, server.origin);
  await live(page);
  assert.equal(await post(page, "Ann"), 201);
  assert.equal(await post(page, "Bob"), 201);
  await shows(page, ["Bob x", "Ann x"]);
  // The page comes back to the next server by itself, with the id that it has.
  await server.restart();
  await live(page);
  assert.equal(await post(page, "Eve"), 201);
  await shows(page, ["Eve x", "Bob x", "Ann x"]);
  assert.deepEqual(page.trouble.filter((line) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE/.test(line)), []);
});

test("an EventSource over https is told of the end of its stream", async (t) => {
  const server = await Server.start(t, { args });
  const page = await openPage(t, browser, server.origin);
  await live(page);
  await page.evaluate(() => {
    window.seen = [];
    const source = new EventSource("/api/users/event?since=all");
    source.addEventListener("update", (event) => window.seen.push(JSON.parse(event.data).firstname));
    source.addEventListener("error", () => window.seen.push(source.readyState));
  });
  await post(page, "Ann");
  await until("the event is there", () => page.evaluate(() => window.seen.includes("Ann")));
  server.ending = true;
  server.child.kill("SIGTERM");
  await server.gone;
  // It waits to connect again (0 is CONNECTING), which is what the end of a stream means.
  await until("it is told of the end", () => page.evaluate(() => window.seen.includes(0)));
});

test("a login over https is kept in a cookie that no plain request carries", async (t) => {
  const people = await People.start(t, { ann: "publish=users read=users" }, { args });
  const context = await openProfile(t, browser);
  const page = await openTab(context, people.server.origin);
  await page.locator("#token").fill(people.tokens.ann);
  await page.locator("#token").press("Enter");
  await live(page);
  assert.equal(await post(page, "Ann"), 201);
  await shows(page, ["Ann x"]);
  const cookies = await context.cookies();
  assert.equal(cookies.length, 1);
  const [{ secure, httpOnly, sameSite }] = cookies;
  assert.deepEqual({ secure, httpOnly, sameSite }, { secure: true, httpOnly: true, sameSite: "Strict" });
});

test("a browser that does not know the CA shows nothing", async (t) => {
  const server = await Server.start(t, { args });
  const other = await launch({ home: path.join(home, "other") });
  t.after(() => other.close());
  await assert.rejects(openPage(t, other, server.origin), /ERR_CERT_AUTHORITY_INVALID/);
});
