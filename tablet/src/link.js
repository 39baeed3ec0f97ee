// The one Watch stream of this tablet: connects, hears, notices silence, tries again.

const SILENCE_MS = 4000; // the coordinator says something every second
const FIRST_WORD_MS = 2500; // a line that was dead is tried anew sooner
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4000;

export class Link {
  /**
   * @param calls what can be called
   * @param request a function that returns the WatchRequest
   * @param hears what to do: change(message), up(), down(why)
   */
  constructor(calls, request, hears) {
    this.calls = calls;
    this.request = request;
    this.hears = hears;
    this.connected = false;
    this.waitMs = FIRST_WAIT_MS;
    this.control = null;
    this.wake = () => {};
  }

  /** Watches for ever. */
  async run() {
    for (;;) {
      await this.#once(this.request());
      await this.#pause(this.waitMs);
      this.waitMs = Math.min(LONGEST_WAIT_MS, Math.max(FIRST_WAIT_MS, this.waitMs * 2));
    }
  }

  /** Starts anew at once: another person, or the network is back. */
  again() {
    this.waitMs = FIRST_WAIT_MS;
    this.anew = true;
    this.control?.abort();
    this.wake();
  }

  async #once(request) {
    this.control = new AbortController();
    let silence = 0;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => this.control.abort(), this.connected ? SILENCE_MS : FIRST_WORD_MS);
    };
    listen();
    let why = "";
    try {
      const stream = this.calls.watch("OperatorService", "Watch", request, this.control.signal);
      for await (const change of stream) {
        if (!this.connected) {
          this.connected = true;
          this.waitMs = FIRST_WAIT_MS;
          this.hears.change(change);
          this.hears.up();
        } else {
          this.hears.change(change);
        }
        listen();
      }
      why = "the coordinator ended the connection";
    } catch (error) {
      why = error.text ?? String(error);
      if (error.locked) this.hears.locked(error);
    } finally {
      clearTimeout(silence);
    }
    this.connected = false;
    if (this.anew) this.waitMs = 0;
    else this.hears.down(why);
    this.anew = false;
  }

  /** Waits with a little chance in it: fifty tablets must not come back as one. */
  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms * (0.75 + Math.random() / 2));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
