/**
 * What travels without a signature of its own (docs/key-format.md sections 8, 13 and 14), and following a journal.
 */
import { equal } from "./bytes.js";
import { whole } from "./cbor.js";
import { sha256 } from "./ed25519.js";
import { aud, blob, code, codes, command, flag, id, listed, number, seqs, short, text, time, versions } from "./fields.js";
import { CODES, need } from "./refused.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */

/**
 * @template T
 * @typedef {import("./cbor.js").Read<T>} Read
 */
/** @typedef {{ kind: number, object: Bytes, challenge?: Bytes }} Carried */

/** Kinds of carried objects. */
export const CARRIED = Object.freeze({ bundle: 1, anchor: 2, statement: 3, time: 4, journal_ack: 5 });

/** @type {Read<Carried>} */
export function carried(reader) {
  need(reader.data.length <= 3_072, "too-large");
  const count = reader.array(3, 4);
  need(reader.uint() === 1, "unsupported");
  const kind = reader.uint(5, 1);
  const object = reader.bytes();
  need(object.length <= 2_048, "too-large");
  need((count === 4) === (kind === CARRIED.time));
  return count === 4 ? { kind, object, challenge: reader.bytes() } : { kind, object };
}

/** The code a carried object was refused with; `undefined` if it was taken. @type {Read<string | undefined>} */
export function carriedAnswer(reader) {
  const found = reader.map([[1, flag]], [[2, code]]);
  need((found.get(1) === 0) === found.has(2));
  return found.get(2);
}

/** @type {Read<Map<number, any>>} */
export function journalEntry(reader) {
  need(reader.data.length <= 1_536, "too-large");
  return reader.map(
    [[1, number()], [2, id], [3, number(4)], [4, time], [5, flag], [6, listed(0, 5, id)]],
    [[7, short], [8, command], [9, number(2)], [10, codes], [11, id], [12, text(128)], [13, number()]],
  );
}

/**
 * Follows a chain of entries as far as it is whole.
 * @param {Bytes[]} entries
 * @returns {Promise<{ hashes: Bytes[], fault?: "malformed" | "misplaced" | "broken" }>}
 */
export async function followJournal(entries) {
  /** @type {Bytes[]} */
  const hashes = [];
  for (const bytes of entries) {
    let entry;
    try {
      entry = whole(bytes, journalEntry);
    } catch {
      return { hashes, fault: "malformed" };
    }
    if (entry.get(1) !== hashes.length) return { hashes, fault: "misplaced" };
    if (!equal(entry.get(2), hashes.at(-1) ?? new Uint8Array(32))) return { hashes, fault: "broken" };
    hashes.push(await sha256(bytes));
  }
  return { hashes };
}

/** @type {Read<Bytes | string>} */
const objectOrCode = (reader) => (reader.isBytes() ? reader.bytes() : code(reader));

/** @type {Read<string>} */
function codeOrNothing(reader) {
  const found = reader.text(32);
  need(found === "" || CODES.includes(found));
  return found;
}

/** @type {Read<Bytes>} */
function nonceOrNothing(reader) {
  const found = reader.bytes();
  need(found.length === 0 || found.length === 16);
  return found;
}

/** What follows the type of a frame. @type {Map<number, Read<any>[]>} */
const FRAMES = new Map([
  [1, [aud, short, versions]], [2, [short]], [3, [blob()]], [4, []], [10, [number(), blob()]],
  [11, [number(), codeOrNothing, seqs]], [12, [number(), nonceOrNothing]], [13, [number(), objectOrCode]],
  [14, [number(), blob()]], [15, [number(), objectOrCode, flag]], [20, [number(), blob()]], [21, [number(), blob()]],
  [30, [number(), blob()]], [31, [number()]], [32, [blob()]], [33, [text(8_192)]],
]);

/** A frame between gateway and API: its type and items. @type {Read<any[]>} */
export function frame(reader) {
  need(reader.data.length <= 16_384, "too-large");
  const [, count] = reader.head(4);
  const type = reader.uint();
  const items = FRAMES.get(type);
  need(items && count === 1 + items.length);
  return [type, ...items.map((item) => item(reader))];
}
