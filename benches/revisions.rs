//! How long a history of 500 revisions and a difference of two templates of 5,000 lines take: each is made between a
//! key and the frame that shows it, so each has 16 ms.

use divan::Bencher;
use serde_json::{Value, json};
use sickbay::cluster::Kind;
use sickbay::revision::{Difference, History, Row, Template, words};

const REVISIONS: usize = 500;
/// Each variable is two lines.
const VARIABLES: usize = 2_450;

fn main() {
    divan::main();
}

/// A template of so many variables, of which each `every`th has the value of this release.
fn template(variables: usize, release: usize, every: usize) -> Value {
    let value = |at: usize| if at.is_multiple_of(every) { release } else { 0 };
    let variable =
        |at: usize| json!({ "name": format!("V{at}"), "value": format!("value-{at}-of-{}", value(at)) });
    json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{
            "name": "web",
            "image": format!("registry.local/shop/web:1.{release}"),
            "env": (0..variables).map(variable).collect::<Vec<_>>(),
        }] },
    })
}

fn set(number: usize, variables: usize) -> Value {
    json!({
        "metadata": {
            "name": format!("web-{number}"),
            "uid": format!("uid-{number}"),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": { "deployment.kubernetes.io/revision": number.to_string() },
            "ownerReferences": [{ "controller": true, "uid": "uid" }],
        },
        "spec": { "replicas": 0, "template": template(variables, number, 100) },
    })
}

fn deployment(variables: usize) -> Value {
    json!({
        "metadata": { "namespace": "shop", "name": "web", "uid": "uid", "resourceVersion": "1", "generation": 1 },
        "spec": { "template": template(variables, REVISIONS, 100) },
    })
}

/// With templates of 60 lines, and of 5,000.
#[divan::bench(args = [30, VARIABLES], sample_count = 10, sample_size = 1)]
fn history(bencher: Bencher<'_, '_>, variables: usize) {
    let sets: Vec<Value> = (1..=REVISIONS).map(|number| set(number, variables)).collect();
    bencher
        .with_inputs(|| (deployment(variables), sets.clone()))
        .bench_local_values(|(deployment, sets)| History::read(Kind::Deployment, deployment, sets));
}

fn differ(bencher: Bencher<'_, '_>, (before, after): (Value, Value)) {
    let (before, after) = (Template::new(before), Template::new(after));
    bencher.bench_local(|| Difference::between(&before, &after));
}

#[divan::bench]
fn difference_of_an_image(bencher: Bencher<'_, '_>) {
    differ(bencher, (template(VARIABLES, 1, VARIABLES + 1), template(VARIABLES, 2, VARIABLES + 1)));
}

#[divan::bench]
fn difference_of_every_tenth_variable(bencher: Bencher<'_, '_>) {
    differ(bencher, (template(VARIABLES, 1, 10), template(VARIABLES, 2, 10)));
}

#[divan::bench]
fn difference_of_every_variable(bencher: Bencher<'_, '_>) {
    differ(bencher, (template(VARIABLES, 1, 1), template(VARIABLES, 2, 1)));
}

#[divan::bench]
fn difference_of_two_that_have_nothing_in_common(bencher: Bencher<'_, '_>) {
    let text = template(VARIABLES, 2, 1).to_string().replace('V', "W");
    let other = serde_json::from_str(&text).expect("JSON");
    differ(bencher, (template(VARIABLES, 1, 1), other));
}

/// A script that was turned round: all lines are there on both sides, and none in its place.
#[divan::bench]
fn difference_of_a_list_turned_round(bencher: Bencher<'_, '_>) {
    let before = template(VARIABLES, 1, 1);
    let mut after = before.clone();
    if let Some(Value::Array(list)) = after.pointer_mut("/spec/containers/0/env") {
        list.reverse();
    }
    differ(bencher, (before, after));
}

/// The same with few values: lines that come again and again, and none in its place.
#[divan::bench]
fn difference_of_a_list_of_few_values_turned_round(bencher: Bencher<'_, '_>) {
    let arguments = |step: usize| (0..2 * VARIABLES).map(move |at| format!("--{}", at * at * step % 61));
    let with = |arguments: Vec<String>| {
        let mut template = template(1, 1, 1);
        template["spec"]["containers"][0]["args"] = json!(arguments);
        template
    };
    differ(bencher, (with(arguments(7).collect()), with(arguments(31).rev().collect())));
}

/// The words of the lines of a screen.
#[divan::bench]
fn words_of_a_screen(bencher: Bencher<'_, '_>) {
    let (before, after) = (template(VARIABLES, 1, 1), template(VARIABLES, 2, 1));
    let difference = Difference::between(&Template::new(before), &Template::new(after));
    bencher.bench_local(|| {
        let rows = difference.rows.iter().filter_map(|row| match row {
            Row::Changed { before, after } => Some((&difference.before[*before], &difference.after[*after])),
            Row::Same { .. } | Row::Removed { .. } | Row::Added { .. } => None,
        });
        rows.take(100).map(|(before, after)| words(before, after).0.len()).sum::<usize>()
    });
}
