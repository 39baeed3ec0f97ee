// What the page knows, where it is, and its link. Screens draw from it.
//
// What a person does lies beside: answering.js, cord.js, door.js, teaching.js.

import { Answering } from "./answering.js";
import { CallError } from "./calls.js";
import { ClipDesk } from "./clip/desk.js";
import { wordsOf } from "./contract.js";
import { Cord } from "./cord.js";
import { Door } from "./door.js";
import { Link } from "./link.js";
import { Outbox } from "./outbox.js";
import { EMPTY, fold, questions } from "./picture.js";
import { knows, labelled, learnWords, named, say, speak } from "./say.js";
import { LOOK_MS, Seat } from "./seat.js";
import { Still } from "./still.js";
import { Teaching } from "./teaching.js";

const TOLD_MS = 6000;
const MOST_TROUBLES = 3;

export class App {
  constructor(registry, calls, who, paint) {
    Object.assign(this, { registry, calls, who, paint });
    calls.locked = () => this.door.lock();
    this.picture = EMPTY;
    this.link = new Link(calls, () => this.#watching(), {
      change: (message) => this.#hear(message),
      up: () => this.#linkIsBack(),
      down: (why) => this.#linkIsLost(why),
      locked: () => this.door.lock(),
    });
    this.outbox = new Outbox();
    this.seat = new Seat(calls, who, this.outbox, () => paint());
    this.seat.sorry = (error) => this.sorry(error, this.seat.sitting?.requestId);
    this.teaching = new Teaching(this);
    this.answering = new Answering(this);
    this.clips = new ClipDesk(this);
    this.cord = new Cord(this);
    this.door = new Door(this);
    this.screen = "board"; // board, request, teach, models
    this.sheet = null; // {kind, openedMs, ...}: what lies over the screen
    this.still = new Still();
    this.notice = null; // {text, untilMs}: the last thing that happened
    this.troubles = []; // what went wrong, until somebody has read it
    this.lostMs = Date.now();
    this.why = "";
    this.models = null;
    this.state = wordsOf(registry, "CellState");
    this.reason = wordsOf(registry, "HoldReason");
    this.action = wordsOf(registry, "Action");
    this.outcome = wordsOf(registry, "Outcome");
    this.timeout = wordsOf(registry, "TimeoutOutcome");
    this.modelState = wordsOf(registry, "ModelState");
  }

  async run() {
    this.door.recognise();
    setInterval(() => this.#tick(), 500);
    await this.link.run();
  }

  // -- moving about ---------------------------------------------------------------------

  go(screen) {
    this.clips.close();
    if (this.screen === "request" && screen !== "request") this.seat.leave();
    if (this.screen === "teach" && screen !== "teach") this.teaching.leave();
    this.screen = screen;
    this.sheet = null;
    if (screen === "models") this.loadModels();
    if (screen === "teach") this.teaching.load();
    this.paint();
  }

  openSheet(kind, facts = {}) {
    this.sheet = { kind, openedMs: Date.now(), ...facts };
    this.paint();
  }

  closeSheet() {
    this.sheet = null;
    this.paint();
  }

  /** together: the person sees one card for it and others of its cause. */
  openRequest(requestId, together = false) {
    this.sheet = null;
    this.screen = "request";
    this.page = 0;
    this.clips.close();
    return this.seat.open(requestId, together ? (reply) => this.answering.mates(reply) : null);
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
    if (loud) this.troubles = [...this.troubles, text].slice(-MOST_TROUBLES);
    else this.notice = { text, untilMs: Date.now() + TOLD_MS };
    this.paint();
  }

  /**
   * Whether what lies under the finger has been there long enough to be meant: a glove
   * taps twice, and buttons move when a line of news comes or goes.
   */
  get meant() {
    const now = Date.now();
    return now - (this.sheet?.openedMs ?? 0) >= LOOK_MS && this.still.since(now) >= LOOK_MS;
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

  // -- the link -------------------------------------------------------------------------

  get connected() {
    return this.link.connected;
  }

  /**
   * An error in the language of the person, by its token; the coordinator's own sentence
   * where the page has no words for it.
   * @param requestId the question it is about, or ""
   */
  sorry(error, requestId = "") {
    if (!(error instanceof CallError)) return String(error);
    if (error.silent) return say("error.silent");
    const person = this.picture.requests.get(requestId)?.claimedBy || say("people.somebody");
    return knows(`error.${error.token}`) ? say(`error.${error.token}`, { person }) : error.text;
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
    this.door.recognise();
    this.answering.flush({ atOnce: true });
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
    this.answering.tick(now);
    if (this.notice && now > this.notice.untilMs) this.notice = null;
    if (this.who.idle) this.door.lock();
    this.door.stillHere();
    if (this.connected && this.outbox.unsent.length > 0) this.answering.flush();
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
