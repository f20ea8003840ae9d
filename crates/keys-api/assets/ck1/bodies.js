/**
 * The bodies of signed objects (docs/key-format.md sections 4, 6, 7, 8 and 13). A decoded body is a `Map` of its
 * numbered fields.
 */
import { area } from "./area.js";
import {
  aud, blob, codes, command, flag, id, ids, listed, map, number, point, publicKey, seqs, short, text, time, tuple,
  versions,
} from "./fields.js";
import { hours } from "./hours.js";
import { need } from "./refused.js";

/**
 * @template T
 * @typedef {import("./cbor.js").Read<T>} Read
 */
/** @typedef {Map<number, any>} Body */
/** @typedef {{ context: string, hasKid: boolean | undefined, longest: number, read: Read<Body> }} Kind */

export const POLICY = -65537;
export const LISTS = -65538;
const BOOKING = -65539;
const BUNDLE = -65540;
/** Policy 4: none. */
export const NO_LIMIT = 2 ** 32 - 1;
/** Policy 11 at its longest, and where no link states one. */
export const BEGUN_LIMIT = 259_200;
export const DAY = 86_400;

const areas = listed(1, 8, area, "too-large");
const policy = map(
  [[1, number(255)], [2, number(4)]],
  [
    [3, areas], [4, number(NO_LIMIT, 900)], [5, number()], [6, number(3)], [7, number(2)], [8, hours], [9, number()],
    [10, number()], [11, number(BEGUN_LIMIT, 900)], [12, number(DAY)], [13, number(3)], [14, number(2)], [15, areas],
  ],
);
const cnf = map([[1, map([[1, number(1, 1)], [-1, number(6, 6)], [-2, id]])]]);

/** @type {Read<Body>} */
function claims(reader) {
  const found = reader.map([[4, time], [5, time], [8, cnf], [POLICY, policy]], [[3, aud], [7, blob(8)], [BOOKING, short]]);
  need(found.get(5) < found.get(4));
  return found;
}

/** @type {Read<Body>} */
function proof(reader) {
  const found = reader.map([[1, command], [2, time], [5, number(2)], [7, short], [8, time]], [[3, id], [4, id], [9, point]]);
  const life = found.get(8) - found.get(2);
  need(0 <= life && life <= 30 && !found.has(4));
  return found;
}

/** @type {Read<Body>} */
function challenge(reader) {
  const found = reader.map(
    [
      [1, short], [2, aud], [4, id], [5, tuple(time, time)], [6, blob(8)], [7, seqs], [8, number(300_000)],
      [9, versions], [11, number()],
    ],
    [[3, short], [10, text(256)]],
  );
  const [lo, hi] = found.get(5);
  need(lo <= hi);
  return found;
}

const status = map([[1, number()], [2, number()], [3, ids]], [[4, tuple(number(), short)], [5, ids]]);
const trust = map(
  [[1, number()], [2, listed(1, 4, publicKey)], [4, publicKey], [5, flag], [6, number()], [7, flag]],
  [[3, publicKey], [8, text(256)]],
);
const receipt = map(
  [
    [1, listed(1, 5, id)], [2, command], [3, aud], [4, short], [5, flag], [6, codes], [8, id], [9, tuple(number(), id)],
    [10, time], [11, flag],
  ],
  [[7, number(2)], [12, id]],
);

/** @type {Readonly<Record<string, Kind>>} */
export const KINDS = Object.freeze({
  link: { context: "ck1:link", hasKid: undefined, longest: 640, read: claims },
  proof: { context: "ck1:pop\0", hasKid: false, longest: 320, read: proof },
  challenge: { context: "ck1:chal", hasKid: true, longest: 768, read: challenge },
  statement: { context: "ck1:rev\0", hasKid: true, longest: 2_048, read: map([[3, aud], [6, time], [LISTS, status]], [[4, time]]) },
  bundle: { context: "ck1:bndl", hasKid: true, longest: 2_048, read: map([[3, aud], [6, time], [BUNDLE, trust]]) },
  time: { context: "ck1:time", hasKid: true, longest: 256, read: map([[1, time]]) },
  receipt: { context: "ck1:rcpt", hasKid: true, longest: 1_536, read: receipt },
  "journal-head": { context: "ck1:jrnl", hasKid: true, longest: 320, read: map([[1, number()], [2, id], [3, aud], [10, time]]) },
  "sync-hello": { context: "ck1:sync", hasKid: true, longest: 256, read: map([[1, versions], [3, aud], [7, seqs]]) },
});
