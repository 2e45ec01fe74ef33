/* Read what is pasted, as one types. What is typed while Python starts is read when it is there; of
 * several texts in a row, only the last is shown. Nothing is kept. */

import { answer, make } from "./drawing.js";
import { Running } from "./running.js";

const SAMPLES = {
  "a login": "Authorization: Basic dXNlcjE6cGFzczE=",
  "a challenge": 'WWW-Authenticate: Digest realm="Lesson 03", nonce="abc", qop="auth", algorithm=MD5',
  "a token":
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyMSIsImV4cCI6MTcwMDAwMDAwMH0.",
  "a cookie": "Set-Cookie: session=eyJ1c2VyIjoidXNlcjEifQ.aPk2xQ.0c0; Path=/; SameSite=None",
};
const field = document.getElementById("paste");
const place = document.getElementById("answer");
const running = new Running(document.getElementById("engine"), () => place.replaceChildren());
const PAUSE = 150; // milliseconds without a key
let timer = 0;
let asking = false;
let shown = "";

for (const [name, text] of Object.entries(SAMPLES)) {
  const button = make("button", { type: "button" }, name);
  button.addEventListener("click", () => {
    field.value = text;
    read();
  });
  document.getElementById("samples").append(button);
}
field.addEventListener("focus", () => running.start().catch(() => {}), { once: true });
field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(read, PAUSE);
});
if (field.value.trim()) read(); // a browser may have kept it over a reload

async function read() {
  if (asking) return; // what is there then is read when this is done
  asking = true;
  try {
    while (field.value !== shown) {
      const text = field.value;
      if (text.trim()) {
        const found = await running.use("Reading …", (engine) => engine.explain(text));
        if (field.value === text) answer(place, found);
      } else {
        place.replaceChildren();
      }
      shown = text;
    }
  } catch (error) {
    if (!error.stopped) running.say(error.message);
  } finally {
    asking = false;
  }
}
