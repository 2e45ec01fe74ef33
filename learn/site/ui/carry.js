/* All that is kept of a learner's work as one file, to take it to another browser or to be safe. */

const WHAT = "progress in learn-flask-authentication";
const FORMAT = 1;
const MOST = 20_000_000; // characters of such a file; a browser keeps about five million

const isText = (one) => typeof one === "string";
const isObject = (one) => typeof one === "object" && one !== null && !Array.isArray(one);
const isList = (one, is) => Array.isArray(one) && one.every(is);
const isCheck = (one) => isObject(one) && isText(one.name) && isText(one.state);
const isStep = (one) => isCheck(one) && isList(one.checks ?? [], isCheck);
const isCopy = (one) => isObject(one) && isText(one.when) && isText(one.text);

// What is kept, by its name, and what it must be like for the pages to show it.
const KINDS = [
  [/^exercise:\d\d$/, isText],
  [/^cell:\d\d:\d+$/, isText],
  [/^exercise:\d\d:copies$/, (text) => isList(parsed(text), isCopy)],
  [/^steps:\d\d$/, (text) => isObject(parsed(text)) && isList(parsed(text).steps ?? [], isStep)],
  [/^progress$/, (text) => isObject(parsed(text))],
];

function isKnown([name, text]) {
  return isText(text) && KINDS.some(([names, is]) => names.test(name) && is(text));
}

/** Return what a text says as JSON, or null if it is none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Return the text of a file that the learner chose, or null if it is too long or no text. */
export async function read(file, most) {
  if (file.size > 4 * most) return null; // no character has more bytes
  const text = await file.text().catch(() => "\0"); // it may be gone by now
  return text.length > most || text.includes("\0") ? null : text;
}

/** Return a file's text that holds what is kept: a Map of texts by their names. */
export function pack(kept) {
  const file = { what: WHAT, format: FORMAT, saved: new Date().toISOString() };
  return JSON.stringify({ ...file, kept: Object.fromEntries([...kept].filter(isKnown)) }, null, 1);
}

/** Return what such a file holds as a Map, or null if it is none. */
export async function unpack(file) {
  const found = parsed(await read(file, MOST));
  if (found?.what !== WHAT || found.format !== FORMAT || !isObject(found.kept)) return null;
  const entries = Object.entries(found.kept);
  return entries.length && entries.every(isKnown) ? new Map(entries) : null;
}

/** Unite what is kept here with what a file holds; where both have something, the file's counts.
 *
 * Return {kept, lessons}: what to keep, where null means to forget, and the numbers of the lessons
 * of which something else was here. Of an exercise that is replaced, a copy is among what to keep.
 */
export function unite(here, theirs) {
  here = new Map([...here].filter(isKnown));
  const kept = new Map(theirs);
  const others = new Set();
  for (const [name, text] of theirs) {
    const [kind, lesson, more] = name.split(":");
    const before = here.get(name);
    if (kind === "progress") {
      for (const one of unite_progress(here, kept)) others.add(one);
    } else if (more === "copies") {
      add_copies(kept, name, parsed(before ?? "[]"));
    } else if (before !== undefined && before !== text) {
      others.add(lesson);
      if (kind === "exercise") {
        const copy = { when: new Date().toISOString(), text: before };
        add_copies(kept, `${name}:copies`, [copy, ...parsed(here.get(`${name}:copies`) ?? "[]")]);
        if (!theirs.has(`steps:${lesson}`)) kept.set(`steps:${lesson}`, null); // they were the copy's
      }
    }
  }
  return { kept, lessons: [...others].sort() };
}

/** Keep hints and results lesson by lesson; return the numbers of those that have others here. */
function unite_progress(here, kept) {
  if (!here.has("progress")) return [];
  const before = parsed(here.get("progress"));
  const now = parsed(kept.get("progress"));
  kept.set("progress", JSON.stringify({ ...before, ...now }));
  return Object.keys(now)
    .filter((one) => one !== "last" && one in before)
    .filter((one) => JSON.stringify(before[one]) !== JSON.stringify(now[one]))
    .map((folder) => folder.slice(0, 2));
}

/** Add copies to those that are kept, each text once, the newest first. */
function add_copies(kept, name, copies) {
  const all = [...copies, ...parsed(kept.get(name) ?? "[]")];
  all.sort((one, other) => other.when.localeCompare(one.when));
  const seen = new Set();
  const once = all.filter(({ text }) => !seen.has(text) && seen.add(text));
  if (once.length) kept.set(name, JSON.stringify(once));
}
