// The page of lesson 07. The server's options are JSON; the browser and the device make an answer
// of them, which goes back as JSON. No secret passes through here but the password, once.
const $ = (id) => document.getElementById(id);

async function ask(method, path, body, headers = {}) {
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

async function addPasskey(headers) {
  const options = await (await ask("POST", "register/options", null, headers)).json();
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const made = await navigator.credentials.create({ publicKey });
  await ask("POST", "register", made.toJSON());
  return "The passkey was added.";
}

async function logIn() {
  const options = await (await ask("POST", "login/options")).json();
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const signed = await navigator.credentials.get({ publicKey });
  await ask("POST", "login", signed.toJSON());
  return "You are logged in.";
}

function basic() { // of bytes: btoa takes no other letters than theirs
  const pair = new TextEncoder().encode(`${$("name").value}:${$("password").value}`);
  $("password").value = "";
  return { Authorization: `Basic ${btoa(String.fromCharCode(...pair))}` };
}

function row(key) {
  const item = document.createElement("li"), remove = document.createElement("button");
  const [made, used] = [key.made, key.used].map((at) => at && new Date(at).toLocaleString());
  item.textContent = `Made ${made}, ${used ? `last used ${used}` : "not used yet"}, `
    + `${key.synced ? "synced" : "on one device"}.`
    + (key.went_back ? " Somebody may have a copy of it: remove it!" : "");
  remove.textContent = "Remove";
  remove.setAttribute("aria-label", `Remove the passkey made ${made}`);
  remove.onclick = () => act(async () => {
    await ask("DELETE", `passkeys/${key.id}`);
    return "The passkey opens nothing any more. Delete it on your device, too.";
  });
  item.append(" ", remove);
  return item;
}

async function show() {
  const page = await fetch("secured");
  if (page.ok) {
    $("hello").textContent = await page.text();
    $("passkeys").replaceChildren(...(await (await ask("GET", "passkeys")).json()).map(row));
  }
  $("inside").hidden = !page.ok;
  $("outside").hidden = page.ok;
}

const SAID = { // what browsers call it, in words
  NotAllowedError: "Nothing was done: somebody said no, or it took too long.",
  InvalidStateError: "This device has a passkey for this account already.",
  SecurityError: "Passkeys belong to a name. Visit this page at the address that it was set up for.",
};

async function act(action) {
  $("status").textContent = "";
  try {
    const said = await action();
    await show();
    $("status").textContent = said;
  } catch (error) {
    $("status").textContent = SAID[error.name] ?? error.message;
  }
}

if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  $("login").onclick = () => act(logIn);
  $("another").onclick = () => act(addPasskey);
  $("first").onsubmit = (event) => { event.preventDefault(); act(() => addPasskey(basic())); };
  $("logout").onclick = () => act(() => ask("POST", "logout").then(() => "You are logged out."));
  show();
} else {
  $("status").textContent = "This browser has no passkeys here. It may be an old one; or the page "
    + "was not opened over https, or at http://localhost.";
}
