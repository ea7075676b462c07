//! Changes from ordinary manifests, as `kubectl get -o yaml` prints them: for files rather than for the wire.

use super::decoder::{Decoder, LeaseDecoder, Raw};
use crate::cluster::{Change, Kind};
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("document {at}: {reason}")]
    Syntax { at: usize, reason: String },
    #[error("document {at}: {reason}; check the object")]
    Object { at: usize, reason: String },
    #[error("document {at}: the kind {kind:?} is none that is watched")]
    Kind { at: usize, kind: String },
}

/// Reads JSON or YAML, several documents and `List`s included; each object as the change that puts it in.
pub fn manifest(text: &str) -> Result<Vec<Change>, ManifestError> {
    let mut changes = Vec::new();
    for (at, document) in (1..).zip(serde_yaml::Deserializer::from_str(text)) {
        let document = Value::deserialize(document)
            .map_err(|error| ManifestError::Syntax { at, reason: error.to_string() })?;
        match document.get("items") {
            Some(Value::Array(items)) => {
                for item in items {
                    changes.push(change(item, at)?);
                }
            }
            _ if document.is_null() => {}
            _ => changes.push(change(&document, at)?),
        }
    }
    Ok(changes)
}

fn change(object: &Value, at: usize) -> Result<Change, ManifestError> {
    let word = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let json = object.to_string();
    let raw = Raw::Json(json.as_bytes());
    let decoded = if word == "Lease" {
        LeaseDecoder::default()
            .lease(raw)
            .map(|lease| Change::Leases { leases: vec![lease], is_complete: false })
    } else {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == word) else {
            return Err(ManifestError::Kind { at, kind: word.to_owned() });
        };
        Decoder::new(kind).apply(raw).map(|applied| applied.change)
    };
    decoded.map_err(|undecodable| ManifestError::Object { at, reason: undecodable.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Delta;

    #[test]
    fn documents_and_lists_become_changes_in_their_order() {
        let changes = manifest(
            "kind: Namespace\nmetadata: {name: shop}\nstatus: {phase: Active}\n---\n---\n\
             kind: List\nitems:\n- {kind: Node, metadata: {name: worker-2}}\n\
             - {kind: Lease, metadata: {name: worker-2}, spec: {renewTime: 2026-01-01T00:00:00.000001Z}}\n",
        )
        .unwrap();
        assert_eq!(changes.len(), 3);
        assert!(matches!(&changes[0], Change::Namespace(Delta::Apply(row)) if row.phase == "Active"));
        assert!(matches!(&changes[1], Change::Node(Delta::Apply(row)) if row.meta.name.name == "worker-2"));
        assert!(matches!(&changes[2], Change::Leases { leases, .. } if leases[0].renewed.is_some()));
    }

    #[test]
    fn a_mistake_names_its_document() {
        let mistake = |text: &str| manifest(text).unwrap_err().to_string();
        assert!(mistake("kind: Node\n---\nkind: Node\nmetadata: {").starts_with("document"));
        assert_eq!(
            mistake("kind: Nodes\nmetadata: {name: a}"),
            "document 1: the kind \"Nodes\" is none that is watched"
        );
        assert_eq!(
            mistake("kind: Pod\nmetadata: {namespace: a}"),
            "document 1: pod without a readable name: it has no name; check the object"
        );
    }
}
