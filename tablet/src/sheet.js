// A canvas as a sheet to draw on: as sharp as the screen, in the colours of the page.

const GAP = 7; // free above the greatest and below the least value

/** The sheet of a canvas, measured in the page's pixels; null while it is not in sight. */
export function sheetOf(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  if (!width || !height) return null;
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const style = getComputedStyle(canvas);
  return { pen, width, height, color: (name) => style.getPropertyValue(name).trim() };
}

/** Draws a line from top to bottom. */
export function upright({ pen, height }, x, stroke, width, dash = []) {
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(x, 0);
  pen.lineTo(x, height);
  pen.stroke();
  pen.setLineDash([]);
}

/** The height of each value, the least one at the bottom; the middle when all are one. */
export function heights({ height }, low, high) {
  return (value) => (high > low
    ? height - GAP - ((value - low) / (high - low)) * (height - 2 * GAP) : height / 2);
}

/**
 * Draws one line through the places of a channel; without a place there is a gap, and it
 * stays one: nothing is drawn that was not measured.
 * @param places for each step its points, [x, y] each; null for none
 */
export function through({ pen }, places, stroke, width) {
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.beginPath();
  let down = false;
  for (const points of places) {
    for (const [x, y] of points ?? []) {
      if (down) pen.lineTo(x, y);
      else pen.moveTo(x, y);
      down = true;
    }
    if (!points) down = false;
  }
  pen.stroke();
}
