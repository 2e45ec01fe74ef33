/* A notebook's cells: run one, run all, change one and run it again, stop. */

import { joins, make, output } from "./drawing.js";
import { edit } from "./editor.js";
import { keep, kept } from "./kept.js";
import { Running } from "./running.js";

const lesson = document.getElementById("main").dataset.lesson;
const cells = [...document.querySelectorAll(".cell")].map((place, index) => new_cell(place, index));
const running = new Running(document.getElementById("engine"), () => {
  for (const cell of cells) cell.forget();
});
const all = document.getElementById("all");
all.addEventListener("click", () => run_to(cells.length - 1, true));
running.idle = "Python runs in this page.";
let busy = false;

function new_cell(place, index) {
  const pre = place.querySelector("pre.code");
  const outputs = place.querySelector(".outputs");
  const original = pre.textContent;
  const name = `cell:${lesson}:${index + 1}`;
  const [doing, change, undo] = place.querySelectorAll("button");
  const state = place.querySelector("[role=status]");
  doing.addEventListener("click", () => run_to(index));
  change.addEventListener("click", () => cell.edit(true));
  undo.addEventListener("click", () => cell.set(original));
  let editor = null;
  const cell = {
    ran: false,
    get source() {
      return editor ? editor.text : original;
    },
    async edit(focus, text = original) {
      if (change.hidden && !editor) return; // it is on its way
      if (!editor) {
        const box = make("div");
        pre.replaceWith(box);
        box.append(pre); // until the editor is there
        change.hidden = true;
        const label = `Cell ${index + 1}`;
        editor = await edit(box, { text, label, onChange: changed, onRun: () => run_to(index) });
      }
      changed();
      if (focus) editor.focus();
    },
    set(text) {
      if (editor) editor.text = text;
      changed();
    },
    forget() {
      cell.ran = false;
      state.textContent = "";
    },
    async run() {
      outputs.classList.add("stale");
      state.textContent = "runs …";
      let first = true;
      let only = false;
      const show = (one) => {
        if (first) outputs.replaceChildren();
        if (first) outputs.classList.remove("stale");
        first = false;
        only ||= Boolean(one.only);
        if (!joins(outputs.lastChild, one)) outputs.append(output(one) ?? "");
      };
      try {
        const { passed } = await running.engine.run(cell.source, show);
        if (first) outputs.replaceChildren();
        state.textContent = passed ? "ran just now" : only ? "not in a page" : "failed";
        cell.ran = passed || only;
        return cell.ran;
      } catch (error) {
        state.textContent = "";
        show({ type: "error", text: error.message });
        return false;
      } finally {
        outputs.classList.remove("stale");
      }
    },
  };
  function changed() {
    const text = editor.text;
    undo.hidden = text === original;
    cell.ran = false;
    keep(name, text === original ? null : text);
  }
  const before = kept(name);
  if (before !== null && before !== original) cell.edit(false, before);
  return cell;
}

/** Run a cell, and before it those above that have not run; all of them anew with `anew`. */
async function run_to(index, anew = false) {
  if (busy) return;
  busy = true;
  all.disabled = true;
  try {
    await running.use("It runs …", async (engine) => {
      if (anew || engine.opened !== lesson) {
        for (const cell of cells) cell.forget();
        await engine.open(lesson);
      }
      cells[index].ran = false;
      for (const cell of cells.slice(0, index + 1)) {
        if (!cell.ran && !(await cell.run())) return;
      }
    });
  } catch (error) {
    if (!error.stopped) running.say(error.message);
  } finally {
    busy = false;
    all.disabled = false;
  }
}
