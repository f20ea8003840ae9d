/**
 * May this key do this, here and now? All reasons at once (docs/key-format.md sections 9 to 11).
 */
import { isInside } from "./area.js";
import { BEGUN_LIMIT, NO_LIMIT } from "./bodies.js";
import { toHex } from "./bytes.js";
import { COMMANDS, REMOTE, UNKNOWN } from "./fields.js";
import { areInside, hasKnownZone } from "./hours.js";
import { CODES } from "./refused.js";

/** @typedef {import("./chain.js").DigitalKey} DigitalKey */
/** @typedef {import("./board.js").StatusBoard} StatusBoard */
/**
 * What the gateway knows when it decides.
 * @typedef {object} Situation
 * @property {keyof typeof COMMANDS} command
 * @property {number} presence
 * @property {number} notAfter
 * @property {number} now
 * @property {[number, number]} clock
 * @property {boolean} inContact
 * @property {boolean} begun
 * @property {Record<string, number>} uses by grant id in hex
 * @property {"local" | "remote"} channel
 * @property {number} proximity
 * @property {[number, number] | null} position
 * @property {{ stationary: boolean, ignition_off: boolean } | null} state
 */
/** @typedef {{ decision: "allow" | "lock-only" | "refuse", reasons: string[] }} Decision */

const EXCUSED = ["expired", "revoked", "suspended", "statement-too-old", "outside-hours", "uses-spent"];

/**
 * Decides about a verified key and a verified proof.
 * @param {DigitalKey} key @param {StatusBoard} board @param {Situation} situation
 * @returns {Decision}
 */
export function decide(key, board, situation) {
  const reasons = new Set([
    ...board.denials(key),
    ...rightReasons(key, situation),
    ...carReasons(key, situation),
    ...hourReasons(key, situation),
    ...(key.isOwnerDevice ? [] : timeReasons(key, board, situation)),
  ]);
  /** @type {Decision["decision"]} */
  let decision = reasons.size > 0 ? "refuse" : "allow";
  if (decision === "refuse" && mayLock(key, reasons, situation)) {
    const moving = fact(situation.state?.stationary, "car-moving");
    moving.forEach((reason) => reasons.add(reason));
    if (moving.length === 0) decision = "lock-only";
  }
  return { decision, reasons: CODES.filter((code) => reasons.has(code)) };
}

/** @param {DigitalKey} key @param {Set<string>} reasons @param {Situation} situation */
function mayLock(key, reasons, { command, begun, clock: [, hi] }) {
  const isInTime = hi !== UNKNOWN && hi < key.until + key.items.get(12);
  return command === "lock" && begun && isInTime && [...reasons].every((reason) => EXCUSED.includes(reason));
}

/** @param {boolean | undefined} value @param {string} otherwise */
function fact(value, otherwise) {
  return value === undefined ? ["state-stale"] : value ? [] : [otherwise];
}

/** @param {DigitalKey} key @param {Situation} situation */
function* rightReasons(key, situation) {
  const [{ command }, { items }] = [situation, key];
  const needed = (1 << COMMANDS[command]) | (situation.channel === "remote" ? REMOTE : 0);
  if (needed & ~key.rights) yield "not-entitled";
  if (situation.presence < Math.max(items.get(14), command === "enable_driving" ? 1 : 0)) yield "presence-needed";
  if (situation.proximity < items.get(6)) yield "too-far";
  if (items.has(10) && key.until - key.from > items.get(10)) yield "mandate-exceeded";
  if (command !== "lock" && command !== "locate") {
    const isSpent = key.useLimits.some(({ grant, most }) => !grant || (situation.uses[toHex(grant)] ?? 0) >= most);
    if (isSpent) yield "uses-spent";
  }
  if (situation.now > situation.notAfter) yield "command-expired";
}

/** @param {DigitalKey} key @param {Situation} situation */
function* carReasons(key, { command, position, state }) {
  if (command !== "lock" && key.areas.length > 0) {
    if (!position) yield "location-unknown";
    else if (!key.areas.every((area) => isInside(area, position))) yield "outside-area";
  }
  if (key.items.get(13) & 1) yield* fact(state?.stationary, "car-moving");
  if (key.items.get(13) & 2) yield* fact(state?.ignition_off, "ignition-on");
}

/** @param {DigitalKey} key @param {Situation} situation */
function* hourReasons(key, { clock: [lo, hi] }) {
  for (const hours of key.hours) {
    if (!hasKnownZone(hours)) yield "unsupported";
    else if (hi === UNKNOWN) yield "clock-untrusted";
    else if (!areInside(hours, lo, hi)) yield "outside-hours";
  }
}

/** @param {DigitalKey} key @param {StatusBoard} board @param {Situation} situation */
function* timeReasons(key, board, situation) {
  const [lo, hi] = situation.clock;
  if (key.items.get(5) < board.generation) yield "old-generation";
  if (hi === UNKNOWN) {
    const reason = untrustedReason(key, board, lo);
    if (reason) yield reason;
  } else {
    if (lo < key.from) yield "not-yet-valid";
    if (hi >= key.until) yield "expired";
  }
  const age = board.age(key, hi === UNKNOWN ? lo : hi);
  if ((age ?? Infinity) > statementLimit(key, situation)) yield "statement-too-old";
}

/** @param {DigitalKey} key @param {StatusBoard} board @param {number} lo */
function untrustedReason(key, board, lo) {
  const rule = key.items.get(7);
  if (rule === 2) return undefined;
  if (lo >= key.until) return "expired";
  if (rule === 0) return "clock-untrusted";
  if (lo < key.from) return "not-yet-valid";
  return board.age(key, lo) === undefined ? "clock-untrusted" : undefined;
}

/** The greatest age of a statement; `Infinity` asks for none. @param {DigitalKey} key @param {Situation} situation */
function statementLimit(key, { begun, inContact }) {
  const stated = key.items.get(4);
  const outage = stated === NO_LIMIT ? Infinity : stated;
  if (!begun) return inContact ? (outage === Infinity ? Infinity : 900) : outage;
  if (inContact) return Infinity;
  return key.items.get(11) ?? (outage === Infinity ? Infinity : BEGUN_LIMIT);
}

/**
 * By when a revoked key opens nothing any more; `undefined` while the car's clock is not trusted, and for
 * a key that opens without one. A trip may begin while the newest statement is within the outage limit,
 * and goes on while it is within the begun limit; only the car knows whether it has begun.
 * @param {object} ending
 * @param {number} ending.now
 * @param {number | null} ending.acknowledged_at
 * @param {number} ending.valid_from
 * @param {number} ending.valid_until
 * @param {number} ending.newest_unlisting_at
 * @param {number | null} ending.outage_limit_s
 * @param {number | null} ending.begun_limit_s
 * @param {number} ending.clock_rule
 * @param {boolean} ending.clock_trusted
 */
export function deadBy(ending) {
  if (ending.acknowledged_at !== null) return Math.min(ending.acknowledged_at, ending.now);
  if (!ending.clock_trusted || ending.clock_rule > 0) return undefined;
  const staleAfter = (/** @type {number | null} */ limit) => ending.newest_unlisting_at + (limit ?? Infinity);
  const [begins, goesOn] = [staleAfter(ending.outage_limit_s), staleAfter(ending.begun_limit_s)];
  const mayBegin = Math.max(ending.now, ending.valid_from) <= begins;
  const mayHaveBegun = ending.now >= ending.valid_from;
  const last = mayBegin ? Math.max(begins, goesOn) : mayHaveBegun ? goesOn : begins;
  return Math.min(ending.valid_until, last);
}
