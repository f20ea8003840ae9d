/**
 * Ed25519 with the one acceptance rule of docs/key-format.md section 3, and hashes. Curve arithmetic is
 * WebCrypto's, whose last step is that of the rule; the tests before it are made here.
 */
import { concat, fromHex, toHex } from "./bytes.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */

const P = (1n << 255n) - 19n;
const L = (1n << 252n) + 27742317777372353535851937790883648493n;
const Y_MASK = (1n << 255n) - 1n;

/** @param {Bytes} bytes */
function littleEndian(bytes) {
  return BigInt("0x" + toHex(bytes.slice().reverse()));
}

/** @param {bigint} base @param {bigint} exponent */
function power(base, exponent) {
  let result = 1n;
  for (let square = base % P; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

const D = (P - ((121665n * power(121666n, P - 2n)) % P)) % P;
/** y of the small-order points whose x has two signs. */
const SIGNED_Y = [
  0n,
  littleEndian(fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")),
  littleEndian(fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")),
];
const SMALL_Y = [1n, P - 1n, ...SIGNED_Y];
const SMALL = [...SMALL_Y, ...SIGNED_Y.map((y) => y | (1n << 255n))];

/**
 * Whether 32 bytes are a public key: y below p, on the curve, not of small order.
 * @param {Bytes} key
 */
export function isUsable(key) {
  const y = littleEndian(key) & Y_MASK;
  if (y >= P || SMALL_Y.includes(y)) return false;
  const square = (y * y) % P;
  // x² = (y² - 1) / (d·y² + 1); the quotient is a square if and only if the product is.
  const product = ((square + P - 1n) * ((D * square + 1n) % P)) % P;
  return power(product, (P - 1n) / 2n) !== P - 1n;
}

/**
 * Whether a usable key signed the message.
 * @param {Bytes} key @param {Bytes} signature @param {Bytes} message
 * @returns {Promise<boolean>}
 */
export async function verify(key, signature, message) {
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  if (SMALL.includes(littleEndian(r)) || littleEndian(s) >= L) return false;
  const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
}

/** @param {Bytes[]} parts */
export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

/** @param {Bytes} secret @param {Bytes[]} parts */
export async function hmacSha256(secret, ...parts) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, concat(...parts)));
}

/** Which key to try: the first 8 bytes of its COSE Key Thumbprint. @param {Bytes} key */
export async function kidOf(key) {
  // {1: 1, -1: 6, -2: key}
  return (await sha256(fromHex("a301012006215820"), key)).subarray(0, 8);
}
