import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import {
  bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting,
} from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import {
  drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword], color: "var(--keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--string)" },
  { tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
  { tag: [tags.definition(tags.variableName), tags.function(tags.variableName), tags.className,
    tags.meta], color: "var(--name)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
]);
const look = EditorView.theme({
  "&": { height: "var(--tall, auto)", fontSize: ".84rem", color: "var(--ink)", backgroundColor: "var(--raised)" },
  "&.cm-focused": { outline: "0" }, // the sheet draws one around the whole editor
  ".cm-scroller": { fontFamily: "var(--code)", lineHeight: "1.55", maxHeight: "74vh" },
  ".cm-gutters": { backgroundColor: "var(--card)", color: "var(--comment)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in srgb, var(--accent) 9%, transparent)",
  },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent)",
  },
});

// Typed over a selection, a text takes on the colours of what it replaces: browsers write them into a
// style attribute, which the page's policy refuses, with an error in the console. So it isn't theirs to do.
const overSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { state } = view;
    if (event.inputType !== "insertText" || event.data === null || state.selection.main.empty) {
      return false;
    }
    event.preventDefault();
    const change = { userEvent: "input.type", scrollIntoView: true };
    view.dispatch(state.update(state.replaceSelection(event.data), change));
    return true;
  },
});

/** As `edit` in editor.js. */
export function codeMirror(place, { text, label, onChange, onRun }) {
  const host = document.createElement("div");
  host.className = "editor";
  const root = host.attachShadow({ mode: "open" });
  const run = () => {
    onRun();
    return true;
  };
  const extensions = [
    lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(),
    highlightActiveLine(), indentUnit.of("    "), EditorState.tabSize.of(4), python(),
    syntaxHighlighting(colours), look, overSelection,
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
    EditorView.updateListener.of((update) => update.docChanged && onChange()),
    keymap.of([
      { key: "Mod-Enter", run }, { key: "Shift-Enter", run },
      ...defaultKeymap, ...historyKeymap, indentWithTab,
    ]),
  ];
  place.replaceChildren(host);
  const view = new EditorView({ doc: text, extensions, parent: root, root });
  return {
    get text() { return view.state.doc.toString(); },
    set text(value) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
    },
    focus: () => view.focus(),
  };
}
