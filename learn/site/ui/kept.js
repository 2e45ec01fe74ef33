/* What stays in this browser: texts under names of our own in localStorage, which may be full or
 * forbidden. Every failure is a sentence, never an exception. */

const OURS = "learn-flask-authentication:";

export const LOST =
  "This browser keeps nothing for this page: its storage is full or switched off. Download your" +
  " file before you leave.";

/** Return what was kept under a name, or null. */
export function kept(name) {
  try {
    return localStorage.getItem(OURS + name);
  } catch {
    return null;
  }
}

/** Keep a text, or with null forget it; return whether that was possible. */
export function keep(name, text) {
  try {
    if (text === null) localStorage.removeItem(OURS + name);
    else localStorage.setItem(OURS + name, text);
    return true;
  } catch {
    return false;
  }
}

/** Return all that is kept, as a Map of texts by their names. */
export function keptAll() {
  try {
    const names = Object.keys(localStorage).filter((key) => key.startsWith(OURS));
    return new Map(names.map((key) => [key.slice(OURS.length), localStorage.getItem(key)]));
  } catch {
    return new Map();
  }
}

/** Keep a Map of texts, with null for what to forget: all of it, or nothing. Return which. */
export function keepAll(texts) {
  const done = [];
  for (const [name, text] of texts) {
    const before = kept(name);
    if (!keep(name, text)) {
      for (const [one, old] of done.reverse()) keep(one, old);
      return false;
    }
    done.push([name, before]);
  }
  return true;
}

/** Return a value that was kept as JSON, or `otherwise` when there is none that can be read. */
export function keptJson(name, otherwise) {
  try {
    return JSON.parse(kept(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Call `hear` when another tab of this browser changes what is kept under a name. */
export function onChangedElsewhere(name, hear) {
  addEventListener("storage", (event) => {
    if (event.key === OURS + name) hear(event.newValue);
  });
}
