// SPDX-License-Identifier: MIT
// A receiver of webhooks for the scenarios of sse-tail --post.  It checks signatures by Node's own
// crypto.
//	usage: node receiver.mjs PORT LOG KEY... -- ANSWER...
// It listens on PORT of 127.0.0.1 (0 picks one), and writes the port into the file receiver.port.
// LOG gets a line of JSON for each request before it is answered: status, headers, body, and which
// KEYs (whsec_...) each signature is good for.  The answers are used up from the first on: a status,
// STATUS/SECONDS for one with Retry-After, STATUS>URL for one with Location, `drop` to close the
// connection instead, `hang` never to answer.  After the last one all are 200.
import { createHmac, timingSafeEqual } from "node:crypto";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

const [port, log, ...rest] = process.argv.slice(2);
const keys = rest.slice(0, rest.indexOf("--"));
const answers = rest.slice(rest.indexOf("--") + 1);

/** The numbers of the keys, from 1 on, that made this signature; "late" if its time is not now. */
function check(signature, headers, body) {
  const signed = Buffer.concat([
    Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), body]);
  const given = Buffer.from(signature);
  const late = Math.abs(Date.now() / 1000 - Number(headers["webhook-timestamp"])) > 300;
  return late ? "late" : keys.flatMap((key, index) => {
    const secret = Buffer.from(key.replace("whsec_", ""), "base64");
    const made = Buffer.from(`v1,${createHmac("sha256", secret).update(signed).digest("base64")}`);
    return made.length === given.length && timingSafeEqual(made, given) ? [index + 1] : [];
  }).join();
}

function answer(response, word) {
  const [, status, retry, location] = /^(\d+)(?:\/(\d+))?(?:>(.*))?$/.exec(word) ?? [];
  if (word === "drop") {
    response.socket.destroy();
  } else if (status) {
    response.writeHead(Number(status), {
      ...retry && { "Retry-After": retry }, ...location && { Location: location } });
    response.end();
  }
}

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) {
    parts.push(part);
  }
  const body = Buffer.concat(parts);
  const { method, url, headers } = request;
  const signatures = headers["webhook-signature"]?.split(" ").map(
    (signature) => check(signature, headers, body)) ?? [];
  const word = answers.shift() ?? "200";
  appendFileSync(log, `${JSON.stringify({
    answer: word, method, url, headers, signatures, id: headers["webhook-id"],
    data: body.toString() })}\n`);
  answer(response, word);
});
server.listen(Number(port), "127.0.0.1", () => {
  writeFileSync("receiver.new", `${server.address().port}\n`);
  renameSync("receiver.new", "receiver.port");
});
