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
