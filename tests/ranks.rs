//! Several processes over one folder give the bytes of one process, also when one of them is killed and started again;
//! processes that were started differently say so instead of waiting for ever.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{House, corpus, corpus_differences};

fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap()
}

/// Starts rank `rank` of `world`.
fn start(house: &House, out: &Path, rank: usize, world: usize) -> Child {
    let (rank, world) = (rank.to_string(), world.to_string());
    house.start_build(out, &["--threads", "1", "--rank", &rank, "--world", &world])
}

/// Waits for a process, but not for ever.
#[track_caller]
fn ends_well(child: &mut Child) {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(300) {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "a rank ended with {status}");
            return;
        }
        sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    panic!("a rank waits for ever");
}

#[track_caller]
fn assert_same(left: &Path, right: &Path) {
    assert_eq!(corpus_differences(left, right), Vec::<String>::new());
}

#[test]
fn three_ranks_one_killed_and_restarted_give_the_bytes_of_one_process() {
    let house = House::copy(&corpus());
    let out = house.path("together");
    let mut others = [start(&house, &out, 2, 3), start(&house, &out, 0, 3)];
    // Rank 1 begins, is killed as soon as it has committed something, and begins again with the same words.
    let mut killed = start(&house, &out, 1, 3);
    let committed = out.join("work/read/00001.commit.json");
    let started = Instant::now();
    while !is_there(&committed) && killed.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(300), "rank 1 committed nothing");
        sleep(Duration::from_millis(2));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!is_there(&out.join("run.json")), "nothing is published while a rank is away");
    sleep(Duration::from_millis(500));
    assert!(others.iter_mut().all(|rank| rank.try_wait().unwrap().is_none()), "the others wait for it");
    let mut again = start(&house, &out, 1, 3);
    ends_well(&mut again);
    others.iter_mut().for_each(ends_well);
    assert_same(&house.corpus(), &out);
    assert!(!is_there(&out.join("work")), "the one that leads clears up");
}

#[test]
fn ranks_that_were_started_differently_are_refused() {
    let house = House::copy(&corpus());
    let out = house.path("differently");
    let mut first = start(&house, &out, 1, 3);
    let started = Instant::now();
    while !is_there(&out.join("work/build.json")) {
        assert!(started.elapsed() < Duration::from_secs(300), "rank 1 began nothing");
        sleep(Duration::from_millis(5));
    }
    let ended = house.build(&out, &["--rank", "0", "--world", "2"]).expect(2);
    assert!(ended.stderr.contains("a build by 3 processes, and this is one of 2"), "{}", ended.stderr);
    let recipe = fs::read_to_string(house.path("recipe.toml")).unwrap();
    fs::write(house.path("recipe.toml"), recipe.replace("seed = 7", "seed = 8")).unwrap();
    let ended = house.build(&out, &["--rank", "0", "--world", "3"]).expect(2);
    assert!(ended.stderr.contains("a build of another recipe"), "{}", ended.stderr);
    first.kill().unwrap();
    first.wait().unwrap();
    let ended = house.build(&house.path("none"), &["--rank", "3", "--world", "3"]).expect(2);
    assert!(ended.stderr.contains("there is no rank 3 among 3"), "{}", ended.stderr);
    house.build(&house.path("none"), &["--world", "3"]).expect(2);
}
