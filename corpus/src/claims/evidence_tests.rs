//! Signals in the shapes that people really write: declared fields, files beside files, folders, marks of pages, notices.

use manifests::claim::{Claim, Scope, Speaker, Statement};
use manifests::conclusion::{State, conclude};
use manifests::digest::Sha256;
use proptest::prelude::*;

use super::wording::{Terms, declared};
use super::{SourceClaims, document_claims, source_claims};
use crate::document::{Context, Declared, Document};
use crate::source::EvidenceFile;

fn evidence(files: &[(&str, &str)]) -> SourceClaims {
    let file = |(path, text): &(&str, &str)| EvidenceFile {
        path: (*path).to_owned(),
        bytes: text.as_bytes().to_vec(),
        digest: Sha256::of(text.as_bytes()),
        whole: !path.contains('/'),
    };
    let files: Vec<EvidenceFile> = files.iter().map(file).collect();
    source_claims(&files, Speaker::Rightsholder, None)
}

fn document(path: &str, head: &str) -> Document {
    Document {
        source: "s".parse().unwrap(),
        path: path.to_owned(),
        record: 0,
        ordinal: 0,
        declared_id: None,
        text: head.to_owned(),
        bytes_in: head.len() as u64,
        bytes_added: 0,
        bytes_removed: 0,
        claims: vec![],
        context: Context {
            record_digest: Sha256::of(head.as_bytes()),
            head: head.to_owned(),
            page: path.ends_with(".html").then(|| head.to_owned()),
            url: None,
            headers: None,
            license: None,
            copyright: None,
            attributions: vec![],
        },
    }
}

/// The conclusion on a document beside evidence files, as `state EXPRESSION`.
fn concluded(files: &[(&str, &str)], path: &str, head: &str) -> String {
    let source = evidence(files);
    let mut claims = document_claims(&document(path, head), &source, None);
    claims.extend(source.above(path));
    let conclusion = conclude(&claims);
    let terms = conclusion.expression.map(|e| format!(" {e}")).unwrap_or_default();
    format!("{}{terms}", conclusion.state)
}

fn text(id: &str) -> &'static str {
    spdx::license_id(id).unwrap().text()
}

#[test]
fn declared_fields_in_the_shapes_seen_in_the_wild() {
    for (raw, expected) in [
        // Common Pile: prose with an address, lists as Python prints them, bare addresses.
        ("Creative Commons - Attribution - https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        (
            "Creative Commons - Attribution Share-Alike - https://creativecommons.org/licenses/by-sa/4.0/",
            "CC-BY-SA-4.0",
        ),
        ("['MIT', 'Apache-2.0']", "Apache-2.0 AND MIT"),
        ("['MIT']", "MIT"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("http://creativecommons.org/licenses/by-nc-sa/3.0/", "CC-BY-NC-SA-3.0"),
        // The Stack: JSON lists of SPDX ids.
        ("[\"MIT\",\"BSD-3-Clause\"]", "BSD-3-Clause AND MIT"),
        // Ids of the Hugging Face hub.
        ("cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("cc0-1.0", "CC0-1.0"),
        ("apache-2.0", "Apache-2.0"),
        ("odc-by", "ODC-By-1.0"),
        ("odbl", "ODbL-1.0"),
        ("pddl", "PDDL-1.0"),
        ("cdla-permissive-2.0", "CDLA-Permissive-2.0"),
        ("wtfpl", "WTFPL"),
        ("etalab-2.0", "etalab-2.0"),
        // Others.
        ("MIT, BSD-2-Clause", "BSD-2-Clause AND MIT"),
        ("MIT; ISC", "ISC AND MIT"),
        ("License :: OSI Approved :: MIT License", "MIT"),
        ("\"MIT\"", "MIT"),
        ("MIT OR Unlicense", "MIT OR Unlicense"),
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("The Unlicense", "Unlicense"),
    ] {
        let expected = expected.parse::<manifests::license::Expression>().unwrap().to_string();
        assert_eq!(declared(raw), Terms::Expression(expected), "{raw}");
    }
}

#[test]
fn words_for_not_knowing_are_silence_and_vague_ones_are_not_read() {
    for raw in ["NOASSERTION", "unknown", "", "  ", "[]", "N/A", "null"] {
        assert_eq!(declared(raw), Terms::Silent, "{raw}");
    }
    for raw in [
        "other",
        "openrail",
        "bigscience-openrail-m",
        "llama3",
        "NONE",
        "see website",
        "MIT, unknown",
        "MIT; not for training",
        "MIT/Apache-2.0",
        "['MIT', 3]",
        "https://example.org/terms",
        "Creative Commons - Attribution Non-Commercial - https://creativecommons.org/licenses/by/4.0/",
    ] {
        assert_eq!(declared(raw), Terms::Unreadable, "{raw}");
    }
    for raw in ["cc", "gpl", "lgpl", "agpl", "bsd", "Public Domain"] {
        assert!(matches!(declared(raw), Terms::Family(_)), "{raw}");
    }
    // Kept as who said it, and concluding nothing: a copy that knows nothing poisons nothing.
    let mut silent = document("r.jsonl", "{}");
    let field = |raw: &str| Declared { raw: raw.into(), speaker: Speaker::Source, locator: "r.jsonl#0/license".into() };
    silent.context.license = Some(field("NOASSERTION"));
    let claims = document_claims(&silent, &SourceClaims::default(), None);
    assert_eq!((claims.len(), claims[0].speaker, claims[0].raw.as_str()), (1, Speaker::Source, "NOASSERTION"));
    assert_eq!(conclude(&claims).state, State::NoneFound);
}

#[test]
fn the_nearest_folder_speaks() {
    let (gpl, mit, isc) = ("{\"license\": \"GPL-3.0-only\"}", text("MIT"), text("ISC"));
    let tree =
        [("LICENSE", mit), ("vendor/a/COPYING", isc), ("vendor/a/b/package.json", gpl), ("vendor/n/NOTICE", "n")];
    assert_eq!(concluded(&tree, "src/x.c", ""), "concluded MIT");
    assert_eq!(concluded(&tree, "vendor/x.c", ""), "concluded MIT");
    assert_eq!(concluded(&tree, "vendor/a/x.c", ""), "concluded ISC");
    assert_eq!(concluded(&tree, "vendor/a/b/c/x.c", ""), "concluded GPL-3.0-only");
    assert_eq!(concluded(&tree, "vendor/ab/x.c", ""), "concluded MIT", "a folder of a longer name is another one");
    assert_eq!(concluded(&tree, "vendor/n/x.c", ""), "concluded MIT", "a notice is no license");
    // A text that nobody can read hides what stands above it all the same.
    let odd = [("LICENSE", mit), ("data/LICENSE", "You may not use this data to train models.")];
    assert_eq!(concluded(&odd, "data/x.txt", ""), "unparseable");
    // A prose readme that was only pointed out hides nothing.
    let readme = [("LICENSE", mit), ("data/README.md", "# D\n\n## License\n\nSee the [LICENSE](../LICENSE).\n")];
    assert_eq!(concluded(&readme, "data/x.txt", ""), "concluded MIT");
}

#[test]
fn debian_copyright_files() {
    let dep5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: 2020 A\n  2021 B\nLicense: GPL-2+\n\n\
                Files: doc/*.txt\n img/?.svg\nCopyright: 2022 C\nLicense: CC-BY-SA-4.0\n\nFiles: lib/*\nCopyright: none\nLicense: Expat or Artistic-2.0, and BSD-3-clause\n\n\
                Files: lib/odd.c\nCopyright: 2023 D\nLicense: GPL-2+ with OpenSSL exception\n\nLicense: GPL-2+\n On Debian systems, see elsewhere.\n";
    let tree = [("debian/copyright", dep5)];
    assert_eq!(concluded(&tree, "src/x.c", ""), "concluded GPL-2.0-or-later");
    assert_eq!(concluded(&tree, "doc/deep/x.txt", ""), "concluded CC-BY-SA-4.0");
    assert_eq!(concluded(&tree, "img/a.svg", ""), "concluded CC-BY-SA-4.0");
    let choice = "(MIT OR Artistic-2.0) AND BSD-3-Clause".parse::<manifests::license::Expression>().unwrap();
    assert_eq!(concluded(&tree, "lib/x.c", ""), format!("concluded {choice}"));
    assert_eq!(concluded(&tree, "lib/odd.c", ""), "unparseable");
    // The GPL's text does not say which versions; the file does.
    let with_text = [("debian/copyright", dep5), ("COPYING", text("GPL-2.0-only"))];
    assert_eq!(concluded(&with_text, "src/x.c", ""), "concluded GPL-2.0-or-later");
    // A file that says otherwise contradicts, and both sides are listed.
    let head = "# SPDX-License-Identifier: MIT\n";
    assert_eq!(concluded(&tree, "doc/x.txt", head), "contradicted");
    let free = "Copyright 2020 A\n\nThis is free software.\n";
    assert_eq!(concluded(&[("debian/copyright", free)], "x.c", ""), "none-found");
    let source = evidence(&tree);
    let copyrights: Vec<Claim> = document_claims(&document("doc/x.txt", ""), &source, None);
    assert!(copyrights.iter().any(|c| c.statement == Statement::Copyright && c.raw == "Copyright: 2022 C"));
    assert!(copyrights.iter().all(|c| c.scope == Scope::Work && c.locator.starts_with("debian/copyright:")));
}

#[test]
fn reuse_files_and_side_files() {
    let reuse = "version = 1\n\n[[annotations]]\npath = [\"docs/**\", \"*.md\"]\nSPDX-FileCopyrightText = \"2024 A\"\nSPDX-License-Identifier = \"CC-BY-4.0\"\n\n\
                 [[annotations]]\npath = \"docs/api/*.txt\"\nprecedence = \"override\"\nSPDX-License-Identifier = [\"MIT\", \"ISC\"]\n";
    let tree = [
        ("REUSE.toml", reuse),
        ("img/a.txt.license", "SPDX-FileCopyrightText: 2023 B\n\nSPDX-License-Identifier: CC0-1.0\n"),
    ];
    assert_eq!(concluded(&tree, "docs/deep/x.rst", ""), "concluded CC-BY-4.0");
    assert_eq!(concluded(&tree, "readme.md", ""), "concluded CC-BY-4.0");
    assert_eq!(concluded(&tree, "sub/readme.md", ""), "none-found", "a star stays in its folder");
    assert_eq!(concluded(&tree, "docs/api/x.txt", ""), "concluded ISC AND MIT");
    assert_eq!(concluded(&tree, "img/a.txt", ""), "concluded CC0-1.0");
    assert_eq!(concluded(&tree, "img/a.txt2", ""), "none-found");
    let tag = "# SPDX-License-Identifier: Apache-2.0\n";
    assert_eq!(concluded(&tree, "docs/x.py", tag), "concluded Apache-2.0", "closest: the file's own tag comes first");
    assert_eq!(
        concluded(&tree, "docs/api/x.txt", tag),
        "contradicted",
        "an override that differs is not taken in silence"
    );
}

#[test]
fn other_metadata() {
    let pyproject =
        |license: &str| format!("[project]\nname = \"p\"\nlicense = {license}\nauthors = [{{name = \"Ada\"}}]\n");
    assert_eq!(concluded(&[("pyproject.toml", &pyproject("\"MIT OR ISC\""))], "x.py", ""), "concluded ISC OR MIT");
    assert_eq!(concluded(&[("pyproject.toml", &pyproject("{text = \"MIT License\"}"))], "x.py", ""), "concluded MIT");
    assert_eq!(concluded(&[("pyproject.toml", &pyproject("{file = \"LICENSE\"}"))], "x.py", ""), "none-found");
    let composer = "{\"name\": \"a/b\", \"license\": [\"LGPL-2.1-only\", \"GPL-3.0-or-later\"]}";
    assert_eq!(concluded(&[("composer.json", composer)], "x.php", ""), "concluded GPL-3.0-or-later OR LGPL-2.1-only");
    let card = "---\nlanguage:\n- en\nlicense: cc-by-sa-4.0 # as upstream\n---\n# Data\n";
    assert_eq!(concluded(&[("README.md", card)], "x.jsonl", ""), "concluded CC-BY-SA-4.0");
    let list = "---\nlicense:\n  - mit\n  - cc-by-4.0\ntags: []\n---\n# Data\n";
    assert_eq!(concluded(&[("README.md", list)], "x.jsonl", ""), "concluded CC-BY-4.0 AND MIT");
    let other = "---\nlicense: other\nlicense_name: house-rules\nlicense_link: LICENSE\n---\n";
    assert_eq!(concluded(&[("README.md", other)], "x.jsonl", ""), "unparseable");
    let cff = "cff-version: 1.2.0\ntitle: D\nauthors:\n  - family-names: Lovelace\nlicense: CC-BY-4.0\n";
    assert_eq!(concluded(&[("CITATION.cff", cff)], "x.txt", ""), "concluded CC-BY-4.0");
    let claims = evidence(&[("CITATION.cff", cff), ("pyproject.toml", &pyproject("\"CC-BY-4.0\""))]).claims;
    let credits: Vec<&str> =
        claims.iter().filter(|c| c.statement == Statement::Attribution).map(|c| c.raw.as_str()).collect();
    assert_eq!(credits, [cff.trim_end(), "Author: Ada"]);
}

#[test]
fn notices_are_kept_whole() {
    let notice = "Widgets\nCopyright 2024 The Widgets Project\n\nThis product includes software by Ada.\n";
    let license = format!("Copyright 2024 The Widgets AUTHORS. See AUTHORS.\n\n{}", text("BSD-3-Clause"));
    let kept = |files: &[(&str, &str)]| -> Vec<(Statement, String)> {
        let shown = |c: &Claim| matches!(c.statement, Statement::Copyright | Statement::Attribution);
        evidence(files).claims.into_iter().filter(shown).map(|c| (c.statement, c.raw)).collect()
    };
    assert_eq!(kept(&[("NOTICE", notice)]), [(Statement::Attribution, notice.trim().to_owned())]);
    let authors = [("AUTHORS", "Ada\nGrace\n"), ("LICENSE", license.as_str())];
    let found = kept(&authors);
    assert_eq!(found[0], (Statement::Attribution, "Ada\nGrace".to_owned()), "{found:#?}");
    assert!(found.iter().any(|(s, raw)| *s == Statement::Copyright && raw.contains("The Widgets AUTHORS")));
    // A list of authors that no license refers to is not asked for.
    assert_eq!(kept(&[("AUTHORS", "Ada\n")]), []);
    // Notices of folders above count beside the nearest one's.
    let source = evidence(&[("NOTICE", notice), ("LICENSE", text("MIT")), ("vendor/NOTICE", "Vendored.")]);
    let raws: Vec<String> = source
        .above("vendor/x.c")
        .into_iter()
        .filter(|c| c.statement == Statement::Attribution)
        .map(|c| c.raw)
        .collect();
    assert_eq!(raws, ["Vendored.", notice.trim()]);
}

#[test]
fn copyright_statements_are_kept_whatever_else_their_line_says() {
    let license = "Copyright (c) 2019-2024 Ada. Use of this source is governed by a license.\nCopyright 2020 Grace\n  2021 Joan\nThe copyright notice must stay.\nCopyright [yyyy] [name]\n";
    let kept: Vec<String> = evidence(&[("LICENSE", license)])
        .claims
        .into_iter()
        .filter(|c| c.statement == Statement::Copyright)
        .map(|c| c.raw)
        .collect();
    let first = "Copyright (c) 2019-2024 Ada. Use of this source is governed by a license.";
    assert_eq!(kept, [first, "Copyright 2020 Grace", "2021 Joan"]);
    let head = "// Copyright 2024 Ada. Licensed under the MIT License.\n";
    let claims = document_claims(&document("a.c", head), &SourceClaims::default(), None);
    assert!(
        claims.iter().any(|c| c.statement == Statement::Copyright && c.raw.starts_with("Copyright 2024 Ada")),
        "{claims:#?}"
    );
}

#[test]
fn a_file_that_the_recipe_names_is_a_hint_where_its_name_says_nothing() {
    let claims = evidence(&[("COPYRIGHT", "Parts are under other terms.\n"), ("LICENSE", text("MIT"))]).claims;
    assert_eq!((claims[0].speaker, claims[0].locator.as_str()), (Speaker::Detector, "COPYRIGHT:1"), "{claims:#?}");
    assert_eq!(conclude(&claims).expression.unwrap().to_string(), "MIT");
}

#[test]
fn marks_of_a_page_wherever_they_stand() {
    let said = |html: &str| document_claims(&document("a.html", html), &SourceClaims::default(), None);
    let filler = "<p>word</p>\n".repeat(1000);
    let footer = format!(
        "{filler}<footer><a rel=\"license noopener\" href=\"https://creativecommons.org/licenses/by-nc/4.0/\">x</a> \
         <a property=\"cc:attributionName\" rel=\"cc:attributionURL\" href=\"https://example.org/ada\">Ada &amp; Co</a></footer>"
    );
    let claims = said(&footer);
    assert_eq!(conclude(&claims).expression.unwrap().to_string(), "CC-BY-NC-4.0");
    let credits: Vec<&str> =
        claims.iter().filter(|c| c.statement == Statement::Attribution).map(|c| c.raw.as_str()).collect();
    assert_eq!(credits, ["Ada & Co", "https://example.org/ada"]);
    assert!(claims.iter().all(|c| c.locator == "a.html:1001"), "{claims:#?}");
    for (html, expected) in [
        ("<span property=\"dct:license\" resource=\"https://creativecommons.org/licenses/by/4.0/\">", "CC-BY-4.0"),
        ("<meta name=\"dcterms.license\" content=\"https://creativecommons.org/publicdomain/zero/1.0/\">", "CC0-1.0"),
        ("<link itemprop=license href=https://www.apache.org/licenses/LICENSE-2.0>", "Apache-2.0"),
        (
            "<script type=\"application/ld+json\">{\"@type\": \"NewsArticle\", \"license\": \"https://creativecommons.org/licenses/by-sa/4.0/\"}</script>",
            "CC-BY-SA-4.0",
        ),
    ] {
        assert_eq!(conclude(&said(html)).expression.map(|e| e.to_string()).as_deref(), Some(expected), "{html}");
    }
    let state = |html: &str| conclude(&said(html)).state;
    // A link to a page of the site only points; a picture's license is not the text's; RSL is no license to the public.
    assert_eq!(state("<a rel=\"license\" href=\"/terms\">terms</a>"), State::NoneFound);
    let picture = "<script type=\"application/ld+json\">{\"@type\": \"ImageObject\", \"license\": \"https://creativecommons.org/licenses/by/4.0/\"}</script>";
    assert_eq!(state(picture), State::NoneFound);
    assert_eq!(state("<link rel=license type=\"application/rsl+xml\" href=\"https://e.org/l.xml\">"), State::NoneFound);
    assert_eq!(state("<a rel=license href=\"https://example.org/our-terms\">x</a>"), State::Unparseable);
    let two = "<a rel=license href=\"https://creativecommons.org/licenses/by/4.0/\">x</a><a rel=license href=\"https://creativecommons.org/licenses/by-nc/4.0/\">y</a>";
    assert_eq!(state(two), State::Contradicted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_file_of_evidence_panics(
        text in "(\\PC|[\\n:#\\[\\]\"'=<>*\\\\ -]|Files: |License: |Copyright: |Format: x/copyright-format/1.0|---\\n|license: |\\[\\[annotations\\]\\]\\n|path = |<a rel=license href=|<meta name=license content=){0,40}",
    ) {
        let names = ["debian/copyright", "REUSE.toml", "CITATION.cff", "README.md", "pyproject.toml", "composer.json", "x.license", "v/NOTICE", "AUTHORS"];
        for prefix in ["", "Format: https://x/copyright-format/1.0/\n\n", "---\n"] {
            let text = format!("{prefix}{text}");
            let source = evidence(&names.map(|name| (name, text.as_str())));
            for path in ["x", "debian/y", "v/z.html"] {
                let _ = document_claims(&document(path, &text), &source, None);
                let _ = source.above(path);
            }
        }
    }
}
