// What the page knows and does. Screens draw from it and call its methods.

import { millis, seconds, wordsOf } from "./contract.js";
import { CallError } from "./calls.js";
import { Link } from "./link.js";
import { Outbox } from "./outbox.js";
import { EMPTY, fold, questions } from "./picture.js";
import { labelled, learnWords, named, say, speak } from "./say.js";
import { Seat } from "./seat.js";
import { Teaching } from "./teaching.js";
import { Who, rare } from "./who.js";

const HOLD_TRIES = 3;
const HOLD_MS = 2500;
const TOLD_MS = 6000;
const STILL_HERE_MS = 15_000;

export class App {
  constructor(registry, calls, who, paint) {
    Object.assign(this, { registry, calls, who, paint });
    calls.locked = () => this.lock();
    this.picture = EMPTY;
    this.link = new Link(calls, () => this.#watching(), {
      change: (message) => this.#hear(message),
      up: () => this.#linkIsBack(),
      down: (why) => this.#linkIsLost(why),
      locked: () => this.lock(),
    });
    this.outbox = new Outbox();
    this.seat = new Seat(calls, who, this.outbox, () => paint());
    this.teaching = new Teaching(this);
    this.screen = "board"; // board, request, teach, models
    this.sheet = null; // {kind, ...}: what lies over the screen
    this.undo = null; // {requestId, cell, words, untilMs}
    this.notice = null; // {text, loud, untilMs}: the last thing that happened
    this.holdFailed = "";
    this.lostMs = Date.now();
    this.why = "";
    this.models = null;
    this.login = { person: "", pin: "", note: "" };
    this.names = who.recent.map((person) => ({ person, shown: "" }));
    this.stillHereMs = 0;
    this.state = wordsOf(registry, "CellState");
    this.reason = wordsOf(registry, "HoldReason");
    this.action = wordsOf(registry, "Action");
    this.outcome = wordsOf(registry, "Outcome");
    this.timeout = wordsOf(registry, "TimeoutOutcome");
    this.modelState = wordsOf(registry, "ModelState");
  }

  async run() {
    this.#recognise();
    setInterval(() => this.#tick(), 500);
    await this.link.run();
  }

  // -- moving about ---------------------------------------------------------------------

  go(screen) {
    if (this.screen === "request" && screen !== "request") this.seat.leave();
    if (this.screen === "teach" && screen !== "teach") this.teaching.leave();
    this.screen = screen;
    this.sheet = null;
    if (screen === "models") this.loadModels();
    if (screen === "teach") this.teaching.load();
    this.paint();
  }

  openSheet(kind, facts = {}) {
    this.sheet = { kind, ...facts };
    this.paint();
  }

  closeSheet() {
    this.sheet = null;
    this.paint();
  }

  openRequest(requestId) {
    this.sheet = null;
    this.screen = "request";
    this.page = 0;
    return this.seat.open(requestId);
  }

  /** The cell that the screen is about, or "". */
  get cellInView() {
    if (this.screen === "request") return this.seat.sitting?.evidence?.summary.cellId ?? "";
    return "";
  }

  family(id) {
    return this.picture.families.get(id);
  }

  /** What people read for a label of a family. */
  word(name, family) {
    const known = this.family(family)?.labels.find((one) => one.name === name);
    return known ? labelled(known, family) : named(name, family);
  }

  tell(text, loud = false) {
    this.notice = { text, loud, untilMs: Date.now() + TOLD_MS };
    this.paint();
  }

  // -- answering ------------------------------------------------------------------------

  /** Gives an answer; "" is "cannot tell". */
  answer(label, more = {}) {
    const { first } = this.seat.sitting ?? {};
    const { family } = this.seat.sitting?.evidence?.summary ?? {};
    const words = label ? this.word(label, family) : say("request.cannot_tell");
    const extra = first ? { firstLabel: first } : {};
    if (this.seat.answer(label, { words, extra, ...more })) {
      this.sheet = null;
      this.flush();
    } else if (this.seat.sitting?.phase === "mine") {
      this.tell(say("request.look_first"));
    }
  }

  flush() {
    const send = (item) => this.#send(item);
    const sorry = (error) => this.sorry(error);
    return this.outbox.flush(this.who.person, send, sorry, (item, reply, error) => {
      this.seat.told(item, reply, error);
      if (reply) this.#answered(item, reply);
      this.paint();
    });
  }

  #send(item) {
    const answer = item.label
      ? { case: "label", value: item.label }
      : { case: "cannotTell", value: true };
    return this.calls.ask("OperatorService", "Answer", {
      requestId: item.requestId,
      actor: { person: item.person, device: this.who.device },
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
      this.tell(say(item.label ? (reply.needsSecond ? "answered.second" : "answered.final")
        : "answered.passed_on", facts));
    }
    if (this.screen === "request" && !this.seat.sitting) this.go("board");
  }

  /** Shows the guess of a blind question, after the first tap: first. */
  reveal(first) {
    Object.assign(this.seat.sitting, { first, revealed: true });
    this.closeSheet();
  }

  /** Leaves the request to others. */
  async skip() {
    const { claim } = this.seat;
    if (!claim) return;
    try {
      await this.calls.ask("OperatorService", "Skip", {
        requestId: claim.requestId, actor: this.who.actor, claimEpoch: claim.epoch,
        idempotencyKey: rare(),
      });
      this.seat.gone();
      this.go("board");
    } catch (error) {
      this.tell(this.sorry(error), true);
    }
  }

  async takeBack() {
    const undo = this.undo;
    if (!undo) return;
    this.undo = { ...undo, busy: true };
    this.paint();
    try {
      await this.calls.ask("OperatorService", "UndoAnswer", {
        requestId: undo.requestId, actor: this.who.actor, idempotencyKey: undo.key,
      });
      this.undo = null;
      this.tell(say("undo.done", undo));
      await this.openRequest(undo.requestId);
    } catch (error) {
      this.undo = null;
      this.tell(say("undo.failed", { ...undo, why: this.sorry(error) }), true);
    }
  }

  /** Says that this person stands at the cell now. */
  async arrive() {
    const requestId = this.seat.sitting?.requestId;
    if (!requestId) return;
    try {
      await this.calls.ask("OperatorService", "Arrive", {
        requestId, actor: this.who.actor,
      });
      this.tell(say("request.arrived_noted"));
    } catch (error) {
      this.tell(this.sorry(error), true);
    }
  }

  // -- cells ----------------------------------------------------------------------------

  /** Pulls the cord: cell "" is every cell. Says loudly when it did not arrive. */
  async hold(cell) {
    this.sheet = null;
    this.holdFailed = "";
    const content = { cellId: cell, actor: this.holder };
    for (let tried = 1; ; tried += 1) {
      try {
        const reply = await this.calls.ask("OperatorService", "Hold", content, { withinMs: HOLD_MS });
        const cells = reply.cells.map((one) => named(one)).join(", ");
        this.tell(say(reply.recorded ? "hold.done" : "hold.done_unrecorded", { cells }));
        return;
      } catch (error) {
        if (error.silent && tried < HOLD_TRIES) continue;
        this.holdFailed = say("hold.failed", {
          cell: cell ? named(cell) : say("hold.every"), why: this.sorry(error),
        });
        this.paint();
        return;
      }
    }
  }

  /** A hold is taken from anybody. */
  get holder() {
    return { person: this.who.person || "somebody", device: this.who.device };
  }

  async release(cell, disposition) {
    this.sheet = { ...this.sheet, busy: true };
    this.paint();
    try {
      await this.calls.ask("OperatorService", "ReleaseHold", {
        cellId: cell.cellId,
        actor: this.who.actor,
        idempotencyKey: rare(),
        expectedReason: cell.reason,
        disposition,
      });
      this.sheet = null;
      this.tell(say("release.done", { cell: named(cell.cellId) }));
    } catch (error) {
      this.sheet = null;
      this.tell(say("release.failed", { cell: named(cell.cellId), why: this.sorry(error) }), true);
    }
  }

  // -- models ---------------------------------------------------------------------------

  async loadModels() {
    try {
      const families = [...this.picture.families.keys()];
      const lists = await Promise.all(families.map(async (family) => {
        const reply = await this.calls.ask("LearningService", "ListModels", { family });
        return { family, models: reply.models };
      }));
      this.models = { lists };
    } catch (error) {
      this.models = { lists: this.models?.lists ?? [], note: this.sorry(error) };
    }
    this.paint();
  }

  // -- people ---------------------------------------------------------------------------

  /** A name was tapped or typed; "" takes it back. */
  choose(person) {
    this.login = { person, pin: "", note: "" };
    this.who.locked = this.who.locked && person !== "";
    if (person && !this.who.accounts) this.enter(person, "");
    this.paint();
  }

  /** Says who this is; with a PIN where the plant has accounts. */
  async enter(person, pin) {
    if (!this.who.accounts) {
      this.who.enter(person);
      this.#entered();
      return;
    }
    this.login.busy = true;
    this.paint();
    try {
      const reply = await this.calls.ask("AccessService", "Login", {
        person, pin, device: this.who.device,
      });
      this.who.enter(reply.person || person, {
        shown: reply.shown, token: reply.token, roles: reply.roles, idleMs: (seconds(reply.idleLock) || 0) * 1000,
      });
      this.#entered();
    } catch (error) {
      this.login = { ...this.login, pin: "", busy: false, note: this.sorry(error) };
      this.paint();
    }
  }

  #entered() {
    this.login = { person: "", pin: "", note: "" };
    this.screen = "board";
    this.link.again();
    this.flush();
    this.paint();
  }

  /** Another person takes the tablet. */
  async switchPerson() {
    const { token } = this.who;
    await this.#goodbye(token);
    this.who.leave();
    this.#asked();
  }

  /** Nobody has touched the tablet, or the coordinator knows this person no longer. */
  async lock() {
    const { person, token } = this.who;
    if (!this.who.present) return;
    this.who.accounts = true;
    this.who.lock();
    await this.#goodbye(token);
    this.login = { person, pin: "", note: "" };
    this.#asked();
  }

  async #goodbye(token) {
    await this.seat.leave();
    await this.teaching.leave();
    if (token) {
      this.calls.ask("AccessService", "Logout", { token }, { withinMs: 2000 }).catch(() => {});
    }
  }

  #asked() {
    this.#recognise();
    this.sheet = null;
    this.undo = null;
    this.screen = "board";
    this.link.again();
    this.paint();
  }

  /** Asks whether a PIN is needed here, and for the names to choose from. */
  async #recognise() {
    try {
      const reply = await this.calls.ask("AccessService", "ListPeople", { device: this.who.device });
      this.who.accounts = reply.accounts;
      const known = this.who.recent.map((person) => ({ person, shown: "" }));
      this.names = reply.people.length > 0 ? reply.people : known;
      if (reply.accounts && this.who.present && !this.who.token) this.who.leave();
    } catch {
      // Asked again when the line is back.
    }
    this.paint();
  }

  /** Tells the coordinator now and then that somebody touches the tablet. */
  #stillHere() {
    const { who } = this;
    if (!who.token || who.touchedMs <= this.stillHereMs || Date.now() - this.stillHereMs < STILL_HERE_MS) return;
    this.stillHereMs = Date.now();
    this.calls.ask("AccessService", "StillHere", {}).catch(() => {});
  }

  // -- the link -------------------------------------------------------------------------

  get connected() {
    return this.link.connected;
  }

  /** An error in the language of the person. */
  sorry(error) {
    if (!(error instanceof CallError)) return String(error);
    if (error.silent) return say("error.silent");
    const known = say(`error.${error.token}`);
    return known === `error.${error.token}` ? error.text : `${known} (${error.text})`;
  }

  #watching() {
    const { who } = this; // nobody: the board is seen all the same, and can be held
    if (!who.present) return { actor: { person: who.device, device: who.device } };
    return { actor: who.actor, answering: true };
  }

  #hear(message) {
    const before = this.picture;
    this.picture = fold(before, message, Date.now());
    if (message.change.case === "snapshot") learnWords(message.change.value.families);
    if (message.change.case === "request") this.seat.hear(message.change.value);
    const fresh = questions(this.picture).filter((one) => !before.requests.has(one.requestId));
    if (before !== EMPTY && fresh.length > 0) {
      navigator.vibrate?.([120, 80, 120]);
      this.spoken = say("board.asks", { cell: named(fresh[0].cellId) });
    }
    this.paint();
  }

  #linkIsBack() {
    this.#recognise();
    this.flush();
    this.seat.linkIsBack(this.picture);
    if (this.screen === "models") this.loadModels();
    this.paint();
  }

  #linkIsLost(why) {
    if (this.why === "" || this.connectedBefore) this.lostMs = Date.now();
    this.connectedBefore = false;
    this.why = why;
    this.paint();
  }

  #tick() {
    const now = Date.now();
    if (this.connected) this.connectedBefore = true;
    if (this.undo && now > this.undo.untilMs) {
      this.tell(say("answered.final", this.undo));
      this.undo = null;
    }
    if (this.notice && now > this.notice.untilMs) this.notice = null;
    if (this.who.idle) this.lock();
    this.#stillHere();
    if (this.connected && this.outbox.unsent.length > 0) this.flush();
    this.seat.keep();
    this.paint();
  }

  setLanguage(language) {
    speak(language);
    localStorage.setItem("andon.language", language);
    this.paint();
  }

  setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("andon.theme", theme);
    this.paint();
  }
}

export { millis };
