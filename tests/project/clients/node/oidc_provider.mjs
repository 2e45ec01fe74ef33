// npm's oidc-provider, which is certified, as the provider of lesson 08's app: see test_oidc_matrix.py.
//
//     node oidc_provider.mjs PORT APP
//
// APP is the origin of the app. Each start makes a new key and forgets all sessions.
import { generateKeyPairSync, randomBytes } from "node:crypto";

import Provider from "oidc-provider";

const [port, app] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" };

const provider = new Provider(`http://localhost:${port}`, {
  clients: [
    {
      client_id: "lesson-08",
      client_secret: "pass8",
      redirect_uris: [`${app}/callback`],
      post_logout_redirect_uris: [`${app}/public`],
      backchannel_logout_uri: `${app}/backchannel-logout`,
      backchannel_logout_session_required: true,
    },
  ],
  claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  features: { backchannelLogout: { enabled: true } },
  // By itself it tells nobody at an address such as 127.0.0.1, which might be a machine of its own.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `${id} of npm`, email: `${id}@example.com` }),
  }),
  jwks: { keys: [{ ...key, kid: randomBytes(4).toString("hex") }] },
});
provider.on("backchannel.error", (_, error) => console.error(`not told: ${error} ${error.cause}`));
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
