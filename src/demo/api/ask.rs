//! A request, read: which resource, which of its objects, in which shape the answer is wanted.
//!
//! Nothing is looked up here, and no body is read.

use http::HeaderMap;
use http::header::ACCEPT;

use super::super::resource::Resource;
use super::super::store::Key;
use super::status::Refusal;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    Version,
    Health,
    CoreVersions,
    Groups,
    /// The resources of one group and version.
    Group(String, String),
    Collection(Resource, Option<String>),
    Object(Resource, Key),
    /// A part of an object that is read or written apart.
    Part(Resource, Key, Part),
    Review(Review),
    /// The list of the schemas, or one of them: of a group and version.
    Schemas,
    Schema(String, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Status,
    Scale,
    Eviction,
    Binding,
    Log,
}

impl Part {
    pub(crate) const ALL: [Self; 5] = [Self::Status, Self::Scale, Self::Eviction, Self::Binding, Self::Log];

    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Eviction => "eviction",
            Self::Binding => "binding",
            Self::Log => "log",
        }
    }

    pub(crate) const fn is_of(self, resource: Resource) -> bool {
        match self {
            Self::Status => resource.has_status(),
            Self::Scale => resource.has_scale(),
            Self::Eviction | Self::Binding | Self::Log => matches!(resource, Resource::Pods),
        }
    }

    fn named(resource: Resource, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.id() == name && part.is_of(resource))
    }
}

/// Questions of what one may do, and who one is; they are asked with a POST and stored nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Review {
    Access,
    Rules,
    Identity,
}

impl Review {
    pub(crate) const ALL: [Self; 3] = [Self::Access, Self::Rules, Self::Identity];

    pub(crate) const fn group(self) -> &'static str {
        match self {
            Self::Access | Self::Rules => "authorization.k8s.io",
            Self::Identity => "authentication.k8s.io",
        }
    }

    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Access => "SelfSubjectAccessReview",
            Self::Rules => "SelfSubjectRulesReview",
            Self::Identity => "SelfSubjectReview",
        }
    }

    pub(crate) fn plural(self) -> String {
        format!("{}s", self.kind().to_lowercase())
    }

    fn named(group: &str, version: &str, plural: &str) -> Option<Self> {
        let is_it = |review: &Self| (review.group(), "v1", &*review.plural()) == (group, version, plural);
        Self::ALL.into_iter().find(is_it)
    }
}

impl Path {
    pub(crate) fn parse(path: &str) -> Result<Self, Refusal> {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, version, rest) = match segments[..] {
            ["version"] => return Ok(Self::Version),
            // Single checks as well, `/readyz/etcd`: all is as well as the whole.
            ["livez" | "readyz" | "healthz", ..] => return Ok(Self::Health),
            ["api"] => return Ok(Self::CoreVersions),
            ["apis"] => return Ok(Self::Groups),
            ["openapi", "v3"] => return Ok(Self::Schemas),
            ["openapi", "v3", "api", version] => return Ok(Self::Schema(String::new(), version.to_owned())),
            ["openapi", "v3", "apis", group, version] => {
                return Ok(Self::Schema(group.to_owned(), version.to_owned()));
            }
            ["api", version, ref rest @ ..] => ("", version, rest),
            ["apis", group, version, ref rest @ ..] => (group, version, rest),
            _ => return Err(Refusal::unknown_path()),
        };
        let resource = |plural| Resource::of_path(group, version, plural).ok_or_else(Refusal::unknown_path);
        if let [plural] = *rest
            && let Some(review) = Review::named(group, version, plural)
        {
            return Ok(Self::Review(review));
        }
        match *rest {
            [] => Ok(Self::Group(group.to_owned(), version.to_owned())),
            ["namespaces", name, "status"] if group.is_empty() => {
                Ok(Self::Part(Resource::Namespaces, Key::new("", name), Part::Status))
            }
            ["namespaces", namespace, plural] => {
                Ok(Self::Collection(namespaced(resource(plural)?)?, Some(namespace.to_owned())))
            }
            ["namespaces", namespace, plural, name] => {
                Ok(Self::Object(namespaced(resource(plural)?)?, Key::new(namespace, name)))
            }
            ["namespaces", namespace, plural, name, part] => {
                let resource = namespaced(resource(plural)?)?;
                let part = Part::named(resource, part).ok_or_else(Refusal::unknown_path)?;
                Ok(Self::Part(resource, Key::new(namespace, name), part))
            }
            [plural] => Ok(Self::Collection(resource(plural)?, None)),
            [plural, name] => {
                let resource = resource(plural)?;
                if resource.spelling().is_namespaced {
                    return Err(Refusal::unknown_path());
                }
                Ok(Self::Object(resource, Key::new("", name)))
            }
            [plural, name, part] => {
                let resource = resource(plural)?;
                let part = Part::named(resource, part).filter(|_| !resource.spelling().is_namespaced);
                let part = part.ok_or_else(Refusal::unknown_path)?;
                Ok(Self::Part(resource, Key::new("", name), part))
            }
            _ => Err(Refusal::unknown_path()),
        }
    }
}

fn namespaced(resource: Resource) -> Result<Resource, Refusal> {
    if resource.spelling().is_namespaced { Ok(resource) } else { Err(Refusal::unknown_path()) }
}

/// The parameters after the question mark, decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "1" | "True")
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        let refusal =
            || Refusal::bad_request(&format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"));
        text.parse().map(Some).map_err(|_| refusal())
    }

    /// `resourceVersion`: `None` if it is not given.
    pub(crate) fn version(&self) -> Result<Option<u64>, Refusal> {
        let text = self.text("resourceVersion");
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            Refusal::bad_request(&format!(
                "invalid resource version: resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \
                 \"{text}\": invalid syntax"
            ))
        })
    }
}

/// Percent signs and plus signs, undone.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match (bytes[at], escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (_, Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            (b'+', None) => decoded.push(b' '),
            (byte, None) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The shape in which objects are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Full,
    Table,
    MetadataOnly,
}

impl Shape {
    /// The first of the accepted shapes that the demo can make. It speaks JSON only: whoever also takes protobuf or
    /// YAML gets JSON.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        accepted(headers)
            .iter()
            .find_map(|media| match (media.name.as_str(), media.parameter("as")) {
                ("application/json" | "application/*" | "*/*" | "", "") => Some(Self::Full),
                ("application/json", "Table") if media.parameter("v") == "v1" => Some(Self::Table),
                ("application/json", "PartialObjectMetadata" | "PartialObjectMetadataList")
                    if media.parameter("v") == "v1" =>
                {
                    Some(Self::MetadataOnly)
                }
                _ => None,
            })
            .ok_or_else(Refusal::not_acceptable)
    }
}

/// Whether discovery is wanted in one document rather than group by group; refused if not even JSON will do.
pub(crate) fn wants_aggregated_discovery(headers: &HeaderMap) -> Result<bool, Refusal> {
    accepted(headers)
        .iter()
        .find_map(|media| match (media.name.as_str(), media.parameter("as")) {
            ("application/json" | "application/*" | "*/*" | "", "") => Some(false),
            ("application/json", "APIGroupDiscoveryList") if media.parameter("v") == "v2" => Some(true),
            _ => None,
        })
        .ok_or_else(Refusal::not_acceptable)
}

struct Media {
    name: String,
    parameters: Vec<(String, String)>,
}

impl Media {
    fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

fn accepted(headers: &HeaderMap) -> Vec<Media> {
    let values: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let text = if values.is_empty() { "*/*".to_owned() } else { values.join(",") };
    text.split(',')
        .map(|media| {
            let mut parts = media.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_owned();
            let parameters = parts
                .filter_map(|part| part.split_once('='))
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                .collect();
            Media { name, parameters }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(accept: &str) -> Option<Shape> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        Shape::of(&headers).ok()
    }

    #[test]
    fn paths_name_resources_in_their_scope() {
        let object = Path::Object(Resource::Pods, Key::new("data", "postgres-1"));
        assert_eq!(Path::parse("/api/v1/namespaces/data/pods/postgres-1").ok(), Some(object));
        let leases = Path::Collection(Resource::Leases, Some("kube-node-lease".to_owned()));
        let path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
        assert_eq!(Path::parse(path).ok(), Some(leases));
        let namespace = Path::Object(Resource::Namespaces, Key::new("", "data"));
        assert_eq!(Path::parse("/api/v1/namespaces/data").ok(), Some(namespace));
        for unknown in ["/", "/api/v1/pods/x", "/api/v1/namespaces/a/nodes", "/apis/apps/v1/pods", "/metrics"]
        {
            assert!(Path::parse(unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn parameters_are_decoded() {
        let query =
            Query::parse("fieldSelector=spec.nodeName%3Dworker-2%2Cx&labelSelector=a+in+%28b%29&watch=1");
        assert_eq!(query.text("fieldSelector"), "spec.nodeName=worker-2,x");
        assert_eq!(query.text("labelSelector"), "a in (b)");
        assert!(query.flag("watch") && !query.flag("allowWatchBookmarks"));
        assert_eq!(decode("100%"), "100%");
    }

    #[test]
    fn who_accepts_json_among_others_gets_json() {
        assert_eq!(shape("application/vnd.kubernetes.protobuf,application/json"), Some(Shape::Full));
        assert_eq!(
            shape("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"),
            Some(Shape::Table)
        );
        assert_eq!(
            shape("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"),
            Some(Shape::Full)
        );
        assert_eq!(
            shape("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            Some(Shape::MetadataOnly)
        );
        assert_eq!(shape("*/*"), Some(Shape::Full));
        assert_eq!(shape("text/plain"), None);
        assert_eq!(shape("application/vnd.kubernetes.protobuf"), None);
    }
}
