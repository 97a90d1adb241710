// SPDX-License-Identifier: MIT
// Shows the newest users before the rest of the page has come, which on a slow network takes seconds. index.js then
// lists them again, without a seam to what follows.

import { loaded, PAGE, showNewest } from "./users-list.js";

// As index.html preloads it.
const answer = await fetch(`api/users?envelope=1&limit=${PAGE}`).catch(() => null);
const events = answer?.ok ? await answer.json().catch(() => null) : null;
if (Array.isArray(events) && loaded.length === 0) showNewest(events);
