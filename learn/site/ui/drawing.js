/* Draws what a cell shows and what the workbench answers, as learn/site/markup.py and cells.py draw
 * what is there already: with the same classes, and without a style or script. */

import MarkdownIt from "markdown-it";

const parser = new MarkdownIt("commonmark", { html: false }).enable("table");
const text = parser.utils.escapeHtml;
const auth = new Set(AUTH_HEADERS); // from learn/explain, when the pages are made

/** Make an element: its name, attributes, and what is in it. */
export function make(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false) element.setAttribute(key, value);
  }
  element.append(...inside);
  return element;
}

function message(source) {
  const at = source.indexOf("\n\n");
  const [head, body] = at < 0 ? [source, ""] : [source.slice(0, at), source.slice(at + 2)];
  const [first, ...headers] = head.split("\n");
  const status = /^HTTP\/\S+ (\d)/.exec(first);
  const lines = headers.map((line) => {
    const [name, ...value] = line.split(":");
    if (!value.length || !auth.has(name.trim().toLowerCase())) return text(line);
    return `<span class="auth"><b>${text(name)}</b>:${text(value.join(":"))}</span>`;
  });
  lines.unshift(`<span class="first">${text(first)}</span>`);
  if (at >= 0) lines.push("", `<span class="body">${text(body)}</span>`);
  const [kind, label] = status ? [`answer s${status[1]}`, "Response"] : ["request", "Request"];
  return `<pre class="http ${kind}" role="group" aria-label="${label}"><code>${lines.join("\n")}</code></pre>\n`;
}

const { rules } = parser.renderer;
rules.fence = (tokens, at) => {
  const source = tokens[at].content.replace(/\n$/, "");
  if (tokens[at].info.trim() === "http") return message(source.trimEnd());
  return `<pre class="code" tabindex="0" role="group" aria-label="Code"><code>${text(source)}</code></pre>\n`;
};
rules.table_open = () =>
  '<div class="table" tabindex="0" role="region" aria-label="Table"><table>\n';
rules.table_close = () => "</table></div>\n";
parser.core.ruler.push("alignment", ({ tokens }) => {
  for (const token of tokens) {
    const at = token.attrIndex("style");
    if (at >= 0) token.attrs[at] = ["class", token.attrs[at][1].split(":")[1]];
  }
});

function plain(said, kind = "") {
  const attributes = { class: `output plain ${kind}`.trim(), tabindex: "0", role: "group" };
  return make("pre", { ...attributes, "aria-label": "Output" }, said.replace(/\n$/, ""));
}

/** Return one thing that a cell showed, as an element, or null when there is nothing to see. */
export function output(one) {
  if (one.type === "stream") return plain(one.text);
  if (one.type === "error") return plain(one.text, one.only ? "elsewhere" : "wrong");
  const { data } = one;
  const alt = (data["text/plain"] ?? "").replace(/^<|>$/g, "");
  if (data["text/markdown"] !== undefined) {
    const place = make("div", { class: "output" });
    place.append(clean(parser.render(data["text/markdown"])));
    return place;
  }
  if (data["image/svg+xml"]) {
    const bytes = new TextEncoder().encode(data["image/svg+xml"]);
    const packed = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    return make("img", { class: "output", alt, src: `data:image/svg+xml;base64,${packed}` });
  }
  if (data["image/png"]) {
    return make("img", { class: "output", alt, src: `data:image/png;base64,${data["image/png"]}` });
  }
  return data["text/plain"] ? plain(data["text/plain"]) : null;
}

/** Add to what a stream has written, or return false when this is none. */
export function joins(last, one) {
  if (one.type !== "stream" || !last?.matches?.("pre.plain:not(.wrong, .elsewhere)")) return false;
  last.append(`\n${one.text.replace(/\n$/, "")}`);
  return true;
}

const ELEMENTS = new Set(
  ("A B BLOCKQUOTE BR CODE DD DEL DIV DL DT EM H1 H2 H3 H4 HR I INS LI OL P PRE SPAN STRONG TABLE" +
    " TBODY TD TH THEAD TR UL").split(" "),
);
const ATTRIBUTES = new Set(["class", "tabindex", "role", "aria-label"]);

/** Return HTML as a fragment that holds nothing but text and harmless elements. */
export function clean(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const out = document.createDocumentFragment();
  copy(parsed.body, out);
  return out;
}

function copy(from, to) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || !ELEMENTS.has(node.tagName)) continue;
    const element = document.createElement(node.tagName);
    for (const { name, value } of node.attributes) {
      const link = name === "href" && /^https?:/.test(value);
      if (ATTRIBUTES.has(name) || link) element.setAttribute(name, value);
    }
    copy(node, element);
    to.append(element);
  }
}

/** Show an answer of the workbench in an element: its own HTML if it has one, else its text. */
export function answer(place, { html, text: said }) {
  const pre = make("div");
  pre.append(html ? clean(html) : make("pre", {}, said ?? ""));
  for (const one of pre.querySelectorAll("pre")) {
    one.classList.add("terminal");
    one.tabIndex = 0;
    one.setAttribute("role", "group");
    one.setAttribute("aria-label", "Answer");
  }
  place.replaceChildren(...pre.childNodes);
}
