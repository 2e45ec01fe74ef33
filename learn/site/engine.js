/* Runs Python in the page: one Web Worker, with Pyodide and the lessons inside.
 *
 *   const engine = new Engine({ base, progress, onProgress });
 *       base: URL of the folder that holds worker.js, bundle.zip, pyodide/ and vendor/ (this file
 *       lies there as well: the default is its own folder);
 *       progress: what `engine.progress` was when the reader was here last, or nothing;
 *       onProgress({share, what}): share goes from 0 to 1 and never back, what is a phrase in
 *       English, such as "Python, 2.1 of 5.9 MB". Counted by bytes, then by what is imported.
 *
 *   await engine.start();                 Idempotent. Rejects with an Error whose message is a
 *                                         sentence for the reader. All calls below start it.
 *   await engine.open("02");              A fresh kernel for a notebook: what the notebook before
 *                                         has defined and started is forgotten.
 *   await engine.run(code, onOutput);     One cell. -> {passed: true | false}
 *       onOutput({type: "stream", name: "stdout" | "stderr", text})
 *       onOutput({type: "display", data: {mime: text}})   the last expression's value, as in a
 *           notebook: text/plain always, with text/markdown, image/svg+xml or text/html where the
 *           value has it
 *       onOutput({type: "error", text, only: true | false})   text: a traceback, cut to the cell's
 *           own lines; with `only`, no mistake but a sentence: this runs on one's own machine only
 *   engine.stop();                        Ends the worker at once, a looping cell too. What runs
 *                                         rejects with an Error whose `stopped` is true. The next
 *                                         call starts anew, and the variables of the notebook are
 *                                         gone (`engine.opened` is null then: call `open` again).
 *   await engine.practice(what, lesson, source)   -> an answer, see below.
 *       what: "check" | "hint" | "solution" | "diff" on the reader's file, whose text is `source`;
 *       "exercise" (what a new exercise.py holds), "naive", "app", "store", "groundwork", "beyond"
 *       and so on: -> {text}, a file's text, without `source`.
 *   await engine.explain(text)            -> {html}; quick, and ready before all else.
 *   engine.progress                       A string to keep in the browser, after each practice.
 *   engine.state                          "idle" | "starting" | "ready" | "busy"
 *
 * An answer of practice:
 *   text, html    what the terminal says, plain and as HTML (a <pre> with spans of the classes
 *                 named in `Engine.classes`, no inline style: a strict CSP holds)
 *   passed        for check: whether every check that can run here passed
 *   done, count   for check: the steps that passed, one after the other, of how many
 *   broken        for check: why the file can't be checked at all, or ""
 *   steps         for check: [{name, title, state: "passed" | "failed" | "untried", counts,
 *                 optional, checks: [{name, sentence, state: "passed" | "failed" | "untried" |
 *                 "elsewhere"}]}], where "elsewhere" is: checked on your machine only
 *   elsewhere     for check: how many checks are
 * A mistake of the reader's (no Python, no such lesson, nothing to hint at) is no exception but an
 * answer with `text` and `html`, and `passed` false.
 *
 * One call runs at a time; what is called meanwhile waits, in order.
 */

const BROKEN = "Python can't be started in this page";

export class Engine {
  static classes = ["b", "dim", "red", "green", "yellow", "blue", "magenta", "cyan"];

  constructor({ base = new URL(".", import.meta.url), progress = "", onProgress = () => {} } = {}) {
    this.base = new URL(base, globalThis.location?.href);
    if (!this.base.pathname.endsWith("/")) this.base.pathname += "/";
    this.progress = progress;
    this.onProgress = onProgress;
    this.opened = null;
    this.state = "idle";
    this.begun = null; // the promise of start
    this.waiting = new Map(); // what was asked, by number
    this.count = 0;
    this.last = Promise.resolve(); // calls run one after the other
  }

  start() {
    if (!this.begun) {
      this.state = "starting";
      this.begun = this.#begin();
      this.begun.catch(() => {
        this.#end();
        this.state = "idle";
      });
    }
    return this.begun;
  }

  async #begin() {
    this.share = 0; // of the bar, which never goes back
    const worker = new Worker(new URL("worker.js", this.base), { type: "module" });
    this.worker = worker;
    worker.onmessage = ({ data }) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault?.();
      this.#reject(new Error(`${BROKEN}: ${event.message || "its worker did not load"}.`));
    };
    await this.#ask("start", { progress: this.progress });
    this.state = "ready";
  }

  /** Ask the worker; `hear` is called with what comes before the answer. */
  #ask(what, given, hear) {
    const number = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject, hear });
      this.worker.postMessage({ number, what, ...given });
    });
  }

  #hear({ number, progress, said, answer, error, ended, kept }) {
    if (progress) {
      this.share = Math.max(this.share, progress.share);
      return this.onProgress({ ...progress, share: this.share });
    }
    if (kept !== undefined) this.progress = kept;
    const one = this.waiting.get(number);
    if (!one) return;
    if (said) return one.hear?.(said);
    this.waiting.delete(number);
    if (ended) this.#end();
    if (error) one.reject(new Error(error));
    else one.resolve(answer);
  }

  #reject(error) {
    for (const one of this.waiting.values()) one.reject(error);
    this.waiting.clear();
  }

  #end() {
    this.worker?.terminate();
    this.worker = this.begun = this.opened = null;
  }

  /** Let one call run after those before it, each of which may have failed. */
  #inTurn(what, given, hear) {
    const turn = this.last.then(async () => {
      await this.start();
      this.state = "busy";
      try {
        return await this.#ask(what, given, hear);
      } finally {
        if (this.state === "busy") this.state = "ready";
      }
    });
    this.last = turn.catch(() => {});
    return turn;
  }

  async open(lesson) {
    await this.#inTurn("open", { lesson });
    this.opened = lesson;
  }

  run(code, onOutput = () => {}) {
    return this.#inTurn("run", { code }, onOutput);
  }

  practice(what, lesson, source = "") {
    return this.#inTurn("practice", { practice: what, lesson, source });
  }

  async explain(text) {
    return this.#inTurn("explain", { text });
  }

  stop() {
    this.#end();
    this.state = "idle";
    this.#reject(Object.assign(new Error("It was stopped."), { stopped: true }));
  }
}
