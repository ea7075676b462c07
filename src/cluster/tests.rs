//! Tests of the cluster as a whole: the joins, what it remembers, and that no row outlives its object.

mod eviction;
mod ghosts;
mod memory;
mod status;
mod volume;

use super::sample::at;
use super::*;

fn event(number: usize, second: i64) -> Event {
    Event {
        meta: sample::meta(&format!("db/event-{number}")),
        regarding: Regarding { kind: "Pod".into(), name: Name::new("db", "postgres-0"), uid: "".into() },
        last: Some(at(second)),
        ..Event::default()
    }
}

#[test]
fn the_store_of_events_is_bounded_and_drops_the_oldest() {
    let mut cluster = Cluster::default();
    let seconds = |number: usize| i64::try_from(number).unwrap();
    cluster.apply_all((0..MOST_EVENTS + 3).map(|number| event(number, seconds(number)).into()), at(0));
    assert_eq!((cluster.events.len(), cluster.events_dropped()), (MOST_EVENTS, 3));
    let of_pod = cluster.events_of(Kind::Pod, &Name::new("db", "postgres-0"));
    assert_eq!(of_pod.len(), MOST_EVENTS);
    assert_eq!(of_pod[0].last, Some(at(seconds(MOST_EVENTS + 2))), "the newest comes first");
    assert_eq!(of_pod.last().unwrap().last, Some(at(3)), "the oldest three are gone");
}

#[test]
fn an_event_that_is_counted_again_moves_in_time_and_is_not_kept_twice() {
    let mut cluster = Cluster::default();
    cluster.apply_all([event(0, 10).into(), event(1, 20).into(), event(0, 30).into()], at(30));
    let of_pod = cluster.events_of(Kind::Pod, &Name::new("db", "postgres-0"));
    assert_eq!(of_pod.iter().map(|event| event.last).collect::<Vec<_>>(), [Some(at(30)), Some(at(20))]);
}

#[test]
fn a_lease_that_a_complete_reading_does_not_name_is_forgotten() {
    let mut cluster = Cluster::default();
    let read = |leases, is_complete| Change::Leases { leases, is_complete };
    cluster.apply(read(vec![sample::lease("worker-1", 0), sample::lease("worker-2", 0)], true), at(0));
    cluster.apply(read(vec![sample::lease("worker-2", 0)], false), at(10));
    assert!(cluster.heartbeat("worker-1").is_some(), "a reading of suspects says nothing of the others");
    cluster.apply(read(vec![sample::lease("worker-2", 0)], true), at(20));
    assert!(cluster.heartbeat("worker-1").is_none());
}
