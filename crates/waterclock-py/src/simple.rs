//! URLs that stay as they are when requests prepares them.

use std::borrow::Cow;

/// The URL as requests would send it, if that can be told by looking at its characters: `http` or
/// `https`, a plain lower-case host, a path and query without anything that is decoded, encoded or
/// resolved. Everything else is prepared in Python.
pub(crate) fn prepared(url: &str) -> Option<Cow<'_, str>> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (host, port) = authority.split_once(':').map_or((authority, None), |(h, p)| (h, Some(p)));
    if !is_host(host) || !port.is_none_or(is_port) {
        return None;
    }
    if tail.is_empty() {
        return Some(format!("{url}/").into());
    }
    let (path, query) = tail.split_once('?').map_or((tail, None), |(p, q)| (p, Some(q)));
    let plain_query = query.is_none_or(|query| !query.is_empty() && query.bytes().all(in_query));
    (is_path(path) && plain_query).then_some(url.into())
}

fn is_host(host: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    !host.is_empty() && host.len() <= 253 && !host.starts_with('.') && host.bytes().all(plain)
}

fn is_port(port: &str) -> bool {
    !port.starts_with('0')
        && port.parse::<u16>().is_ok()
        && port.bytes().all(|b| b.is_ascii_digit())
}

/// No segment is `.` or `..` or empty, but for the last one.
fn is_path(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return false };
    if !segments.bytes().all(in_path) || segments.starts_with('/') || segments.contains("//") {
        return false;
    }
    !segments.contains('.') || !segments.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// RFC 3986 §3.3, without percent-encodings.
fn in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte)
}

fn in_query(byte: u8) -> bool {
    in_path(byte) || byte == b'?'
}
