#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The completions in the tree are those that the programs print, and the three shells take them;
# the man pages know every option.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
}

options() {
	"$BIN/$1" --help | grep -oE '^  .{4}--[a-z0-9-]+' | sed 's/.*--//'
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
		run bash -c '
			source "completions/bash/$1"
			COMP_WORDS=("$1" --vers) COMP_CWORD=1
			"_${1//-/_}"
			echo "${COMPREPLY[*]}"' - "$program"
		[ "$output" = --version ]
	done
}

@test "fish completes an option" {
	for program in sse-serve sse-post sse-tail; do
		fish -n "completions/fish/$program.fish"
		run fish --no-config -c "source completions/fish/$program.fish; complete -C '$program --vers'"
		[[ $output = --version* ]]
	done
}

@test "zsh completes an option" {
	for program in sse-serve sse-post sse-tail; do
		zsh -n "completions/zsh/_$program"
		run timeout 30 zsh -f tests/package/complete.zsh "$PWD/completions/zsh" "$program --vers"
		[ "$status" -eq 0 ]
		[[ $output = *--version* ]]
	done
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
