// A lit directive: draws a line of a recording, and takes the finger that goes over it.

import { noChange } from "lit-html";
import { Directive, directive } from "lit-html/directive.js";
import { drawClip } from "../clip/view.js";

class ClipDrawn extends Directive {
  update(part, [trace, view, clip, move]) {
    const canvas = part.element;
    Object.assign(this, { view, move });
    if (!this.listens) {
      this.listens = true;
      const follow = (event) => {
        const box = canvas.getBoundingClientRect();
        const share = (event.clientX - box.left) / box.width;
        this.move(this.view.fromS + share * (this.view.toS - this.view.fromS));
      };
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        follow(event);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (canvas.hasPointerCapture(event.pointerId)) follow(event);
      });
    }
    requestAnimationFrame(() => {
      const { fromS, toS, atS } = view;
      const theme = document.documentElement.dataset.theme;
      const key = `${canvas.clientWidth}x${canvas.clientHeight} ${theme} ${fromS} ${toS} ${atS}`;
      if (this.trace === trace && this.key === key) return;
      Object.assign(this, { trace, key });
      drawClip(canvas, trace, view, clip);
    });
    return noChange;
  }
}

export const clipDrawn = directive(ClipDrawn);
