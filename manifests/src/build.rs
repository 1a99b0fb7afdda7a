//! The contract id of this build.

/// The first 64 bits, in hex, of the digest of this crate's sources and the lock file. `flexmix` and `flexmix-torch`
/// compare it before they work together.
pub const CONTRACT: &str = env!("FLEXMIX_CONTRACT");
