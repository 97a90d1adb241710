#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The dashboard for Grafana: it can be imported anywhere, and what it asks for is there.
# shellcheck disable=SC2016,SC2153

load tls_helpers

DASHBOARD=$BATS_TEST_DIRNAME/../../cmd/sse-serve/grafana/sse-serve.json

setup() {
	tls_setup
}

teardown() {
	serve_teardown
}

# of_dashboard CODE: node on it; dashboard, its panels, and the expressions of their queries.
of_dashboard() {
	node -e '
		const assert = require("node:assert/strict")
		const dashboard = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))
		const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])])
		const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
		'"$1" "$DASHBOARD"
}

@test "each metric and label that the dashboard asks for is one of the server's" {
	# What is limited is counted only with a limit.
	serve_tls --rate publish=50/s
	text any 1
	follow stream /api/any/event
	ask "$URL/metrics"
	answers 200
	cp body metrics
	of_dashboard '
		const lines = require("fs").readFileSync("metrics", "utf8").split("\n").filter((line) => /^sse_/.test(line))
		const labels = new Map()
		for (const line of lines) {
			const [, name, pairs = ""] = /^(\w+)(?:\{(.*)\})? /.exec(line)
			labels.set(name, [...(labels.get(name) ?? []), ...[...pairs.matchAll(/(\w+)="/g)].map(([, label]) => label)])
		}
		const variables = dashboard.templating.list.map(({ query }) => query.query ?? query)
		let asked = 0
		for (const expression of [...expressions, ...variables]) {
			const names = expression.match(/\bsse_\w+/g) ?? []
			asked += names.length
			for (const name of names) assert.ok(labels.has(name), `${name}, of ${expression}`)
			// Those that Prometheus adds are of each.
			const known = ["job", "instance", ...names.flatMap((name) => labels.get(name))]
			for (const [, by] of expression.matchAll(/\bby \(([^)]*)\)/g))
				for (const label of by.split(/, */)) assert.ok(known.includes(label), `${label}, of ${expression}`)
		}
		for (const { targets = [] } of panels)
			for (const { expr, legendFormat } of targets)
				for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) assert.match(expr, new RegExp(`\\b${label}\\b|^sse_`))
		assert.ok(expressions.length >= 20 && asked > expressions.length, `${asked} of ${expressions.length}`)
		// What only grows is asked for as a rate, and nothing else is.
		for (const expression of expressions)
			for (const [, before, name] of expression.matchAll(/(rate\()?\b(sse_\w+)/g))
				assert.equal(before !== undefined, /_(total|bucket)$/.test(name), expression)'
}

@test "the dashboard has what Grafana needs to import it, and nothing of the Grafana that it came from" {
	of_dashboard '
		assert.ok(dashboard.schemaVersion >= 36)
		assert.equal(typeof dashboard.title, "string")
		assert.equal(dashboard.id, undefined)
		assert.match(dashboard.uid, /^[\w-]{1,40}$/)
		const [source] = dashboard.templating.list
		assert.deepEqual([source.name, source.type, source.query], ["datasource", "datasource", "prometheus"])
		// No data source but the one that is chosen.
		const own = { type: "prometheus", uid: "${datasource}" }
		let sources = 0
		JSON.stringify(dashboard, (name, value) => {
			if (name === "datasource") sources += 1, assert.deepEqual(value, own)
			if (name === "uid") assert.ok([own.uid, dashboard.uid].includes(value), value)
			return value
		})
		const ids = panels.map(({ id }) => id)
		assert.equal(new Set(ids).size, ids.length)
		assert.ok(ids.every((id) => Number.isInteger(id) && id > 0))
		const shown = panels.filter(({ type }) => type !== "row")
		assert.ok(shown.length >= 15 && sources >= 2 * shown.length)
		for (const { title, type, datasource, targets, gridPos, fieldConfig } of shown) {
			assert.ok(title && ["stat", "timeseries"].includes(type), title)
			assert.deepEqual(datasource, own)
			assert.ok(targets.length > 0 && targets.every(({ expr }) => expr.includes("{job=~\"$job\",instance=~\"$instance\"}")), title)
			assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length)
			assert.ok(fieldConfig.defaults.unit, title)
		}
		// Each variable of a query is one that can be chosen, or that Grafana has; no panel lies on another.
		const names = [...dashboard.templating.list.map(({ name }) => name), "__rate_interval"]
		for (const [, name] of JSON.stringify(dashboard).replaceAll("$__all", "").matchAll(/\$\{?(\w+)/g)) assert.ok(names.includes(name), name)
		const taken = new Set()
		for (const { title, gridPos: { x, y, w, h } } of panels) {
			assert.ok(x >= 0 && x + w <= 24 && h > 0, title)
			for (let i = x; i < x + w; i += 1)
				for (let j = y; j < y + h; j += 1) {
					assert.ok(!taken.has(`${i} ${j}`), title)
					taken.add(`${i} ${j}`)
				}
		}'
}
