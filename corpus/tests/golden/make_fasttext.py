"""Writes fasttext.jsonl.gz: small models of every kind that fastText trains, and what fastText itself predicts.

Run it with the reference (its C++ behind the Python binding of Meta) in a virtual environment of Python 3.11:

    python -m venv v && v/bin/pip install fasttext-wheel==0.9.2 'numpy<2'
    v/bin/python make_fasttext.py fasttext.jsonl.gz

With a model and a folder it writes the same for that model and the folder's texts, odd ones and mutations of them:

    v/bin/python make_fasttext.py lid.jsonl.gz lid.176.ftz ../../../flexmix-sample 6000

Lines are {"model", "base64" or "path", "labels"} and {"text", "predictions": [[label, score]]}, each text with the model
that stands before it. Scores are float32, written exactly. Training texts are nonsense words, made here (CC0-1.0).
"""

import base64
import gzip
import json
import os
import random
import sys
import tempfile

import fasttext

VOWELS = ["aeiou", "äöüeı", "оаеиу"]
CONSONANTS = ["bcdfgklmnprst", "qvwxzjhßçğ", "бвгджзклмнпрст"]
ODD = [
    "", " ", "\t\r\v\f", "\0", "a\0b c\0", "</s>", "ka </s> бo do", "__label__x ka", "__label__1", "__label__", "ka",
    "x" * 5000, "ka " * 3000, "é", "e\u0301 e", "\u00a0ka\u00a0", "\x85", "\u2028", "ka\u3000mi", "\U0001f600 \U0001f600",
    "\ufeffka", "<ka>", ">", "<", "....", "1 2 3", "KA ka Ka", "\u202eka", "a" * 1025 + " b", "\x1c\x1d ka", "日本語 の 文", "ทดสอบ",
]


def words(rng, kind, n):
    syllable = lambda: rng.choice(CONSONANTS[kind]) + rng.choice(VOWELS[kind])
    return [syllable() + (syllable() if rng.random() < 0.8 else "") + (syllable() if rng.random() < 0.3 else "") for _ in range(n)]


def sentence(rng, vocabularies, kind):
    return " ".join(rng.choice(vocabularies[kind]) for _ in range(rng.randrange(3, 15)))


def mutate(rng, text):
    text = list(text)
    for _ in range(rng.randrange(0, 4)):
        at = rng.randrange(len(text) + 1)
        what = rng.randrange(4)
        if what == 0 and text:
            del text[at : at + rng.randrange(1, 9)]
        elif what == 1:
            text[at:at] = list(rng.choice(ODD)[:40])
        elif what == 2:
            text[at:at] = [chr(rng.choice([rng.randrange(1, 128), rng.randrange(0xA0, 0x2FFF), rng.randrange(0x4E00, 0x9FFF)]))]
        else:
            text[at:at] = text[at : at + rng.randrange(1, 30)]
    return "".join(text)


def line(model, text):
    # `predict` refuses line ends, and so do all callers.
    labels, scores = model.predict(text.replace("\n", " "), k=-1)
    pairs = [[label.removeprefix("__label__"), float(score)] for label, score in zip(labels, scores)]
    return {"text": text.replace("\n", " "), "predictions": pairs}


def small_models(out):
    rng = random.Random(1)
    vocabularies = [words(rng, kind, 40) for kind in range(3)]
    folder = tempfile.mkdtemp()
    train = os.path.join(folder, "train.txt")
    with open(train, "w") as f:
        for i in range(600):
            kind = rng.choice([0, 0, 0, 1, 1, 2])
            f.write(f"__label__{['ab', 'cd_Latn', 'ef'][kind]} {sentence(rng, vocabularies, kind)}\n")
    texts = ODD + [mutate(rng, sentence(rng, vocabularies, rng.randrange(3))) for _ in range(120)]
    shapes = [
        ("softmax", dict(loss="softmax", wordNgrams=1, minn=0, maxn=0)),
        ("bigrams", dict(loss="softmax", wordNgrams=3, minn=0, maxn=0, bucket=400)),
        ("tree", dict(loss="hs", wordNgrams=1, minn=2, maxn=4, bucket=400)),
        ("each", dict(loss="ova", wordNgrams=2, minn=1, maxn=3, bucket=400)),
        ("negative", dict(loss="ns", wordNgrams=1, minn=3, maxn=6, bucket=400)),
    ]
    for name, arguments in shapes:
        for quantised in (False, True):
            if quantised and not arguments.get("bucket"):
                continue
            model = fasttext.train_supervised(train, dim=7, epoch=8, thread=1, seed=1, verbose=0, lr=0.5, **arguments)
            path = os.path.join(folder, "m.bin")
            if quantised:
                cut = dict(cutoff=300, qnorm=True) if name in ("tree", "each") else {}
                model.quantize(input=train, dsub=2, retrain=False, thread=1, verbose=0, **cut)
            model.save_model(path)
            model = fasttext.load_model(path)
            with open(path, "rb") as f:
                body = base64.b64encode(f.read()).decode()
            labels = [label.removeprefix("__label__") for label in model.labels]
            out({"model": name + (".ftz" if quantised else ".bin"), "base64": body, "labels": labels})
            for text in texts:
                out(line(model, text))


def given_model(out, path, folder, count):
    rng = random.Random(2)
    model = fasttext.load_model(path)
    out({"model": os.path.basename(path), "path": os.path.abspath(path), "labels": [x.removeprefix("__label__") for x in model.labels]})
    seeds = []
    for at, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            with open(os.path.join(at, name), encoding="utf-8", errors="replace") as f:
                text = f.read()
            seeds += [text] + [t for t in text.split("\n") if len(t) > 20][:400]
    texts = ODD + [mutate(rng, "".join(w)) for w in zip(*[iter(words(rng, 1, 90))] * 3)]
    while len(texts) < count:
        texts.append(mutate(rng, rng.choice(seeds)))
    for text in texts:
        out(line(model, text))


with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as f:
    def write(row):
        f.write((json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n").encode())

    if len(sys.argv) == 2:
        small_models(write)
    else:
        given_model(write, sys.argv[2], sys.argv[3], int(sys.argv[4]))
