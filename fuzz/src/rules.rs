//! The differences from the other parsers that are meant: where we take what both refuse.
//!
//! Each rule rewrites what was taken into what it was taken for. All else has to come to the same.

/// A head in the strictest spelling.
pub fn head(head: &[u8]) -> Vec<u8> {
    let mut lines = lines(head);
    reason_may_be_absent(&mut lines[0]);
    folds_are_spaces(&mut lines);
    for line in &mut lines {
        equal_lengths_in_a_list(line);
        obsolete_text(line);
    }
    let mut out = lines.join(b"\r\n".as_slice());
    out.extend_from_slice(b"\r\n");
    out
}

/// RFC 9112 §2.2: a recipient may take a single LF as the end of a line. One empty line before the
/// status line, which curl and browsers pass over as well, is not given to this.
fn lines(head: &[u8]) -> Vec<Vec<u8>> {
    let end = head.strip_suffix(b"\n").unwrap_or(head);
    end.split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec())
        .collect()
}

/// RFC 9112 §4 wants the space before a reason that is not there. Many servers leave it out.
fn reason_may_be_absent(line: &mut Vec<u8>) {
    if line.len() == b"HTTP/1.1 200".len() {
        line.push(b' ');
    }
}

/// RFC 9112 §5.2: a user agent replaces each fold by spaces.
fn folds_are_spaces(lines: &mut Vec<Vec<u8>>) {
    for at in (1..lines.len()).rev() {
        if lines[at].first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            let folded = lines.remove(at);
            lines[at - 1].extend_from_slice(b"  ");
            lines[at - 1].extend(folded);
        }
    }
}

/// RFC 9110 §8.6: a list of equal lengths may be taken for one.
fn equal_lengths_in_a_list(line: &mut Vec<u8>) {
    let Some(colon) = line.iter().position(|&byte| byte == b':') else { return };
    let (name, value) = line.split_at(colon);
    if name.eq_ignore_ascii_case(b"content-length")
        && let Some(comma) = value.iter().position(|&byte| byte == b',')
    {
        line.truncate(colon + comma);
    }
}

/// RFC 9110 §5.5: obs-text is opaque. kawa refuses it, and it says nothing about framing.
fn obsolete_text(line: &mut [u8]) {
    for byte in line.iter_mut().filter(|byte| **byte >= 0x80) {
        *byte = b'~';
    }
}

/// RFC 9112 §6.3, rule 1: an answer that cannot have a body ends with its head, whatever its framing
/// fields say. If that is nonsense we close the connection, which whoever calls this has to check.
pub fn without_framing(head: &[u8]) -> Vec<u8> {
    let framing = |line: &[u8]| {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default().to_ascii_lowercase();
        matches!(name.as_slice(), b"content-length" | b"transfer-encoding")
    };
    let mut lines = lines(head);
    lines.retain(|line| !framing(line));
    let mut out = lines.join(b"\r\n".as_slice());
    out.extend_from_slice(b"\r\n");
    out
}

/// RFC 9112 §7.1.1: a recipient ignores extensions that it does not know, which are all of them to
/// us, and white space before them. kawa refuses extensions, milo reads what stands in them.
///
/// And trailer fields are judged when their section is all there: until then (`done`) they are not
/// shown.
pub fn chunks(coded: &[u8], done: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(coded.len());
    let mut rest = coded;
    loop {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let end = rest.windows(2).position(|pair| pair == b"\r\n");
        let (size, behind) = rest[..end.unwrap_or(rest.len())].split_at(digits);
        out.extend_from_slice(size);
        let first = behind.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
        if first.is_some_and(|byte| !matches!(byte, b';' | b'\r')) {
            out.extend_from_slice(behind);
        }
        let Some(end) = end else { return out };
        out.extend_from_slice(b"\r\n");
        let size = str::from_utf8(size).ok();
        let size = size.and_then(|size| u64::from_str_radix(size, 16).ok()).unwrap_or(0);
        rest = &rest[end + 2..];
        // The data and the line end behind it; after the last chunk, the trailer section.
        let data = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(2);
        match size {
            0 if done => {
                let from = out.len();
                out.extend_from_slice(rest);
                obsolete_text(&mut out[from..]);
                return out;
            }
            0 => return out,
            _ if data > rest.len() => {
                out.extend_from_slice(rest);
                return out;
            }
            _ => {}
        }
        out.extend_from_slice(&rest[..data]);
        rest = &rest[data..];
    }
}
