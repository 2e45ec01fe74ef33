/* The worker behind engine.js: Pyodide, and a Page (learn/commands/page.py) inside.
 *
 * Everything comes from the folder in which this file lies. What is large is fetched here, so that
 * the bar can move, and comes packed, since not every server packs what it sends. */
import { loadPyodide } from "./pyodide/pyodide.mjs";
import { makeHashes } from "./hashes.js";
import { lock, sizes } from "./known.js";

const BASE = new URL(".", import.meta.url);
const LOADED = ["python.bin", "stdlib.bin", "libraries.bin", "tutorial.bin"];
const TOTAL = LOADED.reduce((sum, name) => sum + sizes[name], 0);
const LOADING = 0.6; // the share of the bar that is for bytes
const HOME = "/tutorial";

const ENDED = "Python itself came to an end in this page; run it again and it starts anew.";

let page, begun;
let last = Promise.resolve();

onmessage = ({ data }) => {
  last = last.then(() => answer(data));
};

async function answer({ number, what, ...given }) {
  const say = (said) => postMessage({ number, said: plain(said) });
  try {
    if (what === "start") {
      await (begun ??= start(given.progress));
      return postMessage({ number, answer: true });
    }
    const done = plain(does[what](given, say));
    const kept = what === "practice" ? page.progress : undefined;
    postMessage({ number, answer: done, kept });
  } catch (error) {
    // Pyodide itself has failed, and goes no further, unless it is Python that says so.
    const ended = page !== undefined && error?.constructor?.name !== "PythonError";
    postMessage({ number, error: ended ? ENDED : sentence(error), ended });
  }
}

const does = {
  open: ({ lesson, source }) => page.open(lesson, source ?? ""),
  run: ({ code }, say) => ({ passed: page.run(code, say) }),
  practice: ({ practice, lesson, source }) => page.practice(practice, lesson, source ?? ""),
  explain: ({ text }) => page.explain(text),
};

function plain(found) {
  if (!found?.toJs) return found;
  const copy = found.toJs({ dict_converter: Object.fromEntries });
  found.destroy();
  return copy;
}

function sentence(error) {
  const said = String(error?.message ?? error).trim();
  return said.split("\n").at(-1);
}

function tell(share, what) {
  postMessage({ progress: { share, what } });
}

async function start(progress) {
  const came = Object.fromEntries(LOADED.map((name) => [name, 0]));
  const inMegabytes = (count) => (count / 1e6).toFixed(1);

  async function load(name) {
    const url = new URL(name, BASE);
    let response;
    try {
      response = await ask(url);
    } catch {
      throw new Error(`${url.pathname} could not be loaded: is the server still there?`);
    }
    if (!response.ok) {
      throw new Error(`${url.pathname} could not be loaded: the server says ${response.status}.`);
    }
    const counted = new TransformStream({
      transform(piece, out) {
        came[name] = Math.min(came[name] + piece.length, sizes[name]);
        const sum = LOADED.reduce((all, one) => all + came[one], 0);
        tell((LOADING * sum) / TOTAL, `Python, ${inMegabytes(sum)} of ${inMegabytes(TOTAL)} MB`);
        out.enqueue(piece);
      },
    });
    const stream = response.body.pipeThrough(counted).pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream, { headers: { "Content-Type": "application/wasm" } });
  }

  const ask = globalThis.fetch.bind(globalThis);
  const coming = Object.fromEntries(LOADED.map((name) => [name, load(name)]));
  const hashes = makeHashes(BASE);
  for (const one of [...Object.values(coming), hashes]) one.catch(() => {}); // until it is awaited
  const bytesOf = async (name) => new Uint8Array(await (await coming[name]).arrayBuffer());
  const asked = { "pyodide.asm.wasm": "python.bin", "python_stdlib.zip": "stdlib.bin" }; // by Pyodide
  globalThis.fetch = (url, ...more) => {
    const name = asked[new URL(url?.url ?? url, BASE).pathname.split("/").at(-1)];
    return name ? coming[name] : ask(url, ...more);
  };

  const pyodide = await loadPyodide({
    indexURL: new URL("pyodide/", BASE).href,
    lockFileContents: JSON.stringify(lock),
    packageBaseUrl: new URL("pyodide/", BASE).href,
    env: { HOME, LANG: "C.UTF-8" },
    checkAPIVersion: false,
  });
  tell(LOADING + 0.2, "Python starts");
  pyodide.registerJsModule("js_hashes", await hashes);
  pyodide.FS.mkdirTree(HOME);
  pyodide.FS.writeFile(`${HOME}/libraries.zip`, await bytesOf("libraries.bin"));
  pyodide.unpackArchive(await bytesOf("tutorial.bin"), "zip", { extractDir: HOME });
  tell(LOADING + 0.3, "the workbench starts");
  page = pyodide.runPython(`
import sys
sys.path[:0] = ["${HOME}", "${HOME}/libraries.zip"]
import in_page
in_page.begin()
from learn.commands.page import Page
Page`)(progress ?? "");
  tell(1, "ready");
}
