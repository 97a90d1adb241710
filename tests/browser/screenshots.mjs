// SPDX-License-Identifier: MIT
// Takes pictures of the pages, light, dark and narrow: node screenshots.mjs FOLDER

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { Server, enter, launch, live, openPage, said, say, shows, state, until } from "./helper.mjs";

const folder = process.argv[2];
if (!folder) {
  console.error("usage: node screenshots.mjs FOLDER");
  process.exit(64);
}

const STORED = [
  ["Ada", "LOVELACE"], ["Alan", "TURING"], ["Grace", "HOPPER"], ["Edsger", "DIJKSTRA"], ["José", "VALIM"],
  ["Barbara", "LISKOV"], ["Donald", "KNUTH"], ["Radia", "PERLMAN"], ["Margaret", "HAMILTON"],
];
const ARRIVING = [["John", "DOE"], ["Katherine", "JOHNSON"]];
const newestFirst = (users) => users.map((user) => user.join(" ")).reverse();

const wide = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 2 };
const narrow = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true };
const light = { colorScheme: "light", reducedMotion: "reduce" };
const dark = { colorScheme: "dark", reducedMotion: "reduce" };

const TALK = [
  ["Ada", "Good morning. The engine ran all night: https://example.com/engine/log"],
  ["Ada", "Two cards were bent. I replaced them."],
  ["Grace", "Was there a moth again?"],
  ["Ada", "No moth this time."],
  ["Barbara", "I have read the log. What happens if the power goes between two cards?"],
  ["Ada", "It goes on at the card where it stopped. Nothing is read twice, and nothing is left out."],
  ["Grace", "That is what I like about it."],
  ["José", "¡Hola! Everything arrives here as well."],
];

const cleanups = [];
const scope = { after: (step) => cleanups.push(step) };

async function take(page, name) {
  await page.screenshot({ path: path.join(folder, `${name}.png`), animations: "disabled" });
  console.log(path.join(folder, `${name}.png`));
}

try {
  await mkdir(folder, { recursive: true });
  const browser = await launch();
  cleanups.push(() => browser.close());
  const server = await Server.start(scope);
  const open = async (options) => {
    const page = await openPage(scope, browser, server.origin, options);
    await live(page);
    return page;
  };

  await take(await open({ ...wide, ...light }), "empty");

  for (const user of STORED) await server.post(...user);
  const pages = {
    light: await open({ ...wide, ...light }),
    dark: await open({ ...wide, ...dark }),
    narrow: await open({ ...narrow, ...light }),
    "narrow-dark": await open({ ...narrow, ...dark }),
  };
  for (const user of ARRIVING) await server.post(...user);
  for (const [name, page] of Object.entries(pages)) {
    await shows(page, newestFirst([...STORED, ...ARRIVING]));
    await take(page, name);
  }

  const refused = pages.narrow;
  await refused.locator("summary").click();
  await refused.route("**/api/users", (route) => route.continue({ postData: '{"firstname":"John"}' }));
  await refused.getByLabel("First name").fill("John");
  await refused.getByLabel("Last name").fill("DOE");
  await refused.getByRole("button", { name: "Add" }).click();
  await until("the error is shown", async () => (await refused.locator("#form-error").textContent()) !== "");
  await take(refused, "narrow-error");
  await refused.unrouteAll();

  await server.kill();
  for (const name of ["light", "narrow-dark"]) {
    await until("it reconnects", async () => /cannot be reached/.test(await state(pages[name])));
    await take(pages[name], `${name}-reconnecting`);
  }

  await server.restart({ db: "another.db" });
  for (const user of STORED.slice(0, 4)) await server.post(...user);
  for (const name of ["dark", "narrow-dark"]) {
    await pages[name].bringToFront();
    await until("the gap is told", () => pages[name].locator("#notice").isVisible());
    await live(pages[name]);
    await shows(pages[name], newestFirst(STORED.slice(0, 4)));
    await take(pages[name], `${name}-gap`);
  }

  // the playground: one event, disconnected, two more, resumed
  const tried = await Server.start(scope);
  await tried.publish("chat/lobby", { name: "Ada", text: "Good morning." });
  await tried.post("Ada", "LOVELACE");
  for (const [name, options] of [["try", { ...wide, ...light }], ["try-dark", { ...wide, ...dark }], ["try-narrow", { ...narrow, ...light }]]) {
    const page = await openPage(scope, browser, `${tried.origin}/try?topic=sensors/${name}`, options);
    await live(page);
    const came = (count) => until("it came", async () => (await page.locator(".frame.event").count()) === count);
    const publish = async (celsius) => {
      await page.locator("#body").fill(`{"celsius":${celsius}}`);
      await page.locator("#send").click();
      await until("it is stored", async () => (await page.locator("#sent").textContent()).includes(celsius) && /^201/.test(await page.locator("#answer").textContent()));
    };
    await publish("20.50");
    await came(1);
    await page.locator("#toggle").click();
    for (const celsius of ["20.75", "21.00"]) await publish(celsius);
    await page.locator("#toggle").click();
    await came(3);
    await page.evaluate(() => scrollTo(0, 0));
    await take(page, name);
  }

  // chat
  const chat = await Server.start(scope);
  for (const [name, text] of TALK) await chat.publish("chat/lobby", { name, text });
  const room = (options) => openPage(scope, browser, `${chat.origin}/chat/lobby`, options);
  const nameless = await room({ ...narrow, ...light });
  await live(nameless);
  await take(nameless, "chat-nameless");
  const grace = await room({ ...wide, ...light });
  const ada = await room({ ...narrow, ...dark });
  const barbara = await room({ ...wide, ...dark });
  for (const [page, name] of [[grace, "Grace"], [ada, "Ada"], [barbara, "Barbara"]]) await enter(page, name);
  await say(grace, "I will write it down.");
  await until("it is there", async () => (await said(ada)).length === TALK.length + 1);
  await until("all are here", async () => (await grace.locator("#names li").count()) === 3);
  await ada.locator("#text").pressSequentially("Thank");
  await until("it is told", async () => (await grace.locator("#typing").textContent()) !== "");
  for (const [name, page] of Object.entries({ chat: grace, "chat-narrow-dark": ada, "chat-dark": barbara })) await take(page, name);
  await ada.locator("#panel-toggle").click();
  await take(ada, "chat-panel");
  await ada.keyboard.press("Escape");
  await ada.locator("#scroll").click();
  await grace.route("**/api/chat/lobby", (route) => (route.request().method() === "POST"
    ? route.fulfill({ status: 400, contentType: "application/problem+json", body: '{"detail":"not today"}' }) : route.continue()));
  await say(grace, "This one is refused");
  await until("it is told", () => grace.locator("[data-state=failed]").count());
  await grace.unrouteAll();
  await chat.kill();
  await say(grace, "And this one waits");
  await until("it reconnects", async () => /cannot be reached/.test(await state(grace)));
  await take(grace, "chat-failed");
  await until("it reconnects", async () => /cannot be reached/.test(await state(ada)));
  await take(ada, "chat-narrow-reconnecting");

  // status
  const busy = await Server.start(scope);
  const figures = await openPage(scope, browser, `${busy.origin}/status`, { ...wide, ...light });
  const small = await openPage(scope, browser, `${busy.origin}/status`, { ...narrow, ...dark });
  const streams = [];
  for (const [i, topic] of ["sensors/attic", "chat/lobby", "chat/lobby", "users"].entries())
    streams.push(await openPage(scope, browser, i === 3 ? busy.origin : `${busy.origin}/${topic}`));
  const end = Date.now() + 60_000;
  for (let i = 0; Date.now() < end; i += 1) {
    const burst = 20 + 18 * Math.sin(i / 9) + 12 * Math.random();
    for (let n = 0; n < burst; n += 1)
      await busy.publish(["sensors/attic", "sensors/attic", "logs/app", "chat/lobby"][n % 4], { name: "Ada", text: `${i}` });
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await take(figures, "status");
  await take(small, "status-narrow-dark");
} finally {
  for (const step of cleanups.reverse()) await step();
}
