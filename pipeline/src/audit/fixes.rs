//! The way out of a denial, in one sentence for each reason: what somebody can do, and who. Never a way round.

use manifests::reason::Reason;

/// What can be done about a reason against a `kind` of artifact (`set`, `anchor` or `expert`).
pub(super) fn fix(reason: &str, kind: &str) -> &'static str {
    let Ok(reason) = reason.parse::<Reason>() else { return "ask who owns the policy" };
    match reason {
        Reason::PolicyNotInForce => "ask a policy that is in force on this day, or renew this one (two legal keys)",
        Reason::ActNotCovered => "ask a policy that is for this act",
        Reason::NoneFound => "find out what the terms are and state them in the recipe, or leave these documents out",
        Reason::Contradicted => "settle which statement holds with the source, or leave these documents out",
        Reason::Unparseable => "have a person read the words and state their meaning in the recipe",
        Reason::Pending => "have legal decide on these texts",
        Reason::ExposureUnknown => "find out what was consumed; until then only an exception admits it",
        Reason::BasisNotAllowed | Reason::BasisNotInPlace => {
            "use it where its basis holds, or obtain a license or contract"
        }
        Reason::ElectionMissing => "have legal elect a branch (`flexmix sign election`), then build again",
        Reason::UnreviewedTerms => "have legal review the license's terms; until then leave these documents out",
        Reason::CeilingExceeded => "obtain a contract for this purpose: what was taken for another stays there",
        Reason::OptedOut => "leave these documents out, or obtain a license",
        Reason::OptOutUnchecked => "look at the signal at the source and record what it says, then build again",
        Reason::DutyUndeliverable => "deliver the duty and let the policy say how, or leave these documents out",
        Reason::MixingForbidden => "choose one side, and leave the other out",
        Reason::SourceWithdrawn | Reason::WorkWithdrawn | Reason::RightsholderWithdrawn | Reason::LicenseWithdrawn => {
            "rebuild without what is withdrawn; no exception lifts a withdrawal"
        }
        Reason::UndecidedWithdrawal => "ask the set's owner whether the withdrawal touches it",
        Reason::GrantMissing => "ask the owner for a grant that covers the act, purpose, places and day",
        Reason::AssuranceTooLow => "have another party observe or replay the training",
        Reason::StampMissing => "put its stamp back, or merge without it",
        _ if kind == "set" => "use the permitted tiers alone, or an exception with owner and expiry",
        _ if kind == "anchor" => "train an anchor on tiers that the policy permits",
        _ => "leave it out, train one on tiers that the policy permits, or an exception with owner and expiry",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_out_of_a_withdrawal_is_an_exception() {
        for reason in Reason::ALL.iter().filter(|r| r.name().ends_with("withdrawal") || r.name().ends_with("withdrawn"))
        {
            for kind in ["set", "anchor", "expert"] {
                assert!(!fix(reason.name(), kind).contains("an exception with"), "{reason}");
            }
        }
    }

    #[test]
    fn a_reason_of_another_build_sends_to_the_policy_owner() {
        assert_eq!(fix("unheard-of", "set"), "ask who owns the policy");
    }
}
