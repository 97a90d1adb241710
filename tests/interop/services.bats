#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sse-tail asks what answers a POST with a stream: tools by the Model Context Protocol, and language
# models.
# shellcheck disable=SC2154,SC2119

load interop_helpers

# --- MCP ------------------------------------------------------------------------------------------

accepts='Accept: application/json, text/event-stream'

# call ARGUMENTS [OPTION]...: call the tool by POST.
call() {
	sse-tail "$URL/mcp" -H "$accepts" -H 'Mcp-Session-Id: s-1' "${@:2}" --json \
		'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"count","arguments":'"$1"'}}'
}

@test "MCP: a request is answered with what belongs to it, and then it ends" {
	serve_node mcp.mjs
	run -0 sse-tail "$URL/mcp" -H "$accepts" -vv --json \
		'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}'
	[[ $output == *'< Mcp-Session-Id: '* ]]
	[[ $output == *'\"protocolVersion\":\"2025-06-18\"'* ]]
	run -0 call '{}' -o data
	[ "${#lines[@]}" -eq 4 ]
	[ "${lines[0]}" = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1,"total":3}}' ]
	run -0 call '{}' --pointer /result/content/0/text
	[ "$output" = 'six ✓' ]
}

@test "MCP: what is refused says why: the wrong Accept, no session" {
	serve_node mcp.mjs
	run sse-tail "$URL/mcp" --json '{"jsonrpc":"2.0","id":1,"method":"initialize"}'
	[ "$status" -ne 0 ]
	[[ $output == *406* ]]
	run -69 sse-tail "$URL/mcp" -H "$accepts" --json '{"jsonrpc":"2.0","id":2,"method":"tools/call"}'
}

@test "MCP: a stream that broke before the result is gone on with by its id" {
	serve_node mcp.mjs
	run call '{"break":true}' --state state -o data
	[ "$status" -ne 0 ]
	[[ $output == *'"progress":3'* && $output != *result* ]]
	run -0 sse-tail "$URL/mcp" -H "$accepts" --state state --no-reconnect -o data
	[ "$output" = '{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"six ✓"}]}}' ]
}

# --- language models ------------------------------------------------------------------------------

answer=$'Grüße aus der "Stream"\n\nZeile 2: 🦙\\n – Ende.'

@test "OpenAI's chat: the answer as running text, by preset and by hand, torn anywhere" {
	serve_node llm.mjs
	local -a ask=(sse-tail "$URL/v1/chat/completions" --oauth2-bearer key)
	local body
	for body in '{"model":"m","stream":true}' '{"model":"m","stream":true,"crlf":true}'; do
		run -0 "${ask[@]}" --llm openai -d "$body"
		[ "$output" = "$answer" ]
		run -0 "${ask[@]}" --pointer /choices/0/delta/content --join --done '[DONE]' -d "$body"
		[ "$output" = "$answer" ]
	done
	run -0 "${ask[@]}" -o data -d "$body"
	[ "${lines[${#lines[@]} - 1]}" = '[DONE]' ]
}

@test "Anthropic's messages: the answer as running text, by preset and by hand" {
	serve_node llm.mjs
	local -a ask=(sse-tail "$URL/v1/messages" -H 'x-api-key: key' -H 'anthropic-version: 2023-06-01')
	local body='{"model":"m","stream":true}'
	run -0 "${ask[@]}" --llm anthropic --json "$body"
	[ "$output" = "$answer" ]
	run -0 "${ask[@]}" -e content_block_delta --pointer /delta/text -j --json "$body"
	[ "$output" = "$answer" ]
	run -0 "${ask[@]}" -F '%e\n' --json "$body"
	[ "${lines[2]}" = ping ]
}

@test "Ollama's chat and generate: the answer as running text, by preset and by hand, torn anywhere" {
	serve_node llm.mjs
	local body
	for body in '{"model":"m"}' '{"model":"m","crlf":true}'; do
		run -0 sse-tail "$URL/api/chat" --llm ollama -d "$body"
		[ "$output" = "$answer" ]
		run -0 sse-tail "$URL/api/generate" --llm ollama -d "$body"
		[ "$output" = "$answer" ]
		run -0 sse-tail "$URL/api/chat" --pointer /message/content -j -d "$body"
		[ "$output" = "$answer" ]
	done
	run -0 sse-tail "$URL/api/chat" -o data -d "$body"
	[ "${#lines[@]}" -eq 9 ]
	run --separate-stderr -69 sse-tail "$URL/api/chat" --llm ollama -d '{"model":"broken"}'
	[ "$output" = 'Grüße aus der' ]
	[[ $stderr == *'the model runner has stopped'* ]]
}

@test "a model that fails in the middle: what it said, the reason, and 69" {
	serve_node llm.mjs
	local body='{"model":"broken","stream":true}'
	run --separate-stderr -69 sse-tail "$URL/v1/chat/completions" --oauth2-bearer key \
		--llm openai -d "$body"
	[ "$output" = 'Grüße aus der' ]
	[[ $stderr == *'The server is overloaded'* ]]
	run --separate-stderr -69 sse-tail "$URL/v1/messages" -H 'x-api-key: key' --llm anthropic -d "$body"
	[ "$output" = 'Grüße aus der' ]
	[[ $stderr == *Overloaded* ]]
}

@test "a wrong key is 77, with the service's words" {
	serve_node llm.mjs
	run -77 sse-tail "$URL/v1/messages" -H 'x-api-key: other' --llm anthropic -d '{"stream":true}'
	[[ $output == *'Incorrect API key provided'* || $output == *401* ]]
	[[ $output != *other* ]]
}
