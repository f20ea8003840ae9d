/**
 * Why something is refused: one code of docs/key-format.md section 15, and nothing more is looked at.
 */

/** Every code, in the order in which several are given. */
export const CODES = Object.freeze(
  (
    "malformed too-large wrong-vehicle unknown-signer bad-signature widened unsupported expired not-yet-valid " +
    "outside-hours outside-area location-unknown state-stale car-moving ignition-on not-entitled presence-needed " +
    "too-far uses-spent revoked suspended old-generation statement-too-old clock-untrusted mandate-exceeded " +
    "replayed challenge-expired wrong-challenge command-expired busy rate-limited"
  ).split(" "),
);

/** Thrown by everything that reads or verifies. */
export class Refused extends Error {
  /** @param {string} [code] */
  constructor(code = "malformed") {
    super(code);
    this.name = "Refused";
    this.code = code;
  }
}

/**
 * Refuses unless the condition holds.
 * @param {unknown} condition
 * @param {string} [code]
 * @returns {asserts condition}
 */
export function need(condition, code = "malformed") {
  if (!condition) throw new Refused(code);
}

/**
 * What a promise gives, or the code it was refused with; other errors pass.
 * @template T
 * @param {() => T | Promise<T>} attempt
 * @returns {Promise<{ value?: T, refused?: string }>}
 */
export async function attempted(attempt) {
  try {
    return { value: await attempt() };
  } catch (error) {
    if (error instanceof Refused) return { refused: error.code };
    throw error;
  }
}
