//! Tests of the whole: the real programs, run as processes on a small committed corpus, held to what flexmix promises.
//! One module for each promise. The programs' paths come from the environment variables FLEXMIX and FLEXMIX_TORCH
//! (`make test-whole` sets them); without them the tests fail and say so. Knows no crate of ours but the contract.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on stops, and says where it is")]

mod attacks;
mod audit;
mod cli;
mod closed;
mod determinism;
mod edges;
mod erasure;
mod ingest;
mod interchange;
mod licenses;
mod mixing;
mod objects;
mod optouts;
mod policy;
mod policy_reports;
mod proofs;
mod ranks;
mod readers;
mod rules;
mod seeing;
mod signing;
mod slices;
mod support;
mod tamper;
mod tidy;
mod training;
mod trust;
mod vocabulary;
mod withdrawal;
