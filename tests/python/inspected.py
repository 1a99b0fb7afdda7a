#!/usr/bin/env python3
"""Counts with DuckDB, and with nothing of ours, what `flexmix inspect --format json` said of a corpus.

    inspected.py CORPUS REPORT

Prints JSON: {"laws": [{"law", "left", "right"}…]}. Every law holds when left is right. The exit status 77 means that DuckDB
could not be installed (no registry).
"""

import json
import pathlib
import subprocess
import sys

from read_parquet import environment

LEDGER = "read_parquet($ledger)"


class Laws:
    def __init__(self, corpus):
        self.ledger = [str(path) for path in sorted(corpus.glob("ledger/*.parquet"))]
        self.facts = [str(path) for path in sorted(corpus.glob("facts/*.parquet"))]
        self.found = []

    def add(self, law, left, right):
        self.found.append({"law": law, "left": left, "right": right})

    def query(self, sql, **more):
        import duckdb

        names = {"ledger": self.ledger, "facts": self.facts, **more}
        return duckdb.execute(sql, {k: v for k, v in names.items() if f"${k}" in sql}).fetchall()


def of_amount(amount):
    return [amount["documents"], amount["bytes"]]


def funnel(laws, said):
    name = said["set"]
    where = f"FROM {LEDGER} WHERE \"set\" = $name"
    count = lambda more: [int(n or 0) for n in laws.query(f"SELECT count(*), sum(bytes_in) {where} {more}", name=name)[0]]
    laws.add(f"{name}: what was read", of_amount(said["read"]), count(""))
    laws.add(f"{name}: what was kept", of_amount(said["kept"]), count("AND decision = 'kept'"))
    laws.add(f"{name}: what is held out", of_amount(said["held_out"]), count("AND decision = 'held-out'"))
    rows = laws.query(f"SELECT stage, reason, count(*), sum(bytes_in) {where} AND decision = 'dropped' GROUP BY ALL", name=name)
    dropped = [[s["stage"], d["reason"], *of_amount(d["amount"])] for s in said["stages"] for d in s["dropped"]]
    laws.add(f"{name}: what each reason dropped", sorted(dropped), sorted([s, r, int(n), int(b)] for s, r, n, b in rows))
    into = said["read"]
    for stage in said["stages"]:
        laws.add(f"{name}: into {stage['stage']} goes what came out before", stage["into"], into)
        for part in ("documents", "bytes"):
            lost = sum(d["amount"][part] for d in stage["dropped"])
            laws.add(f"{name}: {part} of {stage['stage']} add up", stage["into"][part], lost + stage["out"][part])
        into = stage["out"]
    for part in ("documents", "bytes"):
        laws.add(f"{name}: {part} that come out at the end stay", into[part], said["kept"][part] + said["held_out"][part])
    stays = said["kept"]["bytes"] + said["held_out"]["bytes"] + said["bytes_added"]
    laws.add(f"{name}: the law of bytes closes", stays, said["bytes_out"] + said["bytes_removed"])
    tokens = f"SELECT sum(n_tokens), sum(n_tokens * copies) {where} AND decision = 'kept'"
    found = [int(n or 0) for n in laws.query(tokens, name=name)[0]]
    laws.add(f"{name}: its tokens", [said["tokens"], said["tokens_with_copies"]], found)


def histogram(laws, said):
    column = f'"{said["column"]}"'
    if said["table"] == "ledger":
        source = f"SELECT decision, {column} AS v FROM {LEDGER}"
        if said["column"] in ("n_tokens", "bytes_out"):
            source += " WHERE decision <> 'dropped'"
    else:
        source = f"SELECT decision, f.{column} AS v FROM {LEDGER} l LEFT JOIN read_parquet($facts) f USING (doc_id)"
    count = f"SELECT count(v) FROM ({source})"
    laws.add(f"{column}: documents", said["documents"], laws.query(count)[0][0])
    if said["bins"]:
        ends = f"SELECT min(v)::DOUBLE, median(v)::DOUBLE, max(v)::DOUBLE FROM ({source})"
        laws.add(f"{column}: range", [said["lowest"], said["median"], said["highest"]], list(laws.query(ends)[0]))
        in_bins = sum(b[d] for b in said["bins"] for d in ("kept", "held_out", "dropped"))
        laws.add(f"{column}: the bins hold every document", in_bins, said["documents"])
    for bin in said["bins"]:
        where = f"FROM ({source}) WHERE v >= $low AND v < $high"
        parts = ", ".join(f"count(*) FILTER (decision = '{d}')" for d in ("kept", "held-out", "dropped"))
        found = laws.query(f"SELECT {parts} {where}", low=bin["from"], high=bin["to"])[0]
        laws.add(f"{column}: from {bin['from']} to {bin['to']}", [bin["kept"], bin["held_out"], bin["dropped"]], list(found))


def duplicates(laws, said):
    clusters = "SELECT coalesce(reason, 'only marked') AS reason, duplicate_of, count(*) + 1 AS size, " \
               f"count(*) FILTER (decision = 'dropped') AS dropped FROM {LEDGER} WHERE duplicate_of IS NOT NULL GROUP BY ALL"
    rows = laws.query(f"SELECT reason, size, count(*), sum(dropped) FROM ({clusters}) GROUP BY ALL")
    found = sorted([r, int(s), int(c), int(d)] for r, s, c, d in rows)
    laws.add("clusters by size", sorted([d["reason"], d["size"], d["clusters"], d["dropped"]] for d in said["sizes"]), found)


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    python = environment()
    if pathlib.Path(sys.prefix).resolve() != python.parent.parent.resolve():
        return subprocess.run([python, __file__, *arguments]).returncode
    laws = Laws(pathlib.Path(arguments[0]))
    said = json.loads(pathlib.Path(arguments[1]).read_text())["curation"]
    for one in said["funnels"]:
        funnel(laws, one)
    for one in said["histograms"]:
        histogram(laws, one)
    duplicates(laws, said["duplicates"])
    everything = laws.query(f"SELECT count(*) FROM {LEDGER}")[0][0]
    laws.add("places hold every document", sum(d["documents"] for d in said["domains"]), everything)
    laws.add("funnels hold every document", sum(f["read"]["documents"] for f in said["funnels"]), everything)
    dropped = laws.query(f"SELECT count(*) FROM {LEDGER} WHERE decision = 'dropped'")[0][0]
    laws.add("reasons hold every dropped document", sum(r["documents"] for r in said["reasons"]), dropped)
    print(json.dumps({"laws": laws.found}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
