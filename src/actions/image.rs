//! The name of an image, as far as it can be seen to be wrong: the API takes any text, and a kubelet then refuses it.
//!
//! It deliberately knows nothing of registries: whether an image is there, its pull tells.

/// What is wrong with the name of an image, by the grammar that container runtimes have for it; nothing where it may
/// be right.
pub fn fault(image: &str) -> Option<String> {
    if image.is_empty() {
        return Some("it is empty".to_owned());
    }
    if let Some(odd) = image.chars().find(|c| !c.is_ascii_graphic()) {
        return Some(format!("it has {odd:?} in it"));
    }
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    if let Some(digest) = digest.filter(|digest| !is_digest(digest)) {
        return Some(format!("{digest:?} is no digest, as in @sha256:..."));
    }
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        Some(_) | None => (name, None),
    };
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        return Some(match tag {
            "" => "a tag is missing after the colon".to_owned(),
            tag => format!("{tag:?} is no tag"),
        });
    }
    // What looks like a host is one.
    let repository = match path.split_once('/') {
        Some((host, rest)) if is_meant_as_host(host) => {
            if !is_host(host) {
                return Some(format!("{host:?} is no registry"));
            }
            rest
        }
        Some(_) | None => path,
    };
    let odd = repository.split('/').find(|part| !is_component(part))?;
    Some(match odd {
        "" => "a part of its path is empty".to_owned(),
        odd if odd.chars().any(|c| c.is_ascii_uppercase()) => format!("{odd:?} must be lower case"),
        odd => format!("{odd:?} is no part of a path"),
    })
}

fn is_meant_as_host(host: &str) -> bool {
    host == "localhost" || host.contains(['.', ':']) || host.chars().any(|c| c.is_ascii_uppercase())
}

fn is_host(host: &str) -> bool {
    // An address in brackets has colons of its own.
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        Some(_) | None => (host, None),
    };
    let is_port = port.is_none_or(|port| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()));
    let is_address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|address| {
        !address.is_empty() && address.chars().all(|c| c.is_ascii_hexdigit() || c == ':')
    });
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    is_port && (is_address || name.split('.').all(is_label))
}

/// Lower-case words and numbers with one of `.`, `_`, `__` or any number of `-` between them.
fn is_component(part: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_between = |gap: &str| matches!(gap, "." | "_" | "__") || gap.chars().all(|c| c == '-');
    part.starts_with(is_word) && part.ends_with(is_word) && part.split(is_word).all(is_between)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(is_word) && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
            && algorithm.chars().all(|c| c.is_ascii_alphanumeric() || "+._-".contains(c))
            && hex.len() >= 32
            && hex.chars().all(|c| c.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runtimes_take_is_taken() {
        let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let with_digest = format!("registry.example/shop/web@{digest}");
        let with_both = format!("web:1.4.0@{digest}");
        for image in [
            "web",
            "web:1.4.0",
            "shop/web:v2_rc.1-a",
            "registry.example/shop/web",
            "registry.example:5000/shop/web:latest",
            "localhost/web",
            "localhost:5000/web",
            "REGISTRY/web",
            "[::1]:5000/web:1",
            "a__b/c--d/e.f_g",
            "deadbeef",
            &with_digest,
            &with_both,
        ] {
            assert_eq!(fault(image), None, "{image}");
        }
    }

    #[test]
    fn what_a_slip_leaves_behind_is_told() {
        for (image, told) in [
            ("", "it is empty"),
            ("web 1", "it has ' ' in it"),
            ("shop/web:", "a tag is missing after the colon"),
            ("shop/web:-1", "\"-1\" is no tag"),
            ("shop/Web:1", "\"Web\" must be lower case"),
            ("shop//web", "a part of its path is empty"),
            ("shop/web_/x", "\"web_\" is no part of a path"),
            ("registry.example:x/web", "\"registry.example:x\" is no registry"),
            // Pasted behind what stood there.
            (
                "registry.example/shop/web:1registry.example/shop/web:2",
                "\"web:1registry.example\" is no part of a path",
            ),
            ("web@sha256:12", "\"sha256:12\" is no digest, as in @sha256:..."),
        ] {
            assert_eq!(fault(image).as_deref(), Some(told), "{image}");
        }
    }
}
