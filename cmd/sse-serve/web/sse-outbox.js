// SPDX-License-Identifier: MIT
// What sse.js has to send, kept in IndexedDB until the server has it. All tabs add to one outbox, and the
// leading tab sends, one after the other. Should two send at once, as tabs without a leader do, the keys
// make it one event; and the order holds, since nobody sends an entry before the one in front is stored.

const REFUSED_FOR_NOW = [408, 425, 429];

export class Outbox {
  #watchers = new Set();
  #memory = null; // where there is no IndexedDB: what this tab has to send
  #count = 0; // of those
  #database = null;
  #wanted = false;
  #sending = false;

  /** send: of sse.js. nap: its waiting. tell(type, more): to all tabs, this one too. */
  constructor({ settings, send, nap, tell }) {
    Object.assign(this, { settings, send, nap, tell });
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
    this.#all().then((entries) => entries.forEach((entry) => watcher({ ...entry, state: entry.failed ? "failed" : "pending" })));
    return () => this.#watchers.delete(watcher);
  }

  /** A change, in whichever tab it was made. */
  told(entry) {
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
        const entry = (await this.#all()).find(({ failed }) => !failed);
        if (!entry) continue;
        this.#wanted = true;
        const failure = await this.#try(entry);
        if (failure) await this.nap(count++, failure);
        else count = 0;
      }
    } finally {
      this.#sending = false;
    }
  }

  /** One attempt. Returns the failure if there is to be another. */
  async #try(entry) {
    let id;
    try {
      id = await this.send(entry.topic, entry.data, entry);
    } catch (failure) {
      // What is no Failure, and has no code, cannot even be made a request of.
      const { code = "broken", status, title, detail = String(failure) } = failure;
      const refused = code === "refused" && status < 500 && !REFUSED_FOR_NOW.includes(status);
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
