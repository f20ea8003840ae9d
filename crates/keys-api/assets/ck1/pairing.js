/**
 * Pairing (docs/key-format.md section 12): the code at the car, three messages, and what each side checks.
 */
import { equal, fromBase64url } from "./bytes.js";
import { encode } from "./cbor.js";
import { hmacSha256, sha256 } from "./ed25519.js";
import { aud, blob, id, publicKey, short } from "./fields.js";
import { need } from "./refused.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */

/**
 * @template T
 * @typedef {import("./cbor.js").Read<T>} Read
 */
/** @typedef {Map<number, any>} Message */
/** @typedef {{ fingerprint: string, printBytes: Bytes, secret: Bytes }} PairingCode */

export const OWNER = 1;
export const GATEWAY = 2;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LONGEST = 2_048;

/** @param {[number, Read<any>][]} fields @returns {Read<Message>} */
const message = (fields) => (reader) => {
  need(reader.data.length <= LONGEST, "too-large");
  return reader.map(fields);
};

export const pairOffer = message([[1, publicKey], [2, short]]);
export const pairConfirm = message([[1, aud], [2, publicKey], [3, short], [4, blob()], [5, id]]);
export const pairAnswer = message([[1, id]]);

/**
 * The code as it was typed, in whatever case, with spaces and hyphens; `undefined` if it is none.
 * @param {string} typed
 * @returns {PairingCode | undefined}
 */
export function parseCode(typed) {
  const symbols = typed.replace(/[ -]/g, "").toUpperCase();
  if (!/^[A-Z2-7]{32}$/.test(symbols)) return undefined;
  const bits = [...symbols].reduce((sum, symbol) => (sum << 5n) | BigInt(ALPHABET.indexOf(symbol)), 0n);
  const bytes = Uint8Array.from({ length: 20 }, (_, index) => Number((bits >> BigInt(8 * (19 - index))) & 0xffn));
  return { fingerprint: symbols.slice(0, 16), printBytes: bytes.slice(0, 10), secret: bytes.slice(10) };
}

/** Whether the offered gateway key is the one whose code was shown. @param {PairingCode} code @param {Message} offer */
export async function isOfferOf(code, offer) {
  return equal((await sha256(offer.get(1))).subarray(0, 10), code.printBytes);
}

/** @param {Bytes} secret @param {1 | 2} role @param {Message} offer @param {Message} confirm */
async function macOf(secret, role, offer, confirm) {
  const vehicle = fromBase64url(confirm.get(1)) ?? new Uint8Array();
  return hmacSha256(
    secret,
    new TextEncoder().encode("ck1:pair"),
    Uint8Array.of(role),
    vehicle,
    confirm.get(2),
    offer.get(1),
    confirm.get(3),
    offer.get(2),
    await sha256(confirm.get(4)),
  );
}

/**
 * Whether a MAC was made by the side `role` with this code over this exchange.
 * @param {PairingCode} code @param {1 | 2} role @param {Message} offer @param {Message} confirm @param {Bytes} mac
 */
export async function isMacOf(code, role, offer, confirm, mac) {
  return equal(await macOf(code.secret, role, offer, confirm), mac);
}

/**
 * The owner's confirmation; whoever calls has checked the offer with {@link isOfferOf}.
 * @param {PairingCode} code @param {Message} offer
 * @param {{ aud: string, ownerKey: Bytes, ownerNonce: Bytes, bundle: Bytes }} parts
 * @returns {Promise<Bytes>}
 */
export async function sealConfirm(code, offer, parts) {
  /** @type {Message} */
  const confirm = new Map();
  confirm.set(1, parts.aud).set(2, parts.ownerKey).set(3, parts.ownerNonce).set(4, parts.bundle);
  confirm.set(5, await macOf(code.secret, OWNER, offer, confirm));
  const encoded = encode(confirm);
  need(encoded.length <= LONGEST, "too-large");
  return encoded;
}
