//! Addresses become stores and paths; what is asked of them is tested in `tests/`, against servers.

use super::store::{split, store};

#[test]
fn addresses_are_split_at_their_host() {
    let check = |address: &str, root: &str, path: &str| {
        let (found, rest) = split(address).unwrap();
        assert_eq!((found, rest.as_ref()), (root, path), "{address}");
    };
    check("s3://bucket/a/b c.jsonl", "s3://bucket", "a/b c.jsonl");
    check("s3://bucket/", "s3://bucket", "");
    check("gs://bucket/a/", "gs://bucket", "a");
    check("az://container/a/b", "az://container", "a/b");
    check("https://host.example:8443/a/b%20c.gz", "https://host.example:8443", "a/b c.gz");
}

#[test]
fn a_single_host_is_a_store_of_its_own() {
    assert!(store("https://host.example").is_ok());
    assert!(store("s3://bucket").unwrap().to_string().contains("bucket"));
    assert!(store("gs://bucket").unwrap().to_string().contains("bucket"));
}
