/* The learner's own file: edit it, have it checked step by step. It stays in this browser, and is
 * never overwritten without a copy. */

import { pack, read, unite, unpack } from "./carry.js";
import { answer, make } from "./drawing.js";
import { edit } from "./editor.js";
import { keep, keepAll, kept, keptAll, keptJson, LOST, onChangedElsewhere } from "./kept.js";
import { Running } from "./running.js";

const MOST = 200_000; // characters that a file may have; a lesson's has 8,000
const COPIES = 20;
const listed = new Intl.ListFormat("en");
const PROGRESS = "flask-authentication-progress.json";
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
const asking = ["check", "hint", "solution", "diff"].flatMap((name) => buttons[name] ?? []);
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
  const most = Math.max(COPIES, copies.length); // a file with progress may have brought more
  const now = [{ when: new Date().toISOString(), text }, ...copies].slice(0, most);
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
    load.addEventListener("click", () => download_exercise(text));
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

function download(file, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: address, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function download_exercise(text) {
  download("exercise.py", text, "text/x-python");
}

/** Return all that is kept, of all lessons, with what this editor holds, kept or not. */
function work() {
  save();
  const all = keptAll();
  if (editor.text !== (last ?? first)) all.set(name, editor.text);
  return all;
}

function save_progress() {
  const all = work();
  if (!all.size) return say("There is nothing to save yet: no file was changed or checked.");
  download(PROGRESS, pack(all), "application/json");
  say(`${PROGRESS} is among your downloads: it holds your work on all lessons.`);
}

async function load_progress(file) {
  const theirs = await unpack(file);
  if (!theirs) {
    say(`${file.name} holds no progress: choose a file that “Save progress” has made.`);
    return;
  }
  const { lessons } = unite(work(), theirs);
  const which = `${lessons.length > 1 ? "lessons" : "lesson"} ${listed.format(lessons)}`;
  const question =
    `This browser has other work on ${which}. Let that of ${file.name} take its place? Each` +
    " exercise.py stays as a copy on its lesson's page; hints, results and changed cells don't." +
    " To have these as well, answer No and save your progress first.";
  if (lessons.length && !(await sure(question))) return say("Nothing was changed.");
  const { kept: all } = unite(work(), theirs);
  if (!keepAll(all)) return say(`Nothing was changed. ${LOST}`);
  if (all.has(name)) editor.text = last = all.get(name);
  running.renew();
  show_kept();
  say(`The progress in ${file.name} is loaded.`);
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
  const words = { passed: "passed: ", failed: "failed: ", untried: "", elsewhere: "" };
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

/** Show what is kept beside the file: its copies, and how the steps stand. */
function show_kept() {
  show_copies();
  for (const item of document.querySelectorAll("[data-state]")) delete item.dataset.state;
  for (const said of document.querySelectorAll(".said")) said.textContent = "";
  show_steps(keptJson(`steps:${lesson}`, {}).steps ?? []);
}

/** Have the workbench do something with the file, and show its answer. */
async function ask(what) {
  if (busy || !buttons[what]) return;
  if (what === "solution" && !(await sure_of_solution())) return;
  busy = true;
  save();
  for (const one of asking) one.disabled = true;
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
    for (const one of asking) one.disabled = false;
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
    show_kept();
  },
  download: () => download_exercise(editor.text),
  upload: () => document.getElementById("file").click(),
  save: save_progress,
  load: () => document.getElementById("progress").click(),
};
for (const [what, button] of Object.entries(buttons)) button.addEventListener("click", actions[what]);

/** Call `take` with each file that is chosen in a field. */
function on_file(field, take) {
  document.getElementById(field).addEventListener("change", ({ target }) => {
    const [file] = target.files;
    target.value = ""; // so that the same one can be chosen again
    if (file) take(file);
  });
}
on_file("progress", load_progress);
on_file("file", async (file) => {
  const text = await read(file, MOST);
  if (text === null) say(`${file.name} is no Python file of a lesson: it is too long, or no text.`);
  else replace(text, `${file.name} is your file now.`);
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

show_kept();
if (last !== null) say("This is your file, as you left it.");
