//! [`Buffer`]: what has been received and not yet used. It belongs to a connection and is reused.

/// The first size: most heads and small bodies fit.
const FIRST: usize = 16 * 1024;

/// The size for bodies that fill the first one at once.
const WIDE: usize = 64 * 1024;

/// No buffer larger than this is kept once it is empty.
const LARGEST_KEPT: usize = 1 << 20;

/// Received bytes: filled at the end, consumed at the front.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// The last read has filled all there was.
    full: bool,
}

impl Buffer {
    /// What has been received and not consumed.
    pub(crate) fn filled(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Drops `count` bytes at the front.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            // What an upload's early answer has needed is not kept with the connection.
            if self.bytes.len() > LARGEST_KEPT {
                self.bytes = Vec::new();
            }
        }
    }

    /// Room for more, never empty. The caller bounds how much it lets pile up.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            } else {
                self.bytes.resize((self.bytes.len() * 2).max(FIRST), 0);
            }
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// `count` bytes of [`room`](Self::room) were filled.
    pub(crate) fn commit(&mut self, count: usize) {
        self.end = self.bytes.len().min(self.end + count);
        self.full = self.end == self.bytes.len();
    }

    /// Makes more room for the next reads if the last one has left none.
    pub(crate) fn widen(&mut self) {
        if self.full && self.is_empty() && self.bytes.len() < WIDE {
            self.bytes = vec![0; WIDE];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(buffer: &mut Buffer, data: &[u8]) {
        buffer.room()[..data.len()].copy_from_slice(data);
        buffer.commit(data.len());
    }

    #[test]
    fn bytes_come_out_in_the_order_they_went_in() {
        let mut buffer = Buffer::default();
        push(&mut buffer, b"hello");
        buffer.consume(2);
        push(&mut buffer, b" you");
        assert_eq!(buffer.filled(), b"llo you");
        buffer.consume(7);
        assert!(buffer.is_empty());
    }

    #[test]
    fn room_grows_only_where_it_was_filled() {
        let mut buffer = Buffer::default();
        push(&mut buffer, b"hello");
        buffer.consume(5);
        buffer.widen();
        assert_eq!(buffer.room().len(), FIRST);
        buffer.commit(FIRST);
        buffer.widen();
        buffer.consume(FIRST);
        buffer.widen();
        assert_eq!(buffer.room().len(), WIDE);
    }

    #[test]
    fn there_is_always_room() {
        let mut buffer = Buffer::default();
        for _ in 0..5 {
            let room = buffer.room().len();
            assert!(room > 0);
            buffer.commit(room);
        }
        buffer.consume(10);
        assert_eq!(buffer.room().len(), 10);
    }
}
