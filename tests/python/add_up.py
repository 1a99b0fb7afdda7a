#!/usr/bin/env python3
"""Adds up a corpus with DuckDB, and with nothing of ours: the rows of shards and ledger against the signed manifests, and
what the stamps of its models say against their own totals.

    add_up.py CORPUS

Prints JSON: {"laws": [{"law", "left", "right"}…], "sets": {…}, "stamps": [{…}]}. Every law holds when left is right. The
exit status 77 means that DuckDB could not be installed (no registry).
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import sys

from read_parquet import environment


def record(path):
    """The record in a signed statement. Signatures are `flexmix verify`'s business."""
    return json.loads(base64.b64decode(json.loads(path.read_text())["payload"]))["predicate"]


def digest(cell):
    """The digest of a cell: sha256 over its canonical JSON (RFC 8785; a cell has texts, lists and null only)."""
    text = json.dumps(cell, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def query(sql, **files):
    import duckdb

    names = {name: [str(path) for path in paths] for name, paths in files.items()}
    return duckdb.execute(sql, names).fetchall()


def pairs(rows):
    """Rows of a key and numbers, as a sorted list that JSON can hold."""
    return sorted([[str(key), *(int(n) for n in numbers)] for key, *numbers in rows])


class Laws:
    def __init__(self):
        self.found = []

    def add(self, law, left, right):
        self.found.append({"law": law, "left": left, "right": right})


def add_up_set(laws, folder, ledger, manifest):
    name = manifest["set"]
    shards = {role: [folder / s["file"]["path"] for s in manifest["shards"] if s["file"]["role"] == role]
              for role in ("train", "heldout")}
    cells, tiers = manifest["cells"], manifest["tiers"]
    listed = pairs([n, c["documents"], c["tokens"]] for n, c in enumerate(cells) if c["documents"])
    counted = "SELECT {}, count(*), sum(n_tokens * copies) FROM read_parquet($files) {}"
    train = pairs(query(counted.format("cell", "GROUP BY cell"), files=shards["train"]))
    laws.add(f"{name}: training rows by cell are the manifest's cells", train, listed)
    by_tier = pairs(query(counted.format("tier", "GROUP BY tier"), files=shards["train"]))
    sums = {}
    for tier, cell in zip(tiers, cells):
        documents, tokens = sums.get(tier, (0, 0))
        sums[tier] = (documents + cell["documents"], tokens + cell["tokens"])
    laws.add(f"{name}: training rows by tier are the sums of its cells", by_tier,
             pairs([tier, *both] for tier, both in sums.items() if both[0]))
    total = [manifest["documents"], manifest["tokens"]]
    laws.add(f"{name}: the cells add up to the totals", [sum(r[1] for r in train), sum(r[2] for r in train)], total)
    for shard in manifest["shards"]:
        rows = pairs(query(counted.format("cell", "GROUP BY cell"), files=[folder / shard["file"]["path"]]))
        own = pairs([c["cell"], c["documents"], c["tokens"]] for c in shard["cells"])
        laws.add(f"{name}: {shard['file']['path']} has the rows of its cells", rows, own)
    kept = "SELECT cell, count(*), sum(n_tokens * copies) FROM read_parquet($files) " \
           "WHERE \"set\" = '{}' AND decision = '{}' GROUP BY cell"
    by_digest = pairs([digest(cells[int(n)]["cell"]), *numbers] for n, *numbers in train)
    laws.add(f"{name}: kept rows of the ledger by cell are the training rows",
             pairs(query(kept.format(name, "kept"), files=ledger)), by_digest)
    heldout = query(counted.format("cell", "GROUP BY cell"), files=shards["heldout"]) if shards["heldout"] else []
    laws.add(f"{name}: held-out rows of the ledger are the held-out shards, and apart",
             pairs(query(kept.format(name, "held-out"), files=ledger)),
             pairs([digest(cells[n]["cell"]), *numbers] for n, *numbers in heldout))
    both = shards["train"] + shards["heldout"]
    if both:
        other = query(
            "SELECT count(*) FROM read_parquet($files) s LEFT JOIN read_parquet($ledger) l ON l.doc_id = s.doc_id "
            "WHERE l.doc_id IS NULL OR l.n_tokens <> s.n_tokens OR l.copies <> s.copies OR l.tier <> s.tier "
            "OR l.license <> s.license OR len(s.tokens) <> s.n_tokens", files=both, ledger=ledger)
        laws.add(f"{name}: each row says what its line of the ledger says", other[0][0], 0)
    funnel = query("SELECT count(*) FROM read_parquet($files) WHERE \"set\" = '" + name + "'", files=ledger)[0][0]
    said = manifest["funnel"]
    laws.add(f"{name}: every line of the ledger is in the funnel", funnel, said["read"])
    laws.add(f"{name}: the funnel balances", said["read"],
             said["kept"] + said["held_out"] + sum(said["dropped"].values()))
    return {"documents": total[0], "tokens": total[1], "tiers": by_tier, "cells": train}


def add_up_stamp(laws, path):
    stamp = record(path)
    totals = {}
    for exposure in stamp["exposures"]:
        kind, name = exposure["kind"], f"{stamp['id']}: {exposure['kind']} of {exposure['set']}"
        counts = [c["tokens"] for c in exposure["cells"]]
        if "exact" in exposure["tokens"]:
            laws.add(f"{name} adds up to its total", sum(counts), exposure["tokens"]["exact"])
            totals[kind] = totals.get(kind, 0) + exposure["tokens"]["exact"]
        else:
            bound = exposure["tokens"]["at-most"]
            laws.add(f"{name} says no counts of a closed set", [counts.count(None), str(bound).strip("0")],
                     [len(counts), "1"])
        cells = [digest(c["cell"]) for c in exposure["cells"]]
        laws.add(f"{name} has each cell once", len(cells), len(set(cells)))
    return {"id": stamp["id"], "subject": stamp["subject"], "totals": totals}


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    python = environment()
    if pathlib.Path(sys.prefix).resolve() != python.parent.parent.resolve():
        return subprocess.run([python, __file__, *arguments]).returncode
    corpus = pathlib.Path(arguments[0])
    ledger = sorted(corpus.glob("ledger/*.parquet"))
    laws, sets = Laws(), {}
    for path in sorted(corpus.glob("sets/*/manifest.dsse.json")):
        manifest = record(path)
        sets[manifest["set"]] = add_up_set(laws, path.parent, ledger, manifest)
    stamps = [add_up_stamp(laws, path) for path in sorted(corpus.glob("models/**/stamp.dsse.json"))]
    print(json.dumps({"laws": laws.found, "sets": sets, "stamps": stamps}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
