//! DELETE: what a request asks for, what it insists on, and the answer; one object, or all that a selector selects.
//!
//! What a deletion means to an object is in `deletion`.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::deletion::{self, Propagation, Wish};
use super::super::object;
use super::super::resource::Resource;
use super::super::store::Store;
use super::ask::Query;
use super::selector::Selector;
use super::status::{Cause, Refusal};
use super::write::{Target, Written, current, is_dry_run, unset, unsupported_dry_run};

/// What a DELETE asks for, from its body and its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeleteOptions {
    pub(crate) grace: Option<i64>,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) uid: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) is_dry_run: bool,
}

impl DeleteOptions {
    pub(crate) fn read(body: &[u8], query: &Query) -> Result<Self, Refusal> {
        let given: Value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(body).map_err(|error| Refusal::bad_request(&error.to_string()))?
        };
        let mut options = Self::of(&given)?;
        if options.grace.is_none() && !query.text("gracePeriodSeconds").is_empty() {
            let text = query.text("gracePeriodSeconds");
            options.grace = Some(text.parse().map_err(|_| {
                Refusal::bad_request(&format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"))
            })?);
        }
        if options.propagation.is_none() && !query.text("propagationPolicy").is_empty() {
            options.propagation = Some(propagation(query.text("propagationPolicy"))?);
        }
        options.is_dry_run |= is_dry_run(query, "DeleteOptions")?;
        Ok(options)
    }

    /// From the object alone, as an eviction carries it too.
    pub(crate) fn of(given: &Value) -> Result<Self, Refusal> {
        let text = |pointer: &str| given.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let dry_run = object::items(given, "/dryRun");
        if dry_run.iter().any(|kind| kind != "All") {
            return Err(unsupported_dry_run("DeleteOptions", &given["dryRun"]));
        }
        let orphan = given["orphanDependents"].as_bool();
        let orphan = orphan.map(|orphan| if orphan { Propagation::Orphan } else { Propagation::Background });
        let policy = text("/propagationPolicy").map(|policy| propagation(&policy)).transpose()?;
        Ok(Self {
            grace: object::number(given, "/gracePeriodSeconds"),
            propagation: policy.or(orphan),
            uid: text("/preconditions/uid"),
            version: text("/preconditions/resourceVersion"),
            is_dry_run: !dry_run.is_empty(),
        })
    }

    pub(crate) fn wish(&self, at: Timestamp) -> Wish {
        Wish { grace: self.grace, propagation: self.propagation, at }
    }

    /// Whether the object is the one that was meant.
    pub(crate) fn check(&self, resource: Resource, object: &Value) -> Result<(), Refusal> {
        let (uid, version) = (object::uid(object), object::text(object, "/metadata/resourceVersion"));
        let why = match (&self.uid, &self.version) {
            (Some(wanted), _) if wanted != uid => format!(
                "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might have \
                 been deleted and then recreated"
            ),
            (_, Some(wanted)) if wanted != version => format!(
                "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
                 ({version}). The object might have been modified"
            ),
            _ => return Ok(()),
        };
        Err(Refusal::conflict_on(resource.spelling().kind, object::name(object), &why))
    }
}

fn propagation(policy: &str) -> Result<Propagation, Refusal> {
    match policy {
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        "Orphan" => Ok(Propagation::Orphan),
        other => {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            let cause = Cause::unsupported("propagationPolicy", &json!(other), &known);
            Err(Refusal::invalid_request("DeleteOptions", cause))
        }
    }
}

pub(crate) fn one(
    store: &mut Store,
    target: &Target<'_>,
    options: &DeleteOptions,
) -> Result<Written, Refusal> {
    let Target { resource, key, now, .. } = target;
    let current = current(store, target)?;
    options.check(*resource, &current)?;
    deletion::carry_out(store, *resource, key, options.wish(*now));
    if let Some(kept) = store.get(*resource, key) {
        return Ok(Written::new(StatusCode::OK, kept.as_ref().clone()));
    }
    let mut last = current;
    if *resource == Resource::Pods {
        last["metadata"]["deletionTimestamp"] = json!(object::time(*now));
        last["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        return Ok(Written::new(StatusCode::OK, last));
    }
    let spelling = resource.spelling();
    let mut details = json!({ "name": key.name, "kind": spelling.plural, "uid": last["metadata"]["uid"] });
    if !spelling.group.is_empty() {
        details["group"] = json!(spelling.group);
    }
    let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details });
    Ok(Written::new(StatusCode::OK, status))
}

/// Deletes all that a selector selects; gives them as a list.
pub(crate) fn all(
    store: &mut Store,
    target: &Target<'_>,
    (selector, options): (&Selector, &DeleteOptions),
) -> Written {
    let doomed: Vec<Value> = store
        .list(target.resource)
        .filter(|object| selector.matches(object))
        .map(|object| object.as_ref().clone())
        .collect();
    for object in &doomed {
        deletion::carry_out(store, target.resource, &object::key(object), options.wish(target.now));
    }
    let items: Vec<Value> = doomed
        .into_iter()
        .map(|mut object| {
            unset(&mut object, "kind");
            unset(&mut object, "apiVersion");
            object
        })
        .collect();
    let list = json!({
        "kind": format!("{}List", target.resource.spelling().kind),
        "apiVersion": target.resource.api_version(),
        "metadata": { "resourceVersion": store.version().to_string() },
        "items": items,
    });
    Written::new(StatusCode::OK, list)
}
