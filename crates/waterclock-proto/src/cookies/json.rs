//! A jar as JSON: everything that is known of a cookie, in a versioned document.

use super::file::{CookieFileError, LeftOut, Loaded, SessionCookies};
use super::{Cookie, CookieJar, NewCookie, SameSite, path};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use std::time::SystemTime;

/// Goes up when an older program could no longer understand the document.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document<C> {
    version: u32,
    cookies: Vec<C>,
}

/// Enough to say whether the rest can be understood.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(with = "bytes")]
    name: Vec<u8>,
    #[serde(with = "bytes")]
    value: Vec<u8>,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    http_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    same_site: Option<Site>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::maybe")]
    expires: Option<SystemTime>,
    #[serde(with = "moment")]
    created: SystemTime,
    #[serde(with = "moment")]
    last_access: SystemTime,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SameSite")]
enum SiteWords {
    Strict,
    Lax,
    None,
}

#[derive(Serialize, Deserialize)]
struct Site(#[serde(with = "SiteWords")] SameSite);

impl CookieJar {
    /// The jar as a JSON document.
    #[must_use]
    #[expect(clippy::expect_used, reason = "strings, booleans and numbers always serialize")]
    pub fn to_json(&self, session: SessionCookies) -> String {
        let admitted = self.iter().filter(|cookie| session.admit(cookie));
        let document = Document { version: VERSION, cookies: admitted.map(to_entry).collect() };
        serde_json::to_string_pretty(&document).expect("plain data")
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// If it is not JSON, not such a document, or one of a newer version.
    pub fn from_json(text: &[u8], now: SystemTime) -> Result<Loaded, CookieFileError> {
        let head: Head = serde_json::from_slice(text).map_err(|error| explain(&error))?;
        if head.version != VERSION {
            let what = format!(
                "the document's version is {}, this program knows {VERSION}; \
                 use the program that wrote it, or a newer one",
                head.version
            );
            return Err(CookieFileError::new(1, what));
        }
        let document: Document<Entry> =
            serde_json::from_slice(text).map_err(|error| explain(&error))?;
        let mut loaded = Loaded { jar: CookieJar::new(), left_out: Vec::new() };
        for (at, entry) in (1..).zip(document.cookies) {
            let mut cookie = from_entry(entry, now);
            let checked = cookie.facts.check_text().and_then(|()| cookie.facts.check_promises());
            if let Err(why) = checked.and_then(|()| loaded.jar.restore(cookie, now)) {
                loaded.left_out.push(LeftOut { at, why });
            }
        }
        Ok(loaded)
    }
}

fn to_entry(cookie: &Cookie) -> Entry {
    let facts = cookie.facts.clone();
    Entry {
        name: facts.name,
        value: facts.value,
        domain: facts.domain,
        host_only: facts.host_only,
        path: facts.path,
        secure: facts.secure,
        http_only: facts.http_only,
        same_site: facts.same_site.map(Site),
        expires: facts.expires,
        created: cookie.created,
        last_access: cookie.last_access,
    }
}

fn from_entry(entry: Entry, now: SystemTime) -> Cookie {
    let facts = NewCookie {
        name: entry.name,
        value: entry.value,
        domain: entry.domain,
        host_only: entry.host_only,
        path: path::comparable(entry.path.as_bytes()),
        secure: entry.secure,
        http_only: entry.http_only,
        same_site: entry.same_site.map(|site| site.0),
        expires: entry.expires,
    };
    // What comes from the future would never be the longest unused.
    Cookie { facts, created: entry.created.min(now), last_access: entry.last_access.min(now) }
}

/// Not serde's own words: they may hold a cookie's value.
fn explain(error: &serde_json::Error) -> CookieFileError {
    let what = match error.classify() {
        Category::Syntax | Category::Io => "is not JSON here",
        Category::Eof => "ends too early",
        Category::Data => "a field is missing here, or holds what it cannot",
    };
    let column = error.column();
    CookieFileError::new(
        error.line(),
        format!("column {column}: {what}; correct the file or delete it"),
    )
}

/// Text where it is text, `{"base64": "..."}` where it is not.
mod bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Text<S> {
        Plain(S),
        Encoded { base64: String },
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        let text = match std::str::from_utf8(bytes) {
            Ok(plain) => Text::Plain(plain),
            Err(_) => Text::Encoded { base64: STANDARD.encode(bytes) },
        };
        text.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        match Text::<String>::deserialize(from)? {
            Text::Plain(plain) => Ok(plain.into_bytes()),
            Text::Encoded { base64 } => STANDARD.decode(base64).map_err(D::Error::custom),
        }
    }
}

/// Times in RFC 3339.
mod moment {
    use crate::cookies::date;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use std::time::SystemTime;

    pub(super) fn serialize<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        date::to_rfc3339(*time).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(from)?;
        date::parse_rfc3339(&text).ok_or_else(|| D::Error::custom("no RFC 3339 time in UTC"))
    }

    pub(super) mod maybe {
        use super::{Deserialize, Deserializer, Serializer, SystemTime};

        #[derive(Deserialize)]
        struct Wrapped(#[serde(with = "super")] SystemTime);

        pub(in super::super) fn serialize<S: Serializer>(
            time: &Option<SystemTime>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => super::serialize(time, to),
                None => to.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<SystemTime>, D::Error> {
            Ok(Option::<Wrapped>::deserialize(from)?.map(|wrapped| wrapped.0))
        }
    }
}
