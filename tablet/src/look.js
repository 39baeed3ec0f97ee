// How things look: shapes, times and numbers. Colour is never the only sign.

import { html, svg } from "lit-html";
import { say } from "./say.js";

const SHAPES = {
  offline: svg`<path d="M7 7l18 18M25 7L7 25" fill="none" stroke="currentColor" stroke-width="5"/>`,
  idle: svg`<circle cx="16" cy="16" r="11" fill="none" stroke="currentColor" stroke-width="5"/>`,
  working: svg`<circle cx="16" cy="16" r="13" fill="currentColor"/>`,
  deciding: svg`<circle cx="16" cy="16" r="11" fill="none" stroke="currentColor" stroke-width="4"/>
    <path d="M16 5a11 11 0 0 1 0 22z" fill="currentColor"/>`,
  asking: svg`<path d="M16 2l15 27H1z" fill="currentColor"/>`,
  held: svg`<path d="M10 2h12l8 8v12l-8 8H10l-8-8V10z" fill="currentColor"/>`,
  maintenance: svg`<path d="M16 3l13 13-13 13L3 16z" fill="none" stroke="currentColor" stroke-width="5"/>`,
  unconfirmed: svg`<path d="M10 2h12l8 8v12l-8 8H10l-8-8V10z" fill="currentColor"/>
    <path d="M16 8v10M16 21v4" class="mark" fill="none" stroke-width="4"/>`,
};

/** The shape of a state; its word is written beside it. */
export function shape(state) {
  return html`<svg class="shape" viewBox="0 0 32 32" aria-hidden="true">${SHAPES[state]}</svg>`;
}

/** What a cell's lamp shows. */
export function lampOf(cell, stateWord) {
  return cell.holdUnconfirmed ? "unconfirmed" : stateWord(cell.state);
}

/** Time left as a clock shows it: "0:07", "2:30"; never below zero. */
export function countdown(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours) return `${hours}:${pad(minutes)}:${pad(whole % 60)}`;
  return `${minutes}:${pad(whole % 60)}`;
}

/** How long, in one unit. */
export function ago(seconds) {
  if (!(seconds >= 1)) return say("ago.now");
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${say(`ago.${unit}`)}`;
  }
  return `${Math.floor(seconds)} ${say("ago.s")}`;
}

export function percent(share) {
  return share >= 0 && share <= 1 ? `${Math.round(share * 100)} %` : "-";
}

/** A sample in few letters. */
export function number(value) {
  if (!Number.isFinite(value)) return "-";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 10000 || size < 0.001) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

/** A bar that is a picture only: the number stands beside it. */
export function bar(share, kind = "") {
  const width = Math.max(0, Math.min(1, share || 0)) * 100;
  return html`<svg class="bar ${kind}" viewBox="0 0 100 1" preserveAspectRatio="none"
    aria-hidden="true"><rect class="track" width="100" height="1"/><rect class="fill"
    width="${width}" height="1"/></svg>`;
}
