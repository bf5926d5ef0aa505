//! The rules of RFC 6265bis as tables, by what they are about.

mod any;
mod files;
mod keep;
mod receive;
mod send;

use super::*;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use url::Url;

/// A moment in 2027.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn after(seconds: u64) -> SystemTime {
    now() + Duration::from_secs(seconds)
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// What one response leads to.
fn set(jar: &mut CookieJar, from: &str, field: &str) -> Result<Stored, Rejected> {
    jar.store_response(&url(from), field.as_bytes(), now())
}

/// A jar that was told all of it, and took it.
fn jar_of(sets: &[(&str, &str)]) -> CookieJar {
    let mut jar = CookieJar::new();
    for (from, field) in sets {
        set(&mut jar, from, field).unwrap();
    }
    jar
}

/// The header a same-site request gets, as text.
fn sent(jar: &mut CookieJar, to: &str) -> String {
    sent_in(jar, to, SiteContext::SameSite)
}

fn sent_in(jar: &mut CookieJar, to: &str, context: SiteContext) -> String {
    String::from_utf8(jar.header(&url(to), context, now()).unwrap_or_default()).unwrap()
}
