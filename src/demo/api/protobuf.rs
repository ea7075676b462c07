//! Protobuf, as far as kubectl writes it: the objects that `kubectl create KIND NAME` makes.
//!
//! The tables hold the fields that it fills. Whatever else a message says is an error, never lost: a client that speaks
//! more protobuf than this has to speak JSON.

use serde_json::{Map, Value, json};

use super::super::resource::Resource;

/// Before every object.
const MAGIC: &[u8] = b"k8s\0";

/// How a field is read. Fields of the plain kinds are always written, so their zero says nothing; those that may be
/// missing mean what they say.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Texts,
    Number,
    MaybeNumber,
    Flag,
    One(Message),
    Many(Message),
    TextMap,
    QuantityMap,
    NumberOrText,
    /// The server's to write.
    Ignored,
}

type Message = &'static [(u64, &'static str, Type)];

use Type::{Flag, Ignored, Many, MaybeNumber, Number, NumberOrText, One, QuantityMap, Text, TextMap, Texts};

const METADATA: Message = &[
    (1, "name", Text),
    (2, "generateName", Text),
    (3, "namespace", Text),
    (8, "creationTimestamp", Ignored),
    (11, "labels", TextMap),
    (12, "annotations", TextMap),
    (14, "finalizers", Texts),
];
const SELECTOR: Message = &[(1, "matchLabels", TextMap), (2, "matchExpressions", Many(EXPRESSION))];
const EXPRESSION: Message = &[(1, "key", Text), (2, "operator", Text), (3, "values", Texts)];
const TEMPLATE: Message = &[(1, "metadata", One(METADATA)), (2, "spec", One(POD))];
const POD: Message = &[
    (2, "containers", Many(CONTAINER)),
    (3, "restartPolicy", Text),
    (4, "terminationGracePeriodSeconds", MaybeNumber),
    (6, "dnsPolicy", Text),
    (7, "nodeSelector", TextMap),
    (8, "serviceAccountName", Text),
    (10, "nodeName", Text),
    (11, "hostNetwork", Flag),
    (19, "schedulerName", Text),
];
const CONTAINER: Message = &[
    (1, "name", Text),
    (2, "image", Text),
    (3, "command", Texts),
    (4, "args", Texts),
    (5, "workingDir", Text),
    (6, "ports", Many(PORT)),
    (7, "env", Many(&[(1, "name", Text), (2, "value", Text)])),
    (8, "resources", One(&[(1, "limits", QuantityMap), (2, "requests", QuantityMap)])),
    (14, "imagePullPolicy", Text),
    (16, "stdin", Flag),
    (18, "tty", Flag),
];
const PORT: Message =
    &[(1, "name", Text), (2, "hostPort", Number), (3, "containerPort", Number), (4, "protocol", Text)];
const ROLLING: Message = &[(1, "maxUnavailable", NumberOrText), (2, "maxSurge", NumberOrText)];
const DEPLOYMENT: Message = &[
    (1, "replicas", MaybeNumber),
    (2, "selector", One(SELECTOR)),
    (3, "template", One(TEMPLATE)),
    (4, "strategy", One(&[(1, "type", Text), (2, "rollingUpdate", One(ROLLING))])),
    (5, "minReadySeconds", Number),
    (6, "revisionHistoryLimit", MaybeNumber),
    (7, "paused", Flag),
    (9, "progressDeadlineSeconds", MaybeNumber),
];
const JOB: Message = &[
    (1, "parallelism", MaybeNumber),
    (2, "completions", MaybeNumber),
    (3, "activeDeadlineSeconds", MaybeNumber),
    (6, "template", One(TEMPLATE)),
    (7, "backoffLimit", MaybeNumber),
    (8, "ttlSecondsAfterFinished", MaybeNumber),
];
const BUDGET: Message = &[
    (1, "minAvailable", NumberOrText),
    (2, "selector", One(SELECTOR)),
    (3, "maxUnavailable", NumberOrText),
    (4, "unhealthyPodEvictionPolicy", Text),
];
const SERVICE_PORT: Message = &[
    (1, "name", Text),
    (2, "protocol", Text),
    (3, "port", Number),
    (4, "targetPort", NumberOrText),
    (5, "nodePort", Number),
];
const SERVICE: Message = &[
    (1, "ports", Many(SERVICE_PORT)),
    (2, "selector", TextMap),
    (3, "clusterIP", Text),
    (4, "type", Text),
    (7, "sessionAffinity", Text),
    (10, "externalName", Text),
];

/// What kubectl makes of a kind; `None` if it makes none in protobuf.
const fn table(resource: Resource) -> Option<Message> {
    match resource {
        Resource::Namespaces => {
            Some(&[(1, "metadata", One(METADATA)), (2, "spec", Ignored), (3, "status", Ignored)])
        }
        Resource::Deployments => {
            Some(&[(1, "metadata", One(METADATA)), (2, "spec", One(DEPLOYMENT)), (3, "status", Ignored)])
        }
        Resource::Jobs => {
            Some(&[(1, "metadata", One(METADATA)), (2, "spec", One(JOB)), (3, "status", Ignored)])
        }
        Resource::PodDisruptionBudgets => {
            Some(&[(1, "metadata", One(METADATA)), (2, "spec", One(BUDGET)), (3, "status", Ignored)])
        }
        Resource::Services => {
            Some(&[(1, "metadata", One(METADATA)), (2, "spec", One(SERVICE)), (3, "status", Ignored)])
        }
        Resource::ConfigMaps => Some(&[(1, "metadata", One(METADATA)), (2, "data", TextMap)]),
        Resource::Nodes
        | Resource::Pods
        | Resource::PersistentVolumes
        | Resource::PersistentVolumeClaims
        | Resource::VolumeAttachments
        | Resource::Events
        | Resource::Leases
        | Resource::ReplicaSets
        | Resource::StatefulSets
        | Resource::DaemonSets
        | Resource::ControllerRevisions
        | Resource::EndpointSlices
        | Resource::CsiNodes
        | Resource::CsiDrivers
        | Resource::StorageClasses
        | Resource::ApiServices => None,
    }
}

/// An object as JSON; `None` if there is anything in it that is not understood.
pub(crate) fn object(resource: Resource, body: &[u8]) -> Option<Value> {
    let mut object = message(table(resource)?, envelope(body)?)?;
    object["apiVersion"] = json!(resource.api_version());
    object["kind"] = json!(resource.spelling().kind);
    Some(object)
}

/// The message within what surrounds every object: its kind is known from the path.
pub(crate) fn envelope(body: &[u8]) -> Option<&[u8]> {
    field(body.strip_prefix(MAGIC)?, 2)
}

/// The bytes of a message's field, if it has one of that number.
pub(crate) fn field(message: &[u8], wanted: u64) -> Option<&[u8]> {
    Fields(message).map_while(|field| field).find_map(|(number, content)| match content {
        Content::Bytes(bytes) if number == wanted => Some(bytes),
        Content::Bytes(_) | Content::Number(_) => None,
    })
}

fn message(table: Message, bytes: &[u8]) -> Option<Value> {
    let mut object = Map::new();
    for next in Fields(bytes) {
        let (number, content) = next?;
        let known = table.iter().find(|(known, _, _)| *known == number);
        match known {
            Some((_, name, kind)) => put(&mut object, name, *kind, content)?,
            // Written although there is nothing in it.
            None if content.is_empty() => {}
            None => return None,
        }
    }
    Some(Value::Object(object))
}

fn put(object: &mut Map<String, Value>, name: &str, kind: Type, content: Content<'_>) -> Option<()> {
    let mut set = |value: Value| {
        object.insert(name.to_owned(), value);
    };
    match (kind, content) {
        (Ignored, _) | (Text, Content::Bytes([])) | (Number, Content::Number(0)) => {}
        (Text, Content::Bytes(bytes)) => set(json!(text(bytes)?)),
        (Number | MaybeNumber, Content::Number(number)) => set(json!(number.cast_signed())),
        (Flag, Content::Number(flag)) => {
            if flag != 0 {
                set(json!(true));
            }
        }
        (One(table), Content::Bytes(bytes)) => set(message(table, bytes)?),
        (NumberOrText, Content::Bytes(bytes)) => set(number_or_text(bytes)?),
        (Texts, Content::Bytes(bytes)) => push(object, name, json!(text(bytes)?)),
        (Many(table), Content::Bytes(bytes)) => push(object, name, message(table, bytes)?),
        (TextMap | QuantityMap, Content::Bytes(bytes)) => {
            let value = field(bytes, 2).unwrap_or_default();
            // An amount is a message with its text in it.
            let value = if matches!(kind, QuantityMap) { field(value, 1)? } else { value };
            let key = text(field(bytes, 1).unwrap_or_default())?;
            object.entry(name).or_insert_with(|| json!({}))[key] = json!(text(value)?);
        }
        (Text | Texts | One(_) | Many(_) | TextMap | QuantityMap | NumberOrText, Content::Number(_))
        | (Number | MaybeNumber | Flag, Content::Bytes(_)) => return None,
    }
    Some(())
}

fn push(object: &mut Map<String, Value>, name: &str, item: Value) {
    if let Some(items) = object.entry(name).or_insert_with(|| json!([])).as_array_mut() {
        items.push(item);
    }
}

fn number_or_text(bytes: &[u8]) -> Option<Value> {
    const IS_TEXT: (u64, u64) = (1, 1);
    let (mut is_text, mut number) = (false, 0);
    for next in Fields(bytes) {
        match next? {
            (1, Content::Number(kind)) => is_text = (1, kind) == IS_TEXT,
            (2, Content::Number(value)) => number = value.cast_signed(),
            (_, Content::Bytes(_)) => {}
            (_, Content::Number(_)) => return None,
        }
    }
    if is_text { Some(json!(text(field(bytes, 3)?)?)) } else { Some(json!(number)) }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

#[derive(Clone, Copy)]
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl Content<'_> {
    fn is_empty(self) -> bool {
        match self {
            Self::Number(number) => number == 0,
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }
}

/// The fields of a message, in their order; `None` and nothing after it where it cannot be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Content<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = next_field(&mut self.0);
        if read.is_none() {
            self.0 = &[];
        }
        Some(read)
    }
}

fn next_field<'a>(message: &mut &'a [u8]) -> Option<(u64, Content<'a>)> {
    let tag = varint(message)?;
    let content = match tag & 7 {
        0 => Content::Number(varint(message)?),
        2 => {
            let length = usize::try_from(varint(message)?).ok()?;
            let (value, rest) = message.split_at_checked(length)?;
            *message = rest;
            Content::Bytes(value)
        }
        // No field of these messages is of any other type.
        _ => return None,
    };
    Some((tag >> 3, content))
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: u8, value: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(value.len()).unwrap()], value].concat()
    }

    fn enveloped(message: &[u8]) -> Vec<u8> {
        [MAGIC, &of(1, b""), &of(2, message)].concat()
    }

    #[test]
    fn a_budget_as_kubectl_writes_it_is_read() {
        let labels = of(1, &[of(1, b"app"), of(2, b"web")].concat());
        let least = of(1, &[&[8, 1, 16, 0][..], &of(3, b"50%")].concat());
        let spec = of(2, &[least, of(2, &labels)].concat());
        let metadata = of(1, &[of(1, b"web"), of(2, b""), of(8, b"")].concat());
        let body = enveloped(&[metadata, spec, of(3, &[24, 0])].concat());
        assert_eq!(
            object(Resource::PodDisruptionBudgets, &body),
            Some(json!({
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": { "name": "web" },
                "spec": { "minAvailable": "50%", "selector": { "matchLabels": { "app": "web" } } },
            }))
        );
    }

    #[test]
    fn what_is_not_understood_is_no_object() {
        let unknown = enveloped(&of(1, &of(13, b"owner")));
        assert_eq!(object(Resource::ConfigMaps, &unknown), None);
        let whole = enveloped(&of(1, &of(1, b"web")));
        assert!(object(Resource::ConfigMaps, &whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(object(Resource::ConfigMaps, &whole[..end]), None, "{end}");
        }
        assert_eq!(object(Resource::Leases, &whole), None);
    }
}
