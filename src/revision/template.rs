//! The pod template of a revision: as the server has it, and as lines for the eye.
//!
//! What goes back to the server is the value as it came. What is shown goes through the sanitiser line by line, and
//! is written so that no two values look the same: whatever a reader of YAML could take for another type is quoted,
//! and so is what cannot be printed.

use crate::cluster::{Image, Text};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::sync::Arc;

/// What controllers add to the labels of a template, and what is no part of what was wanted.
const HASH: &str = "pod-template-hash";

/// A template. Cheap to clone: it is shared, and never changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Arc<Value>);

impl Template {
    /// Of what the server says, without what controllers add to it.
    pub fn new(mut raw: Value) -> Self {
        if let Some(template) = raw.as_object_mut() {
            template.remove("$patch");
        }
        if let Some(meta) = raw.get_mut("metadata").and_then(Value::as_object_mut) {
            // Written by older controllers and left out by newer ones.
            if meta.get("creationTimestamp").is_some_and(Value::is_null) {
                meta.remove("creationTimestamp");
            }
            if let Some(labels) = meta.get_mut("labels").and_then(Value::as_object_mut) {
                labels.remove(HASH);
            }
        }
        Self(Arc::new(raw))
    }

    /// As it goes to the server.
    pub fn value(&self) -> &Value {
        &self.0
    }

    fn containers(&self, field: &str) -> impl Iterator<Item = &Map<String, Value>> {
        let list = self.0["spec"][field].as_array();
        list.into_iter().flatten().filter_map(Value::as_object)
    }

    /// In the order of the spec, init containers first.
    pub fn images(&self) -> Vec<Image> {
        let of = |field, is_init| {
            self.containers(field).map(move |container| {
                let text = |key| Text::new(container.get(key).and_then(Value::as_str).unwrap_or_default());
                Image { container: text("name"), image: text("image"), is_init }
            })
        };
        of("initContainers", true).chain(of("containers", false)).collect()
    }

    /// As YAML, a line each.
    pub fn lines(&self) -> Vec<Text> {
        written(&self.0)
    }
}

/// A value as YAML, a line each, that reads back as what it is.
pub fn written(value: &Value) -> Vec<Text> {
    let mut lines = Lines::default();
    lines.write(value, 0);
    lines.finish()
}

/// Lines that are being written.
#[derive(Default)]
struct Lines {
    done: Vec<Text>,
    line: String,
    /// The line holds the dash of a list and nothing behind it.
    is_dash: bool,
}

impl Lines {
    fn finish(mut self) -> Vec<Text> {
        self.end();
        self.done
    }

    fn end(&mut self) {
        if !self.line.is_empty() {
            self.done.push(Text::new(&self.line));
            self.line.clear();
        }
    }

    /// Begins a line, or goes on with one that begins with the dash of a list.
    fn begin(&mut self, indent: usize) {
        if !std::mem::take(&mut self.is_dash) {
            self.end();
            self.line.extend(std::iter::repeat_n(' ', indent));
        }
    }

    fn write(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    self.begin(indent);
                    self.scalar(key);
                    self.line.push(':');
                    self.under(value, indent);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    self.begin(indent);
                    self.line.push_str("- ");
                    self.is_dash = true;
                    self.write(item, indent + 2);
                    self.is_dash = false;
                }
            }
            Value::String(text) => self.string(text, indent),
            other
            @ (Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_)) => {
                self.line.push_str(&other.to_string());
            }
        }
    }

    /// What stands behind a key: beside it, or below it. A list is as far in as its key, as kubectl writes it.
    fn under(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.end();
                self.write(value, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                self.end();
                self.write(value, indent);
            }
            Value::Object(_)
            | Value::Array(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => {
                self.line.push(' ');
                self.write(value, indent + 2);
            }
        }
    }

    /// A text of several lines is written as such, so that one line of a script is one line of a difference.
    fn string(&mut self, text: &str, indent: usize) {
        let is_block = text.trim_end_matches('\n').contains('\n')
            && !text.starts_with([' ', '\n'])
            && text.lines().all(is_printable);
        if !is_block {
            return self.scalar(text);
        }
        let body = text.trim_end_matches('\n');
        self.line.push_str(match text.len() - body.len() {
            0 => "|-",
            1 => "|",
            _ => "|+",
        });
        for line in text.lines() {
            self.end();
            self.line.extend(std::iter::repeat_n(' ', indent));
            self.line.push_str(line);
        }
    }

    fn scalar(&mut self, text: &str) {
        if is_plain(text) {
            self.line.push_str(text);
        } else {
            // A JSON string is a YAML string.
            for c in Value::from(text).to_string().chars() {
                if is_shown(c) {
                    self.line.push(c);
                } else {
                    let _infallible = write!(self.line, "\\U{:08X}", u32::from(c));
                }
            }
        }
    }
}

fn is_printable(line: &str) -> bool {
    line.chars().all(is_shown)
}

/// Whether the sanitiser leaves it as it is.
fn is_shown(c: char) -> bool {
    matches!(c, ' '..='~') || *Text::new(c.encode_utf8(&mut [0; 4])) == *c.encode_utf8(&mut [0; 4])
}

/// Whether every reader of YAML takes it for the same string without quotes.
fn is_plain(text: &str) -> bool {
    const WORDS: &[&str] =
        &["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", ".nan", ".inf", "-.inf"];
    let is_word = |c: char| c.is_alphanumeric() || "_-./@%+ ,:()=$<>^;?!~".contains(c);
    let Some(first) = text.chars().next() else { return false };
    // Quantities such as 512Mi, 100m and 30s: no number of any reader ends so.
    let is_quantity = first.is_ascii_digit() && text.ends_with(['i', 'k', 'm', 's', 'h', 'M', 'G', 'T']);
    let begins_well = first.is_alphabetic() || first == '/' || first == '_' || is_quantity;
    begins_well
        && text.chars().all(|c| is_word(c) && is_shown(c))
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(value: Value) -> String {
        Template(Arc::new(value)).lines().iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    #[test]
    fn a_template_is_written_as_kubectl_writes_it() {
        let value = json!({
            "metadata": { "labels": { "app": "web" } },
            "spec": {
                "containers": [
                    { "name": "web", "image": "nginx:1.27", "args": ["-c", "a b"], "ports": [{ "containerPort": 80 }] },
                    { "name": "log", "env": [] },
                ],
                "nodeSelector": {},
                "terminationGracePeriodSeconds": 30,
            },
        });
        let wanted = "metadata:\n  labels:\n    app: web\nspec:\n  containers:\n  - args:\n    - \"-c\"\n    - a b\n    \
                      image: nginx:1.27\n    name: web\n    ports:\n    - containerPort: 80\n  - env: []\n    name: log\n  \
                      nodeSelector: {}\n  terminationGracePeriodSeconds: 30\n";
        assert_eq!(written(value), wanted);
    }

    #[test]
    fn what_is_written_reads_back_as_what_it_was() {
        let value = json!({
            "a": ["yes", "NO", "on", "1", "1.5", "1_000", "512Mi", "100m", "0x1f", "1e3", "12:30:45", "null", "~", "", " a", "a ", "a: b", "a #b"],
            "b": { "script": "set -e\nexec run\n", "tail": "x\ny", "more": "x\ny\n\n", "one": "x\n" },
            "c": ["- a", "[x]", "{x}", "*x", "&x", "!x", "|", ">", "@x", "`x", "%x", "'x'", "\"x\"", "x\ty", "\u{1b}[31mred", "\u{202e}x", "⚠\u{fe0f}", "ü\u{7f}", "\u{3164}", "e\u{301}\n\u{2028}y\n"],
            "d": [true, false, 7, -1.5, null, [], {}, [["x"], []]],
            "e": { "true": "key", "2024-01-01": "2024-01-01", "a.b/c": "app.kubernetes.io/name" },
            "f": [{ "name": "x", "script": "one\n  two\n\nthree" }],
        });
        let text = written(value.clone());
        let read: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, value, "{text}");
    }

    #[test]
    fn what_controllers_add_is_no_part_of_it() {
        let set = json!({ "metadata": { "creationTimestamp": null, "labels": { "app": "web", HASH: "5d4f" } }, "spec": {} });
        let revision = json!({ "$patch": "replace", "metadata": { "labels": { "app": "web" } }, "spec": {} });
        assert_eq!(Template::new(set), Template::new(revision));
    }

    #[test]
    fn escape_sequences_are_shown_and_not_dropped() {
        let text = written(json!({ "a": "\u{1b}[2Jx" }));
        assert_eq!(text, "a: \"\\u001b[2Jx\"\n");
    }
}
