//! Another reader of forms (RFC 2046 §5.1) finds the parts that were put in, whatever they say.

use super::*;

/// Head lines and content of each part; `None` if it is no form.
fn parts(body: &[u8]) -> Option<Vec<(Vec<String>, Vec<u8>)>> {
    let delimiter = format!("\r\n--{BOUNDARY}");
    let body = [b"\r\n", body].concat();
    let mut rest = body.strip_prefix(delimiter.as_bytes())?;
    let mut found = Vec::new();
    while rest != b"--\r\n" {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, delimiter.as_bytes())?;
        let part = &rest[..end];
        let blank = find(part, b"\r\n\r\n")?;
        let head = std::str::from_utf8(&part[..blank]).ok()?;
        found.push((head.split("\r\n").map(str::to_owned).collect(), part[blank + 4..].to_vec()));
        rest = &rest[end + delimiter.len()..];
    }
    Some(found)
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

/// The quoted text behind `key`, decoded as a server decodes it that does no more than that.
fn quoted(line: &str, key: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!(" {key}=\""))?;
    let (text, _) = rest.split_once('"')?;
    Some(text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

/// Text with what could end a name, a line or a head. Without `%`, which is sent as it is.
fn text() -> impl Strategy<Value = String> {
    let pieces =
        prop::sample::select(vec!["\"", "\r\n", "\r", "\n", ";", "=", "--", " ", "a", "ü"]);
    prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn another_reader_finds_the_parts(
        given in prop::collection::vec((text(), prop::option::of(text()), text()), 0..5),
    ) {
        let form = given.iter().fold(Multipart::new(), |form, (name, file_name, content)| {
            let part = Part::new(name, content.clone()).header("X-Part", "one");
            form.part(file_name.iter().fold(part, Part::file_name))
        });
        let found = parts(&read(&mut body(form), 64)).expect("a form");
        prop_assert_eq!(found.len(), given.len());
        for ((name, file_name, content), (head, read)) in given.iter().zip(found) {
            prop_assert_eq!(head.len(), 2, "{:?}", head);
            let lines = |name: &str| name.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            prop_assert_eq!(quoted(&head[0], "name"), Some(lines(name)));
            prop_assert_eq!(&quoted(&head[0], "filename"), file_name);
            prop_assert_eq!(&head[1], "X-Part: one");
            prop_assert_eq!(read, content.as_bytes());
        }
    }
}
