//! Where we are in the peer's stream of records (RFC 8446 §5.1), seen from outside.

const HEADER: usize = 5;
const KEPT: usize = 16;

/// Counts the bytes of the record that is being received, and keeps the stream's first bytes, which
/// tell what is spoken at the other end when it is not TLS.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordMeter {
    first: [u8; KEPT],
    total: u64,
    header: [u8; HEADER],
    in_header: usize,
    in_body: usize,
    body: usize,
    ended: bool,
}

impl RecordMeter {
    /// Takes note of received bytes.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        let room = self.first.iter_mut().skip(usize::try_from(self.total).unwrap_or(KEPT));
        for (slot, byte) in room.zip(bytes) {
            *slot = *byte;
        }
        self.total = self.total.saturating_add(bytes.len() as u64);
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if let Some(slot) = self.header.get_mut(self.in_header) {
                *slot = byte;
                self.in_header += 1;
                rest = after;
                if self.in_header == HEADER {
                    let [.., high, low] = self.header;
                    self.body = usize::from(u16::from_be_bytes([high, low]));
                }
            } else {
                let taken = rest.len().min(self.body - self.in_body);
                self.in_body += taken;
                rest = rest.get(taken..).unwrap_or_default();
            }
            if self.in_header == HEADER && self.in_body == self.body {
                (self.in_header, self.in_body, self.body) = (0, 0, 0);
            }
        }
    }

    /// The bytes received of a record that is not whole.
    pub(super) fn partial(&self) -> usize {
        self.in_header + self.in_body
    }

    /// All bytes received so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The stream's first bytes, as far as they were kept.
    pub(super) fn first(&self) -> &[u8] {
        let kept = usize::try_from(self.total).unwrap_or(KEPT).min(KEPT);
        self.first.get(..kept).unwrap_or_default()
    }

    /// Whether close_notify came in the place of a handshake. rustls passes over it, though nothing will
    /// follow (RFC 8446 §6.1).
    pub(super) fn begins_with_goodbye(&self) -> bool {
        matches!(self.first(), [21, 3, _, 0, 2, _, 0, ..])
    }

    /// Takes note of the stream's end.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Whether the stream has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_whole_whatever_the_pieces() {
        let records = [22, 3, 3, 0, 2, 1, 2, 23, 3, 3, 0, 0, 21, 3, 3, 0, 1, 9];
        let boundaries = [0, 7, 12, 18];
        for size in 1..=records.len() {
            let mut meter = RecordMeter::default();
            let mut seen = 0;
            for piece in records.chunks(size) {
                meter.advance(piece);
                seen += piece.len();
                let start = boundaries.iter().rev().find(|&&b| b <= seen).unwrap();
                assert_eq!(meter.partial(), seen - start, "{size} bytes at a time, after {seen}");
            }
            assert_eq!(meter.first(), &records[..16]);
            assert_eq!(meter.total(), 18);
        }
    }

    #[test]
    fn the_first_bytes_are_only_those_that_came() {
        let mut meter = RecordMeter::default();
        assert_eq!(meter.first(), b"");
        meter.advance(b"HT");
        meter.advance(b"TP");
        assert_eq!(meter.first(), b"HTTP");
    }
}
