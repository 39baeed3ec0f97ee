// The channels of a window on a canvas: the suspicious part is shaded, marked and worded.

import { number } from "./look.js";

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
  const box = canvas.getBoundingClientRect();
  if (!box.width || !box.height) return;
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(box.width * scale);
  canvas.height = Math.round(box.height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const color = (name) => style.getPropertyValue(name).trim();
  const [low, high] = span(behind ? [...values, ...behind] : values);
  const gap = 7;
  const x = (row, rows) => (row / Math.max(1, rows - 1)) * box.width;
  const y = (value) =>
    high > low ? box.height - gap - ((value - low) / (high - low)) * (box.height - 2 * gap)
      : box.height / 2;

  pen.strokeStyle = color("--grid");
  pen.lineWidth = 1;
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const at = Math.round(part * (box.width - 1)) + 0.5;
    pen.beginPath();
    pen.moveTo(at, 0);
    pen.lineTo(at, box.height);
    pen.stroke();
  }
  if (last >= first) {
    const from = x(first, values.length);
    const to = Math.max(from + 4, x(last, values.length));
    pen.fillStyle = color("--suspect");
    pen.fillRect(from, 0, to - from, box.height);
    pen.strokeStyle = color("--suspect-edge");
    pen.lineWidth = 2;
    pen.setLineDash([6, 4]);
    for (const edge of [from, to]) {
      pen.beginPath();
      pen.moveTo(edge, 0);
      pen.lineTo(edge, box.height);
      pen.stroke();
    }
    pen.setLineDash([]);
  }
  const line = (samples, stroke, width) => {
    pen.strokeStyle = stroke;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.beginPath();
    let down = false;
    samples.forEach((value, row) => {
      if (!Number.isFinite(value)) {
        down = false; // a gap stays a gap: nothing is drawn that was not measured
        return;
      }
      if (down) pen.lineTo(x(row, samples.length), y(value));
      else pen.moveTo(x(row, samples.length), y(value));
      down = true;
    });
    pen.stroke();
  };
  if (behind) line(behind, color("--behind"), 2);
  line(values, color("--trace"), 2.5);
}

/** The same picture in words. */
export function inWords(values, unit) {
  const [low, high] = span(values);
  return `${number(low)} … ${number(high)} ${unit}`;
}
