//! Bytes that have arrived and are not consumed yet.

/// A queue of bytes that lie in one piece.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    consumed: usize,
}

impl Buffer {
    pub fn push(&mut self, chunk: &[u8]) {
        if self.consumed > 0 {
            self.bytes.drain(..self.consumed);
            self.consumed = 0;
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// What is not consumed.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.consumed..]
    }

    pub fn consume(&mut self, count: usize) {
        self.consumed = self.bytes.len().min(self.consumed + count);
    }
}
