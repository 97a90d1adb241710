# SPDX-License-Identifier: MIT
# complete.zsh FOLDER WORDS: what zsh makes of WORDS and a tab, with the completions in FOLDER.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; echo READY\$((1))"
integer tries=0
seen=
# Waits for a text, for at most ten seconds.
await() {
	for ((tries = 0; tries < 100; tries++)); do
		while zpty -rt shell part; do
			seen+=$part
		done
		[[ $seen = *$1* ]] && return 0
		sleep 0.1
	done
	return 1
}
await READY1 || exit 1
seen=
zpty -n -w shell "$2"$'\t'
await "--version"
found=$?
print -r -- $seen
zpty -d shell
exit found
