//! What the API server was asked, by its own log: who asked, what, and when it was answered.
//!
//! It is the fair clock for how quickly something was sent: it ticks where the requests arrive, however late the test
//! itself is woken.

use crate::cluster::{Api, Hollow};
use jiff::civil::DateTime;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Requests {
    log: PathBuf,
}

#[derive(Clone, Debug)]
pub struct Request {
    /// When it was answered.
    pub at: DateTime,
    pub verb: String,
    pub path: String,
    pub agent: String,
    pub code: u16,
}

impl Requests {
    /// From now on each request is written down.
    pub async fn recorded(hollow: &Hollow, api: &Api) -> Self {
        api.put_text("/debug/flags/v", "3").await;
        Self { log: hollow.file("kube-apiserver.log") }
    }

    pub fn all(&self) -> Vec<Request> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        text.lines().filter_map(Request::read).collect()
    }

    /// What the program changed, or would have: no reads, no questions for rights, and not what tests break.
    pub fn writes(&self) -> Vec<Request> {
        // A log is read through the kubelet, which the server calls by another word.
        let is_log = |path: &str| path.split_once("/log?").is_some_and(|(pod, _)| pod.contains("/pods/"));
        let is_read = |request: &Request| {
            matches!(request.verb.as_str(), "GET" | "LIST" | "WATCH") || is_log(&request.path)
        };
        let is_ours = |request: &Request| request.agent.starts_with("sickbay/") && !is_read(request);
        let is_of_test = |request: &Request| request.path.ends_with("/configmaps/hollow");
        let is_question = |request: &Request| request.path.ends_with("/selfsubjectaccessreviews");
        let all = self.all().into_iter();
        all.filter(|request| is_ours(request) && !is_of_test(request) && !is_question(request)).collect()
    }

    /// Writes of the program to a node that were carried out, in their order.
    pub fn changes_of(&self, node: &str) -> Vec<Request> {
        let path = format!("/api/v1/nodes/{node}?fieldManager=sickbay");
        self.writes().into_iter().filter(|request| request.path == path && request.code == 200).collect()
    }

    /// The same where there have to be so many: a watch can show the last of them before the server writes it down.
    pub fn changes(&self, node: &str, many: usize) -> Vec<Request> {
        let since = Instant::now();
        loop {
            let changes = self.changes_of(node);
            if changes.len() >= many || since.elapsed() > PATIENCE {
                assert_eq!(changes.len(), many, "{changes:#?}");
                return changes;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// When the node first showed that it lives, after a moment: by its lease, or by its status.
    pub fn life(&self, node: &str, after: DateTime) -> Option<Request> {
        let paths = [
            format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}"),
            format!("/api/v1/nodes/{node}/status"),
        ];
        let is_word = |request: &Request| {
            let is_kubelet = request.agent.starts_with("hollow-cluster");
            is_kubelet && request.verb != "GET" && request.code == 200 && request.at > after
        };
        self.all().into_iter().find(|request| {
            let path = request.path.split('?').next().unwrap_or_default();
            paths.iter().any(|known| known == path) && is_word(request)
        })
    }

    /// Before this the program has read the node's lease twice, so far apart, and the last time right before.
    pub fn assert_proved(&self, node: &str, mark: &Request) {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}");
        let all = self.all();
        let reads: Vec<&Request> = all
            .iter()
            .filter(|request| {
                request.path == path && request.verb == "GET" && request.agent.starts_with("sickbay/")
            })
            .filter(|request| request.at < mark.at)
            .collect();
        let (first, last) = (reads.first().unwrap(), reads.last().unwrap());
        assert!(seconds(first.at, last.at) >= 14.9, "{first:?} {last:?}");
        assert!(seconds(last.at, mark.at) <= 5.5, "{last:?} {mark:?}");
    }
}

pub fn seconds(from: DateTime, to: DateTime) -> f64 {
    Duration::try_from(to.duration_since(from)).map_or(-1.0, |between| between.as_secs_f64())
}

impl Request {
    /// `I1121 21:22:45.815570   31631 httplog.go:134] "HTTP" verb="PATCH" URI="/api/v1/nodes/a" … resp=200`
    fn read(line: &str) -> Option<Self> {
        let (head, fields) = line.split_once("] \"HTTP\" ")?;
        let mut words = head.strip_prefix('I')?.split_whitespace();
        let (day, time) = (words.next()?, words.next()?);
        // Of some year: only differences count.
        let at = DateTime::strptime("%Y %m%d %H:%M:%S%.f", format!("2026 {day} {time}")).ok()?;
        let field = |name: &str| {
            let (_, rest) = fields.split_once(&format!("{name}=\""))?;
            Some(rest.split('"').next()?.to_owned())
        };
        let (_, code) = fields.rsplit_once("resp=")?;
        Some(Self {
            at,
            verb: field("verb")?,
            path: field("URI")?,
            agent: field("userAgent")?,
            code: code.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?,
        })
    }
}
