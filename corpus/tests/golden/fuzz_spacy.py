"""Compares corpus::segment with spaCy token for token and sentence for sentence, on strings made to break rules.

    python fuzz_spacy.py PROGRAM COUNT SEED [SAMPLES] [--freeze FILE]

PROGRAM is the example `segment` of the crate `corpus`; SAMPLES a folder of *.jsonl.zst documents whose text is mutated
too. Prints the differences and exits 1 if there is one. `--freeze` writes 3,000 of the strings made without SAMPLES
with spaCy's answer as the golden file of the tests. spaCy is the version that data/spacy-en.json names.
"""

import argparse
import gzip
import json
import pathlib
import random
import subprocess
import sys

import spacy

nlp = spacy.blank("en")
nlp.add_pipe("sentencizer")
RULES = sorted(nlp.tokenizer.rules)
GLUE = list(".,:;!?()[]{}<>_#*&'\"`-+=/\\|@$%^~") + [
    "...", "..", "--", "---", "—", "–", "……", "…", "’", "‘", "”", "“", "«", "»", "'s", "’s", "'S", "US$", "C$", "£", "€",
    "°", "°C.", "²", "§", "·", "。", "，", "、", "://", "@",
]
SPACE = [" "] * 12 + ["  ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u2003", "\u3000", "\x1c", "\x85", "\u2028", " \n "]
UNITS = ["km", "m²", "km/h", "mb", "GB", "%", "kg", "oz", "кг", "м/с", "كم", "T", "in", "mph", "m/s", "°C", "€", "US$"]
URLS = [
    "http://a.b.com/x?y#z", "example.com", "www.example.co.uk.", "user@example.org", "ftp://x.y:80/", "192.168.1.1",
    "8.8.8.8:53", "172.15.0.1", "172.16.0.1", "foo.bar", "a_b.com", "x.y/z", "http://user:pw@host.net:8080/p",
    "10.0.0.1", "223.255.255.254", "exämple.dé", "例え.テスト", "git@github.com:a/b.git", "v1.2.3", "3.5", "e.g", "i.e.",
]
WORDS = (
    "the of And U.S. don't Can't it's I'm GDP state-of-the-art 3.5 1,000 10-20 2x 1990s a.m. 10am 7p.m. Mr. Dr. Ph.D. "
    "self:made x=y a/b a<b word,word Word.Word word.Word WORD.word AB. aB. 1A. é É ß naïve Ünïcode русский слово. 中文。 "
    "日本語 한국어 العربية हिन्दी ไทย 😀 👩‍💻 ™ © ½ ١٢٣ ⅷ ª ﬁ ǅ o'clock rock'n'roll 'em ''tis 'cause :-) ;) <3 (ಠ_ಠ) ¯\\(ツ)/¯ "
    "IS_ALPHAX and/or C++ C# .NET A.B.C. e-mail re-use co-operate --flag -x +1 +x 50+ x+ 5*3 5^2 5--3 ~5 a~b a—b a–b 1–2"
).split()


def point(rng):
    low, high = rng.choice([(33, 126), (33, 126), (0xA0, 0x24F), (0x300, 0x6FF), (0x900, 0xDFF), (0x2000, 0x2BFF),
                            (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xFE00, 0xFFFF), (0x10000, 0x1FFFF), (0x20000, 0x2FFFF)])
    return chr(rng.randint(low, high))


def piece(rng, windows):
    kind = rng.randrange(12 if windows else 10)
    if kind < 2:
        return rng.choice(RULES)
    if kind < 4:
        return rng.choice(WORDS)
    if kind == 4:
        return rng.choice(GLUE) * rng.randint(1, 2)
    if kind == 5:
        return str(rng.randrange(10 ** rng.randint(1, 5))) + rng.choice(UNITS)
    if kind == 6:
        return rng.choice(URLS)
    if kind == 7:
        return "".join(point(rng) for _ in range(rng.randint(1, 4)))
    if kind == 8:
        return "".join(rng.choice("abcXYZ019.-,'/:") for _ in range(rng.randint(1, 9)))
    if kind == 9:
        return "".join(rng.choice(GLUE) for _ in range(rng.randint(1, 4)))
    window = rng.choice(windows)
    start = rng.randrange(max(1, len(window) - 60))
    return window[start : start + rng.randint(5, 60)]


def make(rng, windows):
    parts = []
    for _ in range(rng.randint(1, 6)):
        parts.append(piece(rng, windows))
        if rng.random() < 0.35:
            parts.append(rng.choice(GLUE))
        if rng.random() < 0.6:
            parts.append(rng.choice(SPACE))
    text = "".join(parts)
    if rng.random() < 0.1 and text:
        at = rng.randrange(len(text))
        text = text[:at] + point(rng) + text[at + 1 :]
    return "".join(c for c in text if not 0xD800 <= ord(c) < 0xE000)


def samples(folder):
    import zstandard

    for path in sorted(pathlib.Path(folder).rglob("*.jsonl.zst")):
        with zstandard.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)["text"][:4000]


def answer(text):
    with nlp.memory_zone():
        doc = nlp(text)
        return [[t.text for t in doc], [s.text for s in doc.sents]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("samples", nargs="?")
    parser.add_argument("--freeze")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    windows = [text for text in samples(options.samples) if text] if options.samples else []
    differ, compared, frozen = 0, 0, []
    while compared < options.count:
        batch = [text for text in (make(rng, windows) for _ in range(20_000)) if text]
        batch = batch[: options.count - compared]
        lines = "".join(json.dumps(text) + "\n" for text in batch)
        ran = subprocess.run([options.program], input=lines, capture_output=True, text=True, check=True)
        ours = [json.loads(line) for line in ran.stdout.split("\n") if line]
        assert len(ours) == len(batch), (len(ours), len(batch))
        for text, found in zip(batch, ours):
            compared += 1
            expected = answer(text)
            if len(frozen) < 3000:
                frozen.append([text, expected])
            if found != expected:
                differ += 1
                if differ <= 20:
                    print(json.dumps(text), "\n  spaCy  ", expected, "\n  flexmix", found)
        print(f"{compared} strings, {differ} differ", flush=True)
    if options.freeze:
        with gzip.GzipFile(options.freeze, "wb", mtime=0) as out:
            out.write("".join(json.dumps(pair) + "\n" for pair in frozen).encode())
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
