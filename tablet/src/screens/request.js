// One question: what was felt, what the model thinks, and the answers under the thumb.

import { html, nothing } from "lit-html";
import { bar, countdown, percent, shape } from "../look.js";
import { seconds } from "../contract.js";
import { drawn } from "../parts/trace.js";
import { focusOnce } from "../parts/focus.js";
import { knows, labelled, named, say, sentence, spoken } from "../say.js";
import { clipButton, clipView } from "./clip.js";
import { column, inWords, tracesOf } from "../traces.js";

const A_PAGE = 3;
const AUDIT = 2; // RequestKind
const URGENT_SHARE = 0.25;
const ACTION_SHAPES = { continue: "working", rework: "deciding", reject: "maintenance", stop: "held" };

export function requestScreen(app) {
  const { sitting } = app.seat;
  if (!sitting) return html`<h1>${say("request.title")}</h1><p>${say("request.gone")}</p>`;
  const { evidence } = sitting;
  if (!evidence) {
    return html`<div class="request waiting">${back(app)}
      <h1 tabindex="-1" ${focusOnce(sitting.requestId)}>${say("request.title")}</h1>
      <p>${sitting.phase === "ended" ? ended(app, sitting)
        : say(sitting.note === "silent" ? "error.silent" : "request.opening")}</p></div>`;
  }
  return html`<div class="request">
    ${head(app, sitting)}
    <div class="evidence">${felt(app, evidence, evidence.summary.clipId || evidence.clipId)}${
      app.clips.shown ? nothing : alike(app, evidence, sitting)}</div>
    <div class="deciding">${standing(app, sitting)}${cause(app, sitting)}${answers(app, sitting)}</div>
  </div>`;
}

function back(app) {
  return html`<button class="plain back" @click=${() => app.go("board")}>‹ ${say("nav.board")}</button>`;
}

function head(app, sitting) {
  const { summary, verdict } = sitting.evidence;
  const left = (summary.deadlineMs - Date.now()) / 1000;
  const share = summary.allowedS > 0 ? left / summary.allowedS : 0;
  const urgent = summary.warned || share < URGENT_SHARE;
  const over = sitting.phase === "ended";
  return html`<div class="ask">
    ${back(app)}
    <div class="who">
      <h1 tabindex="-1" ${focusOnce(sitting.requestId)}>${named(summary.cellId)}</h1>
      <p>${summary.partId ? `${say("board.part", { part: summary.partId })} · ` : ""}${
        say("request.cycle", { cycle: summary.cycle })}</p>
    </div>
    ${over ? nothing : html`<div class="deadline ${urgent ? "urgent" : ""}">
      <b role="timer">${countdown(left)}</b>${bar(share, urgent ? "urgent" : "")}
      <p>${say(`timeout.${app.timeout(summary.onTimeout)}`)}</p></div>`}
    <p class="reason">${sitting.evidence.blind && !sitting.revealed ? say("request.blind") : why(verdict, summary)}</p>
  </div>`;
}

function why(verdict, summary) {
  const text = verdict?.reason || summary.reason;
  if (summary.kind === AUDIT) return html`<b>${say("request.audit")}</b> ${measured(verdict)}`;
  const known = `code.${verdict?.code || summary.code}`;
  if (!knows(known)) return html`<span lang="en">${sentence(text)}</span>`;
  // The coordinator's own sentence says the numbers, and says them in English.
  return html`<b>${say(known)}</b> ${spoken() === "en" ? html`<span>${sentence(text)}</span>` : measured(verdict)}`;
}

/** The numbers of a verdict, in no language. */
function measured(verdict) {
  const sure = verdict?.prediction?.confidence;
  return sure > 0 ? html`<span>${say("request.sure", { share: percent(sure) })}</span>` : nothing;
}

/** The window, or the recording around it. */
export function felt(app, evidence, clipId) {
  return app.clips.shown ? clipView(app, evidence) : traces(app, evidence, clipId);
}

/** The channels, most telling first, some at a time. */
function traces(app, evidence, clipId) {
  evidence.traces ??= tracesOf(evidence).map((trace) => ({
    ...trace, values: column(evidence.window, trace.index),
  }));
  const all = evidence.traces;
  const pages = Math.max(1, Math.ceil(all.length / A_PAGE));
  const page = Math.min(app.page ?? 0, pages - 1);
  const turn = (by) => { app.page = (page + by + pages) % pages; app.paint(); };
  return html`
    <div class="traces">${all.slice(page * A_PAGE, (page + 1) * A_PAGE).map((one) => trace(one, evidence))}</div>
    <div class="pager">
      ${pages > 1 ? html`<button class="quiet" @click=${() => turn(-1)}>‹ ${say("request.before")}</button>
        <span>${say("request.channels", { page: page + 1, pages })}</span>
        <button class="quiet" @click=${() => turn(1)}>${say("request.after")} ›</button>` : nothing}
      ${clipButton(app, clipId)}
    </div>`;
}

function trace(one, evidence) {
  const period = Number(evidence.window.periodNs) / 1e9;
  const name = named(one.channel.name, evidence.summary.family);
  const range = inWords(one.values, one.channel.unit);
  const marked = one.last >= one.first && one.weight > 0;
  const part = marked
    ? say(one.against ? "request.speaks_against" : "request.stands_out", {
      from: (one.first * period).toFixed(1), to: (one.last * period).toFixed(1),
    }) : say("request.as_usual");
  const beside = evidence.beside ? column(evidence.beside.window, one.index) : null;
  const about = { first: one.first, last: marked ? one.last : -1, behind: beside };
  return html`<figure class="trace">
    <figcaption><b>${name}</b><span>${range}</span>
      <span class="mark">${marked ? html`<i></i>${part} · ${percent(one.weight)}` : part}</span></figcaption>
    <div><canvas role="img" aria-label="${name}: ${range}; ${part}" ${drawn(one.values, about)}></canvas></div>
  </figure>`;
}

/** Labelled examples that are alike; a tap lays one behind the traces. */
function alike(app, evidence, sitting) {
  if (!evidence.nearest.length || (evidence.blind && !sitting.revealed)) return nothing;
  const { family } = evidence.summary;
  const lay = (one) => {
    evidence.beside = evidence.beside === one ? null : one;
    app.paint();
  };
  return html`<div class="alike"><h2>${say("request.alike")}</h2>
    ${evidence.nearest.slice(0, 2).map((one) => {
    const text = html`<b>${app.word(one.label, family)}</b>
      <span>${say("request.distance", { distance: one.distance.toFixed(2) })}</span>`;
    return one.window
      ? html`<button aria-pressed=${evidence.beside === one ? "true" : "false"}
          @click=${() => lay(one)}>${text}</button>` : html`<p>${text}</p>`;
  })}</div>`;
}

function standing(app, sitting) {
  const { summary } = sitting.evidence;
  const said = () => (sitting.label ? app.word(sitting.label, summary.family) : say("request.cannot_tell"));
  switch (sitting.phase) {
    case "theirs":
      return html`<div class="standing warn"><p>${sitting.holder
        ? say("request.theirs", { person: sitting.holder }) : say("request.nobodys")}
        ${sitting.note && sitting.note !== "silent" ? sitting.note : ""}</p>
        <button class="big" @click=${() => app.seat.takeOver()}>${say("request.take_over")}</button></div>`;
    case "sending":
      return html`<div class="standing" role="status"><p>${say("request.sending", { words: said() })}</p></div>`;
    case "unsent":
      return html`<div class="standing bad" role="alert"><p>${say("request.unsent", { words: said() })}</p></div>`;
    case "ended":
      return html`<div class="standing" role="status"><p>${ended(app, sitting)}</p>
        <button class="big" @click=${() => app.go("board")}>${say("nav.board")}</button></div>`;
    case "opening":
      return html`<div class="standing"><p>${say(sitting.note === "silent" ? "error.silent" : "request.opening")}</p></div>`;
    default:
      return mine(app, sitting, summary);
  }
}

function mine(app, sitting, summary) {
  if (summary.pendingLabel) {
    const values = { person: summary.pendingBy, label: app.word(summary.pendingLabel, summary.family) };
    return html`<div class="standing warn"><p>${say("board.pending", values)}</p></div>`;
  }
  if (summary.disputed) return html`<div class="standing warn"><p>${say("board.disputed")}</p></div>`;
  if (summary.firstOpinionBy) {
    return html`<div class="standing warn"><p>${say("board.second", { person: summary.firstOpinionBy })}</p></div>`;
  }
  const least = seconds(sitting.evidence.viewAtLeast);
  if (!sitting.evidence.viewEnforced || least <= 0) return nothing;
  // When the time has passed it keeps its place, or the answers would move under a finger.
  const passed = Date.now() - sitting.shownMs >= least * 1000;
  return html`<div class=${passed ? "standing passed" : "standing"}>
    <p>${say("request.look_at_least", { least: Math.round(least) })}</p></div>`;
}

/** In a flood one answer is for all of a cause: it says for whom, and can be for one. */
function cause(app, sitting) {
  if (sitting.phase !== "mine" || sitting.group.length < 2) return nothing;
  const cell = named(sitting.evidence.summary.cellId);
  const cells = sitting.group.map((one) => named(one.cell)).join(", ");
  const values = { cell, cells, count: sitting.group.length - 1 };
  return html`<div class="standing cause" role="status">
    <p>${say(sitting.alone ? "cause.for_one" : "cause.for_all", values)}</p>
    <button class="big" aria-pressed=${sitting.alone ? "true" : "false"}
      @click=${() => app.seat.onlyThis()}>${say("cause.only", values)}</button></div>`;
}

function ended(app, sitting) {
  const request = sitting.ended;
  if (!request) return sitting.note || say("ended.unspecified");
  return say(`ended.${app.outcome(request.outcome)}`, {
    person: request.answeredBy, label: app.word(request.label, request.family),
  });
}

/** The plausible answers; a blind question shows them in the order of the family. */
function answers(app, sitting) {
  const { evidence } = sitting;
  const hidden = evidence.blind && !sitting.revealed;
  const byName = new Map(evidence.labels.map((one) => [one.name, one]));
  const order = evidence.labels.map((one) => one.name);
  const offered = evidence.choices.slice(0, 4);
  if (hidden) offered.sort((a, b) => order.indexOf(a.label) - order.indexOf(b.label));
  const others = evidence.labels.length - offered.length;
  const open = sitting.phase === "mine";
  const tap = (label) => choose(app, sitting, label);
  return html`<div class="answers ${sitting.group.length > 1 ? "tight" : ""}">
    ${offered.map((one) => answerButton(app, {
      label: byName.get(one.label), family: evidence.summary.family, tap, open,
      share: hidden ? 0 : one.probability,
    }))}
    </div><div class="more">
      <button class="big quiet" ?disabled=${!open} @click=${() => tap("")}>
        ${say("request.cannot_tell")}<small>${say("request.goes_up")}</small></button>
      ${others > 0 ? html`<button class="big quiet" ?disabled=${!open}
        @click=${() => app.openSheet("labels")}>${say("request.other", { count: others })}</button>` : nothing}
      ${evidence.summary.arrivedAt
        ? html`<p class="arrived">${say("request.arrived", { person: evidence.summary.arrivedBy })}</p>`
        : html`<button class="big quiet" ?disabled=${sitting.phase === "ended"}
            @click=${() => app.answering.arrive()}>${say("request.arrive")}</button>`}
      ${app.calls.has("OperatorService", "Skip") ? html`<button class="big quiet" ?disabled=${!open}
        @click=${() => app.answering.skip()}>${say("request.skip")}</button>` : nothing}
    </div>`;
}

/** Answers; a blind question first shows what the model had thought. */
export function choose(app, sitting, label) {
  const { evidence } = sitting;
  if (evidence.blind && !sitting.revealed && label && evidence.summary.guess) {
    app.openSheet("reveal", { first: label });
    return;
  }
  app.answering.answer(label);
}

/** One answer: what it is, what the robot does then, and how much the model believes it. */
export function answerButton(app, { label, family, tap, open, share }) {
  if (!label) return nothing;
  const action = app.action(label.action);
  return html`<button class="answer a-${action}" ?disabled=${!open} @click=${() => tap(label.name)}>
    <b>${labelled(label, family)}</b>
    <span class="does">${shape(ACTION_SHAPES[action])}${say(`action.${action}`)}</span>
    ${share > 0 ? html`<span class="belief">${bar(share)}<span>${percent(share)}</span></span>` : nothing}
  </button>`;
}
