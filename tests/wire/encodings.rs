//! Both encodings of the same objects, read in one piece and in every other way.

use crate::reading::{KINDS, must_be_equal, rows};
use crate::recorded::{ENCODINGS, fixture};
use proptest::prelude::*;
use sickbay::cluster::{Change, Delta, Kind, Lease};
use sickbay::wire::{self, Decoder, Encoding, Frame, ListEnd, ListParser, WatchParser, WireError};

fn leases<'a>(encoding: Encoding, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Lease>, ListEnd) {
    let (mut parser, mut out) = (ListParser::new(encoding), Vec::new());
    for chunk in chunks {
        parser.push_leases(chunk, &mut out).expect("a list");
    }
    (out.into_iter().map(|lease| lease.expect("a lease")).collect(), parser.finish().expect("a whole list"))
}

fn frames<'a>(
    encoding: Encoding,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<Frame>, WireError> {
    let (mut parser, mut decoder) = (WatchParser::new(encoding), Decoder::new(Kind::Pod));
    let mut out = Vec::new();
    for chunk in chunks {
        parser.push(chunk, &mut decoder, &mut out)?;
    }
    Ok(out)
}

/// Cuts a body at these places, taken modulo its length.
fn cut<'a>(body: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place % (body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}

#[test]
fn json_and_protobuf_give_equal_rows_of_every_kind() {
    for (kind, name) in KINDS {
        let changes = must_be_equal(kind, &fixture(name, Encoding::Json), &fixture(name, Encoding::Protobuf));
        assert!(changes.len() >= 3, "{kind}: {} rows prove little", changes.len());
    }
    let [json, protobuf] = ENCODINGS.map(|encoding| leases(encoding, [&*fixture("lease", encoding)]));
    assert_eq!(json, protobuf);
    assert_eq!(json.0.len(), 5);
}

#[test]
fn one_object_reads_the_same_alone_as_in_a_list() {
    for encoding in ENCODINGS {
        let (list, _) = rows(Kind::Namespace, encoding, [&*fixture("namespace", encoding)]).unwrap();
        let body = fixture("namespace-one", encoding);
        let one = Decoder::new(Kind::Namespace).object(encoding, &body).unwrap();
        assert!(list.contains(&one), "{one:?}");
        assert!(Decoder::new(Kind::Node).object(encoding, &body).is_err(), "a namespace is no node");

        let lease = wire::lease(encoding, &fixture("lease-one", encoding)).unwrap();
        assert!(leases(encoding, [&*fixture("lease", encoding)]).0.contains(&lease), "{lease:?}");
        let held = wire::leader_lease(encoding, &fixture("lease-one", encoding)).unwrap();
        assert_eq!((&*held.holder, held.seconds), ("worker-2", 40));
        assert_eq!((&held.uid, held.renewed), (&lease.uid, lease.renewed));
    }
}

#[test]
fn a_list_reads_the_same_wherever_it_is_cut() {
    for encoding in ENCODINGS {
        let body = fixture("namespace", encoding);
        let whole = rows(Kind::Namespace, encoding, [&*body]).unwrap();
        for at in 0..=body.len() {
            let (head, tail) = body.split_at(at);
            assert_eq!(rows(Kind::Namespace, encoding, [head, tail]).unwrap(), whole, "cut at {at}");
        }
        assert_eq!(rows(Kind::Namespace, encoding, body.chunks(1)).unwrap(), whole, "byte by byte");
        let lease_body = fixture("lease", encoding);
        assert_eq!(leases(encoding, lease_body.chunks(1)), leases(encoding, [&*lease_body]));
    }
}

#[test]
fn an_item_is_a_row_before_the_list_has_ended() {
    for encoding in ENCODINGS {
        let body = fixture("namespace", encoding);
        let (mut parser, mut decoder) = (ListParser::new(encoding), Decoder::new(Kind::Namespace));
        let mut out = Vec::new();
        parser.push(&body[..body.len() / 2], &mut decoder, &mut out).unwrap();
        assert!(!out.is_empty());
    }
}

#[test]
fn a_list_that_is_cut_off_is_no_list() {
    for encoding in ENCODINGS {
        let body = fixture("namespace", encoding);
        let whole = match encoding {
            // A line feed ends it, which may be missing.
            Encoding::Json => body.trim_ascii_end().len(),
            // Two empty fields of the wrapping follow the list, which may be missing too.
            Encoding::Protobuf => body.len() - 4,
        };
        for at in 0..whole {
            let read = rows(Kind::Namespace, encoding, [&body[..at]]);
            assert_eq!(read, Err(WireError::Truncated), "cut at {at}");
        }
    }
}

#[test]
fn a_pods_life_reads_the_same_in_both_encodings() {
    let [json, protobuf] =
        ENCODINGS.map(|encoding| frames(encoding, [&*fixture("watch-pod", encoding)]).unwrap());
    let changes = |frames: &[Frame]| -> Vec<Frame> {
        frames.iter().filter(|frame| matches!(frame, Frame::Change { .. })).cloned().collect()
    };
    assert_eq!(changes(&json), changes(&protobuf));
    for frames in [json, protobuf] {
        assert!(
            matches!(
                &frames[..],
                [
                    Frame::Change { change: Change::Pod(Delta::Apply(_)), .. },
                    Frame::Bookmark { is_initial_end: true, .. },
                    Frame::Change { change: Change::Pod(Delta::Apply(labelled)), .. },
                    ..,
                    Frame::Change { change: Change::Pod(Delta::Delete { name, uid }), resource_version },
                    Frame::Bookmark { is_initial_end: false, .. },
                ] if name.to_string() == "lane/first" && *uid == labelled.meta.uid
                    && labelled.meta.label("step") == Some("labelled")
                    && resource_version.parse::<u64>().is_ok()
            ),
            "{frames:#?}"
        );
    }
}

#[test]
fn a_watch_reads_the_same_wherever_it_is_cut() {
    for encoding in ENCODINGS {
        let short = fixture("watch-expired", encoding);
        let whole = frames(encoding, [&*short]).unwrap();
        for at in 0..=short.len() {
            let (head, tail) = short.split_at(at);
            assert_eq!(frames(encoding, [head, tail]).unwrap(), whole, "cut at {at}");
        }
        let body = fixture("watch-pod", encoding);
        assert_eq!(
            frames(encoding, body.chunks(1)).unwrap(),
            frames(encoding, [&*body]).unwrap(),
            "byte by byte"
        );
    }
}

#[test]
fn a_watch_knows_whether_it_was_cut_inside_a_frame() {
    for encoding in ENCODINGS {
        let body = fixture("watch-expired", encoding);
        let body = body.trim_ascii_end();
        let (mut parser, mut decoder, mut out) =
            (WatchParser::new(encoding), Decoder::new(Kind::Event), Vec::new());
        parser.push(&body[..body.len() - 1], &mut decoder, &mut out).unwrap();
        assert!(parser.is_inside_frame() && out.is_empty());
        parser.push(&body[body.len() - 1..], &mut decoder, &mut out).unwrap();
        assert!(!parser.is_inside_frame());
        assert!(
            matches!(&out[..], [Frame::Error(status)] if status.code == 410 && status.reason == "Expired")
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn large_lists_and_watches_read_the_same_in_any_chunks(places in prop::collection::vec(any::<usize>(), 0..200)) {
        for (kind, name) in KINDS {
            for encoding in ENCODINGS {
                let body = fixture(name, encoding);
                let whole = rows(kind, encoding, [&*body]).unwrap();
                prop_assert_eq!(rows(kind, encoding, cut(&body, &places)).unwrap(), whole);
            }
        }
        for encoding in ENCODINGS {
            let body = fixture("watch-pod", encoding);
            prop_assert_eq!(frames(encoding, cut(&body, &places)), frames(encoding, [&*body]));
        }
    }
}
