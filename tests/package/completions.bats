#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The completions in the tree are those that the programs print, and the three shells take them;
# the man pages know every option.
# shellcheck disable=SC2016

load ../scenario/serve_helpers

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	COMPLETIONS=$PWD/completions ZSH_HELPER=$PWD/tests/package/complete.zsh
}

teardown() {
	in_tmux kill-server 2>/dev/null || true
	serve_teardown
}

# on_stage: go to a folder with a file and folders to complete, of which one is named like a format.
on_stage() {
	mkdir -p "$BATS_TEST_TMPDIR/stage/folder/in side" "$BATS_TEST_TMPDIR/stage/json"
	cd "$BATS_TEST_TMPDIR/stage" || return
	touch 'my file'
}

# What a tab makes of a line in each shell.  # is where the cursor is then: after a space if the word
# is done.
TABBED='sse-tail --output=pr|sse-tail --output=pretty #
sse-tail --output pr|sse-tail --output pretty #
sse-tail --output=js|sse-tail --output=json #
sse-tail --time=un|sse-tail --time=unix #
sse-tail --state=my|sse-tail --state=my\ file #
sse-tail --state my|sse-tail --state my\ file #
sse-tail --state=fo|sse-tail --state=folder/#
sse-tail --state fo|sse-tail --state folder/#
sse-tail --state=folder/in\ s|sse-tail --state=folder/in\ side/#
sse-serve --db my|sse-serve --db my\ file #
sse-serve --web=fo|sse-serve --web=folder/#
sse-serve --web fo|sse-serve --web folder/#
sse-post x -d @my|sse-post x -d @my\ file #
sse-post x --data=@fo|sse-post x --data=@folder/#
sse-post x a=@my|sse-post x a=@my\ file #
sse-post x a:=@fo|sse-post x a:=@folder/#'

in_tmux() {
	tmux -u -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null "$@"
}

# at_prompt LINE: is the last line of that terminal the prompt and this?
at_prompt() {
	[ "$(in_tmux capture-pane -p | sed '/^$/d' | tail -n 1)" = "ready>$1" ]
}

# tabbed LINE WANTED: a tab after the line in that terminal, and then #, make it so.
tabbed() {
	in_tmux send-keys -l -- "$1"
	in_tmux send-keys Tab
	in_tmux send-keys -l '#'
	wait_for at_prompt "$2" || {
		in_tmux capture-pane -p
		return 1
	}
	in_tmux send-keys C-a C-k
	wait_for at_prompt ''
}

options() {
	"$BIN/$1" --help | grep -oE '^  .{4}--[a-z0-9-]+' | sed 's/.*--//'
}

# numbers PROGRAM: each option whose help names a number as the default, (default 15s) or (15s), and it.
numbers() {
	"$BIN/$1" --help | tr -s ' \n' ' ' | sed 's/ --/\n--/g' |
		sed -nE 's/^--([a-z0-9-]+).* \((default )?([0-9]+[a-zA-Z]*)\).*/\1 \3/p'
}

@test "completions are what the programs print (if not: make completions)" {
	for program in sse-serve sse-post sse-tail; do
		"$BIN/$program" --completions bash | diff "completions/bash/$program" -
		"$BIN/$program" --completions zsh | diff "completions/zsh/_$program" -
		"$BIN/$program" --completions fish | diff "completions/fish/$program.fish" -
	done
}

@test "bash completes an option" {
	for program in sse-serve sse-post sse-tail; do
		bash -n "completions/bash/$program"
		[ "$(replies "$program --vers" "$program --vers")" = --version ]
	done
}

# replies LINE WORDS: what the function in bash replies, for a line in words as bash breaks it.
replies() {
	bash --noprofile --norc -c '
		source "$1/${2%% *}"
		read -ra COMP_WORDS <<<"$3"
		[[ $3 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$2 COMP_POINT=${#2}
		name=${2%% *}
		"_${name//-/_}"
		printf "%s\n" "${COMPREPLY[@]}"' - "$COMPLETIONS/bash" "$1" "$2"
}

@test "bash completes what comes after = alone, where it breaks the word there, and no other way" {
	local line words wanted
	on_stage
	while IFS='|' read -r line words wanted; do
		[ "$(replies "$line" "$words" | xargs)" = "$wanted" ]
	done <<'END'
sse-tail --output=pr|sse-tail --output = pr|pretty
sse-tail --output=pr|sse-tail --output=pr|--output=pretty
sse-tail --output=|sse-tail --output =|pretty json data raw sse template
sse-tail --output=js|sse-tail --output = js|json
sse-tail --state=fo|sse-tail --state = fo|folder/
sse-tail --output = pr|sse-tail --output = pr|
sse-tail --count=1|sse-tail --count = 1|
sse-tail pr|sse-tail pr|
sse-post x a=@fo|sse-post x a =@ fo|@folder/
sse-post x --data=@fo|sse-post x --data =@ fo|@folder/
sse-post x --data=fo|sse-post x --data = fo|
sse-post x a=fo|sse-post x a = fo|
sse-tail http://x:1/a --output=pr|sse-tail http : //x : 1/a --output = pr|pretty
END
}

@test "a tab in bash quotes spaces, gives folders a slash, and completes --option=value" {
	local more line
	command -v tmux >/dev/null || skip "tmux is not there"
	on_stage
	# As it is, with = no break, and beside bash-completion where that is there.
	for more in '' 'COMP_WORDBREAKS=${COMP_WORDBREAKS//=}' \
		'. /usr/share/bash-completion/bash_completion'; do
		[[ $more != .* || -e ${more#. } ]] || continue
		printf '%s\n' "$more" "PS1='ready>'" "for f in '$COMPLETIONS/bash/'*; do . \"\$f\"; done" >../rc
		# The server of the round before may not have gone yet.
		for _ in {1..50}; do
			env -u TMUX tmux -u -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 100 -y 30 \
				'bash --noprofile --rcfile ../rc -i' 3>&- 4>&- && break
			sleep 0.1
		done
		wait_for at_prompt ''
		while IFS= read -r line; do
			tabbed "${line%%|*}" "${line#*|}"
		done <<<"$TABBED"
		in_tmux kill-server
	done
}

@test "fish completes an option" {
	for program in sse-serve sse-post sse-tail; do
		fish -n "completions/fish/$program.fish"
		run fish --no-config -c "source completions/fish/$program.fish; complete -C '$program --vers'"
		[[ $output = --version* ]]
	done
}

@test "fish tells of each value what it means, and not what the option means" {
	fish_offers() {
		fish --no-config -c "source completions/fish/${1%% *}.fish; complete -C '$1'"
	}
	[ "$(fish_offers 'sse-tail -o d')" = $'data\tthe data alone' ]
	[ "$(fish_offers 'sse-tail --time=u')" = $'--time=unix\tseconds since 1970' ]
	[ "$(fish_offers 'sse-post --batch n')" = $'never\tone event a request' ]
	# Nothing is known of these but their names.
	[ "$(fish_offers 'sse-tail --llm o' | tr -d '\t')" = $'ollama\nopenai' ]
	[ "$(fish_offers 'sse-serve --log j' | tr -d '\t')" = json ]
}

@test "fish completes files, and --option=value" {
	local line wanted
	on_stage
	while IFS='|' read -r line wanted; do
		run fish --no-config -c "source '$COMPLETIONS/fish/${line%% *}.fish'; complete -C '$line'"
		# It shows the last word alone, and quotes it when it is put in.
		wanted=$(sed 's/ *#$//; s/.*[^\\] //; s/\\//g' <<<"$wanted")
		[ "${output%%$'\t'*}" = "$wanted" ]
	done <<<"$TABBED"
}

@test "zsh completes an option, files, and --option=value" {
	local line wanted
	for program in sse-serve sse-post sse-tail; do
		zsh -n "$COMPLETIONS/zsh/_$program"
		timeout 30 zsh -f "$ZSH_HELPER" "$COMPLETIONS/zsh" "$program --vers" "$program --version"
	done
	on_stage
	while IFS='|' read -r line wanted; do
		wanted=${wanted%#}
		timeout 30 zsh -f "$ZSH_HELPER" "$COMPLETIONS/zsh" "$line" "${wanted% }"
	done <<<"$TABBED"
}

# --- topics -------------------------------------------------------------------

# offers SHELL LINE: the words that it offers after the line, and all that it says.
offers() {
	case $1 in
	bash) replies "$2" "$2" ;;
	fish) fish --no-config -c "source '$COMPLETIONS/fish/${2%% *}.fish'; complete -C '$2'" ;;
	zsh) timeout 30 zsh -f "$ZSH_HELPER" "$COMPLETIONS/zsh" "$2"$'\t\x15echo DONE$((1))\n' DONE1 ;;
	esac 2>&1
}

# offer SHELL LINE WORDS: are these the words?  A busy server may need another Tab.
offer() {
	[ "$(offers "$1" "$2" | sort | xargs)" = "$3" ]
}

# makes LINE WANTED: does zsh make this of the line?
makes() {
	timeout 30 zsh -f "$ZSH_HELPER" "$COMPLETIONS/zsh" "$1" "$2"
}

# in_bash: a terminal with an interactive bash, which has the completions.
in_bash() {
	printf '%s\n' "PS1='ready>'" "for f in '$COMPLETIONS/bash/'*; do . \"\$f\"; done" >rc
	env -u TMUX tmux -u -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 100 -y 30 \
		'bash --noprofile --rcfile rc -i' 3>&- 4>&-
	wait_for at_prompt ''
}

# presses_tab WANTED: a Tab in that terminal makes the line so.
presses_tab() {
	local try
	in_tmux send-keys Tab
	for ((try = 0; try < 100; try++)); do
		at_prompt "$1" && return
		nap 0.01
	done
	return 1
}

# list_of: a server that tells all who ask that its topics are the JSON values on the standard input.
list_of() {
	local name
	printf 'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n' >list
	while IFS= read -r name; do
		printf '{"topic":%s,"events":1}\n' "$name"
	done >>list
	play < <(for _ in {1..50}; do printf '%s\n' accept request 'file list' close; done)
	export SSE_URL=$URL
}

# topics_of_a_server: a server that has topics.
topics_of_a_server() {
	common_setup
	serve
	export SSE_URL=$URL
	for topic in users-east chat/lobby chat/news events event2 세계 '~root' -- -x; do
		[ "$topic" = -- ] || sse-post -d '"text"' -- "$topic"
	done
}

@test "--complete-topics prints the topics that begin with a word, and says why there are none" {
	topics_of_a_server
	local word wanted
	while IFS='|' read -r word wanted; do
		wait_for has_topics "$word" "$wanted"
	done <<'END'
|chat/lobby chat/news event2 events users users-east ~root 세계
users|users users-east
users-|users-east
chat/|chat/lobby chat/news
chat/n|chat/news
event|event2 events
세|세계
~|~root
-|
x|
END
	# What can be no topic is not sent to the server.
	for word in password=1 'a b' "it's" 'chat//' http://x; do
		SSE_URL=http://127.0.0.1:1 sse-post --complete-topics "$word"
	done
	SSE_URL=http://127.0.0.1:1 run -69 sse-tail --complete-topics users
	[[ $output = *'cannot connect'* ]]
}

# has_topics WORD WANTED
has_topics() {
	[ "$(sse-tail --complete-topics "$1" | xargs)" = "$2" ] &&
		[ "$(sse-post --complete-topics="$1" | xargs)" = "$2" ]
}

@test "bash and fish offer the topics of the server, where an operand is one" {
	topics_of_a_server
	local line wanted
	while IFS='|' read -r line wanted; do
		wait_for offer bash "$line" "$wanted"
		wait_for offer fish "$line" "$wanted"
	done <<'END'
sse-tail cha|chat/lobby chat/news
sse-tail users chat/n|chat/news
sse-tail -n 3 --until end -v 세|세계
sse-post chat/l|chat/lobby
sse-post -d text -e users chat/l|chat/lobby
sse-post --data=text chat/l|chat/lobby
END
	wait_for offer bash 'sse-tail ' '~root chat/lobby chat/news event2 events users users-east 세계'
	# The rest of the operands is data; what follows a URL, or is the value of an option, is no topic.
	for line in 'sse-post users cha' 'sse-tail http://127.0.0.1:1/api/x/event cha' 'sse-post -e cha' \
		'sse-tail --exec cha'; do
		offer bash "$line" ''
		offer fish "$line" ''
	done
}

@test "zsh offers the topics of the server, where an operand is one" {
	topics_of_a_server
	wait_for makes 'sse-tail chat/l' 'sse-tail chat/lobby '
	wait_for makes 'sse-tail users chat/n' 'sse-tail users chat/news '
	wait_for makes 'sse-tail -n 3 --until end -v 세' '세계 '
	wait_for makes 'sse-post -d text -e users chat/l' 'chat/lobby '
	for line in 'sse-post users chat/l' 'sse-tail http://127.0.0.1:1/api/x/event chat/l' 'sse-post -e chat/l'; do
		run -0 offers zsh "$line"
		not grep -q obby <<<"$output"
	done
}

@test "a tab in bash completes a topic, and quotes what the shell would change" {
	command -v tmux >/dev/null || skip "tmux is not there"
	topics_of_a_server
	in_bash
	in_tmux send-keys -l -- 'sse-tail chat/l'
	wait_for presses_tab 'sse-tail chat/lobby'
	in_tmux send-keys -l -- 'users-'
	wait_for presses_tab 'sse-tail chat/lobby users-east'
	in_tmux kill-server
}

@test "a server that does not answer, and none, hold no shell up and say nothing" {
	common_setup
	play <<<'wait forever'
	SSE_URL=$URL run -75 timeout 30 sse-tail --complete-topics users
	[ "$output" = "sse-tail: no list of topics from $URL within 200 ms" ]
	for server in "$URL" http://127.0.0.1:1 nonsense; do
		export SSE_URL=$server
		for line in 'sse-tail use' 'sse-post use'; do
			offer bash "$line" ''
			offer fish "$line" ''
			run -0 offers zsh "$line"
			not grep -qE 'sse-(tail|post):|200 ms|users' <<<"$output"
		done
	done
	command -v tmux >/dev/null || return 0
	export SSE_URL=$URL
	in_bash
	tabbed 'sse-tail use' 'sse-tail use#'
	[ "$(in_tmux capture-pane -p | sed '/^$/d')" = 'ready>' ]
	in_tmux kill-server
	# A list that never ends is none.
	play <<<$'accept\nrequest\nsend HTTP/1.1 200 OK\\r\\n\\r\\n{"topic":"users"}\\n\nstall'
	SSE_URL=$URL run -75 timeout 30 sse-tail --complete-topics users
}

@test "names that no topic can have are not offered, whatever the server says" {
	common_setup
	list_of <<'END'
"$(touch x)"
"good$(touch x)"
"good`touch x`"
"good;touch x"
";reboot"
"good bad"
"good\tbad"
"good\nbad"
"good\u0000bad"
"good\u001b[2J"
"good\u009b2J"
"good\u202ebad"
"good'bad"
"good\"bad"
"good\\bad"
"good*"
"good>x"
"good/../bad"
"good/"
"--insecure"
"-k"
1
{"topic":"good2"}
"good"
END
	printf '%s\n' good '{' "{\"topic\":\"good$(printf '%0300d' 0)\"}" >>list
	wait_for offer bash 'sse-tail ' good
	wait_for offer fish 'sse-tail ' good
	wait_for offer bash 'sse-post go' good
	wait_for offer fish 'sse-post go' good
	wait_for makes 'sse-tail go' 'sse-tail good '
	[ ! -e x ]
}

# says_too_many: does it say that the list may have been cut off?
says_too_many() {
	[ "$(sse-tail --complete-topics d/ 2>&1)" = "sse-tail: too many topics begin with 'd/'" ]
}

@test "a list that may have been cut off is not offered: all of its names could begin alike" {
	common_setup
	list_of < <(seq -f '"d/%g"' 10000)
	wait_for says_too_many
}

@test "the shells run nothing that is offered, and pass on nothing but the word" {
	common_setup
	mkdir fake
	for program in sse-tail sse-post; do
		printf '%s\n' '#!/bin/sh' "printf '%s\n' \"\$*\" >>args" \
			'printf "%s\n" "good\$(touch x)" "good\`touch x\`" "good;touch x"' >fake/$program
	done
	chmod +x fake/*
	PATH=$PWD/fake:$PATH
	for program in sse-tail sse-post; do
		for shell in bash fish zsh; do
			run -0 offers $shell "$program --oauth2-bearer secret -u name:secret good"
		done
	done
	[ ! -e x ]
	[ "$(sort -u args)" = --complete-topics=good ]
	[ "$(wc -l <args)" -ge 6 ]
}

@test "each man page explains every option of its program" {
	for program in sse-serve sse-post sse-tail; do
		for option in $(options "$program"); do
			grep -qE "^\.It.* Fl Fl $option( |$)|^\.It.* Fl -$option( |$)" "man/$program.1" || {
				echo "man/$program.1 does not explain --$option"
				false
			}
		done
	done
}

@test "each man page names the same defaults as --help" {
	for program in sse-serve sse-post sse-tail; do
		numbers "$program" >"$BATS_TEST_TMPDIR/defaults"
		[ -s "$BATS_TEST_TMPDIR/defaults" ]
		while read -r option default; do
			# From its .It to the next one.
			sed -nE "/^\\.It.* Fl -$option( |\$)/,/^\\.(It|El)/p" "man/$program.1" | sed 1d | tr '\n' ' ' |
				grep -qE "default (is )?${default}[.;, ]" || {
				echo "man/$program.1 does not say that the default of --$option is $default"
				false
			}
		done <"$BATS_TEST_TMPDIR/defaults"
	done
}
