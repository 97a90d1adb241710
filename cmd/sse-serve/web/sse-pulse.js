// SPDX-License-Identifier: MIT
// Does the server still answer? An open stream that brings nothing does not tell: the server may be stopped, or have
// nothing to say. So it is asked when it has said nothing for longer than a heartbeat takes.

export class Pulse {
  #heard = Date.now(); // when the server last said something, or the stream opened
  #asked = 0; // when it was last time to look
  #mute = false; // it does not answer
  #stuck = null; // why it does not store what is sent; {} if it does not answer that
  #looking = false;
  #timer = 0;

  /** answers: of sse.js. overdue(): it is time to look. changed(): state is another. */
  constructor({ settings, answers, overdue, changed }) {
    Object.assign(this, { settings, answers, overdue, changed });
  }

  /** What the stream is while it is open: live, or silent, and why if the server has said it. */
  get state() {
    return this.#mute || this.#stuck ? { word: "silent", ...(!this.#mute && this.#stuck) } : { word: "live" };
  }

  /** Watches an open stream. Only where the page is seen do timers run. */
  watch(open) {
    clearInterval(this.#timer);
    this.#heard = Date.now();
    if (open) this.#timer = setInterval(() => this.#heed(), this.settings.overdue / 32);
  }

  #heed() {
    if (globalThis.document?.hidden || Date.now() - Math.max(this.#heard, this.#asked) < this.settings.overdue) return;
    this.#asked = Date.now();
    this.overdue();
  }

  hear() {
    this.#heard = Date.now();
    this.#judge({ mute: false });
  }

  setStuck(stuck) {
    this.#judge({ stuck });
  }

  #judge({ mute = this.#mute, stuck = this.#stuck }) {
    const same = mute === this.#mute && stuck === this.#stuck;
    this.#mute = mute;
    this.#stuck = stuck;
    if (!same) this.changed();
  }

  /** Asks the server; resolves to what answers() says, or to undefined if it is being asked already. */
  async look() {
    if (this.#looking) return undefined;
    this.#looking = true;
    const began = Date.now();
    const answer = await this.answers();
    this.#looking = false;
    if (answer === "yes") this.hear();
    else if (answer === "late" && this.#heard <= began) this.#judge({ mute: true });
    return answer;
  }
}

/**
 * Calls end() when a stream has brought nothing for too long, of which hear() tells: the server may answer others, and
 * know nothing of this connection any more.
 */
export function watchSilence(most, end) {
  const silence = { heard: Date.now(), hear: () => (silence.heard = Date.now()), stop: () => clearInterval(timer) };
  const timer = setInterval(() => Date.now() - silence.heard > most && end(), most / 4);
  return silence;
}
