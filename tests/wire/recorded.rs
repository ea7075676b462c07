//! What a real API server sent, as `tests/fixtures/wire/record` kept it.

use sickbay::wire::Encoding;

pub const ENCODINGS: [Encoding; 2] = [Encoding::Json, Encoding::Protobuf];

/// A body as it was recorded.
pub fn fixture(name: &str, encoding: Encoding) -> Vec<u8> {
    let ending = match encoding {
        Encoding::Json => "json",
        Encoding::Protobuf => "pb",
    };
    let path = format!("{}/tests/fixtures/wire/{name}.{ending}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
