/**
 * ck1 in plain JavaScript: what the renter page, or any page, needs to read keys, check challenges and receipts, and
 * sign proofs. Written from docs/key-format.md; WebCrypto only, no dependencies, runs in browsers and Node 20.
 */
export { area, distance, isInside } from "./area.js";
export { StatusBoard } from "./board.js";
export * from "./bytes.js";
export { anyItem, encode, Reader, whole } from "./cbor.js";
export { DigitalKey, Trust } from "./chain.js";
export { checkPresentation, isOurs } from "./check.js";
export { deadBy, decide } from "./decide.js";
export { isUsable, sha256 } from "./ed25519.js";
export { COMMANDS, UNKNOWN } from "./fields.js";
export { areInside, hasKnownZone, hours } from "./hours.js";
export { appendLink, encodePresentation, link, presentation, wholeKey } from "./key.js";
export {
  GATEWAY, isMacOf, isOfferOf, OWNER, pairAnswer, pairConfirm, pairOffer, parseCode, sealConfirm,
} from "./pairing.js";
export { attempted, CODES, Refused } from "./refused.js";
export { sealLink, sealProof, Signed } from "./signed.js";
export { CARRIED, carried, carriedAnswer, followJournal, frame, journalEntry } from "./unsigned.js";
