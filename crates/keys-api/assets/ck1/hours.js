/**
 * Weekly hours (docs/key-format.md section 4) by the wall clock of their zone.
 */
import { listed, number, text, tuple } from "./fields.js";
import { need } from "./refused.js";

/** @typedef {[string, [number, number, number][]]} Hours zone, windows of weekday mask, start, end */

const LONGEST_INTERVAL_S = 86_400;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const REGIONS =
  /^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US)(\/[A-Z][A-Za-z0-9+_-]*)+$/;
const SHOUTED = /\/[A-Z]{4,}(\/|$)/;
const PLAIN = new Set(
  (
    "CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran " +
    "Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK " +
    "Singapore Turkey UCT UTC Universal W-SU WET Zulu"
  ).split(" "),
);

/** @type {import("./cbor.js").Read<Hours>} */
export function hours(reader) {
  const window = tuple(number(127, 1), number(1440), number(1440));
  const [zone, windows] = reader.tuple(text(64), listed(1, 4, window));
  need(/^[\0-\x7f]*$/.test(zone));
  need(windows.every((/** @type {number[]} */ [, start, end]) => start < end));
  return [zone, windows];
}

/** @type {Map<string, Intl.DateTimeFormat | undefined>} */
const clocks = new Map();

/**
 * The wall clock of a zone; `undefined` if it is not known here.
 *
 * `Intl` ignores case and has no list of link names, so their case is judged by the look of it. A page may be
 * mistaken there without harm: the gateway decides.
 * @param {string} zone
 */
function wallClock(zone) {
  if (!clocks.has(zone)) clocks.set(zone, makeClock(zone));
  return clocks.get(zone);
}

/** @param {string} zone */
function makeClock(zone) {
  if (!PLAIN.has(zone) && (!REGIONS.test(zone) || SHOUTED.test(zone))) return undefined;
  try {
    const clock = new Intl.DateTimeFormat("en-US", {
      timeZone: zone, hourCycle: "h23", weekday: "short", hour: "2-digit", minute: "2-digit",
    });
    const known = clock.resolvedOptions().timeZone;
    return known.toLowerCase() === zone.toLowerCase() && known !== zone ? undefined : clock;
  } catch {
    return undefined;
  }
}

/** @param {Hours} hours */
export function hasKnownZone([zone]) {
  return wallClock(zone) !== undefined;
}

/** Whether every second of [lo, hi] is inside. @param {Hours} hours @param {number} lo @param {number} hi */
export function areInside([zone, windows], lo, hi) {
  const clock = wallClock(zone);
  if (!clock || lo > hi || hi - lo > LONGEST_INTERVAL_S) return false;
  if (!isWithin(clock, windows, lo)) return false;
  for (let moment = (Math.floor(lo / 60) + 1) * 60; moment <= hi; moment += 60) {
    if (!isWithin(clock, windows, moment)) return false;
  }
  return true;
}

/** @param {Intl.DateTimeFormat} clock @param {[number, number, number][]} windows @param {number} moment */
function isWithin(clock, windows, moment) {
  const parts = Object.fromEntries(clock.formatToParts(moment * 1000).map(({ type, value }) => [type, value]));
  const weekday = WEEKDAYS.indexOf(parts.weekday);
  const minute = Number(parts.hour) * 60 + Number(parts.minute);
  return windows.some(([mask, start, end]) => (mask >> weekday) & 1 && start <= minute && minute < end);
}
