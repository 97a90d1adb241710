// SPDX-License-Identifier: MIT
// What sse.js expects of a browser, in node: tabs, locks, a database. Each is as small as it can be.

import { after } from "node:test";
import { moduleOf } from "./modules.mjs";

const SSE = moduleOf("sse.js");

// A page that is gone is gone with all its timers; here they are the process's, which must not wait for them.
after(() => setTimeout(() => {
  console.log(`# still there 10 s after the last test: ${process.getActiveResourcesInfo()}`);
  process.exit();
}, 10_000).unref());

/** Web Locks: exclusive ones only, with a queue, signals and stealing. */
class Locks {
  #holders = new Map(); // by name: { reject }
  #queues = new Map();

  request(name, options, action = options) {
    const { steal, signal } = typeof options === "object" ? options : {};
    return new Promise((resolve, reject) => {
      const request = { action, resolve, reject };
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      if (steal) {
        this.#holders.get(name)?.reject(new DOMException("stolen", "AbortError"));
        this.#holders.delete(name);
        queue.unshift(request);
      } else {
        queue.push(request);
      }
      signal?.addEventListener("abort", () => {
        const place = queue.indexOf(request);
        if (place < 0) return;
        queue.splice(place, 1);
        reject(new DOMException("aborted", "AbortError"));
      });
      this.#next(name);
    });
  }

  #next(name) {
    if (this.#holders.has(name)) return;
    const request = this.#queues.get(name).shift();
    if (!request) return;
    this.#holders.set(name, request);
    queueMicrotask(async () => {
      try {
        request.resolve(await request.action({ name }));
      } catch (error) {
        request.reject(error);
      }
      if (this.#holders.get(name) !== request) return;
      this.#holders.delete(name);
      this.#next(name);
    });
  }
}

/** IndexedDB, as far as the outbox goes. Kept over "reloads" for as long as the object is. */
class Database {
  #tables = new Map(); // by name: { rows, next }
  #open = [];

  open(name) {
    const request = {};
    const later = (action) => setTimeout(action);
    if (!this.#tables.has(name)) this.#tables.set(name, { rows: new Map(), next: 1 });
    const table = this.#tables.get(name);
    const store = {
      getAll: () => ({ result: structuredClone([...table.rows.values()].sort((a, b) => a.n - b.n)) }),
      put: (row) => {
        const n = row.n ?? table.next++;
        table.rows.set(n, structuredClone({ ...row, n }));
        return { result: n };
      },
      delete: (n) => ({ result: void table.rows.delete(n) }),
    };
    const database = {
      createObjectStore() {},
      transaction() {
        if (database.closed) throw new DOMException("The database connection is closing.", "InvalidStateError");
        const change = { objectStore: () => store };
        later(() => change.oncomplete?.());
        return change;
      },
    };
    request.result = database;
    this.#open.push(database);
    later(() => {
      request.onupgradeneeded?.();
      request.onsuccess?.();
    });
    return request;
  }

  /** As when the user clears the data of the site. told: do the tabs get an event? */
  clear({ told }) {
    this.#tables.clear();
    for (const database of this.#open.splice(0)) {
      database.closed = true;
      if (told) database.onclose?.();
    }
  }
}

/** A browser with tabs. In each of them sse.js is a module of its own, as in real ones. */
export class Browser {
  tabs = [];
  answer = (real, url, options) => real(url, options); // a test may put its own in between

  constructor({ secure = true, database = true } = {}) {
    const listeners = (tab) => (type, action) => tab?.listeners.push({ type, action });
    const real = globalThis.fetch;
    globalThis.isSecureContext = secure;
    Object.defineProperty(globalThis, "navigator", {
      configurable: true, writable: true, value: { onLine: true, locks: secure ? new Locks() : undefined },
    });
    globalThis.indexedDB = database ? new Database() : { open() { throw new Error("not allowed"); } };
    globalThis.addEventListener = (...event) => listeners(this.current)(...event);
    globalThis.document = { hidden: false, addEventListener: (...event) => listeners(this.current)(...event) };
    globalThis.fetch = async (url, options) => this.answer(real, url, options);
    this.end = () => {
      for (const tab of this.tabs) this.fire(tab, "pagehide");
      globalThis.fetch = real;
    };
  }

  /** A tab in which start(sse) has been run. */
  async open(server, start = () => {}, settings = {}) {
    const sse = await import(`${SSE}?${Math.random()}`);
    const tab = { sse, listeners: [] };
    Object.assign(sse.settings, { base: `${server.origin}/`, first: 20, most: 100 }, settings);
    this.tabs.push(tab);
    this.current = tab;
    tab.started = start(sse);
    this.current = null;
    return tab;
  }

  fire(tab, type, event = {}) {
    for (const listener of tab.listeners) if (listener.type === type) listener.action(event);
  }

  close(tab) {
    this.fire(tab, "pagehide");
    this.tabs.splice(this.tabs.indexOf(tab), 1);
  }
}
