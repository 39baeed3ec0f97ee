// The recording that a person looks at: fetched, checked, read beside the page.

import { say } from "../say.js";
import { workerAt } from "../trusted.js";
import { moved, viewOf, zoomed } from "./view.js";

const SILENT_MS = 15_000; // nothing came for so long: it does not come
const READ_MS = 30_000;
const LARGEST_BYTES = 256 << 20;

/** Errors that say in words what is in the way. */
class InTheWay extends Error {}

export class ClipDesk {
  constructor(app) {
    this.app = app;
    this.shown = null; // {clipId, clip, view, bytes, ofBytes, note}
    this.page = 0;
  }

  /** Whether a clip is looked at in place of the window. */
  isOpen(clipId) {
    return this.shown !== null && this.shown.clipId === clipId;
  }

  /** Fetches a clip and shows it. */
  async open(clipId) {
    this.close();
    const control = new AbortController();
    const mine = { clipId, control, clip: null, view: null, bytes: 0, ofBytes: 0, note: "" };
    this.shown = mine;
    this.page = 0;
    this.app.paint();
    try {
      const content = await this.#fetch(mine);
      const clip = await read(content, control.signal);
      Object.assign(mine, { clip, view: viewOf(clip) });
    } catch (error) {
      if (control.signal.aborted && !mine.silent) return;
      mine.note = error instanceof InTheWay ? error.message
        : mine.silent ? say("error.silent") : this.app.sorry(error);
    }
    this.app.paint();
  }

  close() {
    this.shown?.control.abort();
    this.shown = null;
  }

  /** Puts the finger at a moment. */
  move(atS) {
    if (!this.shown?.view) return;
    this.shown.view = moved(this.shown.view, atS);
    this.app.paint();
  }

  zoom(factor) {
    if (!this.shown?.view) return;
    this.shown.view = zoomed(this.shown.view, factor);
    this.app.paint();
  }

  async #fetch(mine) {
    let timer = 0;
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => { mine.silent = true; mine.control.abort(); }, SILENT_MS);
    };
    const pieces = [];
    let digest = "";
    try {
      listen();
      const asked = { clipId: mine.clipId };
      for await (const piece of this.app.calls.watch("OperatorService", "GetClip", asked, mine.control.signal)) {
        listen();
        if (piece.clip) {
          mine.ofBytes = Number(piece.clip.bytes);
          digest = piece.clip.clipDigest;
        }
        mine.bytes += piece.chunk.length;
        if (mine.bytes > LARGEST_BYTES) throw new InTheWay(say("clip.too_large"));
        pieces.push(piece.chunk);
        this.app.paint();
      }
    } finally {
      clearTimeout(timer);
    }
    const content = await new Blob(pieces).arrayBuffer();
    if (await isAnother(content, digest)) throw new InTheWay(say("clip.damaged"));
    return content;
  }
}

/** Whether bytes are not those of a digest; where nothing can be computed they are taken. */
async function isAnother(content, digest) {
  if (!crypto.subtle || !digest) return false;
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("") !== digest;
}

/** Lets a worker read it; it is ended when it takes too long. */
function read(content, signal) {
  return new Promise((resolve, reject) => {
    const worker = workerAt("recording.js");
    const timer = setTimeout(() => end(() => reject(new InTheWay(say("clip.unreadable", { why: "" })))), READ_MS);
    const end = (then) => {
      clearTimeout(timer);
      worker.terminate();
      then();
    };
    signal.addEventListener("abort", () => end(() => reject(new Error("closed"))));
    worker.onmessage = ({ data }) => end(() => (data.clip ? resolve(data.clip)
      : reject(new InTheWay(say("clip.unreadable", { why: data.why })))));
    worker.onerror = () => end(() => reject(new InTheWay(say("clip.unreadable", { why: "" }))));
    worker.postMessage(content, [content]);
  });
}
