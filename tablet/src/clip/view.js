// A stretch of a recording, the moment under the finger, and its lines on a canvas.

import { heights, sheetOf, through, upright } from "../sheet.js";

const LEAST_S = 0.02; // shortest stretch that is shown: 10 samples at 500 Hz

/** All of a recording, with the finger at the moment that was unclear. */
export function viewOf(clip) {
  const lastS = Math.max(clip.lastS, clip.firstS + LEAST_S);
  return { fromS: clip.firstS, toS: lastS, firstS: clip.firstS, lastS, atS: Math.min(0, lastS) };
}

/** So much of the stretch around the finger: below 1 closer, above 1 wider. */
export function zoomed(view, factor) {
  const span = Math.min(Math.max((view.toS - view.fromS) * factor, LEAST_S), view.lastS - view.firstS);
  const share = (view.atS - view.fromS) / (view.toS - view.fromS);
  return stretch(view, view.atS - share * span, span);
}

/** The finger at another moment; the stretch follows it. */
export function moved(view, atS) {
  const at = Math.min(Math.max(atS, view.firstS), view.lastS);
  const span = view.toS - view.fromS;
  const fromS = Math.min(Math.max(view.fromS, at - span), at);
  return { ...stretch(view, fromS, span), atS: at };
}

function stretch(view, fromS, span) {
  const from = Math.min(Math.max(fromS, view.firstS), view.lastS - span);
  return { ...view, fromS: from, toS: from + span };
}

/** The place of the first sample at or after a moment. */
function placeOf(times, atS) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < atS) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The measured value nearest to a moment; NaN in a gap. */
export function valueAt(trace, atS) {
  const after = placeOf(trace.times, atS);
  const near = [after - 1, after].filter((place) => place >= 0 && place < trace.times.length)
    .sort((a, b) => Math.abs(trace.times[a] - atS) - Math.abs(trace.times[b] - atS))[0];
  const far = near === undefined || Math.abs(trace.times[near] - atS) > Math.max(trace.gapS, 1e-9);
  return far ? NaN : trace.values[near];
}

/** [least, greatest] in each of so many columns; null where nothing was measured. */
export function envelopes(trace, { fromS, toS }, columns) {
  const { times, values, gapS } = trace;
  const found = [];
  let place = placeOf(times, fromS);
  for (let column = 0; column < columns; column += 1) {
    const endS = fromS + ((toS - fromS) * (column + 1)) / columns;
    let low = Infinity;
    let high = -Infinity;
    const begin = place;
    for (; place < times.length && times[place] < endS; place += 1) {
      low = values[place] < low ? values[place] : low;
      high = values[place] > high ? values[place] : high;
    }
    if (low <= high) {
      found.push([low, high]);
    } else if (place === begin && place > 0 && place < times.length && times[place] - times[place - 1] <= gapS) {
      const share = (endS - times[place - 1]) / (times[place] - times[place - 1]);
      const value = values[place - 1] + share * (values[place] - values[place - 1]);
      found.push(Number.isFinite(value) ? [value, value] : null);
    } else {
      found.push(null);
    }
  }
  return found;
}

/** [least, greatest] of what is in sight; null when there is nothing. */
export function limits(pairs) {
  let low = Infinity;
  let high = -Infinity;
  for (const pair of pairs) {
    if (!pair) continue;
    low = Math.min(low, pair[0]);
    high = Math.max(high, pair[1]);
  }
  return low <= high ? [low, high] : null;
}

/**
 * Draws one line: every column from its least to its greatest value, so that a spike of
 * one sample is seen however far away one looks.
 */
export function drawClip(canvas, trace, view, { windowS, marks }) {
  const sheet = sheetOf(canvas);
  if (!sheet) return;
  const { pen, width, height, color } = sheet;
  const x = (atS) => ((atS - view.fromS) / (view.toS - view.fromS)) * width;

  pen.fillStyle = color("--suspect");
  pen.fillRect(x(windowS), 0, Math.max(2, x(0) - x(windowS)), height);
  for (const edge of [windowS, 0]) upright(sheet, x(edge), color("--suspect-edge"), 2, [6, 4]);
  for (const mark of marks) upright(sheet, x(mark.atS), color("--behind"), 2, [2, 5]);

  const pairs = envelopes(trace, view, Math.max(1, Math.floor(width)));
  const y = heights(sheet, ...(limits(pairs) ?? [0, 0]));
  const places = pairs.map((pair, column) => pair && [
    [column + 0.5, y(pair[0])],
    [column + 0.5, y(pair[1]) - (pair[0] === pair[1] ? 0.01 : 0)],
  ]);
  through(sheet, places, color("--trace"), 2);
  upright(sheet, x(view.atS), color("--calm"), 3);
}
