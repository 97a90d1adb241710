// SPDX-License-Identifier: MIT
// Streams as the services of language models send them, for the same words: POST
// /v1/chat/completions as OpenAI has it, /v1/messages as Anthropic does, /api/chat and /api/generate as
// Ollama does, which sends JSON lines and asks for no key.  The key of the others is "key"; the model
// "broken" fails in the middle of its answer.
//
//   node llm.mjs
//
// It prints "Listening on http://127.0.0.1:PORT".  What it sends comes in pieces that end where it
// hurts: within characters, between CR and LF, one byte alone.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const words = ["Grüße", " aus", " der", " \"Stream\"", "\n\n", "Zeile 2: ", "🦙", "\\n", " – Ende."];

function* openai(model) {
	const chunk = (delta, finish_reason = null) => ({
		id: "chatcmpl-1",
		object: "chat.completion.chunk",
		model,
		choices: [{ index: 0, delta, finish_reason }],
	});

	yield { data: chunk({ role: "assistant", content: "" }) };
	for (const content of words) {
		yield { data: chunk({ content }) };
		if (model === "broken" && content === " der")
			return yield { data: { error: { message: "The server is overloaded", type: "server_error" } } };
	}
	yield { data: chunk({}, "stop") };
	yield { data: { id: "chatcmpl-1", choices: [], usage: { total_tokens: 9 } } };
	yield { data: "[DONE]" };
}

function* anthropic(model) {
	const event = (type, rest) => ({ event: type, data: { type, ...rest } });

	yield event("message_start", { message: { id: "msg_1", role: "assistant", content: [] } });
	yield event("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
	yield event("ping", {});
	for (const text of words) {
		yield event("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
		if (model === "broken" && text === " der")
			return yield event("error", { error: { type: "overloaded_error", message: "Overloaded" } });
	}
	yield event("content_block_stop", { index: 0 });
	yield event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 9 } });
	yield event("message_stop", {});
}

// The last line may have text, too.
function* ollama(model, piece) {
	const line = (rest) => ({ model, created_at: "2026-11-30T00:00:00.123456Z", ...rest });

	for (const word of words) {
		const last = word === words.at(-1);

		yield line({ ...piece(word), done: last, ...(last && { done_reason: "stop", eval_count: 9 }) });
		if (model === "broken" && word === " der")
			return yield { error: "the model runner has stopped" };
	}
}

function ollamaChat(model) {
	return ollama(model, (content) => ({ message: { role: "assistant", content } }));
}

function ollamaGenerate(model) {
	return ollama(model, (response) => ({ response }));
}

function line(value, end) {
	return JSON.stringify(value) + end;
}

function frame({ event, data }, end) {
	const name = event === undefined ? "" : `event: ${event}${end}`;

	return `${name}data: ${typeof data === "string" ? data : JSON.stringify(data)}${end}${end}`;
}

// Pieces of 1 to 40 bytes, the same each time; each leaves by itself.
async function writePieces(response, bytes) {
	let state = 7;

	for (let at = 0; at < bytes.length; ) {
		const size = 1 + (state = (state * 48271) % 2147483647) % 40;

		response.write(bytes.subarray(at, at + size));
		await new Promise(setImmediate);
		at += size;
	}
	response.end();
}

const stream = { type: "text/event-stream; charset=utf-8", frame };
const lines = { type: "application/x-ndjson", frame: line, open: true };
const services = {
	"/v1/chat/completions": { ...stream, events: openai },
	"/v1/messages": { ...stream, events: anthropic },
	"/api/chat": { ...lines, events: ollamaChat },
	"/api/generate": { ...lines, events: ollamaGenerate },
};

const server = createServer(async (request, response) => {
	const service = services[request.url];
	const asked = JSON.parse(await text(request));
	const key = request.headers["x-api-key"] ?? request.headers.authorization?.replace("Bearer ", "");

	if (service === undefined || !(service.open || (key === "key" && asked.stream))) {
		response.writeHead(401, { "Content-Type": "application/json" });
		return response.end(JSON.stringify({ error: { message: "Incorrect API key provided" } }));
	}
	response.writeHead(200, { "Content-Type": service.type });
	request.socket.setNoDelay(true);
	const end = asked.crlf ? "\r\n" : "\n";
	const events = [...service.events(asked.model)];
	await writePieces(response, Buffer.from(events.map((e) => service.frame(e, end)).join("")));
});
server.listen(0, "127.0.0.1", () => {
	console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});
