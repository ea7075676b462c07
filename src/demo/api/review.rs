//! What a user may do, and who they are: the reviews that clients ask before they offer or try something.
//!
//! Everybody may do everything, except for what the faults deny. kubectl asks in protobuf; as much of that as the
//! question takes is read here.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::backend::Backend;
use super::super::resource::Resource;
use super::super::store::Key;
use super::USER;
use super::ask::Review;
use super::protobuf::{envelope, field};
use super::status::Refusal;
use super::write::Written;

pub(crate) fn answer(
    backend: &Backend,
    review: Review,
    content_type: &str,
    body: &[u8],
) -> Result<Written, Refusal> {
    let spec = match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" | "" => {
            let asked: Value =
                serde_json::from_slice(body).map_err(|error| Refusal::bad_request(&error.to_string()))?;
            asked["spec"].clone()
        }
        "application/vnd.kubernetes.protobuf" => {
            read(review, body).ok_or_else(|| Refusal::bad_request("the review cannot be read"))?
        }
        _ => return Err(Refusal::unsupported_media()),
    };
    let status = match review {
        Review::Access => json!({ "allowed": is_allowed(backend, &spec) }),
        Review::Rules => json!({
            "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
            "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
            "incomplete": false,
        }),
        Review::Identity => {
            json!({ "userInfo": { "username": USER, "groups": ["system:masters", "system:authenticated"] } })
        }
    };
    let answer = json!({
        "kind": review.kind(),
        "apiVersion": format!("{}/v1", review.group()),
        "metadata": {},
        "spec": spec,
        "status": status,
    });
    Ok(Written::new(StatusCode::CREATED, answer))
}

fn is_allowed(backend: &Backend, spec: &Value) -> bool {
    let attributes = &spec["resourceAttributes"];
    let text = |field: &str| attributes[field].as_str().unwrap_or_default();
    let named = Resource::ALL.into_iter().find(|resource| {
        let spelling = resource.spelling();
        (spelling.plural, spelling.group) == (text("resource"), text("group"))
    });
    let verb = match text("subresource") {
        "" => text("verb").to_owned(),
        part => format!("{}/{part}", text("verb")),
    };
    let key = Key::new(text("namespace"), text("name"));
    named.is_none_or(|resource| !backend.levers.denies(&verb, resource, &key))
}

/// The `spec` of a review in protobuf, as JSON.
fn read(review: Review, body: &[u8]) -> Option<Value> {
    let object = envelope(body)?;
    let spec = field(object, 2).unwrap_or_default();
    let text = |message: &[u8], number: u64| {
        field(message, number).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    };
    match review {
        Review::Access => {
            let names = ["namespace", "verb", "group", "version", "resource", "subresource", "name"];
            let Some(attributes) = field(spec, 1) else {
                let asked = field(spec, 2)?;
                let attributes = json!({ "path": text(asked, 1), "verb": text(asked, 2) });
                return Some(json!({ "nonResourceAttributes": attributes }));
            };
            let fields =
                names.iter().zip(1..).map(|(name, number)| ((*name).to_owned(), text(attributes, number)));
            let fields: Value = fields.filter(|(_, value)| !value.is_empty()).collect();
            Some(json!({ "resourceAttributes": fields }))
        }
        Review::Rules => Some(json!({ "namespace": text(spec, 1) })),
        Review::Identity => Some(json!({})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_in_protobuf_is_read() {
        let field = |number: u8, value: &[u8]| {
            let length = u8::try_from(value.len()).unwrap();
            [&[number << 3 | 2, length], value].concat()
        };
        let attributes =
            [field(1, b"shop"), field(2, b"create"), field(5, b"pods"), field(6, b"eviction")].concat();
        let review = [field(1, b""), field(2, &field(1, &attributes))].concat();
        let body = [b"k8s\0", &*field(1, b""), &field(2, &review)].concat();
        let asked = json!({ "resourceAttributes": {
            "namespace": "shop", "verb": "create", "resource": "pods", "subresource": "eviction",
        } });
        assert_eq!(read(Review::Access, &body), Some(asked));
        assert_eq!(read(Review::Access, &body[..body.len() - 3]), None);
        assert_eq!(read(Review::Access, b"{}"), None);
    }
}
