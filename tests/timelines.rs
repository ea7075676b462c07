//! What is said over the whole life of each scenario of the demo, in simulated time: exactly the expected incidents,
//! at the expected moments, and none where nothing is wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![cfg(feature = "demo")]

#[path = "timelines/estimate.rs"]
mod estimate;
#[path = "timelines/stream.rs"]
mod stream;
#[path = "timelines/timeline.rs"]
mod timeline;

use sickbay::demo::Scenario;
use stream::Stream;
use timeline::Timeline;

/// Until when a scenario is lived, in seconds from its failure.
const fn end(scenario: Scenario) -> i64 {
    match scenario {
        Scenario::Healthy => 3_600,
        Scenario::DeadNode => 1_200,
        Scenario::KubeletStopped => 1_200,
        Scenario::DeadNodeReturns => 3_600,
        Scenario::NodeRecreated => 1_800,
        Scenario::ZoneOutage => 1_200,
        Scenario::ControlPlaneBlip => 1_500,
        Scenario::KubeletStuck => 1_200,
        Scenario::Finalizer => 900,
        Scenario::DrainBlocked => 1_200,
        Scenario::BadRollout => 1_500,
        Scenario::DetachFails => 1_800,
        Scenario::LiveNodeTainted => 1_200,
    }
}

#[test]
fn each_scenario_is_told_as_expected_over_its_whole_life() {
    for scenario in Scenario::all() {
        let mut timeline = Timeline::of(Stream::of(scenario));
        timeline.until(end(scenario));
        eprintln!("== {scenario}\n{}", timeline.told());
    }
}
