//! What is said over the whole life of each scenario of the demo, in simulated time: exactly the expected incidents,
//! at the expected moments, and none where nothing is wrong.
//!
//! A life is a file of lines, a change each: when, counted from the failure, which incident by its root, how bad it
//! is, and what hangs on it. What was announced for a moment follows, with the moment at which it came. On the way the
//! same is read with gaps.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![cfg(feature = "demo")]

#[path = "timelines/estimate.rs"]
mod estimate;
#[path = "timelines/half_read.rs"]
mod half_read;
#[path = "timelines/stream.rs"]
mod stream;
#[path = "timelines/timeline.rs"]
mod timeline;

use half_read::Picture;
use serde_json::json;
use sickbay::cluster::Pod;
use sickbay::demo::{Resource, Scenario};
use stream::Stream;
use timeline::Timeline;

fn compare(name: &str, told: &str) {
    insta::with_settings!(
        { snapshot_path => "timelines", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!(name, told) }
    );
}

/// Lives a scenario until so many seconds after its failure, when nothing changes any more. `acts` are when somebody
/// acts, so that what was announced before comes sooner.
fn play(scenario: Scenario, end: i64, acts: &[i64]) {
    let stream = Stream::of(scenario);
    let before = Picture::of(&stream, stream.next());
    let mut timeline = Timeline::of(stream);
    for moment in half_read::MOMENTS {
        timeline.until(moment);
        half_read::assert_gaps_are_known(&timeline.stream, timeline.now, &before);
    }
    timeline.until(end);
    compare(scenario.id(), &timeline.told());
    timeline.assert_sound(acts);
}

/// A test each, so that they run side by side.
macro_rules! lives {
    ($($test:ident: $scenario:ident, $end:literal, $acts:expr;)*) => {
        $(
            #[test]
            fn $test() {
                play(Scenario::$scenario, $end, $acts);
            }
        )*

        #[test]
        fn every_scenario_has_its_timeline() {
            assert_eq!(Scenario::all(), [$(Scenario::$scenario),*]);
        }
    };
}

lives! {
    of_a_calm_hour_nothing_is_said: Healthy, 3_600, &[];
    a_dead_node_is_one_incident_from_the_first_sign_to_the_last_volume: DeadNode, 1_000, &[];
    a_stopped_kubelet_is_told_as_silence: KubeletStopped, 600, &[];
    a_node_that_returns_ends_its_incident: DeadNodeReturns, 1_200, &[];
    a_node_registered_anew_keeps_what_was_its_own: NodeRecreated, 800, &[];
    a_zone_without_power_is_one_incident: ZoneOutage, 700, &[];
    when_all_nodes_fall_silent_the_control_plane_is_suspect: ControlPlaneBlip, 1_400, &[];
    pods_that_a_kubelet_does_not_finish_are_stuck: KubeletStuck, 600, &[];
    what_a_finalizer_holds_is_stuck: Finalizer, 600, &[];
    what_would_stop_a_drain_is_told_before_it: DrainBlocked, 700, &[];
    a_bad_release_is_an_incident_for_each_workload: BadRollout, 800, &[];
    // The out-of-service taint, which evicts at once.
    a_detach_that_fails_is_part_of_its_nodes_incident: DetachFails, 700, &[90];
    out_of_service_on_a_live_node_is_critical_at_once: LiveNodeTainted, 600, &[];
}

#[test]
fn of_ordinary_life_nothing_is_said() {
    let mut timeline = Timeline::of(Stream::of(Scenario::Healthy));
    let image = |image: &str| json!({ "spec": { "template": { "spec": { "containers": [{ "name": "web", "image": image }] } } } });
    let replicas = |count: u32| json!({ "spec": { "replicas": count } });
    let cordon = |is_cordoned: bool| json!({ "spec": { "unschedulable": is_cordoned } });

    let life = &mut timeline.until(10).stream.life;
    assert!(life.patch(Resource::Deployments, "shop", "web", &image("registry.example/shop/web:2027.1")));
    let life = &mut timeline.until(200).stream.life;
    assert!(life.patch(Resource::Deployments, "shop", "search", &replicas(5)));
    let life = &mut timeline.until(300).stream.life;
    assert!(life.patch(Resource::Deployments, "shop", "search", &replicas(1)));
    let job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "namespace": "shop", "name": "report" },
        "spec": { "template": {
            "metadata": { "labels": { "app.kubernetes.io/name": "report" } },
            "spec": {
                "restartPolicy": "Never",
                "containers": [{ "name": "report", "image": "registry.example/shop/report-brief:1" }],
            },
        } },
    });
    timeline.until(400).stream.life.create(Resource::Jobs, job);
    timeline.until(500).stream.life.delete(Resource::Pods, "data", "postgres-1");
    let life = &mut timeline.until(700).stream.life;
    assert!(life.patch(Resource::Nodes, "", "worker-2", &cordon(true)));
    let life = &mut timeline.until(1_300).stream.life;
    assert!(life.patch(Resource::Nodes, "", "worker-2", &cordon(false)));
    timeline.until(1_500);

    let cluster = &timeline.cluster;
    assert!(cluster.jobs.values().any(|job| &*job.meta.name.name == "report" && job.succeeded == 1));
    let is_new = |pod: &Pod| pod.containers.iter().any(|container| container.image.ends_with("web:2027.1"));
    assert_eq!(cluster.pods.values().filter(|pod| is_new(pod) && pod.is_ready()).count(), 6);
    assert_eq!(timeline.told(), "nothing is said\n");
}

#[test]
fn a_container_that_crashes_is_started_again_when_it_was_said_to() {
    let mut timeline = Timeline::of(Stream::of(Scenario::Healthy));
    let crash = json!({ "spec": { "template": { "spec": { "containers": [
        { "name": "cart", "image": "registry.example/shop/cart-crash:9" },
    ] } } } });
    let life = &mut timeline.until(0).stream.life;
    assert!(life.patch(Resource::Deployments, "shop", "cart", &crash));
    timeline.until(900);
    compare("crash-loop", &timeline.told());
    timeline.assert_sound(&[]);
}
