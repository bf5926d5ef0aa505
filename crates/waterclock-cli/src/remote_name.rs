//! Names for files that the URL or the server chooses: never a path, never hidden.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use waterclock::screen::escape;
use waterclock::{Headers, Url};

/// Longer names are cut: file systems take 255 bytes.
const LONGEST: usize = 200;

/// The last part of the URL's path.
///
/// # Errors
/// In words, if it has none.
pub(crate) fn of_url(url: &str) -> Result<String, String> {
    let last = Url::parse(url)
        .ok()
        .and_then(|url| Some(url.path_segments()?.next_back()?.to_owned()))
        .unwrap_or_default();
    let name = percent_decode_str(&last).decode_utf8_lossy();
    harmless(&name)
        .ok_or_else(|| "the URL's path does not end with a file name; use -o FILE".to_owned())
}

/// What Content-Disposition says (RFC 6266), if it says something.
pub(crate) fn of_headers(headers: &Headers) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get("Content-Disposition")?).into_owned();
    let parameters = parameters(&value);
    let find = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    };
    let extended = find("filename*").and_then(extended);
    harmless(&extended.or_else(|| find("filename").map(str::to_owned))?)
}

/// RFC 8187: `UTF-8'ko'%ED%95%9C`. Other character sets are in no standard any more.
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let utf8 = charset.eq_ignore_ascii_case("utf-8");
    utf8.then(|| percent_decode_str(text).decode_utf8().ok().map(Into::into))?
}

/// What follows the first `;`: names and values, quoted or not.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches(|c: char| c == ';' || c.is_whitespace()).to_owned();
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let (value, after) = after.split_once(';').unwrap_or((after, ""));
                (value.trim_end().to_owned(), after)
            }
        };
        found.push((name, value));
        rest = after;
    }
    found
}

fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// One component of a path that shows what it is: no separators, no leading dot, nothing that a
/// terminal obeys or that reorders text.
fn harmless(name: &str) -> Option<String> {
    let mut safe = String::new();
    for c in name.trim().chars() {
        let bad = matches!(c, '/' | '\\' | ':') || is_unsafe(c);
        let c = if bad || (safe.is_empty() && c == '.') { '_' } else { c };
        if safe.len() + c.len_utf8() > LONGEST {
            break;
        }
        safe.push(c);
    }
    (!safe.is_empty()).then_some(safe)
}

fn is_unsafe(c: char) -> bool {
    matches!(escape(c.encode_utf8(&mut [0; 4])), Cow::Owned(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files() {
        for (url, name) in [
            ("http://h/a/b.txt?x=1#y", "b.txt"),
            ("http://h/a%20b", "a b"),
            ("http://h/..%2f..%2fetc%2fpasswd", "_._.._etc_passwd"),
            ("http://h/%2e%2ebashrc", "_.bashrc"),
            ("http://h/%ED%95%9C", "한"),
            ("http://h/a%0a%1b[2Jb", "a__[2Jb"),
            ("http://h/exe.%E2%80%AEfdp", "exe._fdp"),
        ] {
            assert_eq!(of_url(url).as_deref(), Ok(name), "{url}");
        }
        for url in ["http://h/", "http://h", "http://h/a/", "nonsense"] {
            assert!(of_url(url).unwrap_err().contains("-o FILE"), "{url}");
        }
        assert_eq!(of_url(&format!("http://h/{}", "x".repeat(999))).unwrap().len(), LONGEST);
    }

    #[test]
    fn servers_name_files() {
        for (value, name) in [
            ("attachment; filename=a.txt", Some("a.txt")),
            ("attachment; filename=\"a \\\"b\\\".txt\"; size=3", Some("a \"b\".txt")),
            ("attachment; filename=x; filename*=UTF-8''%ED%95%9C.txt", Some("한.txt")),
            ("attachment; filename*=iso-8859-1''x; filename=y", Some("y")),
            ("attachment; FileName = \"../../x\"", Some("_._.._x")),
            ("attachment; filename=\"C:\\\\x\"", Some("C__x")),
            ("attachment; filename=\"\"", None),
            ("attachment", None),
            ("inline; filename=\"open", Some("open")),
        ] {
            let mut headers = Headers::new();
            headers.append("Content-Disposition", value).unwrap();
            assert_eq!(of_headers(&headers).as_deref(), name, "{value}");
        }
        assert_eq!(of_headers(&Headers::new()), None);
    }
}
