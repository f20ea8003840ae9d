/**
 * Keys and presentations as they travel (docs/key-format.md sections 4 and 8).
 */
import { POLICY } from "./bodies.js";
import { concat } from "./bytes.js";
import { encode } from "./cbor.js";
import { need } from "./refused.js";
import { Signed } from "./signed.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./cbor.js").Reader} Reader */
/** @typedef {{ anchor: Bytes | undefined, links: Signed[] }} UnverifiedKey */
/** @typedef {{ challenge: Signed, key?: UnverifiedKey, leaf?: Bytes, proof: Signed }} Presentation */

const LINKS = 5;
const KEY_BYTES = 2_560;
export const PRESENTATION_BYTES = 4_096;

/**
 * A link, with what its place demands of header and claims; without `isFirst` the kid tells.
 * @param {Reader} reader @param {boolean} [isFirst] @param {boolean} [isAlone]
 */
export function link(reader, isFirst, isAlone = false) {
  const found = new Signed(reader, "link", isAlone);
  const hasKid = found.kid !== undefined;
  need((isFirst ?? hasKid) === hasKid && hasKid === found.body.has(3));
  need(hasKid || !found.body.get(POLICY).has(5));
  return found;
}

/** @type {import("./cbor.js").Read<UnverifiedKey>} */
export function key(reader) {
  const start = reader.at;
  const count = reader.array(1, LINKS, "too-large");
  const anchor = reader.isBytes() ? reader.bytes(32) : undefined;
  const links = [];
  for (let index = anchor ? 1 : 0; index < count; index++) links.push(link(reader, index === 0));
  need(reader.at - start <= KEY_BYTES, "too-large");
  return { anchor, links };
}

/** A key that stands alone. @type {import("./cbor.js").Read<UnverifiedKey>} */
export function wholeKey(reader) {
  need(reader.data.length <= KEY_BYTES, "too-large");
  return key(reader);
}

/** @type {import("./cbor.js").Read<Presentation>} */
export function presentation(reader) {
  need(reader.data.length <= PRESENTATION_BYTES, "too-large");
  reader.array(4, 4);
  need(reader.uint() === 1, "unsupported");
  const challenge = new Signed(reader, "challenge");
  const held = reader.isBytes() ? { leaf: reader.bytes(32) } : { key: key(reader) };
  return { challenge, ...held, proof: new Signed(reader, "proof") };
}

/**
 * M2 from its parts; `key` is an encoded key, or the id of a leaf the gateway has verified before.
 * @param {Bytes} challenge @param {Bytes | { leaf: Bytes }} key @param {Bytes} proof
 */
export function encodePresentation(challenge, key, proof) {
  const item = key instanceof Uint8Array ? key : encode(key.leaf);
  return concat(Uint8Array.of(0x84, 1), challenge, item, proof);
}

/**
 * The key with one link more.
 * @param {Bytes} key of one to four items @param {Bytes} link
 */
export function appendLink(key, link) {
  need(key[0] > 0x80 && key[0] < 0x80 + LINKS, "too-large");
  return concat(Uint8Array.of(key[0] + 1), key.subarray(1), link);
}
