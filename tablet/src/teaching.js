// Stored windows to label, when nothing is urgent: one at a time, and one step back.

import { say } from "./say.js";
import { LOOK_MS } from "./seat.js";
import { rare } from "./who.js";

const SERVICE = "LearningService";

export class Teaching {
  constructor(app) {
    this.app = app;
    this.forget();
  }

  /** Whether the coordinator offers windows to teach. */
  get served() {
    return this.app.calls.has(SERVICE, "GetTeachable");
  }

  forget() {
    Object.assign(this, {
      family: "", window: null, channels: [], labels: [], status: null, last: null, note: "", busy: false,
      shownMs: 0,
    });
  }

  /** Begins, or goes on where it was. */
  async load() {
    const families = [...this.app.picture.families.keys()];
    if (!families.includes(this.family)) this.family = families[0] ?? "";
    if (this.family && !this.window) await this.#next();
  }

  async choose(family) {
    await this.leave();
    this.family = family;
    await this.#next();
  }

  /** Says what the window is; "" is "cannot tell". */
  async teach(label) {
    const { window } = this;
    if (!window || this.busy) return;
    if (Date.now() - this.shownMs < LOOK_MS || !this.app.meant) {
      this.app.tell(say("teach.look_first"));
      return;
    }
    const said = await this.#ask("Teach", {
      idempotencyKey: rare(),
      windowId: window.about.windowId,
      viewDigest: window.viewDigest,
      label,
      cannotTell: label === "",
    });
    if (!said) return;
    this.last = { opinionId: said.opinionId, label };
    this.status = said.status;
    await this.#next();
  }

  /** Takes the last label back; its window is shown again. */
  async undo() {
    const { last, window } = this;
    if (!last || this.busy) return;
    const reply = await this.#ask("UndoTeach", { idempotencyKey: rare(), opinionId: last.opinionId });
    if (!reply) return;
    if (window) await this.#giveBack(window, false);
    this.last = null;
    this.status = reply.status;
    this.#show(reply.window);
  }

  /** Leaves this window to somebody else. */
  async pass() {
    const { window } = this;
    if (!window || this.busy) return;
    await this.#giveBack(window, true);
    await this.#next();
  }

  /** Gives back what is lent. */
  async leave() {
    const { window } = this;
    this.forget();
    if (window) await this.#giveBack(window, false);
  }

  async #next() {
    const reply = await this.#ask("GetTeachable", { count: 1 });
    if (!reply) return;
    Object.assign(this, { channels: reply.channels, labels: reply.labels, status: reply.status });
    this.#show(reply.windows[0] ?? null);
  }

  #show(window) {
    if (window) {
      // As a question's evidence, so that the same traces draw it.
      Object.assign(window, {
        channels: this.channels, nearest: [], summary: { family: this.family },
      });
    }
    this.app.clips?.close();
    this.window = window;
    this.shownMs = Date.now();
    this.app.page = 0;
    this.app.paint();
  }

  #giveBack(window, passed) {
    const { family } = window.summary; // who leaves has chosen no family any more
    return this.#ask("ReturnTeachable", { family, windowIds: [window.about.windowId], passed });
  }

  async #ask(method, content) {
    this.busy = true;
    this.note = "";
    this.app.paint();
    try {
      const { who, calls } = this.app;
      return await calls.ask(SERVICE, method, { family: this.family, actor: who.actor, ...content });
    } catch (error) {
      this.note = this.app.sorry(error);
      return null;
    } finally {
      this.busy = false;
      this.app.paint();
    }
  }
}
