//! Small questions about bytes that several rooms ask.

/// RFC 9110 §5.6.2 `tchar`, as a table: one load per byte.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~');
        byte += 1;
    }
    table
};

pub(crate) const fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// The first byte that may not stand in a token.
pub(crate) fn find_non_token(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| !is_token_byte(byte))
}

/// Where the bytes below 0x20 stand (HTAB, CR and LF included), found eight bytes at a time.
///
/// A head is searched for its end with this on every response, so it has to be cheap.
pub(crate) struct Controls<'a> {
    rest: &'a [u8],
    /// Top bits of the bytes found in the word before `rest`.
    found: u64,
    /// Where that word begins.
    word: usize,
    /// Where `rest` begins.
    next: usize,
}

pub(crate) fn controls(bytes: &[u8]) -> Controls<'_> {
    Controls { rest: bytes, found: 0, word: 0, next: 0 }
}

impl Iterator for Controls<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            self.word = self.next;
            let (word, rest) = match self.rest.split_first_chunk::<8>() {
                Some((word, rest)) => (*word, rest),
                None if self.rest.is_empty() => return None,
                None => {
                    let mut padded = [b' '; 8];
                    padded[..self.rest.len()].copy_from_slice(self.rest);
                    (padded, &[][..])
                }
            };
            self.rest = rest;
            self.next += 8;
            self.found = below_space(u64::from_le_bytes(word));
        }
        let at = self.found.trailing_zeros() as usize / 8;
        self.found &= self.found - 1;
        Some(self.word + at)
    }
}

/// The top bit of each byte that is below 0x20. No sum here carries into the next byte.
fn below_space(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let not_below = (word & (ONES * 0x7f)) + ONES * 0x60;
    !(not_below | word) & (ONES * 0x80)
}

/// Whether there is a control byte: one below 0x20 (HTAB, CR and LF included), or DEL. Every field of
/// every request is asked that.
pub(crate) fn has_control(bytes: &[u8]) -> bool {
    let in_word = |&word: &[u8; 8]| {
        let word = u64::from_le_bytes(word);
        below_space(word) | deletes(word) != 0
    };
    match bytes.last_chunk() {
        // The last word overlaps the one before it.
        Some(last) => bytes.as_chunks().0.iter().any(in_word) || in_word(last),
        None => bytes.iter().any(u8::is_ascii_control),
    }
}

/// The top bit of each byte that is DEL.
fn deletes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let other = word ^ (ONES * 0x7f);
    !(((other & (ONES * 0x7f)) + ONES * 0x7f) | other) & (ONES * 0x80)
}

/// The first byte below 0x20.
pub(crate) fn find_control(bytes: &[u8]) -> Option<usize> {
    controls(bytes).next()
}

/// `1*DIGIT` as a number: no sign, no space, no underscore, no overflow (RFC 9110 §8.6).
///
/// `str::parse` is not used because it takes a leading `+`.
pub(crate) fn parse_decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0u64, |value, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// `bytes` without optional whitespace (SP, HTAB; RFC 9110 §5.6.3) at either end.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// A short piece of remote input for an error message: ASCII, control bytes escaped.
pub(crate) fn snippet(bytes: &[u8]) -> Box<str> {
    const SHOWN: usize = 60;
    let mut text = bytes.get(..SHOWN).unwrap_or(bytes).escape_ascii().to_string();
    if bytes.len() > SHOWN {
        text.push_str("...");
    }
    text.into_boxed_str()
}

/// A line that ought to be a field, for an error message: without its value if that is a credential, as far as
/// the name can be made out.
pub(crate) fn snippet_of_field(line: &[u8]) -> Box<str> {
    const SECRET: [&[u8]; 4] = [b"set-cookie", b"cookie", b"authorization", b"proxy-authorization"];
    let start = line.trim_ascii_start();
    let begins = |name: &&[u8]| {
        start.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
    };
    match SECRET.iter().copied().find(begins) {
        Some(name) => format!("{}: ***", start[..name.len()].escape_ascii()).into_boxed_str(),
        None => snippet(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_snippet_of_a_field_shows_a_credential() {
        for line in [
            "Set-Cookie : a=hush",
            " set-cookie\u{b}: a=hush",
            "COOKIE2: hush",
            "Authorization hush",
        ] {
            let shown = snippet_of_field(line.as_bytes());
            assert!(shown.ends_with(": ***") && !shown.contains("hush"), "{shown}");
        }
        assert_eq!(&*snippet_of_field(b"Server : nginx"), "Server : nginx");
    }

    #[test]
    fn decimals_are_strict() {
        for (text, value) in [
            ("0", Some(0)),
            ("0005", Some(5)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("18446744073709551621", None),
            ("", None),
            ("+5", None),
            ("-5", None),
            ("5 ", None),
            ("0x5", None),
            ("0_5", None),
            ("5.0", None),
        ] {
            assert_eq!(parse_decimal(text.as_bytes()), value, "{text:?}");
        }
        assert_eq!(parse_decimal("\u{0665}".as_bytes()), None, "an Arabic five is no digit");
    }

    #[test]
    fn tokens_are_the_rfcs() {
        let others: Vec<u8> = (0..=255).filter(|&byte| !is_token_byte(byte)).collect();
        let delimiters = b"\"(),/:;<=>?@[\\]{}";
        for byte in 0..=255u8 {
            let visible = byte.is_ascii_graphic() && !delimiters.contains(&byte);
            assert_eq!(others.contains(&byte), !visible, "{byte}");
        }
    }

    #[test]
    fn trims_only_optional_whitespace() {
        assert_eq!(trim(b" \t5\t "), b"5");
        assert_eq!(trim(b" "), b"");
        assert_eq!(trim(b"\x0b5"), b"\x0b5");
    }

    proptest! {
        #[test]
        fn controls_are_all_below_space(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0x1eu8..0x22], 0..64),
        ) {
            let expected: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] < 0x20).collect();
            prop_assert_eq!(controls(&bytes).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn a_control_is_found_wherever_it_stands(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            control in prop_oneof![0u8..0x22, 0x7eu8..0x81, Just(0xff)],
            at in 0usize..40,
        ) {
            let mut bytes: Vec<u8> =
                bytes.into_iter().map(|byte| if byte.is_ascii_control() { b'x' } else { byte }).collect();
            prop_assert!(!has_control(&bytes));
            if let Some(place) = bytes.get_mut(at) {
                *place = control;
                prop_assert_eq!(has_control(&bytes), control.is_ascii_control());
            }
        }
    }
}
