//! One source of many slices: the same bytes on any number of threads, and a reading that was killed in its middle goes
//! on at what it had committed.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{House, corpus, corpus_differences, random};

/// A house with a source of 10,000 records, which are three slices, and two files that are two parts.
fn house() -> House {
    let house = House::copy(&corpus());
    house.bring_inputs();
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    let source = "\n[[source]]\nid = \"many\"\nset = \"public\"\ntitle = \"Many\"\naccess = \"public\"\nread_at = 2026-11-24\n\
                  objects = [\"many/a.jsonl\", \"many/b.jsonl\"]\nformat = \"jsonl\"\nlicense_field = \"license\"\n\
                  license_speaker = \"source\"\nattribution_fields = [\"by\", \"nobody\"]\n";
    house.write("recipe.toml", &(recipe + source));
    let mut seed = 20_261_125;
    for (name, count) in [("many/a.jsonl", 10_000), ("many/b.jsonl", 50)] {
        let mut text = String::new();
        for n in 0..count {
            let by = if n == 9_000 { "\"by\": \"Ada\", " } else { "" };
            let words = [(); 24].map(|()| format!("{:x}", random(&mut seed) % 5_000)).join(" ");
            writeln!(text, "{{{by}\"id\": \"{name}-{n}\", \"text\": \"{words}\", \"license\": \"CC0-1.0\"}}").unwrap();
        }
        house.write(&format!("inputs/{name}"), &text);
    }
    house
}

/// The slices that are committed in a build's work folder.
fn slices(out: &Path) -> usize {
    let Ok(files) = fs::read_dir(out.join("work/read")) else { return 0 };
    let names = files.filter_map(|file| file.unwrap().file_name().into_string().ok());
    names.filter(|name| name.len() == "00000-00000-00000.commit.json".len() && name.ends_with(".commit.json")).count()
}

#[test]
fn a_killed_reading_goes_on_at_its_last_slice_and_threads_do_not_show() {
    let house = house();
    let whole = house.path("whole");
    let told = house.build(&whole, &["--threads", "3"]).expect(0);
    assert!(told.stderr.contains("no record says anything in the field `nobody`"), "{}", told.stderr);
    assert!(!told.stderr.contains("the field `by`"), "{}", told.stderr);
    assert_eq!(house.number(&whole, "SELECT count(*) FROM ledger WHERE source = 'many'"), 10_050);
    house.build(&house.path("one"), &["--threads", "1"]).expect(0);
    assert_eq!(corpus_differences(&whole, &house.path("one")), Vec::<String>::new());

    let killed = house.path("killed");
    let mut build = house.start_build(&killed, &["--threads", "2"]);
    let started = Instant::now();
    let alone = fs::read_dir(super::support::fixture().join("inputs")).unwrap().count();
    while slices(&killed) < alone + 2 && build.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(120), "no slice is committed");
        sleep(Duration::from_millis(1));
    }
    build.kill().unwrap();
    build.wait().unwrap();
    let before = slices(&killed);
    let resumed = house.build_in(&killed, &["--threads", "2", "--resume"], &[("RUST_LOG", "pipeline=debug")]).expect(0);
    let said = |what: &str| resumed.stderr.lines().filter(|l| l.contains(what) && l.contains("piece=")).count();
    // What a source that is done committed is not looked at again; of the others nothing is parsed twice.
    assert!(said("done before") > 0 && said("done before") <= before, "{before} slices: {}", resumed.stderr);
    assert_eq!(corpus_differences(&whole, &killed), Vec::<String>::new());
}
