// SPDX-License-Identifier: MIT
// A channel of better-sse, on node's own HTTP server.  It prints "Listening on
// http://127.0.0.1:PORT".
import { createChannel, createSession } from "better-sse";
import http from "node:http";
import { json } from "node:stream/consumers";

const channel = createChannel();

const server = http.createServer(async (request, response) => {
	if (request.method === "POST") {
		channel.broadcast(await json(request), "update");
		response.writeHead(201, { "Content-Length": 0 }).end();
	} else {
		channel.register(await createSession(request, response));
	}
});

server.listen(0, "127.0.0.1", () => {
	console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
