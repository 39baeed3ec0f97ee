// Whether the answers stand still: a banner that comes pushes them under another finger.

const LEAST_PX = 8;

export class Still {
  constructor() {
    this.place = null; // of the answers when they were last looked at
    this.movedMs = 0;
  }

  /** How long the answers have been where they are, ms. */
  since(now) {
    this.look(now);
    return now - this.movedMs;
  }

  /** Looks where the answers are; scrolling them is the person's own doing. */
  look(now) {
    const answers = document.querySelector("main .answers");
    const { left, top } = answers?.getBoundingClientRect() ?? {};
    const scrolled = [...document.querySelectorAll("main, .deciding")].reduce((all, one) => all + one.scrollTop, 0);
    const place = answers ? { left, top: top + scrolled } : null;
    const far = (side) => Math.abs(place[side] - this.place[side]) >= LEAST_PX;
    if (place && this.place && (far("left") || far("top"))) this.movedMs = now;
    this.place = place;
  }
}
