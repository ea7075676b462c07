//! Annotations: of ours, of the tools that speak in values, and of revisions, the values are read; of all others the
//! keys alone, because they can be large.

use crate::cluster::{Cordoner, MARKS};
use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, skip_field, string};
use prost::{DecodeError, Message};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// What the keys of our own annotations begin with.
const OURS: &str = "sickbay.dev/";
/// The number of a revision, on the replica set that holds it.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// The pair of the map. The value is empty where it is not one that is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotation {
    pub key: String,
    pub value: String,
}

impl Annotation {
    fn is_read(&self) -> bool {
        self.key.starts_with(OURS)
            || self.key == Cordoner::MACHINE_CONFIG
            || self.key == REVISION
            || MARKS.contains(&self.key.as_str())
    }
}

/// By hand, because whether the value is read depends on the key, which a map's entry begins with.
impl Message for Annotation {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        string::encode(1, &self.key, buffer);
        string::encode(2, &self.value, buffer);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            1 => string::merge(wire_type, &mut self.key, buffer, context),
            2 if self.is_read() => string::merge(wire_type, &mut self.value, buffer, context),
            _ => skip_field(wire_type, tag, buffer, context),
        }
    }

    fn encoded_len(&self) -> usize {
        string::encoded_len(1, &self.key) + string::encoded_len(2, &self.value)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// For JSON: the map as its pairs, `null` as none.
pub fn annotations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Annotation>, D::Error> {
    struct Annotations;
    impl<'de> Visitor<'de> for Annotations {
        type Value = Vec<Annotation>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_unit<E: serde::de::Error>(self) -> Result<Vec<Annotation>, E> {
            Ok(Vec::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Annotation>, A::Error> {
            let mut annotations = Vec::new();
            while let Some(key) = map.next_key()? {
                let mut annotation = Annotation { key, value: String::new() };
                if annotation.is_read() {
                    annotation.value = map.next_value::<Option<String>>()?.unwrap_or_default();
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
                annotations.push(annotation);
            }
            Ok(annotations)
        }
    }
    deserializer.deserialize_any(Annotations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_values_and_those_of_tools_are_read_in_both_encodings() {
        let json =
            r#"{"big": {"not": ["a", "string"]}, "sickbay.dev/cordoned-by": "alice", "sickbay.dev/x": null}"#;
        let read = annotations(&mut serde_json::Deserializer::from_str(json)).unwrap();
        let pair = |key: &str, value: &str| Annotation { key: key.to_owned(), value: value.to_owned() };
        assert_eq!(
            read,
            [pair("big", ""), pair("sickbay.dev/cordoned-by", "alice"), pair("sickbay.dev/x", "")]
        );
        for (sent, kept) in [
            (pair("sickbay.dev/cordoned-by", "alice"), pair("sickbay.dev/cordoned-by", "alice")),
            (pair("fencing/state", "started"), pair("fencing/state", "started")),
            (pair("big", "x"), pair("big", "")),
        ] {
            assert_eq!(Annotation::decode(sent.encode_to_vec().as_slice()).unwrap(), kept);
        }
    }
}
