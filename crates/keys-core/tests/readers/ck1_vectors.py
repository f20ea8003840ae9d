"""Answers every vector with ck1_reader and compares: `python ck1_vectors.py DIRECTORY`.

Also here, from the same page: what travels unsigned, journals, pairing, and by when a key is dead.
"""
import base64
import hmac
import json
import pathlib
import sys

import cbor2
from ck1_places import is_in_area, is_in_hours
from ck1_reader import (
    CODES, FLAG, ID, SHORT, TIME, UNKNOWN, Board, Refused, Signed, Trust, area, aud, aud_of, blob, code, codes, command,
    decide, hours, key, listed, need, newest, number, public_key, seqs, sha256, text, whole,
)

def limited(most, read):
    """A reader of something that is at most so many bytes long."""

    def limited_read(reader):
        need(len(reader.data) <= most, "too-large")
        return read(reader)

    return limited_read

def presentation(reader):
    reader.array(4, 4)
    need(reader.uint() == 1, "unsupported")
    Signed(reader, "challenge")
    reader.bytes(32) if reader.is_bytes() else key(reader)
    Signed(reader, "proof")

def carried(reader):
    count = reader.array(3, 4)
    need(reader.uint() == 1, "unsupported")
    kind = reader.uint(5, 1)
    need(len(reader.bytes()) <= 2_048, "too-large")
    need((count == 4) == (kind == 4))
    if count == 4:
        reader.bytes()

def carried_answer(reader):
    found = reader.map({1: FLAG}, {2: code})
    need((found[1] == 0) == (2 in found))

def entry(reader):
    required = {1: number(), 2: ID, 3: number(4), 4: TIME, 5: FLAG, 6: listed(0, 5, ID)}
    return reader.map(required, {7: SHORT, 8: command, 9: number(2), 10: codes, 11: ID, 12: text(128), 13: number()})

def message(fields):
    return limited(2_048, lambda reader: reader.map(fields))

OFFER = message({1: public_key, 2: SHORT})
CONFIRM = message({1: aud, 2: public_key, 3: SHORT, 4: blob(), 5: ID})
ANSWER = message({1: ID})

def object_or_code(reader):
    reader.bytes() if reader.is_bytes() else code(reader)

def code_or_nothing(reader):
    need(reader.text(32) in ["", *CODES])

def nonce_or_nothing(reader):
    need(len(reader.bytes()) in (0, 16))

FRAMES = {
    1: (aud, SHORT, listed(1, 4, number())), 2: (SHORT,), 3: (blob(),), 4: (), 10: (number(), blob()),
    11: (number(), code_or_nothing, seqs), 12: (number(), nonce_or_nothing), 13: (number(), object_or_code),
    14: (number(), blob()), 15: (number(), object_or_code, FLAG), 20: (number(), blob()), 21: (number(), blob()),
    30: (number(), blob()), 31: (number(),), 32: (blob(),), 33: (text(8_192),),
}

def frame(reader):
    _, count = reader.head(4)
    items = FRAMES.get(reader.uint())
    need(items is not None and count == 1 + len(items))
    for item in items:
        item(reader)

UNSIGNED = {
    "key": limited(2_560, key), "presentation": limited(4_096, presentation), "carried": limited(3_072, carried),
    "carried-answer": carried_answer, "journal-entry": limited(1_536, entry), "pair-offer": OFFER,
    "pair-confirm": CONFIRM, "pair-answer": ANSWER, "frame": limited(16_384, frame),
}

def tree(value):
    """A decoded item as vectors print it."""
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    if isinstance(value, list):
        return [tree(item) for item in value]
    if isinstance(value, dict):
        return {str(key): tree(item) for key, item in value.items()}
    return value

def item(reader):
    """Any item, of which it is known that it is well-formed."""
    major, value = reader.head(0, 1, 2, 3, 4, 5)
    if major < 2:
        return -1 - value if major else value
    if major < 4:
        return reader.take(value) if major == 2 else reader.take(value).decode()
    if major == 4:
        return [item(reader) for _ in range(value)]
    return {item(reader): item(reader) for _ in range(value)}

def read_object(case):
    data = bytes.fromhex(case["bytes"])
    try:
        if case["type"] in UNSIGNED:
            whole(data, UNSIGNED[case["type"]])
            decoded = whole(data, item)
            assert cbor2.dumps(decoded) == data, "written again it is the same"
            return {"result": "valid", "body": tree(decoded)}
        found = Signed.decode(data, case["type"])
        signer, rest = bytes.fromhex(case["signer"]), bytes.fromhex(case["rest"])
        if found.kid is None:
            need(found.is_signed_by(signer, rest), "bad-signature")
        else:
            found.signer([signer], rest)
        return {"result": "valid", "id": found.id(rest).hex(), "body": tree(found.body)}
    except Refused as refused:
        return {"result": refused.code}

def hear(case):
    board, answers = Board(case, Trust(case)), []
    for statement in case["statements"]:
        try:
            answers.append(board.hear(bytes.fromhex(statement), *case["clock"]))
        except Refused as refused:
            answers.append(refused.code)

    def seq(who):
        word = newest(board.words[who].values())
        return word.seq if word else board.least[who]

    revoked = sorted({short.hex() for ids in board.revoked.values() for short in ids})
    numbers = {"owner_seq": seq("owner"), "platform_seq": seq("platform"), "generation": board.generation}
    return {"answers": answers, **numbers, "revoked": revoked}

def look(case):
    found = whole(bytes.fromhex(case["area"]), area)
    return {"result": "valid", "inside": [is_in_area(found, point) for point in case["points"]]}

def watch(case):
    found = whole(bytes.fromhex(case["hours"]), hours)
    return {"result": "valid", "inside": [is_in_hours(found, lo, hi) for lo, hi in case["clocks"]]}

def pair(case):
    symbols = case["code"].replace("-", "").replace(" ", "").upper()
    if len(symbols) != 32 or not set(symbols) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        return dict.fromkeys(("fingerprint", "offer", "confirm", "answer"), "bad-code")
    halves = base64.b32decode(symbols)
    reads = {"offer": OFFER, "confirm": CONFIRM, "answer": ANSWER}
    offer, confirm, answer = (whole(bytes.fromhex(case[name]), read) for name, read in reads.items())
    vehicle = base64.urlsafe_b64decode(confirm[1] + "==")

    def mac(role):
        parts = [vehicle, confirm[2], offer[1], confirm[3], offer[2], sha256(confirm[4])]
        return hmac.digest(halves[10:], b"".join([b"ck1:pair", bytes([role]), *parts]), "sha256")

    return {
        "fingerprint": symbols[:16],
        "offer": "valid" if sha256(offer[1])[:10] == halves[:10] else "wrong-gateway",
        "confirm": "valid" if hmac.compare_digest(confirm[5], mac(1)) else "wrong-mac",
        "answer": "valid" if hmac.compare_digest(answer[1], mac(2)) else "wrong-mac",
    }

def follow(case):
    hashes, result = [], "whole"
    for data in map(bytes.fromhex, case["entries"]):
        try:
            found = whole(data, UNSIGNED["journal-entry"])
        except Refused:
            result = "malformed"
            break
        if found[1] != len(hashes) or found[2] != (hashes[-1] if hashes else bytes(32)):
            result = "broken" if found[1] == len(hashes) else "misplaced"
            break
        hashes.append(sha256(data))
    head = Signed.decode(bytes.fromhex(case["head"]), "journal-head")
    try:
        head.signer([bytes.fromhex(case["gateway_key"])])
        need(head.body[3] == aud_of(bytes.fromhex(case["vehicle"].replace("-", ""))))
        fits = head.body[1] < len(hashes) and hashes[head.body[1]] == head.body[2]
    except Refused:
        fits = False
    return {"result": result, "good": len(hashes), "head_fits": fits}

def dead_by(case):
    if case["acknowledged_at"] is not None:
        return {"dead_by": min(case["acknowledged_at"], case["now"])}
    if not case["clock_trusted"] or case["clock_rule"]:
        return {"result": "clock-untrusted"}
    begins, goes_on = (UNKNOWN if case[limit] is None else case["newest_unlisting_at"] + case[limit]
                       for limit in ("outage_limit_s", "begun_limit_s"))
    may_begin = max(case["now"], case["valid_from"]) <= begins
    may_have_begun = case["now"] >= case["valid_from"]
    last = max(begins, goes_on) if may_begin else goes_on if may_have_begun else begins
    return {"dead_by": min(case["valid_until"], last)}

ANSWERS = {
    "decision": decide, "object": read_object, "statements": hear, "area": look, "hours": watch, "pairing": pair,
    "journal": follow, "dead-by": dead_by,
}

def main(directory):
    count, wrong = 0, 0
    for path in sorted(pathlib.Path(directory).glob("*.json")):
        vectors = json.loads(path.read_text("utf-8"))
        for case in vectors["cases"]:
            found = ANSWERS[vectors["kind"]]({**vectors["common"], **case})
            count += 1
            if found != case["expect"]:
                wrong += 1
                print(f"{case['case']}: expected {case['expect']}, found {found}")
    print(f"{count - wrong} of {count} vectors answered as they say")
    return 0 if wrong == 0 and count > 0 else 1

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
