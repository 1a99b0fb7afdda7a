#!/usr/bin/env python3
"""Opens a corpus with pyarrow and with DuckDB and nothing of ours, from a virtual environment in the user's cache.

    read_parquet.py CORPUS

Prints what each of them counted as JSON: {"pyarrow": {...}, "duckdb": {...}}. The exit status 77 means that they could
not be installed (no registry).
"""

import json
import os
import pathlib
import subprocess
import sys
import venv

REQUIREMENTS = ["pyarrow==26.0.1", "duckdb==2.0.1"]
SKIPPED = 77


def environment():
    """The Python that has both, installed on first use."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    home = cache / "flexmix" / "venv" / "-".join(r.replace("==", "-") for r in REQUIREMENTS)
    python, done = home / "bin" / "python", home / "installed"
    if not done.is_file():
        venv.create(home, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS]
        if subprocess.run(pip, stdout=sys.stderr).returncode != 0:
            print("pyarrow and duckdb cannot be installed", file=sys.stderr)
            sys.exit(SKIPPED)
        done.touch()
    return python


def with_pyarrow(corpus):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    def table(pattern):
        import pyarrow as pa

        return pa.concat_tables([pq.read_table(path) for path in sorted(corpus.glob(pattern))])

    ledger, claims, shards = table("ledger/*.parquet"), table("claims/*.parquet"), table("sets/*/*.parquet")
    decisions = {row["values"]: row["counts"] for row in pc.value_counts(ledger["decision"]).to_pylist()}
    return {
        "ledger": ledger.num_rows,
        "kept": decisions["kept"],
        "bytes_in": pc.sum(ledger["bytes_in"]).as_py(),
        "claims": claims.num_rows,
        "documents": shards.num_rows,
        "n_tokens": pc.sum(shards["n_tokens"]).as_py(),
        "tokens": pc.sum(pc.list_value_length(shards["tokens"])).as_py(),
        "sum_of_tokens": pc.sum(pc.list_flatten(shards["tokens"])).as_py(),
        "first": min(id.hex() for id in shards["doc_id"].to_pylist()),
    }


def with_duckdb(corpus):
    import duckdb

    def one(sql, pattern):
        files = [str(path) for path in sorted(corpus.glob(pattern))]
        return duckdb.execute(sql.format("read_parquet($files)"), {"files": files}).fetchone()

    ledger = one("SELECT count(*), count(*) FILTER (decision = 'kept'), sum(bytes_in) FROM {}", "ledger/*.parquet")
    shards = one("SELECT count(*), sum(n_tokens), sum(len(tokens)), sum(list_sum(tokens)), min(lower(hex(doc_id))) FROM {}", "sets/*/*.parquet")
    return {
        "ledger": ledger[0],
        "kept": ledger[1],
        "bytes_in": int(ledger[2]),
        "claims": one("SELECT count(*) FROM {}", "claims/*.parquet")[0],
        "documents": shards[0],
        "n_tokens": int(shards[1]),
        "tokens": int(shards[2]),
        "sum_of_tokens": int(shards[3]),
        "first": shards[4],
    }


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    python = environment()
    if pathlib.Path(sys.prefix).resolve() != python.parent.parent.resolve():
        return subprocess.run([python, __file__, *arguments]).returncode
    corpus = pathlib.Path(arguments[0])
    print(json.dumps({"pyarrow": with_pyarrow(corpus), "duckdb": with_duckdb(corpus)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
