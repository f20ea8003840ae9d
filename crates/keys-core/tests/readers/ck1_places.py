"""Where and when a key may be used: the areas and weekly hours of docs/key-format.md section 4."""
import math
import zoneinfo
from datetime import datetime, timezone

LONGEST_INTERVAL = 86_400
zoneinfo.reset_tzpath(())  # only the zones of the pinned tzdata package
ZONES = zoneinfo.available_timezones()

def eastward(origin, lon):
    turn = (lon - origin) % 3_600_000_000
    return turn - 3_600_000_000 if turn > 1_800_000_000 else turn

def edges_of(corners):
    spots = [(eastward(corners[0][1], lon), lat) for lat, lon in corners]
    return list(zip(spots, spots[1:] + spots[:1]))

def side(edge, spot):
    (ax, ay), (bx, by) = edge
    return (bx - ax) * (spot[1] - ay) - (by - ay) * (spot[0] - ax)

def holds(edge, spot):
    (ax, ay), (bx, by) = edge
    box = min(ax, bx) <= spot[0] <= max(ax, bx) and min(ay, by) <= spot[1] <= max(ay, by)
    return box and side(edge, spot) == 0

def meet(one, two):
    if any(holds(one, spot) for spot in two) or any(holds(two, spot) for spot in one):
        return True
    return all(side(by, edge[0]) * side(by, edge[1]) < 0 for edge, by in ((one, two), (two, one)))

def runs_back(edge, following):
    (ax, ay), (bx, by), (cx, cy) = *edge, following[1]
    return side(edge, (cx, cy)) == 0 and (bx - ax) * (cx - bx) + (by - ay) * (cy - by) < 0

def is_polygon(corners):
    edges = edges_of(corners)
    spots = [edge[0] for edge in edges]
    across = [x for x, _ in spots]
    if max(across) - min(across) >= 1_800_000_000 or len(set(spots)) < len(spots):
        return False
    for later in range(len(edges)):
        if runs_back(edges[later - 1], edges[later]):
            return False
        for earlier in range(later - 1):
            if (earlier > 0 or later + 1 < len(edges)) and meet(edges[earlier], edges[later]):
                return False
    return True

def is_in_area(area, position):
    lat, lon = position
    if len(area) == 3:
        half_lat = math.radians((lat - area[0]) / 1e7) / 2
        half_lon = math.radians(eastward(area[1], lon) / 1e7) / 2
        shrunk = math.cos(math.radians(area[0] / 1e7)) * math.cos(math.radians(lat / 1e7))
        root = math.sqrt(math.sin(half_lat) ** 2 + shrunk * math.sin(half_lon) ** 2)
        return 2 * 6_371_008.8 * math.asin(min(1, root)) <= area[2]
    spot, inside = (eastward(area[0][0][1], lon), lat), False
    for edge in edges_of(area[0]):
        if holds(edge, spot):
            return True
        north = edge[1][1] > edge[0][1]
        if (edge[0][1] > lat) != (edge[1][1] > lat) and (side(edge, spot) > 0) == north:
            inside = not inside
    return inside

def is_in_hours(hours, lo, hi):
    zone, windows = hours
    if lo > hi or hi - lo > LONGEST_INTERVAL:
        return False
    for moment in [lo, *range((lo // 60 + 1) * 60, hi + 1, 60)]:
        local = datetime.fromtimestamp(moment, timezone.utc).astimezone(zoneinfo.ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        if not any(mask >> local.weekday() & 1 and start <= minute < end for mask, start, end in windows):
            return False
    return True
