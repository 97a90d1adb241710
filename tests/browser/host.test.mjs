// SPDX-License-Identifier: MIT
// Pages of other sites in Chromium: one whose name leads to this machine meanwhile (DNS rebinding), and
// pages of origins that --cors allows.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Server, launch, openPage } from "./helper.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Another site, with one empty page, on that port of this machine; returns its port and how to end it. */
async function site(t, port = 0) {
  const other = createServer((request, response) => {
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end("<!DOCTYPE html><title>Another site</title>");
  });
  other.listen(port, "127.0.0.1");
  await once(other, "listening");
  const end = async () => {
    if (!other.listening) return;
    other.closeAllConnections();
    other.close();
    await once(other, "close");
  };
  t.after(end);
  return { port: other.address().port, end };
}

/** What a page gets for a request: the status, or the name of the error. */
const asks = (page, url, options) =>
  page.evaluate(([url, options]) => fetch(url, options).then((answer) => answer.status, (error) => error.name),
    [url, options]);

const post = { method: "POST", headers: { "Content-Type": "text/plain" }, body: "x" };

/** Does a stream open for the page? */
const opens = (page, path) => page.evaluate((path) => new Promise((resolve) => {
  const source = new EventSource(path);
  source.onopen = () => resolve(true);
  source.onerror = () => resolve(false);
}), path);

/** A page of evil.example, whose name and port are the server's from now on. */
async function rebound(t, args) {
  const server = await Server.start(t, { args });
  const { port } = new URL(server.origin);
  await server.publish("any", "secret");
  await server.kill();
  const evil = await site(t, Number(port));
  const page = await openPage(t, browser, `http://evil.example:${port}/`);
  assert.equal(await page.title(), "Another site");
  await evil.end();
  await server.restart();
  return { server, page };
}

const stored = async (server) => (await fetch(`${server.origin}/api/any`)).json();

test("a page whose name leads to the server gets 421 for all that it asks", async (t) => {
  const { server, page } = await rebound(t, []);
  assert.equal(await asks(page, "/api/any", {}), 421);
  assert.equal(await asks(page, "/api/any", post), 421);
  assert.equal(await asks(page, "/healthz", {}), 421);
  assert.equal(await opens(page, "/api/any/event"), false);
  assert.deepEqual(await stored(server), ["secret"]);
  const answer = await page.goto(page.url());
  assert.equal(answer.status(), 421);
  assert.match(await page.textContent("body"), /'evil\.example' is not a name of this server.*--host NAME/);
});

test("the same page is the server's own with --host", async (t) => {
  const { server, page } = await rebound(t, ["--host", "*.example"]);
  assert.equal(await asks(page, "/api/any", post), 201);
  assert.equal(await opens(page, "/api/any/event"), true);
  assert.deepEqual(await stored(server), ["secret", "x"]);
  assert.equal((await page.goto(page.url())).status(), 200);
});

test("a page of --cors sends credentials if its origin is named, not if all are allowed", async (t) => {
  const { port } = await site(t);
  const origin = `http://plain.example:${port}`;
  const page = await openPage(t, browser, origin);
  const token = { ...post, headers: { ...post.headers, Authorization: "Bearer x" } };
  const tries = async (args) => {
    const server = await Server.start(t, { args });
    const url = `${server.origin}/api/any`;
    return [await asks(page, url, { ...token, credentials: "include" }), await asks(page, url, token),
      await asks(page, url, { credentials: "include" })];
  };
  assert.deepEqual(await tries(["--cors", "*", "--cors", origin]), [201, 201, 200]);
  assert.deepEqual(await tries(["--cors", "*"]), ["TypeError", 201, "TypeError"]);
  assert.deepEqual(await tries(["--cors", "http://else.example"]), ["TypeError", "TypeError", "TypeError"]);
});
