//! Request items in HTTPie's notation: `Header:value`, `name==query`, `name=field`, `name:=json`,
//! `name=@file`, `name@file`.

use crate::parts::PartItem;
use std::fs;

/// What one item adds to the request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// `Name:value`, `Name;` (empty) or `Name:` (removed).
    Header(HeaderItem),
    /// `name==value`.
    Query(String, String),
    /// `name=value`, `name:=json`, `name=@file`, `name:=@file`.
    Field(String, Value),
    /// `name@file`: a file of a form.
    File(PartItem),
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A JSON string, or a form's value.
    Text(String),
    /// JSON as it was written: the order of members is kept.
    Json(String),
}

/// A header that is set or, without a value, removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderItem {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// Separators, the longer one of two that begin alike first.
const SEPARATORS: [&str; 7] = [":=@", ":=", "==", "=@", "=", ":", "@"];

/// Reads an item. The separator that comes first counts; of several at one place, the longest. A
/// backslash keeps the character after it from being one.
pub(crate) fn parse(text: &str) -> Result<Item, String> {
    if let Some(name) = text.strip_suffix(';')
        && !name.is_empty()
        && !name.contains([':', '='])
    {
        return Ok(Item::Header(HeaderItem { name: name.to_owned(), value: Some(String::new()) }));
    }
    let (name, separator, value) = split(text).ok_or_else(|| {
        format!(
            "\"{}\" is no request item; write Header:value, name==query, name=field, \
             name:=json, name=@file or name@file",
            text.escape_debug()
        )
    })?;
    if name.is_empty() {
        return Err(format!("the item \"{}\" has no name", text.escape_debug()));
    }
    Ok(match separator {
        ":" => {
            let value = Some(value.trim_start().to_owned()).filter(|value| !value.is_empty());
            Item::Header(HeaderItem { name, value })
        }
        "==" => Item::Query(name, value.to_owned()),
        "=" => Item::Field(name, Value::Text(value.to_owned())),
        "=@" => Item::Field(name, Value::Text(read_text(value)?)),
        "@" => Item::File(PartItem::file(name, value)?),
        ":=" => Item::Field(name.clone(), json(&name, value)?),
        _ => Item::Field(name.clone(), json(&name, &read_text(value)?)?),
    })
}

/// A header in curl's notation: `Name: value`, `Name;` or `Name:`.
pub(crate) fn parse_header(text: &str) -> Result<HeaderItem, String> {
    match parse(text) {
        Ok(Item::Header(header)) => Ok(header),
        // An `=` before the colon is part of no header's name.
        _ => Err("a header is 'Name: value', 'Name;' (empty) or 'Name:' (not sent)".to_owned()),
    }
}

fn split(text: &str) -> Option<(String, &'static str, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        if let Some(escaped) = rest.strip_prefix('\\') {
            let c = escaped.chars().next()?;
            if !":=;@\\".contains(c) {
                name.push('\\');
            }
            name.push(c);
            rest = &escaped[c.len_utf8()..];
            continue;
        }
        if let Some(separator) = SEPARATORS.iter().find(|separator| rest.starts_with(**separator)) {
            return Some((name, separator, &rest[separator.len()..]));
        }
        let c = rest.chars().next()?;
        name.push(c);
        rest = &rest[c.len_utf8()..];
    }
}

fn read_text(path: &str) -> Result<String, String> {
    fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.escape_debug()))
}

fn json(name: &str, text: &str) -> Result<Value, String> {
    serde_json::from_str::<serde_json::Value>(text)
        .map(|_| Value::Json(text.trim().to_owned()))
        .map_err(|error| format!("the value of \"{}\" is no JSON: {error}", name.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;
    fn header(name: &str, value: Option<&str>) -> Item {
        Item::Header(HeaderItem { name: name.into(), value: value.map(Into::into) })
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn field(name: &str, value: Value) -> Item {
        Item::Field(name.into(), value)
    }

    #[test]
    fn the_first_separator_counts() {
        for (text, item) in [
            ("X-Id:7", header("X-Id", Some("7"))),
            ("Accept: text/html", header("Accept", Some("text/html"))),
            ("Referer:http://a/?x=1", header("Referer", Some("http://a/?x=1"))),
            ("Accept:", header("Accept", None)),
            ("X-Empty;", header("X-Empty", Some(""))),
            ("q==a=b", Item::Query("q".into(), "a=b".into())),
            ("name=value:with=all", field("name", text("value:with=all"))),
            ("n:=3", field("n", Value::Json("3".into()))),
            ("list:=[1, \"a\"]", field("list", Value::Json("[1, \"a\"]".into()))),
            ("a\\:b=c", field("a:b", text("c"))),
            ("a\\@b=c", field("a@b", text("c"))),
            (
                "photo@a.png;type=image/x",
                Item::File(crate::parts::parse("photo=@a.png;type=image/x").unwrap()),
            ),
            ("이름=값", field("이름", text("값"))),
        ] {
            assert_eq!(parse(text), Ok(item), "{text}");
        }
    }

    #[test]
    fn what_is_no_item_says_what_would_be() {
        assert!(parse("word").unwrap_err().contains("Header:value"));
        assert!(parse("=x").unwrap_err().contains("no name"));
        assert!(parse("n:={").unwrap_err().contains("no JSON"));
        assert!(parse("f=@/nowhere/at/all").unwrap_err().contains("cannot read"));
    }

    #[test]
    fn curls_headers() {
        let read = |text| parse_header(text).map(|header| (header.name, header.value));
        assert_eq!(read("X-A: b: c"), Ok(("X-A".into(), Some("b: c".into()))));
        assert_eq!(read("X-A;"), Ok(("X-A".into(), Some(String::new()))));
        assert_eq!(read("Accept:"), Ok(("Accept".into(), None)));
        assert!(read("no header").is_err());
        assert!(read("a=b").is_err());
    }
}
