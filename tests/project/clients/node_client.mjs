// Node's own fetch, or the package undici: run with the name of one of them. See python_client.py
// for what a line says.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const undici = process.argv[2] === "undici" ? createRequire(import.meta.url)("undici") : null;

async function send(method, url, headers, body, browse) {
  if (undici) {
    const maxRedirections = browse ? 9 : 0;
    const answer = await undici.request(url, { method, headers, body, maxRedirections });
    return [answer.statusCode, await answer.body.text()];
  }
  const answer = await fetch(url, { method, headers, body });
  return [answer.status, await answer.text()];
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = new URLSearchParams(line);
  const headers = {};
  // Neither asks for a password nor answers a challenge: the header is written by hand.
  if (asked.get("scheme") === "basic") {
    const pair = Buffer.from(`${asked.get("user")}:${asked.get("password")}`);
    headers["Authorization"] = `Basic ${pair.toString("base64")}`;
  }
  if (asked.get("scheme") === "bearer") headers["Authorization"] = `Bearer ${asked.get("token")}`;
  if (asked.has("otp")) headers["OTP"] = asked.get("otp");
  if (asked.has("body")) headers["Content-Type"] = "application/x-www-form-urlencoded";
  let status = 0;
  let body;
  try {
    const browse = asked.get("scheme") === "browse"; // neither keeps cookies
    [status, body] = await send(
      asked.get("method"), asked.get("url"), headers, asked.get("body"), browse,
    );
  } catch (error) {
    body = `${error.name}: ${error.message}`;
  }
  console.log(new URLSearchParams({ status, body }).toString());
}
