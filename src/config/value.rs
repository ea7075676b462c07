//! What a setting can take, and how it is read. It knows no setting.

use crate::actions::errand::{ID, NODE, is_id};
use crate::problem::{Shape, Yaml, nearest};
use jiff::SignedDuration;

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Flag,
    OneOf(&'static [&'static str]),
    Duration,
    /// How many, at least one.
    Count,
    /// The name of a keymap; whether it is there is known to whoever has the files.
    Keymap,
    Theme,
    Namespaces,
    /// Ids of columns; which a screen has is known to the screens.
    Columns,
    /// Keys of labels.
    Labels,
    /// Of an object.
    Uid,
    /// Where it is written what a machine is called.
    MachineId,
    /// What machines are called, by node.
    Ids,
    /// A program and its arguments.
    Command,
    /// Text of one line.
    Line,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Flag(bool),
    Word(String),
    Words(Vec<String>),
    Duration(SignedDuration),
    Count(usize),
    Pairs(Vec<(String, String)>),
    /// What was written is no value of the setting, and matters.
    Doubt,
}

/// Why something is not a value of its setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub reason: String,
    pub hint: Option<String>,
}

/// A controller's timer that is longer would never be seen to end.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

impl Kind {
    /// In words, for the documentation.
    pub fn takes(self) -> String {
        match self {
            Self::Flag => "`true` or `false`".to_owned(),
            Self::OneOf(words) => quoted(words),
            Self::Duration => "a duration such as `90s` or `1h30m`".to_owned(),
            Self::Count => "a number from 1 on".to_owned(),
            Self::Keymap => "the name of a keymap".to_owned(),
            Self::Theme => "the name of a theme".to_owned(),
            Self::Namespaces => "a list of namespaces".to_owned(),
            Self::Columns => "a list of columns".to_owned(),
            Self::Labels => "a list of label keys".to_owned(),
            Self::Uid => "a uid".to_owned(),
            Self::MachineId => "`name`, `provider-id`, `internal-ip`, `label KEY`".to_owned(),
            Self::Ids => "a mapping of nodes to ids".to_owned(),
            Self::Command => "a list: a program and its arguments".to_owned(),
            Self::Line => "text".to_owned(),
        }
    }

    pub fn read(self, yaml: &Yaml) -> Result<Value, Refused> {
        match self {
            Self::Flag => match &yaml.shape {
                Shape::Flag(yes) => Ok(Value::Flag(*yes)),
                // YAML's older words for it, which a newer YAML takes for text.
                Shape::Text(word) if is_one_of(word, ["yes", "on", "y"]) => {
                    Err(not_a_flag(yaml, Some("true")))
                }
                Shape::Text(word) if is_one_of(word, ["no", "off", "n"]) => {
                    Err(not_a_flag(yaml, Some("false")))
                }
                Shape::Text(_) | Shape::Nothing | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => {
                    Err(not_a_flag(yaml, None))
                }
            },
            Self::OneOf(words) => match &yaml.shape {
                Shape::Text(word) if words.contains(&word.as_str()) => Ok(Value::Word(word.clone())),
                Shape::Text(word) => {
                    let near = nearest(word, words.iter().copied());
                    let hint = near.map(|near| format!("did you mean `{near}`?"));
                    Err(refused(format!("must be {}, and is `{word}`", either(words)), hint))
                }
                Shape::Flag(_) | Shape::Nothing | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => {
                    Err(refused(format!("must be {}, and is {}", either(words), shown(yaml)), None))
                }
            },
            Self::Duration => duration(yaml).map(Value::Duration),
            Self::Count => count(yaml).map(Value::Count),
            Self::Namespaces | Self::Columns => self.words(yaml).map(Value::Words),
            Self::Uid => uid(yaml).map(Value::Word),
            Self::MachineId => machine_id(yaml).map(Value::Word),
            Self::Ids => ids(yaml).map(Value::Pairs),
            Self::Command => command(yaml).map(Value::Words),
            Self::Line => line(yaml).map(Value::Word),
            Self::Labels => {
                let words = self.words(yaml)?;
                match words.iter().find(|word| !is_label_key(word)) {
                    Some(word) => {
                        let hint = "such as `topology.kubernetes.io/zone`".to_owned();
                        Err(refused(format!("has `{word}` in it, which is no label key"), Some(hint)))
                    }
                    None => Ok(Value::Words(words)),
                }
            }
            Self::Keymap | Self::Theme => match &yaml.shape {
                Shape::Text(name) | Shape::Number(name) => Ok(Value::Word(name.clone())),
                Shape::Flag(_) | Shape::Nothing | Shape::List(_) | Shape::Map(_) => {
                    Err(refused(format!("must be {}, and is {}", self.takes(), shown(yaml)), None))
                }
            },
        }
    }
}

impl Kind {
    fn words(self, yaml: &Yaml) -> Result<Vec<String>, Refused> {
        let no_list = || Err(refused(format!("must be {}, and is {}", self.takes(), shown(yaml)), None));
        let items = match &yaml.shape {
            Shape::List(items) => items,
            Shape::Text(word) => {
                let hint = format!("write `[{word}]`");
                return Err(refused(format!("must be {}, and is `{word}`", self.takes()), Some(hint)));
            }
            Shape::Flag(_) | Shape::Nothing | Shape::Number(_) | Shape::Map(_) => return no_list(),
        };
        let mut words: Vec<String> = Vec::new();
        for item in items {
            let word = match &item.shape {
                Shape::Text(word) | Shape::Number(word) => word,
                Shape::Flag(_) | Shape::Nothing | Shape::List(_) | Shape::Map(_) => {
                    return Err(refused(
                        format!("must be {}, and has {} in it", self.takes(), shown(item)),
                        None,
                    ));
                }
            };
            if words.contains(word) {
                return Err(refused(format!("has `{word}` twice"), None));
            }
            words.push(word.clone());
        }
        Ok(words)
    }
}

/// A name, and before it, if there is one, a DNS name and a slash: as the API server takes the key of a label.
fn is_label_key(word: &str) -> bool {
    let (prefix, name) = word.rsplit_once('/').map_or((None, word), |(prefix, name)| (Some(prefix), name));
    let is_edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let is_framed = |part: &str| is_edge(part.chars().next()) && is_edge(part.chars().next_back());
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let is_dns =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter);
    name.len() <= 63
        && is_framed(name)
        && name.chars().all(is_inner)
        && prefix.is_none_or(|prefix| prefix.len() <= 253 && is_framed(prefix) && prefix.chars().all(is_dns))
}

fn is_one_of(word: &str, words: [&str; 3]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn not_a_flag(yaml: &Yaml, meant: Option<&str>) -> Refused {
    let hint = meant.map(|meant| format!("write `{meant}`"));
    refused(format!("must be `true` or `false`, and is {}", shown(yaml)), hint)
}

fn refused(reason: impl Into<String>, hint: Option<String>) -> Refused {
    Refused { reason: reason.into(), hint }
}

fn duration(yaml: &Yaml) -> Result<SignedDuration, Refused> {
    let must = "must be a duration such as `90s` or `1h30m`";
    let text = match &yaml.shape {
        Shape::Text(text) => text,
        Shape::Number(number) => {
            let hint = format!("`{number}s` would be seconds");
            return Err(refused(format!("{must}, and is a number without a unit"), Some(hint)));
        }
        Shape::Flag(_) | Shape::Nothing | Shape::List(_) | Shape::Map(_) => {
            return Err(refused(format!("{must}, and is {}", shown(yaml)), None));
        }
    };
    let duration: SignedDuration =
        text.parse().map_err(|_| refused(format!("{must}, and is `{text}`"), None))?;
    if duration <= SignedDuration::ZERO || duration > LONGEST {
        return Err(refused(format!("must be longer than nothing and at most 24h, and is `{text}`"), None));
    }
    Ok(duration)
}

fn count(yaml: &Yaml) -> Result<usize, Refused> {
    let many = match &yaml.shape {
        Shape::Number(number) => number.parse().ok().filter(|many| *many > 0),
        Shape::Flag(_) | Shape::Nothing | Shape::Text(_) | Shape::List(_) | Shape::Map(_) => None,
    };
    many.ok_or_else(|| refused(format!("must be a number from 1 on, and is {}", shown(yaml)), None))
}

fn text(yaml: &Yaml) -> Option<&String> {
    match &yaml.shape {
        Shape::Text(text) => Some(text),
        Shape::Flag(_) | Shape::Nothing | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => None,
    }
}

fn uid(yaml: &Yaml) -> Result<String, Refused> {
    let is_uid = |text: &&String| text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    text(yaml).filter(is_uid).cloned().ok_or_else(|| {
        let hint = "`kubectl get namespace kube-system -o jsonpath={.metadata.uid}` tells it".to_owned();
        refused(format!("must be a uid, and is {}", shown(yaml)), Some(hint))
    })
}

/// What an id is taken from, without a key.
pub const ID_SOURCES: [&str; 3] = ["name", "provider-id", "internal-ip"];
pub const ID_OF_LABEL: &str = "label ";

fn machine_id(yaml: &Yaml) -> Result<String, Refused> {
    let must = "must be name, provider-id, internal-ip or `label KEY`";
    let Some(word) = text(yaml) else {
        return Err(refused(format!("{must}, and is {}", shown(yaml)), None));
    };
    let is_known =
        ID_SOURCES.contains(&word.as_str()) || word.strip_prefix(ID_OF_LABEL).is_some_and(is_label_key);
    if is_known {
        return Ok(word.clone());
    }
    let hint = nearest(word, ID_SOURCES).map(|near| format!("did you mean `{near}`?"));
    Err(refused(format!("{must}, and is `{word}`"), hint))
}

fn ids(yaml: &Yaml) -> Result<Vec<(String, String)>, Refused> {
    let entries = match &yaml.shape {
        Shape::Map(entries) => entries,
        Shape::Flag(_) | Shape::Nothing | Shape::Number(_) | Shape::Text(_) | Shape::List(_) => {
            return Err(refused(format!("must be a mapping of nodes to ids, and is {}", shown(yaml)), None));
        }
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (node, id) in entries {
        let node = node.word();
        // A number may have been written in another way than it is printed.
        let Some(id) = text(id) else {
            let hint = format!("write it in quotes: `{node}: \"{}\"`", id.word());
            return Err(refused(format!("has {} for `{node}`, and an id is text", shown(id)), Some(hint)));
        };
        if !is_id(id) {
            let hint = "letters, digits and . _ : -, with a letter or a digit first".to_owned();
            return Err(refused(format!("has `{id}` for `{node}`, which is no id"), Some(hint)));
        }
        if pairs.iter().any(|(known, _)| *known == node) {
            return Err(refused(format!("has `{node}` twice"), None));
        }
        if let Some((other, _)) = pairs.iter().find(|(_, known)| known == id) {
            let reason = format!("has `{id}` for `{other}` and for `{node}`: two nodes are not one machine");
            return Err(refused(reason, None));
        }
        pairs.push((node, id.clone()));
    }
    Ok(pairs)
}

/// A program and its arguments, one of which names the node or its machine.
fn command(yaml: &Yaml) -> Result<Vec<String>, Refused> {
    let must = "must be a list: a program and its arguments";
    let items = match &yaml.shape {
        Shape::List(items) if !items.is_empty() => items,
        Shape::Text(line) => {
            // Bare braces would be a mapping.
            let quoted =
                |word: &str| if word.contains('{') { format!("\"{word}\"") } else { word.to_owned() };
            let words = line.split(' ').map(quoted).collect::<Vec<_>>().join(", ");
            let hint = format!("there is no shell to split it: write `[{words}]`");
            return Err(refused(format!("{must}, and is text"), Some(hint)));
        }
        Shape::List(_) | Shape::Flag(_) | Shape::Nothing | Shape::Number(_) | Shape::Map(_) => {
            return Err(refused(format!("{must}, and is {}", shown(yaml)), None));
        }
    };
    let mut words = Vec::new();
    for item in items {
        let Some(word) = text(item) else {
            let hint = format!("write it in quotes: `\"{}\"`", item.word());
            return Err(refused(format!("has {} in it, and an argument is text", shown(item)), Some(hint)));
        };
        words.push(argument(word)?);
    }
    let program = words.first().map(String::as_str).unwrap_or_default();
    if program.is_empty() || [NODE, ID].contains(&program) || program.starts_with('-') {
        return Err(refused(format!("has `{program}` for a program"), None));
    }
    if program.contains('/') && !program.starts_with('/') {
        let hint = "begin it with `/`, or give a name that is in PATH".to_owned();
        return Err(refused(format!("has the relative path `{program}` for a program"), Some(hint)));
    }
    if !words.iter().any(|word| word == NODE || word == ID) {
        let hint = format!("add `{NODE}` or `{ID}` as an argument of its own");
        return Err(refused("names neither the node nor its machine", Some(hint)));
    }
    Ok(words)
}

fn argument(word: &str) -> Result<String, Refused> {
    if word.chars().any(char::is_control) {
        return Err(refused(format!("has the argument {word:?}, with a control character in it"), None));
    }
    let is_whole = word == NODE || word == ID;
    if let Some(part) = [NODE, ID].into_iter().find(|part| word.contains(part) && !is_whole) {
        let hint = format!("`{part}` must be an argument of its own");
        return Err(refused(format!("has the argument `{word}`"), Some(hint)));
    }
    let is_unknown = word.starts_with('{') && word.ends_with('}') && !is_whole;
    if is_unknown && word[1..word.len() - 1].chars().all(char::is_alphanumeric) {
        let hint = format!("there are `{NODE}` and `{ID}`");
        return Err(refused(format!("has the argument `{word}`, which stands for nothing"), Some(hint)));
    }
    Ok(word.to_owned())
}

fn line(yaml: &Yaml) -> Result<String, Refused> {
    let is_line = |text: &&String| !text.trim().is_empty() && !text.chars().any(char::is_control);
    text(yaml)
        .filter(is_line)
        .map(|text| text.trim().to_owned())
        .ok_or_else(|| refused(format!("must be text of one line, and is {}", shown(yaml)), None))
}

/// A scalar as it was written, anything else by its kind.
fn shown(yaml: &Yaml) -> String {
    match &yaml.shape {
        Shape::Flag(_) | Shape::Number(_) | Shape::Text(_) => format!("`{}`", yaml.word()),
        Shape::Nothing | Shape::List(_) | Shape::Map(_) => yaml.kind().to_owned(),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn either(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.join(""),
    }
}
