//! The API's scalars that the two encodings write differently, and the readers that both derives need: times,
//! quantities, free text, maps, and `null` for what is not there.

use crate::cluster::{Resources, millis};
use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// `Time` and `MicroTime`: seconds and nanoseconds in protobuf, a string in JSON. A time that is not set is
/// `null` in JSON and an empty message in protobuf.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Time {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Time {
    /// As `Time` is meant: JSON has whole seconds only, so protobuf's fraction is dropped.
    pub fn second(&self) -> Option<Timestamp> {
        let is_set = self.seconds != 0 || self.nanos != 0;
        is_set.then(|| Timestamp::from_second(self.seconds).ok()).flatten()
    }

    /// As `MicroTime` is meant: JSON has microseconds.
    pub fn micro(&self) -> Option<Timestamp> {
        let is_set = self.seconds != 0 || self.nanos != 0;
        is_set.then(|| Timestamp::new(self.seconds, self.nanos / 1000 * 1000).ok()).flatten()
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Text::deserialize(deserializer)?;
        let at: Timestamp = lossy(&written.0).parse().map_err(D::Error::custom)?;
        Ok(Self { seconds: at.as_second(), nanos: at.subsec_nanosecond() })
    }
}

/// An amount, as it is written: `1Gi`. JSON may have a plain number.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Quantity {
    #[prost(string, tag = "1")]
    pub written: String,
}

impl Quantity {
    /// The whole number that it stands for; `None` for fractions and what is no amount.
    pub fn whole(&self) -> Option<u64> {
        let digits = self.written.bytes().take_while(u8::is_ascii_digit).count();
        let (number, suffix) = self.written.split_at(digits);
        let factor = match suffix {
            "" => 1,
            "k" => 1000,
            "M" => 1_000_000,
            "Ki" => 1 << 10,
            "Mi" => 1 << 20,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor)
    }

    /// What it stands for in thousandths, rounded up; `None` for what is no amount, or too large.
    pub fn millis(&self) -> Option<u64> {
        millis(&self.written)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity")
            }

            fn visit_str<E: Error>(self, written: &str) -> Result<Quantity, E> {
                Ok(Quantity { written: written.to_owned() })
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity { written: number.to_string() })
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity { written: number.to_string() })
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Quantity, E> {
                Ok(Quantity { written: number.to_string() })
            }
        }
        deserializer.deserialize_any(Written)
    }
}

/// A message of which only the presence counts.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message, serde::Deserialize)]
pub struct Present {}

/// The pair of a map of strings. Maps are lists of pairs in protobuf, and so here: no row needs a lookup.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Pair {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

/// The key of a map whose values are left unread: annotations can be large.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Key {
    #[prost(string, tag = "1")]
    pub key: String,
}

/// The pair of a map of quantities.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Amount {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(message, required, tag = "2")]
    pub value: Quantity,
}

/// The amount under a key, where there is one.
pub fn amount<'a>(amounts: &'a [Amount], key: &str) -> Option<&'a Quantity> {
    amounts.iter().find(|amount| amount.key == key).map(|amount| &amount.value)
}

/// What is scheduled by; what is not said, or no amount, is none.
pub fn resources(amounts: &[Amount]) -> Resources {
    let millis = |key| amount(amounts, key).and_then(Quantity::millis).unwrap_or_default();
    Resources { cpu_millis: millis("cpu"), memory_bytes: millis("memory").div_ceil(1000) }
}

/// Something that a map's pair becomes.
pub trait FromPair {
    type Value: for<'de> Deserialize<'de>;

    fn from_pair(key: String, value: Self::Value) -> Self;
}

impl FromPair for Pair {
    type Value = Option<String>;

    fn from_pair(key: String, value: Option<String>) -> Self {
        Self { key, value: value.unwrap_or_default() }
    }
}

impl FromPair for Key {
    type Value = IgnoredAny;

    fn from_pair(key: String, _: IgnoredAny) -> Self {
        Self { key }
    }
}

impl FromPair for Amount {
    type Value = Option<Quantity>;

    fn from_pair(key: String, value: Option<Quantity>) -> Self {
        Self { key, value: value.unwrap_or_default() }
    }
}

/// For JSON: a map as its pairs, `null` as none.
pub fn pairs<'de, D: Deserializer<'de>, P: FromPair>(deserializer: D) -> Result<Vec<P>, D::Error> {
    struct Pairs<P>(PhantomData<P>);
    impl<'de, P: FromPair> Visitor<'de> for Pairs<P> {
        type Value = Vec<P>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_unit<E: Error>(self) -> Result<Vec<P>, E> {
            Ok(Vec::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<P>, A::Error> {
            let mut pairs = Vec::new();
            while let Some((key, value)) = map.next_entry()? {
                pairs.push(P::from_pair(key, value));
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_any(Pairs(PhantomData))
}

/// For JSON: `null` is what is not there. Go writes an empty list as `null` where it may.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// For JSON: text that someone wrote freely. The API stores bytes that are not UTF-8 and serves them as they
/// are in protobuf, so such fields are bytes in both, made text when the row is made.
pub fn free<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0).unwrap_or_default())
}

struct Text(Vec<u8>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.as_bytes().to_vec()))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(bytes.to_vec()))
            }
        }
        // As bytes: serde_json then takes any, lone surrogates included.
        deserializer.deserialize_bytes(Bytes)
    }
}

pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_not_set_is_none_in_both_encodings() {
        let unset = <Time as prost::Message>::decode(&b""[..]).unwrap();
        assert_eq!((unset.second(), unset.micro()), (None, None));
        assert_eq!(serde_json::from_str::<Option<Time>>("null").unwrap(), None);
    }

    #[test]
    fn a_time_keeps_seconds_and_a_micro_time_microseconds() {
        let at = Time { seconds: 1_700_000_000, nanos: 123_456_789 };
        assert_eq!(at.second().unwrap().to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(at.micro().unwrap().to_string(), "2023-11-14T22:13:20.123456Z");
        let written: Time = serde_json::from_str("\"2023-11-14T22:13:20.123456Z\"").unwrap();
        assert_eq!(written.micro(), at.micro());
        assert!(serde_json::from_str::<Time>("\"yesterday\"").is_err());
    }

    #[test]
    fn a_thousand_pods_are_written_1k() {
        let whole = |written: &str| Quantity { written: written.to_owned() }.whole();
        assert_eq!(whole("110"), Some(110));
        assert_eq!(whole("1k"), Some(1000));
        assert_eq!(whole("1Ki"), Some(1024));
        for wrong in ["", "k", "1.5", "100m", "-1", "99999999999999999999"] {
            assert_eq!(whole(wrong), None, "{wrong}");
        }
        assert_eq!(serde_json::from_str::<Quantity>("110").unwrap().written, "110");
    }

    #[test]
    fn amounts_of_all_forms_are_read_in_thousandths() {
        let millis = |written: &str| Quantity { written: written.to_owned() }.millis();
        for (written, expected) in [
            ("100m", 100),
            ("2", 2000),
            ("0.5", 500),
            ("1.5Gi", 1_610_612_736_000),
            ("129M", 129_000_000_000),
            ("1e3", 1_000_000),
            ("1n", 1),
            ("0", 0),
        ] {
            assert_eq!(millis(written), Some(expected), "{written}");
        }
        for wrong in ["", "Mi", "-1", "1.2.3", "1x", "1e", "99999999999999999999E", "1e99"] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn free_text_need_not_be_unicode() {
        let mut json = serde_json::Deserializer::from_slice(b"\"a\xff\\ud800b\"");
        assert!(lossy(&free(&mut json).unwrap()).starts_with("a\u{fffd}"));
    }
}
