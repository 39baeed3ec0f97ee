// Who are you: a name with one tap, and a PIN where the plant has accounts.

import { html, nothing } from "lit-html";
import { focusOnce } from "../parts/focus.js";
import { shape } from "../look.js";
import { say } from "../say.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const LONGEST_PIN = 32;

export function loginScreen(app) {
  const { login } = app.door;
  const { who } = app;
  const chosen = login.person !== "";
  return html`<div class="login">
    <h1 tabindex="-1" ${focusOnce(chosen ? "pin" : "name")}>${chosen && who.accounts
      ? say("login.hello", { person: shownName(app, login.person) }) : say("login.who")}</h1>
    ${login.note ? html`<p class="standing bad" role="alert">${login.note}</p>` : nothing}
    ${who.locked ? html`<p class="note">${say("login.locked")}</p>` : nothing}
    ${chosen && who.accounts ? pad(app) : names(app)}
    ${who.accounts ? nothing : html`<p class="note">${say("login.unverified")}</p>`}
  </div>`;
}

function shownName(app, person) {
  return app.door.names.find((one) => one.person === person)?.shown || person;
}

function names(app) {
  const choose = (person) => app.door.choose(person);
  const typed = (event) => {
    event.preventDefault();
    const person = event.target.elements.person.value.trim();
    if (person) choose(person);
  };
  return html`<div class="names">${app.door.names.map((one) => html`
      <button class="big" @click=${() => choose(one.person)}>${one.shown || one.person}</button>`)}</div>
    <form class="other" @submit=${typed}>
      <label for="person">${say("login.name")}</label>
      <input id="person" name="person" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="63">
      <button class="big primary">${say("login.next")}</button>
    </form>`;
}

function pad(app) {
  const { login } = app.door;
  const press = (digit) => {
    app.door.login = { ...login, pin: (login.pin + digit).slice(0, LONGEST_PIN), note: "" };
    app.paint();
  };
  const wipe = () => { app.door.login = { ...login, pin: login.pin.slice(0, -1) }; app.paint(); };
  const enter = () => app.door.enter(login.person, login.pin);
  const keys = (event) => {
    if (/^[0-9]$/.test(event.key)) press(event.key);
    else if (event.key === "Backspace") wipe();
  };
  return html`<div class="pad" @keydown=${keys}>
    <p class="dots" role="status" aria-label=${say("login.digits", { count: login.pin.length })}>
      ${Array.from(login.pin, () => shape("working"))}</p>
    <div class="keys" role="group" aria-label=${say("login.pin")}>
      ${KEYS.map((digit) => html`<button @click=${() => press(digit)}>${digit}</button>`)}
      <button class="word" @click=${wipe} ?disabled=${!login.pin}>${say("login.wipe")}</button>
      <button @click=${() => press("0")}>0</button>
      <button class="word primary" @click=${enter} ?disabled=${!login.pin || login.busy}>${say("login.enter")}</button>
    </div>
    <button class="big quiet" @click=${() => app.door.choose("")}>${say("login.somebody_else")}</button>
  </div>`;
}
