/**
 * Signed objects (docs/key-format.md section 2): read, then verified; and sealed, one typed body at a time.
 */
import { KINDS } from "./bodies.js";
import { concat, equal } from "./bytes.js";
import { encode, whole } from "./cbor.js";
import { kidOf, sha256, verify } from "./ed25519.js";
import { blob, map } from "./fields.js";
import { need } from "./refused.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./cbor.js").Reader} Reader */

const ED25519 = -19;
const NONE = new Uint8Array();

const header = map([[1, (/** @type {Reader} */ reader) => need(reader.int() === ED25519, "unsupported")]], [[4, blob(8)]]);

/** A signed object, read and not yet believed. */
export class Signed {
  /**
   * Reads an object that stands alone (then its length comes first) or inside another item.
   * @param {Reader} reader @param {string} kind @param {boolean} [isAlone]
   */
  constructor(reader, kind, isAlone = false) {
    const { context, hasKid, longest, read } = KINDS[kind];
    need(!isAlone || reader.data.length <= longest, "too-large");
    const start = reader.at;
    reader.array(4, 4);
    this.context = new TextEncoder().encode(context);
    this.protected = reader.bytes();
    /** @type {Bytes | undefined} */
    this.kid = whole(this.protected, header).get(4);
    reader.map([]);
    this.payload = reader.bytes();
    this.signature = reader.bytes(64);
    this.bytes = reader.data.subarray(start, reader.at);
    need(this.bytes.length <= longest, "too-large");
    need(hasKid === undefined || hasKid === (this.kid !== undefined));
    this.body = whole(this.payload, read);
  }

  /** @param {Bytes} bytes @param {string} kind */
  static decode(bytes, kind) {
    return whole(bytes, (reader) => new Signed(reader, kind, true));
  }

  /** What was signed. @param {Bytes} [rest] */
  message(rest = NONE) {
    return structure(this.protected, this.context, rest, this.payload);
  }

  /** The object's id. @param {Bytes} [rest] */
  id(rest = NONE) {
    return sha256(this.message(rest));
  }

  /** @param {Bytes} key @param {Bytes} [rest] */
  isSignedBy(key, rest = NONE) {
    return verify(key, this.signature, this.message(rest));
  }

  /**
   * The trusted key that signed, of at most four that the kid names.
   * @param {Bytes[]} keys @param {Bytes} [rest]
   */
  async signer(keys, rest = NONE) {
    const { kid } = this;
    const kids = await Promise.all(keys.map(kidOf));
    const named = keys.filter((_, index) => kid && equal(kids[index], kid)).slice(0, 4);
    need(named.length > 0, "unknown-signer");
    for (const key of named) {
      if (await this.isSignedBy(key, rest)) return key;
    }
    need(false, "bad-signature");
    return NONE;
  }
}

/** @param {Bytes} header @param {Bytes} context @param {Bytes} rest @param {Bytes} payload */
function structure(header, context, rest, payload) {
  return encode(["Signature1", header, concat(context, rest), payload]);
}

/**
 * Signs a body that does not name its signer: a proof, or a later link. The body is read first, so that nothing
 * else can be signed.
 * @param {"proof" | "link"} kind @param {Map<number, any>} body @param {Bytes} rest
 * @param {CryptoKey} privateKey an Ed25519 key, which need not be extractable
 * @returns {Promise<Bytes>}
 */
async function seal(kind, body, rest, privateKey) {
  const { context, longest, read } = KINDS[kind];
  const payload = encode(body);
  whole(payload, read);
  const header = encode(new Map([[1, ED25519]]));
  const message = structure(header, new TextEncoder().encode(context), rest, payload);
  const signature = new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, privateKey, message));
  const sealed = encode([header, new Map(), payload, signature]);
  need(sealed.length <= longest, "too-large");
  return sealed;
}

/**
 * The holder's proof for one challenge and the key that ends in `leaf`.
 * @param {Map<number, any>} body fields in the order of their numbers
 * @param {Bytes} challenge M1 as it came @param {Bytes} leaf id of the last link
 * @param {CryptoKey} privateKey
 */
export async function sealProof(body, challenge, leaf, privateKey) {
  return seal("proof", body, concat(await sha256(challenge), leaf), privateKey);
}

/**
 * A link that passes a key on.
 * @param {Map<number, any>} claims fields in their order, without `aud`
 * @param {Bytes} parent id of the last link @param {CryptoKey} privateKey
 */
export async function sealLink(claims, parent, privateKey) {
  return seal("link", claims, parent, privateKey);
}
