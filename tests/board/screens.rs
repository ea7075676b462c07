//! What each screen looks like at the smallest size that is promised and at a large one.

use crate::harness::Board;
use insta::assert_snapshot;
use sickbay::app::Msg;
use sickbay::cluster::{Change, Checks, Component, FeedChange, Kind, LeaderLease};

const SIZES: [(u16, u16); 2] = [(80, 24), (160, 48)];

fn snapshot(name: &str, keys: &str) {
    for (width, height) in SIZES {
        let mut board = Board::incident(width, height);
        if !keys.is_empty() {
            board.press(keys);
        }
        assert_snapshot!(format!("{name}_{width}x{height}"), board.screen());
    }
}

#[test]
fn triage_tells_one_incident_with_what_hangs_on_it() {
    snapshot("triage", "");
}

#[test]
fn nodes_tell_readiness_and_cordon_apart() {
    snapshot("nodes", "2");
}

#[test]
fn pods_tell_status_and_clock() {
    snapshot("pods", "3");
}

#[test]
fn volumes_tell_where_they_are_against_where_they_are_wanted() {
    snapshot("volumes", "4");
}

#[test]
fn workloads_tell_where_their_rollouts_stand_worst_first() {
    snapshot("workloads", "5");
}

#[test]
fn events_come_newest_first_and_repeats_are_folded() {
    snapshot("events", "6");
}

#[test]
fn services_tell_whether_anything_that_lives_stands_behind_them() {
    snapshot("services", "7");
}

#[test]
fn an_open_deployment_shows_its_replica_sets_pods_budgets_and_services() {
    snapshot("deployment", "5 / s h o p / w e b enter enter");
}

#[test]
fn an_open_event_shows_its_message_in_full() {
    snapshot("event", "6 enter");
}

#[test]
fn an_open_service_shows_the_pods_behind_it() {
    snapshot("service", "7 / q u e u e enter enter");
}

#[test]
fn an_open_job_shows_its_retries() {
    snapshot("job", "5 / i m p o r t enter enter");
}

#[test]
fn an_open_budget_shows_what_it_lets_go() {
    snapshot("budget", "3 / 9 k 2 m v enter enter ] ] j enter");
}

#[test]
fn an_open_node_shows_its_pods_and_volumes() {
    snapshot("node", "enter");
}

#[test]
fn an_open_pod_shows_what_holds_its_volume() {
    snapshot("pod", "3 j j enter");
}

#[test]
fn an_open_volume_shows_both_nodes() {
    snapshot("volume", "4 enter");
}

#[test]
fn help_lists_the_keys_that_work_here() {
    snapshot("help", "3 ?");
}

#[test]
fn the_palette_finds_screens_by_the_names_of_k9s_and_kubectl() {
    snapshot("palette", ": p v");
}

#[test]
fn problems_only_leaves_what_is_wrong() {
    snapshot("problems", "3 !");
}

#[test]
fn the_filter_is_typed_on_the_last_line() {
    snapshot("filter", "3 / w e b");
}

#[test]
fn a_calm_cluster_says_so_with_what_it_looked_at() {
    let mut board = Board::new(80, 24);
    board.read(
        "{apiVersion: v1, kind: Node, metadata: {name: worker-0, uid: u}, \
         status: {conditions: [{type: Ready, status: 'True'}]}}",
    );
    board.go_live();
    assert_snapshot!("calm", board.screen());
}

#[test]
fn before_the_first_lists_are_complete_the_screen_says_loading() {
    let mut board = Board::new(80, 24);
    board.read(include_str!("../fixtures/findings/calm.yaml"));
    board.feed(Kind::Pod, FeedChange::Listing);
    assert_snapshot!("loading", board.screen());
}

#[test]
fn what_may_not_be_read_shrinks_the_board_and_is_named() {
    let mut board = Board::incident(80, 24);
    let reason = r#"volumeattachments.storage.k8s.io is forbidden: User "ops" cannot list resource"#;
    board.feed(Kind::VolumeAttachment, FeedChange::Forbidden { reason: reason.into() });
    board.pass(20);
    assert_snapshot!("forbidden", board.screen());
}

#[test]
fn a_lost_connection_shows_the_age_of_the_picture_and_keeps_the_rows() {
    let mut board = Board::incident(80, 24);
    board.tell(sickbay::app::Msg::Beat(Err("the server does not answer: connection refused".into())));
    board.pass(95);
    assert_snapshot!("lost", board.screen());
}

#[test]
fn a_terminal_that_is_too_small_is_told_so() {
    let mut board = Board::incident(36, 6);
    assert_eq!(board.screen().lines().next(), Some("sickbay needs 40 columns and 8 lines"));
}

#[test]
fn the_case_of_a_control_plane_says_what_is_known_of_its_parts() {
    let mut board = Board::new(80, 24);
    let manifests = include_str!("../fixtures/findings/rules/control-plane-suspect.yaml");
    board.read(manifests.split("# --- calm").next().unwrap());
    board.go_live();
    let lease = |renewed: &str| LeaderLease {
        uid: "u".into(),
        holder: "control-plane-0_5b0e".into(),
        seconds: 15,
        renewed: renewed.parse().ok(),
    };
    for renewed in ["2026-03-01T03:21:50Z", "2026-03-01T03:21:58Z"] {
        let change = Change::Leader(Component::Scheduler, lease(renewed));
        board.tell(Msg::Changes(vec![change]));
    }
    let checks = Checks { is_ready: true, failed: Vec::new() };
    board.tell(Msg::Changes(vec![Change::Checks(checks)]));
    board.screen();
    board.press("enter");
    assert_snapshot!(board.screen());
}
