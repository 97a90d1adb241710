// SPDX-License-Identifier: MIT
// A proxy that holds answers back until they are complete, as some virus scanners and misconfigured
// proxies do.
//	usage: node hoarder.mjs PORT TARGET WHAT
// It listens on PORT of 127.0.0.1 (0 picks one), and writes the port into the file hoarder.port.
// TARGET is the server behind it, http://HOST:PORT.  WHAT is held back:
//	whole    head and body
//	body     the body
//	foreign  no proxy, but a slow server that is not ours: GET is answered after a HEAD was answered 404
import { renameSync, writeFileSync } from "node:fs";
import { createServer, request as ask } from "node:http";

const [port, target, what] = process.argv.slice(2);

function pass(request, response) {
  const { method, url, headers } = request;
  const asked = ask(`${target}${url}`, { method, headers, agent: false }, (answer) => {
    const chunks = [];
    const begin = () => response.writeHead(answer.statusCode, answer.headers);
    // Nothing follows.
    if (method === "HEAD") return void begin().end();
    if (what === "body") begin().flushHeaders();
    answer.on("data", (chunk) => chunks.push(chunk));
    answer.on("error", () => response.destroy());
    answer.on("end", () => {
      if (what !== "body") begin();
      response.end(Buffer.concat(chunks));
    });
  });
  asked.on("error", () => response.writableEnded || response.destroy());
  response.on("close", () => asked.destroy());
  request.pipe(asked);
}

let late = null;

function foreign(request, response) {
  if (request.method === "HEAD") {
    response.writeHead(404).end();
    const held = late;
    late = null;
    // The client has this answer before the other.
    response.on("close", () => held?.writeHead(200, { "Content-Type": "text/event-stream" }).end("data: late\n\n"));
  } else if (late === null && !foreign.served) {
    foreign.served = true;
    late = response;
  } else {
    response.writeHead(204).end();
  }
}

const server = createServer(what === "foreign" ? foreign : pass);
server.keepAliveTimeout = 0;
server.listen(Number(port), "127.0.0.1", () => {
  writeFileSync("hoarder.port.new", `${server.address().port}\n`);
  renameSync("hoarder.port.new", "hoarder.port");
});
