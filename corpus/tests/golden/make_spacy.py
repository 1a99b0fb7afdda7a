"""Writes ../../data/spacy-en.json: what spaCy's English tokenizer and sentencizer decide by, asked of spaCy itself.

Sets of characters are found by putting every code point where a rule looks at one, so that they are those of the
compiled patterns and of this Python's Unicode tables. Run it in an environment with the versions that the file names:

    python -m venv v && v/bin/pip install spacy==3.8.18 && v/bin/python make_spacy.py
"""

import json
import pathlib
import sys
import unicodedata

import spacy
from spacy.lang.char_classes import CURRENCY, HYPHENS, UNITS

nlp = spacy.blank("en")
tokenizer = nlp.tokenizer
POINTS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
# A character that no rule looks at.
PLAIN = "\x01"


def ranges(test):
    found = []
    for c in POINTS:
        if test(c):
            if found and found[-1][1] == ord(c) - 1:
                found[-1][1] = ord(c)
            else:
                found.append([ord(c), ord(c)])
    return found


def prefix(text):
    match = tokenizer.prefix_search(text)
    return match.end() if match else 0


def suffix(text):
    match = tokenizer.suffix_search(text)
    return match.end() - match.start() if match else 0


def infix_at(text, at):
    return any(m.start() == at for m in tokenizer.infix_finditer(text))


space = str.isspace
sets = {
    "prefix": ranges(lambda c: not space(c) and prefix(c + PLAIN) == 1),
    "suffix": ranges(lambda c: not space(c) and suffix(PLAIN + c) == 1),
    "before_final_dot": ranges(lambda c: c != "." and not space(c) and suffix(PLAIN + c + ".") == 1),
    "upper": ranges(lambda c: c != "." and not space(c) and suffix(c + "A.") == 1),
    "infix": ranges(lambda c: not space(c) and infix_at(PLAIN + c + PLAIN, 1)),
    "before_inner_dot": ranges(lambda c: c != "." and not space(c) and infix_at(c + ".A", 1)),
    "after_inner_dot": ranges(lambda c: c != "." and not space(c) and infix_at("a." + c, 1)),
    "alpha": ranges(lambda c: not space(c) and infix_at(c + ",a", 1)),
    "top_level": ranges(lambda c: bool(tokenizer.url_match("a." + c * 2))),
    "digit": ranges(lambda c: unicodedata.category(c) == "Nd"),
    "word": ranges(lambda c: c.isalnum() or c == "_"),
    "punctuation": ranges(lambda c: unicodedata.category(c).startswith("P")),
}

# Exceptions as the lengths of their tokens; where spaCy looks for one among tokens, the tokens it looks for.
rules = {}
for text, parts in sorted(tokenizer.rules.items()):
    tokens = [part[65] for part in parts]
    tokens = [t if isinstance(t, str) else nlp.vocab.strings[t] for t in tokens]
    assert "".join(tokens) == text, text
    rules[text] = [len(t.encode()) for t in tokens]
bare = spacy.tokenizer.Tokenizer(
    nlp.vocab,
    prefix_search=tokenizer.prefix_search,
    suffix_search=tokenizer.suffix_search,
    infix_finditer=tokenizer.infix_finditer,
    url_match=tokenizer.url_match,
)
merged = []
for text in sorted(rules):
    if prefix(text) or suffix(text) or list(tokenizer.infix_finditer(text)) or " " in text:
        merged.append([text, [len(t.text.encode()) for t in bare(text)]])
        assert "".join(t.text for t in bare(text)) == text, text

out = {
    "made_with": {
        "python": sys.version.split()[0],
        "unicode": unicodedata.unidata_version,
        "spacy": spacy.__version__,
    },
    "sets": sets,
    "units": sorted(UNITS.split("|")),
    "currencies": sorted(c.replace("\\", "") for c in set(CURRENCY.split("|"))),
    "hyphens": HYPHENS.split("|"),
    "sentence_ends": sorted(spacy.pipeline.Sentencizer.default_punct_chars),
    "rules": rules,
    "merged": merged,
}
target = pathlib.Path(__file__).parent / "../../data/spacy-en.json"
target.write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":"), sort_keys=True) + "\n")
print({name: len(found) for name, found in sets.items()}, len(rules), len(merged), out["hyphens"], out["currencies"][:8])
