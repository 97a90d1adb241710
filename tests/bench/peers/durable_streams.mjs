// SPDX-License-Identifier: MIT
// The server of @durable-streams/server, in memory, with one stream, /bench.  It prints "Listening
// on http://127.0.0.1:PORT".
import { DurableStreamTestServer } from "@durable-streams/server";

const server = new DurableStreamTestServer({ port: 0, host: "127.0.0.1", compression: false });
const url = await server.start();

await fetch(`${url}/bench`, { method: "PUT", headers: { "Content-Type": "text/plain" } });
console.log(`Listening on ${url}`);
