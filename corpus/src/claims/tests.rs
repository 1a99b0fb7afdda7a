//! Claims out of evidence: each test is something that people really ship, or a way to smuggle.

use manifests::claim::{Claim, Scope, Speaker, Statement};
use manifests::conclusion::{State, conclude};
use manifests::digest::Sha256;
use proptest::prelude::*;

use super::texts::{Found, find};
use super::wording::{Terms, declared};
use super::{SourceClaims, document_claims, source_claims, urls};
use crate::document::{Context, Declared, Document};
use crate::source::EvidenceFile;

fn text(id: &str) -> &'static str {
    spdx::license_id(id).unwrap().text()
}

fn mit() -> String {
    text("MIT").replace("<year> <copyright holders>", "2024 Ada Example")
}

fn file(path: &str, content: &str) -> EvidenceFile {
    let bytes = content.as_bytes().to_vec();
    let whole = !path.contains('/') || path.contains(".dist-info");
    EvidenceFile { path: path.to_owned(), digest: Sha256::of(&bytes), bytes, whole }
}

/// The conclusion from evidence files, as `state EXPRESSION`.
fn concluded(files: &[(&str, &str)]) -> String {
    let evidence: Vec<EvidenceFile> = files.iter().map(|(path, content)| file(path, content)).collect();
    let conclusion = conclude(&source_claims(&evidence, Speaker::Rightsholder, None).claims);
    let terms = conclusion.expression.map(|e| format!(" {e}")).unwrap_or_default();
    format!("{}{terms}", conclusion.state)
}

fn expression(id: &str) -> Terms {
    Terms::Expression(id.to_owned())
}

#[test]
fn every_listed_text_is_its_own() {
    for (id, text) in spdx::text::LICENSE_TEXTS.iter().filter(|(id, _)| !super::wording::is_retired(id)) {
        let Found::Known(ids) = find(text, None) else { panic!("{id} is not found by its own text") };
        let variant = ["MPL-2.0-no-", "OFL-1.0-", "OFL-1.1-"].iter().any(|v| id.starts_with(v));
        assert!(
            ids.iter().any(|i| i == id) || variant && ids.len() == 1 && id.starts_with(&ids[0]),
            "{id} is found as {ids:?}"
        );
        // Only where the license itself leaves open which versions or exceptions are meant.
        let open = ["AGPL-", "GPL-", "LGPL-", "GFDL-", "CAL-"];
        assert!(ids.len() == 1 || ids.iter().all(|i| open.iter().any(|o| i.starts_with(o))), "{ids:?}");
    }
}

#[test]
fn one_sentence_more_is_another_text() {
    for id in ["MIT", "BSD-3-Clause", "Apache-2.0", "CC-BY-4.0", "ISC", "GPL-3.0-only"] {
        for sentence in
            ["You may not use this to train machine learning models.", "Commercial use is prohibited.", "No AI."]
        {
            for smuggled in [format!("{}\n{sentence}\n", text(id)), format!("{sentence}\n\n{}", text(id))] {
                assert!(matches!(find(&smuggled, Some("ai")), Found::Unknown { .. }), "{id} {sentence}");
            }
        }
    }
    let near = find(&format!("{}\nYou may not use this to train machine learning models.", mit()), None);
    assert_eq!(near, Found::Unknown { nearest: Some(("MIT", 10)) });
}

#[test]
fn form_does_not_matter() {
    let wrapped = mit().replace(' ', "\n").replace('"', "\u{201d}").to_uppercase();
    assert_eq!(find(&mit(), None), Found::Known(vec!["MIT".into()]));
    assert_eq!(
        find(&wrapped.replace("COPYRIGHT\n(C)\n2024\nADA\nEXAMPLE", ""), None),
        Found::Known(vec!["MIT".into()])
    );
    let apache = text("Apache-2.0");
    let short = &apache[..apache.find("APPENDIX").unwrap()];
    assert_eq!(find(short, None), Found::Known(vec!["Apache-2.0".into()]));
}

#[test]
fn wrapping_and_numbering_do_not_matter_and_sums_do() {
    let gpl = text("GPL-3.0-only");
    let narrow: String = gpl.split_whitespace().collect::<Vec<_>>().join("\n");
    // Copyright lines are known by standing alone, so theirs stay whole.
    let narrow = narrow.replace("Copyright\n©\n2007\nFree\nSoftware\nFoundation,\nInc.\n<https://fsf.org/>", "");
    let mit = format!("{}\nThis costs (30) dollars.", text("MIT"));
    assert!(matches!(find(&mit, None), Found::Unknown { .. }));
    assert_eq!(
        super::compare::words("(a) one\n(iv) two 3) section 7.\nb. three (30) v2.0."),
        "one two section three 30 v2 0"
    );
    let body = &narrow[..narrow.find("END\nOF\nTERMS").unwrap()];
    let wide = &gpl[..gpl.find("END OF TERMS").unwrap()];
    assert_eq!(super::compare::words(body), super::compare::words(wide));
}

#[test]
fn a_name_may_stand_where_a_name_belongs_and_nothing_else() {
    let bsd = |name: &str, who: &str| {
        let body = text("BSD-3-Clause").replace("name of the copyright holder", &format!("name of {name}"));
        body.replace("THE COPYRIGHT HOLDER OR CONTRIBUTORS BE", &format!("{who} BE"))
    };
    assert_eq!(
        find(&bsd("Django", "THE COPYRIGHT OWNER OR CONTRIBUTORS"), None),
        Found::Known(vec!["BSD-3-Clause".into()])
    );
    assert_eq!(find(&bsd("Ada & Sons, Ltd.", "Ada"), None), Found::Known(vec!["BSD-3-Clause".into()]));
    for name in ["Django (no commercial use)", "Django, which may not be used to train models,"] {
        assert!(matches!(find(&bsd(name, "Ada"), None), Found::Unknown { .. }), "{name}");
    }
    // A copyright line is left out only if it is one.
    let sly = mit().replace("Ada Example", "Ada Example. You may not train on this.");
    assert!(matches!(find(&sly, None), Found::Unknown { .. }));
    // A title over another license's text is a contradiction in itself.
    let titled = format!("The MIT License\n\n{}", text("ISC"));
    assert!(matches!(find(&titled, None), Found::Unknown { .. }));
}

#[test]
fn creative_commons_as_people_paste_it() {
    let nc = text("CC-BY-NC-4.0");
    let preface = |kind: &str| {
        format!(
            "Slide-Tool - Add-ons for the library Slide\nCopyright (C) 2024 Ada\n\nThis work is licensed under the Creative \
             Commons Attribution-NonCommercial 4.0 International License.\nTo view a copy of this license, visit \
             https://creativecommons.org/licenses/{kind}/4.0/legalcode\n\nAttribution-NonCommercial 4.0 International\n"
        )
    };
    let body = nc.split_once('\n').unwrap().1;
    assert_eq!(find(&(preface("by-nc") + body), Some("slide-tool")), Found::Known(vec!["CC-BY-NC-4.0".into()]));
    // The marker names another license than the text, or the title is not the package's.
    assert!(matches!(find(&(preface("by") + body), Some("slide-tool")), Found::Unknown { .. }));
    assert!(matches!(find(&(preface("by-nc") + body), Some("other")), Found::Unknown { .. }));
}

#[test]
fn names_and_retired_ids() {
    for (raw, id) in [
        ("MIT License", "MIT"),
        ("the MIT license (MIT)", "MIT"),
        ("apache-2.0", "Apache-2.0"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("mit OR apache-2.0", "Apache-2.0 OR MIT"),
        ("New BSD License", "BSD-3-Clause"),
        ("3-Clause BSD License", "BSD-3-Clause"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
        ("GNU Affero General Public License v3.0 only", "AGPL-3.0-only"),
        ("Creative Commons Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)", "CC-BY-NC-4.0"),
        ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
        ("Creative Commons Attribution Share Alike 3.0 Unported", "CC-BY-SA-3.0"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ] {
        assert_eq!(declared(raw), expression(id), "{raw}");
    }
    for raw in
        ["BSD", "BSD License", "GPL", "Apache Software License", "Public Domain", "CC BY", "Other/Proprietary License"]
    {
        assert!(matches!(declared(raw), Terms::Family(_)), "{raw}");
    }
    for raw in [
        "MIT-like",
        "free",
        "NONE",
        "Apache 3.0",
        "CC BY 4.5",
        "GPL-3.0-with-GCC-exception",
        "MIT License but not for AI",
        "СC-BY-4.0",
        "Creative Commons Attribution 4.0 International (CC BY-NC 4.0)",
        "https://github.com/a/b/blob/main/LICENSE.md",
    ] {
        assert_eq!(declared(raw), Terms::Unreadable, "{raw}");
    }
}

#[test]
fn record_fields_in_every_shape() {
    for (raw, id) in [
        ("Creative Commons - Attribution - https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        (
            "Creative Commons - Attribution Share-Alike - https://creativecommons.org/licenses/by-sa/2.5/",
            "CC-BY-SA-2.5",
        ),
        ("Creative Commons Zero - Public Domain - https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("[\"MIT\", \"CC-BY-4.0\"]", "CC-BY-4.0 AND MIT"),
        ("MIT,Apache-2.0", "Apache-2.0 AND MIT"),
        ("http://creativecommons.org/licenses/by/3.0/us/", "CC-BY-3.0-US"),
        ("https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"),
    ] {
        assert_eq!(declared(raw), expression(id), "{raw}");
    }
    for raw in [
        // The prose takes away what the address gives.
        "Creative Commons Attribution NonCommercial https://creativecommons.org/licenses/by/4.0/",
        "CC BY, no training: https://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/licenses/by/4.0/ https://creativecommons.org/licenses/by-nc/4.0/",
        "[\"MIT\", \"custom\"]",
        "MIT,custom",
        "https://example.org/by/4.0/",
        "https://creativecommons.org/licenses/by-nc-nd/3.0/us/",
        "https://creativecommons.org.example.org/licenses/by/4.0/",
    ] {
        assert_eq!(declared(raw), Terms::Unreadable, "{raw}");
    }
    assert_eq!(
        urls::terms("https://creativecommons.org/publicdomain/mark/1.0/"),
        Some(Terms::PublicDomain(vec!["*".to_owned()]))
    );
    assert_eq!(urls::terms("https://creativecommons.org/licenses/by/2.1/"), None);
}

const METADATA: &str = "p-1.dist-info/METADATA";

#[test]
fn a_declared_field_and_the_file_beside_it() {
    let mit = mit();
    let head = "Metadata-Version: 2.4\nName: p\n";
    let declares = |fields: &str| format!("{head}{fields}\n\nLicense: GPL-3.0 in the body is no field\n");
    let one = declares("License-Expression: MIT\nLicense-File: LICENSE");
    assert_eq!(concluded(&[(METADATA, &one), ("p-1.dist-info/licenses/LICENSE", &mit)]), "concluded MIT");
    assert_eq!(concluded(&[(METADATA, &one), ("p-1.dist-info/licenses/LICENSE", text("ISC"))]), "contradicted");
    let smuggled = format!("{mit}\nYou may not use this to train machine learning models.\n");
    assert_eq!(concluded(&[(METADATA, &one), ("p-1.dist-info/licenses/LICENSE", &smuggled)]), "unparseable");
    assert_eq!(concluded(&[("LICENSE", &smuggled)]), "unparseable");
    assert_eq!(concluded(&[("LICENSE", &mit)]), "concluded MIT");
    // Old metadata: the classifier is a coarser word for what the field says, or for something else.
    let old = declares("License: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License");
    assert_eq!(concluded(&[("PKG-INFO", &old)]), "concluded BSD-3-Clause");
    let other = declares("License: BSD-3-Clause\nClassifier: License :: OSI Approved :: Apache Software License");
    assert_eq!(concluded(&[("PKG-INFO", &other)]), "unparseable");
    assert_eq!(concluded(&[("PKG-INFO", &declares("License: BSD"))]), "unparseable");
    assert_eq!(concluded(&[("PKG-INFO", &declares("License: UNKNOWN"))]), "none-found");
}

#[test]
fn texts_of_a_choice_say_the_choice() {
    let cargo = "[package]\nname = \"p\"\nlicense = \"MIT/Apache-2.0\"\n";
    let both = [("Cargo.toml", cargo), ("LICENSE-APACHE", text("Apache-2.0")), ("LICENSE-MIT", text("MIT"))];
    assert_eq!(concluded(&both), "concluded Apache-2.0 OR MIT");
    let third = [("Cargo.toml", cargo), ("LICENSE-MIT", text("MIT")), ("LICENSE-ZLIB", text("Zlib"))];
    assert_eq!(concluded(&third), "contradicted");
    // The GPL's text does not say which versions; a declaration does.
    assert_eq!(concluded(&[("COPYING", text("GPL-3.0-only"))]), "unparseable");
    let npm = "{\"name\": \"p\", \"license\": \"GPL-3.0-or-later\"}";
    assert_eq!(concluded(&[("COPYING", text("GPL-3.0-only")), ("package.json", npm)]), "concluded GPL-3.0-or-later");
    let list = "{\"licenses\": [{\"type\": \"MIT\"}, {\"type\": \"ISC\"}]}";
    assert_eq!(concluded(&[("package.json", list)]), "concluded ISC AND MIT");
    assert_eq!(concluded(&[("package.json", "{\"license\": \"SEE LICENSE IN TERMS.txt\"}")]), "none-found");
}

#[test]
fn an_own_license_is_read_only_where_the_metadata_names_its_text() {
    let own = "Software License for The Channel Model\n\nOnly for research.\n";
    let named = "Name: q\nLicense-Expression: LicenseRef-Channel\nLicense-File: LICENSE-Q.txt\nLicense-File: NOTICE\n";
    let files = [
        (METADATA, named),
        ("p-1.dist-info/licenses/LICENSE-Q.txt", own),
        ("p-1.dist-info/licenses/NOTICE", "Required Notice: by Q\n"),
    ];
    assert_eq!(concluded(&files), "concluded LicenseRef-Channel");
    let unnamed = "Name: q\nLicense-Expression: LicenseRef-Channel\n";
    assert_eq!(concluded(&[(METADATA, unnamed), ("p-1.dist-info/licenses/LICENSE-Q.txt", own)]), "unparseable");
    let listed = "Name: q\nLicense-Expression: MIT\nLicense-File: LICENSE-Q.txt\n";
    assert_eq!(concluded(&[(METADATA, listed), ("p-1.dist-info/licenses/LICENSE-Q.txt", own)]), "unparseable");
}

#[test]
fn readmes_speak_when_they_name_one_license() {
    let claims = |readme: &str| source_claims(&[file("README.md", readme)], Speaker::Source, None).claims;
    let said = claims("# P\n\n## License\n\nThis project is licensed under the [MIT License](LICENSE).\n");
    assert_eq!(said.len(), 1);
    assert_eq!(
        (said[0].locator.as_str(), &said[0].statement),
        ("README.md:5", &Statement::License { expression: Some("MIT".into()) })
    );
    // Prose that we can't read, or that only points, is listed and decides nothing.
    for prose in ["See [LICENSE](LICENSE).", "Licensed under the MIT License with an addition for section 1(k)."] {
        let said = claims(&format!("License\n=======\n\n{prose}\n"));
        assert_eq!(said[0].speaker, Speaker::Detector, "{prose}");
        assert_eq!(conclude(&said).state, State::NoneFound);
    }
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
            page: None,
            url: None,
            headers: None,
            license: None,
            copyright: None,
            attributions: vec![],
        },
    }
}

fn on(head: &str) -> Vec<Claim> {
    document_claims(&document("a/b", head), &SourceClaims::default(), None)
}

fn licenses(claims: &[Claim]) -> Vec<(Speaker, Option<&str>, &str)> {
    let license = |c: &'_ Claim| matches!(c.statement, Statement::License { .. });
    let listed = claims.iter().filter(|c| license(c));
    listed
        .map(|c| {
            let Statement::License { expression } = &c.statement else { unreachable!() };
            (c.speaker, expression.as_deref(), c.locator.as_str())
        })
        .collect()
}

#[test]
fn headers() {
    use Speaker::{Detector, Rightsholder};
    let tagged = "#!/bin/sh\n# SPDX-FileCopyrightText: 2024 Ada\n# SPDX-License-Identifier: mit OR Apache-2.0\necho\n";
    assert_eq!(licenses(&on(tagged)), [(Rightsholder, Some("Apache-2.0 OR MIT"), "a/b:3")]);
    assert!(on(tagged).iter().any(|c| c.statement == Statement::Copyright && c.raw.ends_with("2024 Ada")));
    assert!(on(tagged).iter().all(|c| c.scope == Scope::Work));
    assert_eq!(licenses(&on("/* SPDX-License-Identifier: custom */\n")), [(Rightsholder, None, "a/b:1")]);
    // Program text that mentions the tag is not tagged.
    assert_eq!(licenses(&on("print(\"SPDX-License-Identifier: MIT\")\n")), []);
    let apache =
        "// Licensed under the Apache License, Version 2.0 (the \"License\");\n// you may not use this file except\n";
    assert_eq!(licenses(&on(apache)), [(Rightsholder, Some("Apache-2.0"), "a/b:1")]);
    let pointing = "# Licensed under the same terms as the package. See LICENSE for details.\n";
    assert_eq!(licenses(&on(pointing)), [(Detector, None, "a/b:1")]);
    let odd = "# Licensed under the Example License; non-commercial use only.\n";
    assert_eq!(licenses(&on(odd)), [(Rightsholder, None, "a/b:1")]);
    let asf = "/*\n * The ASF licenses this file\n * to you under the Apache License, Version 2.0 (the\n * \"License\"); you may not\n */\n";
    assert_eq!(licenses(&on(asf)), [(Rightsholder, Some("Apache-2.0"), "a/b:2")]);
    for (notice, id) in [
        ("either version 3 of the License, or\n# (at your option) any later version.", Some("GPL-3.0-or-later")),
        ("version 2 of\n# the License.", Some("GPL-2.0-only")),
        ("see COPYING.", None),
    ] {
        let head = format!(
            "# This is free software: you can redistribute it under the terms of\n# the GNU General Public License as published by\n# the Free Software Foundation, {notice}\n"
        );
        assert_eq!(licenses(&on(&head)), [(Rightsholder, id, "a/b:2")], "{head}");
    }
    let dedicated = on(":Copyright: This document has been placed in the public domain.\n");
    assert_eq!(dedicated[0].statement, Statement::PublicDomain { places: vec!["US".into()] });
}

#[test]
fn a_header_may_name_the_packages_own_license() {
    let metadata = "Name: q\nLicense-Expression: LicenseRef-Channel\nLicense-File: LICENSE-Q.txt\n";
    let evidence = [
        file(METADATA, metadata),
        file("p-1.dist-info/LICENSE-Q.txt", "Software License for The Channel Model\nText\n"),
    ];
    let source = source_claims(&evidence, Speaker::Rightsholder, None);
    let head =
        "# Licensed under the Software License for The Channel Model; non-commercial\n# use only. See LICENSE-Q.txt.\n";
    let claims = document_claims(&document("q/a.py", head), &source, None);
    assert_eq!(licenses(&claims), [(Speaker::Rightsholder, Some("LicenseRef-Channel"), "q/a.py:1")]);
}

#[test]
fn marked_links_and_record_fields() {
    let html = "<p>see https://creativecommons.org/licenses/by/4.0/</p>\n<a rel=\"license\" href=\"https://creativecommons.org/licenses/by-nc/4.0/\">x</a>";
    let said = on(html);
    let found = licenses(&said);
    assert_eq!(found[0], (Speaker::Source, Some("CC-BY-NC-4.0"), "a/b:2"));
    assert_eq!(found[1], (Speaker::Detector, Some("CC-BY-4.0"), "a/b:1"));
    let jats = "<permissions><license license-type=\"open\" xlink:href=\"http://creativecommons.org/licenses/by/2.0\"><p>text</p></license>";
    assert_eq!(licenses(&on(jats)), [(Speaker::Source, Some("CC-BY-2.0"), "a/b:1")]);
    let mut record = document("r.jsonl", "{}");
    record.context.license =
        Some(Declared { raw: "MIT,custom".into(), speaker: Speaker::Aggregator, locator: "r.jsonl#0/license".into() });
    assert_eq!(
        licenses(&document_claims(&record, &SourceClaims::default(), None)),
        [(Speaker::Aggregator, None, "r.jsonl#0/license")]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is inserted into a text, as long as it has a word, makes it another text (the slot for a name aside).
    #[test]
    fn nothing_can_be_slipped_in(at in 0usize..10_000, word in "[a-z]{2,12}( [a-z]{2,12}){0,5}") {
        let mit = mit();
        let (permission, slot, after) = (mit.find("Permission").unwrap(), mit.find("IN NO").unwrap(), mit.find("LIABLE").unwrap());
        let outside = |i: &usize| (permission..slot).contains(i) || *i > after;
        let spaces: Vec<usize> = mit.match_indices(' ').map(|(i, _)| i).filter(outside).collect();
        let at = spaces[at % spaces.len()];
        let smuggled = format!("{} {word}{}", &mit[..at], &mit[at..]);
        prop_assert!(matches!(find(&smuggled, None), Found::Unknown { .. }), "{}", smuggled);
    }

    #[test]
    fn fields_never_panic(raw in "\\PC{0,80}|[a-z():/.,+\\[\\]\" -]{0,60}|https?://creativecommons.org/[a-z0-9./-]{0,30}") {
        if let Terms::Expression(text) = declared(&raw) {
            prop_assert_eq!(text.parse::<manifests::license::Expression>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn heads_never_panic(head in "(\\PC|[\\n#:/<> ]|Licensed under |SPDX-License-Identifier: |<a rel=\"license\" |http://|Copyright ){0,40}") {
        let _ = on(&head);
        let _ = source_claims(&[file("README", &head), file("LICENSE", &head), file("METADATA", &head)], Speaker::Source, None);
    }
}
