// Answers that nobody has confirmed yet. They outlive the page, and go out as they were
// given: the same key, the same claim. The coordinator says whether one had arrived.
// Two pages of one tablet share them: each change begins with what is kept.

import { kept } from "./kept.js";

const KEY = "andon.outbox";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

export class Outbox {
  constructor(storage = localStorage) {
    this.storage = storage;
    this.sending = new Set();
    this.waits = new Map(); // key -> {waitMs, dueMs} of what was sent and not heard
    this.forgets = false; // the storage is full or forbidden: memory is all there is
    this.items = [];
    this.read();
  }

  /** Takes up what another page of this tablet has kept. */
  read() {
    if (this.forgets) return;
    const found = kept(this.storage, KEY, []);
    this.items = Array.isArray(found) ? found : [];
  }

  /** Keeps an answer until it is confirmed. */
  add(item) {
    this.read();
    this.items.push(item);
    this.#write();
  }

  remove(key) {
    this.read();
    this.items = this.items.filter((item) => item.key !== key);
    this.waits.delete(key);
    this.#write();
  }

  /** Notes why an answer was not taken; it stays until somebody has read it. */
  refuse(key, text) {
    this.read();
    const item = this.items.find((one) => one.key === key);
    if (item) item.refused = text;
    this.#write();
  }

  /** Answers that still wait to be sent. */
  get unsent() {
    return this.items.filter((item) => !item.refused);
  }

  get refused() {
    return this.items.filter((item) => item.refused);
  }

  /** The answer to a request that waits. */
  of(requestId) {
    return this.unsent.find((item) => item.requestId === requestId);
  }

  /** Somebody may listen again: what waits is sent at the next flush. */
  hurry() {
    this.waits.clear();
  }

  /**
   * Sends what waits for this person and is due: what nobody took is tried again after
   * one second, then two, four, and at most fifteen.
   * @param send a function that sends one and returns the reply, or throws CallError
   * @param sorry a function that puts an error into words
   * @param told what to do with (item, reply) and (item, null, error)
   */
  async flush(person, send, sorry, told) {
    for (const item of this.unsent) {
      if (item.person !== person || this.sending.has(item.key)) continue;
      if (Date.now() < (this.waits.get(item.key)?.dueMs ?? 0)) continue;
      this.sending.add(item.key);
      try {
        const reply = await send(item);
        this.remove(item.key);
        told(item, reply, null);
      } catch (error) {
        if (error.silent || error.locked) this.#wait(item.key);
        else this.refuse(item.key, sorry(error, item) + (error.also ?? ""));
        told(item, null, error);
      } finally {
        this.sending.delete(item.key);
      }
    }
  }

  #wait(key) {
    const before = this.waits.get(key)?.waitMs;
    const waitMs = before ? Math.min(LONGEST_WAIT_MS, before * 2) : FIRST_WAIT_MS;
    this.waits.set(key, { waitMs, dueMs: Date.now() + waitMs });
  }

  #write() {
    try {
      this.storage.setItem(KEY, JSON.stringify(this.items));
      this.forgets = false;
    } catch {
      this.forgets = true; // the answers live as long as the page does
    }
  }
}
