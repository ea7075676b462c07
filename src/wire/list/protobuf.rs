//! A list in protobuf: `k8s\0`, then `runtime.Unknown` {1 type, 2 raw}, and in raw the list {1 metadata, 2 items}.

use super::{ListEnd, ListMeta, must_be_list};
use crate::wire::WireError;
use crate::wire::buffer::Buffer;
use crate::wire::protobuf::{MAGIC, field, kind, whole_field};

#[derive(Debug, Default)]
pub struct List {
    buffer: Buffer,
    place: Place,
    end: ListEnd,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Magic,
    /// The wrapping, up to the list in it.
    Wrapping,
    /// The list, of which so many bytes are still to come.
    Items { left: usize },
    /// What the wrapping says after the list.
    Rest,
}

impl List {
    pub fn push(&mut self, chunk: &[u8], item: &mut dyn FnMut(&[u8])) -> Result<(), WireError> {
        self.buffer.push(chunk);
        while let Some((consumed, next)) = self.step(item)? {
            self.buffer.consume(consumed);
            self.place = next;
        }
        Ok(())
    }

    /// One piece: how many bytes it had and what comes after it; `None` until all of it is here.
    fn step(&mut self, item: &mut dyn FnMut(&[u8])) -> Result<Option<(usize, Place)>, WireError> {
        let rest = self.buffer.rest();
        match self.place {
            Place::Magic => match rest.first_chunk() {
                Some(magic) if magic == MAGIC => Ok(Some((MAGIC.len(), Place::Wrapping))),
                Some(_) => Err(WireError::Malformed("no protobuf of Kubernetes")),
                None => Ok(None),
            },
            Place::Wrapping => {
                let Some(found) = field(rest)? else { return Ok(None) };
                if found.number == Some(2) {
                    return Ok(Some((found.start, Place::Items { left: found.end - found.start })));
                }
                let Some(found) = whole_field(rest)? else { return Ok(None) };
                if found.number == Some(1) {
                    must_be_list(kind(&rest[found.start..found.end])?)?;
                }
                Ok(Some((found.end, Place::Wrapping)))
            }
            Place::Items { left: 0 } => Ok(Some((0, Place::Rest))),
            Place::Items { left } => {
                let Some(found) = whole_field(rest)? else { return Ok(None) };
                let left =
                    left.checked_sub(found.end).ok_or(WireError::Malformed("an item outside its list"))?;
                let body = &rest[found.start..found.end];
                match found.number {
                    Some(1) => self.end = ListMeta::from_protobuf(body)?.into(),
                    Some(2) => item(body),
                    Some(_) | None => {}
                }
                Ok(Some((found.end, Place::Items { left })))
            }
            Place::Rest if rest.is_empty() => Ok(None),
            Place::Rest => Ok(whole_field(rest)?.map(|found| (found.end, Place::Rest))),
        }
    }

    pub fn finish(self) -> Result<ListEnd, WireError> {
        match self.place {
            Place::Rest if self.buffer.rest().is_empty() => Ok(self.end),
            Place::Rest | Place::Magic | Place::Wrapping | Place::Items { .. } => Err(WireError::Truncated),
        }
    }
}
