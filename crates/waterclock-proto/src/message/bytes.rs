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

/// The first byte below 0x20 (HTAB, CR and LF included), eight bytes at a time.
///
/// A head is searched for its end with this on every response, so it has to be cheap.
pub(crate) fn find_control(bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([0x20; 8]);
    const TOP: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // A borrow can only make bytes *after* the first hit look like hits.
        let hits = word.wrapping_sub(LOW) & !word & TOP;
        if hits != 0 {
            return Some(index * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    let tail = rest.iter().position(|&byte| byte < 0x20)?;
    Some(words.len() * 8 + tail)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        fn find_control_is_position(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(find_control(&bytes), bytes.iter().position(|&byte| byte < 0x20));
        }
    }
}
