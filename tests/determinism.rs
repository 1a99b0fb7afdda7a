//! The same recipe and inputs give the same bytes: on any number of threads, in any folder, and however often the
//! build was killed on the way.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{House, corpus, corpus_differences, differences, random};

/// The digest of each set's manifest.
fn digests(folder: &Path) -> Value {
    let run: Value = serde_json::from_slice(&fs::read(folder.join("run.json")).unwrap()).unwrap();
    run["manifests"].clone()
}

/// Two corpora are the same file by file.
#[track_caller]
fn assert_same(left: &Path, right: &Path) {
    assert_eq!(corpus_differences(left, right), Vec::<String>::new());
    assert_eq!(digests(left), digests(right));
    assert_eq!(digests(left).as_object().unwrap().len(), 3);
}

#[test]
fn other_threads_and_another_folder_give_the_same_bytes() {
    let house = House::copy(&corpus());
    for (folder, threads) in [("one", "1"), ("a/deeper/place", "5")] {
        let out = house.path(folder);
        house.build(&out, &["--threads", threads]).expect(0);
        assert_same(&house.corpus(), &out);
    }
}

#[test]
fn another_seed_gives_other_digests() {
    let house = House::copy(&corpus());
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    fs::write(house.path("recipe.toml"), recipe.replace("seed = 7", "seed = 8")).unwrap();
    house.build(&house.path("other"), &[]).expect(0);
    assert_ne!(digests(&house.corpus()), digests(&house.path("other")));
}

/// Waits a while, then kills the process; whether it was still running.
fn kill_after(child: &mut Child, wait: Duration) -> bool {
    sleep(wait);
    let running = child.try_wait().unwrap().is_none();
    if running {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    assert!(running || status.success(), "a resumed build ended with {status}");
    running
}

#[test]
fn killed_ten_times_and_resumed_gives_the_same_bytes() {
    let house = House::copy(&corpus());
    let started = Instant::now();
    house.build(&house.path("whole"), &["--threads", "2"]).expect(0);
    let whole = started.elapsed();
    let mut seed = 20_261_201;
    let (mut kills, mut folder) = (0, 0);
    while kills < 10 {
        let out = house.path(&format!("killed-{folder}"));
        folder += 1;
        // Each resume goes further than the last, so the waits get shorter against the whole.
        let mut build = house.start_build(&out, &["--threads", "2"]);
        loop {
            let share = 2 + random(&mut seed) % 45;
            let killed = kill_after(&mut build, whole * u32::try_from(share).unwrap() / 100);
            kills += u32::from(killed);
            if !killed || kills == 10 {
                break;
            }
            build = house.start_build(&out, &["--threads", "2", "--resume"]);
        }
        house.build(&out, &["--threads", "2", "--resume"]).expect(0);
        assert_same(&house.path("whole"), &out);
    }
    eprintln!("killed {kills} times over {folder} builds of {whole:?}");
}

#[test]
fn a_folder_in_use_is_refused_without_resume() {
    let house = House::copy(&corpus());
    let before = differences(&house.corpus(), &corpus().corpus());
    let ended = house.build(&house.corpus(), &[]).expect(2);
    assert!(ended.stderr.contains("is not empty") && ended.stderr.contains("--resume"), "{}", ended.stderr);
    assert_eq!(differences(&house.corpus(), &corpus().corpus()), before, "a refused build changes nothing");
    fs::create_dir(house.path("strange")).unwrap();
    house.write("strange/note.txt", "mine");
    house.build(&house.path("strange"), &[]).expect(2);
}
