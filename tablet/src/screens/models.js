// What serves, what is being learned, and how good it was. Nothing is changed here.

import { html, nothing } from "lit-html";
import { bar, countdown, percent, shape } from "../look.js";
import { millis, seconds } from "../contract.js";
import { say, sentence, spoken } from "../say.js";

const SHAPES = {
  live: "working", candidate: "idle", validated: "idle", shadow: "deciding", armed: "asking",
  refused: "offline", rolled_back: "maintenance", retired: "idle",
};

export function modelsScreen(app) {
  const lists = app.models?.lists ?? [];
  return html`<div class="models"><h1>${say("nav.models")}</h1>
    ${app.models?.note ? html`<p class="standing bad" role="alert">${app.models.note}</p>` : nothing}
    ${[...app.picture.learning.values()].map((one) => learning(app, one,
      lists.find((list) => list.family === one.family)?.models ?? []))}
    <p class="note">${say("models.read_only")}</p></div>`;
}

function learning(app, one, models) {
  const left = seconds(one.timeLeft);
  return html`<section aria-labelledby="family-${one.family}">
    <h2 id="family-${one.family}">${one.family}</h2>
    <p class="gate g-${one.gate.toLowerCase()}"><b>${say(`gate.${one.gate}`)}</b>
      <span lang="en">${sentence(one.gateText)}</span></p>
    <p><b>${say(`phase.${one.phase}`)}</b>
      ${one.progress > 0 && one.progress < 1 ? html`${bar(one.progress)} ${percent(one.progress)}` : nothing}
      ${left > 0 ? html`· ${say("models.left", { left: countdown(left) })}` : nothing}
      ${one.untilTraining > 0n ? html`· ${say("models.until", { count: one.untilTraining })}` : nothing}
      · ${say("models.examples", { count: one.examples })}</p>
    <ul>${models.map((model) => entry(app, model))}</ul>
  </section>`;
}

function entry(app, model) {
  const state = app.modelState(model.state);
  const at = millis(model.trainedAt);
  const when = Number.isNaN(at) ? "" : new Date(at).toLocaleString(spoken(), {
    day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit",
  });
  return html`<li class="model m-${state}"><b class="version">${say("models.version", { version: model.version })}</b>
    <span class="lamp">${shape(SHAPES[state] ?? "idle")} ${say(`model.${state}`)}</span>
    <span>${when}</span><span>${say("models.examples", { count: model.examples })}</span>
    ${measure(model, "coverage")}${measure(model, "risk")}
    ${model.text ? html`<span class="text" lang="en">${sentence(model.text)}</span>` : nothing}</li>`;
}

function measure(model, name) {
  const value = model.metrics[name];
  return value === undefined ? nothing
    : html`<span>${say(`metric.${name}`)} <b>${percent(value)}</b></span>`;
}
