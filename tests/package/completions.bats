#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The completions in the tree are those that the programs print, and the three shells take them;
# the man pages know every option.
# shellcheck disable=SC2016

load ../scenario/helpers

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	COMPLETIONS=$PWD/completions ZSH_HELPER=$PWD/tests/package/complete.zsh
}

teardown() {
	in_tmux kill-server 2>/dev/null || true
}

# on_stage: go to a folder with a file and folders to complete, of which one is named like a format.
on_stage() {
	mkdir -p "$BATS_TEST_TMPDIR/stage/folder/in side" "$BATS_TEST_TMPDIR/stage/json"
	cd "$BATS_TEST_TMPDIR/stage"
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
