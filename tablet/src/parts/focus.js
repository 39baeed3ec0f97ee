// A lit directive: what has just come gets the focus, so that it is read out.

import { noChange } from "lit-html";
import { Directive, directive } from "lit-html/directive.js";

class FocusOnce extends Directive {
  update(part, [key]) {
    if (this.key !== key) {
      this.key = key;
      requestAnimationFrame(() => part.element.focus({ preventScroll: true }));
    }
    return noChange;
  }
}

export const focusOnce = directive(FocusOnce);
