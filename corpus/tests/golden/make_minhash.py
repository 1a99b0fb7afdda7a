"""Writes ../../data/datatrove.json, the sets of characters that datatrove's `simplify_text` decides by, and
minhash.jsonl.gz: what datatrove 0.10.0 itself makes of a few hundred texts.

    python -m venv v && v/bin/pip install datatrove==0.10.0 spacy==3.8.18 regex 'xxhash<4' numpy && v/bin/python make_minhash.py
"""

import gzip
import json
import pathlib
import random
import sys
import unicodedata

import regex
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig
from datatrove.utils.text import PUNCTUATION, PUNCTUATION_SET, simplify_text

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here))
from fuzz_spacy import make  # noqa: E402


def ranges(test):
    found = []
    for c in (c for c in range(0x110000) if not 0xD800 <= c < 0xE000):
        if test(chr(c)):
            if found and found[-1][1] == c - 1:
                found[-1][1] = c
            else:
                found.append([c, c])
    return found


sets = {
    "punctuation": ranges(lambda c: c in PUNCTUATION),
    "all_punctuation": ranges(lambda c: c in PUNCTUATION_SET),
    "letter": ranges(str.isalpha),
    "mark": ranges(lambda c: unicodedata.category(c) == "Mn"),
    "number": ranges(lambda c: regex.fullmatch(r"\p{Nd}", c)),
    "assigned": ranges(lambda c: unicodedata.category(c) not in ("Cn", "Co")),
}
made_with = {"datatrove": "0.10.0", "python": sys.version.split()[0], "regex": regex.__version__}
target = here / "../../data/datatrove.json"
target.write_text(json.dumps({"made_with": made_with, "sets": sets}, separators=(",", ":"), sort_keys=True) + "\n")

configs = [
    ("xxh64", 14, 8, 5, 1, MinhashConfig()),
    ("sha1", 14, 8, 5, 1, MinhashConfig(hash_config=HashConfig(hash_fc="sha1"))),
    ("xxh64", 3, 2, 2, 7, MinhashConfig(num_buckets=3, hashes_per_bucket=2, n_grams=2, seed=7)),
]
rng = random.Random(5)
texts = [
    "The quick brown fox jumps over the lazy dog, and then 12 foxes ran 3.5 miles away.",
    "ΑΣ ΟΔΟΣ İstanbul ǅ ß ẞ Å é e\u0301 ﬁ ½ ١٢٫٣ 1,5 1.2.3 four five six",
    "one two three",
    "",
]
texts += [" ".join(make(rng, []) for _ in range(rng.randint(1, 4))) for _ in range(300)]
with gzip.GzipFile(here / "minhash.jsonl.gz", "wb", mtime=0) as out:
    for text in texts:
        found = []
        for name, bands, hashes, ngram, seed, config in configs:
            step = MinhashDedupSignature("/dev/null", config)
            shingles = step.get_shingles(text)
            signature = sum(step.get_signature(shingles), []) if shingles.size else None
            # Of the full signatures, the first band says as much as all: one is kept whole.
            found.append(signature if signature is None or text == texts[0] else signature[: 2 * hashes])
        out.write((json.dumps([text, simplify_text(text), found]) + "\n").encode())
print(target.stat().st_size, (here / "minhash.jsonl.gz").stat().st_size)
