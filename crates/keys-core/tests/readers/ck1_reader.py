"""A reader of ck1 keys, written from docs/key-format.md alone. It shares no code with keys-core.

`decide(record)` answers a record of docs/key-format.md section 18; ck1_vectors.py asks it about all of them.
cbor2 only writes; what is read goes through `Reader`.
"""
import base64
import hashlib

import cbor2
from ck1_places import ZONES, is_in_area, is_in_hours, is_polygon
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CODES = (
    "malformed too-large wrong-vehicle unknown-signer bad-signature widened unsupported expired not-yet-valid "
    "outside-hours outside-area location-unknown state-stale car-moving ignition-on not-entitled presence-needed "
    "too-far uses-spent revoked suspended old-generation statement-too-old clock-untrusted mandate-exceeded replayed "
    "challenge-expired wrong-challenge command-expired busy rate-limited"
).split()
COMMANDS = {"unlock": 0, "lock": 1, "enable_driving": 2, "open_trunk": 3, "charge_port": 4, "locate": 6}
UNKNOWN, MOST, NO_LIMIT, BEGUN_LIMIT, DAY = 2**40 - 1, 2**53 - 1, 2**32 - 1, 259_200, 86_400
REMOTE, SIGN_STATUS = 1 << 5, 1 << 7
POLICY, LISTS = -65537, -65538

class Refused(Exception):
    """One code, and nothing more is looked at."""

    def __init__(self, code="malformed"):
        super().__init__(code)
        self.code = code

def need(condition, code="malformed"):
    if not condition:
        raise Refused(code)

# Section 1: encoding.

class Reader:
    """Deterministic CBOR from front to back; every other encoding refuses where it stands."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(count <= len(self.data) - self.at)
        self.at += count
        return self.data[self.at - count : self.at]

    def is_bytes(self):
        return self.at < len(self.data) and self.data[self.at] >> 5 == 2

    def head(self, *majors):
        first = self.take(1)[0]
        need(first >> 5 in majors)
        info = first & 0x1F
        need(info < 28)
        if info < 24:
            return first >> 5, info
        value = int.from_bytes(self.take(1 << info - 24), "big")
        need(value >= (24, 1 << 8, 1 << 16, 1 << 32)[info - 24])
        return first >> 5, value

    def uint(self, most=MOST, least=0):
        value = self.head(0)[1]
        need(least <= value <= most)
        return value

    def int(self, bound=MOST):
        major, value = self.head(0, 1)
        value = -1 - value if major else value
        need(-bound <= value <= bound)
        return value

    def bytes(self, size=None):
        value = self.take(self.head(2)[1])
        need(size is None or len(value) == size)
        return value

    def text(self, most):
        length = self.head(3)[1]
        need(length <= most)
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused() from None

    def array(self, least, most, code="malformed"):
        count = self.head(4)[1]
        need(count <= most, code)
        need(count >= least)
        return count

    def list(self, least, most, item, code="malformed"):
        return [item(self) for _ in range(self.array(least, most, code))]

    def tuple(self, *items):
        self.array(len(items), len(items))
        return [item(self) for item in items]

    def map(self, required, optional=None):
        """A map whose values are read by the functions of two tables."""
        table, found, last = {**required, **(optional or {})}, {}, b""
        for _ in range(self.head(5)[1]):
            start = self.at
            key = self.int()
            encoded = self.data[start : self.at]
            need(encoded > last and key in table)
            last, found[key] = encoded, table[key](self)
        need(required.keys() <= found.keys())
        return found

def whole(data, read):
    reader = Reader(data)
    value = read(reader)
    need(reader.at == len(data))
    return value

# Readers of one value, for the tables below.
def number(most=MOST, least=0): return lambda reader: reader.uint(most, least)
def blob(size=None): return lambda reader: reader.bytes(size)
def text(most): return lambda reader: reader.text(most)
def listed(least, most, item, code="malformed"): return lambda reader: reader.list(least, most, item, code)
def body(required, optional=None): return lambda reader: reader.map(required, optional)

FLAG, TIME, ID, SHORT = number(1), number(UNKNOWN), blob(32), blob(16)

def aud_of(vehicle):
    return base64.urlsafe_b64encode(vehicle).decode().rstrip("=")

def aud(reader):
    found = reader.text(22)
    try:
        need(len(found) == 22 and aud_of(base64.b64decode(found + "==", b"-_", validate=True)) == found)
    except ValueError:
        raise Refused() from None
    return found

def command(reader):
    bit = reader.uint()
    need(bit in COMMANDS.values())
    return bit

def code(reader):
    found = reader.text(32)
    need(found in CODES)
    return found

def codes(reader):
    found = reader.list(0, len(CODES), code)
    need(found == sorted(set(found), key=CODES.index))
    return found

# Section 3: signatures.

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Y8 = """26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05
        c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a""".split()
SIGNED_Y = [0, *(int.from_bytes(bytes.fromhex(y), "little") for y in Y8)]
SMALL = {y.to_bytes(32, "little") for y in [1, P - 1, *SIGNED_Y, *(y | 1 << 255 for y in SIGNED_Y)]}

def usable(key):
    y = int.from_bytes(key, "little") & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    return y < P and y not in [1, P - 1, *SIGNED_Y] and pow(square, (P - 1) // 2, P) in (0, 1)

def public_key(reader):
    key = reader.bytes(32)
    need(usable(key))
    return key

def signed_by(key, signature, message):
    """Steps 2 and 3; the library's own test is that of step 4."""
    if signature[:32] in SMALL or int.from_bytes(signature[32:], "little") >= L:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except InvalidSignature:
        return False

def sha256(data): return hashlib.sha256(data).digest()
def kid_of(key): return sha256(cbor2.dumps({1: 1, -1: 6, -2: key}))[:8]

# Section 2: signed objects.

class Signed:
    """A signed object, read and not yet believed."""

    def __init__(self, reader, kind, alone=False):
        self.context, rule, most, read_body = KINDS[kind]
        need(not alone or len(reader.data) <= most, "too-large")
        start = reader.at
        reader.array(4, 4)
        self.protected = reader.bytes()
        self.kid = whole(self.protected, body({1: algorithm}, {4: blob(8)})).get(4)
        reader.map({})
        self.payload, self.signature = reader.bytes(), reader.bytes(64)
        self.data = reader.data[start : reader.at]
        need(len(self.data) <= most, "too-large")
        need(rule is None or rule == (self.kid is not None))
        self.body = whole(self.payload, read_body)
        assert cbor2.dumps(self.body) == self.payload, "written again it is the same"

    @classmethod
    def decode(cls, data, kind): return whole(data, lambda reader: cls(reader, kind, alone=True))

    def message(self, rest):
        return cbor2.dumps(["Signature1", self.protected, self.context + rest, self.payload])

    def id(self, rest=b""): return sha256(self.message(rest))
    def is_signed_by(self, key, rest=b""): return signed_by(key, self.signature, self.message(rest))

    def signer(self, keys, rest=b""):
        named = [key for key in keys if kid_of(key) == self.kid][:4]
        need(named, "unknown-signer")
        signers = [key for key in named if self.is_signed_by(key, rest)]
        need(signers, "bad-signature")
        return signers[0]

def algorithm(reader):
    need(reader.int() == -19, "unsupported")

# Section 4: links.

def latitude(reader): return reader.int(900_000_000)
def longitude(reader): return reader.int(1_800_000_000)
def point(reader): return reader.tuple(latitude, longitude)

def area(reader):
    if reader.array(1, 3) == 1:
        corners = reader.list(3, 16, point)
        need(is_polygon(corners))
        return [corners]
    return [latitude(reader), longitude(reader), reader.uint()]

def hours(reader):
    zone, windows = reader.tuple(text(64), listed(1, 4, lambda r: r.tuple(number(127, 1), number(1440), number(1440))))
    need(zone.isascii() and all(start < end for _, start, end in windows))
    return [zone, windows]

AREAS = listed(1, 8, area, "too-large")
ITEMS = {
    3: AREAS, 4: number(NO_LIMIT, 900), 5: number(), 6: number(3), 7: number(2), 8: hours, 9: number(), 10: number(),
    11: number(BEGUN_LIMIT, 900), 12: number(DAY), 13: number(3), 14: number(2), 15: AREAS,
}
CNF = body({1: body({1: number(1, 1), -1: number(6, 6), -2: ID})})

def claims(reader):
    policy = body({1: number(255), 2: number(4)}, ITEMS)
    found = reader.map({4: TIME, 5: TIME, 8: CNF, POLICY: policy}, {3: aud, 7: blob(8), -65539: SHORT})
    need(found[5] < found[4])
    return found

# Sections 6 to 8 and 13: the other signed bodies.

def seqs(reader):
    return reader.tuple(number(), number(), number())

def challenge(reader):
    required = {1: SHORT, 2: aud, 4: ID, 5: lambda r: r.tuple(TIME, TIME), 6: blob(8), 7: seqs, 8: number(300_000)}
    found = reader.map({**required, 9: listed(1, 4, number()), 11: number()}, {3: SHORT, 10: text(256)})
    need(found[5][0] <= found[5][1])
    return found

def proof(reader):
    found = reader.map({1: command, 2: TIME, 5: number(2), 7: SHORT, 8: TIME}, {3: ID, 4: ID, 9: point})
    need(0 <= found[8] - found[2] <= 30 and 4 not in found)
    return found

def ids(reader):
    found = reader.list(0, 64, SHORT, "too-large")
    need(found == sorted(set(found)))
    return found

STATUS = body({1: number(), 2: number(), 3: ids}, {4: lambda r: r.tuple(number(), SHORT), 5: ids})
KEYS = {1: number(), 2: listed(1, 4, public_key), 4: public_key, 5: FLAG, 6: number(), 7: FLAG}
BUNDLE = body(KEYS, {3: public_key, 8: text(256)})
ANSWER = {1: listed(1, 5, ID), 2: command, 3: aud, 4: SHORT, 5: FLAG, 6: codes, 8: ID}
RECEIPT = body({**ANSWER, 9: lambda r: r.tuple(number(), ID), 10: TIME, 11: FLAG}, {7: number(2), 12: ID})
KINDS = {  # context, whether it has a kid, longest, body
    "link": (b"ck1:link", None, 640, claims),
    "proof": (b"ck1:pop\0", False, 320, proof),
    "challenge": (b"ck1:chal", True, 768, challenge),
    "statement": (b"ck1:rev\0", True, 2_048, body({3: aud, 6: TIME, LISTS: STATUS}, {4: TIME})),
    "bundle": (b"ck1:bndl", True, 2_048, body({3: aud, 6: TIME, -65540: BUNDLE})),
    "time": (b"ck1:time", True, 256, body({1: TIME})),
    "receipt": (b"ck1:rcpt", True, 1_536, RECEIPT),
    "journal-head": (b"ck1:jrnl", True, 320, body({1: number(), 2: ID, 3: aud, 10: TIME})),
    "sync-hello": (b"ck1:sync", True, 256, body({1: listed(1, 4, number()), 3: aud, 7: seqs})),
}

def link(reader, is_first, alone=False):
    found = Signed(reader, "link", alone)
    is_first = found.kid is not None if is_first is None else is_first
    need(is_first == (found.kid is not None) == (3 in found.body))
    need(is_first or 5 not in found.body[POLICY])
    return found

def key(reader):
    """The anchor's id, or None, and the links."""
    start, count = reader.at, reader.array(1, 5, "too-large")
    anchor = reader.bytes(32) if reader.is_bytes() else None
    links = [link(reader, index == 0) for index in range(anchor is not None, count)]
    need(reader.at - start <= 2_560, "too-large")
    return anchor, links

# Sections 4, 5 and 9: from links to a key.

class Key:
    """What verified links give in the end."""

    def __init__(self, parent, found, rest, trust):
        stated, items = found.body, found.body[POLICY]
        self.links = [*(parent.links if parent else ()), found.id(rest)]
        self.nbf, self.exp, self.holder = stated[5], stated[4], stated[8][1][-2]
        self.is_owner_device = self.holder in trust.owners
        self.aud = parent.aud if parent else stated[3]
        self.cti = stated.get(7, parent.cti if parent else None)
        self.has_mandate = parent.has_mandate if parent else False
        inherited = parent.items if parent else {4: DAY, 5: 0, 6: 0, 7: 0, 12: 0, 13: 0, 14: 0}
        self.items = {**inherited, **items, 13: inherited[13] | items.get(13, 0)}
        self.areas = (parent.areas if parent else []) + items.get(3, [])
        self.return_areas = (parent.return_areas if parent else 0) + len(items.get(15, []))
        self.hours = (parent.hours if parent else []) + ([items[8]] if 8 in items else [])
        limits = (parent.limits if parent else []) + ([(self.cti, items[9])] if 9 in items else [])
        self.limits = [(grant or self.cti, most) for grant, most in limits]

    @classmethod
    def first(cls, found, trust):
        items, rest = found.body[POLICY], bytes(32)
        need(found.body[3] == trust.aud, "wrong-vehicle")
        only_status = items[1] == SIGN_STATUS
        found.signer(trust.root if only_status else trust.owners, rest)
        need(items[2] == 0 if only_status else not items[1] & SIGN_STATUS, "widened")
        made = cls(None, found, rest, trust)
        made.has_mandate = not only_status and made.holder in trust.root
        need(not made.has_mandate or (10 in items and items.get(4, NO_LIMIT) != NO_LIMIT), "mandate-exceeded")
        made.check_window(made.has_mandate)
        return made.check_rest()

    def extend(self, found, trust):
        stated, items, rest = found.body, found.body[POLICY], self.links[-1]
        need(found.is_signed_by(self.holder, rest), "bad-signature")
        made = Key(self, found, rest, trust)
        made.check_window(False)
        need(len(made.links) <= 5, "too-large")
        wider = not (self.nbf <= stated[5] and stated[4] <= self.exp)
        wider |= bool(items[1] & (~self.items[1] | SIGN_STATUS)) or items[2] >= self.items[2] or items.get(7) == 2
        wider |= any(items.get(item, 0) > self.items.get(item, MOST) for item in (4, 7, 10, 11, 12))
        wider |= any(items.get(item, 3) < self.items[item] for item in (6, 14))
        need(not wider, "widened")
        made.items[7] = min(made.items[7], 1)
        return made.check_rest()

    def check_window(self, is_mandate):
        need(self.exp - self.nbf <= (400 if is_mandate or self.is_owner_device else 92) * DAY, "widened")

    def check_rest(self):
        need(len(self.areas) <= 8 and self.return_areas <= 8, "too-large")
        need(usable(self.holder))
        return self

class Trust:
    """Whom a car believes: owner keys, platform root, anchors."""

    def __init__(self, record):
        self.aud = aud_of(bytes.fromhex(record["vehicle"].replace("-", "")))
        self.owners = [bytes.fromhex(key) for key in record["roots"]]
        self.root = [bytes.fromhex(record["platform_root"])] if record["platform_root"] else []
        self.anchors = {}
        waiting, before = [bytes.fromhex(anchor) for anchor in record["anchors"]], None
        while len(waiting) != before:
            before = len(waiting)
            waiting = [data for data in waiting if not self.store(data)]

    def store(self, data):
        try:
            found = whole(data, lambda reader: link(reader, None, alone=True))
        except Refused:
            return False
        for parent in [None] if found.kid else list(self.anchors.values()):
            try:
                made = self.follow(parent, found)
                self.anchors[made.links[-1]] = made
                return True
            except Refused:
                pass
        return False

    def follow(self, parent, found):
        return parent.extend(found, self) if parent else Key.first(found, self)

    def verify(self, anchor, links):
        made = self.anchors.get(anchor)
        need(anchor is None or made, "unknown-signer")
        for found in links:
            made = self.follow(made, found)
        need(made.cti is not None)
        return made

# Section 7: statements.

class Word:
    """A statement that was taken."""

    def __init__(self, found, signer, status_link=None):
        lists = found.body[LISTS]
        self.signer, self.id, self.iat = signer, found.id(), found.body[6]
        self.seq, self.generation, self.revoked = lists[1], lists[2], lists[3]
        self.owner_word, self.suspended = lists.get(4), lists.get(5, [])
        self.link, self.until = status_link, min(found.body[4], status_link.exp) if status_link else UNKNOWN

def newest(words):
    return max(words, key=lambda word: (word.iat, word.seq), default=None)

class Board:
    """What a car knows of revocation."""

    def __init__(self, record, trust):
        known = record["known"]
        self.trust, self.generation, self.floor = trust, known["generation"], 0
        self.least = {"owner": known["owner_seq"], "platform": known["platform_seq"]}
        self.words, self.revoked = {"owner": {}, "platform": {}}, {"owner": {}, "platform": {}}

    def hear(self, data, lo, hi):
        found = Signed.decode(data, "statement")
        need(found.body[3] == self.trust.aud, "wrong-vehicle")
        who = "platform" if 4 in found.body else "owner"
        word = Word(found, found.signer(self.trust.owners)) if who == "owner" else self.from_status_key(found, lo, hi)
        need(hi == UNKNOWN or word.iat <= hi + 600, "not-yet-valid")
        held = self.words[who].get(word.signer)
        need(word.seq >= max(self.least[who], held.seq if held else 0), "statement-too-old")
        if held and held.seq == word.seq:
            need(held.id == word.id, "replayed")
            return "known"
        self.words[who][word.signer] = word
        self.floor = max(self.floor, word.iat)
        revoked = self.revoked[who]
        for short in word.revoked:
            revoked[short] = max(revoked.get(short, 0), UNKNOWN if who == "owner" else word.iat + 92 * DAY)
        self.generation = max(self.generation, word.generation)
        if hi != UNKNOWN:
            self.forget(lo)
        return "new"

    def forget(self, lo):
        held = [word.revoked for words in self.words.values() for word in words.values()]
        kept = set(self.revoked["owner"]).union(*held)
        platform = self.revoked["platform"].items()
        self.revoked["platform"] = {short: end for short, end in platform if end > lo or short in kept}

    def from_status_key(self, found, lo, hi):
        links = [key for key in self.trust.anchors.values() if key.items[1] == SIGN_STATUS]
        signer = found.signer([key.holder for key in links])
        need(found.body[LISTS][2] == 0)
        standing, why = [], None
        for status_link in (key for key in links if key.holder == signer):
            try:
                need(max(found.body[6], lo if hi == UNKNOWN else hi) < status_link.exp, "expired")
                need(hi == UNKNOWN or lo >= status_link.nbf, "not-yet-valid")
                need(status_link.links[-1][:16] not in self.revoked["owner"], "revoked")
                need(status_link.items[5] >= self.generation, "old-generation")
                standing.append(status_link)
            except Refused as refused:
                why = refused.code
        need(standing, why)
        return Word(found, signer, max(standing, key=lambda key: key.exp))

    def stands(self, word):
        short = word.link.links[-1][:16] if word.link else None
        return not word.link or (short not in self.revoked["owner"] and word.link.items[5] >= self.generation)

    def is_fresh(self, word, moment):
        if moment >= word.until or not self.stands(word):
            return False
        seq, short = word.owner_word or (-1, None)
        owners = self.words["owner"].values()
        held = any(own.seq > seq or (own.seq == seq and own.id[:16] == short) for own in owners)
        return word.owner_word is None or held or (not owners and self.least["owner"] >= seq)

    def age(self, key, moment):
        """How old the newest fresh statement is that speaks for a key."""
        words = [word for word in self.words["platform"].values() if self.is_fresh(word, moment)]
        word = newest(words + ([] if key.has_mandate else list(self.words["owner"].values())))
        return max(0, moment - word.iat) if word else None

    def denials(self, key):
        for who in ("owner", "platform") if key.has_mandate else ("owner",):
            words = list(self.words[who].values())
            word = newest([word for word in words if self.stands(word)] or words)
            for link_id in key.links[who == "platform" :]:
                if link_id[:16] in self.revoked[who]:
                    yield "revoked"
                if word and link_id[:16] in word.suspended:
                    yield "suspended"

# Sections 9 to 11: the decision.

def decide(record):
    try:
        return weigh(record, *verify(record))
    except Refused as refused:
        return {"decision": "refuse", "reasons": [refused.code]}

def verify(record):
    parts = [bytes.fromhex(record[name] or "") for name in ("key", "challenge", "proof")]
    need(len(parts[0]) <= 2_560 and 2 + sum(map(len, parts)) <= 4_096, "too-large")
    anchor, links = whole(parts[0], key)
    asked = Signed.decode(parts[1], "challenge") if record["challenge"] is not None else None
    answer = Signed.decode(parts[2], "proof") if record["proof"] is not None else None
    trust = Trust(record)
    need(asked is None or asked.body[2] == trust.aud, "wrong-vehicle")
    found = trust.verify(anchor, links)
    try:
        need(asked)
        asked.signer([bytes.fromhex(record["gateway_key"])])
        need(1 in asked.body[9])
    except Refused:
        raise Refused("wrong-challenge") from None
    need(answer and answer.is_signed_by(found.holder, sha256(asked.data) + found.links[-1]), "bad-signature")
    need(answer.body[1] == COMMANDS[record["command"]], "bad-signature")
    return trust, found, answer.body

def weigh(record, trust, key, asked):
    board, state = Board(record, trust), record["state"] or {}
    for statement in record["statements"]:
        try:
            board.hear(bytes.fromhex(statement), *(record["clock"] or [board.floor, UNKNOWN]))
        except Refused:
            pass
    lo, hi = record["clock"] or [board.floor, UNKNOWN]
    reasons = {*board.denials(key), *right_reasons(record, key, asked), *car_reasons(record, key, state, lo, hi)}
    if not key.is_owner_device:
        reasons.update(time_reasons(record, key, board, lo, hi))
    excused = reasons <= {"expired", "revoked", "suspended", "statement-too-old", "outside-hours", "uses-spent"}
    in_time = hi != UNKNOWN and hi < key.exp + key.items[12]
    decision = "refuse" if reasons else "allow"
    if reasons and excused and in_time and record["command"] == "lock" and record["begun"]:
        moving = fact(state.get("stationary"), "car-moving")
        reasons.update(moving)
        decision = "refuse" if moving else "lock-only"
    return {"decision": decision, "reasons": sorted(reasons, key=CODES.index)}

def fact(value, code):
    return ["state-stale"] if value is None else [] if value else [code]

def right_reasons(record, key, asked):
    needed = 1 << asked[1] | (REMOTE if record["channel"] == "remote" else 0)
    if needed & ~key.items[1]:
        yield "not-entitled"
    if asked[5] < max(key.items[14], record["command"] == "enable_driving"):
        yield "presence-needed"
    if record["proximity"] < key.items[6]:
        yield "too-far"
    if key.exp - key.nbf > key.items.get(10, MOST):
        yield "mandate-exceeded"
    spent = any(grant is None or record["uses"].get(grant.hex(), 0) >= most for grant, most in key.limits)
    if spent and record["command"] not in ("lock", "locate"):
        yield "uses-spent"
    if record["now"] > asked[8]:
        yield "command-expired"

def car_reasons(record, key, state, lo, hi):
    if record["command"] != "lock" and key.areas:
        if record["position"] is None:
            yield "location-unknown"
        elif not all(is_in_area(area, record["position"]) for area in key.areas):
            yield "outside-area"
    for hours in key.hours:
        if hours[0] not in ZONES:
            yield "unsupported"
        elif hi == UNKNOWN:
            yield "clock-untrusted"
        elif not is_in_hours(hours, lo, hi):
            yield "outside-hours"
    if key.items[13] & 1:
        yield from fact(state.get("stationary"), "car-moving")
    if key.items[13] & 2:
        yield from fact(state.get("ignition_off"), "ignition-on")

def time_reasons(record, key, board, lo, hi):
    age, rule = board.age(key, lo if hi == UNKNOWN else hi), key.items[7]
    if key.items[5] < board.generation:
        yield "old-generation"
    if hi != UNKNOWN and lo < key.nbf:
        yield "not-yet-valid"
    if hi != UNKNOWN and hi >= key.exp or hi == UNKNOWN and rule != 2 and lo >= key.exp:
        yield "expired"
    elif hi == UNKNOWN and rule == 1 and lo < key.nbf:
        yield "not-yet-valid"
    elif hi == UNKNOWN and (rule == 0 or rule == 1 and age is None):
        yield "clock-untrusted"
    outage = None if key.items[4] == NO_LIMIT else key.items[4]
    if record["begun"]:
        limit = None if record["in_contact"] else key.items.get(11, outage and BEGUN_LIMIT)
    else:
        limit = outage and 900 if record["in_contact"] else outage
    if limit is not None and (age is None or age > limit):
        yield "statement-too-old"
