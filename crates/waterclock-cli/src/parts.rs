//! Parts of a form with files, in curl's notation: `NAME=VALUE`, `NAME=@FILE`, `NAME=<FILE`, each
//! with `;type=` and `;filename=` behind it.

use std::fs;
use waterclock::Part;

/// A part as it was asked for. Nothing is opened yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartItem {
    pub(crate) name: String,
    pub(crate) content: Content,
    pub(crate) media: Option<String>,
    pub(crate) file_name: Option<String>,
}

/// Where a part's content comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Text(String),
    /// A file, sent as one.
    File(String),
    /// A file whose content becomes a field.
    FileText(String),
}

impl PartItem {
    pub(crate) fn text(name: String, value: String) -> Self {
        PartItem { name, content: Content::Text(value), media: None, file_name: None }
    }

    /// A file, in HTTPie's notation: `PATH` or `PATH;type=TYPE`.
    pub(crate) fn file(name: String, rest: &str) -> Result<Self, String> {
        let (path, media, file_name) = parameters(rest)?;
        if path.is_empty() {
            return Err(format!("the file of \"{}\" has no name", name.escape_debug()));
        }
        Ok(PartItem { name, content: Content::File(path), media, file_name })
    }

    /// Opens what it names.
    ///
    /// # Errors
    /// In words, for a file that cannot be read.
    pub(crate) fn open(&self) -> Result<Part, String> {
        let name = self.name.clone();
        let mut part = match &self.content {
            Content::Text(text) => Part::new(name, text.clone()),
            Content::File(path) => Part::file(name, path).map_err(|error| error.to_string())?,
            Content::FileText(path) => {
                let text = fs::read(path)
                    .map_err(|error| format!("cannot read {}: {error}", path.escape_debug()))?;
                Part::new(name, text)
            }
        };
        if let Some(media) = &self.media {
            part = part.content_type(media);
        }
        if let Some(file_name) = &self.file_name {
            part = part.file_name(file_name);
        }
        Ok(part)
    }
}

/// Reads the value of `-F`.
pub(crate) fn parse(text: &str) -> Result<PartItem, String> {
    let (name, rest) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("write NAME=VALUE, NAME=@FILE or NAME=<FILE")?;
    let name = name.to_owned();
    if let Some(file) = rest.strip_prefix('@') {
        return PartItem::file(name, file);
    }
    let (from_file, rest) = match rest.strip_prefix('<') {
        Some(file) => (true, file),
        None => (false, rest),
    };
    let (value, media, file_name) = parameters(rest)?;
    let content = if from_file { Content::FileText(value) } else { Content::Text(value) };
    Ok(PartItem { name, content, media, file_name })
}

type Parameters = (String, Option<String>, Option<String>);

/// Takes `;type=` and `;filename=` off the end. A `;` before something else belongs to the value; one
/// that would mean something can be quoted, `"..."`, with `\` before a quote or backslash.
fn parameters(text: &str) -> Result<Parameters, String> {
    let (value, mut rest) = word(text, |rest| next(rest).is_some())?;
    let (mut media, mut file_name) = (None, None);
    while let Some((name, after)) = next(rest) {
        let (value, after) = word(after, |rest| next(rest).is_some())?;
        match name {
            "type" => media = Some(value),
            _ => file_name = Some(value),
        }
        rest = after;
    }
    if !rest.is_empty() {
        let rest = rest.escape_debug();
        return Err(format!(
            "behind a quoted value there can be ;type= and ;filename=, not {rest}"
        ));
    }
    Ok((value, media, file_name))
}

/// The parameter that begins here.
fn next(rest: &str) -> Option<(&'static str, &str)> {
    let rest = rest.strip_prefix(';')?.trim_start();
    ["type", "filename"]
        .into_iter()
        .find_map(|name| Some((name, rest.strip_prefix(name)?.strip_prefix('=')?)))
}

/// A value up to where `ends` says, or to the end of its quotes; and the rest.
fn word(text: &str, ends: impl Fn(&str) -> bool) -> Result<(String, &str), String> {
    if let Some(quoted) = text.strip_prefix('"') {
        return unquoted(quoted);
    }
    let end = text.char_indices().map(|(at, _)| at).find(|&at| ends(&text[at..]));
    let (value, rest) = text.split_at(end.unwrap_or(text.len()));
    Ok((value.to_owned(), rest))
}

fn unquoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err("a quote (\") that begins a value is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Content, Option<String>, Option<String>) {
        let part = parse(text).unwrap();
        assert_eq!(part.name, "n");
        (part.content, part.media, part.file_name)
    }

    #[test]
    fn values_files_and_values_from_files() {
        let text = |text: &str| Content::Text(text.into());
        let file = |path: &str| Content::File(path.into());
        let some = |text: &str| Some(text.to_owned());
        for (given, wanted) in [
            ("n=", (text(""), None, None)),
            ("n=a=b;c", (text("a=b;c"), None, None)),
            ("n=한국", (text("한국"), None, None)),
            ("n={};type=application/json", (text("{}"), some("application/json"), None)),
            ("n=\"a;type=b\\\"\\x\"", (text("a;type=b\"\\x"), None, None)),
            ("n=@a b.txt", (file("a b.txt"), None, None)),
            (
                "n=@x;type=text/html; charset=utf-8;filename=\"a;b\"",
                (file("x"), some("text/html; charset=utf-8"), some("a;b")),
            ),
            ("n=@x;filename=y;type=z/z", (file("x"), some("z/z"), some("y"))),
            ("n=<x;type=text/plain", (Content::FileText("x".into()), some("text/plain"), None)),
        ] {
            assert_eq!(read(given), wanted, "{given}");
        }
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for text in ["n", "=x", ""] {
            assert!(parse(text).unwrap_err().contains("NAME=VALUE"), "{text}");
        }
        assert!(parse("n=@").unwrap_err().contains("has no name"));
        assert!(parse("n=\"open").unwrap_err().contains("not closed"));
        assert!(parse("n=\"a\"b").unwrap_err().contains("not b"));
        let missing = parse("n=@/nowhere/at/all").unwrap().open().unwrap_err();
        assert!(missing.contains("cannot send /nowhere/at/all"), "{missing}");
    }
}
