#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a person at a terminal sees of sse-tail, in the panes of a tmux of the test's own.
# shellcheck disable=SC2154,SC2030,SC2031,SC2016

load client_helpers

teardown() {
	in_tmux kill-server 2>/dev/null || true
	end_jobs
}

in_tmux() {
	tmux -u -S "$PWD/tmux" -f /dev/null "$@"
}

# terminal COLUMNS: one with a shell in it that says "ready>".
terminal() {
	echo "PS1='ready>'" >rc
	echo 'set -g history-limit 50000' >tmux.conf
	env -u TMUX tmux -u -S "$PWD/tmux" -f tmux.conf new-session -d -x "$1" -y 30 \
		'bash --noprofile --rcfile rc -i' 3>&- 4>&-
	in_tmux set -g window-size manual
	wait_for shows 'ready>'
}

# resize COLUMNS: make it as wide; what runs there knows it then.
resize() {
	in_tmux resize-window -x "$1" -y 60
	wait_for is_wide "$1"
}

is_wide() {
	[ "$(stty -F "$(in_tmux display -p '#{pane_tty}')" size)" = "60 $1" ]
}

# types TEXT: at the keyboard of that terminal, and the return key.
types() {
	in_tmux send-keys -l -- "$1"
	in_tmux send-keys Enter
}

# screen: what is to be seen, without what has left it at the top; its lines without spaces behind.
screen() {
	in_tmux capture-pane -p
}

# whole: all that was to be seen, lines that the terminal itself broke put together.
whole() {
	in_tmux capture-pane -p -J -S -
}

# shows TEXT: is it on the screen?
shows() {
	screen | grep -qF -- "$1"
}

# is_ready: does the shell wait for a command, in a line of its own?
is_ready() {
	[ "$(screen | sed '/^$/d' | tail -n 1)" = 'ready>' ]
}

# counted NUMBER TEXT: on how many lines is it?
counted() {
	[ "$(screen | grep -cF -- "$2")" -eq "$1" ]
}

# joined: the lines of the standard input as one, without white space.
joined() {
	tr -d ' \n'
}

# narrow COLUMNS: is no line of the standard input wider?
narrow() {
	! grep -E "^.{$(($1 + 1)),}"
}

LONG='{"name":"a sentence of many words that does not fit a narrow terminal","n":[1.50,{"deep":"and another one that is long enough"}]}'

@test "in 40 columns pretty breaks lines at spaces, indented; in 100 they are whole" {
	local columns
	for columns in 40 100; do
		held_stream <<<"data: $LONG\n\ndata: end\n\n"
		terminal "$columns"
		types "clear; sse-tail $URL/x"
		wait_for shows '  end'
		screen >seen
		sed -n '/^  {/,/^  }/p' seen >json
		narrow "$columns" <json
		# Nothing is lost and nothing added.
		[ "$(joined <json)" = "$(printf %s "$LONG" | joined)" ]
		if [ "$columns" -eq 40 ]; then
			# No word is torn, and what goes on below stands deeper.
			grep -qx '    "name": "a sentence of many words' json
			grep -qx '      that does not fit a narrow' json
		else
			grep -qF '"name": "a sentence of many words that does not fit a narrow terminal",' json
		fi
		in_tmux kill-server
		wait "$SERVER_PID"
	done
}

@test "a terminal that changes its width in between is respected from the next event on" {
	play <<END
answer @STREAMdata: $LONG\n\ndata: one\n\n
wait wider
send event: second\ndata: $LONG\n\ndata: two\n\n
wait narrower
send event: third\ndata: $LONG\n\ndata: three\n\n
hold
END
	terminal 40
	types "clear; sse-tail $URL/x"
	wait_for shows '  one'
	resize 100
	touch wider
	wait_for shows '  two'
	screen | sed -n '/second/,/^  }/p' | grep -qF 'words that does not fit a narrow terminal",'
	resize 30
	touch narrower
	wait_for shows '  three'
	# The terminal itself has not broken a line of it: as it wrote them they fit.
	whole | sed -n '/third/,/^  }/p' | narrow 30
}

@test "--wrap=cut shows where a line was cut, --wrap=off leaves it to the terminal" {
	play <<END
answer @STREAMdata: $LONG\n\ndata: end\n\n
close
answer @STREAMdata: $LONG\n\ndata: end again\n\n
hold
END
	terminal 40
	types "clear; sse-tail $URL/x --wrap=cut --no-reconnect"
	wait_for shows '  end'
	screen | grep -qx '    "name": "a sentence of many words t…'
	whole | sed -n '/^  {/,/^  }/p' | narrow 40
	types "clear; sse-tail $URL/x --wrap=off"
	wait_for shows '  end again'
	whole | grep -qF '    "name": "a sentence of many words that does not fit a narrow terminal",'
}

@test "wide and combining characters are wrapped where they are shown to end" {
	held_stream <<'END'
data: 中文字符很宽所以一行只能放下二十个这样的字符再多就要换行了\n\ndata: e\xcc\x81e\xcc\x81 e\xcc\x81\n\ndata: end\n\n
END
	terminal 40
	types "clear; sse-tail $URL/x"
	wait_for shows '  end'
	# The terminal has not broken what was broken already.
	whole >seen
	[ "$(grep -c '[中换]' seen)" -eq 2 ]
	[ "$(grep '[中换]' seen | joined)" = 中文字符很宽所以一行只能放下二十个这样的字符再多就要换行了 ]
	grep -q $' message  e\u0301e\u0301 e\u0301$' seen
}

@test "hostile text is shown escaped and leaves the screen, the title and the cursor as they were" {
	local evil='\x1b[2J\x1b[H\x1b]0;owned\x07\x1b[?1049h\x1b[?25l\x1bc\x1b(0\x0e\x08\x08\x9b2J\xc2\x9b31m\xe2\x80\xae\xff'
	held_stream <<END
data: before\n\nevent: $evil\nid: $evil\ndata: $evil\n\ndata: {"$evil":"\\\\u001b[2J"}\n\n: $evil\ndata: after\n\n
END
	terminal 100
	in_tmux select-pane -T untouched
	types "clear; sse-tail --comments $URL/x"
	wait_for shows '  after'
	shows '  before'
	shows '\u001b[2J\u001b[H\u001b]0;owned\u0007\u001b[?1049h\u001b[?25l\u001bc\u001b(0\u000e\u0008\u0008'
	shows '\u009b31m\u202e'
	[ "$(in_tmux display -p '#{pane_title} #{alternate_on} #{cursor_flag} #{insert_flag}')" = 'untouched 0 1 0' ]
	in_tmux send-keys C-c
	wait_for shows 'ready>'
	types 'echo still$((1 + 1))letters'
	wait_for shows still2letters
}

@test "a terminal gets colours, but not with NO_COLOR, TERM=dumb or --color=never" {
	local words coloured
	while read -r words coloured; do
		held_stream <<<'event: update\ndata: {"a":1}\n\ndata: end\n\n'
		terminal 80
		[ "$words" = - ] || types "export ${words/NEVER/SSE_COLOR=never}"
		types "clear; sse-tail $URL/x"
		wait_for shows '  end'
		in_tmux capture-pane -e -p >seen
		[ "$(grep -c $'\e\\[' seen)" -gt 0 ] && echo yes >is || echo no >is
		[ "$(cat is)" = "$coloured" ]
		in_tmux kill-server
		wait "$SERVER_PID"
	done <<'END'
- yes
NO_COLOR=1 no
TERM=dumb no
SSE_COLOR=never no
END
}

@test "an outage is one line with the reason first, which counts down, until it is given up" {
	free_url
	terminal 80
	types "clear; sse-tail $URL/x --reconnect-delay 3s"
	wait_for shows "sse-tail: connection refused: ${URL#*://}, trying again in 3 s" ||
		wait_for shows 'trying again in 2 s'
	wait_for shows 'trying again in 1 s'
	in_tmux send-keys C-c
	wait_for is_ready
	counted 1 'connection refused'
	# Of a narrow terminal the end is cut off.
	in_tmux kill-server
	terminal 40
	types "clear; sse-tail $URL/x"
	wait_for shows 'sse-tail: connection refused: '
	wait_for shows '…'
	in_tmux send-keys C-c
	wait_for is_ready
	counted 1 'connection refused'
}

@test "a server that does not answer is told of, before it has had the time to" {
	play <<'END'
accept
request
wait on
send HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n
hold
END
	terminal 80
	types "clear; sse-tail $URL/x"
	wait_for shows "sse-tail: no answer yet: ${URL#*://}, waiting"
	touch on
	wait_for shows '  one'
	screen | sed '/^$/d; s/after [0-9]*s/after 1s/' >seen
	[ "$(head -n 2 seen)" = "sse-tail: the stream is open after 1s
sse-tail: following $URL/x (Ctrl-C ends)" ]
}

@test "what is followed is told in a line once the stream is open; not with -q or -v, nor in a pipe" {
	local how
	terminal 80
	for how in '' -q '-v 2>&1' '2>err'; do
		held_stream <<<'data: one\n\n'
		types "clear; sse-tail $URL/x $how"
		wait_for shows '  one'
		if [ -z "$how" ]; then
			screen | grep -qx "sse-tail: following $URL/x (Ctrl-C ends)"
		else
			run ! shows following
		fi
		in_tmux send-keys C-c
		wait_for is_ready
	done
	run ! has err following
	free_url
	types "clear; sse-tail $URL/x --no-reconnect"
	wait_for shows 'onnection refused'
	wait_for is_ready
	run ! shows following
}

@test "keys of JSON have a colour that can be read on black, and small JSON is one line" {
	held_stream <<<'event: update\ndata: {"a":[1, 2,3]}\n\n'
	terminal 80
	types "clear; sse-tail $URL/x"
	wait_for shows 'update  {"a": [1,2,3]}'
	in_tmux capture-pane -e -p >seen
	grep -qF $'\e[36m"a"' seen
	run ! grep -qF $'\e[34m' seen
}

@test "the line of an outage ends with that the stream is back, after how long, and why it was away" {
	play <<'END'
answer @STREAMid: 1\ndata: one\n\n
away
close
wait back
back
log listens again
answer @STREAMdata: two\n\n
hold
END
	terminal 100
	# Running text is the harder case: its line is not ended.
	types "clear; sse-tail $URL/x --join"
	wait_for shows 'one'
	wait_for shows "sse-tail: connection refused: ${URL#*://}, trying again"
	wait_for shows '; no stream for 1' || wait_for shows '; no stream for 1'
	counted 1 'sse-tail: connection refused'
	touch back
	wait_for has log 'listens again'
	# By now the pauses are long.
	pkill -HUP -P "$(in_tmux display -p '#{pane_pid}')" sse-tail
	wait_for shows 'two'
	# In the order that things happened, each in a line of its own; the line of the outage says its end.
	[ "$(screen | sed '/^$/d; s/ 1[0-9]*s / 10s /')" = "sse-tail: following $URL/x (Ctrl-C ends)
one
sse-tail: the stream is back after 10s (connection refused: ${URL#*://})
two" ]
}

@test "running text of --join cannot steer the terminal, and leaves the prompt on a line of its own" {
	held_stream <<'END'
data: {"t":"Hello, "}\n\ndata: {"t":"\\u001b[2J\\u001b]0;owned\\u0007wo\\u0008rld\\r\\n"}\n\ndata: {"t":"and you"}\n\ndata: [DONE]\n\n
END
	terminal 80
	types "clear; sse-tail $URL/x --pointer /t --join --done '[DONE]'; echo status \$?"
	wait_for shows 'status 0'
	wait_for is_ready
	screen | tail -n +2 >seen
	[ "$(head -n 4 seen)" = 'Hello, \u001b[2J\u001b]0;owned\u0007wo\u0008rld\r
and you
status 0
ready>' ]
}

@test "a message amid running text stands in a line of its own, after the text that came before it" {
	play <<'END'
answer @STREAMid: 1\ndata: Hello, \n\nevent: gap\ndata: {"reason":"expired","after":"a:1"}\n\ndata: wor\n\n
wait world
send data: ld\n\n
close
answer @STREAMdata: and you\n\ndata: end\n\n
hold
END
	terminal 120
	types "clear; sse-tail $URL/x -v --join --done end"
	wait_for shows wor
	touch world
	wait_for shows 'to go on from there'
	wait_for is_ready
	screen | sed '/^$/d; /^ready>/d; s/ \(again in\|events in\) .*/ \1/' >seen
	diff - seen <<END
sse-tail: GET $URL/x
sse-tail: 200, the stream is open
Hello,
sse-tail: events are missing here: those after a:1 are no longer stored
world
sse-tail: $URL/x ended the stream; connecting again in
sse-tail: GET $URL/x after the id 1
sse-tail: 200, the stream is open
and you
sse-tail: that is enough, as was asked for
sse-tail: 6 events in
sse-tail: to go on from there: sse-tail $URL/x --last-event-id 1
END
}

@test "a service that fails after some text is told in a line of its own; a pipe gets the text alone" {
	local told='sse-tail: the service failed: overloaded' how
	for how in '' 'wait shown' pipe; do
		printf '%s\n' \
			'answer @STREAMdata: {"choices":[{"delta":{"content":"Hello, wor"}}]}\n\n' \
			${how:+"${how/pipe/pause 1}"} \
			'send data: {"error":{"message":"overloaded"}}\n\n' hold >sent
		play <sent
		terminal 80
		if [ "$how" = pipe ]; then
			types "clear; sse-tail $URL/x --llm openai | cat >piped"
			wait_for shows "$told"
			wait_for is_ready
			[ "$(screen | sed '/^$/d')" = "$told"$'\n''ready>' ]
			printf 'Hello, wor' | cmp - piped
		else
			types "clear; sse-tail $URL/x --llm openai"
			wait_for shows 'Hello, wor'
			touch shown
			wait_for is_ready
			[ "$(screen | sed '/^$/d')" = $'Hello, wor\n'"$told"$'\nready>' ]
		fi
		in_tmux kill-server
		wait "$SERVER_PID"
	done
}

@test "an answer that is cut off is told below its text" {
	stream <<<'data: {"choices":[{"delta":{"content":"Hello, wor"}}]}\n\ndata: {"cho'
	terminal 120
	types "clear; sse-tail $URL/x --llm openai -d {}"
	wait_for shows 'its end mark'
	wait_for is_ready
	screen | sed '/^$/d' >seen
	diff - seen <<END
Hello, wor
sse-tail: the stream ended within an event, which is dropped (--flush-eof shows it)
sse-tail: $URL/x ended the stream before its end mark came
ready>
END
}

@test "ten thousand events in a burst are shown without falling behind" {
	play <<'END'
answer @STREAM
repeat 10000 id: 12345\nevent: update\ndata: {"firstname":"Ada","lastname":"LOVELACE"}\n\n
send data: the last one\n\n
hold
END
	terminal 100
	types "clear; sse-tail $URL/x"
	wait_for shows '  the last one'
	# All are there, none is torn.
	[ "$(whole | grep -cE '^[0-9:]{8} update 12345  \{"firstname": "Ada", "lastname": "LOVELACE"\}$')" -eq 10000 ]
}

@test "Ctrl-C ends it with the prompt on a fresh line, whatever was shown" {
	local format
	for format in pretty 'data --join' 'json -v' 'pretty >file'; do
		play <<'END'
answer @STREAMdata: one\n\n
log sent
hold
END
		terminal 80
		types "clear; sse-tail $URL/x -o $format"
		wait_for has log sent
		[[ $format = *file ]] || wait_for shows one
		[[ $format != *file ]] || wait_for test -s file
		in_tmux send-keys C-c
		wait_for is_ready
		types 'echo status $?'
		wait_for shows 'status 130'
		screen >seen
		grep -qx 'ready>echo status $?' seen
		run ! grep -q '\^C.' seen
		in_tmux kill-server
		wait "$SERVER_PID"
	done
}
