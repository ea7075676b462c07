//! What a pod of a template asks for: what is kept free for it, what it may use at most, and which of its containers
//! do not say.

use super::Template;
use crate::cluster::{Resources, Text, millis};
use serde_json::Value;

impl Template {
    /// What the scheduler keeps free for one pod: the containers together with the sidecars, or the largest init
    /// container where that asks for more.
    pub fn requests(&self) -> Resources {
        self.sum(|container| Resources {
            cpu_millis: request(container, "cpu").unwrap_or_default(),
            memory_bytes: request(container, "memory").unwrap_or_default().div_ceil(1000),
        })
    }

    /// What one pod may use, of what quotas count.
    pub fn limits(&self) -> Resources {
        self.sum(|container| Resources {
            cpu_millis: limit(container, "cpu").unwrap_or_default(),
            memory_bytes: limit(container, "memory").unwrap_or_default().div_ceil(1000),
        })
    }

    /// The containers that ask for none of a resource.
    pub fn without_request(&self, resource: &str) -> Vec<Text> {
        let lacks = |container: &&Value| request(container, resource).is_none();
        let name = |container: &Value| Text::new(container["name"].as_str().unwrap_or_default());
        list(&self.value()["spec"]["containers"]).iter().filter(lacks).map(name).collect()
    }

    fn sum(&self, of: impl Fn(&Value) -> Resources) -> Resources {
        let spec = &self.value()["spec"];
        let (mut sidecars, mut first) = (Resources::default(), Resources::default());
        for init in list(&spec["initContainers"]) {
            let asked = sidecars.and(of(init));
            if init["restartPolicy"] == "Always" {
                sidecars = asked;
            }
            first = first.or(asked);
        }
        let main = list(&spec["containers"]).iter().map(of).fold(sidecars, Resources::and);
        main.or(first)
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whoever says only how much it may use asks for all of it.
fn request(container: &Value, resource: &str) -> Option<u64> {
    amount(&container["resources"]["requests"][resource]).or_else(|| limit(container, resource))
}

fn limit(container: &Value, resource: &str) -> Option<u64> {
    amount(&container["resources"]["limits"][resource])
}

fn amount(value: &Value) -> Option<u64> {
    match value.as_str() {
        Some(written) => millis(written),
        None => millis(&value.as_number()?.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_asks_for_its_containers_or_for_the_largest_that_comes_first() {
        let of = |cpu: &str, memory: &str| json!({ "requests": { "cpu": cpu, "memory": memory } });
        let template = Template::new(json!({ "spec": {
            "initContainers": [
                { "name": "proxy", "restartPolicy": "Always", "resources": of("100m", "64Mi") },
                { "name": "migrate", "resources": of("1", "32Mi") },
            ],
            "containers": [
                { "name": "web", "resources": { "limits": { "cpu": "250m", "memory": "128Mi" } } },
                { "name": "log", "resources": { "requests": { "cpu": 0.05 } } },
            ],
        } }));
        assert_eq!(template.requests(), Resources { cpu_millis: 1100, memory_bytes: 192 << 20 });
        assert_eq!(template.limits(), Resources { cpu_millis: 250, memory_bytes: 128 << 20 });
        assert_eq!(template.without_request("memory"), ["log"]);
        assert!(template.without_request("cpu").is_empty());
    }
}
