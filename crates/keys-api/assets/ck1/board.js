/**
 * What a car knows of revocation: the newest statement of every signer, and all that was ever denied
 * (docs/key-format.md section 7).
 */
import { DAY, LISTS } from "./bodies.js";
import { equal, toHex } from "./bytes.js";
import { SIGN_STATUS, UNKNOWN } from "./fields.js";
import { attempted, need } from "./refused.js";
import { Signed } from "./signed.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./chain.js").DigitalKey} DigitalKey */
/** @typedef {"owner" | "platform"} Authority */
/**
 * A statement that was taken; ids in hex.
 * @typedef {object} Word
 * @property {string} signer
 * @property {string} id
 * @property {number} issuedAt
 * @property {number} seq
 * @property {number} generation
 * @property {string[]} revoked
 * @property {string[]} suspended
 * @property {[number, Bytes] | undefined} ownerWord
 * @property {DigitalKey | undefined} statusLink
 * @property {number} freshUntil
 */

/** @param {Bytes} id */
const shortOf = (id) => toHex(id.subarray(0, 16));

/**
 * @param {Signed} found @param {Bytes} signer @param {DigitalKey} [statusLink]
 * @returns {Promise<Word>}
 */
async function wordOf(found, signer, statusLink) {
  const lists = found.body.get(LISTS);
  return {
    signer: toHex(signer),
    id: toHex(await found.id()),
    issuedAt: found.body.get(6),
    seq: lists.get(1),
    generation: lists.get(2),
    revoked: lists.get(3).map(toHex),
    suspended: (lists.get(5) ?? []).map(toHex),
    ownerWord: lists.get(4),
    statusLink,
    freshUntil: statusLink ? Math.min(found.body.get(4), statusLink.until) : UNKNOWN,
  };
}

/** @param {Word[]} words @returns {Word | undefined} */
function newest(words) {
  return [...words].sort((one, two) => one.issuedAt - two.issuedAt || one.seq - two.seq).at(-1);
}

export class StatusBoard {
  /**
   * @param {import("./chain.js").Trust} trust
   * @param {{ owner_seq: number, platform_seq: number, generation: number }} known what was seen before
   */
  constructor(trust, known) {
    this.trust = trust;
    this.generation = known.generation;
    /** The latest iat of any statement taken. */
    this.floor = 0;
    /** @type {Record<Authority, number>} */
    this.least = { owner: known.owner_seq, platform: known.platform_seq };
    /** @type {Record<Authority, Map<string, Word>>} by signer */
    this.words = { owner: new Map(), platform: new Map() };
    /** @type {Record<Authority, Map<string, number>>} until when each id is remembered */
    this.revoked = { owner: new Map(), platform: new Map() };
  }

  /**
   * Takes a statement, or is refused and unchanged.
   * @param {Bytes} bytes @param {number} lo @param {number} hi
   * @returns {Promise<"new" | "known">}
   */
  async hear(bytes, lo, hi) {
    const found = Signed.decode(bytes, "statement");
    need(found.body.get(3) === this.trust.aud, "wrong-vehicle");
    /** @type {Authority} */
    const authority = found.body.has(4) ? "platform" : "owner";
    const word =
      authority === "owner"
        ? await wordOf(found, await found.signer(this.trust.owners))
        : await this.fromStatusKey(found, lo, hi);
    need(hi === UNKNOWN || word.issuedAt <= hi + 600, "not-yet-valid");
    const held = this.words[authority].get(word.signer);
    need(word.seq >= Math.max(this.least[authority], held?.seq ?? 0), "statement-too-old");
    if (held?.seq === word.seq) {
      need(held.id === word.id, "replayed");
      return "known";
    }
    this.words[authority].set(word.signer, word);
    this.deny(authority, word);
    if (hi !== UNKNOWN) this.forget(lo);
    return "new";
  }

  /** @param {Authority} authority @param {Word} word */
  deny(authority, word) {
    this.floor = Math.max(this.floor, word.issuedAt);
    this.generation = Math.max(this.generation, word.generation);
    const revoked = this.revoked[authority];
    const until = authority === "owner" ? UNKNOWN : word.issuedAt + 92 * DAY;
    for (const id of word.revoked) revoked.set(id, Math.max(until, revoked.get(id) ?? 0));
  }

  /** Forgets what status keys revoked where no link can live any more. @param {number} lo */
  forget(lo) {
    const words = [...this.words.owner.values(), ...this.words.platform.values()];
    const kept = new Set([...this.revoked.owner.keys(), ...words.flatMap((word) => word.revoked)]);
    for (const [id, until] of this.revoked.platform) {
      if (until <= lo && !kept.has(id)) this.revoked.platform.delete(id);
    }
  }

  /** @param {Signed} found @param {number} lo @param {number} hi */
  async fromStatusKey(found, lo, hi) {
    const links = [...this.trust.anchors.values()].filter((key) => key.rights === SIGN_STATUS);
    const signer = await found.signer(links.map((key) => key.holder));
    need(found.body.get(LISTS).get(2) === 0);
    let refusal = "unknown-signer";
    /** @type {DigitalKey | undefined} */
    let best;
    for (const link of links.filter((key) => equal(key.holder, signer))) {
      const { refused } = await attempted(() => this.checkStatusLink(link, found.body.get(6), lo, hi));
      if (refused) refusal = refused;
      else if (!best || best.until < link.until) best = link;
    }
    need(best, refusal);
    return wordOf(found, signer, best);
  }

  /** @param {DigitalKey} link @param {number} issuedAt @param {number} lo @param {number} hi */
  checkStatusLink(link, issuedAt, lo, hi) {
    need(Math.max(issuedAt, hi === UNKNOWN ? lo : hi) < link.until, "expired");
    need(hi === UNKNOWN || lo >= link.from, "not-yet-valid");
    need(!this.revoked.owner.has(shortOf(link.leaf)), "revoked");
    need(link.items.get(5) >= this.generation, "old-generation");
  }

  /** Whether the status key's link is neither revoked by an owner nor of an old generation. @param {Word} word */
  stands({ statusLink }) {
    if (!statusLink) return true;
    return !this.revoked.owner.has(shortOf(statusLink.leaf)) && statusLink.items.get(5) >= this.generation;
  }

  /** The latest word of an authority. @param {Authority} authority */
  newest(authority) {
    return newest([...this.words[authority].values()]);
  }

  /** The words that suspend: of signers the owner has not ended, or of all if none is left. @param {Authority} authority */
  suspending(authority) {
    const words = [...this.words[authority].values()];
    const standing = words.filter((word) => this.stands(word));
    return standing.length > 0 ? standing : words;
  }

  /** @param {Word} word @param {number} moment */
  isFresh(word, moment) {
    if (moment >= word.freshUntil || !this.stands(word)) return false;
    if (!word.ownerWord) return true;
    const [seq, id] = word.ownerWord;
    const owners = [...this.words.owner.values()];
    if (owners.length === 0) return this.least.owner >= seq;
    return owners.some((own) => own.seq > seq || (own.seq === seq && own.id.startsWith(toHex(id))));
  }

  /**
   * Age of the newest fresh statement that speaks for a key.
   * @param {DigitalKey} key @param {number} moment
   * @returns {number | undefined}
   */
  age(key, moment) {
    const words = [...this.words.platform.values()].filter((word) => this.isFresh(word, moment));
    if (!key.hasMandate) words.push(...this.words.owner.values());
    const word = newest(words);
    return word && Math.max(0, moment - word.issuedAt);
  }

  /** `revoked` and `suspended`, as far as they hold for a key. @param {DigitalKey} key @returns {string[]} */
  denials(key) {
    /** @type {Authority[]} */
    const speakers = key.hasMandate ? ["owner", "platform"] : ["owner"];
    return speakers.flatMap((authority) => {
      const ids = key.links.slice(authority === "platform" ? 1 : 0).map(shortOf);
      const suspended = this.suspending(authority).flatMap((word) => word.suspended);
      const codes = [];
      if (ids.some((id) => this.revoked[authority].has(id))) codes.push("revoked");
      if (ids.some((id) => suspended.includes(id))) codes.push("suspended");
      return codes;
    });
  }
}
