#!/usr/bin/env python3
"""Measures how flexmix names license texts against ScanCode, on license files of real packages.

    license_agreement.py collect DIR            copy every distinct license file into DIR, with DIR/index.json
    license_agreement.py scan DIR               run ScanCode on them: DIR/scancode.json
    license_agreement.py compare DIR FLEXMIX    run `flexmix license identify` and print the table
    license_agreement.py freeze DIR FLEXMIX     write what corpus/tests/license_texts.rs holds: all verdicts by digest,
                                                and small texts of every class, to corpus/tests/golden/license-texts

The files come from the crates of Cargo.lock (`cargo fetch --locked` first), from the Python environments that the tests
and tools keep under ~/.cache/flexmix/venv, from the demo's packages (`make demo` fetches them), and from the npm
packages pinned below. Files are one by content; the package that sorts first names them. docs/license-identification.md
is the table in words. ScanCode lives in an environment of its own.
"""

import collections
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "flexmix"
# pluggy 1.6 refuses what plugincode 32 registers.
REQUIREMENTS = ["scancode-toolkit-mini==32.5.0", "pluggy==1.5.0"]
NPM = """
typescript@5.9.3 caniuse-lite@1.0.30001751 spdx-exceptions@2.5.0 spdx-license-ids@3.0.22 jszip@3.10.1 dompurify@3.3.0
node-forge@1.3.1 pako@2.1.0 tslib@2.8.1 lightningcss@1.30.2 axe-core@4.11.0 sax@1.4.1 mdn-data@2.25.0
highlight.js@11.11.1 json-schema@0.4.0 rc@1.2.8 type-fest@5.1.0 argparse@2.0.1 domhandler@5.0.3 elkjs@0.11.0
ua-parser-js@2.0.6 gsap@3.13.0 @fortawesome/fontawesome-free@7.1.0 lodash@4.17.21 d3@7.9.0 d3-format@3.1.0
atob@2.1.2 source-map@0.7.6 uri-js@4.4.1 fast-uri@3.1.0 rxjs@7.8.2 qs@6.14.0 regjsparser@0.13.0 hls.js@1.6.13
bootstrap-icons@1.13.1 mathjax@3.2.2 ckeditor4@4.22.1 jquery@3.7.1 sprintf-js@1.1.3 pdfjs-dist@5.4.296
""".split()
USUAL = re.compile(r"^(un)?licen[sc]e|^copying|^notice|^copyright", re.I)
CODE = re.compile(r"\.(rs|py|pyc|pyi|js|ts|map|c|h|json|toml|ya?ml|html|css|png|svg|rule|license|sha256|spdx|cpp|about)$", re.I)


def collect(out):
    """Every distinct license file under `out/texts`, and where each was found."""
    found = {}

    def take(package, path, read):
        name = path.rsplit("/", 1)[-1]
        if not USUAL.match(name) or CODE.search(name):
            return
        content = read()
        try:
            content.decode()
        except UnicodeDecodeError:
            return
        if not content.strip() or len(content) > 1 << 20:
            return
        digest = hashlib.sha256(content).hexdigest()
        if digest not in found or (package, path) < found[digest][:2]:
            found[digest] = (package, path, content)

    for package, path, read in folders():
        take(package, path, read)
    for archive in archives(out):
        for path, read in members(archive):
            take(archive.name, path, read)
    texts = out / "texts"
    texts.mkdir(parents=True, exist_ok=True)
    index = []
    for digest, (package, path, content) in sorted(found.items()):
        (texts / f"{digest}.txt").write_bytes(content)
        index.append({"sha256": digest, "package": package, "path": path, "bytes": len(content)})
    (out / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"{len(index)} distinct license files")


def folders():
    """License files of unpacked packages: crates of Cargo.lock, and Python environments."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    wanted = {f"{p['name']}-{p['version']}" for p in lock}
    home = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    for crate in sorted((home / "registry" / "src").glob("*/*")):
        if crate.name in wanted:
            for file in sorted(crate.rglob("*")):
                # The license texts that the crate `spdx` carries are what we match against.
                if file.is_file() and USUAL.match(file.name) and "/src/text/" not in str(file):
                    yield crate.name, str(file.relative_to(crate)), file.read_bytes
    for site in sorted((CACHE / "venv").glob("*/lib/python*/site-packages")):
        for file in sorted(site.rglob("*")):
            path = str(file.relative_to(site))
            # ScanCode's own rules are what we measure against.
            if file.is_file() and USUAL.match(file.name) and not path.startswith("licensedcode/"):
                yield path.split("/")[0], path, file.read_bytes


def archives(out):
    """The demo's packages, and the pinned npm packages."""
    npm = out / "npm"
    npm.mkdir(parents=True, exist_ok=True)
    if not (npm / "done").exists():
        for package in NPM:
            run = subprocess.run(["npm", "pack", "--silent", package], cwd=npm, capture_output=True, text=True)
            if run.returncode:
                print(f"left out: {package}: {run.stderr.strip()[:200]}", file=sys.stderr)
        (npm / "done").touch()
    return sorted((CACHE / "demo-packages").glob("*.*")) + sorted(npm.glob("*.tgz"))


def members(archive):
    """The files of a tar or zip archive, each with a way to read it."""
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                yield name, lambda name=name: opened.read(name)
    elif archive.suffix in (".tgz", ".gz", ".crate"):
        with tarfile.open(archive) as opened:
            for member in opened:
                if member.isfile():
                    yield member.name, lambda member=member: opened.extractfile(member).read()


def scancode():
    """ScanCode's program, installed on first use."""
    home = CACHE / "venv" / "scancode"
    program = home / "bin" / "scancode"
    if not program.is_file():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    return program


def scan(out):
    """ScanCode's word on each text."""
    command = [scancode(), "--license", "--quiet", "-n", "2", "--json-pp", out / "scancode.json", out / "texts"]
    subprocess.run(command, check=True)


def words(text):
    """A text as one line of words: files that differ beyond their copyright lines count as different texts."""
    lines = [line for line in text.splitlines() if not re.match(r"\W*(copyright|©|\(c\))", line, re.I)]
    return " ".join(re.findall(r"\w+", " ".join(lines).lower()))


def ours(out, flexmix):
    """flexmix's word on each text, by digest."""
    texts = sorted((out / "texts").glob("*.txt"))
    run = subprocess.run([flexmix, "license", "identify", "--format", "json", *texts], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        sys.exit(run.stderr)
    return {pathlib.Path(f["file"]).stem: f for f in json.loads(run.stdout)["files"]}


def theirs(out):
    """ScanCode's word on each text, by digest: its expression, and how much of the text it counts as license."""
    report = json.loads((out / "scancode.json").read_text())
    return {pathlib.Path(f["path"]).stem: f for f in report["files"] if f["type"] == "file"}


def leaves(expression):
    """The licenses of an expression, whatever joins them."""
    return set(re.findall(r"[^\s()]+", re.sub(r"\b(AND|OR|WITH)\b", " ", expression or "")))


def judged(out, flexmix):
    """Each file with both words on it and the class of their difference."""
    mine, other = ours(out, flexmix), theirs(out)
    for entry in json.loads((out / "index.json").read_text()):
        said, named = mine[entry["sha256"]], other[entry["sha256"]]["detected_license_expression_spdx"]
        yield entry, said, named, kind(entry, said, named)


def kind(entry, said, named):
    texts = said["texts"]
    if texts:
        if not named:
            return "we name what ScanCode does not"
        groups = [leaves(id) for group in texts for id in group]
        if len(texts) == 1 and any(named == id for id in texts[0]):
            return "agree exactly"
        same = leaves(named) == set().union(*groups) if len(texts) > 1 or len(texts[0]) == 1 else False
        return "agree on the licenses, not on how they are joined" if same else "differ"
    if not named:
        return "neither names it"
    several = len(leaves(named) - {n for n in leaves(named) if n.startswith("LicenseRef-scancode-")}) != 1
    changes = (said["nearest"] or {"changes": None})["changes"]
    if several:
        return "refused: several licenses, or other words between them"
    if changes is None:
        return "refused: a mention or a notice, no license text"
    more, less = (any(c[side] for c in changes) for side in ("added", "removed"))
    if more and less:
        return "refused: words differ from the listed text"
    return "refused: words more than the listed text" if more else "refused: words fewer than the listed text"


def compare(out, flexmix):
    """The table, and every file that is not agreed on."""
    rows = list(judged(out, flexmix))
    texts = {words((out / "texts" / f"{entry['sha256']}.txt").read_text()) for entry, *_ in rows}
    counts = collections.Counter(row[3] for row in rows)
    print(f"{len(rows)} files, {len(texts)} of them different beyond copyright lines\n\n| class | files |\n|---|---|")
    for name, count in counts.most_common():
        print(f"| {name} | {count} |")
    print("\n| class | package | file | ScanCode | flexmix |\n|---|---|---|---|---|")
    for entry, said, named, name in sorted(rows, key=lambda r: (r[3], r[0]["package"], r[0]["path"])):
        if name != "agree exactly":
            near = said["nearest"]
            change = near["changes"][0] if near and near["changes"] else None
            hint = f"near {near['id']}, line {change['line']}: +{change['added'][:60]} -{change['removed'][:60]}" if change else ""
            mine = " AND ".join(" or ".join(group) for group in said["texts"]) or hint or "no listed text"
            print(f"| {name} | {entry['package']} | {entry['path'].rsplit('/', 1)[-1]} | {named} | {mine} |")


def freeze(out, flexmix):
    """All verdicts by digest, and of every class and license the first small text."""
    golden = ROOT / "corpus" / "tests" / "golden" / "license-texts"
    golden.mkdir(parents=True, exist_ok=True)
    for old in golden.glob("*"):
        old.unlink()
    lines, taken, expected = [], collections.Counter(), {}
    for entry, said, named, name in judged(out, flexmix):
        texts = " AND ".join("|".join(group) for group in said["texts"]) or "-"
        near = said["nearest"]["id"] if said["nearest"] else "-"
        lines.append("\t".join([entry["sha256"], str(named), texts, near, name, entry["package"], entry["path"]]))
        most = 2 if name.startswith("refused") else 1
        key = (name, "" if name.startswith("refused: several") or "mention" in name else named)
        if entry["bytes"] < 4500 and taken[key] < most:
            taken[key] += 1
            (golden / f"{entry['sha256'][:12]}.txt").write_bytes((out / "texts" / f"{entry['sha256']}.txt").read_bytes())
            expected[entry["sha256"][:12]] = {"sha256": entry["sha256"], "from": f"{entry['package']}/{entry['path']}",
                                              "scancode": named, "texts": said["texts"], "nearest": near, "class": name}
    (golden / "verdicts.tsv").write_text("sha256\tscancode\tflexmix\tnearest\tclass\tpackage\tpath\n" + "\n".join(lines) + "\n")
    (golden / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
    print(f"{len(expected)} texts, {len(lines)} verdicts")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["collect", out]:
            collect(pathlib.Path(out))
        case ["scan", out]:
            scan(pathlib.Path(out))
        case ["compare", out, flexmix]:
            compare(pathlib.Path(out), flexmix)
        case ["freeze", out, flexmix]:
            freeze(pathlib.Path(out), flexmix)
        case _:
            sys.exit(__doc__)
