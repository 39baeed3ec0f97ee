// Every cell with its lamp, and what waits for a person: most urgent first.

import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { ago, bar, countdown, lampOf, percent, shape } from "../look.js";
import { audits, cards, questions } from "../picture.js";
import { named, say } from "../say.js";

const URGENT_SHARE = 0.25;

export function boardScreen(app) {
  if (!app.picture.coordinator) {
    return html`<h1>${say("board.title")}</h1><p class="board-unknown">${say("board.unknown")}</p>`;
  }
  const waiting = questions(app.picture);
  const stack = cards(app.picture, app.who.person, app.answering.apart);
  const checks = audits(app.picture);
  const cells = [...app.picture.cells.values()];
  return html`<h1 class="unseen">${say("board.title")}</h1>
    <div class="board">
      <section class="queue" aria-labelledby="queue-title">
        <h2 id="queue-title">${say("board.questions")} <b>${waiting.length}</b></h2>
        ${waiting.length
          ? html`<ul>${repeat(stack, ({ one }) => one.requestId, ({ one, all }) => row(app, one, all))}</ul>`
          : html`<p class="calm">${shape("working")} ${say("board.none")}</p>`}
        ${app.picture.presence.nobody ? html`<p class="note">${say("people.nobody")}</p>` : nothing}
        ${checks.length
          ? html`<button class="big quiet" @click=${() => app.openSheet("audits")}>
              ${say("board.audits", { count: checks.length })}</button>`
          : nothing}
      </section>
      <section class="cells" aria-labelledby="cells-title">
        <h2 id="cells-title">${say("board.cells")} <b>${cells.length}</b></h2>
        <ul>${repeat(cells, (cell) => cell.cellId, (cell) => tile(app, cell))}</ul>
      </section>
    </div>`;
}

/** One open question, or all of one cause, as a button; the clock is the nearest one. */
export function row(app, one, all = [one]) {
  const next = all.reduce((a, b) => (b.deadlineMs < a.deadlineMs ? b : a));
  const left = (next.deadlineMs - Date.now()) / 1000;
  const share = next.allowedS > 0 ? left / next.allowedS : 0;
  const urgent = all.some((each) => each.warned) || share < URGENT_SHARE;
  const many = all.length > 1;
  const cells = all.map((each) => named(each.cellId)).sort().join(", ");
  return html`<li><button class="question ${urgent ? "urgent" : ""}"
      @click=${() => app.openRequest(one.requestId, many)}>
    <span class="lamp-box">${shape("asking")}</span>
    <span class="what">
      <b class="name">${many
        ? say("board.cause", { cell: named(all[0].cellId), count: all.length - 1 }) : named(one.cellId)}</b>
      <span class="about">${many ? cells : about(one)}</span>
      <span class="state">${standing(app, one)}</span>
    </span>
    <span class="time"><b>${countdown(left)}</b>${bar(share, urgent ? "urgent" : "")}
      <span>${say(`timeout.${app.timeout(next.onTimeout)}.short`)}</span></span>
  </button></li>`;
}

/** What it is about. Not the guess of the model: that would answer before one looked. */
function about(one) {
  const part = one.partId ? say("board.part", { part: one.partId }) : say("request.cycle", { cycle: one.cycle });
  return one.groupSize > 1 ? `${part} · ${say("board.group", { count: one.groupSize })}` : part;
}

function standing(app, one) {
  if (one.pendingLabel) {
    return say("board.pending", {
      person: one.pendingBy, label: app.word(one.pendingLabel, one.family),
    });
  }
  if (one.disputed) return say("board.disputed");
  if (one.firstOpinionBy) return say("board.second", { person: one.firstOpinionBy });
  if (one.claimedBy === app.who.person) return say("board.yours");
  if (one.claimedBy) return say("board.claimed", { person: one.claimedBy });
  return one.level > 0 ? say("board.level") : say("board.free");
}

function tile(app, cell) {
  const state = lampOf(cell, app.state);
  const since = ago((Date.now() - cell.sinceMs) / 1000);
  const waits = cell.requestId && app.picture.requests.has(cell.requestId);
  const open = () => (waits ? app.openRequest(cell.requestId) : app.openSheet("cell", { cellId: cell.cellId }));
  return html`<li><button class="cell s-${state}" @click=${open}>
    <span class="band">${shape(state)}<span>${say(`state.${state}`)}</span></span>
    <b class="name">${named(cell.cellId)}</b>
    <span class="why">${why(app, cell)}</span>
    <span class="since"><span>${say("board.since", { since })}${cell.partId ? " ·" : ""}</span>${cell.partId
      ? html` <span>${say("board.part", { part: cell.partId })}</span>` : nothing}</span>
  </button></li>`;
}

/** What a cell waits for, in the fewest words. */
export function why(app, cell) {
  const state = app.state(cell.state);
  if (cell.holdUnconfirmed) return say("hold.unconfirmed_short");
  if (state === "held") return say(`reason.${app.reason(cell.reason)}`);
  if (state === "asking") return say("board.waits_for_you");
  if (cell.monitorOnly) return say("board.monitor_only");
  const all = Number(cell.acted + cell.asked + cell.held);
  if (!all) return "";
  return say("board.alone", { share: percent(Number(cell.acted) / all) });
}
