// SPDX-License-Identifier: MIT
// A server of the Model Context Protocol, as far as its streams go (2025-06-18, Streamable HTTP):
// a POST of a JSON-RPC request is answered by a stream with the messages that belong to it, and then
// the result; a stream that broke is gone on with by GET with Last-Event-ID.
//
//   node mcp.mjs
//
// It prints "Listening on http://127.0.0.1:PORT".  The tool "count" tells of its progress; with the
// argument {"break":true} the connection breaks before the result.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const session = "s-1";
const streams = [];

function send(response, stream, from) {
	for (let i = from; i < stream.messages.length; i++) {
		const data = JSON.stringify(stream.messages[i]);

		response.write(`event: message\nid: ${stream.number}_${i}\ndata: ${data}\n\n`);
	}
}

function answer(id, result) {
	return { jsonrpc: "2.0", id, result };
}

function progress(i) {
	return { jsonrpc: "2.0", method: "notifications/progress", params: { progress: i, total: 3 } };
}

function head(response) {
	response.writeHead(200, {
		"Content-Type": "text/event-stream",
		"Cache-Control": "no-cache, no-transform",
		"Mcp-Session-Id": session,
	});
}

function refuse(response, status, message) {
	response.writeHead(status, { "Content-Type": "application/json" });
	response.end(JSON.stringify({ jsonrpc: "2.0", error: { code: -32000, message } }));
}

async function call(request, response) {
	const accepted = request.headers.accept ?? "";
	const message = JSON.parse(await text(request));
	const stream = { number: streams.length, messages: [] };

	if (!accepted.includes("application/json") || !accepted.includes("text/event-stream"))
		return refuse(response, 406, "Not Acceptable: accept both application/json and text/event-stream");
	if (message.method !== "initialize" && request.headers["mcp-session-id"] !== session)
		return refuse(response, 404, "Session not found");
	streams.push(stream);
	head(response);
	if (message.method === "initialize") {
		stream.messages.push(answer(message.id, { protocolVersion: "2025-06-18" }));
	} else {
		stream.messages.push(progress(1), progress(2), progress(3));
		send(response, stream, 0);
		stream.messages.push(answer(message.id, { content: [{ type: "text", text: "six ✓" }] }));
		// The progress has to be on its way before the socket goes.
		if (message.params.arguments?.break)
			return response.write(": \n\n", () => setImmediate(() => response.destroy()));
	}
	send(response, stream, message.method === "initialize" ? 0 : 3);
	response.end();
}

function resume(request, response) {
	const [number, last] = (request.headers["last-event-id"] ?? "").split("_").map(Number);

	if (streams[number] === undefined)
		return refuse(response, 400, "there is nothing to go on with");
	head(response);
	send(response, streams[number], last + 1);
	response.end();
}

const server = createServer((request, response) => {
	(request.method === "POST" ? call : resume)(request, response);
});
server.listen(0, "127.0.0.1", () => {
	console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
