/**
 * Answers every vector with the modules in crates/keys-api/assets/ck1 and compares:
 * `node ck1_vectors.mjs DIRECTORY`.
 */
import { webcrypto } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import * as ck1 from "../../../keys-api/assets/ck1/index.js";

globalThis.crypto ??= webcrypto; // Node 18

const { attempted, fromHex, toHex, whole } = ck1;

const UNSIGNED = {
  key: ck1.wholeKey,
  presentation: ck1.presentation,
  carried: ck1.carried,
  "carried-answer": ck1.carriedAnswer,
  "journal-entry": ck1.journalEntry,
  "pair-offer": ck1.pairOffer,
  "pair-confirm": ck1.pairConfirm,
  "pair-answer": ck1.pairAnswer,
  frame: ck1.frame,
};

/** Whom the car of a case believes. */
function trustOf(record) {
  const platformRoot = record.platform_root ? fromHex(record.platform_root) : undefined;
  const trust = new ck1.Trust(record.vehicle, record.roots.map(fromHex), platformRoot);
  return trust.addAnchors(record.anchors.map(fromHex));
}

async function decide(record) {
  const parts = {
    key: fromHex(record.key),
    challenge: record.challenge === null ? undefined : fromHex(record.challenge),
    proof: record.proof === null ? undefined : fromHex(record.proof),
    command: record.command,
  };
  const gatewayKey = fromHex(record.gateway_key);
  const { value, refused } = await attempted(() => ck1.checkPresentation(parts, gatewayKey, () => trustOf(record)));
  if (refused) return { decision: "refuse", reasons: [refused] };
  const { key, trust, proof } = value;
  const board = new ck1.StatusBoard(trust, record.known);
  const clock = () => record.clock ?? [board.floor, ck1.UNKNOWN];
  for (const statement of record.statements) {
    await attempted(() => board.hear(fromHex(statement), ...clock()));
  }
  const { command, now, begun, uses, channel, proximity, position, state } = record;
  const [presence, notAfter] = [proof.get(5), proof.get(8)];
  const situation = { command, now, begun, uses, channel, proximity, position, state, presence, notAfter };
  return ck1.decide(key, board, { ...situation, inContact: record.in_contact, clock: clock() });
}

/** A decoded item as vectors print it. */
function tree(item) {
  if (item instanceof Uint8Array) return `h'${toHex(item)}'`;
  if (item instanceof Map) return Object.fromEntries([...item].map(([key, value]) => [String(key), tree(value)]));
  return Array.isArray(item) ? item.map(tree) : item;
}

function mustBeSame(written, read) {
  if (toHex(written) !== toHex(read)) throw new Error("written again it is another");
}

async function readObject({ type, bytes, signer, rest }) {
  const data = fromHex(bytes);
  const { value, refused } = await attempted(async () => {
    if (type in UNSIGNED) {
      whole(data, UNSIGNED[type]);
      const item = whole(data, ck1.anyItem);
      mustBeSame(ck1.encode(item), data);
      return { result: "valid", body: tree(item) };
    }
    const found = ck1.Signed.decode(data, type);
    const [key, under] = [fromHex(signer), fromHex(rest)];
    if (found.kid) await found.signer([key], under);
    else if (!(await found.isSignedBy(key, under))) throw new ck1.Refused("bad-signature");
    mustBeSame(ck1.encode(found.body), found.payload);
    return { result: "valid", id: toHex(await found.id(under)), body: tree(found.body) };
  });
  return value ?? { result: refused };
}

async function hear(record) {
  const board = new ck1.StatusBoard(await trustOf(record), record.known);
  const answers = [];
  for (const statement of record.statements) {
    const { value, refused } = await attempted(() => board.hear(fromHex(statement), ...record.clock));
    answers.push(value ?? refused);
  }
  const seq = (authority) => board.newest(authority)?.seq ?? board.least[authority];
  const revoked = new Set([...board.revoked.owner.keys(), ...board.revoked.platform.keys()]);
  return {
    answers,
    owner_seq: seq("owner"),
    platform_seq: seq("platform"),
    generation: board.generation,
    revoked: [...revoked].sort(),
  };
}

function look({ area, points }) {
  const found = whole(fromHex(area), ck1.area);
  return { result: "valid", inside: points.map((point) => ck1.isInside(found, point)) };
}

function watch({ hours, clocks }) {
  const found = whole(fromHex(hours), ck1.hours);
  return { result: "valid", inside: clocks.map(([lo, hi]) => ck1.areInside(found, lo, hi)) };
}

async function pair(record) {
  const code = ck1.parseCode(record.code);
  if (!code) return { fingerprint: "bad-code", offer: "bad-code", confirm: "bad-code", answer: "bad-code" };
  const offer = whole(fromHex(record.offer), ck1.pairOffer);
  const confirm = whole(fromHex(record.confirm), ck1.pairConfirm);
  const answer = whole(fromHex(record.answer), ck1.pairAnswer);
  const word = (holds, otherwise) => (holds ? "valid" : otherwise);
  return {
    fingerprint: code.fingerprint,
    offer: word(await ck1.isOfferOf(code, offer), "wrong-gateway"),
    confirm: word(await ck1.isMacOf(code, ck1.OWNER, offer, confirm, confirm.get(5)), "wrong-mac"),
    answer: word(await ck1.isMacOf(code, ck1.GATEWAY, offer, confirm, answer.get(1)), "wrong-mac"),
  };
}

async function follow({ vehicle, gateway_key, entries, head }) {
  const { hashes, fault } = await ck1.followJournal(entries.map(fromHex));
  const found = ck1.Signed.decode(fromHex(head), "journal-head");
  const { refused } = await attempted(() => found.signer([fromHex(gateway_key)]));
  const hash = hashes[found.body.get(1)];
  const isOfVehicle = found.body.get(3) === ck1.audOf(vehicle);
  const fits = !refused && isOfVehicle && hash !== undefined && ck1.equal(hash, found.body.get(2));
  return { result: fault ?? "whole", good: hashes.length, head_fits: fits };
}

function end(record) {
  const time = ck1.deadBy(record);
  return time === undefined ? { result: "clock-untrusted" } : { dead_by: time };
}

const ANSWERS = {
  decision: decide, object: readObject, statements: hear, area: look, hours: watch, pairing: pair, journal: follow,
  "dead-by": end,
};

/** The proof and the second link of a vector, signed again from the seeds in the README, are the same bytes. */
async function signAgain(record) {
  const privateKey = (label) => {
    const pkcs8 = fromHex(`302e020100300506032b657004220420${label.repeat(32)}`);
    return crypto.subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, false, ["sign"]);
  };
  const { links } = whole(fromHex(record.key), ck1.wholeKey);
  const parent = await links[0].id(new Uint8Array(32));
  const leaf = await links[1].id(parent);
  mustBeSame(await ck1.sealLink(links[1].body, parent, await privateKey("81")), links[1].bytes);
  const whole1 = whole(fromHex(record.key), ck1.anyItem).slice(0, 1);
  mustBeSame(ck1.appendLink(ck1.encode(whole1), links[1].bytes), fromHex(record.key));
  const proof = ck1.Signed.decode(fromHex(record.proof), "proof");
  mustBeSame(await ck1.sealProof(proof.body, fromHex(record.challenge), leaf, await privateKey("82")), proof.bytes);
  const sent = ck1.encodePresentation(fromHex(record.challenge), fromHex(record.key), proof.bytes);
  mustBeSame(whole(sent, ck1.presentation).proof.bytes, proof.bytes);
}

let [count, wrong, signed] = [0, 0, 0];
const directory = process.argv[2];
for (const name of (await readdir(directory)).filter((name) => name.endsWith(".json")).sort()) {
  const { kind, common, cases } = JSON.parse(await readFile(join(directory, name), "utf8"));
  for (const vector of cases) {
    const record = { ...common, ...vector };
    const found = await ANSWERS[kind](record);
    count += 1;
    if (!isDeepStrictEqual(found, vector.expect)) {
      wrong += 1;
      console.log(`${vector.case}: expected ${JSON.stringify(vector.expect)}, found ${JSON.stringify(found)}`);
    }
    if (vector.case === "0100-2-hops") {
      await signAgain(record);
      signed += 1;
    }
  }
}
console.log(`${count - wrong} of ${count} vectors answered as they say`);
process.exitCode = wrong === 0 && signed === 1 ? 0 : 1;
