// Starts the page: the contract, who is here, the first picture.

import { html, render } from "lit-html";
import { App } from "./app.js";
import { Calls } from "./calls.js";
import { readContract } from "./contract.js";
import { frame } from "./screens/frame.js";
import { say, speak } from "./say.js";
import { keepFiles } from "./trusted.js";
import { Who } from "./who.js";

const AGAIN_MS = 2000;
const root = document.getElementById("andon");

speak(localStorage.getItem("andon.language") ?? navigator.language.slice(0, 2));
document.documentElement.dataset.theme = localStorage.getItem("andon.theme") ?? "day";

if (window.isSecureContext && "serviceWorker" in navigator) {
  keepFiles().catch(() => {}); // without it the page works, and cannot be opened offline
}

async function contract() {
  for (;;) {
    try {
      return await readContract();
    } catch {
      render(html`<p class="starting" role="status">${say("link.starting")}</p>`, root);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

const registry = await contract();
const who = new Who();
const calls = new Calls(registry, () => who.token);
let waiting = false;
const app = new App(registry, calls, who, () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    render(frame(app), root);
    app.still.look(Date.now());
  });
});
for (const kind of ["pointerdown", "keydown"]) {
  window.addEventListener(kind, () => who.touch(), { passive: true, capture: true });
}
window.addEventListener("storage", () => app.outbox.read());
window.addEventListener("online", () => app.link.again());
window.addEventListener("resize", () => app.paint());
app.paint();
app.run();
