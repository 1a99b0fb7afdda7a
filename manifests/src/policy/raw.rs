//! A policy file as typed: the only serde shape, strict and with positions. [`super::Policy`] is what it means.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::file::{Act, Assurance};
use crate::claim::Signal;
use crate::date::Date;
use crate::digest::Sha256;
use crate::exposure::Kind;
use crate::license::{Expression, Family, Property};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub schema: Spanned<String>,
    pub id: Spanned<String>,
    pub version: u64,
    pub owner: Spanned<String>,
    pub valid: Spanned<RawValid>,
    pub default: Spanned<String>,
    #[serde(rename = "use")]
    pub usage: Spanned<RawUse>,
    #[serde(default)]
    pub state: RawState,
    #[serde(default)]
    pub allow: RawAllow,
    #[serde(default)]
    pub deny: RawDeny,
    #[serde(default)]
    pub or: RawOr,
    #[serde(default)]
    pub duties: BTreeMap<Spanned<String>, RawDuty>,
    #[serde(default)]
    pub optout: RawOptOut,
    pub trust: Option<RawTrust>,
    #[serde(default)]
    pub exposure: RawExposure,
    #[serde(default)]
    pub mix: Vec<Spanned<RawMix>>,
    #[serde(default)]
    pub exception: Vec<Spanned<RawException>>,
    #[serde(default)]
    pub demo: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawValid {
    pub from: Date,
    pub until: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUse {
    pub act: Act,
    pub purpose: Spanned<String>,
    pub places: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawState {
    pub none_found: Option<Spanned<String>>,
    pub contradicted: Option<Spanned<String>>,
    pub unparseable: Option<Spanned<String>>,
    pub pending: Option<Spanned<String>>,
    pub unreviewed_terms: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAllow {
    #[serde(default)]
    pub families: Vec<Spanned<Family>>,
    #[serde(default)]
    pub ids: Vec<Spanned<Expression>>,
    #[serde(default)]
    pub bases: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDeny {
    #[serde(default)]
    pub properties: Vec<Spanned<Property>>,
    #[serde(default)]
    pub any_branch: Vec<Spanned<Expression>>,
    #[serde(default)]
    pub sources: Vec<Spanned<String>>,
    #[serde(default)]
    pub rightsholders: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOr {
    #[serde(default)]
    pub elect: Vec<Spanned<Expression>>,
}

/// `"deny"`, or how the duty is delivered.
pub(super) enum RawDuty {
    Deny,
    Deliver { deliver: String, cover: Option<String> },
}

impl<'de> Deserialize<'de> for RawDuty {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            deliver: String,
            cover: Option<String>,
        }
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = RawDuty;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"deny\" or { deliver = \"…\" }")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RawDuty, E> {
                if text == "deny" {
                    Ok(RawDuty::Deny)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                }
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<RawDuty, A::Error> {
                let table = Table::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(RawDuty::Deliver { deliver: table.deliver, cover: table.cover })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOptOut {
    #[serde(default)]
    pub honour: Vec<Spanned<Signal>>,
    #[serde(default)]
    pub ends: Vec<Spanned<String>>,
    pub unchecked: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrust {
    pub assurance: Assurance,
    pub head_max_age: Spanned<String>,
    pub undecided_withdrawal: Spanned<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExposure {
    #[serde(default)]
    pub kinds: Vec<Spanned<Kind>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMix {
    pub never_together: Vec<Property>,
    pub prefer: Option<Spanned<Property>>,
    pub scope: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawException {
    pub subject: Sha256,
    pub rule: Spanned<String>,
    pub max_tokens: u64,
    pub reason: Spanned<String>,
    pub owner: Spanned<String>,
    pub expires: Date,
}
