// SPDX-License-Identifier: MIT
// The pages behind nginx with its default buffering, HTTP/1.0 to the server, and its own 502 when that is
// away.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { Server, enter, hoard, launch, live, openPage, reads, say, shows, state, tempFolder, until, tryNow } from "./helper.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const freePort = () => new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

/** nginx in front of a server; returns where. The port may be taken meanwhile: then another. */
async function front(t, server) {
  const folder = await tempFolder(t);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const port = await freePort();
    await writeFile(path.join(folder, "nginx.conf"), `
      daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
      events {}
      http {
        access_log off;
        client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
        uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
        server {
          listen 127.0.0.1:${port};
          location / { proxy_pass ${server.origin}; proxy_set_header Host $http_host; }
        }
      }`);
    const nginx = spawn("nginx", ["-p", folder, "-c", path.join(folder, "nginx.conf"), "-e", path.join(folder, "error.log")], { stdio: "ignore" });
    t.after(() => nginx.kill("SIGKILL"));
    const origin = `http://127.0.0.1:${port}`;
    const ready = await until("nginx answers, or is gone", async () => nginx.exitCode !== null ||
      (await fetch(`${origin}/healthz`).then((answer) => answer.ok, () => false)));
    if (ready && nginx.exitCode === null) return origin;
  }
  throw new Error("nginx does not start");
}

test("behind nginx as it comes: chat, users, a killed server", async (t) => {
  const server = await Server.start(t);
  const origin = await front(t, server);
  const ada = await openPage(t, browser, `${origin}/chat/lobby`);
  const bob = await openPage(t, browser, `${origin}/chat/lobby`);
  await enter(ada, "Ada");
  await enter(bob, "Bob");
  const began = Date.now();
  await say(ada, "Hello");
  await Promise.all([ada, bob].map((page) => reads(page, ["Ada: Hello"])));
  t.diagnostic(`a message takes at most ${Date.now() - began} ms`);
  const users = await openPage(t, browser, origin);
  await live(users);
  await server.post("John", "DOE");
  await shows(users, ["John DOE"]);

  await server.kill();
  await until("it is nginx that answers now", async () => /502/.test(await state(ada)));
  await say(ada, "while away");
  await reads(ada, ["Ada: Hello", "pending Ada: while away"]);
  await server.restart();
  for (const page of [ada, bob]) {
    await tryNow(page);
    await reads(page, ["Ada: Hello", "Ada: while away"]);
  }
  assert.equal((await (await fetch(`${origin}/api/chat/lobby`)).json()).length, 2);
});

test("behind a proxy that holds every answer back until it is complete: chat by polls, a killed server", async (t) => {
  const server = await Server.start(t);
  const origin = await hoard(t, server, "whole");
  const ada = await openPage(t, browser, `${origin}/chat/lobby`);
  const bob = await openPage(t, browser, `${origin}/chat/lobby`);
  await enter(ada, "Ada");
  await enter(bob, "Bob");
  await say(ada, "Hello");
  await Promise.all([ada, bob].map((page) => reads(page, ["Ada: Hello"])));
  await server.kill();
  await say(bob, "while away");
  await server.restart();
  for (const page of [ada, bob]) {
    await tryNow(page);
    await reads(page, ["Ada: Hello", "Bob: while away"]);
  }
  assert.equal((await (await fetch(`${origin}/api/chat/lobby`)).json()).length, 2);
});
