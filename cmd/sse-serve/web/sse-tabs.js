// SPDX-License-Identifier: MIT
// The connection of sse.js, one for all tabs of a browser, which allows only six to a host.
//
// One tab, the holder of a Web Lock, leads: it reads one stream of what all tabs want and hands each event
// on over a BroadcastChannel, with the id that came before it. A tab takes an event only if that is the
// last id that it saw. So it notices by itself what came twice, which it drops, and what it missed, which
// it fetches by a stream of its own until the two meet: no tab has to trust that a hand-over went well,
// and ids need not be understood, only compared for being equal.

import { Pulse, watchSilence } from "./sse-pulse.js";
import { MOST_TOPICS } from "./sse-rules.js";

const REMEMBERED = 5_000; // ids; more than a new leader can be behind another tab
const SETTLE_MS = 2_000; // before the stream leaves out what no tab wants any more

const TOGETHER_MS = 500;
const AT_ONCE = "at once";
const FULL = {
  word: "waiting", code: "refused", status: 400, title: "Too many topics",
  detail: `the tabs of this browser follow more than ${MOST_TOPICS} topics together; close one of them`,
};

const on = (target, type, action) => target?.addEventListener?.(type, action);
const hidden = () => Boolean(globalThis.document?.hidden);

export class Hub {
  subs = new Set();
  last = null; // the position: nothing up to it is needed any more
  state = { word: "connecting", since: Date.now() };
  #tab;
  #here = null; // the AbortController of taking part
  #channel = null;
  #topics = []; // of the stream
  #seen = new Set(); // the newest ids
  #late = null; // what the leader sends while this tab catches up
  #catchUp = null;
  #heard = true; // from the leader, since it was last asked
  #attempts = new Set(); // to read a stream: { controller, silence }, as watchSilence() returns it
  #woken = 0; // when they were last ended, to be made anew
  #pulse; // of the stream, in whichever tab

  // The leader's:
  #leading = false;
  #tabs = new Map(); // what each tab wants
  #as; // the name to take part by
  #was; // the one by which the last stream did
  #running = null;
  #settling = 0;

  /**
   * name: of lock and channel, or null to be told by nobody. shared: by all tabs; otherwise each has a hub of its
   * own, and they only tell each other who is logged in. The rest is of sse.js; access and outbox only where the hub
   * is to tell who is logged in, and to send.
   */
  constructor({ name, shared, access, outbox, settings, answers, read, nap, wake, newKey }) {
    Object.assign(this, { name, shared, access, outbox, settings, read, nap, wake });
    this.#tab = newKey();
    const overdue = () => this.tell("look"); // whether the server answers is for the leader to ask, and for all to know
    const changed = () => this.#leading && this.#isOpen() && this.#sayOpen({ uptodate: this.state.uptodate });
    this.#pulse = new Pulse({ settings, answers, overdue, changed });
    on(globalThis, "offline", () => this.tell("look"));
    on(globalThis, "online", () => this.tell("wake", { now: true }));
    on(globalThis.document, "visibilitychange", () => hidden() || this.tell("wake"));
    on(globalThis, "pagehide", () => this.leave());
    on(globalThis, "pageshow", (event) => event.persisted && this.#rejoin());
    on(globalThis.document, "freeze", () => this.leave());
    on(globalThis.document, "resume", () => this.#rejoin());
    this.join();
  }

  /** Takes part: leads if nobody does, otherwise is told. */
  async join() {
    if (this.#here) return;
    const { signal } = (this.#here = new AbortController());
    if (this.name && globalThis.BroadcastChannel) {
      this.#channel = new BroadcastChannel(this.name);
      this.#channel.onmessage = ({ data }) => (this.shared || data.type === "session") && this.#told(data);
    }
    if (!this.shared) return void this.#lead();
    const hold = () => new Promise((resolve) => on(signal, "abort", resolve));
    const { locks } = navigator;
    // The release of this lock tells the leader that this tab is gone, in whatever way.
    await new Promise((granted) => locks.request(`${this.name} ${this.#tab}`, () => (granted(), hold())));
    if (signal.aborted) return;
    const compete = (options) =>
      locks.request(this.name, options, () => signal.aborted || (this.#lead(), hold())).catch(() => {
        if (signal.aborted) return;
        this.#follow(); // another tab thought that this one hangs
        this.want();
        compete({ signal });
      });
    compete({ signal });
    this.want();
    const watch = setInterval(() => {
      if (!this.#leading && !hidden() && !this.#heard) compete({ steal: true });
      this.#heard = hidden();
      this.tell("ping");
    }, this.settings.watch);
    on(signal, "abort", () => clearInterval(watch));
  }

  #rejoin() {
    this.join();
    this.access?.wakeUp();
  }

  /** For a page that goes, or is put to sleep. */
  leave() {
    this.#follow();
    for (const sub of this.subs) sub.pause();
    this.#catchUp?.abort();
    this.#late = null;
    this.#pulse.watch(false);
    this.#here?.abort();
    this.#channel?.close();
    this.#here = this.#channel = null;
  }

  /** To all tabs, this one too. */
  tell(type, more) {
    if (this.shared || type === "session") this.#channel?.postMessage({ type, ...more });
    this.#told({ type, ...more }, true);
  }

  #told({ type, ...more }, own = false) {
    if (!own && !this.#here) return; // a message that came while the page left
    if (!own && /^(who|have|events|alive|state|pong)$/.test(type)) this.#heard = true;
    if (type === "have") this.#have(more);
    else if (type === "events") this.#receive(more.events);
    else if (type === "state") this.#show(more.state);
    else if (type === "alive") this.#pulse.hear();
    else if (type === "look" && this.#leading) this.#look();
    else if (type === "stuck" && this.#leading) this.#pulse.setStuck(more.stuck);
    else if (type === "outbox") this.outbox.told(more.entry);
    else if (type === "post") this.#send();
    else if (type === "wake") this.#wake(more);
    else if (type === "session") this.#changeSession(more);
    else if (type === "who" && !own) this.want();
    else if (type === "want" && this.#leading) this.#wants(more);
    else if (type === "ping" && this.#leading) this.tell("pong");
  }

  /** Says what this tab wants. */
  want() {
    if (!this.#here) return;
    this.tell("want", { tab: this.#tab, topics: this.wanted(), as: [...this.subs].findLast((sub) => sub.as)?.as });
  }

  wanted() {
    return [...new Set([...this.subs].flatMap((sub) => sub.topics))];
  }

  /** Who one is has changed, or is known at last: what was denied is tried again. */
  #changeSession(change) {
    if (!this.access.isNews(change)) return;
    if (change.by === "server") this.wake({ proof: true });
    else this.#wake({ now: true }); // the stream too is to be of the new one
    this.access.told(change);
    this.#send();
  }

  #send() {
    this.outbox?.flush(() => this.#leading);
  }

  /** Nobody waits any longer, and a stream that may be dead is made anew; all tabs may say so at once. */
  #wake({ now }) {
    this.wake({ proof: now });
    const time = Date.now();
    if (now && time - this.#woken < TOGETHER_MS) return;
    for (const { controller, silence } of this.#attempts) {
      if (!now && time - silence.heard < this.settings.silence / 2) continue;
      this.#woken = time;
      controller.abort(AT_ONCE);
    }
  }

  /** One attempt to read: resolves to the failure that ends it, or to AT_ONCE if it is to be made anew. */
  async #read(topics, { signal, open = () => {}, take, ...options }) {
    const controller = new AbortController();
    const silence = watchSilence(this.settings.silence, () => controller.abort(AT_ONCE));
    const attempt = { controller, silence };
    const alive = (action) => (...values) => {
      silence.hear();
      action(...values);
    };
    const hear = (events) => {
      this.#pulse.hear();
      take(events);
    };
    const end = () => controller.abort();
    on(signal, "abort", end);
    this.#attempts.add(attempt);
    const failure = await this.read(topics, { ...options, signal: controller.signal, open: alive(open), take: alive(hear) })
      .catch((error) => error);
    this.#attempts.delete(attempt);
    silence.stop();
    signal.removeEventListener("abort", end);
    return controller.signal.reason === AT_ONCE ? AT_ONCE : failure;
  }

  #show(state) {
    if (state.word !== this.state.word) this.#pulse.watch(/^(live|silent)$/.test(state.word));
    this.state = state;
    for (const sub of this.subs) sub.show();
  }

  /** The state as it is for one of the subscriptions: the stream may have no room for what it wants. */
  stateOf({ topics }) {
    const full = new Set([...this.#topics, ...topics]).size > MOST_TOPICS;
    return full ? { ...FULL, since: this.state.since, tries: 1 } : this.state;
  }

  // --- what comes

  /** What the stream is of now, and its position. */
  #have({ topics, last, state }) {
    this.#topics = topics;
    this.#show(state);
    if (this.last === null && last) this.#place(last);
    this.open();
    if (last && last !== this.last && !this.#seen.has(last) && !this.#late) this.#fetchMissed([], last);
  }

  /** Who waits for topics that the stream has now can begin. */
  open() {
    if (this.#late || !(this.last || this.#leading)) return;
    for (const sub of this.subs) if (sub.topics.every((topic) => this.#topics.includes(topic))) sub.open();
  }

  #place(id) {
    this.last = id;
    this.#seen.add(id);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value);
  }

  #take(event) {
    if (event.id) this.#place(event.id);
    for (const sub of event.event ? this.subs : []) sub.take(event);
  }

  #receive(events) {
    this.#pulse.hear();
    for (const event of events) {
      if (!event.id) this.#take(event);
      else if (this.last === null) continue; // what it is to begin with comes by have
      else if (event.event === "gap") this.#jump(event);
      else if (this.#late) this.#late.push(event);
      else if (event.prev === this.last) this.#take(event);
      else if (!this.#seen.has(event.id)) this.#fetchMissed([event]);
    }
  }

  #jump(gap) {
    this.#late = null;
    this.#catchUp?.abort();
    this.#take(gap);
  }

  /** Reads on alone, until that meets what the leader sends meanwhile, or its position. */
  async #fetchMissed(late, position) {
    const { signal } = (this.#catchUp = new AbortController());
    this.#late = late;
    const take = (events) => {
      for (const event of events) {
        if (signal.aborted || !event.event || !event.id) continue;
        this.#take(event);
        if (event.id === position || late.some(({ id }) => id === event.id)) this.#catchUp.abort();
      }
    };
    for (let count = 0; !signal.aborted; ) {
      const failure = await this.#read(this.#topics, { id: this.last, signal, take });
      if (failure.code === "closed") { // there is no more than it has
        if (position) this.#place(position);
        break;
      }
      if (!signal.aborted && failure !== AT_ONCE) await this.nap(count++, failure, signal);
    }
    if (this.#late !== late) return;
    this.#late = null;
    this.#receive(late.slice(late.findIndex(({ id }) => id === this.last) + 1));
    this.open();
    for (const sub of this.subs) sub.tellCaughtUp();
  }

  /** Does it still fetch what it missed? */
  isLate() {
    return this.#late !== null;
  }

  // --- leading

  #lead() {
    this.#leading = true;
    this.#late = null;
    this.#catchUp?.abort();
    this.#tabs.clear();
    this.tell("who");
    this.want();
    if (this.last) this.#run();
    this.tell("post");
  }

  #follow() {
    this.#leading = false;
    this.#pulse.setStuck(null);
    this.#pulse.hear();
    this.#running?.abort();
    this.#running = null;
    clearTimeout(this.#settling);
  }

  #wants({ tab, topics, as }) {
    const gone = () => {
      this.#tabs.delete(tab);
      if (this.#leading) this.#merge();
    };
    if (tab !== this.#tab && !this.#tabs.has(tab)) navigator.locks.request(`${this.name} ${tab}`, gone);
    this.#tabs.delete(tab); // so that the newest name counts
    this.#tabs.set(tab, { topics, as });
    this.#merge();
    if (tab !== this.#tab) this.begin(null); // it must not wait for a list of ours
  }

  /** One stream of what all want: at once where something is missing, a moment later where there is too much. */
  #merge() {
    const tabs = [...this.#tabs.values()];
    const wanted = this.#fitting(tabs);
    const as = tabs.findLast((tab) => tab.as)?.as;
    const change = (topics) => {
      this.#topics = topics;
      this.#as = as;
      if (this.#running) this.#run();
      this.#announce();
    };
    clearTimeout(this.#settling);
    const both = [...new Set([...this.#topics, ...wanted])];
    const topics = both.length > MOST_TOPICS ? wanted : both;
    if (as !== this.#as || topics.some((topic) => !this.#topics.includes(topic))) change(topics);
    else this.#announce();
    if (topics.length > wanted.length) this.#settling = setTimeout(() => change(wanted), SETTLE_MS);
  }

  /** What fits in one stream of what the tabs want; those that have it keep it, and the others wait for room. */
  #fitting(tabs) {
    const has = ({ topics }) => topics.every((topic) => this.#topics.includes(topic));
    let fitting = [];
    for (const { topics } of [...tabs.filter(has), ...tabs.filter((tab) => !has(tab))]) {
      const more = [...new Set([...fitting, ...topics])];
      if (more.length <= MOST_TOPICS) fitting = more;
    }
    return fitting;
  }

  #announce() {
    this.tell("have", { topics: this.#topics, last: this.last, state: this.state });
  }

  /** The first position: the head of a list, or null for now. False if the stream runs already. */
  begin(id) {
    if (!this.#leading || this.#running) return false;
    if (id) this.#place(id);
    this.#run();
    this.#announce();
    return true;
  }

  /** Asks whether the server answers; if it cannot even be reached, the stream is no more, either. */
  async #look() {
    if (!this.#isOpen()) return;
    const answer = await this.#pulse.look();
    if (!this.#leading) return;
    if (answer === "no") for (const { controller } of this.#attempts) controller.abort(AT_ONCE);
    if (answer === "yes") this.tell("alive");
  }

  #isOpen() {
    return /^(live|silent)$/.test(this.state.word);
  }

  #sayOpen(more) {
    this.#say({ ...this.#pulse.state, ...more });
  }

  #say(state) {
    const { word, since } = this.state;
    this.tell("state", { state: { ...state, since: word === state.word ? since : Date.now() } });
  }

  /** Reads the stream, again and again, for as long as this tab leads and wants the same. */
  async #run() {
    this.#running?.abort();
    const { signal } = (this.#running = new AbortController());
    const tell = (state) => this.#say(state);
    let count = 0;
    let nameless = false; // after a refusal it may have been for the name
    let as;
    const open = () => {
      count = 0;
      this.#was = as;
      this.#pulse.hear();
      this.#sayOpen();
      this.wake(); // the outbox too
    };
    let at; // the stream's position, which is not this tab's: another leader's last words may come yet
    const take = (events) => {
      if (signal.aborted) return;
      at = this.#pass(events, at);
      if (events.some(({ event }) => event === "uptodate")) this.#sayOpen({ uptodate: Date.now() });
    };
    // Other topics may be open; and without any there is no stream.
    if (this.state.word === "closed" || this.#topics.length === 0) tell({ word: "connecting" });
    while (!signal.aborted && this.#topics.length > 0) {
      at = this.last;
      as = nameless ? undefined : this.#as;
      const was = as && this.#was !== as ? this.#was : undefined;
      const failure = await this.#read(this.#topics, { id: at, as, was, signal, open, take });
      if (failure.code === "closed" && !signal.aborted) return tell({ word: "closed", uptodate: Date.now() });
      const refused = Boolean(as) && failure.code === "refused" && !failure.denied;
      if (refused) this.#was = undefined; // who has logged in as somebody else may not speak for that name
      nameless = refused && !was;
      if (!signal.aborted && failure !== AT_ONCE) await this.nap(count++, failure, signal, tell);
    }
  }

  /** To all tabs: each event with the id before it in the stream, which was at prev. Returns where it is now. */
  #pass(events, prev) {
    const start = events.find(({ id }) => id);
    if (this.last === null && start) {
      this.#place(start.id);
      this.#announce();
    }
    prev ??= start?.id ?? null;
    const told = [];
    for (const event of events) {
      if (event.event === "uptodate" || (!event.event && event.id === prev)) continue;
      if (event.id) [event.prev, prev] = [prev, event.id];
      told.push(event);
    }
    if (told.length > 0) this.tell("events", { events: told });
    else this.tell("alive");
    return prev;
  }
}
