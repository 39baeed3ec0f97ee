// Label stored windows, one after the other. What the model or others say is not shown.

import { html, nothing } from "lit-html";
import { bar, percent } from "../look.js";
import { focusOnce } from "../parts/focus.js";
import { named, say } from "../say.js";
import { answerButton, felt } from "./request.js";

export function teachScreen(app) {
  const { teaching } = app;
  const { window } = teaching;
  return html`<div class="request teach">
    <div class="ask">
      <div class="who"><h1 tabindex="-1" ${focusOnce("teach")}>${say("nav.teach")}</h1>
        <p>${window ? html`${named(window.about.cellId)} · ${say("request.cycle", { cycle: window.about.cycle })}` : ""}</p></div>
      ${families(app)}
      ${progress(teaching.status)}
    </div>
    ${window ? html`
      <div class="evidence">${felt(app, window, window.clipId)}</div>
      <div class="deciding">${teaching.note ? note(teaching.note) : nothing}${labels(app, window)}</div>`
    : html`<div class="evidence empty"><p class="calm">${teaching.note || say(empty(teaching))}</p>
        ${teaching.note || teaching.status?.unread
          ? html`<button class="big" @click=${() => teaching.load()}>${say("teach.again")}</button>` : nothing}</div>
      <div class="deciding">${undo(teaching)}</div>`}
  </div>`;
}

function empty(teaching) {
  if (teaching.busy) return "request.opening";
  return teaching.status?.unread ? "teach.unread" : "teach.none";
}

function note(text) {
  return html`<p class="standing bad" role="alert">${text}</p>`;
}

function families(app) {
  const all = [...app.picture.families.keys()];
  if (all.length < 2) return nothing;
  return html`<div class="choice">${all.map((one) => html`<button
    aria-pressed=${app.teaching.family === one ? "true" : "false"}
    @click=${() => app.teaching.choose(one)}>${named(one)}</button>`)}</div>`;
}

function progress(status) {
  if (!status) return nothing;
  const done = Number(status.taught);
  const left = status.left + status.second;
  const share = done / Math.max(1, done + left);
  return html`<div class="deadline"><b>${say("teach.left", { count: left })}</b>${bar(share)}
    <p>${say("teach.taught", { count: done })}${status.percent === undefined ? nothing
      : html` · ${say("teach.agree", { share: percent(status.percent) })}`}${status.people.length > 1
      ? html` · ${say("teach.people", { count: status.people.length })}` : nothing}</p></div>`;
}

/** Every label in its fixed order: a hand learns where they are. */
function labels(app, window) {
  const { teaching } = app;
  const open = !teaching.busy;
  return html`<div class="answers all">${teaching.labels.map((label) => answerButton(app, {
      label, family: window.summary.family, open, share: 0, tap: (name) => teaching.teach(name),
    }))}</div>
    <div class="more">
      <button class="big quiet" ?disabled=${!open} @click=${() => teaching.teach("")}>${say("request.cannot_tell")}</button>
      <button class="big quiet" ?disabled=${!open} @click=${() => teaching.pass()}>${say("request.skip")}</button>
      ${undo(teaching)}
    </div>`;
}

function undo(teaching) {
  if (!teaching.last) return nothing;
  return html`<button class="big" ?disabled=${teaching.busy} @click=${() => teaching.undo()}>
    ${say("teach.undo")}</button>`;
}
