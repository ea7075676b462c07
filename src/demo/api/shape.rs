//! Objects in the shape that was asked for: in full, as rows of a table, or their metadata alone.
//!
//! The columns of each kind are in `table`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::ask::Shape;
use super::table;

/// One object on its own.
pub(crate) fn object(shape: Shape, resource: Resource, object: &Value, now: Timestamp) -> Value {
    match shape {
        Shape::Full => object.clone(),
        Shape::Table => table::of(resource, [object], &object["metadata"]["resourceVersion"], now),
        Shape::MetadataOnly => metadata_only(object),
    }
}

/// A list; `metadata` carries its version and how to go on.
pub(crate) fn list(
    shape: Shape,
    resource: Resource,
    objects: &[Arc<Value>],
    metadata: Value,
    now: Timestamp,
) -> Value {
    match shape {
        Shape::Full => json!({
            "kind": format!("{}List", resource.spelling().kind),
            "apiVersion": resource.api_version(),
            "metadata": metadata,
            "items": objects.iter().map(|object| list_item(object)).collect::<Vec<_>>(),
        }),
        Shape::Table => {
            let objects = objects.iter().map(AsRef::as_ref);
            let mut table = table::of(resource, objects, &metadata["resourceVersion"], now);
            table["metadata"] = metadata;
            table
        }
        Shape::MetadataOnly => json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "items": objects.iter().map(|object| metadata_only(object)).collect::<Vec<_>>(),
        }),
    }
}

/// The object of a bookmark: nothing but the version that the watch has reached.
pub(crate) fn bookmark(shape: Shape, resource: Resource, version: u64, is_end_of_list: bool) -> Value {
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if is_end_of_list {
        metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
    }
    match shape {
        Shape::Full => json!({
            "kind": resource.spelling().kind,
            "apiVersion": resource.api_version(),
            "metadata": metadata,
        }),
        Shape::Table => json!({
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": { "resourceVersion": version.to_string() },
            "columnDefinitions": null,
            "rows": [{ "cells": [], "object": { "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata } }],
        }),
        Shape::MetadataOnly => json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
        }),
    }
}

/// Items of a list do not say what they are: the list does.
fn list_item(object: &Value) -> Value {
    let mut item = object.clone();
    if let Value::Object(fields) = &mut item {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    item
}

pub(crate) fn metadata_only(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}
