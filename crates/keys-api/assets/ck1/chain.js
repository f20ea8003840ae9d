/**
 * From links to what they give: signatures from the owner down, every link inside its parent
 * (docs/key-format.md sections 4, 5 and 9).
 */
import { DAY, NO_LIMIT, POLICY } from "./bodies.js";
import { audOf, equal, toHex } from "./bytes.js";
import { MOST, whole } from "./cbor.js";
import { isUsable } from "./ed25519.js";
import { SIGN_STATUS } from "./fields.js";
import { link } from "./key.js";
import { Refused, attempted, need } from "./refused.js";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./signed.js").Signed} Signed */
/** @typedef {import("./area.js").Area} Area */
/** @typedef {import("./hours.js").Hours} Hours */

const NO_PARENT = new Uint8Array(32);
const DEFAULTS = new Map([[4, DAY], [5, 0], [6, 0], [7, 0], [12, 0], [13, 0], [14, 0]]);

/** A key whose every signature holds and whose every link lies inside its parent. */
export class DigitalKey {
  /**
   * @param {DigitalKey | undefined} parent @param {Signed} found @param {Bytes} id @param {Trust} trust
   */
  constructor(parent, found, id, trust) {
    const { body } = found;
    /** @type {Map<number, any>} */
    const items = body.get(POLICY);
    /** Ids of the links, from the owner. */
    this.links = [...(parent?.links ?? []), id];
    /** @type {number} */
    this.from = body.get(5);
    /** @type {number} */
    this.until = body.get(4);
    /** @type {Bytes} */
    this.holder = body.get(8).get(1).get(-2);
    this.isOwnerDevice = trust.owners.some((owner) => equal(owner, this.holder));
    this.hasMandate = parent?.hasMandate ?? false;
    /** @type {Bytes | undefined} */
    this.grant = body.get(7) ?? parent?.grant;
    const inherited = parent?.items ?? DEFAULTS;
    /** The policy items that hold: stated, inherited or default. @type {Map<number, any>} */
    this.items = new Map([...inherited, ...items]);
    this.items.set(13, inherited.get(13) | (items.get(13) ?? 0));
    /** @type {Area[]} */
    this.areas = [...(parent?.areas ?? []), ...(items.get(3) ?? [])];
    /** One list for each link that states any. @type {Area[][]} */
    this.returnAreas = [...(parent?.returnAreas ?? []), ...(items.has(15) ? [items.get(15)] : [])];
    /** @type {Hours[]} */
    this.hours = [...(parent?.hours ?? []), ...(items.has(8) ? [items.get(8)] : [])];
    const limits = [...(parent?.useLimits ?? []), ...(items.has(9) ? [{ grant: undefined, most: items.get(9) }] : [])];
    /** @type {{ grant: Bytes | undefined, most: number }[]} */
    this.useLimits = limits.map(({ grant, most }) => ({ grant: grant ?? this.grant, most }));
  }

  /** Id of the last link. */
  get leaf() {
    return this.links[this.links.length - 1];
  }

  /** @returns {number} */
  get rights() {
    return this.items.get(1);
  }

  /** @param {Signed} found @param {Trust} trust */
  static async first(found, trust) {
    const items = found.body.get(POLICY);
    need(found.body.get(3) === trust.aud, "wrong-vehicle");
    const isStatus = items.get(1) === SIGN_STATUS;
    await found.signer(isStatus ? trust.platformRoots : trust.owners, NO_PARENT);
    need(isStatus ? items.get(2) === 0 : !(items.get(1) & SIGN_STATUS), "widened");
    const key = new DigitalKey(undefined, found, await found.id(NO_PARENT), trust);
    key.hasMandate = !isStatus && trust.platformRoots.some((root) => equal(root, key.holder));
    const isLimited = items.has(10) && (items.get(4) ?? NO_LIMIT) !== NO_LIMIT;
    need(!key.hasMandate || isLimited, "mandate-exceeded");
    key.checkWindow(key.hasMandate);
    return key.checkRest();
  }

  /** @param {Signed} found @param {Trust} trust */
  async extend(found, trust) {
    need(await found.isSignedBy(this.holder, this.leaf), "bad-signature");
    const key = new DigitalKey(this, found, await found.id(this.leaf), trust);
    key.checkWindow(false);
    need(key.links.length <= 5, "too-large");
    need(this.from <= key.from && key.until <= this.until, "widened");
    need(!this.isWidenedBy(found.body.get(POLICY)), "widened");
    key.items.set(7, Math.min(key.items.get(7), 1));
    return key.checkRest();
  }

  /** @param {Map<number, any>} items */
  isWidenedBy(items) {
    const rights = items.get(1);
    return (
      (rights & ~this.rights) !== 0 ||
      (rights & SIGN_STATUS) !== 0 ||
      items.get(2) >= this.items.get(2) ||
      items.get(7) === 2 ||
      [4, 7, 10, 11, 12].some((item) => (items.get(item) ?? 0) > (this.items.get(item) ?? MOST)) ||
      [6, 14].some((item) => (items.get(item) ?? MOST) < this.items.get(item))
    );
  }

  /** @param {boolean} isMandate */
  checkWindow(isMandate) {
    const days = isMandate || this.isOwnerDevice ? 400 : 92;
    need(this.until - this.from <= days * DAY, "widened");
  }

  checkRest() {
    need(this.areas.length <= 8 && this.returnAreas.flat().length <= 8, "too-large");
    need(isUsable(this.holder));
    return this;
  }
}

/** Whom a car believes: owner keys, platform root, and the anchors verified under them. */
export class Trust {
  /** @param {string} vehicle UUID @param {Bytes[]} owners @param {Bytes} [platformRoot] */
  constructor(vehicle, owners, platformRoot) {
    this.aud = audOf(vehicle);
    this.owners = owners;
    this.platformRoots = platformRoot ? [platformRoot] : [];
    /** @type {Map<string, DigitalKey>} by the id in hex */
    this.anchors = new Map();
  }

  /** Stores links in whatever order they came; those that do not verify are left out. @param {Bytes[]} links */
  async addAnchors(links) {
    for (let waiting = links, before = -1; waiting.length !== before; ) {
      before = waiting.length;
      const left = [];
      for (const bytes of waiting) {
        if (!(await this.addAnchor(bytes))) left.push(bytes);
      }
      waiting = left;
    }
    return this;
  }

  /** @param {Bytes} bytes */
  async addAnchor(bytes) {
    const { value: found } = await attempted(() => whole(bytes, (reader) => link(reader, undefined, true)));
    if (!found) return false;
    for (const parent of found.kid ? [undefined] : this.anchors.values()) {
      const { value: key } = await attempted(() => this.follow(parent, found));
      if (key) {
        this.anchors.set(toHex(key.leaf), key);
        return true;
      }
    }
    return false;
  }

  /** @param {DigitalKey | undefined} parent @param {Signed} found */
  follow(parent, found) {
    return parent ? parent.extend(found, this) : DigitalKey.first(found, this);
  }

  /**
   * Verifies a key from the owner down.
   * @param {import("./key.js").UnverifiedKey} unverified
   * @returns {Promise<DigitalKey>}
   */
  async verify({ anchor, links }) {
    let key = anchor && this.anchors.get(toHex(anchor));
    need(!anchor || key, "unknown-signer");
    need(!key || key.links.length + links.length <= 5, "too-large");
    for (const found of links) key = await this.follow(key, found);
    if (!key?.grant) throw new Refused();
    return key;
  }
}
