// SPDX-License-Identifier: MIT
// Who this browser is to the server, for sse.js. A log-in is a cookie, which no script can read and which all
// tabs share; here is only what the server says of it.

import { Failure } from "./sse-answer.js";

const EVERYONE = { access: false }; // may do everything
const NOBODY = { access: true, name: null, as: null, any_name: false, publish: [], read: [], delete: [], status: false, expires: null };

export class Access {
  #session = null; // as last told
  #watchers = new Set();

  /** ask, json, nap: of sse-requests.js. tell(type, more): to all tabs, this one too. */
  constructor({ ask, json, nap, tell }) {
    Object.assign(this, { ask, json, nap, tell });
  }

  async #read() {
    try {
      return await this.json(await this.ask("api/session"));
    } catch (failure) {
      if (failure.status === 404) return EVERYONE; // a server that knows no log-ins
      throw failure;
    }
  }

  /** Asks the server who one is, and tells all tabs if that is news. */
  async update() {
    const session = await this.#read().catch((failure) => {
      if (failure.status === 401) return this.#read(); // the cookie was of no use, and is gone now
      throw failure;
    });
    const change = { session, by: "server" };
    if (this.isNews(change)) this.tell("session", change);
    return session;
  }

  /** Resolves to who one is now; nobody is told yet. */
  async login(token) {
    // What is no text of a header would be no request.
    if (!/^[!-~]+$/.test(token))
      throw new Failure("refused", { status: 401, title: "Unauthorized", detail: "a token is one word of ASCII" });
    const headers = { Authorization: `Bearer ${token}` };
    return this.json(await this.ask("api/session", { method: "POST", headers }));
  }

  async logout() {
    await this.ask("api/session", { method: "DELETE" });
    this.tell("session", { session: await this.#read().catch(() => NOBODY), by: "logout" });
  }

  isNews({ session, by }) {
    return by !== "server" || JSON.stringify(session) !== JSON.stringify(this.#session);
  }

  /** From a tab, this one or another. */
  told({ session, by }) {
    this.#session = session;
    for (const watcher of this.#watchers) watcher(session, by);
  }

  /** After a sleep, in which nothing was told. */
  wakeUp() {
    if (this.#session) this.update().catch(() => {}); // the stream will say what is wrong
  }

  /** Calls watcher(session, by) once that is known and at each change; until then tell() says why it is not. */
  async watch(watcher, signal, tell) {
    this.#watchers.add(watcher);
    signal.addEventListener("abort", () => this.#watchers.delete(watcher));
    if (this.#session) return watcher(this.#session, "server");
    for (let count = 0; !this.#session && !signal.aborted; count += 1)
      await this.update().catch((failure) => this.nap(count, failure, signal, tell));
    return undefined;
  }

  get name() {
    return this.#session?.name ?? undefined;
  }

  /**
   * Is what this person (undefined: anybody) wrote for the one to send, and to see, who is logged in now?
   * Where names prove nothing, everybody is the same.
   */
  owns(who) {
    return who === undefined || !this.#session?.access || this.#session.name === who;
  }

  /** So that owns() knows. */
  async know() {
    if (!this.#session) await this.update();
  }
}
