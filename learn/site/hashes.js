/* Slow hashes for Python in the page, which has neither OpenSSL nor compiled extensions: Argon2 and
 * scrypt and PBKDF2, as functions that return at once. */
import setUpArgon2id from "argon2id/lib/setup.js";
import { argon2d, argon2i } from "@noble/hashes/argon2.js";
import { pbkdf2 as noblePbkdf2 } from "@noble/hashes/pbkdf2.js";
import { scrypt as nobleScrypt } from "@noble/hashes/scrypt.js";
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";

const bytes = (given) => (given.toJs ? given.toJs() : given);

/** base: URL of the folder with argon2-simd.wasm and argon2.wasm. */
export async function makeHashes(base) {
  const load = (name) => async (imports) =>
    WebAssembly.instantiate(await (await fetch(new URL(name, base))).arrayBuffer(), imports);
  const argon2id = await setUpArgon2id(load("argon2-simd.wasm"), load("argon2.wasm"));

  function argon2(kind, password, salt, passes, memory, lanes, length) {
    [password, salt] = [bytes(password), bytes(salt)];
    if (kind === "id") {
      const costs = { passes, memorySize: memory, parallelism: lanes, tagLength: length };
      return argon2id({ password, salt, ...costs });
    }
    const costs = { t: passes, m: memory, p: lanes, dkLen: length };
    return (kind === "i" ? argon2i : argon2d)(password, salt, costs);
  }

  function scrypt(password, salt, N, r, p, dkLen) {
    return nobleScrypt(bytes(password), bytes(salt), { N, r, p, dkLen, maxmem: 2 ** 30 });
  }

  function pbkdf2(name, password, salt, c, dkLen) {
    return noblePbkdf2({ sha1, sha256, sha512 }[name], bytes(password), bytes(salt), { c, dkLen });
  }

  return { argon2, scrypt, pbkdf2 };
}
