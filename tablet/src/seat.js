// One person at one request: claim, renew, answer, leave. It draws nothing.
//
// After every wait the request may be another one, or none: each step looks again before
// it changes the sitting. An answer goes through the outbox, and never under a new claim.

import { requestAt } from "./picture.js";
import { rare } from "./who.js";

const RENEWALS = 3; // renewed when this fraction of the lease has passed: one third
export const LOOK_MS = 500; // an answer sooner than this was meant for another picture
const CLAIM_GONE = new Set(["CLAIMED_BY", "NOT_YOUR_CLAIM", "STALE_EPOCH", "VIEW_CHANGED"]);
const OVER = new Set(["REQUEST_CLOSED", "NOT_FOUND"]);

export class Seat {
  /**
   * @param calls what can be called
   * @param who who sits here
   * @param outbox where answers wait until they are confirmed
   * @param changed called when the sitting is another one
   */
  constructor(calls, who, outbox, changed) {
    Object.assign(this, { calls, who, outbox, changed });
    this.sorry = (error) => error.text; // puts an error into words
    this.sitting = null;
    this.claim = null;
  }

  /**
   * Shows a request and claims it; a claim on another one is given back first.
   * @param mates which members of a GetGroupResponse one answer may be for; null: asks for none
   */
  async open(requestId, mates = null) {
    await this.leave();
    this.sitting = {
      requestId, mates, group: [], alone: false, phase: "opening", evidence: null, holder: "", note: "", shownMs: 0,
    };
    this.changed();
    await this.#lookAndClaim(requestId);
  }

  /** Takes the request from whoever holds it. */
  async takeOver() {
    if (this.sitting?.phase === "theirs") await this.#take(this.sitting.requestId, true);
  }

  /** Whether an answer can be given now. */
  get ready() {
    const { phase, evidence, shownMs } = this.sitting ?? {};
    return phase === "mine" && evidence !== null && Date.now() - shownMs >= LOOK_MS;
  }

  /** Those that one answer is for now, with the one that is shown; none when it is for that alone. */
  get together() {
    const { group, alone } = this.sitting ?? {};
    return group?.length > 1 && !alone ? group : [];
  }

  /** Answers this one alone, or all of its cause again. */
  onlyThis() {
    if (this.sitting) this.#set({ alone: !this.sitting.alone });
  }

  /** Puts an answer into the outbox; "" is "cannot tell". Returns whether it was taken. */
  answer(label, more = {}) {
    if (!this.ready || !this.claim) return false;
    const { requestId, evidence } = this.sitting;
    this.outbox.add({
      key: rare(),
      requestId,
      person: this.who.person,
      epoch: String(this.claim.epoch),
      view: evidence.viewDigest,
      label,
      cell: evidence.summary.cellId,
      family: evidence.summary.family,
      // Who cannot tell from what is shown says nothing of the others.
      members: label ? this.together : [],
      at: Date.now(),
      ...more,
    });
    this.#set({ phase: "sending", label, note: "" });
    return true;
  }

  /** What became of an answer. */
  told(item, reply, error) {
    if (this.sitting?.requestId !== item.requestId) return;
    if (reply) {
      this.sitting = this.claim = null;
      this.changed();
    } else if (error.silent || error.locked) {
      this.#set({ phase: "unsent" });
    } else if (OVER.has(error.token)) {
      this.#end(this.sorry(error));
    } else {
      this.#set({ phase: "opening", note: "" });
      this.claim = null;
      this.#lookAndClaim(item.requestId);
    }
  }

  /** Takes up where the link was lost. */
  async linkIsBack(picture) {
    const sitting = this.sitting;
    if (!sitting || sitting.phase === "ended" || this.outbox.of(sitting.requestId)) return;
    if (!picture.requests.has(sitting.requestId)) this.#end("");
    else await this.#lookAndClaim(sitting.requestId);
  }

  /** Renews the claim when it is time to. */
  async keep() {
    const { claim, sitting } = this;
    if (!claim || sitting?.phase !== "mine") return;
    if (Date.now() - claim.renewedMs < claim.leaseMs / RENEWALS) return;
    claim.renewedMs = Date.now();
    try {
      await this.calls.ask("OperatorService", "RenewClaim", this.#held(claim));
    } catch (error) {
      if (!error.silent && this.#here(sitting.requestId)) this.#lost(error);
    }
  }

  /** Gives the request back. */
  async leave() {
    const { claim, sitting } = this;
    this.sitting = this.claim = null;
    this.changed();
    if (!claim || sitting?.phase !== "mine") return;
    try {
      await this.calls.ask("OperatorService", "ReleaseClaim", this.#held(claim), { withinMs: 2000 });
    } catch {
      // It runs out by itself.
    }
  }

  /** The request was given away: nothing is to be given back. */
  gone() {
    this.sitting = this.claim = null;
    this.changed();
  }

  /** The watch says that a request changed; it may be this one. */
  hear(request) {
    const sitting = this.sitting;
    if (sitting?.requestId !== request.requestId) return;
    if (sitting.evidence) sitting.evidence.summary = request;
    if (["sending", "unsent", "ended"].includes(sitting.phase)) return; // the reply says it better
    if (request.outcome !== 0) {
      this.#end("", request);
      return;
    }
    const newer = !this.claim || request.claimEpoch > this.claim.epoch;
    const somebody = request.claimedBy !== "" && request.claimedBy !== this.who.person;
    if (sitting.phase === "mine" && newer && somebody) {
      this.claim = null;
      this.#set({ phase: "theirs", holder: request.claimedBy });
    } else if (sitting.phase === "theirs") {
      this.#set({ holder: request.claimedBy });
    }
  }

  async #lookAndClaim(requestId) {
    let evidence;
    try {
      const actor = this.who.actor;
      evidence = await this.calls.ask("OperatorService", "GetRequest", { requestId, actor });
    } catch (error) {
      if (!this.#here(requestId)) return;
      if (error.silent || error.locked) this.#set({ note: "silent" });
      else this.#end(this.sorry(error));
      return;
    }
    if (!this.#here(requestId)) return;
    requestAt(evidence.summary, Date.now());
    const same = this.sitting.evidence?.viewDigest === evidence.viewDigest;
    this.#set({
      evidence,
      shownMs: same ? this.sitting.shownMs : Date.now(),
      holder: evidence.summary.claimedBy,
    });
    if (evidence.summary.outcome !== 0) {
      this.#end("", evidence.summary);
      return;
    }
    await this.#gather(requestId, evidence);
    if (this.#here(requestId)) await this.#take(requestId, false);
  }

  /** Learns what the others of its cause show; without that it stands alone. */
  async #gather(requestId, evidence) {
    const { mates } = this.sitting;
    if (!mates || evidence.blind) return; // asked blind: each is looked at by itself
    let group = [];
    try {
      group = mates(await this.calls.ask("OperatorService", "GetGroup", { requestId }));
    } catch {
      // The answer is for this one alone then, and the screen names no other.
    }
    // Of this one the person saw exactly that, whatever it would show by now.
    const seen = (one) => (one.requestId === requestId ? { ...one, view: evidence.viewDigest } : one);
    if (!group.some((one) => one.requestId === requestId)) group = [];
    if (this.#here(requestId)) this.#set({ group: group.map(seen) });
  }

  async #take(requestId, takeOver) {
    const content = {
      requestId, actor: this.who.actor, idempotencyKey: rare(), takeOver,
    };
    try {
      const reply = await this.calls.ask("OperatorService", "Claim", content);
      if (!this.#here(requestId)) return;
      this.claim = {
        requestId,
        epoch: reply.claimEpoch,
        leaseMs: Number(reply.lease?.seconds ?? 60n) * 1000,
        renewedMs: Date.now(),
      };
      this.#set({ phase: "mine", holder: this.who.person, note: "" });
    } catch (error) {
      if (this.#here(requestId)) this.#lost(error);
    }
  }

  #lost(error) {
    if (error.silent || error.locked) {
      this.#set({ note: "silent" });
    } else if (OVER.has(error.token)) {
      this.#end(this.sorry(error));
    } else {
      this.claim = null;
      const holder = this.sitting.evidence?.summary.claimedBy ?? "";
      this.#set({ phase: "theirs", holder, note: CLAIM_GONE.has(error.token) ? "" : this.sorry(error) });
    }
  }

  #held(claim) {
    return { requestId: claim.requestId, actor: this.who.actor, claimEpoch: claim.epoch };
  }

  #here(requestId) {
    return this.sitting?.requestId === requestId;
  }

  #end(note, request = null) {
    this.claim = null;
    this.#set({ phase: "ended", note, ended: request });
  }

  #set(facts) {
    if (!this.sitting) return;
    this.sitting = { ...this.sitting, ...facts };
    this.changed();
  }
}
