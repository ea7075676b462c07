//! Tests of what is said of an object that the server lets nobody update.

use super::*;
use crate::cluster::{Acceptance, Deletion, Fault, Kind, Name, ObjectRef, PersistentVolumeClaim, Trial};

/// Told to go at the beginning, and held by the controller of a backup.
fn held(version: &str) -> PersistentVolumeClaim {
    let mut claim = claim("shop/old", "");
    claim.meta.resource_version = version.into();
    claim.meta.deletion = Some(Deletion { deadline: at(0), grace_seconds: 0 });
    claim.meta.finalizers = ["example.com/backup".into()].into();
    claim
}

fn trial(said: Acceptance) -> Change {
    let name = Name::new("shop", "old");
    let object = ObjectRef { kind: Kind::PersistentVolumeClaim, name, uid: "uid-of-shop/old".into() };
    Change::Trial(Box::new(Trial { object, version: "7".into(), said }))
}

fn invalid(fields: &[&str]) -> Acceptance {
    let fault = |field: &&str| Fault { field: (*field).into(), message: "Unsupported value".into() };
    Acceptance::Invalid { faults: fields.iter().map(fault).collect() }
}

fn refused(cluster: &Cluster, second: i64) -> Option<Finding> {
    let findings = evaluate(cluster, at(second), &Timers::default());
    findings.iter().find(|finding| finding.rule == RuleId::UpdateRefused).cloned()
}

#[test]
fn an_object_that_is_not_valid_any_more_names_the_field_and_what_nobody_can_take_away() {
    let mut cluster = cluster([held("7").into()]);
    assert_eq!(refused(&cluster, 50), None, "nobody has asked");
    cluster.apply(trial(invalid(&["spec.accessModes"])), at(50));
    let finding = refused(&cluster, 60).unwrap();
    assert_eq!(
        finding.sentence,
        "Claim shop/old cannot be updated: the server finds its field spec.accessModes not valid any more. Nobody \
         can take its finalizer example.com/backup away."
    );
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(
        finding.evidence,
        [
            Evidence::at("a dry run of an update that changes nothing was refused", Some(at(50))),
            Evidence::new("spec.accessModes: Unsupported value"),
        ]
    );
    assert!(finding.next.contains("in the same write that takes the finalizers away"), "{}", finding.next);
}

#[test]
fn many_fields_are_named_as_far_as_a_line_goes() {
    let mut cluster = cluster([held("7").into()]);
    cluster.apply(trial(invalid(&["a", "b", "c", "d", "e", "f", "g"])), at(50));
    let finding = refused(&cluster, 60).unwrap();
    assert!(finding.sentence.contains("its fields a, b and 5 more not valid"), "{}", finding.sentence);
    assert_eq!(finding.evidence.last(), Some(&Evidence::new("and 2 fields more")));
}

#[test]
fn a_policy_and_a_webhook_that_is_away_are_told_as_such() {
    let mut cluster = cluster([held("7").into()]);
    let reason = "ValidatingAdmissionPolicy 'team' denied request: every object names its team";
    cluster.apply(trial(Acceptance::Denied { reason: reason.into() }), at(50));
    let denied = refused(&cluster, 60).unwrap();
    assert!(denied.sentence.contains("does not let it pass: ValidatingAdmissionPolicy 'team'"));
    assert!(denied.next.starts_with("Change what the policy"), "{}", denied.next);
    let reason = "failed calling webhook \"deny.example.com\": no endpoints available";
    cluster.apply(trial(Acceptance::Unreachable { reason: reason.into() }), at(70));
    let away = refused(&cluster, 80).unwrap();
    assert!(away.sentence.contains("a webhook that has to be asked does not answer"), "{}", away.sentence);
    assert_eq!(away.since, Some(at(50)), "refused all the time, for one reason or another");
}

#[test]
fn nothing_is_said_of_what_is_accepted_or_not_known() {
    for said in [Acceptance::Accepted, Acceptance::Unknown { reason: "cannot patch".into() }] {
        let mut cluster = cluster([held("7").into()]);
        cluster.apply(trial(said), at(50));
        assert_eq!(refused(&cluster, 60), None);
    }
}

#[test]
fn an_answer_is_of_one_object_at_one_version_and_for_a_while() {
    let mut cluster = cluster([held("7").into()]);
    cluster.apply(trial(invalid(&["spec"])), at(50));
    let findings = evaluate(&cluster, at(60), &Timers::default());
    assert_eq!(findings.next_due, Some(at(50 + 600)));
    assert_eq!(refused(&cluster, 50 + 600), None, "who knows what it would say now");
    cluster.apply(held("8").into(), at(70));
    assert_eq!(refused(&cluster, 71), None, "somebody did update it");
    cluster.apply(held("7").into(), at(72));
    assert!(refused(&cluster, 73).is_some());
    let mut anew = held("7");
    anew.meta.uid = "another".into();
    cluster.apply(anew.into(), at(74));
    assert_eq!(refused(&cluster, 75), None, "another object by the name");
    cluster.apply(trial(invalid(&["spec"])), at(76));
    assert_eq!(cluster.trials().count(), 0, "an answer that comes too late is of nothing");
}
