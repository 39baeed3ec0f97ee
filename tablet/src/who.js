// Who holds this tablet: a name, and a token where the plant has accounts.

import { kept } from "./kept.js";

const DEVICE = "andon.device";
const PERSON = "andon.person";
const RECENT = "andon.recent";
const MOST_RECENT = 6;

export class Who {
  constructor() {
    this.device = read(localStorage, DEVICE) || `tablet-${rare(6)}`;
    write(localStorage, DEVICE, this.device);
    const was = kept(sessionStorage, PERSON, {});
    this.person = was.person ?? "";
    this.shown = was.shown ?? "";
    this.token = was.token ?? "";
    this.roles = was.roles ?? [];
    this.idleMs = was.idleMs ?? 0;
    this.accounts = was.accounts ?? false; // whether a PIN is needed here
    this.locked = false;
    this.touchedMs = Date.now();
  }

  /** Somebody who may answer is here. */
  get present() {
    return this.person !== "" && !this.locked;
  }

  get actor() {
    return { person: this.person, device: this.device };
  }

  get recent() {
    const names = kept(localStorage, RECENT, []);
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  }

  /** Takes over for a person who has said who they are. */
  enter(person, { shown = "", token = "", roles = [], idleMs = 0 } = {}) {
    Object.assign(this, { person, shown, token, roles, idleMs, locked: false, touchedMs: Date.now() });
    const recent = [person, ...this.recent.filter((name) => name !== person)];
    write(localStorage, RECENT, JSON.stringify(recent.slice(0, MOST_RECENT)));
    this.#keep();
  }

  /** Nobody holds the tablet; whoever did is asked for the PIN again. */
  lock() {
    this.locked = true;
    this.token = "";
    this.#keep();
  }

  leave() {
    Object.assign(this, { person: "", shown: "", token: "", roles: [], locked: false });
    this.#keep();
  }

  touch() {
    this.touchedMs = Date.now();
  }

  /** Whether nobody has touched the tablet for too long. */
  get idle() {
    return this.idleMs > 0 && this.present && Date.now() - this.touchedMs > this.idleMs;
  }

  #keep() {
    const { person, shown, token, roles, idleMs, accounts } = this;
    write(sessionStorage, PERSON, JSON.stringify({ person, shown, token, roles, idleMs, accounts }));
  }
}

/** A word nobody else draws. */
export function rare(letters = 32) {
  const bytes = crypto.getRandomValues(new Uint8Array(letters));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join("");
}

function read(storage, key) {
  try {
    return storage.getItem(key);
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    storage.setItem(key, value);
  } catch {
    // Forbidden or full: it is forgotten with the page.
  }
}
