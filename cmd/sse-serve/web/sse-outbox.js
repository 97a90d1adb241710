// SPDX-License-Identifier: MIT
// What sse.js has to send, kept in IndexedDB until the server has it. All tabs add to one outbox, and the
// leading tab sends, one after the other. Should two send at once, as tabs without a leader do, the keys
// make it one event; and the order holds, since nobody sends an entry before the one in front is stored.
//
// An entry belongs to who was logged in. After a log-out it waits, unsent and unseen, for the same person: it is
// nobody's loss that the device was offline a moment too long. When another person logs in, it is thrown away:
// the browser has changed hands, and what the one wrote is neither the other's to read nor to send.

const REFUSED_FOR_NOW = [408, 425, 429];
const UNANSWERED = ["offline", "unreachable", "timeout"];

export class Outbox {
  #watchers = new Set();
  #memory = null; // where there is no IndexedDB: what this tab has to send
  #count = 0; // of those
  #database = null;
  #wanted = false;
  #sending = false;
  #stuck = null; // why entries wait: {} if the server gives no answer, or its answer, a Failure

  /** send: of sse.js. nap: its waiting. tell(type, more): to all tabs, this one too. access: who one is. */
  constructor({ settings, send, nap, tell, access }) {
    Object.assign(this, { settings, send, nap, tell, access });
  }

  /** One database for each server that pages of this origin speak to; its own is just sse.js. */
  #name() {
    const { base } = this.settings;
    return base === new URL("/", globalThis.location?.href ?? base).href ? "sse.js" : `sse.js ${base}`;
  }

  #open() {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name(), 1);
      request.onupgradeneeded = () => request.result.createObjectStore("outbox", { keyPath: "n", autoIncrement: true });
      request.onsuccess = () => {
        const database = request.result;
        database.onclose = () => (this.#database = null); // the user has cleared it: a new one is made
        database.onversionchange = () => database.close();
        resolve(database);
      };
      request.onerror = request.onblocked = () => reject(request.error);
    }).catch(() => (this.#memory ??= new Map()) && null);
  }

  /** Does action(store) in a transaction, and returns its result. */
  async #do(mode, action, again = true) {
    const opened = (this.#database ??= this.#open());
    const database = await opened;
    if (!database) return action(this.#memory);
    let change;
    try {
      change = database.transaction("outbox", mode);
    } catch (error) {
      if (!again) throw error;
      if (this.#database === opened) this.#database = null; // it was closed
      return this.#do(mode, action, false);
    }
    return new Promise((resolve, reject) => {
      const request = action(change.objectStore("outbox"));
      change.oncomplete = () => resolve(request.result);
      change.onabort = change.onerror = () => reject(change.error);
    });
  }

  #all() {
    return this.#do("readonly", (store) => (store === this.#memory ? [...store.values()] : store.getAll()));
  }

  #put(entry) {
    return this.#do("readwrite", (store) => {
      if (store === this.#memory) return store.set((entry.n ??= ++this.#count), entry);
      return store.put(entry);
    });
  }

  #remove({ n }) {
    return this.#do("readwrite", (store) => store.delete(n));
  }

  /** What belongs to who is logged in. */
  async #own() {
    const entries = await this.#all();
    if (entries.some(({ who }) => who !== undefined)) await this.access.know();
    return entries.filter(({ who }) => this.access.owns(who));
  }

  /** Throws away what others wrote; name is of who is logged in now. */
  async keepOnly(name) {
    for (const entry of await this.#all()) if (entry.who !== undefined && entry.who !== name) await this.#remove(entry);
  }

  async #find(key) {
    return (await this.#all()).find((entry) => entry.key === key);
  }

  #changed(entry, state) {
    this.tell("outbox", { entry: { ...entry, state } });
  }

  async add(entry) {
    await this.#put(entry);
    this.#changed(entry, "pending");
    this.tell("post");
  }

  async retry(key) {
    const entry = await this.#find(key);
    if (!entry) return;
    delete entry.failed;
    await this.#put(entry);
    this.#changed(entry, "pending");
    this.tell("post");
  }

  async discard(key) {
    const entry = await this.#find(key);
    if (!entry) return;
    await this.#remove(entry);
    this.#changed(entry, "gone");
  }

  watch(watcher) {
    this.#watchers.add(watcher);
    const show = (entry) => watcher({ ...entry, state: entry.failed ? "failed" : "pending" });
    this.#own().then((entries) => entries.forEach(show), () => {}); // the state of the connection says why
    return () => this.#watchers.delete(watcher);
  }

  /** A change, in whichever tab it was made. */
  told(entry) {
    if (!this.access.owns(entry.who)) return;
    for (const watcher of this.#watchers) watcher(entry);
  }

  /** Sends what there is, for as long as may() says so. */
  async flush(may) {
    this.#wanted = true;
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let count = 0; this.#wanted && (may() || this.#memory); ) {
        this.#wanted = false;
        let failure;
        try {
          const entry = (await this.#own()).find(({ failed }) => !failed);
          if (!entry) continue;
          failure = await this.#try(entry);
        } catch (error) {
          failure = error; // it cannot be asked who one is
        }
        this.#wanted = true;
        if (failure) await this.nap(count++, failure);
        else count = 0;
      }
    } finally {
      this.#sending = false;
    }
  }

  #setStuck(stuck) {
    if (stuck?.detail !== this.#stuck?.detail || !stuck !== !this.#stuck) this.tell("stuck", { stuck });
    this.#stuck = stuck;
  }

  /** Sends it, and tells if the server is late to answer, or cannot store it; until an answer, to this or another attempt. */
  async #send(entry) {
    const timer = setTimeout(() => this.#setStuck({}), this.settings.late);
    try {
      const id = await this.send(entry.topic, entry.data, entry);
      this.#setStuck(null);
      return id;
    } catch (failure) {
      const { code, status, title, detail } = failure;
      if (!UNANSWERED.includes(code)) this.#setStuck(status >= 500 ? { code, status, title, detail } : null);
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }

  /** One attempt. Returns the failure if there is to be another. */
  async #try(entry) {
    let id;
    try {
      id = await this.#send(entry);
    } catch (failure) {
      // What is no Failure, and has no code, cannot even be made a request of.
      const { code = "broken", status, title, detail = String(failure), denied } = failure;
      const nobody = denied && status === 401; // a log-in will help
      const refused = code === "refused" && status < 500 && !REFUSED_FOR_NOW.includes(status) && !nobody;
      if (code !== "broken" && !refused) return failure;
      const failed = { ...entry, failed: { code, status, title, detail } };
      await this.#put(failed);
      this.#changed(failed, "failed");
      return undefined;
    }
    await this.#remove(entry);
    this.#changed({ ...entry, id }, "sent");
    return undefined;
  }
}
