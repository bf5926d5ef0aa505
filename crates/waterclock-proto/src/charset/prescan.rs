//! What the beginning of a page says about its charset: the prescan of the HTML Standard (§13.2.3.2).

use super::Charset;

/// The charset of the first `<meta>` that has one. Comments and the attributes of other elements are
/// stepped over, and a tag that is not whole does not count.
pub(super) fn meta(head: &[u8]) -> Option<Charset> {
    let mut scan = Scan { rest: head };
    loop {
        match scan.rest {
            // The dashes of `<!-->` both begin and end the comment.
            [b'<', b'!', b'-', b'-', ..] => {
                scan.skip(2);
                scan.skip(find(scan.rest, b"-->")? + 3);
            }
            [b'<', m, e, t, a, b'/' | b' ' | b'\t' | b'\n' | 0x0c | b'\r', ..]
                if [*m, *e, *t, *a].eq_ignore_ascii_case(b"meta") =>
            {
                scan.skip(5);
                if let Some(charset) = scan.meta_charset()? {
                    return Some(charset);
                }
            }
            [b'<', b'/', letter, ..] | [b'<', letter, ..] if letter.is_ascii_alphabetic() => {
                scan.take_while(|byte| !is_space(byte) && byte != b'>');
                while scan.attribute()?.is_some() {}
            }
            [b'<', b'!' | b'/' | b'?', ..] => {
                scan.take_while(|byte| byte != b'>');
            }
            [_, ..] => scan.skip(1),
            [] => return None,
        }
    }
}

/// The charset of an `<?xml encoding="..."?>` at the very beginning.
pub(super) fn xml(head: &[u8]) -> Option<Charset> {
    let rest = head.strip_prefix(b"<?xml")?;
    let declaration = rest.get(..find(rest, b">")?)?;
    let mut scan = Scan { rest: declaration.get(find(declaration, b"encoding")?..)? };
    scan.skip(b"encoding".len());
    scan.space();
    scan.rest = scan.rest.strip_prefix(b"=")?;
    scan.space();
    label(scan.quoted()?)
}

/// An XML declaration in UTF-16 without a byte order mark.
pub(super) fn utf16_declaration(head: &[u8]) -> Option<Charset> {
    match head {
        [b'<', 0, b'?', 0, b'x', 0, ..] => Some(Charset::UTF_16LE),
        [0, b'<', 0, b'?', 0, b'x', ..] => Some(Charset::UTF_16BE),
        _ => None,
    }
}

fn label(label: &[u8]) -> Option<Charset> {
    let charset = Charset::from_label(std::str::from_utf8(label).ok()?)?;
    Some(charset.declared_in_ascii())
}

/// `charset=label` somewhere in the `content` of a `<meta http-equiv>`.
fn charset_in_content(content: &[u8]) -> Option<Charset> {
    let mut scan = Scan { rest: content };
    loop {
        scan.skip(find(scan.rest, b"charset")? + b"charset".len());
        scan.space();
        let Some(after) = scan.rest.strip_prefix(b"=") else { continue };
        scan.rest = after;
        scan.space();
        return label(match scan.rest.first()? {
            b'"' | b'\'' => scan.quoted()?,
            _ => scan.take_while(|byte| !is_space(byte) && byte != b';'),
        });
    }
}

struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    /// Reads the attributes of a `<meta>`: the charset they declare, if any. Outer `None` as
    /// [`attribute`](Self::attribute).
    fn meta_charset(&mut self) -> Option<Option<Charset>> {
        let (mut pragma, mut content, mut charset) = (None, None, None);
        while let Some((name, value)) = self.attribute()? {
            // The first attribute of a name is the one that counts.
            match name.to_ascii_lowercase().as_slice() {
                b"http-equiv" => {
                    pragma.get_or_insert(value.eq_ignore_ascii_case(b"content-type"));
                }
                b"content" => {
                    content.get_or_insert(value);
                }
                b"charset" => {
                    charset.get_or_insert(value);
                }
                _ => {}
            }
        }
        Some(match (charset, pragma) {
            (Some(charset), _) => label(charset),
            (None, Some(true)) => content.and_then(charset_in_content),
            _ => None,
        })
    }

    /// The next attribute of a tag; inner `None` at its `>`, outer `None` when the bytes end before.
    #[expect(clippy::option_option, reason = "`?` ends the scan where the bytes end")]
    fn attribute(&mut self) -> Option<Option<(&'a [u8], &'a [u8])>> {
        self.take_while(|byte| is_space(byte) || byte == b'/');
        if *self.rest.first()? == b'>' {
            return Some(None);
        }
        // A `=` that comes first belongs to the name.
        let start = self.rest;
        self.skip(1);
        let more = self.take_while(|byte| !is_space(byte) && !matches!(byte, b'=' | b'/' | b'>'));
        let name = start.get(..more.len() + 1)?;
        self.space();
        if *self.rest.first()? != b'=' {
            return Some(Some((name, b"")));
        }
        self.skip(1);
        self.space();
        let value = match *self.rest.first()? {
            b'"' | b'\'' => self.quoted()?,
            _ => self.take_while(|byte| !is_space(byte) && byte != b'>'),
        };
        self.rest.first()?;
        Some(Some((name, value)))
    }

    /// What stands between a quote and the next of its kind.
    fn quoted(&mut self) -> Option<&'a [u8]> {
        let quote = *self.rest.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
        self.skip(1);
        let value = self.take_while(|byte| byte != quote);
        self.rest.first()?;
        self.skip(1);
        Some(value)
    }

    fn space(&mut self) {
        self.take_while(is_space);
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| !wanted(byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0c | b'\r')
}

/// Where `needle` stands, in whatever case.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))
}
