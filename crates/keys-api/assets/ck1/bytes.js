/**
 * Bytes: their text forms, and comparing them.
 */

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** @param {string} text @returns {Bytes} */
export function fromHex(text) {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new TypeError("not hex");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {Bytes} bytes */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Base64url without padding. @param {Bytes} bytes */
export function toBase64url(bytes) {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * The bytes of exact, unpadded base64url; `undefined` for anything else.
 * @param {string} text
 * @returns {Bytes | undefined}
 */
export function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return toBase64url(bytes) === text ? bytes : undefined;
}

/** @param {Bytes[]} parts */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Below zero, zero or above zero, as the bytes of `left` come before, with or after those of `right`.
 * @param {Bytes} left @param {Bytes} right
 */
export function compare(left, right) {
  const shorter = Math.min(left.length, right.length);
  for (let index = 0; index < shorter; index++) {
    if (left[index] !== right[index]) return left[index] - right[index];
  }
  return left.length - right.length;
}

/** @param {Bytes} left @param {Bytes} right */
export function equal(left, right) {
  return compare(left, right) === 0;
}

/** A vehicle's UUID as the `aud` of ck1. @param {string} uuid */
export function audOf(uuid) {
  return toBase64url(fromHex(uuid.replaceAll("-", "")));
}
