//! Protobuf as far as the envelopes need it: where the fields of a message begin and end, without decoding them.
//! `prost` decodes only whole messages; the envelope of a list is larger than anything we want to hold.

use super::{LARGEST_ITEM, WireError};

/// What each object and list begins with; the frames of a watch do not, the objects in them do.
pub const MAGIC: &[u8; 4] = b"k8s\0";

/// Where a field lies, from the start of the bytes that were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The number, where the field is a string, bytes or a message; `None` for numbers: no envelope needs one.
    pub number: Option<u64>,
    pub start: usize,
    /// May lie beyond the bytes that are here.
    pub end: usize,
}

/// The first field of a message; `None` while its key or length is cut off.
pub fn field(bytes: &[u8]) -> Result<Option<Field>, WireError> {
    let Some((key, start)) = varint(bytes)? else {
        return Ok(None);
    };
    let number = None;
    let field = match key & 7 {
        0 => varint(&bytes[start..])?.map(|(_, length)| Field { number, start, end: start + length }),
        1 => Some(Field { number, start, end: start + 8 }),
        5 => Some(Field { number, start, end: start + 4 }),
        2 => match varint(&bytes[start..])? {
            Some((length, header)) => {
                let start = start + header;
                let length = usize::try_from(length).ok();
                let end = length.and_then(|length| start.checked_add(length)).ok_or(WireError::TooLarge)?;
                Some(Field { number: Some(key >> 3), start, end })
            }
            None => None,
        },
        _ => return Err(WireError::Malformed("a protobuf field of an unknown type")),
    };
    Ok(field)
}

/// The same, once the whole field is here; one that is too large to wait for is an error.
pub fn whole_field(bytes: &[u8]) -> Result<Option<Field>, WireError> {
    let found = field(bytes)?;
    if found.is_some_and(|field| field.end - field.start > LARGEST_ITEM) {
        return Err(WireError::TooLarge);
    }
    Ok(found.filter(|field| field.end <= bytes.len()))
}

fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, WireError> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((value, at + 1)));
        }
    }
    if bytes.len() < 10 { Ok(None) } else { Err(WireError::Malformed("a protobuf number without an end")) }
}

/// An object out of its wrapping (`runtime.Unknown`), with its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrapped<'a> {
    pub kind: &'a [u8],
    pub raw: &'a [u8],
}

/// Takes one whole object out of its wrapping.
pub fn unwrap(body: &[u8]) -> Result<Wrapped<'_>, WireError> {
    let unknown = body.strip_prefix(MAGIC).ok_or(WireError::Malformed("no protobuf of Kubernetes"))?;
    Ok(Wrapped {
        kind: child(unknown, 1)?.map(kind).transpose()?.unwrap_or_default(),
        raw: child(unknown, 2)?.unwrap_or_default(),
    })
}

/// The kind that a `TypeMeta` names.
pub fn kind(type_meta: &[u8]) -> Result<&[u8], WireError> {
    Ok(child(type_meta, 2)?.unwrap_or_default())
}

/// The last field of this number, which is the one that counts.
pub fn child(mut message: &[u8], number: u64) -> Result<Option<&[u8]>, WireError> {
    let mut found = None;
    while !message.is_empty() {
        let field = whole_field(message)?.ok_or(WireError::Truncated)?;
        if field.number == Some(number) {
            found = Some(&message[field.start..field.end]);
        }
        message = &message[field.end..];
    }
    Ok(found)
}
