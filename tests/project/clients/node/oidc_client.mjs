// npm's openid-client, which is certified, as a client of lesson 08's provider: see oidc_client.py,
// which takes the same questions on its standard input and answers in the same form.
import { createInterface } from "node:readline";

import * as client from "openid-client";

const [issuer, id, secret, callback] = process.argv.slice(2);
let config, checks, token;

const answers = {
  async discover() {
    const insecure = { execute: [client.allowInsecureRequests] };
    const how = client.ClientSecretBasic(secret);
    config = await client.discovery(new URL(issuer), id, secret, how, insecure);
    client.enableNonRepudiationChecks(config); // or the ID token's signature is not looked at
    return {};
  },
  async begin() {
    checks = {
      expectedNonce: client.randomNonce(),
      expectedState: client.randomState(),
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
    };
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope: "openid profile email",
      nonce: checks.expectedNonce,
      state: checks.expectedState,
      code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: "S256",
    });
    return { url: url.href };
  },
  async finish({ url }) {
    token = await client.authorizationCodeGrant(config, new URL(url), checks);
    const { sub } = token.claims();
    return { sub, person: await client.fetchUserInfo(config, token.access_token, sub) };
  },
  async grow_old() {
    // It looks for a key that it does not know, if what it has is a minute old.
    const { uat, ...cache } = client.getJwksCache(config);
    client.setJwksCache(config, { ...cache, uat: uat - 61 });
    return {};
  },
  async logout({ back }) {
    const url = client.buildEndSessionUrl(config, { post_logout_redirect_uri: back });
    return { url: url.href };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...about } = JSON.parse(line);
  try {
    console.log(JSON.stringify(await answers[ask](about)));
  } catch (error) {
    const said = [error.error, error.message, error.cause?.message, error.cause?.cause?.message];
    console.log(JSON.stringify({ error: said.filter(Boolean).join(": ") }));
  }
}
