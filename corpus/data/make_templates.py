#!/usr/bin/env python3
"""Makes license-templates.txt: what SPDX lets vary in the license texts that packages carry most.

    make_templates.py CHECKOUT      a checkout of https://github.com/spdx/license-list-XML, at COMMIT

The list's XML marks what may be left out (`optional`) and what may be put otherwise (`alt`, with a regular expression).
Here both become plain alternatives: ⟦this¦or that¦⟧, the last one empty where nothing may stand. ⟨name⟩ is a place where
the list takes any words; flexmix takes names there. ⟨number⟩ is a number. Nothing else may differ. License texts and mark-up are SPDX's (CC0-1.0 for the mark-up).
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

try:
    from re import _constants as codes, _parser as parser
except ImportError:
    import sre_constants as codes
    import sre_parse as parser

COMMIT = "e4c1f276b8befa364960e288c6a17f5433353b1b"
SPACE = "{http://www.spdx.org/license}"
IDS = """
0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0-Perl Artistic-2.0 BSD-1-Clause
BSD-2-Clause BSD-2-Clause-Patent BSD-2-Clause-Views BSD-3-Clause BSD-3-Clause-Attribution BSD-3-Clause-Clear
BSD-3-Clause-LBNL BSD-3-Clause-Modification BSD-4-Clause BSD-4-Clause-UC BSD-Source-Code BSL-1.0 BUSL-1.1 BlueOak-1.0.0
CC-BY-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-NC-2.0 CC-BY-NC-2.5 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-2.5
CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-2.5 CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0 CC-BY-ND-3.0
CC-BY-ND-4.0 CC-BY-SA-2.0 CC-BY-SA-2.5 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-PDDC CC0-1.0 CDDL-1.0 CDDL-1.1 CDLA-Permissive-1.0
CDLA-Permissive-2.0 CDLA-Sharing-1.0 CECILL-2.1 CNRI-Python CPL-1.0 ECL-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 FSFAP FTL
GFDL-1.1-or-later GFDL-1.2-or-later GFDL-1.3-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND
HPND-sell-variant ICU IJG ISC JSON LGPL-2.0-only LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng
MIT MIT-0 MIT-CMU MIT-Modern-Variant MPL-1.1 MPL-2.0 MS-PL MulanPSL-2.0 NAIST-2003 NCSA NTP ODC-By-1.0 ODbL-1.0 OFL-1.1
OGL-UK-3.0 OLDAP-2.8 OpenMDW-1.0 OpenSSL PDDL-1.0 PHP-3.01 PSF-2.0 PolyForm-Noncommercial-1.0.0
PolyForm-Small-Business-1.0.0 PostgreSQL Python-2.0 Python-2.0.1 Ruby SSPL-1.0 TCL UPL-1.0 Unicode-3.0
Unicode-DFS-2015 Unicode-DFS-2016 Unlicense Vim W3C W3C-20150513 WTFPL X11 ZPL-2.1 Zlib bzip2-1.0.6 curl libpng-2.0
zlib-acknowledgement Classpath-exception-2.0 GCC-exception-3.1 LLVM-exception
""".split()


def template(element):
    """The text of an element with its variations."""
    name = element.tag.removeprefix(SPACE)
    inner = element.text or ""
    for child in element:
        inner += template(child) + (child.tail or "")
    if name == "alt":
        return choice([*expanded(element.get("match")), plain(inner)])
    if name in ("optional", "bullet", "titleText"):
        return choice([inner, ""])
    if name == "copyrightText":
        return f"\n⟦\n{inner}\n¦⟧\n"
    return {"br": "\n", "p": f"\n{inner}\n", "item": f"\n{inner}\n"}.get(name, inner)


def own_line(line):
    """A copyright line may be left out, and is one whoever it names: flexmix leaves such lines out of what it compares."""
    bare = re.sub(r"⟦<¦⟧|⟦>¦⟧|<|>", "", line)
    if re.match(r"Copyright (\(C\)|©)", bare, re.I) and bare.count("⟦") == bare.count("⟧"):
        return f"⟦\n{line}\n¦⟧"
    return line


def choice(alternatives):
    """One of these, the same words once."""
    kept = {}
    for text in alternatives:
        kept.setdefault(" ".join(re.findall(r"\w+|[⟦¦⟧]", text)).lower(), text)
    if list(kept) == [""]:
        return " "
    return "⟦" + "¦".join(kept.values()) + "⟧"


def plain(text):
    return " ".join(text.split())


def expanded(pattern):
    """Every text that a regular expression of the list matches, with names and numbers as places."""
    return [plain(t) for t in sequence(parser.parse(pattern))]


def sequence(parsed):
    texts = [""]
    for operation, value in parsed:
        texts = [before + after for before in texts for after in one(operation, value)]
    return texts


def one(operation, value):
    if operation is codes.LITERAL:
        return [chr(value)]
    if operation is codes.ANY:
        # A full stop that the list forgot to escape.
        return [" "]
    if operation is codes.SUBPATTERN:
        return sequence(value[3])
    if operation is codes.BRANCH:
        return [text for branch in value[1] for text in sequence(branch)]
    if operation is codes.IN:
        return of_set(value)
    if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        low, _, inner = value
        texts = [" ⟨name⟩ "] if inner[0][0] is codes.ANY else sequence(inner)
        return texts + [""] if low == 0 else texts
    raise ValueError(f"{operation} {value}")


def of_set(value):
    """One character of a set: white space and punctuation are a blank, digits a number, anything but is a name."""
    if value[0][0] is codes.NEGATE:
        return [" ⟨name⟩ "]
    if any(v == (codes.RANGE, (48, 57)) for v in value):
        return [" ⟨number⟩ "]
    characters = [chr(v[1]) for v in value if v[0] is codes.LITERAL]
    letters = [c for c in characters if c.isalnum()]
    return letters or [" "]


def main(checkout):
    sections = {}
    for wanted in IDS:
        source = pathlib.Path(checkout) / "src" / f"{wanted}.xml"
        if not source.exists():
            source = pathlib.Path(checkout) / "src" / "exceptions" / f"{wanted}.xml"
        text = template(ElementTree.parse(source).getroot()[0].find(f"{SPACE}text"))
        lines = [" ".join(line.split()) for line in text.splitlines()]
        body = "\n".join(line for line in lines if line)
        body = body.replace("Copyright (C)\n⟦yyyy¦year⟧\nname", "Copyright (C) ⟦yyyy¦year⟧ name")
        body = "\n".join(own_line(line) for line in body.splitlines())
        sections.setdefault(body, []).append(wanted)
    out = [f"Made by make_templates.py from SPDX license-list-XML at {COMMIT}.\n"]
    out += [f"=== {' '.join(ids)}\n{body}\n" for body, ids in sorted(sections.items(), key=lambda s: s[1])]
    (pathlib.Path(__file__).parent / "license-templates.txt").write_text("".join(out))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
