// Reads a recording beside the page: thousands of messages must not hold up a tap.

import { readClip } from "./read.js";

self.addEventListener("message", async ({ data }) => {
  try {
    const clip = await readClip(new Uint8Array(data));
    const parts = clip.traces.flatMap((one) => [one.times.buffer, one.values.buffer]);
    self.postMessage({ clip }, [...new Set(parts)]);
  } catch (error) {
    self.postMessage({ why: String(error?.message ?? error).slice(0, 120) });
  }
});
