//! Header fields, cookies, queries and bodies as HAR has them.

use serde::Serialize;
use url::Url;
use waterclock::run::{ResponseRecord, Secrets};

/// A name with a value.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
}

impl Pair {
    fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Pair { name: name.into(), value: value.into() }
    }
}

pub(super) fn pairs(fields: Vec<(String, String)>) -> Vec<Pair> {
    fields.into_iter().map(|(name, value)| Pair { name, value }).collect()
}

/// The query of a URL, decoded.
pub(super) fn query(url: &str) -> Vec<Pair> {
    let Ok(url) = Url::parse(url) else { return Vec::new() };
    url.query_pairs().map(|(name, value)| Pair::new(name, value)).collect()
}

/// What a run keeps in place of a value that is secret.
const REDACTED: &str = "[redacted]";

fn values<'f>(
    fields: &'f [(String, String)],
    wanted: &'static str,
    secrets: Secrets,
) -> impl Iterator<Item = &'f str> {
    let named = fields.iter().filter(move |(name, value)| {
        secrets == Secrets::Shown && name.eq_ignore_ascii_case(wanted) && value != REDACTED
    });
    named.map(|(_, value)| value.as_str())
}

/// The cookies of `Cookie` fields.
pub(super) fn cookies(fields: &[(String, String)], secrets: Secrets) -> Vec<Pair> {
    values(fields, "Cookie", secrets)
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .map(|(name, value)| Pair::new(name, value))
        .collect()
}

/// The names and values of `Set-Cookie` fields; their attributes stand in the fields.
pub(super) fn set_cookies(fields: &[(String, String)], secrets: Secrets) -> Vec<Pair> {
    values(fields, "Set-Cookie", secrets)
        .filter_map(|value| value.split(';').next()?.trim().split_once('='))
        .map(|(name, value)| Pair::new(name.trim_end(), value.trim_start()))
        .collect()
}

/// A response's body; of which only the size is known.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    size: i64,
    /// How many bytes its coding has saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<i64>,
    mime_type: String,
}

impl Content {
    pub(super) const UNKNOWN: Content =
        Content { size: 0, compression: None, mime_type: String::new() };

    pub(super) fn of(record: &ResponseRecord) -> Self {
        let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let (size, received) = (number(record.body_bytes), number(record.body_received));
        let media = record.headers.get_str("Content-Type").unwrap_or_default();
        Content {
            size,
            compression: (size != received).then(|| size - received),
            mime_type: media.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn cookies_are_taken_apart_only_if_they_may_be_seen() {
        let fields = field("cookie", "a=1; b=2=3;  broken; c=");
        let parts = [Pair::new("a", "1"), Pair::new("b", "2=3"), Pair::new("c", "")];
        assert_eq!(cookies(&fields, Secrets::Shown), parts);
        assert_eq!(cookies(&fields, Secrets::Redacted), []);
        // Saved without its secrets, and asked for them now.
        assert_eq!(cookies(&field("Cookie", "[redacted]"), Secrets::Shown), []);
        let fields = field("Set-Cookie", "id = x ; Path=/; HttpOnly");
        assert_eq!(set_cookies(&fields, Secrets::Shown), [Pair::new("id", "x")]);
    }

    #[test]
    fn queries_are_decoded() {
        let wanted = [Pair::new("q", "a b"), Pair::new("q", "물"), Pair::new("x", "")];
        assert_eq!(query("http://h/?q=a+b&q=%EB%AC%BC&x"), wanted);
        assert_eq!(query("not a URL?a=b"), []);
    }
}
