// What is always there: who, the link, the banners, and the hold button at its place.

import { html, nothing } from "lit-html";
import { ago, countdown, shape } from "../look.js";
import { named, say } from "../say.js";
import { boardScreen } from "./board.js";
import { loginScreen } from "./login.js";
import { modelsScreen } from "./models.js";
import { requestScreen } from "./request.js";
import { sheetOver } from "./sheets.js";
import { teachScreen } from "./teach.js";

const SCREENS = {
  board: boardScreen, request: requestScreen, teach: teachScreen, models: modelsScreen,
};
const TABS = ["board", "teach", "models"];

export function frame(app) {
  const inside = app.who.present;
  return html`
    <div class="app" data-screen=${inside ? app.screen : "login"}>
      <header class="top">
        <p class="news" role="status">${app.notice?.text}</p>
        ${app.notice ? nothing : html`<span class="brand" translate="no">andon</span>${linkLamp(app)}`}
        ${inside ? people(app) : nothing}
        <button class="plain gear" @click=${() => app.openSheet("menu")}>${say("menu.open")}</button>
      </header>
      ${banners(app)}
      <main ?inert=${app.sheet !== null}>
        ${inside ? SCREENS[app.screen](app) : loginScreen(app)}
      </main>
      ${app.sheet ? sheetOver(app) : nothing}
      ${dock(app, inside)}
      <p class="unseen" aria-live="polite">${app.spoken ?? ""}</p>
    </div>`;
}

function linkLamp(app) {
  return html`<span class="lamp ${app.connected ? "good" : "bad"}">
    ${shape(app.connected ? "working" : "offline")}
    ${say(app.connected ? "link.up" : "link.down")}</span>`;
}

function people(app) {
  const { presence } = app.picture;
  return html`
    ${app.notice ? nothing
      : html`<span class="present">${say("people.answering", { count: presence.answering })}</span>`}
    <button class="plain person" @click=${() => app.door.switchPerson()}>
      <b>${app.who.shown || app.who.person}</b><span>${say("people.switch")}</span>
    </button>`;
}

function banners(app) {
  return html`<div class="banners" role="alert">
    ${app.cord.failed
      ? banner("loud", app.cord.failed, () => { app.cord.failed = ""; app.paint(); })
      : nothing}
    ${!app.connected && app.why
      ? banner("bad", say("link.lost", { since: countdown((Date.now() - app.lostMs) / 1000) }))
      : nothing}
    ${unconfirmed(app)}
    ${app.outbox.unsent.filter((item) => waits(app, item)).map((item) => unsent(app, item))}
    ${app.outbox.refused.map((item) => refused(app, item))}
    ${app.who.present && app.screen === "board" && app.picture.presence.load?.flood
      ? banner("warn", flood(app.picture.presence.load))
      : nothing}
    ${app.troubles.map((text) => banner("bad", text, () => {
      app.troubles = app.troubles.filter((one) => one !== text);
      app.paint();
    }))}
  </div>`;
}

function flood(load) {
  const families = load.doubted.map((one) => named(one)).join(", ");
  return `${say("load.flood")} ${families ? say("load.doubted", { families }) : ""}`;
}

function banner(kind, text, dismiss = null, words = say("dismiss")) {
  return html`<div class="banner ${kind}"><p>${text}</p>${dismiss
    ? html`<button class="plain" @click=${dismiss}>${words}</button>` : nothing}</div>`;
}

/** An answer on its way is no news; one that has waited, or is somebody else's, is. */
function waits(app, item) {
  return !app.connected || item.person !== app.who.person || Date.now() - item.at > 2500;
}

function unsent(app, item) {
  const mine = item.person === app.who.person;
  const key = mine ? "unsent.mine" : "unsent.other";
  const text = say(key, {
    cell: named(item.cell), words: item.words, person: item.person, since: ago((Date.now() - item.at) / 1000),
  });
  return banner("warn", text, () => app.answering.drop(item), say("unsent.drop"));
}

function refused(app, item) {
  const text = say("unsent.refused", { cell: named(item.cell), words: item.words, why: item.refused });
  return banner("bad", text, () => { app.outbox.remove(item.key); app.paint(); });
}

function unconfirmed(app) {
  const cells = [...app.picture.cells.values()].filter((cell) => cell.holdUnconfirmed);
  if (!cells.length || !app.who.present) return nothing;
  return banner("loud", say("hold.unconfirmed", {
    cells: cells.map((cell) => named(cell.cellId)).join(", "),
  }));
}

function undoStrip(app) {
  const { undo } = app.answering;
  if (!undo) return nothing;
  const left = Math.max(0, Math.ceil((undo.untilMs - Date.now()) / 1000));
  return html`<div class="undo" role="status">
    <p>${say("undo.said", undo)}</p>
    <button class="big" ?disabled=${undo.busy} @click=${() => app.answering.takeBack()}>
      ${say("undo.take_back", { left })}</button></div>`;
}

function dock(app, inside) {
  const cell = app.cellInView;
  const pull = () => (cell ? app.cord.hold(cell) : app.openSheet("hold"));
  return html`<footer class="dock">
    <button class="hold" @click=${pull}>${shape("held")}<span>${cell
      ? say("hold.this", { cell: named(cell) }) : say("hold.choose")}</span></button>
    ${undoStrip(app)}
    ${inside ? html`<nav aria-label=${say("nav.label")}>
      ${TABS.filter((tab) => tab !== "teach" || app.teaching.served).map((tab) => html`
        <button class="tab" aria-current=${app.screen === tab ? "page" : nothing}
          @click=${() => app.go(tab)}>${say(`nav.${tab}`)}</button>`)}
    </nav>` : nothing}
  </footer>`;
}
