// What lies over a screen: hold, a cell, further labels, the guess, audits, the menu.
// The hold button stays free below.

import { html, nothing } from "lit-html";
import { ago, lampOf, percent, shape } from "../look.js";
import { focusOnce } from "../parts/focus.js";
import { audits } from "../picture.js";
import { LANGUAGES, named, say, sentence, spoken } from "../say.js";
import { row, why } from "./board.js";
import { answerButton, choose } from "./request.js";

const THEMES = ["day", "night", "sun"];
const DISPOSITIONS = { unspecified: 0, continue: 1, rework: 2, reject: 3 };

export function sheetOver(app) {
  const draw = { hold, cell, labels, reveal, audits: checks, menu }[app.sheet.kind];
  const shut = (event) => { if (event.key === "Escape") app.closeSheet(); };
  return html`<div class="veil" @click=${() => app.closeSheet()}></div>
    <div class="sheet" role="dialog" aria-labelledby="sheet-title" @keydown=${shut}>
      <div class="inside">${draw(app)}</div>
      <button class="big quiet close" @click=${() => app.closeSheet()}>${say("close")}</button>
    </div>`;
}

function title(text, key) {
  return html`<h2 id="sheet-title" tabindex="-1" ${focusOnce(key)}>${text}</h2>`;
}

function hold(app) {
  const cells = [...app.picture.cells.values()];
  return html`${title(say("hold.which"), "hold")}
    <div class="grid">${cells.map((one) => html`<button class="big danger"
      @click=${() => app.cord.hold(one.cellId)}>${shape("held")} ${named(one.cellId)}</button>`)}
      <button class="big danger all" @click=${() => app.cord.hold("")}>${shape("held")} ${say("hold.every")}</button>
    </div><p class="note">${say("hold.not_safety")}</p>`;
}

function cell(app) {
  const one = app.picture.cells.get(app.sheet.cellId);
  if (!one) return title(say("request.gone"), "gone");
  const state = lampOf(one, app.state);
  const held = app.state(one.state) === "held";
  // What the coordinator says is about this hold, our words about any: in English once.
  const once = held && one.text && !one.holdUnconfirmed && spoken() === "en";
  return html`${title(named(one.cellId), `cell ${one.cellId}`)}
    <p class="lamp-line s-${state}"><span class="band">${shape(state)} ${say(`state.${state}`)}</span>
      <span>${say("board.since", { since: ago((Date.now() - one.sinceMs) / 1000) })}</span></p>
    <p class="why">${once ? sentence(one.text) : why(app, one)}</p>
    ${one.text && !once ? html`<p class="said" lang="en">${sentence(one.text)}</p>` : nothing}
    ${held ? html`<h3>${say("release.title")}</h3><p>${say("release.look")}</p>
      <div class="grid wide">${Object.entries(DISPOSITIONS).map(([name, number]) => html`
        <button class="big" ?disabled=${app.sheet.busy} @click=${() => app.cord.release(one, number)}>
          ${say(`release.${name}`, { part: one.partId || say("release.the_part") })}</button>`)}
      </div>` : html`<button class="big danger" @click=${() => app.cord.hold(one.cellId)}>
        ${shape("held")} ${say("hold.this", { cell: named(one.cellId) })}</button>`}`;
}

function labels(app) {
  const { sitting } = app.seat;
  if (!sitting?.evidence) return title(say("request.gone"), "gone");
  const { evidence } = sitting;
  const offered = new Set(evidence.choices.map((one) => one.label));
  const hidden = evidence.blind && !sitting.revealed;
  const shares = new Map();
  const prediction = evidence.verdict?.prediction;
  prediction?.labels.forEach((name, at) => shares.set(name, prediction.probabilities[at]));
  return html`${title(say("request.which"), "labels")}
    <div class="answers">${evidence.labels.filter((one) => !offered.has(one.name)).map((label) =>
      answerButton(app, {
        label, family: evidence.summary.family, open: sitting.phase === "mine",
        share: hidden ? 0 : shares.get(label.name) ?? 0,
        tap: (name) => choose(app, sitting, name),
      }))}</div>`;
}

/** After the first tap of a blind question: the guess, and keep or change. */
function reveal(app) {
  const { evidence } = app.seat.sitting ?? {};
  if (!evidence) return title(say("request.gone"), "gone");
  const { first } = app.sheet;
  const { family, guess } = evidence.summary;
  const more = { extra: { firstLabel: first } };
  const values = {
    first: app.word(first, family),
    guess: app.word(guess, family),
    share: percent(evidence.verdict?.prediction?.confidence ?? NaN),
  };
  const same = first === guess;
  return html`${title(say(same ? "reveal.same" : "reveal.other", values), `reveal ${first}`)}
    <p>${say("reveal.yours", values)}</p>
    <div class="grid">
      <button class="big primary" @click=${() => app.answering.answer(first, more)}>${say("reveal.keep", values)}</button>
      ${same ? nothing : html`<button class="big" @click=${() => app.answering.answer(guess, more)}>
        ${say("reveal.change", values)}</button>`}
      <button class="big quiet" @click=${() => app.answering.reveal(first)}>${say("reveal.another")}</button>
    </div>`;
}

function checks(app) {
  return html`${title(say("board.audits_title"), "audits")}<p>${say("board.audits_why")}</p>
    <ul class="queue">${audits(app.picture).slice(0, 20).map((one) => row(app, one))}</ul>`;
}

function menu(app) {
  const { who } = app;
  const chosen = (is) => (is ? "true" : "false");
  return html`${title(say("menu.title"), "menu")}
    <h3>${say("menu.language")}</h3><div class="grid">${LANGUAGES.map((one) => html`
      <button class="big" lang=${one} aria-pressed=${chosen(spoken() === one)}
        @click=${() => app.setLanguage(one)}>${say(`language.${one}`)}</button>`)}</div>
    <h3>${say("menu.light")}</h3><div class="grid">${THEMES.map((one) => html`
      <button class="big" aria-pressed=${chosen(document.documentElement.dataset.theme === one)}
        @click=${() => app.setTheme(one)}>${say(`theme.${one}`)}</button>`)}</div>
    ${who.present ? html`<button class="big" @click=${() => app.door.switchPerson()}>
      ${say("menu.leave", { person: who.shown || who.person })}</button>` : nothing}
    <p class="note">${say("menu.device", { device: who.device })}<br>
      <span translate="no">${app.picture.coordinator}</span><br>
      ${say(window.isSecureContext ? "menu.installable" : "menu.not_installable")}</p>`;
}
