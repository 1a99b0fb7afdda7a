//! The small signed records: what legal, owners, the withdrawals desk and builders say beside manifests and stamps.
//! People write them as TOML; `flexmix sign` turns them into signed statements. What they say is used by
//! [`crate::gate`]; who must sign them is [`crate::records`]' business.

macro_rules! record {
    ($name:ident, $kind:literal) => {
        impl Record for $name {
            const KIND: &'static str = $kind;
            const VERSION: u32 = 1;
        }
    };
}

mod head;
mod legal;
mod owner;
mod withdrawal;

pub use head::{Head, Release};
pub use legal::{Decision, DecisionSubject, Election, ExceptionRecord, Lift, Outcome};
pub use owner::{Grant, GrantSubject, GrantedTerms, Impact};
pub use withdrawal::{Withdrawal, WithdrawalKind, WithdrawalTarget};
