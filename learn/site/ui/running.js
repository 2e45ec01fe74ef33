/* Python in the page, as all pages use it: it starts when it is first needed, the bar shows what is
 * loading, and a button stops what runs. */

import { make } from "./drawing.js";
import { keep, kept } from "./kept.js";

export class Running {
  /** `place`: the element that shows how far the start is. `onStopped` is called after a stop. */
  constructor(place, onStopped = () => {}) {
    this.place = place;
    this.onStopped = onStopped;
    this.base = new URL(document.getElementById("main").dataset.run, location.href);
    this.says = place.querySelector("p") ?? make("p");
    this.bar = make("progress", { max: "1", value: "0", "aria-label": "Python is starting" });
    this.stopping = make("button", { type: "button" }, "Stop");
    this.stopping.addEventListener("click", () => this.stop());
    this.buttons = Boolean(place.querySelector("button"));
    if (!this.says.isConnected) place.append(this.says);
    place.append(this.stopping, this.bar);
    this.engine = null;
    this.ready = false;
    this.idle = ""; // what it says when Python is there and nothing runs
    this.#show(this.says.textContent);
  }

  /** Say something in the bar; without a text it hides, unless it holds buttons. */
  #show(text, { share = null, stops = false } = {}) {
    this.says.textContent = text;
    this.bar.hidden = share === null;
    if (share !== null) this.bar.value = share;
    this.stopping.hidden = !stops;
    this.place.classList.toggle("busy", stops);
    this.place.hidden = !text && !this.buttons;
  }

  say(text) {
    this.#show(text);
  }

  /** Start Python if it isn't; reject with an Error whose message is a sentence. */
  async start() {
    if (!this.engine) {
      let Engine;
      try {
        ({ Engine } = await import(new URL("engine.js", this.base).href));
      } catch {
        throw new Error("What runs Python could not be loaded. Reload the page to try again.");
      }
      this.engine ??= new Engine({
        base: this.base.href,
        progress: kept("progress") ?? "",
        onProgress: ({ share, what }) => {
          if (!this.ready) this.#show(`Starting Python: ${what}`, { share, stops: true });
        },
      });
    }
    if (this.ready) return;
    this.#show("Starting Python …", { share: 0, stops: true });
    try {
      await this.engine.start();
      this.ready = true;
      this.#show(this.idle);
    } catch (error) {
      if (!error.stopped) this.#show(error.message);
      throw error;
    }
  }

  /** Do something with the engine: `act(engine)`. `what` says what, while it takes. */
  async use(what, act) {
    await this.start();
    const before = this.engine.progress;
    const slow = setTimeout(() => this.#show(what, { stops: true }), 250);
    try {
      return await act(this.engine);
    } finally {
      clearTimeout(slow);
      if (this.ready) this.#show(this.idle);
      const { progress } = this.engine;
      if (progress !== before) keep("progress", progress);
    }
  }

  stop() {
    this.engine?.stop();
    this.ready = false;
    this.#show("Stopped. Python starts anew when you run something.");
    this.onStopped();
  }

  /** Go on from the progress that is kept now, which is another one than Python was started with. */
  renew() {
    if (!this.engine) return;
    this.stop();
    this.engine.progress = kept("progress") ?? "";
  }
}
