"""Answers every vector with ck1_reader and compares: `python ck1_vectors.py DIRECTORY`."""
import base64, glob, hmac, json, math, os, sys
from ck1_reader import (
    Sealed, TYPES, UNSIGNED, ZERO, answer_statements, area, aud_of, decide, hours, in_area, in_hours,
    kid_of, need, outcome, parse, sha256, shown, unsigned, whole,
)

def answer_object(case):
    """Reads an object; verifies it with the one trusted key if its type is signed."""
    kind, data = case["type"], bytes.fromhex(case["bytes"])
    if kind in UNSIGNED:
        return {"result": "valid", "body": shown(unsigned(kind, data))}
    found, signer, rest = parse(kind, data), bytes.fromhex(case["signer"]), bytes.fromhex(case["rest"])
    need(found.kid in (None, kid_of(signer)), "unknown-signer")
    need(found.signed(signer, TYPES[kind][0], rest), "bad-signature")
    return {"result": "valid", "id": found.id(TYPES[kind][0], rest).hex(), "body": shown(found.body)}

def answer_inside(case):
    """Areas and hours by themselves."""
    if "area" in case:
        found = whole(area, bytes.fromhex(case["area"]))
        return {"result": "valid", "inside": [in_area(found, point) for point in case["points"]]}
    found = whole(hours, bytes.fromhex(case["hours"]))
    return {"result": "valid", "inside": [in_hours(found, *clock) for clock in case["clocks"]]}

def answer_pairing(case):
    """The fingerprint of the code, and what each side says to the other's message."""
    code_text = case["code"].upper().replace(" ", "").replace("-", "")
    if len(code_text) != 32 or set(code_text) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        return dict.fromkeys(("fingerprint", "offer", "confirm", "answer"), "bad-code")
    raw = base64.b32decode(code_text)
    offer, confirm, last = (unsigned(f"pair-{k}", bytes.fromhex(case[k])) for k in ("offer", "confirm", "answer"))
    def mac(role):
        vehicle = base64.urlsafe_b64decode(confirm[1] + "==")
        message = b"ck1:pair" + bytes([role]) + vehicle + confirm[2] + offer[1] + confirm[3] + offer[2]
        return hmac.digest(raw[10:], message + sha256(confirm[4]), "sha256")

    return {"fingerprint": code_text[:16], "offer": "valid" if sha256(offer[1])[:10] == raw[:10] else "wrong-gateway",
            "confirm": "valid" if mac(1) == confirm[5] else "wrong-mac",
            "answer": "valid" if mac(2) == last[1] else "wrong-mac"}

def answer_journal(case):
    """How far a chain of entries is good, and whether the head fits it."""
    hashes, result = [ZERO], "whole"
    for data in map(bytes.fromhex, case["entries"]):
        found = outcome(unsigned, "journal-entry", data)
        result = found if isinstance(found, str) else "misplaced" if found[1] != len(hashes) - 1 else \
            "broken" if found[2] != hashes[-1] else "whole"
        if result != "whole":
            break
        hashes.append(sha256(data))
    return {"result": result, "good": len(hashes) - 1, "head_fits": head_fits(case, hashes[1:])}

def head_fits(case, hashes):
    gateway, head = bytes.fromhex(case["gateway_key"]), outcome(parse, "journal-head", bytes.fromhex(case["head"]))
    return isinstance(head, Sealed) and head.kid == kid_of(gateway) and head.signed(gateway, b"ck1:jrnl", b"") and \
        head.body[3] == aud_of(case["vehicle"]) and hashes[head.body[1]:][:1] == [head.body[2]]

def answer_dead_by(case):
    """Section 11: by when a revoked key opens nothing any more."""
    if case["acknowledged_at"] is not None:
        return {"dead_by": case["acknowledged_at"]}
    need(case["clock_trusted"] and not case["clock_rule"], "clock-untrusted")
    begins, goes_on = (math.inf if limit is None else case["newest_unlisting_at"] + limit
                       for limit in (case["outage_limit_s"], case["begun_limit_s"]))
    if max(case["now"], case["valid_from"]) <= begins:
        last = max(begins, goes_on)
    else:
        last = goes_on if case["now"] >= case["valid_from"] else begins
    return {"dead_by": min(case["valid_until"], last)}

ANSWERS = {"object": answer_object, "area": answer_inside, "hours": answer_inside, "pairing": answer_pairing,
           "journal": answer_journal, "dead-by": answer_dead_by, "decision": decide, "statements": answer_statements}

def answer(kind, case):
    got = outcome(ANSWERS[kind], case)
    return got if isinstance(got, dict) else {"decision": "refuse", "reasons": [got]} if kind == "decision" else \
        {"result": got}

def main(directory):
    total = wrong = 0
    for path in sorted(glob.glob(os.path.join(directory, "*.json"))):
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        bad = 0
        for case in content["cases"]:
            case = {**content["common"], **case}
            expected = case.pop("expect")
            try:
                got = answer(content["kind"], case)
            except Exception as error:  # a bug of this program is a mismatch
                got = repr(error)
            if got != expected:
                bad += 1
                print(f"MISMATCH {os.path.basename(path)} {case['case']}: expected {expected}, got {got}")
        print(f"{os.path.basename(path)}: {len(content['cases'])} vectors, {bad} mismatches")
        total, wrong = total + len(content["cases"]), wrong + bad
    print(f"{total} vectors, {wrong} mismatches")
    return 0 if total and not wrong else 1

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
