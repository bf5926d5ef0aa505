//! Bytes as text: what stands for what in a data file.

/// The bytes that `text` stands for.
///
/// Printable ASCII stands for itself, but `\`: `\r \n \t \0 \\ \xHH` are bytes, and `\{3*ab}` is
/// `ababab`, which may have escapes inside but no `}`.
pub(crate) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '\\' => rest = escape(rest, &mut out)?,
            ' '..='~' => out.push(first as u8),
            other => return Err(format!("{other:?} must be written as an escape")),
        }
    }
    Ok(out)
}

/// Reads what follows a backslash; gives the rest.
fn escape<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, String> {
    let kind = text.chars().next().ok_or("a backslash at the end")?;
    let rest = &text[kind.len_utf8()..];
    match kind {
        'r' => out.push(b'\r'),
        'n' => out.push(b'\n'),
        't' => out.push(b'\t'),
        '0' => out.push(0),
        '\\' => out.push(b'\\'),
        'x' => {
            let digits = rest.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
            let digits = digits.ok_or("\\x needs two hexadecimal digits")?;
            out.push(u8::from_str_radix(digits, 16).map_err(|error| error.to_string())?);
            return Ok(&rest[2..]);
        }
        '{' => {
            let (inside, rest) = rest.split_once('}').ok_or("\\{ without }")?;
            let (count, unit) = inside.split_once('*').ok_or("\\{ without *")?;
            let count: usize = count.parse().map_err(|_| format!("{count:?} is not a count"))?;
            out.extend(bytes(unit)?.repeat(count));
            return Ok(rest);
        }
        other => return Err(format!("an unknown escape \\{other}")),
    }
    Ok(rest)
}

#[test]
fn escapes_are_bytes() {
    assert_eq!(bytes(r"a\r\n\t\0\\\xfF"), Ok(b"a\r\n\t\0\\\xff".to_vec()));
    assert_eq!(bytes(r"<\{3*a\n}\{0*b}>{}"), Ok(b"<a\na\na\n>{}".to_vec()));
    for wrong in [r"\", r"\q", r"\x1", r"\xgg", r"\x+1", r"\{3*a", r"\{a}", r"\{-1*a}", "\t", "é"]
    {
        assert!(bytes(wrong).is_err(), "{wrong:?}");
    }
}
