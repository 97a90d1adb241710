// SPDX-License-Identifier: MIT
// Shows the newest users before the rest of the page is even asked for, which on a slow network takes seconds. index.js
// then lists them again, without a seam to what follows.

import { PAGE, showNewest } from "./users-list.js";

const PATIENCE_MS = 5_000; // then the rest comes without them

// As index.html preloads it.
const answer = await fetch(`api/users?envelope=1&limit=${PAGE}`, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);
const events = answer?.ok ? await answer.json().catch(() => null) : null;
if (Array.isArray(events)) showNewest(events);
document.head.append(document.importNode(document.getElementById("rest").content, true));
