#!/usr/bin/env python3
"""Opens token files with the code of the tools that read them, from virtual environments in the user's cache.

    read_export.py EXPORTS

EXPORTS holds `npy`, `megatron` and `datatrove`, each an export of one corpus in stored order. Prints the documents as
each format has them, as JSON: {"npy": [[ids], ...], ...}, and as "equal" whether datatrove's own writer gives the bytes of
`datatrove`. megatron-core reads with the code that it ships; torch, which that code imports and does not need here, is an
empty module. OLMo-core's files are opened as OLMo-core opens them, by offset from a raw array. The exit status 77 means
that the tools could not be installed (no registry).
"""

import csv
import gzip
import importlib.util
import io
import json
import os
import pathlib
import subprocess
import sys
import types
import venv

TOKENS = ["numpy==2.3.5", "humanize==4.17.0", "datatrove==0.10.0", "tokenizers==0.23.3", "orjson==3.13.0"]
MEGATRON = "megatron-core==0.16.1"
SKIPPED = 77


def home_of(names):
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return cache / "flexmix" / "venv" / "-".join(r.replace("==", "-") for r in names)


def environment(names, bare=()):
    """The Python that has these packages, installed on first use; those in `bare` without what they ask for."""
    home = home_of([*names, *bare])
    python, done = home / "bin" / "python", home / "installed"
    if not done.is_file():
        venv.create(home, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for more in ([*names], ["--no-deps", *bare]):
            if more and more != ["--no-deps"] and subprocess.run([*pip, *more], stdout=sys.stderr).returncode != 0:
                print("the readers of other tools cannot be installed", file=sys.stderr)
                sys.exit(SKIPPED)
        done.touch()
    return python


def npy(root):
    """As OLMo-core does: a document is a slice of a raw array, between the offsets of the .csv.gz beside it."""
    import numpy as np

    report = json.loads((root / "export.json").read_text())
    dtype = {2: np.uint16, 4: np.uint32}[report["token_bytes"]]
    documents = []
    for path in sorted(root.glob("*/*.npy")):
        ids = np.memmap(path, mode="r", dtype=dtype)
        at = 0
        for start, end, _id, _source, _row in csv.reader(io.TextIOWrapper(gzip.open(path.with_suffix(".csv.gz")))):
            assert int(start) == at, "documents tile the file"
            at = int(end)
            documents.append(ids[int(start) : at].tolist())
        assert at == len(ids)
    return documents


def megatron(root):
    """With megatron-core's IndexedDataset; only the import of torch is stood in for, as an empty module."""
    import numpy as np

    class Anything(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

    torch = Anything("torch")
    torch.utils = Anything("torch.utils")
    torch.utils.data = Anything("torch.utils.data")
    for module in (torch, torch.utils, torch.utils.data):
        sys.modules[module.__name__] = module
    found = importlib.util.find_spec("megatron")
    base = pathlib.Path(list(found.submodule_search_locations)[0]) / "core"
    for name in ("", ".datasets", ".datasets.object_storage_utils", ".msc_utils", ".utils"):
        sys.modules["megatron.core" + name] = Anything("megatron.core" + name)
    off = types.SimpleNamespace(is_enabled=lambda: False)
    sys.modules["megatron.core.msc_utils"].MultiStorageClientFeature = off
    sys.modules["megatron.core.utils"].log_single_rank = lambda *_a, **_k: None
    sys.modules["megatron.core.datasets.object_storage_utils"].is_object_storage_path = lambda _p: False
    spec = importlib.util.spec_from_file_location("indexed_dataset", base / "datasets" / "indexed_dataset.py")
    reader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reader)
    documents = []
    for path in sorted(root.glob("*/*.idx")):
        data = reader.IndexedDataset(str(path.with_suffix("")), mmap=True)
        assert len(data.document_indices) == len(data) + 1
        documents += [np.asarray(data[i]).tolist() for i in range(len(data))]
    return documents


def datatrove(root):
    """Documents by index, and whether datatrove's TokenizedFile writes the same three files from them."""
    import numpy as np
    import tempfile

    from datatrove.pipeline.tokens.tokenizer import TokenizedFile

    documents, equal = [], True
    for path in sorted(root.glob("*/*.ds")):
        name, count, _words = pathlib.Path(f"{path}.metadata").read_text().split("\n")
        size = int(name.rsplit("|", 1)[1])
        ids = np.fromfile(path, dtype={2: np.uint16, 4: np.uint32}[size])
        ends = np.fromfile(f"{path}.index", dtype=np.uint64).astype(int).tolist()
        assert ends[-1] == len(ids) == int(count)
        mine = [ids[a:b].tolist() for a, b in zip([0, *ends], ends)]
        documents += mine
        with tempfile.TemporaryDirectory() as folder:
            theirs = TokenizedFile(folder, path.name, tokenizer_name_or_path=name.rsplit("|", 1)[0], save_final_metadata=True, token_size=size)
            for document in mine:
                theirs.write(document, None)
            theirs.close()
            for end in ("", ".index", ".metadata"):
                equal &= pathlib.Path(folder, path.name + end).read_bytes() == pathlib.Path(f"{path}{end}").read_bytes()
    return documents, equal


def main():
    exports = pathlib.Path(sys.argv[1])
    if os.environ.get("FLEXMIX_READ_EXPORT") != "inside":
        python = environment(TOKENS, [MEGATRON])
        inside = dict(os.environ, FLEXMIX_READ_EXPORT="inside")
        sys.exit(subprocess.run([python, __file__, str(exports)], env=inside).returncode)
    documents, equal = datatrove(exports / "datatrove")
    found = {"datatrove": documents, "equal": equal, "npy": npy(exports / "npy"), "megatron": megatron(exports / "megatron")}
    print(json.dumps(found))


main()
