//! `flexmix license identify`: names what is nothing but listed texts, and shows people where anything else parts.

use std::path::{Path, PathBuf};

use crate::support::flexmix;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/tests/golden/license-texts")
}

#[test]
fn a_file_is_named_or_needs_a_decision() {
    let house = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = house.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let expected = std::fs::read_to_string(golden().join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
    let (name, _) = expected
        .as_object()
        .unwrap()
        .iter()
        .find(|(_, e)| e["class"] == "agree exactly" && e["scancode"] == "MIT")
        .unwrap();
    let mit = std::fs::read_to_string(golden().join(format!("{name}.txt"))).unwrap();
    let plain = write("LICENSE", &mit);
    let more = write("LICENSE-AI", &format!("{mit}\nYou may not use this to train machine learning models.\n"));
    let said = flexmix(["license", "identify", &plain]).expect(0).stdout;
    assert_eq!(said, format!("{plain}: exactly the text of MIT (terms: notice)\n"));
    let said = flexmix(["license", "identify", &more]).expect(1).stdout;
    assert!(said.contains("a decision is needed") && said.contains("nearest is MIT"), "{said}");
    assert!(said.contains("+ you may not use this to train machine learning models"), "{said}");
    let json = flexmix(["license", "identify", "--format", "json", &plain, &more]).expect(1).json();
    assert_eq!(json["schema"], "flexmix/license-report/v1");
    assert_eq!(json["files"][0]["expression"], "MIT");
    assert_eq!(json["files"][1]["verdict"], "decision-needed");
    assert_eq!(json["files"][1]["nearest"]["id"], "MIT");
    flexmix(["license", "identify", "/nonexistent/LICENSE"]).expect(3);
    flexmix(["license", "identify"]).expect(2);
}
