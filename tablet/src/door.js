// Who sits here: a name and a PIN, another person, and the lock.

import { seconds } from "./contract.js";

const STILL_HERE_MS = 15_000;

export class Door {
  constructor(app) {
    this.app = app;
    this.login = { person: "", pin: "", note: "" };
    this.names = app.who.recent.map((person) => ({ person, shown: "" }));
    this.stillHereMs = 0;
  }

  /** A name was tapped or typed; "" takes it back. */
  choose(person) {
    this.login = { person, pin: "", note: "" };
    this.app.who.locked = this.app.who.locked && person !== "";
    if (person && !this.app.who.accounts) this.enter(person, "");
    this.app.paint();
  }

  /** Says who this is; with a PIN where the plant has accounts. */
  async enter(person, pin) {
    if (!this.app.who.accounts) {
      this.app.who.enter(person);
      this.#entered();
      return;
    }
    this.login.busy = true;
    this.app.paint();
    try {
      const reply = await this.app.calls.ask("AccessService", "Login", {
        person, pin, device: this.app.who.device,
      });
      this.app.who.enter(reply.person || person, {
        shown: reply.shown, token: reply.token, roles: reply.roles, idleMs: (seconds(reply.idleLock) || 0) * 1000,
      });
      this.#entered();
    } catch (error) {
      this.login = { ...this.login, pin: "", busy: false, note: this.app.sorry(error) };
      this.app.paint();
    }
  }

  #entered() {
    this.login = { person: "", pin: "", note: "" };
    this.app.screen = "board";
    this.app.link.again();
    this.app.answering.flush({ atOnce: true });
    this.app.paint();
  }

  /** Another person takes the tablet. */
  async switchPerson() {
    const { token } = this.app.who;
    await this.#goodbye(token);
    this.app.who.leave();
    this.#asked();
  }

  /** Nobody has touched the tablet, or the coordinator knows this person no longer. */
  async lock() {
    const { person, token } = this.app.who;
    if (!this.app.who.present) return;
    this.app.who.accounts = true;
    this.app.who.lock();
    await this.#goodbye(token);
    this.login = { person, pin: "", note: "" };
    this.#asked();
  }

  async #goodbye(token) {
    this.app.clips.close();
    await this.app.seat.leave();
    await this.app.teaching.leave();
    if (token) {
      this.app.calls.ask("AccessService", "Logout", { token }, { withinMs: 2000 }).catch(() => {});
    }
  }

  #asked() {
    this.recognise();
    this.app.sheet = null;
    this.app.answering.undo = null;
    this.app.screen = "board";
    this.app.link.again();
    this.app.paint();
  }

  /** Asks whether a PIN is needed here, and for the names to choose from. */
  async recognise() {
    try {
      const reply = await this.app.calls.ask("AccessService", "ListPeople", { device: this.app.who.device });
      this.app.who.accounts = reply.accounts;
      const known = this.app.who.recent.map((person) => ({ person, shown: "" }));
      this.names = reply.people.length > 0 ? reply.people : known;
      if (reply.accounts && this.app.who.present && !this.app.who.token) this.app.who.leave();
    } catch {
      // Asked again when the line is back.
    }
    this.app.paint();
  }

  /** Tells the coordinator now and then that somebody touches the tablet. */
  stillHere() {
    const { who } = this.app;
    if (!who.token || who.touchedMs <= this.stillHereMs || Date.now() - this.stillHereMs < STILL_HERE_MS) return;
    this.stillHereMs = Date.now();
    this.app.calls.ask("AccessService", "StillHere", {}).catch(() => {});
  }
}
