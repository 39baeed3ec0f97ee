// A lit directive: draws a trace into its canvas when the picture or its size is new.

import { noChange } from "lit-html";
import { Directive, directive } from "lit-html/directive.js";
import { draw } from "../traces.js";

class Drawn extends Directive {
  update(part, [values, about]) {
    const canvas = part.element;
    requestAnimationFrame(() => {
      const theme = document.documentElement.dataset.theme;
      const key = `${canvas.clientWidth}x${canvas.clientHeight} ${theme} ${about.first} ${about.last}`;
      const behind = about.behind?.join();
      if (this.values === values && this.behind === behind && this.key === key) return;
      Object.assign(this, { values, behind, key });
      draw(canvas, values, about);
    });
    return noChange;
  }
}

export const drawn = directive(Drawn);
