//! A list in JSON. The metadata may come before the items or after them.

use super::{ListEnd, ListMeta, must_be_list};
use crate::wire::WireError;
use crate::wire::buffer::Buffer;
use crate::wire::json::{Extent, blank};

#[derive(Debug, Default)]
pub struct List {
    buffer: Buffer,
    place: Place,
    extent: Extent,
    end: ListEnd,
    has_kind: bool,
}

/// What comes next, white space aside.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Open,
    /// A member; the first one may be missing.
    Key {
        is_first: bool,
    },
    Colon(Member),
    Value(Member),
    AfterMember,
    Item {
        is_first: bool,
    },
    AfterItem,
    Closed,
}

#[derive(Clone, Copy, Debug)]
enum Member {
    Kind,
    Metadata,
    Items,
    Other,
}

impl List {
    pub fn push(&mut self, chunk: &[u8], item: &mut dyn FnMut(&[u8])) -> Result<(), WireError> {
        self.buffer.push(chunk);
        loop {
            // Between values only: within one, white space belongs to it.
            if self.extent.is_fresh() {
                self.buffer.consume(blank(self.buffer.rest()));
            }
            let Some((consumed, next)) = self.step(item)? else { return Ok(()) };
            self.buffer.consume(consumed);
            self.place = next;
        }
    }

    /// One piece: how many bytes it had and what comes after it; `None` until all of it is here.
    fn step(&mut self, item: &mut dyn FnMut(&[u8])) -> Result<Option<(usize, Place)>, WireError> {
        let rest = self.buffer.rest();
        let Some(&byte) = rest.first() else { return Ok(None) };
        let next = match self.place {
            Place::Open if byte == b'{' => Place::Key { is_first: true },
            Place::Key { is_first: true } | Place::AfterMember if byte == b'}' => Place::Closed,
            Place::AfterMember if byte == b',' => Place::Key { is_first: false },
            Place::Colon(member) if byte == b':' => Place::Value(member),
            Place::Value(Member::Items) if byte == b'[' => Place::Item { is_first: true },
            Place::Item { is_first: true } | Place::AfterItem if byte == b']' => Place::AfterMember,
            Place::AfterItem if byte == b',' => Place::Item { is_first: false },
            Place::Key { .. } if byte == b'"' => {
                return Ok(self.extent.end(rest)?.map(|end| (end, Place::Colon(Member::of(&rest[..end])))));
            }
            Place::Item { .. } => {
                let Some(end) = self.extent.end(rest)? else { return Ok(None) };
                item(&rest[..end]);
                return Ok(Some((end, Place::AfterItem)));
            }
            Place::Value(member) => {
                let Some(end) = self.extent.end(rest)? else { return Ok(None) };
                match member {
                    Member::Kind => {
                        must_be_list(rest[..end].strip_suffix(b"\"").unwrap_or_default())?;
                        self.has_kind = true;
                    }
                    Member::Metadata => self.end = ListMeta::from_json(&rest[..end])?.into(),
                    Member::Items | Member::Other => {}
                }
                return Ok(Some((end, Place::AfterMember)));
            }
            Place::Open => return Err(WireError::Malformed("no JSON object")),
            Place::Key { .. } | Place::Colon(_) | Place::AfterMember | Place::AfterItem => {
                return Err(WireError::Malformed("broken JSON around the items"));
            }
            Place::Closed => return Err(WireError::Malformed("bytes after the end of the list")),
        };
        Ok(Some((1, next)))
    }

    pub fn finish(self) -> Result<ListEnd, WireError> {
        match self.place {
            Place::Closed if self.has_kind => Ok(self.end),
            Place::Closed => must_be_list(b"").map(|()| self.end),
            Place::Open
            | Place::Key { .. }
            | Place::Colon(_)
            | Place::Value(_)
            | Place::AfterMember
            | Place::Item { .. }
            | Place::AfterItem => Err(WireError::Truncated),
        }
    }
}

impl Member {
    fn of(key: &[u8]) -> Self {
        match key {
            b"\"kind\"" => Self::Kind,
            b"\"metadata\"" => Self::Metadata,
            b"\"items\"" => Self::Items,
            _ => Self::Other,
        }
    }
}
