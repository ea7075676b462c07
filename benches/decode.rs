//! How long 5,000 pods take from bytes to rows, in both encodings, in chunks as a connection gives them.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use prost::Message as _;
use sickbay::cluster::Kind;
use sickbay::wire::{Decoder, Encoding, ListParser};

const PODS: usize = 5_000;
const CHUNK: usize = 16 << 10;

fn main() {
    divan::main();
}

#[divan::bench(args = [Encoding::Json, Encoding::Protobuf])]
fn pods(bencher: Bencher, encoding: Encoding) {
    let page = match encoding {
        Encoding::Json => json_page(),
        Encoding::Protobuf => protobuf_page(),
    };
    bencher.counter(ItemsCount::new(PODS)).counter(BytesCount::of_slice(&page)).bench_local(|| {
        let (mut parser, mut decoder) = (ListParser::new(encoding), Decoder::new(Kind::Pod));
        let mut rows = Vec::new();
        for chunk in page.chunks(CHUNK) {
            parser.push(chunk, &mut decoder, &mut rows).expect("the page is whole");
        }
        assert_eq!(rows.len(), PODS);
        (parser.finish(), rows)
    });
}

/// The recorded pods, over and over.
fn json_page() -> Vec<u8> {
    let mut list: serde_json::Value =
        serde_json::from_slice(include_bytes!("../tests/fixtures/wire/pod.json")).expect("recorded JSON");
    let items = list["items"].as_array_mut().expect("a list");
    *items = items.iter().cycle().take(PODS).cloned().collect();
    list.to_string().into_bytes()
}

#[derive(Clone, PartialEq, prost::Message)]
struct Unknown {
    #[prost(bytes = "vec", tag = "1")]
    type_meta: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct List {
    #[prost(bytes = "vec", tag = "1")]
    metadata: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    items: Vec<Vec<u8>>,
}

fn protobuf_page() -> Vec<u8> {
    let body = include_bytes!("../tests/fixtures/wire/pod.pb");
    let (magic, unknown) = body.split_at(4);
    let mut unknown = Unknown::decode(unknown).expect("recorded protobuf");
    let mut list = List::decode(&*unknown.raw).expect("a list");
    list.items = list.items.iter().cycle().take(PODS).cloned().collect();
    unknown.raw = list.encode_to_vec();
    [magic, &unknown.encode_to_vec()].concat()
}
