// SPDX-License-Identifier: MIT
// What a browser does with several EventSources of one server: all streams share one HTTP/2 connection, and
// each reconnects with the id of its last event.  Each event's data goes to the file out.N of its stream; a
// line "connected" is printed for each connection, and "open N" for each stream that is answered.
//   browser_like.mjs URL STREAMS

import { appendFileSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

const url = new URL(process.argv[2]);
const streams = Number(process.argv[3]);
let session;

function connection() {
  if (!session || session.closed || session.destroyed) {
    const opened = connect(url.origin);
    const leave = () => { if (session === opened) session = undefined; };
    opened.on("connect", () => console.log("connected")).on("error", leave).on("goaway", leave).on("close", leave);
    session = opened;
  }
  return session;
}

/** Read one answer until it ends; returns the last id. */
async function read(n, id) {
  const request = connection().request({
    ":path": url.pathname + url.search,
    accept: "text/event-stream",
    ...(id && { "last-event-id": id }),
  });
  // The end of the lines is the end of the answer, whatever ended it.
  request.on("error", () => request.destroy());
  request.on("response", (head) => head[":status"] === 200 ? console.log("open", n) : request.destroy());
  let data = "", next = id;
  for await (const line of createInterface({ input: request })) {
    if (line.startsWith("data: ")) data += line.slice(6);
    else if (line.startsWith("id: ")) next = line.slice(4);
    else if (line === "") {
      if (data) appendFileSync(`out.${n}`, `${data}\n`);
      data = "";
      id = next;
    }
  }
  return id;
}

async function follow(n) {
  writeFileSync(`out.${n}`, "");
  for (let id; ; await pause(20)) id = await read(n, id).catch(() => id);
}

for (let n = 1; n <= streams; n += 1) follow(n);
