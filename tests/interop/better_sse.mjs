// SPDX-License-Identifier: MIT
// An event stream by the package better-sse, as its documentation shows it: GET /stream, and
// POST /publish, whose body is the data of the next event.  The id is the event's number; behind the
// one that a client names, it goes on.  What was published is kept in a file, for the next start.
//
//   node better_sse.mjs FILE [PORT]
//
// It prints "Listening on http://127.0.0.1:PORT".
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import betterSse from "better-sse";

const { createChannel, createSession } = betterSse;
const [file, port = "0"] = process.argv.slice(2);
const stored = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
const channel = createChannel();

async function stream(request, response) {
	const session = await createSession(request, response, { retry: 50 });
	const start = session.lastId === "" ? stored.length : Number(session.lastId);

	for (let i = start; i < stored.length; i++)
		session.push(JSON.parse(stored[i]), "update", String(i + 1));
	channel.register(session);
}

async function publish(request, response) {
	const data = JSON.stringify(JSON.parse(await text(request)));

	appendFileSync(file, `${data}\n`);
	stored.push(data);
	channel.broadcast(JSON.parse(data), "update", { eventId: String(stored.length) });
	response.writeHead(201).end();
}

const server = createServer((request, response) => {
	(request.method === "POST" ? publish : stream)(request, response);
});
server.listen(Number(port), "127.0.0.1", () => {
	console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
