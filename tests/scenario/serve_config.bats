#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: the configuration file, showing and checking it, and reading it again.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
# ThreadSanitizer runs this file, too.

load serve_helpers

# config FILE: make it of the standard input.  Only its owner may write it.
config() {
	cat >"$1.new"
	chmod 644 "$1.new"
	mv "$1.new" "$1"
}

# serve_config [OPTION]...: a server with the file conf.
serve_config() {
	serve --config conf "$@"
}

# signal NAME TEXT: send it, and wait until the log has one more line with the text.
signal() {
	local before
	before=$(grep -acF -- "$2" "${LOG:-err}") || true
	kill -"$1" "$PID"
	wait_for says_more "$2" "$before"
}

says_more() {
	[ "$(grep -acsF -- "$1" "${LOG:-err}")" -gt "$2" ]
}

reload() {
	signal HUP 'reloaded the configuration'
}

# value NAME [OPTION]...: the value of the option that would be in force.
value() {
	local name=$1
	shift
	sse-serve --print-config "$@" | sed -n "s/^$name \([^ ]*\).*/\1/p"
}

# from NAME [OPTION]...: where it comes from.
from() {
	local name=$1
	shift
	sse-serve --print-config "$@" | sed -n "s/^$name .* # //p"
}

# --- reading ----------------------------------------------------------------

@test "the command line outranks the environment, which outranks the file, which outranks the default" {
	config conf <<<'max-body 2M'
	[ "$(value max-body)" = 1M ]
	[ "$(from max-body)" = default ]
	[ "$(value max-body -c conf)" = 2M ]
	[ "$(from max-body -c conf)" = conf:1 ]
	export SSE_MAX_BODY=3M
	[ "$(value max-body -c conf)" = 3M ]
	[ "$(from max-body -c conf)" = SSE_MAX_BODY ]
	[ "$(value max-body -c conf --max-body 4M)" = 4M ]
	[ "$(from max-body -c conf --max-body 4M)" = 'command line' ]
}

@test "the value that outranks the others is the one in force" {
	config conf <<<'max-body 20'
	SSE_CONFIG=conf serve
	text t "$(letters 30)"
	problem 413 '20 bytes'
	stop
	SSE_MAX_BODY=25 serve_config
	text t "$(letters 30)"
	problem 413 '25 bytes'
	stop
	SSE_MAX_BODY=25 serve_config --max-body 40
	text t "$(letters 30)"
	answers 201
}

@test "a list of the environment or the command line takes the place of the file's, not the end" {
	config conf <<<$'cors https://a.example\ncors https://b.example'
	[ "$(value cors -c conf)" = $'https://a.example\nhttps://b.example' ]
	[ "$(value cors -c conf --cors https://c.example)" = https://c.example ]
	export SSE_CORS=https://d.example
	[ "$(value cors -c conf)" = https://d.example ]
}

@test "a variable that says no outranks a flag in the file; the file can say no, too" {
	config conf <<<'open-status'
	[ "$(from open-status -c conf)" = conf:1 ]
	export SSE_OPEN_STATUS=no
	[ "$(from open-status -c conf)" = SSE_OPEN_STATUS ]
	unset SSE_OPEN_STATUS
	config conf <<<'open-status no'
	[ "$(value open-status -c conf)" = no ]
}

@test "blanks, = and quotes may stand around a value, comments after it, CR at the end of a line" {
	printf '\n \t# nothing\n\tweb\t=  "a #b"  # a folder\r\ndb=x#y\njwt-keys k\nhook '"'"'github=g: z'"'"'#\n' >conf
	refuses 65 'conf:6: text follows the closing quote' -c conf
	config conf < <(sed '$d' conf; printf 'jwt-audience=""\n')
	refuses 65 'conf:6: jwt-audience: the value is empty' -c conf
	config conf < <(sed '$d' conf; echo "jwt-audience=' a\"b '  # quotes")
	run -0 sse-serve -c conf --print-config
	[[ $output = *$'\nweb "a #b" '* ]]
	[[ $output = *$'\ndb x#y '* ]]
	[[ $output = *$'\njwt-audience \' a"b \' '* ]]
}

@test "--print-config has a line for each option, no secret, and is a configuration itself" {
	config conf <<-'EOF'
		listen 127.0.0.1:0
		cors https://a.example
		retain-topic 'logs/**=1d'
		retain-topic audit=,,1G
		rate "publish=50/s,stream=5/s"
		open-status yes
		verbose
	EOF
	run -0 sse-serve -c conf --print-config
	printf '%s\n' "$output" | config again
	while read -r name; do
		grep -q "^\(# \)\?$name " again || { echo "--$name is left out"; false; }
	done < <(sse-serve --help | sed -n 's/^ *\(-., \)\?--\([a-z-]*\).*/\2/p' |
		grep -vx 'config\|check-config\|print-config\|new-token\|verify\|export\|import\|backup\|help\|version\|completions')
	run -0 sse-serve -c again --print-config
	diff <(sed 's/ *#.*//' again) <(printf "%s\n" "$output" | sed "s/ *#.*//")
	[ "$(value verbose -vv)" = 2 ]
}

@test "each mistake in the file names the file, the line, and what would be right" {
	while IFS='|' read -r text want; do
		printf "# first\n%b\n" "$text" | config conf
		refuses 65 "conf:2: $want" -c conf
		not test -e events.db
	done <<-'EOF'
		listn 8000|there is no option listn; did you mean listen?
		max_body 1M|there is no option max_body; did you mean max-body?
		qwertyuiop|there is no option qwertyuiop; --help lists them all
		--listen 8000|write the names of options without dashes
		-l 8000|write the names of options without dashes
		listen|listen needs a value: listen ADDR:PORT
		listen =|the value after the = is missing
		= 8000|a line begins with the name of an option
		open#yes|a comment begins with a #
		open maybe|open: 'maybe' is neither 1 nor 0
		verbose often|verbose: 'often'
		max-body 1Q|max-body: '1Q' is not a size from 1 to 256M
		heartbeat 1ms|heartbeat: '1ms'
		log xml|log: 'xml' is not one of text, json
		web ""|web: the value is empty
		web "a|the value begins with a quote that is never closed
		web "a" b|text follows the closing quote
		web a\001b|the line has a control character
		web a\033[2Jb|the line has a control character
		verify|verify belongs on the command line
		config other|config belongs on the command line
		help|help belongs on the command line
		cors example.com|--cors 'example.com': an origin is
		host a/b|
		trust-proxy nowhere|--trust-proxy 'nowhere'
		rate publish=5|--rate 'publish=5'
		retain 7x|--retain '7x'
		retain-topic logs|--retain-topic 'logs'
		hook nobody=a:b|--hook 'nobody=a:b'
		listen 127.0.0.1:70000|--listen '127.0.0.1:70000'
		max-bodies 1k|--max-bodies, for all POST bodies together
		jwt-issuer me|--jwt-issuer and --jwt-audience need --jwt-keys
	EOF
}

@test "of a repeated option, the line at fault is named; of two values, both lines" {
	config conf <<<$'cors https://a.example\n\ncors b.example\ncors https://c.example'
	refuses 65 "conf:3: --cors 'b.example'" -c conf
	config conf <<<$'max-body 1M\n\nmax-body 2M'
	refuses 65 'conf:3: max-body is already in line 1; it takes one value' -c conf
}

@test "what the command line outranks is checked, too" {
	config conf <<<'max-body much'
	refuses 65 'conf:1: max-body' -c conf --max-body 1M
	config conf <<<'max-body 2M'
	refuses 64 '--max-body' -c conf --max-body much
	SSE_MAX_BODY=much refuses 64 'SSE_MAX_BODY' -c conf
}

@test "a file that is cut off, cannot be read, or that others may write, is refused" {
	printf 'max-streams 1000' >conf
	refuses 65 'conf:1: the last line does not end with a newline' -c conf
	printf '\xef\xbb\xbfopen\n' >conf
	refuses 65 'conf:1: the file begins with a byte order mark' -c conf
	printf 'web a\0b\n' >conf
	refuses 65 'conf:1: the line has a control character' -c conf
	refuses 66 '--config: cannot open none: No such file' -c none
	refuses 66 'not a regular file' -c .
	mkfifo pipe
	refuses 66 'not a regular file' -c pipe
	echo open >conf
	chmod 664 conf
	refuses 66 "can be written by users other than its owner" -c conf
	chmod 644 conf
	truncate -s 2M conf
	refuses 66 'larger than 1 MiB' -c conf
	refuses 64 '--config was given twice' -c conf -c conf
}

@test "an empty file, and one of comments, change nothing" {
	config conf </dev/null
	serve_config
	stop
	config conf <<<'# all as it is'
	serve_config
	text t x
	answers 201
}

# page_example: the example of the man page, in folders of this test.
page_example() {
	sed -n '/^\.Sh CONFIGURATION FILE/,/^\.Sh ENV/p' "$BATS_TEST_DIRNAME/../../man/sse-serve.1" |
		sed -n '/^\.Bd/,/^\.Ed/p' | sed -e '/^\.Ed/q' | grep -v '^\.' |
		sed -e "s|/etc/|$PWD/etc/|; s|/var/|$PWD/var/|; s|:8000|:0|"
}

@test "the example of the man page is a configuration that works, and can be reloaded" {
	mkdir -p etc/sse-serve var/lib/sse-serve var/log/sse-serve
	printf 'anonymous read=** publish=**\n' >etc/sse-serve/access
	chmod 600 etc/sse-serve/access
	page_example | config conf
	has conf 'rate publish=50'
	run -0 sse-serve -c conf --check-config
	start "$BIN/sse-serve" -c conf
	URL=$(sed -n 's/^Listening on //p' out)
	text logs/a x
	answers 201
	LOG=var/log/sse-serve/log reload
	not has var/log/sse-serve/log 'needs a restart'
	letters 300000 >big
	text logs/a @big
	problem 413 262144
}

@test "the man page names what can change, and no more" {
	sed -n "s/^\t{.name = \"\(.*\)\",/name \1/p; s/^\t\t.live = true,/live/p" \
		"$BATS_TEST_DIRNAME"/../../cmd/sse-serve/options*.c |
		awk '$1 == "live" { print name } { name = $2 }' | sort >can
	sed -n '/^\.Ss What a reload changes/,/^and so can/p' "$BATS_TEST_DIRNAME/../../man/sse-serve.1" |
		sed -n 's/^\.Fl -\([a-z-]*\).*/\1/p' | sort >named
	diff can named
}

# --- checking ---------------------------------------------------------------

@test "--check-config says what the server would do, and does nothing of it" {
	printf 'anonymous read=**\n' >"who"
	chmod 600 who
	config conf <<-'EOF'
		listen 127.0.0.1:8123
		listen unix:here
		db new.db
		access who
		log-file log
	EOF
	run -0 --separate-stderr sse-serve -c conf --check-config
	[[ $output = *'listen on http://127.0.0.1:8123, unix:here'* ]]
	[[ $output = *'make the database new.db'* ]]
	[[ $output = *'allow what who grants'* ]]
	[[ $output = *'write the log to log'* ]]
	[ -z "$stderr" ]
	not test -e new.db
	not test -e here
	not test -e log
	HOME=$PWD/home run -0 sse-serve --check-config
	[[ $output = *'home/.local/state/sse-serve/events.db'*  ]]
	not test -e home
}

@test "--check-config reads what a start would read, and ends as the start would" {
	printf 'this is not what it takes\n' >bad
	chmod 600 bad
	while IFS='|' read -r status text want; do
		printf "%b\n" "$text" | config conf
		refuses "$status" "$want" -c conf --check-config
		refuses "$status" "$want" -c conf
	done <<-'EOF'
		65|listn 8000|conf:1: there is no option listn
		66|access none|conf:1: --access: cannot open none
		65|access bad|conf:1: --access bad: line 1
		66|jwt-keys none|conf:1: --jwt-keys cannot open none
		65|jwt-keys bad|conf:1: --jwt-keys
		66|hook github=t:none|conf:1: --hook
		66|web none|conf:1: --web none
		65|listen 0.0.0.0:0|conf:1: --listen 0.0.0.0 can be reached from other machines
		65|listen [::1|--listen
		65|db bad|bad is not a database of sse-serve
		65|retain x|conf:1: --retain
	EOF
}

@test "--check-config works beside the running server, and sees its database" {
	config conf <<<'max-body 2M'
	serve_config
	text t x
	run -0 sse-serve -c conf --check-config --listen "$PORT" --db events.db
	[[ $output = *'use the database events.db'* ]]
	text t y
	answers 201
	[ "$(stored t)" = $'"x"\n"y"' ]
}

@test "--check-config as an ordinary user says what this user could not do" {
	needs_drop
	printf 'anonymous read=**\n' >"who"
	chmod 600 who
	mkdir mine
	[ "$(id -u)" -ne 0 ] || chown "$NOBODY" mine
	config conf <<<$'listen 127.0.0.1:8123\ndb mine/events.db'
	run -0 drop sse-serve -c conf --check-config
	[[ $output = *'make the database mine/events.db'* ]]
	UNDER=drop refuses 73 '--db none/events.db' --db none/events.db --check-config
	UNDER=drop refuses 64 'only root' -c conf --user nobody --check-config
	if [ "$(id -u)" -eq 0 ]; then
		UNDER=drop refuses 66 'cannot open who: Permission denied' -c conf --access who --check-config
		UNDER=drop refuses 73 'Permission denied' -c conf --db events.db --check-config
		chmod 600 conf
		UNDER=drop refuses 66 '--config: cannot open conf: Permission denied' -c conf --check-config
	fi
}

# --- reading again ----------------------------------------------------------

@test "SIGHUP changes limits, origins, hosts and the log, and ends no stream" {
	config conf <<<'max-body 100'
	serve_config
	follow stream /api/t/event
	text t "$(letters 90)" -H 'Origin: https://a.example'
	problem 403 '--cors'
	config conf <<-'EOF'
		max-body 20
		max-streams 1
		cors https://a.example
		host events.example
		verbose
		log json
	EOF
	reload
	text t "$(letters 90)"
	problem 413 '20 bytes'
	text t short -H 'Origin: https://a.example' -H 'Host: events.example'
	answers 201
	[ "$(header Access-Control-Allow-Origin)" = https://a.example ]
	ask "$URL/api/t/event"
	problem 503 '1'
	wait_for has err '"target":"/api/t/event","status":503'
	wait_for has stream 'data: short'
	config conf </dev/null
	reload
	text t "$(letters 90)"
	answers 201
	text t x -H 'Host: events.example'
	answers 421
	opens /api/t/event
	wait_for has stream "data: $(letters 90)"
}

@test "SIGHUP changes rates: from none to one, to another, to none" {
	config conf <<<'trust-proxy 127.0.0.1'
	serve_at 127.0.0.1:0 -c conf
	CLIENT=192.0.2.1
	text t x
	answers 201
	config conf <<<$'trust-proxy 127.0.0.1\nrate publish=1/h'
	reload
	text t x
	answers 201
	text t x
	problem 429 'publish=1/h (--rate)'
	# The buckets are those of before, unless the rate is another one.
	reload
	text t x
	answers 429
	config conf <<<$'trust-proxy 127.0.0.1\nrate publish=2/h'
	reload
	text t x
	answers 201
	config conf <<<'trust-proxy 127.0.0.1'
	reload
	for i in 1 2 3 4; do
		text t x
		answers 201
	done
}

@test "SIGHUP changes retention: what is too many then is removed, and all is kept again after it" {
	config conf </dev/null
	serve_config
	seq 1 20 | post -l logs
	seq 1 20 | post -l other
	config conf <<<'retain-topic logs=,3'
	reload
	wait_for keeps logs 3
	keeps other 20
	config conf <<<'retain ,5'
	reload
	wait_for keeps_in_all 5
	config conf </dev/null
	reload
	seq 21 30 | post -l other
	keeps_in_all 15
}

keeps() {
	[ "$(stored "$1" | wc -l)" -eq "$2" ]
}

keeps_in_all() {
	[ "$({ stored logs; stored other; } | wc -l)" -eq "$1" ]
}

@test "a mistake, in the file or in what it names, changes nothing at all" {
	printf 'anonymous publish=** read=**\n' >"who"
	chmod 600 who
	config conf <<<$'access who\nmax-body 50'
	serve_config
	follow stream /api/t/event
	config conf <<<$'access who\nmax-body 10\nlisten'
	signal HUP 'conf:3: listen needs a value: listen ADDR:PORT; nothing was changed'
	text t "$(letters 40)"
	answers 201
	config conf <<<$'access who\nmax-body 10'
	echo 'anonymous fly=**' >"who"
	signal HUP 'conf:1: --access who: line 1'
	text t "$(letters 40)"
	answers 201
	rm conf
	signal HUP '--config: cannot open conf: No such file or directory; nothing was changed'
	text t "$(letters 40)"
	answers 201
	printf 'anonymous read=**\n' >"who"
	config conf <<<$'access who\nmax-body 10'
	reload
	text t x
	answers 401
	counts stream 'data: xxxx' 3
}

@test "what cannot change while the server runs keeps its value, and is named" {
	config conf <<<$'window 1M\nmax-body 50'
	serve_config
	config conf <<<$'window 2M\nheartbeat 3s\nmax-body 10\nweb .'
	reload
	wait_for has err 'changed, but this needs a restart: heartbeat, window, web;'
	text t "$(letters 40)"
	problem 413 '10 bytes'
	ask "$URL/conf"
	answers 404
	config conf <<<$'window 1M\nmax-body 50'
	reload
	text t "$(letters 40)"
	answers 201
	counts err 'needs a restart' 1
}

@test "what the command line and the environment say stays in force over SIGHUP" {
	config conf <<<'max-body 10'
	SSE_MAX_BODY=20 serve_config
	config conf <<<'max-body 30'
	reload
	text t "$(letters 25)"
	problem 413 '20 bytes'
}

@test "SIGHUP many times under load: nothing is lost, no stream ends, memory and descriptors stay" {
	local streams=() before
	config conf <<<'max-body 1M'
	config other <<-'EOF'
		max-body 2M
		max-streams 100
		cors https://a.example
		host events.example
		rate publish=1000000/s,stream=1000000/s
		retain-topic logs/**=1d
		retain 30d
		trust-proxy 10.0.0.0/8
		verbose 0
	EOF
	cp -p conf first
	serve_config
	for i in 1 2 3; do
		follow "stream$i" /api/t/event
		streams+=("$FOLLOWER")
	done
	seq 1 3000 | sse-post -l "$URL/api/t" >/dev/null 2>post.err 3>&- &
	local poster=$!
	for i in {1..10}; do
		kill -HUP "$PID"
	done
	before=$(descriptors)
	for i in {1..30}; do
		if ((i % 2)); then cp -p other conf.new; else cp -p first conf.new; fi
		mv conf.new conf
		reload
		kill -HUP "$PID"
		kill -HUP "$PID"
	done
	ended "$poster" 0
	for i in 1 2 3; do
		wait_for counts "stream$i" 'data: ' 3000
		diff <(seq 1 3000) <(data "stream$i")
	done
	[ "$(stored t limit=10000 | wc -l)" -eq 3000 ]
	wait_for down_to "$before"
	not has err 'error'
	for pid in "${streams[@]}"; do
		not gone "$pid"
	done
}

# --- the log file -----------------------------------------------------------

@test "--log-file: a renamed file and SIGUSR1 lose no line and cut none, under load" {
	local LOG=log total
	config conf <<<$'log-file log\nverbose'
	serve_config
	not has err 'Listening'
	has log 'Listening'
	seq 1 2000 | sse-post -l "$URL/api/t" >/dev/null 2>post.err 3>&- &
	local poster=$!
	for i in {1..8}; do
		mv log "log.$i"
		kill -USR1 "$PID"
		ask "$URL/api/t/during-$i"
		wait_for has log 'opened the log file again'
	done
	for i in {1..30}; do
		ask "$URL/api/t/none-$i"
	done
	ended "$poster" 0
	stop
	has log 'stopping: Terminated'
	cat log log.* >all
	for i in {1..30}; do
		counts all "/api/t/none-$i\"" 1
	done
	for i in {1..8}; do
		counts all "/api/t/during-$i\"" 1
	done
	not grep -qv '^20[0-9T:.-]*Z ' all
	not test -s err
}

@test "a log file that cannot be opened is 73 at the start; later the old one goes on, and says so" {
	refuses 73 '--log-file none/log: cannot open it' --log-file none/log --db events.db --listen 0
	mkdir logs
	LOG=logs/log serve --log-file logs/log
	mv logs moved
	LOG=moved/log signal USR1 'the log continues in the old file'
	mkdir logs
	text t x
	answers 201
}

@test "SIGUSR1 without --log-file says so; SIGHUP without anything to read ends the server" {
	serve
	signal USR1 'SIGUSR1 opens the file of --log-file again, but there is none'
	text t x
	answers 201
	kill -HUP "$PID"
	wait_for gone "$PID"
	PID=''
}
