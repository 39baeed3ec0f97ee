// A person's word on a question: given, sent, taken back, or left to others.

import { seconds } from "./contract.js";
import { named, say } from "./say.js";
import { rare } from "./who.js";

export class Answering {
  constructor(app) {
    this.app = app;
    this.undo = null; // {requestId, cell, words, untilMs}
  }

  /** Gives an answer; "" is "cannot tell". */
  answer(label, more = {}) {
    const { first } = this.app.seat.sitting ?? {};
    const { family } = this.app.seat.sitting?.evidence?.summary ?? {};
    const words = label ? this.app.word(label, family) : say("request.cannot_tell");
    const extra = first ? { firstLabel: first } : {};
    if (this.app.seat.answer(label, { words, extra, ...more })) {
      this.app.sheet = null;
      this.flush();
    } else if (this.app.seat.sitting?.phase === "mine") {
      this.app.tell(say("request.look_first"));
    }
  }

  flush() {
    const send = (item) => this.#send(item);
    const sorry = (error) => this.app.sorry(error);
    return this.app.outbox.flush(this.app.who.person, send, sorry, (item, reply, error) => {
      this.app.seat.told(item, reply, error);
      if (reply) this.#answered(item, reply);
      this.app.paint();
    });
  }

  #send(item) {
    const answer = item.label
      ? { case: "label", value: item.label }
      : { case: "cannotTell", value: true };
    return this.app.calls.ask("OperatorService", "Answer", {
      requestId: item.requestId,
      actor: { person: item.person, device: this.app.who.device },
      claimEpoch: BigInt(item.epoch),
      idempotencyKey: item.key,
      viewDigest: item.view,
      answer,
      ...(item.extra ?? {}),
    });
  }

  #answered(item, reply) {
    const { words } = item;
    const undoS = seconds(reply.undoWithin);
    const facts = { cell: named(item.cell), words };
    if (undoS > 0) {
      const untilMs = Date.now() + undoS * 1000;
      this.undo = { ...facts, requestId: item.requestId, untilMs, key: rare() };
    } else {
      this.app.tell(say(item.label ? (reply.needsSecond ? "answered.second" : "answered.final")
        : "answered.passed_on", facts));
    }
    if (this.app.screen === "request" && !this.app.seat.sitting) this.app.go("board");
  }

  /** Shows the guess of a blind question, after the first tap: first. */
  reveal(first) {
    Object.assign(this.app.seat.sitting, { first, revealed: true });
    this.app.closeSheet();
  }

  /** Leaves the request to others. */
  async skip() {
    const { claim } = this.app.seat;
    if (!claim) return;
    try {
      await this.app.calls.ask("OperatorService", "Skip", {
        requestId: claim.requestId, actor: this.app.who.actor, claimEpoch: claim.epoch,
        idempotencyKey: rare(),
      });
      this.app.seat.gone();
      this.app.go("board");
    } catch (error) {
      this.app.tell(this.app.sorry(error), true);
    }
  }

  async takeBack() {
    const undo = this.undo;
    if (!undo) return;
    this.undo = { ...undo, busy: true };
    this.app.paint();
    try {
      await this.app.calls.ask("OperatorService", "UndoAnswer", {
        requestId: undo.requestId, actor: this.app.who.actor, idempotencyKey: undo.key,
      });
      this.undo = null;
      this.app.tell(say("undo.done", undo));
      await this.app.openRequest(undo.requestId);
    } catch (error) {
      this.undo = null;
      this.app.tell(say("undo.failed", { ...undo, why: this.app.sorry(error) }), true);
    }
  }

  /** Says that this person stands at the cell now. */
  async arrive() {
    const requestId = this.app.seat.sitting?.requestId;
    if (!requestId) return;
    try {
      await this.app.calls.ask("OperatorService", "Arrive", {
        requestId, actor: this.app.who.actor,
      });
      this.app.tell(say("request.arrived_noted"));
    } catch (error) {
      this.app.tell(this.app.sorry(error), true);
    }
  }

  /** The time to take it back has passed: it is final. */
  tick(now) {
    if (!this.undo || now <= this.undo.untilMs) return;
    this.app.tell(say("answered.final", this.undo));
    this.undo = null;
  }
}
