// The channels of a window on a canvas: the suspicious part is shaded, marked and worded.

import { number } from "./look.js";
import { heights, sheetOf, through, upright } from "./sheet.js";

/** Values of one column of a window, NaN where nothing was measured. */
export function column(window, index) {
  const samples = new DataView(
    window.samples.buffer, window.samples.byteOffset, window.samples.byteLength,
  );
  const absent = window.present.length > 0 && window.present[index] === 0;
  return Float32Array.from({ length: window.rows }, (_, row) =>
    absent ? NaN : samples.getFloat32(4 * (row * window.channels + index), true),
  );
}

/** Every channel of a window with its weight, most telling first. */
export function tracesOf(evidence) {
  const weights = new Map(evidence.weights.map((one) => [one.channel, one]));
  const all = evidence.channels.map((channel, index) => {
    const weight = weights.get(channel.name);
    return {
      channel,
      weight: weight?.weight ?? 0,
      first: weight ? weight.firstRow : 0,
      last: weight ? weight.lastRow : -1,
      against: weight?.against ?? false,
      index,
    };
  });
  return all.sort((a, b) => b.weight - a.weight || a.index - b.index);
}

/** The least and greatest finite value. */
export function span(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (Number.isFinite(value)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? [low, high] : [0, 0];
}

/**
 * Draws one trace.
 * @param canvas where
 * @param values one a row
 * @param about first and last row that stand out; the values of an example behind it
 */
export function draw(canvas, values, { first = 0, last = -1, behind = null } = {}) {
  const sheet = sheetOf(canvas);
  if (!sheet) return;
  const { pen, width, height, color } = sheet;
  const x = (row, rows) => (row / Math.max(1, rows - 1)) * width;
  const y = heights(sheet, ...span(behind ? [...values, ...behind] : values));

  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    upright(sheet, Math.round(part * (width - 1)) + 0.5, color("--grid"), 1);
  }
  if (last >= first) {
    const from = x(first, values.length);
    const to = Math.max(from + 4, x(last, values.length));
    pen.fillStyle = color("--suspect");
    pen.fillRect(from, 0, to - from, height);
    for (const edge of [from, to]) upright(sheet, edge, color("--suspect-edge"), 2, [6, 4]);
  }
  const line = (samples, stroke, thick) => {
    const places = Array.from(samples, (value, row) =>
      Number.isFinite(value) ? [[x(row, samples.length), y(value)]] : null);
    through(sheet, places, stroke, thick);
  };
  if (behind) line(behind, color("--behind"), 2);
  line(values, color("--trace"), 2.5);
}

/** The same picture in words. */
export function inWords(values, unit) {
  const [low, high] = span(values);
  return `${number(low)} … ${number(high)} ${unit}`;
}
