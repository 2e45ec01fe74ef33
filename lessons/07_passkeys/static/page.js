// The page of lesson 07. The browser does the work: options come from the server as JSON, the
// authenticator answers, and the answer goes back as JSON. Nothing secret passes through here.
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

function basic() { // btoa takes bytes, and a password may hold any letter
  const pair = new TextEncoder().encode(`${$("name").value}:${$("password").value}`);
  return { Authorization: `Basic ${btoa(String.fromCharCode(...pair))}` };
}

function row(key) {
  const item = document.createElement("li"), remove = document.createElement("button");
  const used = key.used ? `last used ${new Date(key.used).toLocaleString()}` : "never used";
  const kind = key.synced ? "synced" : "on one device";
  item.textContent = `Made ${new Date(key.made).toLocaleString()}, ${used}, ${kind}. `;
  if (key.went_back) {
    item.className = "warning";
    item.append("Somebody may have a copy of it: remove it. ");
  }
  remove.textContent = "Remove";
  remove.setAttribute("aria-label", `Remove the passkey made ${new Date(key.made).toLocaleString()}`);
  remove.onclick = () => act(async () => {
    await ask("DELETE", `passkeys/${key.id}`);
    return "The passkey was removed here. Delete it on your device as well.";
  });
  item.append(remove);
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

async function act(action) {
  $("status").textContent = "";
  try {
    const said = await action();
    await show();
    $("status").textContent = said;
  } catch (error) { // NotAllowedError: the user said no, or time ran out
    const no = { NotAllowedError: "Nothing was done: you said no, or it took too long.",
      InvalidStateError: "This device has a passkey for this account already." };
    $("status").textContent = no[error.name] ?? error.message;
  }
}

if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  $("login").onclick = () => act(logIn);
  $("another").onclick = () => act(addPasskey);
  $("first").onsubmit = (event) => { event.preventDefault(); act(() => addPasskey(basic())); };
  $("logout").onclick = () => act(() => ask("POST", "logout").then(() => "You are logged out."));
  show();
} else {
  $("status").textContent = "This browser has no passkeys, or an old form of them. "
    + "Use a newer one, at https:// or http://localhost.";
}
