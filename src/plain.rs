//! Stand-in until the sanitiser lands.
use std::borrow::Cow;
pub fn plain(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}
