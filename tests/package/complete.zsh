# SPDX-License-Identifier: MIT
# complete.zsh FOLDER WORDS WANTED: does zsh make WANTED of WORDS and a tab, with the completions in
# FOLDER?  Prints what it shows.
zmodload zsh/zpty
setopt extended_glob
zpty shell zsh -f -i
zpty -w shell "PS1= fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D; echo READY\$((1))"
integer tries=0
seen=
# Waits for a text, for at most ten seconds.
await() {
	for ((tries = 0; tries < 100; tries++)); do
		while zpty -rt shell part; do
			# Without what sets colours and clears the rest of the line.
			seen+=${part//$'\e['[0-9;]#[mK]}
		done
		[[ $seen = *"$1"* ]] && return 0
		sleep 0.1
	done
	return 1
}
await READY1 || exit 1
seen=
zpty -n -w shell "$2"$'\t'
await "$3"
found=$?
print -r -- $seen
zpty -d shell
exit found
