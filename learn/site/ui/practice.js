/* The learner's own file: edit it, have it checked step by step. It stays in this browser, and is
 * never overwritten without a copy. */

import { answer, make } from "./drawing.js";
import { edit } from "./editor.js";
import { keep, kept, keptJson, LOST, onChangedElsewhere } from "./kept.js";
import { Running } from "./running.js";

const MOST = 200_000; // characters that a file may have; a lesson's has 8,000
const COPIES = 20;
const main = document.getElementById("main");
const lesson = main.dataset.lesson;
const name = `exercise:${lesson}`;
const field = document.getElementById("first");
const first = field.value;
const says = document.getElementById("kept");
const place = document.getElementById("answer");
const buttons = Object.fromEntries(
  [...document.querySelectorAll("[data-do]")].map((button) => [button.dataset.do, button]),
);
const running = new Running(document.getElementById("engine"));
let last = kept(name); // what this tab knows to be kept
let timer = 0;
let busy = false;

const box = make("div");
field.replaceWith(box);
box.append(field); // until the editor is there
const editor = await edit(box, {
  text: last ?? first,
  label: "exercise.py",
  onChange: () => {
    clearTimeout(timer);
    timer = setTimeout(save, 300);
  },
  onRun: () => ask("check"),
});
addEventListener("pagehide", save);
onChangedElsewhere(name, () => say("This file was changed in another tab. Both versions are kept."));

function say(text) {
  says.textContent = text;
}

/** Keep the file. What another tab has kept meanwhile becomes a copy. */
function save() {
  clearTimeout(timer);
  const text = editor.text;
  if (text === (last ?? first)) return true;
  const there = kept(name);
  if (there !== null && there !== last && there !== text && !copy(there)) {
    say(LOST);
    return false;
  }
  if (!keep(name, text)) {
    say(LOST);
    return false;
  }
  last = text;
  say(`Kept in this browser, ${new Date().toLocaleTimeString()}.`);
  return true;
}

/** Keep a copy of a text; return whether that was possible. */
function copy(text) {
  const copies = keptJson(`${name}:copies`, []);
  if (copies.some((one) => one.text === text)) return true;
  const now = [{ when: new Date().toISOString(), text }, ...copies].slice(0, COPIES);
  const done = keep(`${name}:copies`, JSON.stringify(now));
  if (done) show_copies();
  return done;
}

function show_copies() {
  const copies = keptJson(`${name}:copies`, []);
  const out = document.getElementById("copies");
  if (!copies.length) return out.replaceChildren();
  const list = make("ul");
  for (const { when, text } of copies) {
    const time = new Date(when).toLocaleString();
    const back = make("button", { type: "button" }, "Put back");
    back.append(make("span", { class: "unseen" }, ` the file of ${time}`));
    back.addEventListener("click", () => replace(text, "The copy is back."));
    const load = make("button", { type: "button" }, "Download");
    load.append(make("span", { class: "unseen" }, ` the file of ${time}`));
    load.addEventListener("click", () => download(text));
    list.append(make("li", {}, `${time} `, back, " ", load));
  }
  out.replaceChildren(make("p", { class: "kept" }, "Copies of your file:"), list);
}

/** Put another text in the editor; the one that is there is kept as a copy first, or nothing is done. */
function replace(text, done) {
  if (editor.text !== first && editor.text !== text && !copy(editor.text)) {
    say(`Nothing was changed, since no copy can be kept. ${LOST}`);
    return;
  }
  editor.text = text;
  if (save()) say(done);
}

function download(text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/x-python" }));
  make("a", { href: address, download: "exercise.py" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Ask a question in a dialog; return whether the answer is yes. */
function sure(question) {
  const dialog = document.getElementById("ask");
  document.getElementById("ask-text").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Show how each step stands. `steps` is what a check answered. */
function show_steps(steps) {
  const words = { passed: "passed: ", failed: "failed: ", untried: "" };
  for (const step of steps) {
    const item = document.querySelector(`[data-step="${CSS.escape(step.name)}"]`);
    if (!item) continue;
    item.dataset.state = step.state;
    item.querySelector(".said").textContent = words[step.state] ?? "";
    if (step.state === "failed") item.querySelector("details").open = true;
    for (const check of step.checks ?? []) {
      const line = item.querySelector(`[data-check="${CSS.escape(check.name)}"]`);
      if (line) line.dataset.state = check.state;
    }
  }
}

/** Have the workbench do something with the file, and show its answer. */
async function ask(what) {
  if (busy) return;
  if (what === "solution" && !(await sure_of_solution())) return;
  busy = true;
  save();
  for (const one of ["check", "hint", "solution", "diff"]) buttons[one].disabled = true;
  const words = { check: "Checking your file …", hint: "Looking for a hint …" };
  try {
    const found = await running.use(words[what] ?? "Comparing …", (engine) =>
      engine.practice(what, lesson, editor.text),
    );
    answer(place, found);
    if (found.steps) {
      const { steps, done, count } = found;
      show_steps(steps);
      keep(`steps:${lesson}`, JSON.stringify({ steps, done, count }));
    }
    place.scrollIntoView({ block: "nearest" });
  } catch (error) {
    if (!error.stopped) answer(place, { text: error.message });
  } finally {
    busy = false;
    for (const one of ["check", "hint", "solution", "diff"]) buttons[one].disabled = false;
  }
}

async function sure_of_solution() {
  const { done = 0, count = 0 } = keptJson(`steps:${lesson}`, {});
  if (count && 2 * done >= count) return true;
  const so_far = count ? `${done} of ${count} steps are done.` : "Your file was not checked yet.";
  return sure(`${so_far} See the solution now?`);
}

const actions = {
  check: () => ask("check"),
  hint: () => ask("hint"),
  solution: () => ask("solution"),
  diff: () => ask("diff"),
  async reset() {
    if (!(await sure("Begin anew with naive.py? A copy of your file is kept below."))) return;
    replace(first, "It is naive.py again. Your old file is kept below.");
    keep(`steps:${lesson}`, null);
    for (const item of document.querySelectorAll("[data-state]")) delete item.dataset.state;
  },
  download: () => download(editor.text),
  upload: () => document.getElementById("file").click(),
};
for (const [what, act] of Object.entries(actions)) buttons[what].addEventListener("click", act);

document.getElementById("file").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  target.value = "";
  if (!file) return;
  const text = await file.text();
  if (text.length > MOST || text.includes("\0")) {
    say(`${file.name} is no Python file of a lesson: it is too long, or no text.`);
    return;
  }
  replace(text, `${file.name} is your file now.`);
});

// Tabs, as a keyboard expects them: arrows go from one to the next.
const tabs = [...document.querySelectorAll("[role=tab]")];
function choose(tab) {
  for (const one of tabs) {
    const is = one === tab;
    one.setAttribute("aria-selected", String(is));
    one.tabIndex = is ? 0 : -1;
    document.getElementById(one.getAttribute("aria-controls")).hidden = !is;
  }
  tab.focus();
}
for (const [at, tab] of tabs.entries()) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", ({ key }) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[key];
    if (to !== undefined) choose(tabs[(to + tabs.length) % tabs.length]);
  });
}

show_copies();
show_steps(keptJson(`steps:${lesson}`, { steps: [] }).steps ?? []);
if (last !== null) say("This is your file, as you left it.");
