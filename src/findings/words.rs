//! Small parts of sentences: numbers with their nouns, lists that stay short.

use crate::cluster::ObjectRef;

/// "1 pod", "3 pods".
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// "1 pod is", "3 pods are".
pub fn are(number: usize, noun: &str) -> String {
    format!("{} {}", count(number, noun), verb(number, "is", "are"))
}

/// "1 pod was", "3 pods were".
pub fn were(number: usize, noun: &str) -> String {
    format!("{} {}", count(number, noun), verb(number, "was", "were"))
}

/// "1 pod waits", "3 pods wait".
pub const fn verb(number: usize, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

/// "pod db/a", "pods db/a and db/b", "pods db/a, db/b and 3 more".
pub fn pods(pods: &[ObjectRef]) -> String {
    match pods {
        [] => "no pod".to_owned(),
        [one] => format!("pod {}", one.name),
        [one, two] => format!("pods {} and {}", one.name, two.name),
        [one, two, rest @ ..] => format!("pods {}, {} and {} more", one.name, two.name, rest.len()),
    }
}

/// What the cluster says, cut where it becomes a page, without the full stop.
pub fn quote(text: &str) -> String {
    const MOST: usize = 160;
    let text = text.trim().trim_end_matches('.');
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

/// A sentence that ends with what the cluster says: what was cut ends as it is.
pub fn ended(sentence: String) -> String {
    if sentence.ends_with('…') { sentence } else { sentence + "." }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Kind, Name};

    #[test]
    fn lists_stay_short() {
        let named = |name: &str| ObjectRef { kind: Kind::Pod, name: Name::new("db", name), uid: "u".into() };
        let all = ["a", "b", "c", "d"].map(named);
        assert_eq!(pods(&all[..1]), "pod db/a");
        assert_eq!(pods(&all[..2]), "pods db/a and db/b");
        assert_eq!(pods(&all), "pods db/a, db/b and 2 more");
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let cut = quote(&"ä".repeat(500));
        assert_eq!(cut.chars().count(), 161);
        assert_eq!(quote("container runtime is down. "), "container runtime is down");
    }
}
