#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Scenarios of sse-serve: the embedded pages, and the files of a folder.
# shellcheck disable=SC2154

load serve_helpers

setup() {
	common_setup
	mkdir -p web/sub/deep secret
	echo '<!doctype html><title>mine</title>' >web/index.html
	echo '<p>sub</p>' >web/sub/index.html
	echo 'keep out' >secret/file.txt
	echo 'keep out' >websecret.txt
}

# path TARGET: ask for it as it stands.
path() {
	ask --path-as-is "$URL$1"
}

@test "the first lines of the log say where the events are, and what to open in a browser" {
	serve --db "$PWD/mine.db"
	grep -F "events are kept in $PWD/mine.db" err
	grep -F "open $URL/try in a browser" err
	stop
	serve --db :memory: --web web
	grep -F 'events are kept in memory only' err
	grep -F "open $URL in a browser" err
}

@test "the embedded page comes with what it needs, its types, and a policy" {
	serve
	path /
	answers 200
	[ "$(header Content-Type)" = 'text/html; charset=utf-8' ]
	[ "$(header Content-Security-Policy)" = "default-src 'none'; script-src 'self'; style-src 'self'; \
img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
frame-ancestors 'none'" ]
	[ "$(header X-Content-Type-Options)" = nosniff ]
	cp body page
	path /index.html
	cmp body page
	# All that the page names is there.
	local target
	sed -n 's/&amp;/\&/g; s/.*\(href\|src\)="\([^":#]*\)".*/\2/p' page >targets
	[ -s targets ]
	while read -r target; do
		target=${target#./}
		path "/${target#/}"
		answers 200
	done <targets
	path /no/such/page
	problem 404 'its stream at /api/no/such/page/event'
	path /../../etc/passwd
	problem 404 'no such page'
}

@test "a page that the client has already is 304, embedded and from a folder" {
	local tag web
	for web in '' web; do
		serve ${web:+--web "$web"}
		path /
		tag=$(header ETag)
		[[ $tag = \"*\" ]]
		ask -H "If-None-Match: $tag" "$URL/"
		answers 304
		[ ! -s body ]
		[ "$(header ETag)" = "$tag" ]
		ask -H "If-None-Match: \"x\", W/$tag" "$URL/"
		answers 304
		ask -H 'If-None-Match: *' "$URL/"
		answers 304
		ask -H 'If-None-Match: "other"' "$URL/"
		answers 200
		stop
	done
	serve --web web
	path /
	tag=$(header ETag)
	echo changed >>web/index.html
	ask -H "If-None-Match: $tag" "$URL/"
	answers 200
	grep -q changed body
}

@test "an embedded page comes compressed where the client takes it, under a tag of its own" {
	serve
	local plain tag accept
	path /
	cp body page
	plain=$(header ETag)
	[ "$(header Vary)" = Accept-Encoding ]
	[ -z "$(header Content-Encoding)" ]
	for accept in gzip 'br, gzip;q=0.5, zstd' 'deflate,GZIP' 'gzip;q=1.0'; do
		ask -H "Accept-Encoding: $accept" "$URL/"
		answers 200
		[ "$(header Content-Encoding)" = gzip ]
		[ "$(header Vary)" = Accept-Encoding ]
		[ "$(header Content-Type)" = 'text/html; charset=utf-8' ]
		[ "$(header Content-Length)" -eq "$(wc -c <body)" ]
		gzip -dc <body | cmp - page
	done
	tag=$(header ETag)
	[ "$tag" != "$plain" ]
	ask -H 'Accept-Encoding: gzip' -H "If-None-Match: $tag" "$URL/"
	answers 304
	[ "$(header ETag)" = "$tag" ]
	[ "$(header Vary)" = Accept-Encoding ]
	ask -H "If-None-Match: $tag" "$URL/"
	answers 200
	for accept in identity br 'gzip;q=0' 'gzip ; q=0.000, br' gzipped 'x;gzip' '' ', ,'; do
		ask -H "Accept-Encoding: $accept" "$URL/"
		answers 200
		[ -z "$(header Content-Encoding)" ]
		cmp body page
	done
	ask --head -H 'Accept-Encoding: gzip' "$URL/"
	answers 200
	[ "$(header Content-Encoding)" = gzip ]
}

@test "/try, /chat with its rooms and /status are pages of their own; with --web only sse.js is ours" {
	local root=$BATS_TEST_DIRNAME/../../cmd/sse-serve/web
	serve
	page_is() {
		path "$1"
		[ -e "$root/$2" ] || { problem 404 'no such page'; return; }
		answers 200
		# Modules come without the lines of their comments.
		case $2 in
		*.js) sed '1b;/^[[:space:]]*\/\//d;/^[[:space:]]*\/\*\*.*\*\/$/d;/^[[:space:]]*\/\*\*$/,/\*\/$/d' "$root/$2" ;;
		*) cat "$root/$2" ;;
		esac >expected
		cmp body expected
		[[ $(header Content-Security-Policy) = *"script-src 'self';"* ]]
	}
	page_is / index.html
	page_is /try try.html
	page_is '/try?topic=a/b&since=all' try.html
	page_is /favicon.ico favicon.svg
	[ "$(header Content-Type)" = image/svg+xml ]
	page_is /chat chat.html
	page_is /chat/ chat.html
	page_is /chat/lobby chat.html
	page_is '/chat/a/b?x=1' chat.html
	page_is /status status.html
	page_is /sse.js sse.js
	path /chatter
	problem 404 'no such page'
	path /status/x
	problem 404 'no such page'
	ask --head "$URL/sse.js"
	[ "$code" -eq "$([ -e "$root/sse.js" ] && echo 200 || echo 404)" ]
	stop
	serve --web web
	page_is /sse.js sse.js
	# With all that it is made of.
	sed -n 's,.*from "\./\(sse[^"]*\)".*,\1,p; s,.*import("\./\(sse[^"]*\)").*,\1,p' body >parts
	local part
	while read -r part; do
		page_is "/$part" "$part"
	done <parts
	path /sse-nothing.js
	problem 404 'no such page'
	path /chat
	answers 404
	path /status
	answers 404
	echo '// mine' >web/sse.js
	path /sse.js
	answers 200
	[ "$(cat body)" = '// mine' ]
	[ -z "$(header Content-Security-Policy)" ]
}

@test "HEAD of a page has its length and no body" {
	local web
	for web in '' web; do
		serve ${web:+--web "$web"}
		path /
		local length
		length=$(wc -c <body)
		[ "$(header Content-Length)" -eq "$length" ]
		ask --head "$URL/"
		answers 200
		[ "$(header Content-Length)" -eq "$length" ]
		curl -sS --head "$URL/" --next -sS "$URL/healthz" >both
		[ "$(tail -n 1 both)" = ok ]
		stop
	done
}

@test "--web serves the folder, with the types of its files, and nothing of our own" {
	local name
	for name in a.js a.mjs a.css a.json a.svg a.png a.HTML a.txt a.woff2 a.wasm a.unknown noending; do
		echo "$name" >"web/$name"
	done
	: >web/empty.txt
	head -c 300000 /dev/urandom >web/large.bin
	serve --web web
	path /
	grep -q '<title>mine' body
	[ -z "$(header Content-Security-Policy)" ]
	check_type() {
		path "/$1"
		answers 200
		[ "$(header Content-Type)" = "$2" ]
		[ "$(cat body)" = "$1" ]
	}
	check_type a.js 'text/javascript; charset=utf-8'
	check_type a.mjs 'text/javascript; charset=utf-8'
	check_type a.css 'text/css; charset=utf-8'
	check_type a.json application/json
	check_type a.svg image/svg+xml
	check_type a.png image/png
	check_type a.HTML 'text/html; charset=utf-8'
	check_type a.txt 'text/plain; charset=utf-8'
	check_type a.woff2 font/woff2
	check_type a.wasm application/wasm
	check_type a.unknown application/octet-stream
	check_type noending application/octet-stream
	path /empty.txt
	answers 200
	[ ! -s body ]
	path /large.bin
	cmp body web/large.bin
	path '/a.txt?v=1'
	answers 200
	path /a%2Etxt
	answers 200
	path /style.css
	answers 404
}

@test "nothing outside of the folder can be had: .., encoded, doubled, backslashed, NUL" {
	serve --web web
	local target
	for target in /../secret/file.txt /sub/../../secret/file.txt /%2e%2e/secret/file.txt \
		/%2E%2E%2Fsecret%2Ffile.txt /..%2fsecret/file.txt /sub/%2e./../secret/file.txt \
		/.../secret/file.txt //../secret/file.txt /..//secret/file.txt /../websecret.txt \
		'/..\secret\file.txt' /..%5csecret/file.txt /%252e%252e/secret/file.txt \
		/..%c0%afsecret/file.txt "/../../../../../../../../..$PWD/secret/file.txt" "$PWD/secret/file.txt" \
		"/$PWD/secret/file.txt" /sub/../../web/../secret/file.txt /./../secret/./file.txt \
		/etc/passwd /../../../../../../../../../../etc/passwd; do
		path "$target"
		[[ $code = 40[034] ]]
		not grep -q 'keep out\|root:' body
	done
	path /index.html%00.png
	problem 400 NUL
	path '/%00'
	problem 400 NUL
	path /a%zz
	problem 400 'percent escape'
	path /sub/index.html
	answers 200
}

@test "hidden files and folders are not served, but what .well-known is for" {
	mkdir -p web/.git web/sub/.svn web/.well-known
	echo 'keep out' | tee web/.env web/.git/config web/sub/.svn/x web/.well-known/.secret >/dev/null
	echo fine >web/.well-known/security.txt
	serve --web web
	local target
	for target in /.env /.git/config /sub/.svn/x //.git/config /%2egit/config /sub/..%2f.env \
		/.well-known/.secret; do
		path "$target"
		answers 404
		not grep -q 'keep out' body
	done
	path /.well-known/security.txt
	answers 200
}

@test "a link is followed inside of the folder, and not out of it" {
	ln -s ../secret/file.txt web/out.txt
	ln -s ../secret web/outfolder
	ln -s "$PWD/secret/file.txt" web/absolute.txt
	ln -s sub/index.html web/in.html
	ln -s loop web/loop
	ln -s ../websecret.txt web/prefix.txt
	ln -s nowhere web/dangling
	serve --web web
	local target
	for target in /out.txt /outfolder/file.txt /outfolder /outfolder/ /absolute.txt /loop /prefix.txt \
		/dangling; do
		path "$target"
		answers 404
		not grep -q 'keep out' body
	done
	path /in.html
	answers 200
	grep -q '<p>sub' body
	stop
	# The folder itself may be a link.
	ln -s web linked
	serve --web linked
	path /
	answers 200
}

@test "a folder's address gets its slash, and a folder without a page is not listed" {
	serve --web web
	path /sub
	answers 301
	[ "$(header Location)" = /sub/ ]
	path '/sub?x=1'
	answers 301
	[ "$(header Location)" = '/sub/?x=1' ]
	path /sub/
	answers 200
	grep -q '<p>sub' body
	path /sub/deep/
	answers 404
	not grep -q index body
	# Never to another host.
	path //sub
	[ "$code" = 404 ] || [ "$(header Location)" = /sub/ ]
	path /index.html/
	answers 404
}

@test "what is no file is not served: a pipe, a device, a socket, a file that may not be read" {
	mkfifo web/pipe
	echo secret >web/unreadable.txt
	chmod 000 web/unreadable.txt
	serve --web web --listen unix:web/socket
	local target
	for target in /pipe /socket; do
		path "$target"
		answers 404
	done
	path /unreadable.txt
	if [ "$(id -u)" -ne 0 ]; then
		problem 403 'may not be read'
	fi
	ask "$URL/healthz"
	answers 200
}

@test "the API stays where it is, whatever the folder holds" {
	mkdir -p web/api/users
	echo shadow >web/api/users/index.html
	echo shadow >web/healthz
	serve --web web
	path /api/users
	[ "$(cat body)" = '[]' ]
	path /healthz
	[ "$(cat body)" = ok ]
}

@test "the tutorial's own client works from a folder, unchanged" {
	cat >web/index.html <<-'PAGE'
		<!DOCTYPE html>
		<html lang="en">
		  <body>
		    <script src="./index.js" type="module"></script>
		  </body>
		</html>
	PAGE
	cat >web/index.js <<-'SCRIPT'
		const eventSource = new EventSource("/api/users/event");
		eventSource.addEventListener("open", () => console.log("open"));
		eventSource.addEventListener("error", () => console.log("error"));
		eventSource.addEventListener("update", event => console.log(event.data));
	SCRIPT
	serve --web web
	path /
	cmp body web/index.html
	path /index.js
	cmp body web/index.js
	[ "$(header Content-Type)" = 'text/javascript; charset=utf-8' ]
	follow stream /api/users/event -H "Referer: $URL/" -H 'Accept: text/event-stream' \
		-H 'Sec-Fetch-Site: same-origin' -H 'Cache-Control: no-cache'
	user John DOE
	wait_for has stream 'data: {"firstname":"John","lastname":"DOE"}'
}
