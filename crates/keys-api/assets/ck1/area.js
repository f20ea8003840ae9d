/**
 * Areas (docs/key-format.md section 4): circles and polygons in 1e-7 degree.
 */
import { latitude, longitude, point } from "./fields.js";
import { need } from "./refused.js";

/** @typedef {[number, number]} Point latitude, longitude */
/** @typedef {[number, number, number] | [Point[]]} Area */
/** @typedef {{ x: number, y: number }} Spot relative to the first corner of a polygon */
/** @typedef {{ from: Spot, to: Spot }} Edge */

const HALF_TURN = 1_800_000_000;
const SPHERE_RADIUS_M = 6_371_008.8;

/** @type {import("./cbor.js").Read<Area>} */
export function area(reader) {
  if (reader.array(1, 3) === 1) {
    const corners = /** @type {Point[]} */ (reader.list(3, 16, point));
    need(isPolygon(corners));
    return [corners];
  }
  return [latitude(reader), longitude(reader), reader.uint()];
}

/** Whether a position is inside; the border is. @param {Area} area @param {Point} position */
export function isInside(area, position) {
  return area.length === 3 ? distance([area[0], area[1]], position) <= area[2] : isInPolygon(area[0], position);
}

/** Great-circle distance in meters. @param {Point} from @param {Point} to */
export function distance(from, to) {
  const radians = (/** @type {number} */ units) => (units * Math.PI) / HALF_TURN;
  const lat = Math.sin(radians(to[0] - from[0]) / 2);
  const lon = Math.sin(radians(eastward(from[1], to[1])) / 2);
  const haversine = lat * lat + Math.cos(radians(from[0])) * Math.cos(radians(to[0])) * lon * lon;
  return 2 * SPHERE_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(haversine)));
}

/** Relative longitude, the shortest way: above -180°, at most 180°. @param {number} origin @param {number} lon */
function eastward(origin, lon) {
  const turn = (lon - origin + 4 * HALF_TURN) % (2 * HALF_TURN);
  return turn > HALF_TURN ? turn - 2 * HALF_TURN : turn;
}

/** @param {Point[]} corners @returns {Edge[]} */
function edgesOf(corners) {
  const spots = corners.map(([lat, lon]) => ({ x: eastward(corners[0][1], lon), y: lat }));
  return spots.map((from, index) => ({ from, to: spots[(index + 1) % spots.length] }));
}

/** Positive to the left of the edge, negative to the right, zero on its line. @param {Edge} edge @param {Spot} spot */
function side({ from, to }, spot) {
  const left = BigInt(to.x - from.x) * BigInt(spot.y - from.y);
  const right = BigInt(to.y - from.y) * BigInt(spot.x - from.x);
  return left > right ? 1 : left < right ? -1 : 0;
}

/** @param {Edge} edge @param {Spot} spot */
function holds(edge, spot) {
  const { from, to } = edge;
  const between = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ value) =>
    Math.min(a, b) <= value && value <= Math.max(a, b);
  return between(from.x, to.x, spot.x) && between(from.y, to.y, spot.y) && side(edge, spot) === 0;
}

/** Whether two edges share a place. @param {Edge} one @param {Edge} two */
function meet(one, two) {
  const parted = (/** @type {Edge} */ edge, /** @type {Edge} */ by) => side(by, edge.from) * side(by, edge.to) < 0;
  const touch = holds(one, two.from) || holds(one, two.to) || holds(two, one.from) || holds(two, one.to);
  return touch || (parted(one, two) && parted(two, one));
}

/** Whether an edge returns along the one before it. @param {Edge} edge @param {Edge} next */
function runsBack({ from, to }, next) {
  const along =
    BigInt(to.x - from.x) * BigInt(next.to.x - next.from.x) + BigInt(to.y - from.y) * BigInt(next.to.y - next.from.y);
  return side({ from, to }, next.to) === 0 && along < 0n;
}

/** @param {Point[]} corners */
function isPolygon(corners) {
  const edges = edgesOf(corners);
  const across = edges.map((edge) => edge.from.x);
  const places = new Set(edges.map(({ from }) => `${from.x} ${from.y}`));
  if (Math.max(...across) - Math.min(...across) >= HALF_TURN || places.size < edges.length) return false;
  return edges.every((edge, index) => {
    if (runsBack(edges.at(index - 1) ?? edge, edge)) return false;
    const others = edges.slice(index === edges.length - 1 ? 1 : 0, Math.max(0, index - 1));
    return !others.some((other) => meet(other, edge));
  });
}

/** @param {Point[]} corners @param {Point} position */
function isInPolygon(corners, [lat, lon]) {
  const spot = { x: eastward(corners[0][1], lon), y: lat };
  const edges = edgesOf(corners);
  if (edges.some((edge) => holds(edge, spot))) return true;
  // A ray to the east; an edge counts its southern end and not its northern one.
  const crossed = edges.filter((edge) => {
    const isPassed = edge.from.y > spot.y !== edge.to.y > spot.y;
    return isPassed && side(edge, spot) > 0 === edge.to.y > edge.from.y;
  });
  return crossed.length % 2 === 1;
}
