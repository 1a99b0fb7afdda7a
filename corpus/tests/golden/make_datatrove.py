"""Writes datatrove.jsonl.gz: what datatrove 0.10.0's own filters say about a thousand made texts. With a folder of
*.jsonl.zst documents and a file, writes there what they say about the first 4,000 characters of each of its documents;
the test reads that file too where FLEXMIX_DATATROVE_GOLDEN names it.

    python -m venv v && v/bin/pip install datatrove==0.10.0 spacy==3.8.18 regex 'xxhash<4' numpy && v/bin/python make_datatrove.py
"""

import gzip
import json
import pathlib
import random
import sys

from datatrove.data import Document
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here))
from fuzz_spacy import make, samples  # noqa: E402

FILTERS = [("gopher-quality@datatrove", GopherQualityFilter()), ("gopher-repetition@datatrove", GopherRepetitionFilter())]
PLAIN = (
    "the river of light that runs to the sea and back again with every tide is older than people who have named it and "
    "walked along its banks through seasons without number be it spring or winter carrying baskets songs letters bread "
).split()
BREAKS = [" ", " ", " ", " ", " ", " ", ". ", ", ", "\n", "\n\n", ".\n", "...\n", " #", "\n- ", "\n• ", "…\r\n", "\u2028", "\x0c"]


def text(rng):
    kind = rng.randrange(6)
    words = []
    for _ in range(rng.choice([20, 55, 80, 120, 200])):
        words.append(make(rng, [])[:30] if rng.random() < (0.02, 0.1, 0.3, 0.02, 0.05, 0.02)[kind] else rng.choice(PLAIN))
        words.append(rng.choice(BREAKS if kind in (1, 3) else BREAKS[: 8 + kind]))
    whole = "".join(words)
    if kind >= 3:
        unit = "".join(words[: rng.randint(2, 40)])
        whole += "".join(unit + rng.choice(["", " ", "\n", "\n\n"]) for _ in range(rng.randint(1, 12)))
    return whole


rng = random.Random(3)
made = [text(rng) for _ in range(1000)]
target = here / "datatrove.jsonl.gz"
if len(sys.argv) > 1:
    made, target = [document for document in samples(sys.argv[1]) if document], pathlib.Path(sys.argv[2])
with gzip.GzipFile(target, "wb", mtime=0) as out:
    seen = {}
    for n, document in enumerate(made):
        said = []
        for name, step in FILTERS:
            kept = step.filter(Document(text=document, id=str(n)))
            reason = None if kept is True else kept[1]
            seen[(name, reason)] = seen.get((name, reason), 0) + 1
            said.append(reason)
        out.write((json.dumps([document, said]) + "\n").encode())
print(target.stat().st_size)
for key, count in sorted(seen.items(), key=str):
    print(count, *key)
