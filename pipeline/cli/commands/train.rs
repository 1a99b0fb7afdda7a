//! `flexmix train plan` and `flexmix train launch`.

use manifests::plan::Plan;
use manifests::store::write_atomic;
use pipeline::audit::thousands;
use pipeline::outlook::Outlook;
use pipeline::sizes::Sizes;
use pipeline::train_plan::{self, PlanOptions};
use serde::Serialize;

use crate::args::{LaunchArgs, PlanArgs};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::{Output, grid};
use crate::settings::GateSettings;

pub(super) fn plan(args: &PlanArgs, output: &Output) -> Outcome<Exit> {
    let settings = GateSettings::resolve(&args.gate, &args.dir);
    let options = PlanOptions {
        corpus: args.dir.clone(),
        policies: args.policies.clone(),
        trust: settings.trust,
        records: settings.records,
        as_of: settings.as_of,
        memory: settings.memory,
        out: args.out.clone(),
        max_experts: args.max_experts.map(u32::from),
        sizes: args.sizes.as_deref().map(Sizes::read).transpose()?.unwrap_or_default(),
    };
    let (plan, corpus) = train_plan::plan(&options)?;
    let toml = plan.to_toml()?;
    if let Some(folder) = args.out.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| pipeline::Error::io(folder, e))?;
    }
    write_atomic(&args.out, toml.as_bytes())?;
    output.say(&format!("wrote {}", args.out.display()));
    let report = PlanReport { schema: "flexmix/plan-report/v1", plan: &plan, corpus: &corpus };
    output.report(args.format, &report, |r| text(r.plan) + &whole(r.corpus))?;
    Ok(Exit::Done)
}

/// The plan, as programs read it.
#[derive(Serialize)]
struct PlanReport<'a> {
    schema: &'static str,
    plan: &'a Plan,
    /// What each policy leaves of the whole corpus, in the order of `plan.outlook`.
    corpus: &'a [Outlook],
}

/// What each policy leaves of the whole corpus, however it is cut into experts, and set by set.
fn whole(all: &[Outlook]) -> String {
    let mut text = String::new();
    for outlook in all {
        text += &format!("\nthe whole corpus under {}\n", outlook.policy);
        text += &format!("  one expert for each set:           {} usable\n", outlook.by_set.in_words());
        text += &format!("  one expert for each set and tier:  {} usable\n", outlook.by_set_and_tier.in_words());
        let rows = outlook.sets.iter().map(|s| {
            vec![
                s.set.clone(),
                thousands(s.of_tokens),
                thousands(s.by_set),
                thousands(s.by_tier),
                format!("{} of {}", s.tiers, s.of_tiers),
                s.reason.clone().unwrap_or_default(),
            ]
        });
        let names = ["set", "tokens", "usable by set", "by set and tier", "usable tiers", "against the whole set"];
        let names: Vec<String> = names.map(str::to_owned).into();
        text += &grid(&names, &rows.collect::<Vec<_>>(), &[false, true, true, true, true, false]);
    }
    text
}

/// The experts, what is left out, and what each policy would leave.
fn text(plan: &Plan) -> String {
    let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let anchor = &plan.anchor;
    let mut text = format!(
        "anchor on `{}`, {} tokens, tiers {}\n\n",
        anchor.set,
        thousands(anchor.tokens),
        anchor.tiers.join(", ")
    );
    let experts = plan.experts.iter().map(|e| {
        vec![
            e.id.to_string(),
            e.set.to_string(),
            thousands(e.available),
            thousands(e.tokens),
            thousands(e.public_tokens),
            e.tiers.join(", "),
        ]
    });
    let names = owned(&["expert", "set", "available", "own tokens", "public tokens", "tiers"]);
    text += &grid(&names, &experts.collect::<Vec<_>>(), &[false, false, true, true, true, false]);
    if !plan.left_out.is_empty() {
        let left = plan
            .left_out
            .iter()
            .map(|l| vec![l.set.to_string(), thousands(l.tokens), l.reason.clone(), l.tier.clone()]);
        let names = owned(&["left out", "tokens", "why", "tier"]);
        text += &format!("\n{}", grid(&names, &left.collect::<Vec<_>>(), &[false, true, false, false]));
    }
    for outlook in &plan.outlook {
        let usable: Vec<String> = outlook.usable.iter().map(ToString::to_string).collect();
        let share = format!("{}.{}%", outlook.usable_ppm / 10_000, outlook.usable_ppm / 1_000 % 10);
        text +=
            &format!("\nunder {}: {share} of planned tokens usable; {}", outlook.policy, list(&usable, "no expert"));
        match &outlook.anchor_denied {
            Some(reason) => text += &format!("; the anchor is denied ({reason}), so nothing would run"),
            None => text += &format!("; excluded: {}", list(&outlook.excluded, "none")),
        }
    }
    text + "\n"
}

fn list(items: &[String], none: &str) -> String {
    if items.is_empty() { none.to_owned() } else { items.join(", ") }
}

pub(super) fn launch(args: &LaunchArgs, output: &Output) -> Outcome<Exit> {
    let torch = super::torch::find()?;
    let progress = crate::progress::listener(output);
    let code = pipeline::launch::launch(&torch, &args.plan, &args.arguments, args.jobs.get(), progress.as_ref())?;
    Ok(Exit::of_child(code))
}
