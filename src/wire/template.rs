//! What workloads share on the wire: selectors, the images of a template, conditions, and numbers that may be words.
//! Of a template only its containers' names and images are read.

use super::scalar::{Pair, Time, free, nullable, pairs};
use super::shared::{Shared, own};
use crate::cluster::{
    Condition as ConditionRow, Expression as ExpressionRow, Image, Operator, Selector as SelectorRow, Status,
    Text,
};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Selector {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "pairs")]
    match_labels: Vec<Pair>,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    match_expressions: Vec<Expression>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Expression {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    key: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    operator: String,
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "nullable")]
    values: Vec<String>,
}

impl Selector {
    pub fn row(&self, shared: &mut Shared) -> SelectorRow {
        SelectorRow {
            labels: shared.labels(&self.match_labels),
            expressions: self
                .match_expressions
                .iter()
                .map(|expression| ExpressionRow {
                    key: shared.text(&expression.key),
                    operator: Operator::parse(&expression.operator),
                    values: expression.values.iter().map(|value| shared.text(value)).collect(),
                })
                .collect(),
        }
    }
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct Template {
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    spec: PodSpec,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    containers: Vec<Container>,
    #[prost(message, repeated, tag = "20")]
    #[serde(deserialize_with = "nullable")]
    init_containers: Vec<Container>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
struct Container {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "free")]
    image: Vec<u8>,
}

impl Template {
    /// In the order of the spec, init containers first.
    pub fn images(&self, shared: &mut Shared) -> Box<[Image]> {
        let init = self.spec.init_containers.iter().map(|container| (container, true));
        let main = self.spec.containers.iter().map(|container| (container, false));
        init.chain(main)
            .map(|(container, is_init)| Image {
                container: shared.text(&container.name),
                image: shared.free(&container.image),
                is_init,
            })
            .collect()
    }
}

/// How a set's pods are replaced.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Strategy {
    #[prost(string, tag = "1")]
    #[serde(rename = "type", deserialize_with = "nullable")]
    pub kind: String,
    #[prost(message, optional, tag = "2")]
    pub rolling_update: Option<RollingUpdate>,
}

/// Of a stateful set only: what the others have under this number is of another type, and no partition.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct RollingUpdate {
    #[prost(int32, optional, tag = "1")]
    pub partition: Option<i32>,
}

/// The same without what rolls, for kinds of which only the type is read.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct StrategyType {
    #[prost(string, tag = "1")]
    #[serde(rename = "type", deserialize_with = "nullable")]
    pub kind: String,
}

/// A condition of a replica set, stateful set or daemon set: its numbers are not those of a pod's.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SetCondition {
    #[prost(string, tag = "1")]
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "nullable")]
    status: String,
    #[prost(message, optional, tag = "3")]
    last_transition_time: Option<Time>,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(deserialize_with = "free")]
    reason: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    #[serde(deserialize_with = "free")]
    message: Vec<u8>,
}

impl SetCondition {
    pub fn row(&self, shared: &mut Shared) -> ConditionRow {
        ConditionRow {
            kind: shared.text(&self.kind),
            status: Status::parse(&self.status),
            reason: shared.free(&self.reason),
            message: own(&self.message),
            changed: self.last_transition_time.as_ref().and_then(Time::second),
        }
    }
}

/// A number or a word, as a budget's `minAvailable` and a service's `targetPort` are.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IntOrString {
    /// 0 for a number.
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int32, tag = "2")]
    number: i32,
    #[prost(string, tag = "3")]
    word: String,
}

impl IntOrString {
    pub fn text(&self, shared: &mut Shared) -> Text {
        if self.kind == 0 { shared.text(&self.number.to_string()) } else { shared.text(&self.word) }
    }
}

impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = IntOrString;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a string")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<IntOrString, E> {
                let number = i32::try_from(number).map_err(E::custom)?;
                Ok(IntOrString { number, ..IntOrString::default() })
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<IntOrString, E> {
                let number = i32::try_from(number).map_err(E::custom)?;
                Ok(IntOrString { number, ..IntOrString::default() })
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<IntOrString, E> {
                Ok(IntOrString { kind: 1, number: 0, word: word.to_owned() })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A count: the API has signed ones, and none below zero.
pub fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// What is wanted, which is one where nothing is said.
pub fn wanted(replicas: Option<i32>) -> u32 {
    replicas.map_or(1, count)
}
