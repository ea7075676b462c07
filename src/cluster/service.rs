//! A service: how it is reached, and the labels of the pods behind it.
//!
//! Which pods those are is read from their labels, as the endpoints' controller does; endpoints are not watched.

use super::{Labels, Meta, Selector, Text};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub meta: Meta,
    /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
    pub kind: Text,
    /// `None` for a headless one.
    pub cluster_ip: Text,
    pub external_name: Text,
    /// What a load balancer gave it: addresses or names.
    pub ingress: Box<[Text]>,
    pub ports: Box<[Port]>,
    /// Empty where somebody else says what is behind it.
    pub labels: Labels,
    /// Pods count before they are ready.
    pub publishes_unready: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    pub name: Text,
    pub protocol: Text,
    pub port: u16,
    /// Of the pods: a number or a port's name.
    pub target: Text,
    /// On every node; 0 for none.
    pub node_port: u16,
}

impl Service {
    /// The selector of the pods behind it; `None` where it selects none by itself.
    pub fn selector(&self) -> Option<Selector> {
        let is_external = self.kind == "ExternalName";
        (!is_external && !self.labels.is_empty()).then(|| Selector::of(self.labels.clone()))
    }

    pub fn is_headless(&self) -> bool {
        self.cluster_ip == "None"
    }
}

impl Port {
    /// As kubectl prints it: `80/TCP`, `80:30080/TCP`.
    pub fn short(&self) -> String {
        match self.node_port {
            0 => format!("{}/{}", self.port, self.protocol),
            node_port => format!("{}:{node_port}/{}", self.port, self.protocol),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_labels_selects_nothing_rather_than_everything() {
        assert_eq!(Service::default().selector(), None);
        let labels = Labels::from([("app".into(), "web".into())]);
        let web = Service { labels, ..Service::default() };
        assert_eq!(web.selector().unwrap().to_string(), "app=web");
        assert_eq!(Service { kind: "ExternalName".into(), ..web }.selector(), None);
    }
}
