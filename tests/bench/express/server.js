// SPDX-License-Identifier: MIT
// The Express server that tutorials of Server-Sent Events show: a list of the open responses, and
// one write() to each for every event.  It prints "Listening on http://127.0.0.1:PORT".
import express from "express";

const app = express();
const responses = new Set();

app.use(express.json());

app.get("/api/:topic/event", (request, response) => {
	response.writeHead(200, {
		"Content-Type": "text/event-stream",
		"Cache-Control": "no-cache",
		Connection: "keep-alive",
	});
	response.flushHeaders();
	responses.add(response);
	request.on("close", () => responses.delete(response));
});

app.post("/api/:topic", (request, response) => {
	const event = `event: update\ndata: ${JSON.stringify(request.body)}\n\n`;

	for (const open of responses)
		open.write(event);
	response.status(201).end();
});

const server = app.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
	console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
