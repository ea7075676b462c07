//! Writing: objects created, replaced and patched as an API server does it.
//!
//! Everything acts on a store that it is given; a dry run is the same on a copy. How one is deleted is in `delete`, what
//! evicting a pod takes in `eviction`.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object;
use super::super::resource::Resource;
use super::super::store::{Key, Store};
use super::ask::{Part, Query};
use super::status::{Blamed, Cause, Refusal};
use super::{defaults, patch, schema, validate};

/// What a writing request is about, whatever it does.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) resource: Resource,
    pub(crate) key: Key,
    /// Whether it is the status that is written and not the object.
    pub(crate) part: Option<Part>,
    pub(crate) query: &'a Query,
    pub(crate) now: Timestamp,
}

/// The answer to a write.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) code: StatusCode,
    pub(crate) body: Value,
    /// What the client is told besides: the fields that nobody knows.
    pub(crate) warnings: Vec<String>,
}

impl Written {
    pub(crate) const fn new(code: StatusCode, body: Value) -> Self {
        Self { code, body, warnings: Vec::new() }
    }
}

/// Whether a request only asks what would happen. `kind` names its options in the refusal.
pub(crate) fn is_dry_run(query: &Query, kind: &str) -> Result<bool, Refusal> {
    match query.text("dryRun") {
        "" => Ok(false),
        "All" => Ok(true),
        other => Err(unsupported_dry_run(kind, &json!([other]))),
    }
}

pub(super) fn unsupported_dry_run(kind: &str, value: &Value) -> Refusal {
    Refusal::invalid_request(kind, Cause::unsupported("dryRun", value, &["All"]))
}

/// An object from a request's body, of the kind that the path says.
pub(crate) fn read(target: &Target<'_>, body: &[u8]) -> Result<Value, Refusal> {
    let spelling = target.resource.spelling();
    let kind = spelling.kind;
    let mut object: Value = serde_json::from_slice(body).map_err(|error| {
        let told = if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() };
        let shown: String = String::from_utf8_lossy(body).chars().take(80).collect();
        Refusal::bad_request(&format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: \
             {told} ({shown})"
        ))
    })?;
    if !object.is_object() {
        return Err(Refusal::bad_request(&format!(
            "the object provided is unrecognized (must be of type {kind}): it is no object"
        )));
    }
    let given = (object::text(&object, "/apiVersion").to_owned(), object::text(&object, "/kind").to_owned());
    let is_other_kind = !given.1.is_empty() && given.1 != kind;
    let is_other_version = !given.0.is_empty() && given.0 != target.resource.api_version();
    if is_other_kind || is_other_version {
        let version = given.0.rsplit('/').next().unwrap_or_default();
        let given_kind = if given.1.is_empty() { kind } else { &given.1 };
        return Err(Refusal::bad_request(&format!(
            "{given_kind} in version \"{version}\" cannot be handled as a {kind}: no kind \"{given_kind}\" of version \
             \"{}\" is expected here, but \"{}\"",
            given.0,
            target.resource.api_version()
        )));
    }
    object["apiVersion"] = json!(target.resource.api_version());
    object["kind"] = json!(kind);
    if object["metadata"].is_null() {
        object["metadata"] = json!({});
    }
    if !object["metadata"].is_object() {
        return Err(Refusal::bad_request(&format!(
            "{kind} in version \"v1\" cannot be handled as a {kind}: metadata is no object"
        )));
    }
    if spelling.is_namespaced {
        if object["metadata"]["namespace"].is_null() || object["metadata"]["namespace"] == "" {
            object["metadata"]["namespace"] = json!(target.key.namespace);
        } else if object::namespace(&object) != target.key.namespace {
            return Err(Refusal::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    }
    Ok(object)
}

pub(crate) fn create(store: &mut Store, target: &Target<'_>, mut object: Value) -> Result<Written, Refusal> {
    let resource = target.resource;
    let warnings = fit(target, &mut object)?;
    if !object::text(&object, "/metadata/resourceVersion").is_empty() {
        return Err(Refusal::internal("resourceVersion should not be set on objects to be created"));
    }
    let uid = store.fresh_uid();
    let base = object::text(&object, "/metadata/generateName").to_owned();
    if object::name(&object).is_empty() && !base.is_empty() {
        object["metadata"]["name"] = json!(format!("{base}{}", suffix(&uid)));
    }
    let key = object::key(&object);
    admit_to_namespace(store, resource, &key)?;
    for owned in
        ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"]
    {
        unset(&mut object["metadata"], owned);
    }
    unset(&mut object["metadata"], "managedFields");
    object["metadata"]["uid"] = json!(uid);
    defaults::of_new(&mut object, resource, store);
    check(resource, &object, None)?;
    if store.get(resource, &key).is_some() {
        return Err(Refusal::already_exists(resource, &key.name));
    }
    let created = store.put(resource, object, target.now);
    Ok(Written { warnings, ..Written::new(StatusCode::CREATED, created.as_ref().clone()) })
}

/// New content needs a namespace that is there and stays.
fn admit_to_namespace(store: &Store, resource: Resource, key: &Key) -> Result<(), Refusal> {
    if !resource.spelling().is_namespaced {
        return Ok(());
    }
    let namespace = store.get(Resource::Namespaces, &Key::new("", &key.namespace));
    let namespace = namespace.ok_or_else(|| Refusal::not_found(Resource::Namespaces, &key.namespace))?;
    if object::is_deleting(&namespace) {
        return Err(Refusal::namespace_terminating(resource, key));
    }
    Ok(())
}

pub(crate) fn replace(store: &mut Store, target: &Target<'_>, object: Value) -> Result<Written, Refusal> {
    let Target { resource, key, .. } = target;
    check_name(target, &object)?;
    let current = current(store, target)?;
    let version = object::text(&object, "/metadata/resourceVersion");
    let uid = object::uid(&object);
    if !uid.is_empty() && uid != object::uid(&current) {
        return Err(other_uid(target, uid, object::uid(&current)));
    }
    if version.is_empty() && !resource.is_replaced_blindly() {
        let cause = Cause::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
        let spelling = resource.spelling();
        return Err(Refusal::invalid(
            Blamed { group: spelling.group, kind: spelling.plural, name: &key.name },
            &[cause],
        ));
    }
    update(store, target, &current, object)
}

fn other_uid(target: &Target<'_>, given: &str, known: &str) -> Refusal {
    let Target { resource, key, .. } = target;
    let place = [resource.spelling().plural, &key.namespace, &key.name];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{}, ResourceVersion: 0, AdditionalErrorMsg: Precondition \
         failed: UID in precondition: {given}, UID in object meta: {known}",
        place.join("/")
    );
    Refusal::conflict(*resource, &key.name, &why)
}

/// A patch that is asked for: how to read it, and its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patch<'a> {
    pub(crate) kind: patch::Kind,
    pub(crate) body: &'a [u8],
}

pub(crate) fn patch(store: &mut Store, target: &Target<'_>, patch: Patch<'_>) -> Result<Written, Refusal> {
    let current = current(store, target)?;
    let patched = patch::apply(patch.kind, &current, patch.body)?;
    check_name(target, &patched)?;
    update(store, target, &current, patched)
}

/// Puts a changed object in the place of the current one, as far as it may be changed.
fn update(
    store: &mut Store,
    target: &Target<'_>,
    current: &Value,
    mut object: Value,
) -> Result<Written, Refusal> {
    let Target { resource, key, .. } = target;
    let warnings = fit(target, &mut object)?;
    let version = object::text(&object, "/metadata/resourceVersion");
    if !version.is_empty() && version != object::text(current, "/metadata/resourceVersion") {
        return Err(Refusal::modified(*resource, &key.name));
    }
    if object::uid(&object).is_empty() {
        object["metadata"]["uid"] = current["metadata"]["uid"].clone();
    }
    for owned in [
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "managedFields",
    ] {
        keep(&mut object["metadata"], &current["metadata"], owned);
    }
    prune(&mut object["metadata"]);
    if target.part == Some(Part::Status) {
        let fields: Vec<String> =
            current.as_object().into_iter().flatten().map(|(field, _)| field.clone()).collect();
        for field in fields.iter().filter(|field| *field != "status" && *field != "metadata") {
            keep(&mut object, current, field);
        }
        keep(&mut object["metadata"], &current["metadata"], "finalizers");
        keep(&mut object["metadata"], &current["metadata"], "ownerReferences");
    } else {
        if resource.has_status() {
            keep(&mut object, current, "status");
        }
        defaults::fill(&mut object, *resource);
        // What was stored without its defaults has them when it is read.
        let mut before = current.clone();
        defaults::fill(&mut before, *resource);
        check(*resource, &object, Some(&before))?;
    }
    let stored = store.put(*resource, object, target.now);
    Ok(Written { warnings, ..Written::new(StatusCode::OK, stored.as_ref().clone()) })
}

/// Holds an object to its kind's type. What is unknown is dropped with a warning, or refused, as the client wishes.
fn fit(target: &Target<'_>, object: &mut Value) -> Result<Vec<String>, Refusal> {
    let kind = target.resource.spelling().kind;
    let refuse = |told: &str| {
        Refusal::bad_request(&format!("{kind} in version \"v1\" cannot be handled as a {kind}: {told}"))
    };
    let unknown = schema::fit(object, target.resource).map_err(|error| refuse(&error))?;
    let unknown: Vec<String> = unknown.iter().map(|path| format!("unknown field \"{path}\"")).collect();
    match target.query.text("fieldValidation") {
        "Strict" if !unknown.is_empty() => {
            Err(refuse(&format!("strict decoding error: {}", unknown.join(", "))))
        }
        "Ignore" => Ok(Vec::new()),
        _ => Ok(unknown),
    }
}

fn check(resource: Resource, object: &Value, before: Option<&Value>) -> Result<(), Refusal> {
    let causes = validate::complaints(resource, object, before);
    if causes.is_empty() {
        return Ok(());
    }
    let spelling = resource.spelling();
    Err(Refusal::invalid(
        Blamed { group: spelling.group, kind: spelling.kind, name: object::name(object) },
        &causes,
    ))
}

pub(super) fn current(store: &Store, target: &Target<'_>) -> Result<Value, Refusal> {
    let current = store.get(target.resource, &target.key);
    let current = current.ok_or_else(|| Refusal::not_found(target.resource, &target.key.name))?;
    Ok(current.as_ref().clone())
}

fn check_name(target: &Target<'_>, object: &Value) -> Result<(), Refusal> {
    let (given, wanted) = (object::name(object), &target.key.name);
    if given != wanted {
        return Err(Refusal::bad_request(&format!(
            "the name of the object ({given}) does not match the name on the URL ({wanted})"
        )));
    }
    if object::namespace(object) != target.key.namespace {
        return Err(Refusal::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

fn keep(object: &mut Value, current: &Value, field: &str) {
    match current.get(field) {
        Some(value) => object[field] = value.clone(),
        None => unset(object, field),
    }
}

pub(super) fn unset(object: &mut Value, field: &str) {
    if let Value::Object(fields) = object {
        fields.remove(field);
    }
}

/// Takes out what a server does not write: empty lists and maps.
fn prune(metadata: &mut Value) {
    if let Value::Object(fields) = metadata {
        fields.retain(|_, value| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        });
    }
}

/// The end of a generated name: five letters and digits that spell nothing.
fn suffix(uid: &str) -> String {
    const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digits = uid.bytes().rev().filter(u8::is_ascii_hexdigit).take(10).collect::<Vec<u8>>();
    let letters =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |sum, digit| sum * 16 + usize::from(*digit)));
    letters.map(|sum| char::from(SAFE[sum % SAFE.len()])).collect()
}

/// What is answered to what was made and is shown nowhere: an eviction, a binding.
pub(crate) fn success() -> Written {
    let body =
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 });
    Written::new(StatusCode::CREATED, body)
}
