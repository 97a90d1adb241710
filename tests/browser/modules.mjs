// SPDX-License-Identifier: MIT
// The modules of the pages, for node.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

// A copy, beside which a package.json says that they are modules: browsers need no telling, and node before 20.10
// does not guess.
const folder = mkdtempSync(path.join(tmpdir(), "sse-modules-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
cpSync(new URL("../../cmd/sse-serve/web/", import.meta.url), folder, { recursive: true });
writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');

/** The URL by which a test imports the module of that name. */
export const moduleOf = (name) => pathToFileURL(path.join(folder, name)).href;
