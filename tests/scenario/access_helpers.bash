# SPDX-License-Identifier: MIT
# What the scenarios of access control share: one guarded server for all tests of a file, tokens, and
# attacks on every target that takes a proof.
# shellcheck shell=bash disable=SC2016,SC2034,SC2153,SC2154

load "${BASH_SOURCE[0]%/*}/serve_helpers"

# All that the server serves: the kind of target and the method of each row of api/routes.c, a target
# of that kind, and the verb that it takes.  ID is an event of the topic secret.  some: whoever may do
# this with some topic is answered about these topics; serve_topic_list.bats attacks it.
ROUTES='
STREAM   GET    /api/secret/event        READ
STREAMS  GET    /api/event?topic=secret  READ
TOPICS   GET    /api                     READ    some
TOPIC    GET    /api/secret              READ
TOPIC    POST   /api/secret              PUBLISH
TOPICS   POST   /api                     PUBLISH
EVENT    GET    /api/secret/ID           READ
PRESENCE GET    /api/secret/presence     READ
EVENT    DELETE /api/secret/ID           DELETE
TOPIC    DELETE /api/secret              DELETE
STATUS   GET    /api/$sys/event          STATUS
METRICS  GET    /metrics                 STATUS
TICKET   POST   /api/ticket?topic=secret READ
SAMPLES  GET    /api/$sys                STATUS
SYSTEM   GET    /api/$sys/presence       FREE
SESSION  GET    /api/session             FREE
SESSION  POST   /api/session             FREE
SESSION  DELETE /api/session             FREE
HOOK     POST   /hook/github             FREE
HEALTH   GET    /healthz                 FREE
READY    GET    /readyz                  FREE
PAGE     GET    /                        FREE
'

# --- who ----------------------------------------------------------------------

# token NAME: the token that the tests give to this name, of small letters.
token() {
	local text
	printf -v text '%-32s' "$1"
	echo "sse_${text// /2}"
}

# line NAME WORD...: the name's line in the access file.
line() {
	local name=$1 digest
	shift
	digest=$(token "$name" | tr -d '\n' | sha256sum)
	echo "$name sha256:${digest%% *} $*"
}

# all_lines: an access file of those whom the tests are about.
all_lines() {
	echo 'anonymous read=news'
	line root 'publish=** read=** delete=** status as=Root'
	line poor 'publish=secret/*,secre,secrets,*/secret read=secret/*,secre,secrets,*/secret delete=secret/*,secre,secrets,*/secret'
	line reader 'read=**'
	line writer 'publish=**'
	line looker 'status'
	line eraser 'delete=**'
	line star 'publish=chat/* read=chat/*'
	line deep 'read=chat/**'
	line pair 'publish=a/b read=a/b'
	line one 'read=*'
	line ann 'publish=room read=room as=Ann'
	line bob 'publish=room read=room as="Bob B."'
	line guest 'publish=room read=room as=*'
	line nobody 'publish=room read=room'
}

# as NAME: AS is curl's arguments for a request of the name.
as() {
	AS=(-H "Authorization: Bearer $(token "$1")")
}

# log_in NAME: begin a session, SESSION is its cookie.
log_in() {
	as "$1"
	ask "${AS[@]}" -X POST "$URL/api/session"
	answers 201 || return
	SESSION=$(header Set-Cookie)
	SESSION=${SESSION%%;*}
}

# ticket NAME TOPICS [ARGUMENT...]: TICKET is a fresh one of the name.
ticket() {
	as "$1"
	ask "${AS[@]}" -X POST "${@:3}" "$URL/api/ticket?$2"
	answers 201 || return
	TICKET=$(sed 's/.*"ticket":"\([^"]*\)".*/\1/' body)
}

# --- one server for all tests of a file ---------------------------------------

# guard [OPTION]...: start it, in setup_file; its log is guarded/err.
guard() {
	local BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR/guarded
	mkdir -p "$BATS_TEST_TMPDIR"
	common_setup
	(umask 077 && all_lines >rules && echo secret >hook_key)
	# Nobody leaves while a test looks whether something happens.
	serve --access rules --hook github=deliveries:hook_key -v --presence-grace 1h --trust-proxy 127.0.0.1 --trust-proxy ::1 "$@"
	as root
	# What a proof that is good for something else could get at.
	ask "${AS[@]}" -H 'Content-Type: text/plain' -d hidden "$URL/api/secret"
	answers 201 || return
	GUARDED=$URL GUARDED_PID=$PID GUARDED_ID=$(header Last-Event-ID) GUARDED_LOG=$PWD/err
	export GUARDED GUARDED_PID GUARDED_ID GUARDED_LOG
	# It sees all that gets out: events of any topic, and who is present in those that are attacked.
	WITNESS=$PWD/witness
	export WITNESS
	follow "$WITNESS" '/api/event?topic=**&topic=secret&topic=room' "${AS[@]}"
}

# unguard: end it, in teardown_file.
unguard() {
	local PID=$GUARDED_PID
	cd "$BATS_FILE_TMPDIR/guarded" || return
	serve_teardown
}

# guarded_setup: for setup.
guarded_setup() {
	common_setup
	URL=$GUARDED
	PORT=${URL##*:}
	move
	look HAPPENED NEWEST
}

# move: CLIENT is an address from now on that no test of this file had.  Of one address, many wrong
# proofs are slowed.
move() {
	local moves
	echo >>"$BATS_FILE_TMPDIR/moves"
	moves=$(wc -l <"$BATS_FILE_TMPDIR/moves")
	CLIENT=198.18.$((moves / 256 % 256)).$((moves % 256))
}

# look EVENTS POSITION: how many events the witness saw, and which is the newest of the log.  What
# comes before a mark, which is not stored, was seen when the mark is.
look() {
	local mark=mark.$BATS_TEST_NUMBER.$SRANDOM AS
	as root
	ask "${AS[@]}" -H 'Content-Type: text/plain' -d "$mark" "$URL/api/mark?ephemeral=1&event=mark"
	answers 202 && wait_for has "$WITNESS" "data: $mark" || return
	printf -v "$1" %s "$(grep '^event: ' "$WITNESS" | grep -cv '^event: mark$')"
	ask "${AS[@]}" --head "$URL/api/mark"
	printf -v "$2" %s "$(header Last-Event-ID)"
}

# nothing_happened: since the test began, nothing was stored, and no stream got anything.
nothing_happened() {
	local events newest
	look events newest || return
	[[ $events/$newest != "$HAPPENED/$NEWEST" ]] || return 0
	echo "something happened: $((events - HAPPENED)) events, from $NEWEST to $newest" >&2
	return 1
}

# --- attacks -------------------------------------------------------------------

# targets VERB...: METHOD and target of the table's rows of these verbs, GET as HEAD too.
targets() {
	local kind method target verb some
	while read -r kind method target verb some; do
		[[ -n $kind && -z $some && " $* " = *" $verb "* ]] || continue
		echo "$method ${target/ID/$GUARDED_ID}"
		[ "$method" != GET ] || echo "HEAD ${target/ID/$GUARDED_ID}"
	done <<<"$ROUTES"
}

# body_for TARGET: BODY is what is published there, and BODY_TYPE its type; of /api it is a line that
# names the topic.
body_for() {
	BODY_TYPE=text/plain BODY=stolen
	[ "$1" != /api ] || BODY_TYPE=application/x-ndjson BODY='{"topic":"secret","data":"stolen"}'
}

# batch ARGUMENT...: ask for each target of the standard input (METHOD TARGET), all on one connection;
# answered has METHOD, target, status and WWW-Authenticate of each.
batch() {
	local method target sent=0 args=() BODY BODY_TYPE
	while read -r method target; do
		[ -z "$CLIENT" ] || ((sent++ % 10)) || move
		args+=(${args:+--next} -sS -m 30 -o body -w "$method $target %{http_code} %header{WWW-Authenticate}\n")
		case $method in
		HEAD) args+=(--head) ;;
		POST)
			body_for "$target"
			args+=(-H "Content-Type: $BODY_TYPE" -d "$BODY")
			;;
		*) args+=(-X "$method") ;;
		esac
		args+=(${CLIENT:+-H "X-Forwarded-For: $CLIENT"} "$@" --path-as-is "$URL$target")
	done
	curl "${args[@]}" >answered
}

# attack NAME STATUS VERBS ARGUMENT...: with these arguments, all targets of the verbs (commas between
# them; ALL) are answered by the status, and by what RFC 6750 says: 401? is for a request in which the
# server sees no proof, 401 for one with a wrong proof.
attack() {
	local name=$1 want=$2 verbs=${3/ALL/READ,PUBLISH,DELETE,STATUS} bearer='Bearer realm="sse-serve"'
	shift 3
	case $want in
	401) bearer+=', error="invalid_token"' ;;
	403) bearer+=', error="insufficient_scope"' ;;
	400) bearer= ;;
	esac
	want=${want%\?}
	# shellcheck disable=SC2086 # words
	targets ${verbs//,/ } | batch "$@"
	not_so="$(grep -vx "[A-Z]* [^ ]* $want $bearer" answered)" || [ ! -s answered ] || return 0
	echo "$name should be answered $want: $not_so" >&2
	return 1
}
