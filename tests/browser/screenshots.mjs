// SPDX-License-Identifier: MIT
// Takes pictures of the users page, light, dark and narrow: node screenshots.mjs FOLDER

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { Server, launch, live, openPage, shows, state, until } from "./helper.mjs";

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
} finally {
  for (const step of cleanups.reverse()) await step();
}
