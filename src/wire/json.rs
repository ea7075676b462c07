//! JSON as far as the envelopes need it: where a value ends, found byte by byte as they arrive. Whether what lies
//! between is JSON at all is for serde to say, which reads it next.

use super::{LARGEST_ITEM, WireError};

/// Finds the end of one value. Each byte is looked at once, however the value is cut into chunks.
#[derive(Debug, Default)]
pub struct Extent {
    scanned: usize,
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Extent {
    /// The length of the value that `bytes` begins with, once its end is here. Until then it is asked again with
    /// the same bytes and more.
    pub fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, WireError> {
        let found = self.scan(bytes);
        if found.unwrap_or(self.scanned) > LARGEST_ITEM {
            return Err(WireError::TooLarge);
        }
        if found.is_some() {
            *self = Self::default();
        }
        Ok(found)
    }

    /// Whether no value has been begun.
    pub const fn is_fresh(&self) -> bool {
        self.scanned == 0
    }

    fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(&byte) = bytes.get(self.scanned) {
            if self.is_in_string {
                self.skip_in_string(&bytes[self.scanned..]);
                if self.is_in_string || self.depth > 0 {
                    continue;
                }
                return Some(self.scanned);
            }
            match byte {
                b'"' => self.is_in_string = true,
                b'{' | b'[' => self.depth += 1,
                // A number or a word ends before what follows it.
                b'}' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => {
                    return Some(self.scanned);
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(self.scanned + 1);
                    }
                }
                _ => {}
            }
            self.scanned += 1;
        }
        None
    }

    fn skip_in_string(&mut self, bytes: &[u8]) {
        if self.is_escaped {
            self.is_escaped = false;
            self.scanned += 1;
            return;
        }
        match bytes.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            None => self.scanned += bytes.len(),
            Some(at) => {
                self.scanned += at + 1;
                self.is_in_string = bytes[at] != b'"';
                self.is_escaped = self.is_in_string;
            }
        }
    }
}

/// How many bytes of white space there are at the start.
pub fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_value_is_found_wherever_it_is_cut() {
        for (text, value) in [
            (r#"{"a":"}\"]","b":[1,{"c":2}]} ,"#, r#"{"a":"}\"]","b":[1,{"c":2}]}"#),
            (r#""a\\" "#, r#""a\\""#),
            ("[[],[]]]", "[[],[]]"),
            ("-1.5e3,", "-1.5e3"),
            ("null}", "null"),
        ] {
            for cut in 0..=text.len() {
                let mut extent = Extent::default();
                let early = extent.end(&text.as_bytes()[..cut]).unwrap();
                let end = early.or_else(|| extent.end(text.as_bytes()).unwrap());
                assert_eq!(end, Some(value.len()), "{text} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_value_without_an_end_is_not_waited_for_for_ever() {
        let endless = vec![b'['; LARGEST_ITEM + 1];
        assert_eq!(Extent::default().end(&endless), Err(WireError::TooLarge));
    }
}
