//! JSON patch (RFC 6902): a list of operations, of which all are done or none.

use serde_json::Value;

use super::super::status::Refusal;

/// More than a server takes.
const MOST_OPERATIONS: usize = 10_000;

/// One operation could not be carried out. Which one a server does not tell, and so neither does this one.
struct Failed;

pub(super) fn apply(object: &mut Value, patch: &Value) -> Result<(), Refusal> {
    let Some(operations) = patch.as_array() else {
        return Err(Refusal::bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        ));
    };
    if operations.len() > MOST_OPERATIONS {
        return Err(Refusal::too_large(&format!(
            "The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {}",
            operations.len()
        )));
    }
    operations
        .iter()
        .try_for_each(|operation| carry_out(object, operation))
        .map_err(|Failed| Refusal::patch_not_applied())
}

fn carry_out(object: &mut Value, operation: &Value) -> Result<(), Failed> {
    let text = |field: &str| operation[field].as_str().ok_or(Failed);
    let value = || operation.get("value").cloned().ok_or(Failed);
    let path = text("path")?;
    match text("op")? {
        "add" => add(object, path, value()?),
        "remove" => remove(object, path).map(drop),
        "replace" => {
            *object.pointer_mut(path).ok_or(Failed)? = value()?;
            Ok(())
        }
        "move" => {
            let moved = remove(object, text("from")?)?;
            add(object, path, moved)
        }
        "copy" => {
            let copied = object.pointer(text("from")?).ok_or(Failed)?.clone();
            add(object, path, copied)
        }
        "test" => {
            // What is not there is null to a test.
            let found = object.pointer(path).unwrap_or(&Value::Null);
            if *found == operation["value"] { Ok(()) } else { Err(Failed) }
        }
        _ => Err(Failed),
    }
}

fn add(object: &mut Value, path: &str, value: Value) -> Result<(), Failed> {
    if path.is_empty() {
        *object = value;
        return Ok(());
    }
    let (parent, token) = split(path)?;
    match object.pointer_mut(parent).ok_or(Failed)? {
        Value::Object(fields) => {
            fields.insert(token, value);
        }
        Value::Array(items) => {
            let at = if token == "-" { items.len() } else { index(&token)? };
            if at > items.len() {
                return Err(Failed);
            }
            items.insert(at, value);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(Failed),
    }
    Ok(())
}

fn remove(object: &mut Value, path: &str) -> Result<Value, Failed> {
    let (parent, token) = split(path)?;
    match object.pointer_mut(parent).ok_or(Failed)? {
        Value::Object(fields) => fields.remove(&token).ok_or(Failed),
        Value::Array(items) => {
            let at = index(&token)?;
            if at < items.len() { Ok(items.remove(at)) } else { Err(Failed) }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(Failed),
    }
}

/// The pointer to what holds a place, and the place's own name.
fn split(path: &str) -> Result<(&str, String), Failed> {
    let (parent, token) = path.rsplit_once('/').ok_or(Failed)?;
    Ok((parent, token.replace("~1", "/").replace("~0", "~")))
}

fn index(token: &str) -> Result<usize, Failed> {
    token.parse().map_err(|_| Failed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(patch: &Value) -> Option<Value> {
        let mut object = json!({ "metadata": { "labels": { "a/b": "1" } }, "spec": { "taints": [{ "key": "x" }, { "key": "y" }] } });
        apply(&mut object, patch).ok().map(|()| object)
    }

    #[test]
    fn every_operation_does_what_the_standard_says() {
        let made = patched(&json!([
            { "op": "test", "path": "/metadata/labels/a~1b", "value": "1" },
            { "op": "test", "path": "/metadata/nothing", "value": null },
            { "op": "add", "path": "/spec/taints/-", "value": { "key": "z" } },
            { "op": "remove", "path": "/spec/taints/0" },
            { "op": "replace", "path": "/metadata/labels/a~1b", "value": "2" },
            { "op": "copy", "from": "/metadata/labels", "path": "/spec/labels" },
            { "op": "move", "from": "/spec/labels/a~1b", "path": "/spec/moved" },
        ]));
        assert_eq!(
            made,
            Some(json!({
                "metadata": { "labels": { "a/b": "2" } },
                "spec": { "taints": [{ "key": "y" }, { "key": "z" }], "labels": {}, "moved": "2" },
            }))
        );
    }

    #[test]
    fn what_cannot_be_done_fails_the_whole_patch() {
        for operation in [
            json!({ "op": "test", "path": "/metadata/labels/a~1b", "value": "2" }),
            json!({ "op": "remove", "path": "/metadata/annotations" }),
            json!({ "op": "replace", "path": "/metadata/annotations", "value": {} }),
            json!({ "op": "add", "path": "/spec/taints/7", "value": {} }),
            json!({ "op": "add", "path": "/spec/none/deeper", "value": {} }),
            json!({ "op": "sing", "path": "/spec" }),
        ] {
            let patch = json!([{ "op": "add", "path": "/spec/done", "value": true }, operation]);
            assert_eq!(patched(&patch), None, "{operation}");
        }
    }
}
