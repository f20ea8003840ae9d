"""Reads the ck1 key format; written from docs/key-format.md alone (§ = its section).

`ck1_reader.py DIR` answers vector files; `ck1_reader.py --conformance` answers `decision` records, one a line on stdin.
"""

import base64
import hmac
import json
import math
import re
import sys
import zoneinfo
from collections import namedtuple
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

zoneinfo.reset_tzpath(to=())  # the tzdata package, whatever the machine has
ZONES = zoneinfo.available_timezones()
CODES = """malformed too-large wrong-vehicle unknown-signer bad-signature widened unsupported expired not-yet-valid
outside-hours outside-area location-unknown state-stale car-moving ignition-on not-entitled presence-needed too-far
uses-spent revoked suspended old-generation statement-too-old clock-untrusted mandate-exceeded replayed
challenge-expired wrong-challenge command-expired busy rate-limited""".split()
LOCK_ONLY = {"expired", "revoked", "suspended", "statement-too-old", "outside-hours", "uses-spent"}
USES = {"unlock", "enable_driving", "open_trunk", "charge_port"}
COMMANDS = {"unlock": 0, "lock": 1, "enable_driving": 2, "open_trunk": 3, "charge_port": 4, "locate": 6}
REMOTE, SIGN_STATUS, DAY, CIRCLE = 1 << 5, 1 << 7, 86_400, 3_600_000_000  # a circle in 1e-7 degree
MAX_INT, UNKNOWN, NONE = 2**53 - 1, 2**40 - 1, 2**32 - 1  # unknown is hi where nothing bounds the time


class Refused(Exception): ...  # its argument is the code (§15)


def ensure(condition, code="malformed"):
    if not condition:
        raise Refused(code)


def attempt(function, *arguments):
    """What the function returns and no code, or nothing and the code of its refusal."""
    try:
        return function(*arguments), None
    except Refused as refused:
        return None, refused.args[0]


P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
SMALL_Y = {0, 1, P - 1, ORDER_8, P - ORDER_8}
SMALL_R = SMALL_Y | {y | 1 << 255 for y in SMALL_Y - {1, P - 1}}


def usable(key):
    """Whether a public key is canonical, on the curve and not of small order (§3)."""
    y = int.from_bytes(key, "little") & ((1 << 255) - 1)
    x_squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    return y < P and y not in SMALL_Y and pow(x_squared, (P - 1) // 2, P) == 1


def signed_by(key, message, signature):
    """§3. OpenSSL compares encode([S]B - [k]A) with R byte for byte; what it might let pass is refused before."""
    r, s = (int.from_bytes(half, "little") for half in (signature[:32], signature[32:]))
    if usable(key) and r not in SMALL_R and s < L:
        with suppress(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
            return True
    return False


def relative(first, place):
    """A place as (longitude from the first corner, latitude); the longitude above -180, at most 180 degrees."""
    east = (place[1] - first[1]) % CIRCLE
    return (east - CIRCLE if east > CIRCLE // 2 else east), place[0]


def turn(a, b, c):
    """Its sign tells on which side of a-b c lies."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def touching(a, b, c, d):
    """Whether the edges a-b and c-d share a point."""
    near = all(max(min(a[i], b[i]), min(c[i], d[i])) <= min(max(a[i], b[i]), max(c[i], d[i])) for i in (0, 1))
    return near and turn(a, b, c) * turn(a, b, d) <= 0 and turn(c, d, a) * turn(c, d, b) <= 0


def simple(corners):
    """Whether corners make a polygon (§4)."""
    plane = [relative(corners[0], corner) for corner in corners]
    edges, points = list(zip(plane, plane[1:] + plane[:1])), [(corner, corner) for corner in plane]
    others = ((a, b, c, d) for a, b in edges for c, d in edges + points if not {a, b} & {c, d})
    narrow = max(plane)[0] - min(plane)[0] < CIRCLE // 2
    return narrow and len(set(plane)) == len(plane) and not any(touching(*pair) for pair in others)


def inside_area(area, place):
    if len(area) == 3:
        lat1, lon1, lat2, lon2 = (math.radians(value / 1e7) for value in (*area[:2], *place))
        across = math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
        return 2 * 6_371_008.8 * math.asin(min(1, math.sqrt(math.sin((lat2 - lat1) / 2) ** 2 + across))) <= area[2]
    *plane, point = (relative(area[0][0], corner) for corner in (*area[0], place))
    edges = [sorted(edge, key=lambda corner: corner[1]) for edge in zip(plane, plane[1:] + plane[:1])]
    border = any(touching(a, b, point, point) for a, b in edges)
    return border or sum(a[1] <= point[1] < b[1] and turn(a, b, point) > 0 for a, b in edges) % 2 == 1


def inside_hours(hours, low, high):
    """Whether every second of [low, high] is in some entry."""
    zone, cycle = zoneinfo.ZoneInfo(hours[0]), 146_097 * DAY  # the calendar repeats; datetime ends with the year 9999
    past = max(0, low // cycle - 5) * cycle
    local = (datetime.fromtimestamp(second - past, zone) for second in range(low, high + 1))
    minutes = ((1 << moment.weekday(), moment.hour * 60 + moment.minute) for moment in local)
    inside = (any(mask & day and a <= minute < b for mask, a, b in hours[1]) for day, minute in minutes)
    return high - low <= DAY and all(inside)


GRAMMAR = """
uint number 0 9007199254740991; moment number 0 1099511627775; flag number 0 1; to2 number 0 2; to3 number 0 3;
to4 number 0 4; rights number 0 255; outage number 900 4294967295; begun number 900 259200; grace number 0 86400;
lat number -900000000 900000000; lon number -1800000000 1800000000; day number 1 127; minute number 0 1440;
one number 1 1; six number 6 6; version number 1 1 unsupported; alg number -19 -19 unsupported; kind number 1 5;
exp read moment; nbf read moment; not-after read moment; ttl number 0 300000; command number 0 6; b8 blob 8;
b16 blob 16; b32 blob 32; b64 blob 64; usable read b32; nonce blob 0 16; bytes blob 0 9007199254740991;
protected read bytes; object blob 0 2048 too-large; aud text 22; zone text 64; note text 128; origin text 256;
state text 8192; code text 32; code-or-none text 32; area area; key key; areas several area 1 8 too-large;
listed several b16 0 64 too-large; versions several uint 1 4; path several b32 1 5; polygon several position 3 16;
owners several usable 1 4; ids several b32 0 5; entries several entry 1 4; codes several code 0 31;
position row lat lon; entry row day uint minute; hours row zone entries; bytes-or-code either bytes code;
numbers row uint uint uint; interval row moment moment; newest row uint b16; chained row uint b32;
id-or-key either b32 key; frame tagged 1 16384 uint; presentation row version challenge id-or-key proof;
carried tagged 3 4 version kind;
none fields; header fields 1 alg 4? b8; cose fields 1 one -1 six -2 b32; cnf fields 1 cose;
policy fields 1 rights 2 to4 3? areas 4? outage 6? to3 7? to2 8? hours 9? uint 10? uint 11? begun 12? grace 13? to3
    14? to2 15? areas;
any-claims fields 3? aud 4 exp 5 nbf 7? b8 8 cnf -65537 any-policy -65539? b16;
first-claims fields 3 aud 4 exp 5 nbf 7? b8 8 cnf -65537 any-policy -65539? b16;
claims fields 4 exp 5 nbf 7? b8 8 cnf -65537 policy -65539? b16;
pop fields 1 command 2 moment 3? b32 5 to2 7 b16 8 not-after 9? position;
m1 fields 1 b16 2 aud 3? b16 4 b32 5 interval 6 b8 7 numbers 8 ttl 9 versions 10? origin 11 uint;
listing fields 1 uint 2 uint 3 listed 4? newest 5? listed; rev fields 3 aud 4? moment 6 moment -65538 listing;
trust fields 1 uint 2 owners 3? usable 4 usable 5 flag 6 uint 7 flag 8? origin; bndl fields 3 aud 6 moment -65540 trust;
at fields 1 moment; jrnl fields 1 uint 2 b32 3 aud 10 moment; sync fields 1 versions 3 aud 7 numbers;
m3 fields 1 path 2 command 3 aud 4 b16 5 flag 6 codes 7? to2 8 b32 9 chained 10 moment 11 flag 12? b32;
carried-answer fields 1 flag 2? code; pair-offer fields 1 usable 2 b16;
pair-confirm fields 1 aud 2 usable 3 b16 4 bytes 5 b32; pair-answer fields 1 b32;
journal-entry fields 1 uint 2 b32 3 to4 4 moment 5 flag 6 ids 7? b16 8? command 9? to2 10? codes 11? b32 12? note 13?
    uint;
link sealed ck1:link 640 kid-or-not any-claims; proof sealed ck1:pop 320 no-kid pop; time sealed ck1:time 256 kid at;
first-link sealed ck1:link 640 kid first-claims; later-link sealed ck1:link 640 no-kid claims;
challenge sealed ck1:chal 768 kid m1; statement sealed ck1:rev 2048 kid rev; bundle sealed ck1:bndl 2048 kid bndl;
receipt sealed ck1:rcpt 1536 kid m3; journal-head sealed ck1:jrnl 320 kid jrnl; sync-hello sealed ck1:sync 256 kid sync
"""
SHAPES = {}  # every rule of the grammar is a name, a method of Cursor and its arguments
for rule in GRAMMAR.split(";"):
    rule_name, method, *words = rule.split()
    SHAPES[rule_name] = method, [int(word) if re.fullmatch("-?[0-9]+", word) else word for word in words]
SHAPES["any-policy"] = "fields", SHAPES["policy"][1] + ["5?", "uint"]
LIMITS = {name: words[1] for name, (method, words) in SHAPES.items() if method == "sealed"}
LIMITS |= {"key": 2560, "presentation": 4096, "carried": 3072, "journal-entry": 1536, "frame": 16384}
LIMITS |= {"pair-offer": 2048, "pair-confirm": 2048, "pair-answer": 2048}
AFTER = {"kind": {1: "object", 2: "object", 3: "object", 4: "object bytes", 5: "object"}}
AFTER["uint"] = {1: "aud b16 versions", 2: "b16", 3: "bytes", 4: "", 10: "uint bytes", 11: "uint code-or-none numbers"}
AFTER["uint"] |= {12: "uint nonce", 13: "uint bytes-or-code", 14: "uint bytes", 15: "uint bytes-or-code flag"}
AFTER["uint"] |= {20: "uint bytes", 21: "uint bytes", 30: "uint bytes", 31: "uint", 32: "bytes", 33: "state"}
ACCEPT = {"aud": re.compile("[A-Za-z0-9_-]{21}[AQgw]").fullmatch, "code": CODES.__contains__, "usable": usable}
ACCEPT |= {"code-or-none": ["", *CODES].__contains__, "command": [*COMMANDS.values()].__contains__, "polygon": simple}
ACCEPT |= {"zone": str.isascii, "nonce": lambda n: len(n) in (0, 16), "entry": lambda entry: entry[1] < entry[2]}
ACCEPT |= {
    "codes": lambda codes: codes == [c for c in CODES if c in codes],
    "protected": lambda raw: whole(raw, "header"),
}
ACCEPT |= {"listed": lambda ids: ids == sorted(set(ids)), "rev": lambda body: 4 in body or 4 not in body[-65538]}
ACCEPT |= {"interval": lambda pair: pair[0] <= pair[1], "carried-answer": lambda body: body[1] == (2 not in body)}
BEFORE = {"nbf": lambda body: body[5] < body.get(4, 0), "not-after": lambda body: 0 <= body[8] - body.get(2, 0) <= 30}


class Cursor:
    """Reads deterministic CBOR from front to back (§1)."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def read(self, name):
        """An item of this shape. One that is not accepted is malformed."""
        method, arguments = SHAPES[name]
        value = getattr(self, method)(*arguments)
        ensure(name not in ACCEPT or ACCEPT[name](value))
        return value

    def take(self, count):
        ensure(count <= len(self.data) - self.at)
        self.at += count
        return self.data[self.at - count : self.at]

    def head(self, *majors):
        """Major type, which has to be one of these, and argument, which has to be in its shortest form."""
        major, value = divmod(self.take(1)[0], 32)
        ensure(major in majors and value < 28)
        if value >= 24:
            size = 1 << (value - 24)
            value = int.from_bytes(self.take(size))
            ensure(value >= (24 if size == 1 else 1 << (4 * size)))
        return major, value

    def number(self, low, high, code="malformed"):
        major, value = self.head(0, 1)
        value = -1 - value if major else value
        ensure(abs(value) <= MAX_INT)
        ensure(low <= value <= high, code)
        return value

    def size(self, major, low, high, code="malformed"):
        """How long a byte string, text or list is; `code` if it is longer than `high`."""
        size = self.head(major)[1]
        ensure(size <= high, code)
        ensure(size >= low)
        return size

    def blob(self, low, high=0, code="malformed"):
        return self.take(self.size(2, low, high or low, code))

    def text(self, high):
        raw = self.take(self.size(3, 0, high))
        value = raw.decode(errors="replace")
        ensure(value.encode() == raw)
        return value

    def several(self, name, low, high, code="malformed"):
        return [self.read(name) for _ in range(self.size(4, low, high, code))]

    def row(self, *names):
        """A list of exactly these items."""
        self.size(4, len(names), len(names))
        return [self.read(name) for name in names]

    def fields(self, *words):
        """A map; `?` is at the keys that may be missing."""
        shapes = {int(str(key).strip("?")): name for key, name in zip(words[::2], words[1::2])}
        result, last = {}, b""
        for _ in range(self.head(5)[1]):
            start = self.at
            key = self.number(-MAX_INT, MAX_INT)
            encoded = self.data[start : self.at]
            ensure(encoded > last and key in shapes)
            result[key], last = self.read(shapes[key]), encoded
            ensure(shapes[key] not in BEFORE or BEFORE[shapes[key]](result))
        ensure(all(key in result for key in words[::2] if isinstance(key, int)))
        return result

    def either(self, of_bytes, other):
        """One shape for a byte string, another for everything else."""
        return self.read(of_bytes if b"\x40" <= self.data[self.at : self.at + 1] < b"\x60" else other)

    def area(self):
        count = self.size(4, 1, 3)
        ensure(count != 2)
        return [self.read(name) for name in (["polygon"] if count == 1 else ["lat", "lon", "uint"])]

    def key(self):
        """A first link or the id of an anchor, then later links."""
        count = self.size(4, 1, 5, "too-large")
        return [self.either("b32", "first-link")] + [self.read("later-link") for _ in range(count - 1)]

    def tagged(self, low, high, *names):
        """A list whose last item of these tells what follows."""
        count, items = self.size(4, low, high), [self.read(name) for name in names]
        more = AFTER[names[-1]].get(items[-1], "unknown").split()
        ensure(more != ["unknown"] and count == len(items + more))
        return items + [self.read(name) for name in more]

    def sealed(self, context, limit, kid_rule, payload):
        """A signed object: its length is looked at after its signature, then kid, then payload (§2)."""
        start = self.at
        self.size(4, 4, 4)
        items = [self.read(name) for name in ("protected", "none", "bytes", "b64")]
        ensure(self.at - start <= limit, "too-large")
        kid = whole(items[0], "header").get(4)
        ensure(kid_rule in ("kid-or-not", "kid" if kid else "no-kid"))
        return Sealed(context=context, items=items, kid=kid, body=whole(items[2], payload))


def whole(data, name, alone=False):
    """Reads bytes that hold one item and nothing after it; if it stands alone its length is looked at first."""
    ensure(not alone or len(data) <= LIMITS.get(name, MAX_INT), "too-large")
    cursor = Cursor(data)
    value = cursor.read(name)
    ensure(cursor.at == len(data))
    return value


class Sealed(SimpleNamespace):
    """A signed object (§2): its four items, and what header and payload say."""

    def signed(self, rest):
        parts = self.items[0], self.context.ljust(8, "\0").encode() + rest, self.items[2]
        sizes = map(len, parts)
        heads = (b"%c" % (64 + n) if n < 24 else b"X%c" % n if n < 256 else b"Y" + n.to_bytes(2) for n in sizes)
        return b"\x84\x6aSignature1" + b"".join(head + part for head, part in zip(heads, parts))

    def signer(self, keys, rest=b""):
        """The trusted key that signed this."""
        hinted = [k for k in keys if self.kid in (None, sha256(bytes.fromhex("a301012006215820") + k).digest()[:8])]
        ensure(hinted, "unknown-signer")
        signers = [key for key in hinted if signed_by(key, self.signed(rest), self.items[3])]
        ensure(signers, "bad-signature")
        return signers[0]


def aud_of(vehicle):
    return base64.urlsafe_b64encode(bytes.fromhex(vehicle.replace("-", ""))).decode().rstrip("=")


DEFAULTS = {4: DAY, 6: 0, 7: 0, 10: MAX_INT, 11: None, 12: 0, 14: 0}  # items of which the last stated counts
RIGHT = "aud generation mandate ids holder window grant rights delegations areas returns hours uses state stated"
Right = namedtuple("Right", RIGHT, defaults=((), b"", (), None, 0, 0, (), (), (), (), 0, None))
Held = namedtuple("Held", "seq id issued expires owner suspended link")


class Car:
    """Owners, platform root, anchors (§4) and statements (§7) of a record."""

    def __init__(self, record):
        known, platform = record["known"], record["platform_root"]
        self.aud, self.owners = aud_of(record["vehicle"]), list(map(bytes.fromhex, record["roots"]))
        self.platform = [bytes.fromhex(platform)] if platform else []
        self.seen = {"owner": known["owner_seq"], "platform": known["platform_seq"]}
        self.generation = known["generation"]
        self.anchors, self.held = {}, {"owner": {}, "platform": {}}  # held: the newest statement of each signer
        self.revoked = {"owner": set(), "platform": set()}
        self.low, self.high = record["clock"] or (0, UNKNOWN)
        self.now = self.low if self.high == UNKNOWN else self.high
        for data in record["anchors"] * len(record["anchors"]):  # in any order; the parents have to be there first
            for parent in (None, *self.anchors.values()):
                link, _ = attempt(whole, bytes.fromhex(data), "later-link" if parent else "first-link", True)
                right, _ = attempt(self.below, parent, link) if link else (None, None)
                if right and (right.mandate or right.rights == SIGN_STATUS):
                    self.anchors[right.ids[-1]] = right
        told = (attempt(self.told, bytes.fromhex(data), not record["clock"]) for data in record["statements"])
        self.answers = [answer or fault for answer, fault in told]

    def below(self, above, link):
        """The right that a link gives, the first one where nothing is above (§4, §5)."""
        body, policy, rest = link.body, link.body[-65537], above.ids[-1] if above else bytes(32)
        holder, window, rights, mandate = body[8][1][-2], (body[5], body[4]), policy[1], False
        if above:
            link.signer([above.holder], rest)
        else:
            mandate = [holder] == self.platform
            link.signer(self.platform if rights == SIGN_STATUS else self.owners, rest)
            ensure(not rights & SIGN_STATUS or (rights == SIGN_STATUS and policy[2] == 0), "widened")
            ensure(not mandate or (10 in policy and policy.get(4, NONE) != NONE), "mandate-exceeded")
        ensure(window[1] - window[0] <= (400 if mandate or holder in self.owners else 92) * DAY, "widened")
        if above:
            ensure(len(above.ids) < 5, "too-large")
            old = above.stated | {7: min(above.stated[7], 1)}
            ensure(above.window[0] <= window[0] and window[1] <= above.window[1], "widened")
            ensure(not rights & (~above.rights | SIGN_STATUS) and policy[2] < above.delegations, "widened")
            ensure(policy.get(11, 0) <= old["begun"], "widened")
            ensure(all(policy.get(key, 0) <= old[key] for key in (4, 7, 10, 12)), "widened")
            ensure(all(policy.get(key, old[key]) >= old[key] for key in (6, 14)), "widened")
        else:
            above, old = Right(body[3], policy.get(5, 0), mandate), DEFAULTS
        grant, ids = body.get(7, above.grant), above.ids + (sha256(link.signed(rest)).digest(),)
        areas, returns = (old + tuple(policy.get(key, ())) for key, old in ((3, above.areas), (15, above.returns)))
        hours, state = above.hours + ((policy[8],) if 8 in policy else ()), above.state | policy.get(13, 0)
        uses = tuple((of or grant, limit) for of, limit in above.uses) + (((grant, policy[9]),) if 9 in policy else ())
        stated = old | {key: policy[key] for key in DEFAULTS if key in policy}
        stated["begun"] = stated[11] or (NONE if stated[4] == NONE else 259_200)
        ensure(len(areas) <= 8 and len(returns) <= 8, "too-large")
        ensure(usable(holder))
        return Right(
            *above[:3], ids, holder, window, grant, rights, policy[2], areas, returns, hours, uses, state, stated
        )

    def told(self, data, follow):
        """Takes a statement (§7): `new` or `known`; lo follows it if nothing else gives the time."""
        statement = whole(data, "statement", True)
        body, about, link, expires = statement.body, statement.body[-65538], None, statement.body.get(4)
        ensure(body[3] == self.aud, "wrong-vehicle")
        links = sorted((r for r in self.anchors.values() if r.rights == SIGN_STATUS), key=lambda r: -r.window[1])
        signer = statement.signer(self.owners if expires is None else [right.holder for right in links])
        if expires is not None:
            ensure(about[2] == 0)
            found = [attempt(self.standing, right, body[6]) for right in links if right.holder == signer]
            link = next((right for right, _ in found if right), None)
            ensure(link, found[0][1])
        ensure(self.high == UNKNOWN or body[6] <= self.high + 600, "not-yet-valid")
        authority, name = "platform" if link else "owner", sha256(statement.signed(b"")).digest()
        before = self.held[authority].get(signer)
        ensure(about[1] >= max(self.seen[authority], before.seq if before else 0), "statement-too-old")
        if before and about[1] == before.seq:
            ensure(name == before.id, "replayed")
            return "known"
        self.held[authority][signer] = Held(about[1], name, body[6], expires, about.get(4), about.get(5, []), link)
        self.revoked[authority].update(about[3])
        self.generation = max(self.generation, about[2])
        if follow:
            self.low = self.now = max(self.low, body[6])
        return "new"

    def standing(self, link, issued=None):
        """A status link that stands; without `issued` revocation and generation only."""
        ensure(issued is None or max(self.now, issued) < link.window[1], "expired")
        ensure(issued is None or self.high == UNKNOWN or self.low >= link.window[0], "not-yet-valid")
        ensure(link.ids[0][:16] not in self.revoked["owner"], "revoked")
        ensure(link.generation >= self.generation, "old-generation")
        return link

    def words(self, authority):
        statements = self.held[authority].values()
        return [held for held in statements if not held.link or attempt(self.standing, held.link)[0]] or statements

    def newest(self, authority):
        return max(self.words(authority), key=lambda held: (held.issued, held.seq), default=None)

    def age(self, right):
        """The age of the newest fresh statement that speaks for a key (§7, §11), or None."""
        owners = self.held["owner"].values()
        issued = [self.newest("owner").issued] if owners and not right.mandate else []
        for held in self.held["platform"].values():
            seq, short = held.owner or (0, b"")
            known = any(own.seq > seq or (own.seq == seq and own.id[:16] == short) for own in owners)
            known = known or not held.owner or (not owners and self.seen["owner"] >= seq)
            if known and self.now < min(held.expires, held.link.window[1]) and attempt(self.standing, held.link)[0]:
                issued.append(held.issued)
        return max(0, self.now - max(issued)) if issued else None

    def decide(self, record):
        """§9: the decision and its reasons."""
        right, proof = self.verified(record)
        reasons = {code for code, holds in self.reasons(record, right, proof) if holds}
        decision, state = "refuse" if reasons else "allow", record["state"]
        ended = record["command"] == "lock" and record["begun"] and reasons and reasons <= LOCK_ONLY
        if ended and self.high != UNKNOWN and self.high < right.window[1] + right.stated[12]:
            if state and state["stationary"]:
                decision = "lock-only"
            else:
                reasons.add("car-moving" if state else "state-stale")
        return decision, sorted(reasons, key=CODES.index)

    def verified(self, record):
        """Steps 1 to 6 for what a record tells: the right and the proof."""
        data = {name: bytes.fromhex(record[name] or "") for name in ("key", "challenge", "proof")}
        ensure(len(data["key"]) <= 2560 and 2 + sum(map(len, data.values())) <= 4096, "too-large")
        items = whole(data["key"], "key")
        m1, pop = (None if record[name] is None else whole(data[name], name) for name in ("challenge", "proof"))
        ensure(not m1 or m1.body[2] == self.aud, "wrong-vehicle")
        right = self.anchors.get(items[0]) if isinstance(items[0], bytes) else None
        ensure(right or isinstance(items[0], Sealed), "unknown-signer")
        ensure((right.aud if right else items[0].body[3]) == self.aud, "wrong-vehicle")
        ensure(not right or len(right.ids) + len(items) <= 6, "too-large")
        for link in items[1:] if right else items:
            right = self.below(right, link)
        ensure(right.grant)
        gateway, _ = attempt(m1.signer, [bytes.fromhex(record["gateway_key"])]) if m1 else (None, None)
        ensure(gateway and 1 in m1.body[9], "wrong-challenge")
        ensure(pop and pop.signer([right.holder], sha256(data["challenge"]).digest() + right.ids[-1]), "bad-signature")
        ensure(pop.body[1] == COMMANDS[record["command"]], "bad-signature")
        return right, pop.body

    def reasons(self, record, right, proof):
        """Step 7: codes, and whether each holds."""
        command, place, state = record["command"], record["position"], record["state"]
        remote, device, counts = record["channel"] == "remote", right.holder in self.owners, command in USES
        for authority, first in (("owner", 0), ("platform", 1 if right.mandate else 5)):
            yield "revoked", self.revoked[authority] & (ids := {link[:16] for link in right.ids[first:]})
            yield "suspended", any(ids.intersection(held.suspended) for held in self.words(authority))
        yield "not-entitled", ~right.rights & (1 << COMMANDS[command] | (REMOTE if remote else 0))
        yield "presence-needed", proof[5] < max(right.stated[14], command == "enable_driving")
        yield "too-far", record["proximity"] < right.stated[6]
        yield "mandate-exceeded", right.window[1] - right.window[0] > right.stated[10]
        early, late, untimed = self.low < right.window[0], self.now >= right.window[1], self.high == UNKNOWN
        age, rule, before, begun = self.age(right), right.stated[7], right.stated[4], right.stated["begun"]
        untrusted = not late and (rule == 0 or (rule == 1 and not early and age is None))
        yield "old-generation", not device and right.generation < self.generation
        yield "expired", not device and late and not (untimed and rule == 2)
        yield "not-yet-valid", not device and early and (not untimed or (rule == 1 and not late))
        yield "clock-untrusted", not device and untimed and untrusted
        if record["in_contact"]:
            before, begun = NONE if before == NONE else 900, NONE
        limit = begun if record["begun"] else before
        yield "statement-too-old", not device and limit != NONE and (age is None or age > limit)
        for hours in right.hours:
            yield "unsupported", hours[0] not in ZONES
            yield "clock-untrusted", untimed
            yield "outside-hours", hours[0] in ZONES and not untimed and not inside_hours(hours, self.low, self.high)
        asked = command != "lock" and right.areas
        yield "location-unknown", asked and not place
        yield "outside-area", asked and place and not all(inside_area(area, place) for area in asked)
        yield "state-stale", right.state and not state
        yield "car-moving", right.state & 1 and state and not state["stationary"]
        yield "ignition-on", right.state & 2 and state and not state["ignition_off"]
        yield "uses-spent", counts and any(record["uses"].get(g.hex(), 0) >= limit for g, limit in right.uses)
        yield "command-expired", record["now"] > proof[8]


class Answers:  # one method for each kind of file
    def decision(self, case):
        found, fault = attempt(Car(case).decide, case)
        decision, reasons = found or ("refuse", [fault])
        return {"decision": decision, "reasons": reasons}

    def object(self, case):
        thing = whole(bytes.fromhex(case["bytes"]), case["type"], True)
        if not isinstance(thing, Sealed):
            return {"result": "valid", "body": thing}
        rest = bytes.fromhex(case["rest"])
        thing.signer([bytes.fromhex(case["signer"])], rest)
        return {"result": "valid", "id": sha256(thing.signed(rest)).hexdigest(), "body": thing.body}

    def statements(self, case):
        car = Car(case)
        newest = {name: car.newest(name) for name in car.seen}
        numbers = {f"{name}_seq": held.seq if held else car.seen[name] for name, held in newest.items()}
        revoked = sorted(short.hex() for short in car.revoked["owner"] | car.revoked["platform"])
        return {"answers": car.answers, **numbers, "generation": car.generation, "revoked": revoked}

    def area(self, case):
        shape = whole(bytes.fromhex(case["area"]), "area")
        return {"result": "valid", "inside": [inside_area(shape, point) for point in case["points"]]}

    def hours(self, case):
        hours = whole(bytes.fromhex(case["hours"]), "hours")
        return {"result": "valid", "inside": [inside_hours(hours, *clock) for clock in case["clocks"]]}

    def pairing(self, case):
        code, names = re.sub("[ -]", "", case["code"].upper()), ("offer", "confirm", "answer")
        if not re.fullmatch("[A-Z2-7]{32}", code):
            return dict.fromkeys(("fingerprint", *names), "bad-code")
        offer, confirm, answer = (whole(bytes.fromhex(case[name]), "pair-" + name, True) for name in names)
        raw, vehicle = base64.b32decode(code), base64.urlsafe_b64decode(confirm[1] + "==")
        told = b"".join((vehicle, confirm[2], offer[1], confirm[3], offer[2], sha256(confirm[4]).digest()))
        owner, gateway = (hmac.digest(raw[10:], b"ck1:pair" + role + told, "sha256") for role in (b"\1", b"\2"))
        fits = (sha256(offer[1]).digest()[:10] == raw[:10], confirm[5] == owner, answer[1] == gateway)
        found = {n: "valid" if fit else "wrong-" + what for n, fit, what in zip(names, fits, ("gateway", "mac", "mac"))}
        return {"fingerprint": code[:16], **found}

    def journal(self, case):
        hashes, fault = [], None
        for data in map(bytes.fromhex, case["entries"]):
            entry, fault = attempt(whole, data, "journal-entry", True)
            fault = fault or (entry[1] != len(hashes) and "misplaced")
            fault = fault or (entry[2] != [bytes(32), *hashes][-1] and "broken")
            if fault:
                break
            hashes.append(sha256(data).digest())
        head, _ = attempt(whole, bytes.fromhex(case["head"]), "journal-head", True)
        signer, _ = attempt(head.signer, [bytes.fromhex(case["gateway_key"])]) if head else (None, None)
        named = signer and head.body[3] == aud_of(case["vehicle"]) and (head.body[1], head.body[2]) in enumerate(hashes)
        return {"result": fault or "whole", "good": len(hashes), "head_fits": bool(named)}

    def dead_by(self, case):
        acknowledged, ends, since = (case[name] for name in ("acknowledged_at", "valid_until", "newest_unlisting_at"))
        ensure(acknowledged is not None or case["clock_trusted"] and not case["clock_rule"], "clock-untrusted")
        limits = (case["outage_limit_s"], case["begun_limit_s"])
        begins, goes_on = (math.inf if limit is None else since + limit for limit in limits)
        last = goes_on if case["now"] >= case["valid_from"] else begins
        last = max(begins, goes_on) if max(case["now"], case["valid_from"]) <= begins else last
        return {"dead_by": min(ends, last) if acknowledged is None else acknowledged}


def vectors(directory):
    """Answers every file and returns the number of mismatches."""
    total = wrong = 0
    for path in sorted(Path(directory).rglob("*.json")):
        file, before = json.loads(path.read_text()), wrong
        for own in file["cases"]:
            expected = own.pop("expect")
            got, fault = attempt(getattr(Answers(), file["kind"].replace("-", "_")), file["common"] | own)
            got = {"result": fault} if fault else got
            got = json.loads(json.dumps(got, default=lambda v: v.items if isinstance(v, Sealed) else f"h'{v.hex()}'"))
            if got != expected:
                wrong += 1
                print(f"MISMATCH {path.name} {own['case']}\n  expected {expected}\n  got      {got}")
        total += len(file["cases"])
        print(f"{path.name}: {len(file['cases'])} cases, {wrong - before} mismatches")
    print(f"{total} vectors, {wrong} mismatches")
    return wrong or total == 0


def conformance():
    sys.stdin.reconfigure(errors="replace")
    for line in filter(str.strip, sys.stdin):
        record = {}
        try:
            record |= json.loads(line)
            result = Answers().decision(record)
        except Exception:  # whatever is wrong with a record, the next one is answered
            result = {"decision": "refuse", "reasons": ["malformed"]}
        print(json.dumps({"case": record.get("case"), **result}), flush=True)


if __name__ == "__main__":
    sys.exit(conformance() if sys.argv[1:] == ["--conformance"] else vectors(sys.argv[1]) != 0)
