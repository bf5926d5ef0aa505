//! Another reader of `multipart/form-data` (RFC 7578, RFC 2046 §5.1), as a server may have it.

/// One part. Names are as they are on the wire: `%22` there may have been a quote or have been typed.
#[derive(Debug, PartialEq)]
pub struct Read {
    pub name: String,
    pub file_name: Option<String>,
    pub content_type: Option<String>,
    pub content: Vec<u8>,
}

/// What browsers write for a name (HTML Standard), and for control bytes what we do.
pub fn escaped(name: &str) -> String {
    let escape = |c: char| match c {
        '"' => "%22".to_owned(),
        '\t' => "\t".to_owned(),
        c if c.is_ascii_control() => format!("%{:02X}", u32::from(c)),
        c => c.to_string(),
    };
    name.chars().map(escape).collect()
}

/// The boundary that a request names, and its body, whichever framing that has.
pub fn body(request: &[u8]) -> (String, Vec<u8>) {
    let end = find(request, b"\r\n\r\n").expect("a head");
    let head = str::from_utf8(&request[..end]).expect("text");
    let boundary = head.split("boundary=").nth(1).expect("a boundary");
    let boundary = boundary.split("\r\n").next().unwrap_or_default().to_owned();
    let coded = &request[end + 4..];
    let body =
        if head.contains("Transfer-Encoding: chunked") { unchunk(coded) } else { coded.to_vec() };
    (boundary, body)
}

fn unchunk(mut coded: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = find(coded, b"\r\n").expect("a chunk line");
        let size = str::from_utf8(&coded[..line]).expect("text");
        let size = usize::from_str_radix(size, 16).expect("a size");
        let data = &coded[line + 2..];
        if size == 0 {
            assert_eq!(data, b"\r\n");
            return body;
        }
        body.extend_from_slice(&data[..size]);
        assert_eq!(&data[size..size + 2], b"\r\n");
        coded = &data[size + 2..];
    }
}

/// The parts of a body, if it is a form.
pub fn read(boundary: &str, body: &[u8]) -> Option<Vec<Read>> {
    // A delimiter begins with a line end; before the first one it may be left out.
    let delimiter = format!("\r\n--{boundary}");
    let body = [b"\r\n", body].concat();
    let mut rest = body.strip_prefix(delimiter.as_bytes())?;
    let mut parts = Vec::new();
    loop {
        if rest == b"--\r\n" {
            return Some(parts);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, delimiter.as_bytes())?;
        parts.push(part(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
}

fn part(text: &[u8]) -> Option<Read> {
    let end = find(text, b"\r\n\r\n")?;
    let (head, content) = (str::from_utf8(&text[..end]).ok()?, text[end + 4..].to_vec());
    let (mut disposition, mut content_type) = (None, None);
    for line in head.split("\r\n") {
        let place = match line.split_once(':')? {
            ("Content-Disposition", _) => &mut disposition,
            ("Content-Type", _) => &mut content_type,
            _ => return None,
        };
        let value = line.split_once(':')?.1.trim_matches([' ', '\t']).to_owned();
        // Two of a name would be one too many.
        if place.replace(value).is_some() {
            return None;
        }
    }
    let disposition = disposition?;
    let rest = disposition.strip_prefix("form-data; name=\"")?;
    let (name, rest) = rest.split_once('"')?;
    let file_name = match rest {
        "" => None,
        more => Some(more.strip_prefix("; filename=\"")?.strip_suffix('"')?),
    };
    if file_name.is_some_and(|name| name.contains('"')) {
        return None;
    }
    Some(Read {
        name: name.to_owned(),
        file_name: file_name.map(str::to_owned),
        content_type,
        content,
    })
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}
