// The cord: pulled by anybody, released in a person's name.

import { named, say } from "./say.js";
import { rare } from "./who.js";

const HOLD_TRIES = 3;
const HOLD_MS = 2500;

export class Cord {
  constructor(app) {
    this.app = app;
    this.failed = ""; // what to say of a hold that did not arrive
  }

  /** Pulls the cord: cell "" is every cell. Says loudly when it did not arrive. */
  async hold(cell) {
    this.app.sheet = null;
    this.failed = "";
    const content = { cellId: cell, actor: this.holder };
    for (let tried = 1; ; tried += 1) {
      try {
        const reply = await this.app.calls.ask("OperatorService", "Hold", content, { withinMs: HOLD_MS });
        const cells = reply.cells.map((one) => named(one)).join(", ");
        this.app.tell(say(reply.recorded ? "hold.done" : "hold.done_unrecorded", { cells }));
        return;
      } catch (error) {
        if (error.silent && tried < HOLD_TRIES) continue;
        this.failed = say("hold.failed", {
          cell: cell ? named(cell) : say("hold.every"), why: this.app.sorry(error),
        });
        this.app.paint();
        return;
      }
    }
  }

  /** A hold is taken from anybody. */
  get holder() {
    return { person: this.app.who.person || "somebody", device: this.app.who.device };
  }

  async release(cell, disposition) {
    if (!this.app.meant) {
      this.app.tell(say("release.look"));
      return;
    }
    this.app.sheet = { ...this.app.sheet, busy: true };
    this.app.paint();
    try {
      await this.app.calls.ask("OperatorService", "ReleaseHold", {
        cellId: cell.cellId,
        actor: this.app.who.actor,
        idempotencyKey: rare(),
        expectedReason: cell.reason,
        disposition,
      });
      this.app.sheet = null;
      this.app.tell(say("release.done", { cell: named(cell.cellId) }));
    } catch (error) {
      this.app.sheet = null;
      this.app.tell(say("release.failed", { cell: named(cell.cellId), why: this.app.sorry(error) }), true);
    }
  }
}
