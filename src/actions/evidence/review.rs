//! What a review says of the evidence while somebody reads it: what speaks against each dangerous step, and what is
//! still looked at.
//!
//! It deliberately clears nothing: all of it is asked again right before the request.

use super::{Facts, Ground, Inquiry, Objection, Speech, clear};
use crate::actions::others::Stage;
use crate::actions::preflight::{Check, Verdict};
use crate::actions::{Answers, Plan, Sight};
use crate::cluster::ObjectRef;

/// The evidence for every dangerous step of a plan, as far as is known while somebody reads the review. What is only
/// not fresh is no objection there: all of it is read again right before the request.
pub fn checks(plan: &Plan, answers: &Answers, sight: &Sight<'_>) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    let mut say = |check: Check| {
        if !checks.contains(&check) {
            checks.push(check);
        }
    };
    for what in plan.dangerous() {
        let inquiry = what.node().and_then(|node| answers.inquiry(node));
        let is_looked_at = inquiry.is_none_or(Inquiry::is_done);
        let facts = Facts::gather(what, inquiry, &plan.deaths(what), sight);
        for other in facts.others.iter().filter(|other| other.stage == Stage::Armed) {
            let reason = format!("somebody else may begin on it at any moment: {}", other.sentence());
            let remedy = "pause it, or let it; two must not act at once";
            say(Check::new(Verdict::Warn, reason).remedy(remedy).about(what.object()));
        }
        let objections = clear(&facts).err().unwrap_or_default();
        for objection in &objections {
            let Objection { ground, reason, remedy, is_open } = objection;
            match ground {
                // The review asks for rights on its own.
                Ground::Rights | Ground::Picture => {}
                // Told as one, below.
                Ground::Node | Ground::Lease | Ground::Log | Ground::Probe if *is_open => {}
                Ground::Leader if *is_open && !is_looked_at => {}
                _ if *is_open => say(Check::open(format!("{reason}: {remedy}")).about(what.object())),
                _ => say(Check::new(Verdict::Block, reason).remedy(remedy).about(what.object())),
            }
        }
        let Some((node, inquiry)) = what.node().zip(inquiry) else { continue };
        let is_contested = objections.iter().any(|objection| {
            let ground = objection.ground;
            !objection.is_open && matches!(ground, Ground::Node | Ground::Lease | Ground::Log | Ground::Probe)
        });
        if !is_contested && is_looked_at {
            say(Check::new(Verdict::Ok, silence(node, &facts)).about(node));
        } else if !is_contested {
            let when = inquiry.next_read().map_or_else(
                || " now".to_owned(),
                |at| format!(" in {} s", at.duration_since(sight.now).as_secs().max(0)),
            );
            let rest = "then the node, a pod's log, and who leads";
            say(Check::open(format!("the lease of {} is read again{when}; {rest}", node.name)).about(node));
        }
    }
    checks
}

/// What all that was asked has told of a machine that says nothing.
fn silence(node: &ObjectRef, facts: &Facts) -> String {
    let lease = facts.leases.as_ref().map_or_else(String::new, |(first, last)| {
        let apart = last.asked.saturating_sub(first.answered).as_secs();
        format!("its lease stood still over {apart} s, by live reads")
    });
    let log = match &facts.speech {
        Some(Speech::Silence(reason)) => format!("a pod's log: {reason}"),
        Some(Speech::NotKnown(reason)) => format!("a pod's log says nothing either way: {reason}"),
        Some(Speech::Life(_)) | None => "a pod's log was not asked for".to_owned(),
    };
    format!("{} is silent: {lease}; {log}", node.name)
}
