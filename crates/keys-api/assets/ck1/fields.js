/**
 * Values that occur in several objects, each as a function that reads it.
 */
import { compare, fromBase64url } from "./bytes.js";
import { MOST } from "./cbor.js";
import { isUsable } from "./ed25519.js";
import { CODES, need } from "./refused.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./cbor.js").Reader} Reader */
/**
 * @template T
 * @typedef {import("./cbor.js").Read<T>} Read
 */

/** Nothing bounds the time from above; also the latest time there is. */
export const UNKNOWN = 2 ** 40 - 1;

/** The command numbers, which are the entitlement bits. */
export const COMMANDS = Object.freeze({
  unlock: 0, lock: 1, enable_driving: 2, open_trunk: 3, charge_port: 4, locate: 6,
});
export const REMOTE = 1 << 5;
export const SIGN_STATUS = 1 << 7;

/** @param {number} [most] @param {number} [least] @returns {Read<number>} */
export const number = (most = MOST, least = 0) => (reader) => reader.uint(most, least);
/** @param {number} [size] @returns {Read<Bytes>} */
export const blob = (size) => (reader) => reader.bytes(size);
/** @param {number} most @returns {Read<string>} */
export const text = (most) => (reader) => reader.text(most);
/**
 * @template T
 * @param {number} least @param {number} most @param {Read<T>} item @param {string} [code]
 * @returns {Read<T[]>}
 */
export const listed = (least, most, item, code) => (reader) => reader.list(least, most, item, code);
/** @param {Read<any>[]} items @returns {Read<any[]>} */
export const tuple = (...items) => (reader) => reader.tuple(...items);
/** @param {[number, Read<any>][]} required @param {[number, Read<any>][]} [optional] @returns {Read<Map<number, any>>} */
export const map = (required, optional) => (reader) => reader.map(required, optional);

export const flag = number(1);
export const time = number(UNKNOWN);
export const id = blob(32);
export const short = blob(16);
export const versions = listed(1, 4, number());
export const seqs = tuple(number(), number(), number());

/** A vehicle's id in text form. @type {Read<string>} */
export function aud(reader) {
  const found = reader.text(22);
  need(found.length === 22 && fromBase64url(found)?.length === 16);
  return found;
}

/** @type {Read<number>} */
export function command(reader) {
  const bit = reader.uint();
  need(Object.values(COMMANDS).some((known) => known === bit));
  return bit;
}

/** @type {Read<string>} */
export function code(reader) {
  const found = reader.text(32);
  need(CODES.includes(found));
  return found;
}

/** Codes in their order, none twice. @type {Read<string[]>} */
export function codes(reader) {
  const found = reader.list(0, CODES.length, code);
  const places = found.map((one) => CODES.indexOf(one));
  need(places.every((place, index) => index === 0 || places[index - 1] < place));
  return found;
}

/** Short ids, strictly ascending. @type {Read<Bytes[]>} */
export function ids(reader) {
  const found = reader.list(0, 64, short, "too-large");
  need(found.every((one, index) => index === 0 || compare(found[index - 1], one) < 0));
  return found;
}

/** @type {Read<Bytes>} */
export function publicKey(reader) {
  const key = reader.bytes(32);
  need(isUsable(key));
  return key;
}

/** @type {Read<number>} */
export const latitude = (reader) => reader.int(900_000_000);
/** @type {Read<number>} */
export const longitude = (reader) => reader.int(1_800_000_000);
export const point = tuple(latitude, longitude);
