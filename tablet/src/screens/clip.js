// The full-rate recording in place of the window: touch a line to read it at that moment.

import { html, nothing } from "lit-html";
import { bar, number } from "../look.js";
import { clipDrawn } from "../parts/clip_trace.js";
import { envelopes, limits, valueAt } from "../clip/view.js";
import { named, say } from "../say.js";

const A_PAGE = 3;
const CLOSER = 0.5;
const COARSE = 64; // columns that are enough for the limits in words

/** Opens the recording of what is shown; words where there is none. */
export function clipButton(app, clipId) {
  if (!app.calls.has("OperatorService", "GetClip")) return nothing;
  return clipId
    ? html`<button class="quiet" @click=${() => app.clips.open(clipId)}>${say("clip.open")}</button>`
    : html`<span class="no-clip">${say("clip.none")}</span>`;
}

/** A recording that is here, is coming, or could not. */
export function clipView(app, evidence) {
  const { shown } = app.clips;
  const shut = () => { app.clips.close(); app.paint(); };
  const back = html`<button class="big" @click=${shut}>${say("clip.close")}</button>`;
  if (!shown.clip) {
    const share = shown.ofBytes ? shown.bytes / shown.ofBytes : 0;
    return html`<div class="clip waiting"><p role="status">${shown.note || say("clip.coming", {
      here: megabytes(shown.bytes), whole: megabytes(shown.ofBytes),
    })}</p>${shown.note ? html`<button class="big" @click=${() => app.clips.open(shown.clipId)}>
      ${say("teach.again")}</button>` : bar(share)}${back}</div>`;
  }
  const { clip, view } = shown;
  const lines = ranked(clip, evidence);
  const pages = Math.max(1, Math.ceil(lines.length / A_PAGE));
  const page = Math.min(app.clips.page, pages - 1);
  const turn = (by) => { app.clips.page = (page + by + pages) % pages; app.paint(); };
  return html`<div class="clip">
    <p class="facts">${facts(clip)}</p>
    <div class="traces">${lines.slice(page * A_PAGE, (page + 1) * A_PAGE).map((one) => line(app, one, evidence))}</div>
    <label class="scrub"><span>${say("clip.moment", { at: moment(view.atS) })}</span>
      <input type="range" min=${view.firstS} max=${view.lastS} step="any" .value=${String(view.atS)}
        aria-valuetext=${say("clip.moment", { at: moment(view.atS) })}
        @keydown=${(event) => step(app, event)} @input=${(event) => app.clips.move(Number(event.target.value))}></label>
    <div class="clip-keys">
      ${pages > 1 ? html`<button class="quiet" @click=${() => turn(1)}>
        ${say("clip.more", { page: page + 1, pages })} ›</button>` : nothing}
      <button class="quiet" @click=${() => app.clips.zoom(CLOSER)}>${say("clip.closer")}</button>
      <button class="quiet" @click=${() => app.clips.zoom(1 / CLOSER)}>${say("clip.wider")}</button>
      ${back}</div>
  </div>`;
}

/** Arrow keys go by a twentieth of what is in sight: the range alone would jump. */
function step(app, event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const { view } = app.clips.shown;
  app.clips.move(view.atS + (by * (view.toS - view.fromS)) / 20);
}

/** The channels, the most telling first; whatever is a number when none is known. */
function ranked(clip, evidence) {
  const places = new Map((evidence.traces ?? []).map((one, place) => [one.channel.name, place]));
  const of = (trace) => places.get(trace.name) ?? places.size;
  const channels = clip.traces.filter((one) => one.channel);
  return (channels.length ? channels : [...clip.traces]).sort((a, b) => of(a) - of(b));
}

function line(app, trace, evidence) {
  const { clip, view } = app.clips.shown;
  const name = named(trace.name, evidence.summary.family);
  const inSight = limits(envelopes(trace, view, COARSE));
  const range = inSight
    ? `${number(inSight[0])} … ${number(inSight[1])} ${trace.unit}` : say("clip.nothing");
  const value = valueAt(trace, view.atS);
  const now = Number.isFinite(value) ? `${number(value)} ${trace.unit}` : say("clip.nothing");
  return html`<figure class="trace">
    <figcaption><b>${name}</b><span>${range}</span><span class="mark">${now}</span></figcaption>
    <div><canvas role="img" class="touched" aria-label="${name}: ${range}; ${moment(view.atS)}: ${now}"
      ${clipDrawn(trace, view, clip, (atS) => app.clips.move(atS))}></canvas></div>
  </figure>`;
}

function facts(clip) {
  const said = [say("clip.facts", {
    seconds: (clip.lastS - clip.firstS).toFixed(1), before: (-clip.windowS).toFixed(1),
  })];
  if (clip.marks.length) {
    const marks = clip.marks.slice(0, 6).map((one) => `${one.text} ${moment(one.atS)}`).join(", ");
    said.push(say("clip.said", { marks }));
  }
  if (!clip.whole) said.push(say("clip.not_whole"));
  for (const { topic, count } of clip.undrawn.slice(0, 3)) said.push(say("clip.undrawn", { topic, count }));
  return said.join(" ");
}

function moment(atS) {
  return `${atS < -0.005 ? "-" : ""}${Math.abs(atS).toFixed(2)} s`;
}

function megabytes(bytes) {
  return bytes ? (bytes / 1e6).toFixed(1) : "…";
}
