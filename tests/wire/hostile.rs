//! Bytes that no API server sends: nothing panics, a bad item costs only itself, a bad envelope is an error.

use crate::reading::{KINDS, rows};
use crate::recorded::{ENCODINGS, fixture};
use proptest::prelude::*;
use sickbay::cluster::{Change, Feed, FeedChange, Kind};
use sickbay::wire::{
    self, Decoder, Encoding, Frame, LARGEST_ITEM, ListParser, Status, WatchParser, WireError,
};

/// Reads the bytes as everything that can come; what is read does not matter.
fn read_as_everything(bytes: &[u8]) {
    for encoding in ENCODINGS {
        for (kind, _) in KINDS {
            let mut decoder = Decoder::new(kind);
            let mut list = ListParser::new(encoding);
            if list.push(bytes, &mut decoder, &mut Vec::new()).is_ok() {
                let _ = list.finish();
            }
            let _ = WatchParser::new(encoding).push(bytes, &mut decoder, &mut Vec::new());
            let _ = decoder.object(encoding, bytes);
        }
        let _ = ListParser::new(encoding).push_leases(bytes, &mut Vec::new());
        let _ = wire::lease(encoding, bytes);
    }
    for content_type in ["application/json", "application/vnd.kubernetes.protobuf", "text/html", ""] {
        assert_eq!(Status::read(599, content_type, b"").code, 599);
        let _ = Status::read(599, content_type, bytes);
    }
}

fn recorded() -> impl Strategy<Value = Vec<u8>> {
    let names = ["namespace", "lease", "volume-attachment", "watch-pod", "watch-expired", "status-budget"];
    (prop::sample::select(names.to_vec()), prop::sample::select(ENCODINGS.to_vec()))
        .prop_map(|(name, encoding)| fixture(name, encoding))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_as_everything(&bytes);
        read_as_everything(&[b"k8s\0", &*bytes].concat());
        read_as_everything(&[br#"{"kind":"PodList","items":["#, &*bytes].concat());
    }

    #[test]
    fn corrupted_bytes_do_not_panic(
        mut bytes in recorded(),
        marks in prop::collection::vec((any::<usize>(), any::<u8>()), 1..8),
        end in any::<usize>(),
    ) {
        for (at, byte) in marks {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        read_as_everything(&bytes);
        bytes.truncate(end % bytes.len());
        read_as_everything(&bytes);
    }
}

fn undecodable(change: &Change) -> Option<&str> {
    match change {
        Change::Feed(Feed::Watch(_), FeedChange::Undecodable { reason }) => Some(reason),
        _ => None,
    }
}

#[test]
fn a_bad_item_is_named_and_costs_only_itself() {
    let body = br#"{"items":[
        {"metadata":{"name":"good"}},
        {"metadata":{"name":"bad","labels":7}},
        {"metadata":{}},
        7,
        {"metadata":{"name":"good-too","labels":null,"finalizers":null},"spec":null,"status":{"conditions":null}}
    ],"metadata":{"resourceVersion":"12"},"kind":"NodeList"}"#;
    let (changes, end) = rows(Kind::Node, Encoding::Json, [&body[..]]).unwrap();
    assert_eq!(end.resource_version, "12", "metadata may come last");
    let reasons: Vec<_> = changes.iter().map(undecodable).collect();
    assert!(
        matches!(reasons[..], [None, Some(named), Some(unnamed), Some(number), None]
            if named.starts_with("node bad: ") && unnamed == "node without a readable name: it has no name"
                && number.starts_with("node without a readable name: ")),
        "{reasons:#?}"
    );
}

#[test]
fn a_bad_item_in_protobuf_is_named_too() {
    let mut body = fixture("namespace", Encoding::Protobuf);
    let (good, _) = rows(Kind::Namespace, Encoding::Protobuf, [&*body]).unwrap();
    // The uid is text that must be UTF-8; the name before it stays as it is.
    let Change::Namespace(sickbay::cluster::Delta::Apply(row)) = &good[1] else { panic!("{:?}", good[1]) };
    let uid = row.meta.uid.as_bytes();
    let at = body.windows(uid.len()).position(|window| window == uid).unwrap();
    body[at] = 0xff;
    let (changes, _) = rows(Kind::Namespace, Encoding::Protobuf, [&*body]).unwrap();
    assert_eq!(changes.len(), good.len());
    let reason = undecodable(&changes[1]).unwrap();
    assert!(reason.starts_with(&format!("namespace {}: ", row.meta.name)), "{reason}");
}

#[test]
fn an_undecodable_object_of_a_watch_is_reported_with_its_version_and_can_still_be_deleted() {
    let object = r#"{"metadata":{"namespace":"shop","name":"bad","uid":"u","resourceVersion":"7"},"spec":1}"#;
    let body = format!(
        "{{\"type\":\"ADDED\",\"object\":{object}}}\n{{\"object\":{object},\"type\":\"DELETED\"}}\n\
         {{\"type\":\"LEFT\",\"object\":{object}}}\n"
    );
    let (mut decoder, mut out) = (Decoder::new(Kind::Pod), Vec::new());
    WatchParser::new(Encoding::Json).push(body.as_bytes(), &mut decoder, &mut out).unwrap();
    assert!(
        matches!(&out[..], [
            Frame::Undecodable { reason, resource_version: Some(version) },
            Frame::Change { resource_version, .. },
            Frame::Undecodable { reason: unknown, .. },
        ] if reason.starts_with("pod shop/bad: ") && version == "7" && resource_version == "7"
            && unknown.contains("unknown type")),
        "{out:#?}"
    );
}

#[test]
fn what_is_no_list_is_not_taken_for_an_empty_one() {
    for body in [
        &b"<html>Sign in</html>"[..],
        br#"{"kind":"Status","code":500}"#,
        br#"{"items":[]}"#,
        br#"{"kind":"PodList","items":[]} {}"#,
        br#"{"kind":"PodList" "items":[]}"#,
    ] {
        let read = rows(Kind::Pod, Encoding::Json, [body]);
        assert!(matches!(read, Err(WireError::Malformed(_))), "{read:?}");
    }
    let status = fixture("status-not-found", Encoding::Protobuf);
    for body in [&b"<html>Sign in</html>"[..], &status] {
        let read = rows(Kind::Pod, Encoding::Protobuf, [body]);
        assert!(matches!(read, Err(WireError::Malformed(_))), "{read:?}");
    }
    let empty = br#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"3"},"items":[]}"#;
    let (changes, end) = rows(Kind::Pod, Encoding::Json, [&empty[..]]).unwrap();
    assert_eq!((changes.len(), &*end.resource_version), (0, "3"));
}

#[test]
fn nothing_larger_than_the_bound_is_waited_for() {
    let mut decoder = Decoder::new(Kind::Pod);
    let mut parser = WatchParser::new(Encoding::Protobuf);
    assert_eq!(parser.push(&[0xff; 4], &mut decoder, &mut Vec::new()), Err(WireError::TooLarge));

    let mut parser = ListParser::new(Encoding::Json);
    parser.push(br#"{"kind":"PodList","items":[{"a":""#, &mut decoder, &mut Vec::new()).unwrap();
    let chunk = vec![b'x'; 1 << 20];
    let pushed: Vec<_> = (0..=LARGEST_ITEM >> 20)
        .map(|_| parser.push(&chunk, &mut decoder, &mut Vec::new()))
        .take_while(Result::is_ok)
        .collect();
    assert_eq!(pushed.len(), (LARGEST_ITEM >> 20) - 1);
}

#[test]
fn nesting_without_end_is_an_error_and_no_overflow() {
    let deep = [b"{\"kind\":\"PodList\",\"items\":[".to_vec(), vec![b'['; 1 << 20]].concat();
    read_as_everything(&deep);
    let whole = [deep, vec![b']'; 1 << 20], b"]}".to_vec()].concat();
    let (changes, _) = rows(Kind::Pod, Encoding::Json, [&*whole]).unwrap();
    assert!(undecodable(&changes[0]).is_some());
}
