/**
 * Deterministic CBOR (docs/key-format.md section 1): read from front to back, every other encoding refused
 * where it stands; and written.
 */
import { compare, concat } from "./bytes.js";
import { Refused, need } from "./refused.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {number | string | Bytes | any[] | Map<number, any>} Item */
/**
 * Reads one value.
 * @template T
 * @typedef {(reader: Reader) => T} Read
 */

/** The largest integer an object may carry. */
export const MOST = Number.MAX_SAFE_INTEGER;

/** The least value that needs a head of each longer form. */
const LEAST = [24n, 1n << 8n, 1n << 16n, 1n << 32n];

export class Reader {
  /** @param {Bytes} data */
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  /** @param {number} count */
  take(count) {
    need(count <= this.data.length - this.at);
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  /** Whether the next item is a byte string. */
  isBytes() {
    return this.at < this.data.length && this.data[this.at] >> 5 === 2;
  }

  /**
   * A head of one of these major types, in its shortest form. Arguments above 2^53 − 1 refuse.
   * @param {number[]} majors
   * @returns {[number, number]}
   */
  head(...majors) {
    const first = this.take(1)[0];
    const [major, info] = [first >> 5, first & 0x1f];
    need(majors.includes(major) && info < 28);
    if (info < 24) return [major, info];
    const value = this.take(1 << (info - 24)).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    need(value >= LEAST[info - 24]);
    // Beyond this no number is allowed and no length is there.
    need(value <= MOST);
    return [major, Number(value)];
  }

  /** @param {number} [most] @param {number} [least] */
  uint(most = MOST, least = 0) {
    const [, value] = this.head(0);
    need(least <= value && value <= most);
    return value;
  }

  /** An integer from -bound to bound. @param {number} [bound] */
  int(bound = MOST) {
    const [major, argument] = this.head(0, 1);
    need(argument <= bound - major);
    return major === 0 ? argument : -1 - argument;
  }

  /** @param {number} [size] */
  bytes(size) {
    const [, length] = this.head(2);
    const value = this.take(length);
    need(size === undefined || length === size);
    return value;
  }

  /** Text of at most so many bytes. @param {number} most */
  text(most) {
    const [, length] = this.head(3);
    need(length <= most);
    const bytes = this.take(length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Refused();
    }
  }

  /** The number of items of a list. @param {number} least @param {number} most @param {string} [code] */
  array(least, most, code = "malformed") {
    const [, count] = this.head(4);
    need(count <= most, code);
    need(count >= least);
    return count;
  }

  /**
   * @template T
   * @param {number} least @param {number} most @param {Read<T>} item @param {string} [code]
   * @returns {T[]}
   */
  list(least, most, item, code = "malformed") {
    const found = [];
    for (let left = this.array(least, most, code); left > 0; left--) found.push(item(this));
    return found;
  }

  /** @param {Read<any>[]} items @returns {any[]} */
  tuple(...items) {
    this.array(items.length, items.length);
    return items.map((item) => item(this));
  }

  /**
   * A map whose values are read by the functions of two tables.
   * @param {[number, Read<any>][]} required
   * @param {[number, Read<any>][]} [optional]
   * @returns {Map<number, any>}
   */
  map(required, optional = []) {
    const table = new Map([...required, ...optional]);
    const found = new Map();
    let last = new Uint8Array();
    for (let [, left] = this.head(5); left > 0; left--) {
      const start = this.at;
      const key = this.int();
      const encoded = this.data.slice(start, this.at);
      const read = table.get(key);
      need(compare(encoded, last) > 0 && read);
      last = encoded;
      found.set(key, read(this));
    }
    need(required.every(([key]) => found.has(key)));
    return found;
  }
}

/**
 * Reads all of the bytes as one value.
 * @template T
 * @param {Bytes} data @param {Read<T>} read
 * @returns {T}
 */
export function whole(data, read) {
  const reader = new Reader(data);
  const value = read(reader);
  need(reader.at === data.length);
  return value;
}

/** Any item; for display, it follows no format. @type {Read<Item>} */
export function anyItem(reader) {
  const [major, argument] = reader.head(0, 1, 2, 3, 4, 5);
  if (major === 0) return argument;
  if (major === 1) return -1 - argument;
  if (major === 2) return reader.take(argument);
  if (major === 3) return new TextDecoder().decode(reader.take(argument));
  /** @type {Item[]} */
  const items = [];
  /** @type {Map<number, Item>} */
  const entries = new Map();
  for (let left = argument; left > 0; left--) {
    if (major === 4) items.push(anyItem(reader));
    else entries.set(reader.int(), anyItem(reader));
  }
  return major === 4 ? items : entries;
}

/** @param {number} major @param {number} argument */
function head(major, argument) {
  if (argument < 24) return Uint8Array.of((major << 5) | argument);
  const info = LEAST.findLastIndex((least) => BigInt(argument) >= least);
  const bytes = Array.from({ length: 1 << info }, (_, index) => Number((BigInt(argument) >> BigInt(8 * index)) & 0xffn));
  return Uint8Array.of((major << 5) | (24 + info), ...bytes.reverse());
}

/** Encodes an item; the entries of a map in their order. @param {Item} item @returns {Bytes} */
export function encode(item) {
  if (typeof item === "number") return item < 0 ? head(1, -1 - item) : head(0, item);
  if (item instanceof Uint8Array) return concat(head(2, item.length), item);
  if (typeof item === "string") {
    const bytes = new TextEncoder().encode(item);
    return concat(head(3, bytes.length), bytes);
  }
  if (Array.isArray(item)) return concat(head(4, item.length), ...item.map(encode));
  const entries = [...item].flatMap(([key, value]) => [encode(key), encode(value)]);
  return concat(head(5, item.size), ...entries);
}
