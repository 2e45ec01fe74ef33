/* An editor for Python: CodeMirror, in a shadow root, where its styles need no exception from the
 * page's policy. Where it can't be had, a plain text field does the same. */

import { make } from "./drawing.js";

/** Put an editor into `place`; return {text, focus}. `onChange` is called after each change. */
export async function edit(place, { text, label, onChange = () => {}, onRun = () => {} }) {
  try {
    const { codeMirror } = await import("./codemirror.js");
    return codeMirror(place, { text, label, onChange, onRun });
  } catch {
    const field = make("textarea", { "aria-label": label, spellcheck: "false" });
    field.value = text;
    field.rows = Math.max(4, text.split("\n").length + 1);
    field.addEventListener("input", onChange);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.shiftKey)) {
        event.preventDefault();
        onRun();
      }
    });
    place.replaceChildren(field);
    return {
      get text() { return field.value; },
      set text(value) { field.value = value; },
      focus: () => field.focus(),
    };
  }
}
