// SPDX-License-Identifier: MIT
// The users page: lists what is stored, then follows the stream from exactly there.
//
// The list's Last-Event-ID header is the head of that snapshot, and the stream is asked for what
// comes after it: no gap and no overlap, so nothing here needs to look for doubles. From then on
// `lastId` is the one thing that must not be lost; every way of reconnecting goes on from it.

const LIST = "api/users";
const STREAM = "api/users/event";

const ANSWER_TIMEOUT_MS = 20_000; // until the head of an answer; a long list may take longer
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 30_000;
const GAP_PAUSE_MS = 5_000; // a second gap so soon is treated as a failure, lest it go in circles
const GROUP_ROWS = 200; // style.css knows the height of a group that is out of sight

const at = (id) => document.getElementById(id);
const clock = (date) =>
  date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

// --- asking the server ------------------------------------------------------

/** A failure whose message is a sentence for a person. */
class Failure extends Error {
  constructor(message, retryAfterMs = 0) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** fetch, with a limit on the wait for the answer's head, and a Failure when there is none. */
async function ask(url, { signal, ...options } = {}) {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(stop, ANSWER_TIMEOUT_MS);
  signal?.addEventListener("abort", stop);
  try {
    return await fetch(url, { cache: "no-store", ...options, signal: limit.signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (limit.signal.aborted)
      throw new Failure(`The server did not answer within ${ANSWER_TIMEOUT_MS / 1000} seconds.`);
    throw new Failure(unreachable());
  } finally {
    clearTimeout(timer);
  }
}

const unreachable = () =>
  navigator.onLine ? "The server cannot be reached." : "This device is offline.";

/** What an answer that is a refusal says: an RFC 9457 problem if it is one. */
async function refusal(answer) {
  let problem = {};
  if (/\bjson\b/.test(answer.headers.get("Content-Type") ?? ""))
    problem = (await answer.json().catch(() => null)) ?? {};
  const text = (value) => (typeof value === "string" ? value.trim() : "");
  return {
    title: text(problem.title) || answer.statusText || `Status ${answer.status}`,
    detail: text(problem.detail),
  };
}

async function refused(answer) {
  const { title, detail } = await refusal(answer);
  const seconds = Number(answer.headers.get("Retry-After"));
  return new Failure(
    `The server answered ${answer.status}: ${sentence(detail || title)}`,
    seconds > 0 ? seconds * 1000 : 0,
  );
}

const sentence = (text) =>
  text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");

// --- the connection ---------------------------------------------------------

let lastId = null; // where the stream goes on from; null: the list has to be fetched first
let loadedAt = 0;
let source = null; // the EventSource, while there is one
let attempt = null; // the AbortController of what is under way
let retryTimer = 0;
let failures = 0; // in a row, of those that EventSource does not mend by itself
let downSince = null;

/** Starts over from lastId, at once, whatever was going on. */
async function connect() {
  disconnect();
  const { signal } = (attempt = new AbortController());
  if (downSince) showState("waiting", undefined, "trying now");
  try {
    if (lastId === null) await load(signal);
    else if (failures > 0) await probe(signal);
    if (!signal.aborted) follow();
  } catch (error) {
    if (!signal.aborted) retryLater(error);
  }
}

function disconnect() {
  clearTimeout(retryTimer);
  attempt?.abort();
  source?.close();
  source = null;
}

async function load(signal) {
  const answer = await ask(LIST, { signal, headers: { Accept: "application/json" } });
  if (!answer.ok) throw await refused(answer);
  const head = answer.headers.get("Last-Event-ID");
  const stored = await answer.json().catch((error) => {
    if (error instanceof SyntaxError) return null;
    throw new Failure(unreachable());
  });
  if (signal.aborted) return;
  if (!Array.isArray(stored) || !head)
    throw new Failure("The server answered with something that is not this list of users.");
  lastId = head;
  loadedAt = Date.now();
  showList(stored);
}

/** EventSource tells no status. Where it gave up, this finds out why, or that all is well again. */
async function probe(signal) {
  const answer = await ask(STREAM, { signal, headers: { Accept: "text/event-stream", "Last-Event-ID": lastId } });
  if (!answer.ok) throw await refused(answer);
  const type = answer.headers.get("Content-Type") ?? "nothing that says its type";
  await answer.body?.cancel();
  if (!type.startsWith("text/event-stream"))
    throw new Failure(`The server answered with ${type} where the stream of events should be.`);
}

function follow() {
  const stream = new EventSource(`${STREAM}?last_event_id=${encodeURIComponent(lastId)}`);
  let open = false;
  let tries = 0; // of EventSource, since the connection was lost
  source = stream;

  stream.addEventListener("open", () => {
    open = true;
    tries = 0;
    failures = 0;
    downSince = null;
    showState("live", "New users appear here by themselves.");
  });

  stream.addEventListener("error", () => {
    if (source !== stream) return;
    downSince ??= new Date();
    if (stream.readyState === EventSource.CLOSED) {
      // Any answer but a 200 with an event stream: EventSource will not come back by itself.
      if (failures++ === 0) connect();
      else retryLater(new Failure("The server does not serve the stream of events."));
      return;
    }
    if (!open) tries += 1;
    showState(
      "waiting",
      open && navigator.onLine ? "The connection to the server was lost." : unreachable(),
      open ? "next try in a moment" : `tried ${tries}×`,
    );
    open = false;
  });

  stream.addEventListener("update", (event) => {
    if (event.lastEventId) lastId = event.lastEventId;
    const user = parse(event.data);
    if (user) addUser(user);
    else showNote(event.data);
  });

  stream.addEventListener("gap", (event) => {
    const { reason } = parse(event.data, () => true) ?? {};
    showNotice(
      reason === "unknown-log"
        ? "The server now keeps another log than before: it is new, or was restored from a copy. The list was loaded again and shows what this log holds."
        : "Some entries were removed on the server before this page had seen them. The list was loaded again and shows what is still stored.",
    );
    const again = Date.now() - loadedAt < GAP_PAUSE_MS;
    lastId = null;
    if (again) retryLater(new Failure("The server's log is changing."));
    else connect();
  });
}

/** Waits, longer each time and never in step with the other pages, then connects. */
function retryLater(error) {
  disconnect();
  const most = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures);
  const delay = Math.max(error.retryAfterMs ?? 0, most / 2) + (Math.random() * most) / 2;
  failures += 1;
  downSince ??= new Date();
  const reason = error instanceof Failure ? error.message : `Something went wrong in this page (${error.message}).`;
  const due = Date.now() + delay;
  const tick = () => {
    const left = due - Date.now();
    if (left <= 0) {
      connect();
      return;
    }
    showState("waiting", reason, `next try in ${Math.ceil(left / 1000)} s`);
    retryTimer = setTimeout(tick, Math.min(left, 1000));
  };
  tick();
}

function connectIfDown() {
  if (downSince && !document.hidden) connect();
}

addEventListener("online", connectIfDown);
document.addEventListener("visibilitychange", connectIfDown);
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => {
  if (event.persisted) connect();
});
at("try-now").addEventListener("click", connect);

// --- what a person sees of it -----------------------------------------------

const STATE_WORDS = { connecting: "Connecting", live: "Live", waiting: "Reconnecting" };

/** Only the word and the reason are announced; the counting down between them is not. */
function showState(state, reason, next = "") {
  const set = (id, text) => {
    if (at(id).textContent !== text) at(id).textContent = text;
  };
  at("connection").dataset.state = state;
  set("state-word", STATE_WORDS[state]);
  set("when", `since ${clock(downSince ?? new Date())}${next && ", "}${next}`);
  if (reason !== undefined) set("state-reason", reason);
  const again = at("try-now");
  if (state !== "waiting" && document.activeElement === again) at("list-title").focus({ preventScroll: true });
  again.hidden = state !== "waiting";
}

function showNotice(text) {
  at("notice").hidden = false;
  at("notice-text").textContent = text;
}

at("notice-close").addEventListener("click", () => {
  at("notice").hidden = true;
  at("notice-text").textContent = "";
  at("list-title").focus();
});

/** Text that is no user, such as the demo's tick: one quiet line, which the next replaces. */
let notes = 0;
function showNote(text) {
  notes += 1;
  at("note").hidden = false;
  at("note-text").textContent = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  at("note-when").textContent = `${clock(new Date())}${notes > 1 ? `, ${notes.toLocaleString()} so far` : ""}`;
}

// --- the list ---------------------------------------------------------------

const list = at("list");
const rowTemplate = at("row").content.firstElementChild;
const markTemplate = at("mark").content.firstElementChild;

let total = 0;
let filling = 0; // counts the fillings, so that an older one notices that it is out of date

const isUser = (value) =>
  typeof value?.firstname === "string" && typeof value?.lastname === "string";

function parse(data, accept = isUser) {
  try {
    const value = JSON.parse(data);
    return accept(value) ? value : null;
  } catch {
    return null;
  }
}

/** Names are text and nothing else; each is isolated, so that its direction stays its own. */
function makeRow(user, number) {
  const row = rowTemplate.cloneNode(true);
  const [first, last] = row.firstElementChild.children;
  first.textContent = user.firstname;
  last.textContent = user.lastname;
  row.dataset.number = number.toLocaleString();
  return row;
}

function showTotal() {
  at("count").textContent = total.toLocaleString();
  at("empty").hidden = total > 0;
}

/**
 * Rows stand in groups: the browser skips a group that is out of sight (content-visibility), so that
 * an arrival costs the same with ten users and with ten thousand. They are no lists of their own.
 */
function makeGroup() {
  const group = document.createElement("ol");
  group.setAttribute("role", "presentation");
  return group;
}

/** Newest on top: the first screen is there at once, the older ones follow below in batches. */
async function showList(stored) {
  const users = stored.filter(isUser);
  const others = stored.length - users.length;
  const mine = ++filling;
  arriving = [];
  list.replaceChildren();
  total = users.length;
  showTotal();
  if (others > 0)
    showNote(`Also stored: ${others.toLocaleString()} ${others === 1 ? "entry that is" : "entries that are"} not a user.`);

  list.setAttribute("aria-busy", "true");
  for (let end = users.length; end > 0; end -= GROUP_ROWS) {
    const group = makeGroup();
    for (let i = end; i > Math.max(0, end - GROUP_ROWS); i -= 1) group.append(makeRow(users[i - 1], i));
    group.classList.toggle("full", group.childElementCount === GROUP_ROWS);
    list.append(group);
    await new Promise((resume) => setTimeout(resume));
    if (mine !== filling) return;
  }
  list.removeAttribute("aria-busy");
}

function prepend(row) {
  let group = list.firstElementChild;
  if (!group || group.childElementCount >= GROUP_ROWS) {
    group?.classList.add("full");
    group = makeGroup();
    list.prepend(group);
  }
  group.prepend(row);
}

let arriving = []; // users that are to be shown in the next moment, together
let arrived = []; // names not yet announced
let above = 0; // how many arrived above what is on the screen
let topInView = true;

function addUser(user) {
  if (arriving.push({ user, time: new Date() }) === 1) setTimeout(showArrivals);
}

function showArrivals() {
  const users = arriving;
  arriving = [];
  if (users.length === 0) return;
  keepScroll(() => {
    for (const { user, time } of users) prepend(markNew(makeRow(user, ++total), time));
  });
  showTotal();
  if (arrived.length === 0) setTimeout(announce, 700);
  for (const { user } of users) arrived.push(`${user.firstname} ${user.lastname}`);
  if (!topInView) {
    above += users.length;
    showAbove();
  }
}

function markNew(row, time) {
  const mark = markTemplate.cloneNode(true);
  const element = mark.querySelector("time");
  element.dateTime = time.toISOString();
  element.textContent = clock(time);
  row.className = "new";
  row.append(mark);
  return row;
}

/**
 * What is being read stays where it is. The browser's own scroll anchoring is not enough: some have
 * none, and it loses hold between groups that are skipped. Where it did work there is nothing left.
 */
function keepScroll(change) {
  const left = () => list.getBoundingClientRect().left + 1;
  const seen = topInView ? null : document.elementFromPoint(left(), innerHeight / 2)?.closest("li");
  const before = seen?.getBoundingClientRect().top;
  change();
  const moved = seen ? seen.getBoundingClientRect().top - before : 0;
  if (moved) scrollBy({ top: moved, behavior: "instant" });
}

/** Told together, so that a burst does not keep a screen reader talking. */
function announce() {
  at("announce").textContent =
    arrived.length === 1 ? `New: ${arrived[0]}` : `${arrived.length.toLocaleString()} new users`;
  arrived = [];
}

function showAbove() {
  at("to-top").hidden = above === 0;
  at("to-top").textContent = `↑ ${above.toLocaleString()} new`;
}

new IntersectionObserver(([entry]) => {
  topInView = entry.isIntersecting || entry.boundingClientRect.top > 0;
  if (topInView) {
    above = 0;
    showAbove();
  }
}).observe(at("list-top"));

at("to-top").addEventListener("click", () => {
  scrollTo({ top: 0 });
  at("list-title").focus({ preventScroll: true });
});

// --- the form ---------------------------------------------------------------

const form = at("form");
const fields = [at("firstname"), at("lastname")];
let sending = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (sending) return;
  setSending(true);
  showFormError("");
  at("form-note").textContent = "";
  let next = fields[0];
  try {
    const answer = await ask(LIST, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ firstname: fields[0].value.trim(), lastname: fields[1].value.trim() }),
    });
    if (answer.status === 201) {
      // The name appears when the stream brings it, as for everybody else.
      form.reset();
      if (downSince) at("form-note").textContent = "Saved. It appears in the list once this page is connected again.";
    } else {
      const { title, detail } = await refusal(answer);
      next = fields.find((field) => detail.includes(field.name)) ?? next;
      next.setAttribute("aria-invalid", "true");
      showFormError(detail || `The server answered ${answer.status}.`, title);
    }
  } catch (error) {
    // The request may have arrived, and only the answer not: do not claim that nothing was saved.
    showFormError(`${error.message} What you typed is still here.`, "Not confirmed");
  } finally {
    setSending(false);
    next.focus();
  }
});

for (const field of fields) field.addEventListener("input", () => field.removeAttribute("aria-invalid"));

function setSending(on) {
  sending = on;
  at("add").disabled = on;
  at("add").textContent = on ? "Adding …" : "Add";
  for (const field of fields) field.readOnly = on; // so that nothing typed meanwhile is cleared
}

function showFormError(text, title = "") {
  const alert = at("form-error");
  alert.replaceChildren();
  if (!text) return;
  const strong = document.createElement("strong");
  strong.textContent = sentence(title);
  alert.append(strong, ` ${sentence(text)}`);
}

// --- start ------------------------------------------------------------------

for (const span of document.querySelectorAll("[data-url]"))
  span.textContent = new URL(span.dataset.url, location.href).href;
at("terminal").open = matchMedia("(min-width: 64rem)").matches;
setSending(false);
connect();
