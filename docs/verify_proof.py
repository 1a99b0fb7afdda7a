#!/usr/bin/env python3
"""Checks a flexmix proof with nothing of flexmix: verify_proof.py PROOF BUILDER.pub (docs/formats.md, "Proofs")."""
import base64, hashlib, hmac, json, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

sha, raw = lambda data: hashlib.sha256(data).digest(), lambda text: bytes.fromhex(text.removeprefix("sha256:"))
FIELDS = {  # of a leaf; leaves are sorted by the first
    "document": lambda l: (raw(l["doc_id"]), raw(l["text"]), raw(l["cell"]), l["n_tokens"].to_bytes(4, "little")),
    "text": lambda l: (raw(l["text"]),),
    "file": lambda l: (l["path"].encode(), l["length"].to_bytes(8, "little"), raw(l["digest"])),
    "commitment": lambda l: (raw(l["commitment"]),),
}
def need(holds, what):
    holds or sys.exit("NOT PROVED: " + what)
def leaf_hash(kind, leaf):
    fields = (f"flexmix/leaf/{kind}/1".encode(), *FIELDS[kind](leaf))
    return sha(b"\0" + b"".join(len(f).to_bytes(8, "little") + f for f in fields))
def climb(kind, step, root):  # RFC 9162, 2.1.3.2; gives the leaf's key and place
    index, last, node = step["index"], root["leaves"] - 1, leaf_hash(kind, step["leaf"])
    need(0 <= index <= last, "a leaf is beyond the last")
    for sibling in map(raw, step["path"]):
        need(last > 0, "a path is too long")
        left = index % 2 == 1 or index == last
        node = sha(b"\1" + sibling + node) if left else sha(b"\1" + node + sibling)
        while left and index and index % 2 == 0:
            index, last = index >> 1, last >> 1
        index, last = index >> 1, last >> 1
    need(last == 0 and node == raw(root["root"]), "a leaf does not lead to the manifest's root")
    return FIELDS[kind](step["leaf"])[0], step["index"]
def is_signed(envelope, payload, key):  # DSSE, with an ECDSA P-256 or an Ed25519 key
    kind, more = envelope["payloadType"].encode(), [ec.ECDSA(hashes.SHA256())] * isinstance(key, ec.EllipticCurvePublicKey)
    for signature in envelope["signatures"]:
        try:
            return key.verify(base64.b64decode(signature["sig"]), b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload), *more) is None
        except InvalidSignature:
            pass

proof, key = json.load(open(sys.argv[1])), serialization.load_pem_public_key(open(sys.argv[2], "rb").read())
[(asked, value)], [(tree, found)] = proof["question"].items(), proof["evidence"].items()
payload = base64.b64decode(proof["manifest"]["envelope"]["payload"])
need(is_signed(proof["manifest"]["envelope"], payload, key), "the key did not sign the manifest")
need(raw(proof["manifest"]["digest"]) == sha(payload), "the digest is not the manifest's")
manifest = json.loads(payload)["predicate"]
need(manifest["set"] == proof["set"], "the manifest is another set's")
if tree == "opening":  # a closed set: one commitment, and the key that opens it alone
    document, step, there = found["document"], found["commitment"], True
    opened = hmac.digest(raw(found["key"]), b"flexmix/closed/document/1" + leaf_hash("document", document), "sha256")
    root = dict(proof["root"], root=manifest["commitments_root"])  # it does not count its leaves
    need(climb("commitment", step, root)[0] == opened, "the key opens another commitment")
    need(value == document[{"document": "doc_id", "text": "text"}[asked]], "the commitment is to another document")
else:
    need(tree == asked + "s", "the tree is another")
    asked_key, root, there = value.encode() if asked == "file" else raw(value), manifest[tree + "_root"], bool(found["at"])
    at = climb(asked, found["at"], root)[0] if there else asked_key
    before = climb(asked, found["before"], root) if found["before"] else (b"", -1)
    after = climb(asked, found["after"], root) if found["after"] else (b"\xff" * 99, root["leaves"])
    need(at == asked_key and (there or before[0] < at < after[0]), "the leaves are about something else")
    need(there or before[1] + 1 == after[1], "the neighbours are not neighbours")
need(proof["answer"] == ("included" if there else "absent"), "the leaves prove the contrary")
print(f"proved: {asked} {value} is {'' if there else 'not '}in set {proof['set']}, manifest {proof['manifest']['digest']}")
