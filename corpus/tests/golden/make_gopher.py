"""Writes gopher.jsonl.gz: what dolma 1.2.1 itself says about a few hundred small texts.

Run it with the reference in a virtual environment of Python 3.11:

    python -m venv v && v/bin/pip install uv && VIRTUAL_ENV=v v/bin/uv pip install dolma==1.2.1
    v/bin/python make_gopher.py gopher.jsonl.gz

Each line is {"text", "attributes", "drops"}: the scores of tagger `gopher_v1` as dolma writes them (rounded to five
places), and the rules by which dolma's mixer drops the document when each is its only `exclude`. Rules are those of
configs/dolma-v1_5/mixing/cc-head.yaml. That file spells three attributes `..._most_common_2gram`, which no tagger of
1.2.1 writes; the last lines' `published` says what the mixer does with that spelling. The texts are mutations of the
sentences below, which are public domain or written for this file (CC0-1.0).
"""

import gzip
import json
import os
import random
import sys
import tempfile

from dolma import mixer
from dolma.core.data_types import InputSpec
from dolma.core.registry import TaggerRegistry

SEEDS = [
    "When in the Course of human events, it becomes necessary for one people to dissolve the political bands which have "
    "connected them with another, and to assume among the powers of the earth, the separate and equal station to which "
    "the Laws of Nature and of Nature's God entitle them, a decent respect to the opinions of mankind requires that they "
    "should declare the causes which impel them to the separation.",
    "Call me Ishmael. Some years ago\u2014never mind how long precisely\u2014having little or no money in my purse, and "
    "nothing particular to interest me on shore, I thought I would sail about a little and see the watery part of the "
    "world. It is a way I have of driving off the spleen and regulating the circulation.",
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a "
    "wife. However little known the feelings or views of such a man may be on his first entering a neighbourhood, this "
    "truth is so well fixed in the minds of the surrounding families, that he is considered the rightful property of "
    "some one or other of their daughters.",
    "- first item of the list\n- second item, with a comma\n* third item has a star\n- fourth: that is to be done\n- fifth",
    "def area(width, height):\n    # the area of a rectangle\n    return width * height\n\n\nfor i in range(10):\n"
    "    print(area(i, i + 1))\n",
    "Read more \u2026\nRead more \u2026\nThe rest of the story is behind the wall \u2026\nSubscribe to read that story with us.",
    "Der Fu\u00df und die Gr\u00f6\u00dfe; na\u00efve caf\u00e9; \u0420\u0443\u0441\u0441\u043a\u0438\u0439 \u0442\u0435\u043a\u0441\u0442; "
    "\u4e2d\u6587\u6587\u672c\uff0c\u6ca1\u6709\u7a7a\u683c; \u2167 \u2164 \u0661\u0662\u0663 \u00bd \u00aa \u02b0 e\u0301 \u0301\u0301 \U0001f600 "
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u05e2\u05d1\u05e8\u05d9\u05ea",
    "1 22 333 4444 55555 3.14 2.72 1,000 # ## ### 7% (8) [9] {0} == != <= >= ~ ^ | / \\",
]
GAPS = [" ", " ", " ", " ", "\n", "\n\n", "\t", "\x1c", "\x1f", "\u00a0", "\u2028", "\u3000", "\x0b", "\x85", "\r\n", "\u200b"]
ODD = ["#", "\u2026", "the", "with", "-", "*", "...", "42", "\u2167", "be", "a", "supercalifragilisticexpialidocious", "\u00b2"]

GRAMS = {2: 0.2, 3: 0.18, 4: 0.16, 5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
RULES = [
    ("word_count", "<", 50),
    ("word_count", ">", 100000),
    ("median_word_length", "<", 3),
    ("median_word_length", ">", 10),
    ("symbol_to_word_ratio", ">", 0.1),
    ("fraction_of_words_with_alpha_character", "<", 0.8),
    ("required_word_count", "<", 2),
    ("fraction_of_lines_starting_with_bullet_point", ">", 0.9),
    ("fraction_of_lines_ending_with_ellipsis", ">", 0.3),
    ("fraction_of_duplicate_lines", ">", 0.3),
    ("fraction_of_characters_in_duplicate_lines", ">", 0.3),
]
RULES += [(f"fraction_of_characters_in_most_common_{n}grams", ">", GRAMS[n]) for n in (2, 3, 4)]
RULES += [(f"fraction_of_characters_in_duplicate_{n}grams", ">", GRAMS[n]) for n in range(5, 11)]


def texts():
    rng = random.Random(7)
    out = ["", " ", "\n", "\n\n\n", "a", "\u2026", "- ", "This is a test.", "x " * 50, "the of " * 30, "word\n" * 60]
    out += SEEDS + ["\n".join(SEEDS), "\n\n".join(SEEDS), SEEDS[3] + "\n" + SEEDS[0], ("the " + "ab " * 4) * 12]
    # Scores that sit on a threshold, exactly or within the rounding.
    out += [" ".join(["the", "of"] + ["word"] * (n - 2)) for n in (49, 50, 51)]
    out += [" ".join(["the", "with"] + ["#"] * n + [f"w{i}ord" for i in range(90 - n)]) for n in (8, 9, 10)]
    out += [" ".join(["the", "with"] + ["12"] * n + [f"w{i}ord" for i in range(98 - n)]) for n in (19, 20, 21)]
    out += ["\n".join(["- item"] * n + [f"line {i} of the text with" for i in range(20 - n)]) for n in (17, 18, 19)]
    out += ["\n".join([f"a line {i} \u2026" for i in range(n)] + [f"line {i} of the text with" for i in range(20 - n)])
            for n in (5, 6, 7)]
    out += ["\n".join(["same line"] * n + [f"line {i} of the text with" for i in range(40 - n)]) for n in (11, 12, 13)]
    while len(out) < 320:
        words = rng.choice(SEEDS).split(" ")
        for _ in range(rng.randrange(0, 4)):
            words += rng.choice(SEEDS).split(" ")[: rng.randrange(5, 60)]
        for _ in range(rng.randrange(0, 14)):
            at = rng.randrange(len(words))
            kind = rng.randrange(6)
            if kind == 0:
                words[at:at] = [rng.choice(ODD)] * rng.randrange(1, 8)
            elif kind == 1:
                words[at:at] = words[max(0, at - rng.randrange(2, 14)): at] * rng.randrange(1, 4)
            elif kind == 2:
                del words[at: at + rng.randrange(1, 5)]
                words = words or ["x"]
            elif kind == 3:
                words[at] += rng.choice(["\n", "\u2026\n", "\n- ", "\n* ", "#"])
            elif kind == 4:
                words[at] = words[at][::-1]
            else:
                words[at] = words[at].upper()
        gap = rng.choice(GAPS[:6]) if rng.random() < 0.3 else None
        text = "".join(w + (gap or (rng.choice(GAPS) if rng.random() < 0.1 else " ")) for w in words)
        out.append(text[: rng.randrange(40, 1500)] if rng.random() < 0.5 else text[:1500])
    return out


def mixed(folder, streams):
    """The ids that the mixer keeps, for each stream of exclusions."""
    config = {
        "streams": [
            {
                "name": f"s{i:02}",
                "documents": [f"{folder}/documents/x.json.gz"],
                "attributes": ["g"],
                "output": {"path": f"{folder}/out", "max_size_in_bytes": 1 << 30},
                "filter": {"include": [], "exclude": exclude},
            }
            for i, exclude in enumerate(streams)
        ],
        "processes": 1,
        "work_dir": {"input": f"{folder}/wi", "output": f"{folder}/wo"},
    }
    mixer(config)
    kept = []
    for i in range(len(streams)):
        with gzip.open(f"{folder}/out/s{i:02}-0000.json.gz", "rt") as file:
            kept.append({json.loads(line)["id"] for line in file})
    return kept


def rule(name, operator, threshold):
    field = f"@.g__gopher_v1__{name}"
    return f"$.attributes[?({field} && {field}[0] && {field}[0][2] {operator} {threshold})]"


def main(path):
    documents = texts()
    tagger = TaggerRegistry.get("gopher_v1")()
    attributes = [tagger.tag(InputSpec(id=str(i), text=text, source="")) for i, text in enumerate(documents)]
    with tempfile.TemporaryDirectory() as folder:
        for part in ("documents", "attributes/g", "out"):
            os.makedirs(f"{folder}/{part}")
        with gzip.open(f"{folder}/documents/x.json.gz", "wt") as file:
            for i, text in enumerate(documents):
                file.write(json.dumps({"id": str(i), "text": text, "source": ""}) + "\n")
        with gzip.open(f"{folder}/attributes/g/x.json.gz", "wt") as file:
            for i, tags in enumerate(attributes):
                tagged = {f"g__gopher_v1__{k}": v for k, v in tags.items()}
                file.write(json.dumps({"id": str(i), "source": "", "attributes": tagged}) + "\n")
        published = [rule(n.replace("grams", "gram") if "common" in n else n, o, t) for n, o, t in RULES]
        kept = mixed(folder, [[rule(*r)] for r in RULES] + [[rule(*r) for r in RULES], published])
    with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as file:
        for i, (text, tags) in enumerate(zip(documents, attributes)):
            drops = [r for r in range(len(RULES)) if str(i) not in kept[r]]
            line = {
                "text": text,
                "attributes": {name: spans[0][2] for name, spans in tags.items()},
                "drops": drops,
                "kept": str(i) in kept[len(RULES)],
                "published": str(i) in kept[len(RULES) + 1],
            }
            file.write((json.dumps(line) + "\n").encode())
    print(len(documents), "texts,", len(kept[len(RULES)]), "kept,", len(kept[len(RULES) + 1]), "kept as published,",
          "rules that fired:", sorted({r for r in range(len(RULES)) if len(kept[r]) < len(documents)}))


if __name__ == "__main__":
    main(sys.argv[1])
