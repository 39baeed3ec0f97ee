// A person's word on a question: given, sent, taken back, or left to others.

import { CallError } from "./calls.js";
import { seconds } from "./contract.js";
import { causeOf } from "./picture.js";
import { named, say } from "./say.js";
import { rare } from "./who.js";

const REFUSED = 9; // FAILED_PRECONDITION
const ALONE = "LOOK_ALONE";
const TOO_LATE = new Set(["REQUEST_CLOSED", "NOT_YOUR_CLAIM", "NOT_FOUND"]);

export class Answering {
  constructor(app) {
    this.app = app;
    this.undo = null; // {requestId, together, cell, words, untilMs}
    this.apart = new Set(); // ids of those that moved away from their cause: each alone
  }

  /** Those of a group that one answer may be for: open, and nobody else's. */
  mates(reply) {
    const { person } = this.app.who;
    return reply.members
      .filter(({ summary }) => summary.outcome === 0 && causeOf(summary, true, this.apart) &&
        (summary.claimedBy === "" || summary.claimedBy === person))
      .map(({ summary, viewDigest }) => (
        { requestId: summary.requestId, cell: summary.cellId, view: viewDigest }));
  }

  /** Gives an answer; "" is "cannot tell". */
  answer(label, more = {}) {
    const { first } = this.app.seat.sitting ?? {};
    const { family } = this.app.seat.sitting?.evidence?.summary ?? {};
    const words = label ? this.app.word(label, family) : say("request.cannot_tell");
    const extra = first ? { firstLabel: first } : {};
    const left = this.lookLeft(label);
    if (!this.app.meant) {
      this.app.tell(say("request.look_first"));
    } else if (left > 0) {
      this.app.tell(say("request.look_more", { left: Math.ceil(left) }));
    } else if (this.app.seat.answer(label, { words, extra, ...more })) {
      this.app.sheet = null;
      this.flush();
    } else if (this.app.seat.sitting?.phase === "mine") {
      this.app.tell(say("request.look_first"));
    }
  }

  /** How much longer one has to look before this may be said, s; what stops never waits. */
  lookLeft(label) {
    const { evidence, shownMs } = this.app.seat.sitting ?? {};
    const said = evidence?.labels.find((one) => one.name === label);
    const waits = evidence?.viewEnforced && said && !said.urgent && this.app.action(said.action) !== "stop";
    return waits ? (seconds(evidence.viewAtLeast) || 0) - (Date.now() - shownMs) / 1000 : 0;
  }

  /** at once: also what was tried a moment ago, because somebody may listen again. */
  flush({ atOnce = false } = {}) {
    if (atOnce) this.app.outbox.hurry();
    const send = (item) => this.#send(item);
    const sorry = (error, item) => this.app.sorry(error, item.requestId);
    return this.app.outbox.flush(this.app.who.person, send, sorry, (item, reply, error) => {
      this.app.seat.told(item, reply, error);
      if (reply) this.#answered(item, reply);
      this.app.paint();
    });
  }

  /** Lets go of an answer that was not sent; it may be on its way all the same. */
  drop(item) {
    this.app.outbox.remove(item.key);
    const { requestId } = this.app.seat.sitting ?? {};
    if (requestId === item.requestId) this.app.openRequest(requestId);
    this.app.paint();
  }

  #send(item) {
    return item.members?.length > 1 ? this.#sendToAll(item) : this.#sendToOne(item);
  }

  #sendToOne(item) {
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

  /** Says the same of all of a cause; what was not taken is told, and stays open. */
  async #sendToAll(item) {
    const { results } = await this.app.calls.ask("OperatorService", "AnswerGroup", {
      actor: { person: item.person, device: this.app.who.device },
      idempotencyKey: item.key,
      label: item.label,
      shownRequestId: item.requestId,
      claimEpoch: BigInt(item.epoch),
      members: item.members.map((one) => ({ requestId: one.requestId, viewDigest: one.view })),
    });
    const parts = item.members.map((one, at) => ({ ...one, ...results[at] }));
    const shown = parts.find((one) => one.requestId === item.requestId);
    const taken = parts.filter((one) => one.taken);
    // Where the word on the shown one does not count, nothing was said of these.
    const left = parts.filter((one) => !one.taken && !shown.taken && one !== shown && one.token === ALONE);
    for (const part of parts.filter((one) => !one.taken && !left.includes(one))) {
      this.apart.add(part.requestId);
      if (part !== shown) this.#notTaken(item, part);
    }
    if (!shown.taken) {
      const why = new CallError(REFUSED, shown.token, plain(shown));
      why.also = also("cause.also", taken) + also("cause.left", left);
      throw why;
    }
    const { outcome, pendingLabel } = shown.summary;
    return { undoWithin: shown.undoWithin, needsSecond: outcome === 0 && !pendingLabel, taken };
  }

  /** One of a cause was not taken: said until somebody has read it. */
  #notTaken(item, part) {
    const key = `${item.key} ${part.requestId}`;
    const { person, words, label } = item;
    const why = this.app.sorry(new CallError(REFUSED, part.token, plain(part)), part.requestId);
    this.app.outbox.add({
      key, person, words, label, requestId: part.requestId, cell: part.cell, at: Date.now(), refused: why,
    });
  }

  #answered(item, reply) {
    const { words } = item;
    const taken = reply.taken ?? [item];
    const undoS = seconds(reply.undoWithin);
    const facts = { cell: taken.map((one) => named(one.cell)).join(", "), words };
    if (undoS > 0) {
      const untilMs = Date.now() + undoS * 1000;
      const together = taken.length > 1;
      this.undo = { ...facts, requestId: item.requestId, together, untilMs, key: rare() };
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
      // What was said of others of its cause is taken back with it.
      await this.app.calls.ask("OperatorService", "UndoAnswer", {
        requestId: undo.requestId, actor: this.app.who.actor, idempotencyKey: undo.key,
      });
      this.undo = null;
      this.app.tell(say("undo.done", undo));
      await this.app.openRequest(undo.requestId, undo.together);
    } catch (error) {
      this.undo = null;
      const why = TOO_LATE.has(error.token) ? say("undo.too_late") : this.app.sorry(error);
      this.app.tell(say("undo.failed", { ...undo, why }), true);
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

/** What became of others of its cause, as one more sentence; "" for none. */
function also(key, parts) {
  return parts.length ? ` ${say(key, { cells: parts.map((one) => named(one.cell)).join(", ") })}` : "";
}

/** Why one of a cause was refused, without the token in front. */
function plain(part) {
  const front = `${part.token}: `;
  return part.text.startsWith(front) ? part.text.slice(front.length) : part.text;
}
