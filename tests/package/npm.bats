#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The npm package of sse.js: what is in it, that node imports it and speaks to a server by it, and that its
# types are of use.  It is installed in a folder of the test's own, without a network.

load ../scenario/serve_helpers

setup_file() {
	local tree=$BATS_TEST_DIRNAME/../..
	[ ! -x "$tree/tests/package/node_modules/.bin/tsc" ] ||
		make -s -C "$tree" BUILD="$BATS_FILE_TMPDIR/build" npm >/dev/null
}

setup() {
	tree=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	tsc=$tree/tests/package/node_modules/.bin/tsc
	[ -x "$tsc" ] || skip 'it needs typescript, from npm'
	# It uses none of the tests' own tools.
	TOOLS=$tree common_setup
	archive=$(ls "$BATS_FILE_TMPDIR"/build/npm/sse-tools-*.tgz)
}

teardown() {
	serve_teardown
}

# install: what a bundler's user does.
install_package() {
	mkdir -p site
	echo '{ "private": true, "type": "module" }' >site/package.json
	(cd site && npm install --silent --offline --no-audit --no-fund "$archive")
}

@test "the npm package has each module of sse.js with its types, and no page; the server has none of it" {
	local version module wanted
	wanted=$(cd "$tree/cmd/sse-serve/web" && for module in sse.js sse-*.js; do
		printf 'package/%s\n' "$module" "${module%.js}.d.ts"
	done)
	run tar -tzf "$archive"
	[ "$(LC_ALL=C sort <<<"$output")" = "$(printf '%s\n' "$wanted" package/LICENSE package/README.md \
		package/package.json | LC_ALL=C sort)" ]
	version=$(sed -n 's/^VERSION = //p' "$tree/Makefile")
	tar -xzOf "$archive" package/package.json | grep -qF "\"version\": \"$version\""
	[ "$(find "$tree/cmd/sse-serve/web" -name '*.json' -o -name '*.ts')" = '' ]
}

@test "node imports the installed package, publishes and lists by it" {
	install_package
	serve
	cat >site/use.mjs <<-'EOF2'
		import { checkTopic, covers, Failure, history, send, settings } from "sse-tools";
		settings.base = process.argv[2];
		checkTopic("chat/lobby");
		const id = await send("users", { firstname: "Ada", lastname: "LOVELACE" });
		const { events, head } = await history("users");
		const refused = await send("users", { firstname: "Grace" }).catch((failure) => failure);
		console.log(covers("chat/*", "chat/lobby"), head === id, JSON.stringify(events[0].data),
		  refused instanceof Failure, refused.status);
	EOF2
	run node site/use.mjs "$URL/"
	[ "$output" = 'true true {"firstname":"Ada","lastname":"LOVELACE"} true 400' ]
}

# check FILE: what the compiler says of it, as strict as it can be.
check() {
	(cd site && "$tsc" --noEmit --strict --target es2022 --module nodenext --lib es2023,dom "$1")
}

@test "the types say what each function takes, and a wrong use is an error" {
	install_package
	cat >site/right.ts <<-'EOF2'
		import { type Event, type Session, Failure, history, login, may, post, presence, send, settings, subscribe,
		  topics, watch } from "sse-tools";
		settings.base = "https://events.example.org/";
		settings.token = async (refusal?: Failure) => (refusal ? null : "token");
		const subscription = subscribe(["users", "chat/*"], {
		  list: (events: Event[], { head, more }) => console.log(events.length, head.length, !more),
		  event: ({ id, data }) => console.log(id?.length, data),
		  gap: ({ reason }) => console.log(reason.length),
		  state: ({ word, due }) => console.log(word === "live", due ?? 0),
		}, { limit: 10, as: "Ada" });
		await subscription.uptodate;
		const key: string = await post("users", { firstname: "Ada" }, { subject: "a" });
		const id: string | undefined = await send("users", "text", { key, ephemeral: true });
		const session: Session = await login("token");
		const readable: boolean = may(session, "read", "users");
		const [first] = (await topics("**", { limit: 1 })).topics;
		const names: string[] = (await presence("chat")).names;
		const { events } = await history("users", { limit: 5 });
		watch(({ state }) => console.log(state === "sent", id, readable, first?.events, names, events[0]?.topic))();
	EOF2
	run check right.ts
	[ "$output" = '' ]
	[ "$status" -eq 0 ]
	# One error in each of these lines, and no other.
	cat >site/wrong.ts <<-'EOF2'
		import { history, may, post, send, settings, subscribe, topics } from "sse-tools";
		settings.base = 7;
		subscribe(7, {});
		subscribe("users", { event: (event) => event.nothing });
		subscribe("users", { evnt: () => {} });
		post(7, "text");
		send("users", "text", { ephemeral: "yes" });
		may({ access: true }, "write", "users");
		(await topics()).topics[0].id.length;
		(await history("users", { latest: "yes" })).events;
	EOF2
	run check wrong.ts
	[ "$status" -ne 0 ]
	[ "$(sed -n 's/^wrong\.ts(\([0-9]*\),.*/\1/p' <<<"$output" | tr '\n' ' ')" = '2 3 4 5 6 7 8 9 10 ' ]
}
