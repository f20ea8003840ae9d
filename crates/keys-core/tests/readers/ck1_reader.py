"""A reader of the ck1 key format, written from docs/key-format.md alone. `ck1_vectors.py` runs it over the vectors."""
import base64, hashlib, math, uuid
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_INT, UNKNOWN, NONE, DAY, ZERO = 2**53 - 1, 2**40 - 1, 2**32 - 1, 86400, bytes(32)
COMMANDS = ["unlock", "lock", "enable_driving", "open_trunk", "charge_port", "remote", "locate", "sign_status"]
CODES = """malformed too-large wrong-vehicle unknown-signer bad-signature widened unsupported expired not-yet-valid
outside-hours outside-area location-unknown state-stale car-moving ignition-on not-entitled presence-needed too-far
uses-spent revoked suspended old-generation statement-too-old clock-untrusted mandate-exceeded replayed
challenge-expired wrong-challenge command-expired busy rate-limited""".split()

class Fault(Exception):
    """A refusal; its one argument is the code."""

def need(condition, code="malformed"):
    """Refuses with the code unless the condition holds."""
    if not condition:
        raise Fault(code)

def outcome(call, *arguments):
    """What a call returns, or the code of its refusal."""
    try:
        return call(*arguments)
    except Fault as fault:
        return fault.args[0]

def sha256(data):
    return hashlib.sha256(data).digest()

# ---- Section 1: strict deterministic CBOR. A shape is a function that takes a value from a Reader.

class Reader:
    """Reads heads in their shortest form from front to back."""
    def __init__(self, data):
        self.data, self.at = data, 0
    def take(self, count):
        need(count <= len(self.data) - self.at)
        self.at += count
        return self.data[self.at - count:self.at]
    def head(self):
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        need(major < 6 and info < 28)
        if info < 24:
            return major, info
        size = 1 << (info - 24)
        arg = int.from_bytes(self.take(size), "big")
        need(arg >= (24 if size == 1 else 1 << (4 * size)))
        return major, arg
    def of(self, major):
        found, arg = self.head()
        need(found == major)
        return arg

def whole(read, data):
    """Reads one item, and nothing after it."""
    reader = Reader(data)
    value = read(reader)
    need(reader.at == len(data))
    return value

def shape(read):
    """Makes read(reader, arguments) a maker of shapes: of arguments, then of a reader."""
    return lambda *arguments: lambda reader: read(reader, *arguments)

@shape
def integer(reader, low=-MAX_INT, high=MAX_INT):
    major, arg = reader.head()
    need(major < 2)
    value = -1 - arg if major else arg
    need(low <= value <= high)
    return value

def uint(high=MAX_INT):
    return integer(0, high)

@shape
def bstr(reader, low=0, high=MAX_INT, code_above="malformed"):
    size = reader.of(2)
    need(size <= high, code_above)
    need(size >= low)
    return reader.take(size)

def exact(size):
    return bstr(size, size)

@shape
def text(reader, high=MAX_INT, test=lambda value: True):
    size = reader.of(3)
    need(size <= high)
    try:
        value = reader.take(size).decode()
    except UnicodeDecodeError:
        raise Fault("malformed") from None
    need(test(value))
    return value

@shape
def many(reader, low, high, item, code_above="malformed"):
    """A list of low..high items; its count is looked at before them."""
    count = reader.of(4)
    need(count <= high, code_above)
    need(count >= low)
    return [item(reader) for _ in range(count)]

@shape
def items(reader, *shapes):
    need(reader.of(4) == len(shapes))
    return [each(reader) for each in shapes]

@shape
def fields(reader, required, optional={}, test=lambda value: True):
    """A map with integer keys, ascending by their encoded bytes."""
    value, before, shapes = {}, b"", {**required, **optional}
    for _ in range(reader.of(5)):
        start = reader.at
        number = integer()(reader)
        encoded = reader.data[start:reader.at]
        need(encoded > before and number in shapes)
        before, value[number] = encoded, shapes[number](reader)
    need(required.keys() <= value.keys() and test(value))
    return value

@shape
def fixed(reader, number, code_else="malformed"):
    need(integer()(reader) == number, code_else)
    return number

@shape
def checked(reader, read, test):
    value = read(reader)
    need(test(value))
    return value

@shape
def either(reader, major, one, other):
    """One shape if the next item is of this major type, else the other."""
    following = reader.data[reader.at:reader.at + 1]
    return (one if following and following[0] >> 5 == major else other)(reader)

# ---- Section 3: Ed25519

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, TOP = -121665 * pow(121666, -1, P) % P, 1 << 255
SMALL_Y = {0, 1, P - 1, *(int.from_bytes(bytes.fromhex(y), "little") for y in (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))}

def usable(key_):
    """Rule 1: canonical, on the curve, not of small order."""
    y = int.from_bytes(key_, "little") % TOP
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    return y < P and y not in SMALL_Y and pow(square, (P - 1) // 2, P) == 1

def signed_by(key_, message, signature):
    """Rules 2 to 4; the library does the last one, comparing R byte for byte."""
    r, s = int.from_bytes(signature[:32], "little"), int.from_bytes(signature[32:], "little")
    small = r % TOP in SMALL_Y and not (r >= TOP and r % TOP in (1, P - 1))
    try:
        Ed25519PublicKey.from_public_bytes(key_).verify(signature, message)
    except InvalidSignature:
        return False
    return usable(key_) and not small and s < L

def kid_of(key_):
    return sha256(b"\xa3\x01\x01\x20\x06\x21\x58\x20" + key_)[:8]

# ---- Sections 2 and 4 to 8, 12 to 14: the shapes

def is_aud(value):
    """The exact unpadded base64url form of 16 bytes."""
    try:
        return base64.urlsafe_b64encode(base64.b64decode(value + "==", b"-_", True)) == value.encode() + b"=="
    except ValueError:
        return False

def is_polygon(corners):
    """Section 4: the corners make a simple polygon on the plane."""
    points = flatten(corners)
    lons, n = [x for _, x in points], len(points)
    edges = list(zip(points, points[1:] + points[:1]))
    neighbors = all(not folded(*edges[i - 1], edges[i][1]) for i in range(n))
    others = all(not touching(edges[i], edges[j]) for i in range(n) for j in range(i + 2, n) if j - i != n - 1)
    return max(lons) - min(lons) < 1800000000 and len(set(points)) == n and neighbors and others

def folded(a, b, c):
    """Whether the way from a over b to c runs back over itself."""
    return turn(a, b, c) == 0 and (a[0] - b[0]) * (c[0] - b[0]) + (a[1] - b[1]) * (c[1] - b[1]) > 0

def flatten(corners):
    """Longitudes relative to the first corner, above -180 and at most 180 degrees."""
    return [(lat, 1800000000 - (1800000000 - (lon - corners[0][1])) % 3600000000) for lat, lon in corners]

def turn(a, b, c):
    value = (b[1] - a[1]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[1] - a[1])
    return (value > 0) - (value < 0)

def on_edge(point, edge):
    a, b = edge
    return turn(a, b, point) == 0 and all(min(a[k], b[k]) <= point[k] <= max(a[k], b[k]) for k in (0, 1))

def touching(one, two):
    crossing = turn(*one, two[0]) * turn(*one, two[1]) < 0 and turn(*two, one[0]) * turn(*two, one[1]) < 0
    return crossing or any(on_edge(p, two) for p in one) or any(on_edge(p, one) for p in two)

time = uint(UNKNOWN)
flag, aud, code = uint(1), text(22, is_aud), text(64, CODES.__contains__)
command = checked(uint(6), lambda value: value != 5)
latitude, longitude = integer(-900000000, 900000000), integer(-1800000000, 1800000000)
place = items(latitude, longitude)
public_key = checked(exact(32), usable)
polygon = checked(many(3, 16, place), is_polygon)
versions = many(1, 4, uint())
seqs = items(uint(), uint(), uint())

def area(reader):
    """A circle of three items or a polygon of one."""
    count = reader.of(4)
    need(count in (1, 3))
    return [polygon(reader)] if count == 1 else [latitude(reader), longitude(reader), uint()(reader)]

span = checked(items(integer(1, 127), uint(1439), uint(1440)), lambda value: value[1] < value[2])
hours = items(text(64, lambda name: name.isascii()), many(1, 4, span))
areas = many(1, 8, area, "too-large")
later = {3: areas, 4: integer(900, 4294967295), 6: uint(3), 7: uint(2), 8: hours, 9: uint(), 10: uint(),
         11: integer(900, 259200), 12: uint(86400), 13: uint(3), 14: uint(2), 15: areas}
policy, later_policy = (fields({1: uint(255), 2: uint(4)}, more) for more in ({**later, 5: uint()}, later))
cnf = fields({1: fields({1: fixed(1), -1: fixed(6), -2: exact(32)})})

def claims(position=None):
    """The claims of a first link, of a later one, or of a link by itself."""
    always = {4: time, 5: time, 8: cnf, -65537: later_policy if position == "later" else policy}
    maybe = {7: exact(8), -65539: exact(16)}
    {"first": always, "later": {}, None: maybe}[position].update({3: aud})
    return fields(always, maybe, lambda value: value[5] < value[4])

class Sealed:
    """A signed object that was read, not yet verified."""
    def __init__(self, raw, parts, kid, body):
        self.raw, self.parts, self.kid, self.body = raw, parts, kid, body
    def message(self, context, rest):
        return b"\x84\x6aSignature1" + b"".join(map(pack, (self.parts[0], context + rest, self.parts[2])))
    def id(self, context, rest):
        return sha256(self.message(context, rest))
    def signed(self, key_, context, rest):
        return signed_by(key_, self.message(context, rest), self.parts[3])

def pack(data):
    """A byte string in CBOR, of less than 65,536 bytes."""
    size = len(data)
    return (bytes([64 + size]) if size < 24 else bytes([88, size]) if size < 256 else b"\x59" + size.to_bytes(2)) + data

protected_header = fields({1: fixed(-19, "unsupported")}, {4: exact(8)})

@shape
def sealed(reader, kind, has_kid=None, body=None):
    """A signed object; the payload is read last."""
    _, most, kid_rule, payload = TYPES[kind]
    has_kid = kid_rule if has_kid is None else has_kid
    start = reader.at
    need(reader.of(4) == 4)
    protected = bstr()(reader)
    header = whole(protected_header, protected)
    parts = [protected, fields({})(reader), bstr()(reader), exact(64)(reader)]
    raw = reader.data[start:reader.at]
    need(len(raw) <= most, "too-large")
    need(has_kid in (None, 4 in header))
    return Sealed(raw, parts, header.get(4), whole(body or payload, parts[2]))

def parse(kind, data):
    """A signed object that stands alone."""
    need(len(data) <= TYPES[kind][1], "too-large")
    return whole(sealed(kind), data)

proof = fields({1: command, 2: time, 5: uint(2), 7: exact(16), 8: time}, {3: exact(32), 4: fixed(None), 9: place},
               lambda value: 0 <= value[8] - value[2] <= 30)
challenge = fields(
    {1: exact(16), 2: aud, 4: exact(32), 5: checked(items(uint(UNKNOWN), uint(UNKNOWN)), lambda v: v[0] <= v[1]),
     6: exact(8), 7: seqs, 8: uint(300000), 9: versions, 11: uint()}, {3: exact(16), 10: text(256)})
id_list = checked(many(0, 64, exact(16), "too-large"), lambda ids: all(a < b for a, b in zip(ids, ids[1:])))
statement = fields({3: aud, 6: time, -65538: fields({1: uint(), 2: uint(), 3: id_list},
                                                    {4: items(uint(), exact(16)), 5: id_list})}, {4: time})
bundle = fields({3: aud, 6: time, -65540: fields(
    {1: uint(), 2: many(1, 4, public_key), 4: public_key, 5: flag, 6: uint(), 7: flag}, {3: public_key, 8: text(256)})})
codes = checked(many(0, len(CODES), code),
                lambda found: all(CODES.index(a) < CODES.index(b) for a, b in zip(found, found[1:])))
receipt = fields({1: many(1, 5, exact(32)), 2: command, 3: aud, 4: exact(16), 5: flag, 6: codes, 8: exact(32),
                  9: items(uint(), exact(32)), 10: time, 11: flag}, {7: uint(2), 12: exact(32)})
journal_head = fields({1: uint(), 2: exact(32), 3: aud, 10: time})
entry = fields({1: uint(), 2: exact(32), 3: uint(4), 4: time, 5: flag, 6: many(0, 5, exact(32))},
               {7: exact(16), 8: command, 9: uint(2), 10: codes, 11: exact(32), 12: text(128), 13: uint()})
TYPES = {  # context, longest, whether with kid, payload
    "link": (b"ck1:link", 640, None, claims()), "proof": (b"ck1:pop\0", 320, False, proof),
    "challenge": (b"ck1:chal", 768, True, challenge), "statement": (b"ck1:rev\0", 2048, True, statement),
    "bundle": (b"ck1:bndl", 2048, True, bundle), "time": (b"ck1:time", 256, True, fields({1: time})),
    "receipt": (b"ck1:rcpt", 1536, True, receipt), "journal-head": (b"ck1:jrnl", 320, True, journal_head),
    "sync-hello": (b"ck1:sync", 256, True, fields({1: versions, 3: aud, 7: seqs}))}
first_link, later_link = (sealed("link", p == "first", claims(p)) for p in ("first", "later"))

def key(reader):
    """[first, *4 link]: links from the owner outwards; the first may be the id of an anchor."""
    count = reader.of(4)
    need(count <= 5, "too-large")
    need(count >= 1)
    return [either(2, exact(32), first_link)(reader)] + [later_link(reader) for _ in range(count - 1)]

def carried(reader):
    """[1, kind, object, ? challenge], the challenge with kind 4 and only there."""
    count = reader.of(4)
    need(count in (3, 4))
    value = [fixed(1, "unsupported")(reader), integer(1, 5)(reader)]
    need((count == 4) == (value[1] == 4))
    return value + [bstr(0, 2048, "too-large")(reader)] + [bstr()(reader) for _ in range(count - 3)]

either_code = either(2, bstr(), code)
FRAMES = {
    1: (aud, exact(16), versions), 2: (exact(16),), 3: (bstr(),), 4: (), 10: (uint(), bstr()),
    11: (uint(), text(64, lambda v: v == "" or v in CODES), seqs),
    12: (uint(), checked(bstr(0, 16), lambda v: len(v) in (0, 16))), 13: (uint(), either_code), 14: (uint(), bstr()),
    15: (uint(), either_code, flag), 20: (uint(), bstr()), 21: (uint(), bstr()), 30: (uint(), bstr()), 31: (uint(),),
    32: (bstr(),), 33: (text(8192),)}

def frame(reader):
    count = reader.of(4)
    kind = uint()(reader)
    need(kind in FRAMES and count == 1 + len(FRAMES[kind]))
    return [kind] + [shape(reader) for shape in FRAMES[kind]]

UNSIGNED = {  # the longest, the shape
    "key": (2560, key),
    "presentation": (4096, items(fixed(1, "unsupported"), sealed("challenge"), either(2, exact(32), key),
                                 sealed("proof"))),
    "carried": (3072, carried),
    "carried-answer": (3072, fields({1: flag}, {2: code}, lambda value: (value[1] == 0) == (2 in value))),
    "journal-entry": (1536, entry), "frame": (16384, frame),
    "pair-offer": (2048, fields({1: public_key, 2: exact(16)})),
    "pair-confirm": (2048, fields({1: aud, 2: public_key, 3: exact(16), 4: bstr(), 5: exact(32)})),
    "pair-answer": (2048, fields({1: exact(32)}))}

def unsigned(kind, data):
    most, shape = UNSIGNED[kind]
    need(len(data) <= most, "too-large")
    return whole(shape, data)

def shown(value):
    """A value as the vectors write it."""
    if isinstance(value, Sealed):
        return shown(value.parts)
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    if isinstance(value, list):
        return [shown(item) for item in value]
    return {str(k): shown(v) for k, v in value.items()} if isinstance(value, dict) else value

# ---- Section 4: areas and hours

def in_area(found, point):
    """A circle by distance, a polygon in exact integers; borders are inside."""
    if len(found) == 3:
        lat1, lon1, lat2, lon2 = (math.radians(v / 1e7) for v in (*found[:2], *point))
        part = math.sin((lat2 - lat1) / 2) ** 2 + \
            math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
        return 2 * 6371008.8 * math.asin(min(1, math.sqrt(part))) <= found[2]
    corners = flatten(found[0])
    x = flatten([found[0][0], point])[1][1]
    edges = list(zip(corners, corners[1:] + corners[:1]))
    return any(on_polygon((point[0], lon), edges) for lon in (x, x - 3600000000, x + 3600000000))

def on_polygon(point, edges):
    inside = False
    for a, b in edges:
        if on_edge(point, (a, b)):
            return True
        south, north = sorted((a, b))
        if south[0] <= point[0] < north[0] and turn(south, north, point) > 0:
            inside = not inside
    return inside

def in_hours(found, lo, hi):
    """Whether every second of [lo, hi] is inside."""
    need(found[0] in available_timezones(), "unsupported")
    zone = ZoneInfo(found[0])
    return hi - lo <= DAY and all(within(found[1], datetime.fromtimestamp(m, zone)) for m in range(lo, hi + 1))

def within(spans, local):
    minute = 60 * local.hour + local.minute
    return any(mask >> local.weekday() & 1 and start <= minute < end for mask, start, end in spans)

# ---- Sections 4 and 5: chains of links

class Chain:
    """What verified links from the owner down add up to."""
    def __init__(self, car, link, parent=None):
        claims_, rule = link.body, link.body[-65537]
        self.id = link.id(b"ck1:link", parent.id if parent else ZERO)
        self.ids = (parent.ids if parent else []) + [self.id[:16]]
        self.nbf, self.exp, self.holder, self.rule = claims_[5], claims_[4], claims_[8][1][-2], rule
        self.aud = parent.aud if parent else claims_[3]
        self.grant = claims_.get(7, parent.grant if parent else None)
        self.mandate = parent.mandate if parent else self.holder == car.platform_root and rule[1] != 128
        self.rights, self.delegations = rule[1], rule[2]
        self.generation = parent.generation if parent else rule.get(5, 0)
        self.areas, self.returns, self.hours, self.limits = (list(v) for v in (
            (parent.areas, parent.returns, parent.hours, parent.limits) if parent else ([], [], [], [])))
        if parent:
            need(link.signed(parent.holder, b"ck1:link", parent.id), "bad-signature")
        else:
            self.first(car, link)
        most = 400 if self.holder in car.roots or (self.mandate and not parent) else 92
        need(self.exp - self.nbf <= most * DAY, "widened")
        need(len(self.ids) <= 5, "too-large")
        self.narrow(parent, rule)
        need(len(self.areas) <= 8 and len(self.returns) <= 8, "too-large")
        need(usable(self.holder))
    def first(self, car, link):
        """Who signs a first link, and the rules of a mandate."""
        status = self.rights == 128
        car.verify(link, [car.platform_root] if status else car.roots, "link", ZERO)
        need(not (status and self.delegations) and (status or not self.rights & 128), "widened")
        if self.mandate:
            need(10 in self.rule and self.rule.get(4, NONE) != NONE, "mandate-exceeded")
    def narrow(self, parent, rule):
        """Section 5; the lists accumulate."""
        have = dict(parent.have) if parent else {4: DAY, 6: 0, 7: 0, 10: None, 11: None, 12: 0, 13: 0, 14: 0}
        if parent:
            have[7] = min(have[7], 1)
            need(parent.nbf <= self.nbf and self.exp <= parent.exp, "widened")
            need(not rule[1] & ~parent.rights and not rule[1] & 128 and rule[2] < parent.delegations, "widened")
            for item in (4, 7, 10, 11, 12):
                need(item not in rule or have[item] is None or rule[item] <= have[item], "widened")
            need(all(item not in rule or rule[item] >= have[item] for item in (6, 14)), "widened")
        for item in have:
            have[item] = have[item] | rule.get(13, 0) if item == 13 else rule.get(item, have[item])
        self.have = have
        self.areas += rule.get(3, [])
        self.returns += rule.get(15, [])
        self.hours += [rule[8]] if 8 in rule else []
        self.limits += [(None, rule[9])] if 9 in rule else []
        self.limits = [(self.grant if grant is None else grant, limit) for grant, limit in self.limits]

def aud_of(vehicle):
    return base64.urlsafe_b64encode(uuid.UUID(vehicle).bytes).decode().rstrip("=")

# ---- Section 7: the car and the statements it has taken

class Car:
    """What a gateway knows: trusted keys, anchors, its clock, and the statements that it took."""
    def __init__(self, case):
        self.case, self.aud = case, aud_of(case["vehicle"])
        self.roots = [bytes.fromhex(k) for k in case["roots"]]
        self.platform_root = bytes.fromhex(case["platform_root"]) if case["platform_root"] else None
        self.generation = case["known"]["generation"]
        self.held, self.revoked, self.floor = {}, {"owner": set(), "platform": set()}, 0  # held: by signer
        self.anchors = {}
        for data in 5 * case["anchors"]:  # in any order: a path has at most five links
            outcome(self.store, bytes.fromhex(data))
        self.answers = [outcome(self.take, bytes.fromhex(data)) for data in case["statements"]]
    def store(self, data):
        """An anchor: a first link, or one under a stored anchor; others are ignored."""
        link = parse("link", data)
        whole(first_link if link.kid else later_link, data)
        need(not link.kid or link.body[3] == self.aud, "wrong-vehicle")
        for parent in [None] if link.kid else list(self.anchors.values()):
            if not parent or link.signed(parent.holder, b"ck1:link", parent.id):
                chain = Chain(self, link, parent)
                self.anchors[chain.id] = chain
    def clock(self):
        """lo, hi, whether hi is known, and the time that ages are measured to."""
        lo, hi = self.case["clock"] or (self.floor, UNKNOWN)
        return lo, hi, hi < UNKNOWN, hi if hi < UNKNOWN else lo
    def verify(self, found, keys, kind, rest):
        """The key among the trusted ones that signed it."""
        tried = [k for k in keys if k and kid_of(k) == found.kid][:4]
        need(tried, "unknown-signer")
        signer = next((k for k in tried if found.signed(k, TYPES[kind][0], rest)), None)
        need(signer, "bad-signature")
        return signer
    def take(self, data):
        """The rules by which a statement is taken, in their order."""
        found = parse("statement", data)
        body, lists = found.body, found.body[-65538]
        need(body[3] == self.aud, "wrong-vehicle")
        side = "platform" if 4 in body else "owner"
        signer = self.verify(found, self.signers(side), "statement", b"")
        _, hi, trusted, _ = self.clock()
        if side == "platform":
            need(lists[2] == 0)
            faults = [self.link_fault(c, body[6]) for c in sorted(self.links(signer), key=lambda c: -c.exp)]
            need(None in faults, faults[0])
        need(not trusted or body[6] <= hi + 600, "not-yet-valid")
        need(lists[1] >= self.case["known"][f"{side}_seq"], "statement-too-old")
        identity, before = found.id(b"ck1:rev\0", b""), self.held.get(signer)
        need(not before or lists[1] >= before[2][1], "statement-too-old")
        if before and lists[1] == before[2][1]:
            need(identity == before[3], "replayed")
            return "known"
        self.held[signer] = side, body, lists, identity
        self.revoked[side] |= set(lists[3])
        self.floor = max(self.floor, body[6])
        self.generation = max(self.generation, lists[2])
        return "new"
    def signers(self, side):
        return self.roots if side == "owner" else [c.holder for c in self.links()]
    def links(self, signer=None):
        """Status links, all or those to one key."""
        return [c for c in self.anchors.values() if c.rights == 128 and signer in (None, c.holder)]
    def link_fault(self, chain, iat):
        lo, _, trusted, latest = self.clock()
        return "expired" if max(latest, iat) >= chain.exp else \
            "not-yet-valid" if trusted and lo < chain.nbf else self.ended(chain)
    def ended(self, chain):
        """Revoked by an owner, or of an old generation."""
        return "revoked" if chain.id[:16] in self.revoked["owner"] else \
            "old-generation" if chain.generation < self.generation else None
    def stands(self, signer):
        """The links to a status key that stand, whatever the time."""
        return [c for c in self.links(signer) if not self.ended(c)]
    def words(self, side):
        """The newest statement of each signer; of status keys those that stand, or all if none does."""
        held = {k: v for k, v in self.held.items() if v[0] == side}
        return {k: v for k, v in held.items() if side == "owner" or self.stands(k)} or held
    def newest(self, side, fresh=False):
        """The newest statement held of an authority, or the newest fresh one."""
        found = [v for k, v in self.words(side).items() if not fresh or side == "owner" or self.fresh(k, v)]
        return max(found, key=lambda v: (v[1][6], v[2][1]), default=None)
    def fresh(self, signer, held):
        """Section 7, of a status key's statement."""
        _, body, lists, _ = held
        latest, owners = self.clock()[3], [v for v in self.held.values() if v[0] == "owner"]
        seq, short = lists.get(4, (0, None))
        has = any(v[2][1] > seq or (v[2][1] == seq and v[3][:16] == short) for v in owners) or \
            4 not in lists or (not owners and self.case["known"]["owner_seq"] >= seq)
        return latest < body[4] and any(latest < c.exp for c in self.stands(signer)) and has
    def word(self, mandate):
        """The iat of the newest fresh statement that speaks for a key, or None."""
        found = [self.newest("platform", True)] + ([] if mandate else [self.newest("owner")])
        return max((v[1][6] for v in found if v), default=None)
    def seq(self, side):
        newest = self.newest(side)
        return newest[2][1] if newest else self.case["known"][f"{side}_seq"]

def answer_statements(case):
    car = Car(case)
    revoked = sorted(short.hex() for short in car.revoked["owner"] | car.revoked["platform"])
    return {"answers": car.answers, "owner_seq": car.seq("owner"), "platform_seq": car.seq("platform"),
            "generation": car.generation, "revoked": revoked}

# ---- Sections 9 to 11: a decision

def decide(case):
    """The decision on a record, with its reasons in the order of the codes."""
    reasons, lock_only = Decision(Car(case), case).reasons()
    return {"decision": "allow" if not reasons else "lock-only" if lock_only else "refuse",
            "reasons": sorted(reasons, key=CODES.index)}

class Decision:
    """Steps 1 to 5 in its making, step 7 in `reasons`."""
    def __init__(self, car, case):
        data = {k: bytes.fromhex(case[k]) if case[k] is not None else None for k in ("key", "challenge", "proof")}
        need(len(data["key"]) <= 2560, "too-large")
        links = whole(key, data["key"])
        challenge_, proof_ = (parse(k, data[k]) if data[k] is not None else None for k in ("challenge", "proof"))
        need(challenge_ is None or challenge_.body[2] == car.aud, "wrong-vehicle")
        self.car, self.case, self.chain = car, case, None
        if isinstance(links[0], bytes):
            need(links[0] in car.anchors, "unknown-signer")
            self.chain = car.anchors[links.pop(0)]
        need((self.chain.aud if self.chain else links[0].body[3]) == car.aud, "wrong-vehicle")
        need(not self.chain or len(self.chain.ids) + len(links) <= 5, "too-large")
        for link in links:
            self.chain = Chain(car, link, self.chain)
        need(self.chain.grant)
        gateway = bytes.fromhex(case["gateway_key"])
        need(challenge_ and challenge_.kid == kid_of(gateway) and challenge_.signed(gateway, b"ck1:chal", b"") and
             1 in challenge_.body[9], "wrong-challenge")
        rest = sha256(data["challenge"]) + self.chain.id
        need(proof_ and proof_.signed(self.chain.holder, b"ck1:pop\0", rest) and
             COMMANDS[proof_.body[1]] == case["command"], "bad-signature")
        self.proof = proof_.body
    def reasons(self):
        """All reasons against the command, and whether it is carried out as lock-only."""
        chain, car, case, lock = self.chain, self.car, self.case, self.case["command"] == "lock"
        rights = 1 << COMMANDS.index(case["command"]) | (32 if case["channel"] == "remote" else 0)
        state = case["state"] or {}
        found = self.denied() | self.placed(lock)
        tests = {"not-entitled": rights & ~chain.rights, "too-far": case["proximity"] < chain.have[6],
                 "presence-needed": self.proof[5] < max(chain.have[14], case["command"] == "enable_driving"),
                 "mandate-exceeded": chain.have[10] is not None and chain.exp - chain.nbf > chain.have[10],
                 "uses-spent": case["command"] not in ("lock", "locate") and
                 any(case["uses"].get(grant.hex(), 0) >= limit for grant, limit in chain.limits),
                 "command-expired": case["now"] > self.proof[8]}
        found |= {name for name, holds in tests.items() if holds}
        for bit, name, against in ((1, "stationary", "car-moving"), (2, "ignition_off", "ignition-on")):
            if chain.have[13] & bit and state.get(name) is not True:
                found.add("state-stale" if state.get(name) is None else against)
        if chain.holder not in car.roots:
            found |= self.timed()
        soft = {"expired", "revoked", "suspended", "statement-too-old", "outside-hours", "uses-spent"}
        _, hi, trusted, _ = car.clock()
        if not (lock and found and found <= soft and case["begun"] and trusted and hi < chain.exp + chain.have[12]):
            return found, False
        if state.get("stationary") is True:
            return found, True
        return found | {"state-stale" if state.get("stationary") is None else "car-moving"}, False
    def denied(self):
        """What an owner lists, and below a mandate a status key."""
        found = set()
        for side, ids in (("owner", self.chain.ids), ("platform", self.chain.ids[1:] if self.chain.mandate else [])):
            listed = {i for v in self.car.words(side).values() for i in v[2].get(5, [])}
            found |= {"revoked"} if self.car.revoked[side] & set(ids) else set()
            found |= {"suspended"} if listed & set(ids) else set()
        return found
    def placed(self, lock):
        """Areas and hours."""
        found, position = set(), self.case["position"]
        lo, hi, trusted, _ = self.car.clock()
        if self.chain.areas and not lock:
            if position is None:
                found.add("location-unknown")
            elif not all(in_area(a, position) for a in self.chain.areas):
                found.add("outside-area")
        for each in self.chain.hours:
            inside = outcome(in_hours, each, lo, hi if trusted else lo)
            found.add(inside if isinstance(inside, str) else "clock-untrusted" if not trusted else
                      None if inside else "outside-hours")
        return found - {None}
    def timed(self):
        """Generation, window and freshness: what an owner device is not tested for."""
        chain, car, have = self.chain, self.car, self.chain.have
        lo, hi, trusted, latest = car.clock()
        word = car.word(chain.mandate)
        found = {"old-generation"} if chain.generation < car.generation else set()
        if trusted:
            found |= {"not-yet-valid"} if lo < chain.nbf else set()
            found |= {"expired"} if hi >= chain.exp else set()
        elif have[7] != 2:
            found.add("expired" if lo >= chain.exp else "not-yet-valid" if have[7] == 1 and lo < chain.nbf else
                      "clock-untrusted" if have[7] == 0 or word is None else None)
        if self.case["begun"]:
            limit = NONE if self.case["in_contact"] else have[11] or (NONE if have[4] == NONE else 259200)
        else:
            limit = NONE if have[4] == NONE else 900 if self.case["in_contact"] else have[4]
        if limit != NONE and (word is None or max(0, latest - word) > limit):
            found.add("statement-too-old")
        return found - {None}
