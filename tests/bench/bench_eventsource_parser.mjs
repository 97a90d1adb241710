// SPDX-License-Identifier: MIT
// How fast npm's eventsource-parser is on the same bytes as bench_parser, and how many times faster
// the parser of libsse.
//
//     node bench_eventsource_parser.mjs BENCH_PARSER
//
// BENCH_PARSER is the compiled bench_parser; the package is found beside this file or in NODE_PATH.
// It takes strings, so it is measured twice: from bytes, as they come from a socket and go through
// a TextDecoder; and from strings that were decoded before, which leaves that work out.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'

const PIECE = 16384
const ROUNDS = 9
const ROUND_SECONDS = 0.2
const LEAST = 5
const STREAMS = ['small', 'llm', 'large']

function loadPackage() {
  try {
    return createRequire(import.meta.url)('eventsource-parser')
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error
    console.log('eventsource-parser is not installed: nothing to compare with')
    process.exit(0)
  }
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1]
}

// Bytes per CPU second of feeding all pieces again and again.
function measure(pieces, bytes, feed, check) {
  const rates = []
  feed(pieces) // warm up
  for (let round = 0; round < ROUNDS; round++) {
    const start = cpuSeconds()
    let seconds
    let times = 0
    do {
      feed(pieces)
      times++
      seconds = cpuSeconds() - start
    } while (seconds < ROUND_SECONDS)
    rates.push((times * bytes) / seconds)
  }
  check()
  return median(rates)
}

function cut(bytes) {
  const pieces = []
  for (let at = 0; at < bytes.length; at += PIECE) pieces.push(bytes.subarray(at, at + PIECE))
  return pieces
}

function compare(program, createParser, stream) {
  const bytes = execFileSync(program, ['--bytes', stream], { maxBuffer: 1 << 26 })
  let events = 0
  const parser = createParser({ onEvent: () => events++ })
  const decoder = new TextDecoder()
  const check = () => {
    if (events === 0) throw new Error('no event was parsed')
  }
  const pieces = cut(bytes)
  const strings = pieces.map((piece) => decoder.decode(piece, { stream: true }))
  const fromBytes = measure(
    pieces,
    bytes.length,
    (all) => all.forEach((piece) => parser.feed(decoder.decode(piece, { stream: true }))),
    check
  )
  const fromStrings = measure(
    strings,
    bytes.length,
    (all) => all.forEach((text) => parser.feed(text)),
    check
  )
  const ours = Number(execFileSync(program, ['--rate', stream]))
  return { ours, fromBytes, fromStrings }
}

const program = process.argv[2]
if (program === undefined) {
  console.error('usage: node bench_eventsource_parser.mjs BENCH_PARSER')
  process.exit(64)
}
const { createParser } = loadPackage()
const number = (value, digits) => value.toFixed(digits).padStart(8)
let good = true
console.log('         libsse   bytes strings   times   times   (from bytes: at least 5)')
for (const stream of STREAMS) {
  const { ours, fromBytes, fromStrings } = compare(program, createParser, stream)
  const least = ours / fromBytes
  good &&= least >= LEAST
  console.log(
    stream.padEnd(7) +
      [ours, fromBytes, fromStrings].map((rate) => number(rate / 1e6, 0)).join('') +
      number(ours / fromBytes, 1) +
      number(ours / fromStrings, 1) +
      (least >= LEAST ? '   ok' : '   LOW')
  )
}
process.exit(good ? 0 : 1)
