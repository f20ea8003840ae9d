/**
 * A whole presentation: the order of checks of docs/key-format.md section 9, steps 1 to 5.
 */
import { concat } from "./bytes.js";
import { whole } from "./cbor.js";
import { COMMANDS } from "./fields.js";
import { PRESENTATION_BYTES, wholeKey } from "./key.js";
import { attempted, need } from "./refused.js";
import { Signed } from "./signed.js";
import { sha256 } from "./ed25519.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./chain.js").Trust} Trust */

/**
 * Reads and verifies key, challenge and proof.
 * @param {object} parts
 * @param {Bytes} parts.key
 * @param {Bytes} [parts.challenge]
 * @param {Bytes} [parts.proof]
 * @param {keyof typeof COMMANDS} parts.command what the car is asked for
 * @param {Bytes} gatewayKey
 * @param {() => Promise<Trust>} trusted whom the car believes; asked for once the bytes are known to be well-formed
 */
export async function checkPresentation({ key: bytes, challenge, proof, command }, gatewayKey, trusted) {
  const length = 2 + bytes.length + (challenge?.length ?? 0) + (proof?.length ?? 0);
  need(length <= PRESENTATION_BYTES, "too-large");
  const unverified = whole(bytes, wholeKey);
  const asked = challenge && Signed.decode(challenge, "challenge");
  const answer = proof && Signed.decode(proof, "proof");
  const trust = await trusted();
  need(!asked || asked.body.get(2) === trust.aud, "wrong-vehicle");
  const key = await trust.verify(unverified);
  need(asked && (await isOurs(asked, gatewayKey, trust.aud)), "wrong-challenge");
  const rest = concat(await sha256(asked.bytes), key.leaf);
  need(answer && (await answer.isSignedBy(key.holder, rest)), "bad-signature");
  need(answer.body.get(1) === COMMANDS[command], "bad-signature");
  return { key, trust, proof: answer.body };
}

/**
 * Whether the car's own gateway signed the challenge, for this car, in a version spoken here.
 * @param {Signed} challenge @param {Bytes} gatewayKey @param {string} aud
 */
export async function isOurs(challenge, gatewayKey, aud) {
  const { refused } = await attempted(() => challenge.signer([gatewayKey]));
  return !refused && challenge.body.get(2) === aud && challenge.body.get(9).includes(1);
}
