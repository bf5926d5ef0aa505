//! A session file: cookies, headers and credentials for one origin, as JSON.
//!
//! ```json
//! { "waterclock_session": 1, "origin": "https://example.com",
//!   "headers": [["X-Team", "tea"]],
//!   "auth": { "type": "basic", "user": "me", "password": "..." },
//!   "cookies": { "version": 1, "cookies": [] } }
//! ```

use crate::access::Login;
use crate::items::HeaderItem;
use crate::store::{self, Mode};
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use waterclock::Url;
use waterclock::cookies::{CookieJar, Loaded, SessionCookies};

const VERSION: u64 = 1;

/// A session, as it will be written.
pub(crate) struct SessionFile {
    path: PathBuf,
    read_only: bool,
    /// Scheme, host and port: what is in it goes nowhere else.
    origin: String,
    pub(crate) headers: Vec<HeaderItem>,
    pub(crate) login: Option<Login>,
}

impl SessionFile {
    /// The session in `old`, or a new one; and its cookies.
    ///
    /// # Errors
    /// In words, if it is no session, or one of another origin.
    pub(crate) fn open(
        path: &Path,
        old: Option<&[u8]>,
        url: &Url,
        now: SystemTime,
    ) -> Result<(Self, Loaded), String> {
        let shown = path.display().to_string().escape_debug().to_string();
        if !url.origin().is_tuple() {
            return Err(format!(
                "the session file {shown}: only http and https URLs have sessions"
            ));
        }
        let origin = url.origin().ascii_serialization();
        let mut file = SessionFile {
            path: path.to_owned(),
            read_only: false,
            origin,
            headers: Vec::new(),
            login: None,
        };
        let empty = CookieJar::new().to_json(SessionCookies::Keep);
        let wrong = |what: String| format!("the session file {shown}: {what}");
        let cookies = match old {
            None => empty,
            Some(old) => file.read(old).map_err(wrong)?.map_or(empty, |value| value.to_string()),
        };
        let loaded = CookieJar::from_json(cookies.as_bytes(), now)
            .map_err(|error| wrong(format!("its cookies cannot be read: {error}")))?;
        Ok((file, loaded))
    }

    /// Takes over what a file says, and gives its cookies. Nothing of it is repeated in errors.
    fn read(&mut self, text: &[u8]) -> Result<Option<Value>, String> {
        let mut document: Value = serde_json::from_slice(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("line {line}, column {column}: this is no JSON; correct it or delete the file")
        })?;
        match document["waterclock_session"].as_u64() {
            Some(VERSION) => {}
            Some(version) => return Err(format!("its version {version} is not known here")),
            None => return Err("it was not written by waterclock; name another file".to_owned()),
        }
        match document["origin"].as_str() {
            Some(origin) if origin == self.origin => {}
            Some(other) => {
                let (other, origin) = (other.escape_debug(), &self.origin);
                return Err(format!(
                    "it is for {other} and not for {origin}; use one file for each"
                ));
            }
            None => return Err(damaged("origin")),
        }
        let headers = document["headers"].as_array().ok_or_else(|| damaged("headers"))?;
        let headers = headers.iter().map(header).collect::<Option<Vec<_>>>();
        self.headers = headers.ok_or_else(|| damaged("headers"))?;
        self.login = match &document["auth"] {
            Value::Null => None,
            auth => Some(login(auth).ok_or_else(|| damaged("auth"))?),
        };
        Ok(document.get_mut("cookies").map(Value::take))
    }

    pub(crate) fn read_only(self, read_only: bool) -> Self {
        SessionFile { read_only, ..self }
    }

    /// Replaces what the command line gives. As in HTTPie, headers about one body or one cached
    /// response are not kept; `Cookie` is not either, since the jar would never be used again.
    pub(crate) fn remember(&mut self, headers: &[HeaderItem], login: Option<&Login>) {
        let named = |name: &str| headers.iter().any(|new| new.name.eq_ignore_ascii_case(name));
        self.headers.retain(|old| !named(&old.name));
        let kept = |header: &&HeaderItem| {
            let name = header.name.to_ascii_lowercase();
            let passing = name.starts_with("content-") || name.starts_with("if-");
            header.value.is_some() && !passing && name != "cookie"
        };
        self.headers.extend(headers.iter().filter(kept).cloned());
        if let Some(login) = login {
            self.login = Some(login.clone());
        }
    }

    pub(crate) fn save(&self, cookies: &CookieJar) -> Option<(PathBuf, io::Result<()>)> {
        if self.read_only {
            return None;
        }
        let text = format!("{:#}\n", self.document(cookies));
        Some((self.path.clone(), store::write(&self.path, text.as_bytes(), Mode::Private)))
    }

    fn document(&self, cookies: &CookieJar) -> Value {
        let headers = self.headers.iter().map(|header| json!([header.name, header.value]));
        let auth = self.login.as_ref().map(|login| match login {
            Login::Basic { user, password } => {
                json!({ "type": "basic", "user": user, "password": password })
            }
            Login::Digest { user, password } => {
                json!({ "type": "digest", "user": user, "password": password })
            }
            Login::Bearer(token) => json!({ "type": "bearer", "token": token }),
        });
        let cookies = cookies.to_json(SessionCookies::Keep);
        json!({
            "waterclock_session": VERSION,
            "origin": self.origin,
            "headers": headers.collect::<Vec<_>>(),
            "auth": auth,
            "cookies": serde_json::from_str::<Value>(&cookies).unwrap_or_default(),
        })
    }
}

fn damaged(what: &str) -> String {
    format!("its \"{what}\" is missing or not as it should be; correct it or delete the file")
}

fn header(pair: &Value) -> Option<HeaderItem> {
    match pair.as_array()?.as_slice() {
        [name, value] => {
            Some(HeaderItem { name: name.as_str()?.into(), value: Some(value.as_str()?.into()) })
        }
        _ => None,
    }
}

fn login(auth: &Value) -> Option<Login> {
    let text = |name: &str| auth[name].as_str().map(str::to_owned);
    match auth["type"].as_str()? {
        "basic" => Some(Login::Basic { user: text("user")?, password: text("password")? }),
        "digest" => Some(Login::Digest { user: text("user")?, password: text("password")? }),
        "bearer" => Some(Login::Bearer(text("token")?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(old: Option<&[u8]>, url: &str) -> Result<SessionFile, String> {
        let url = Url::parse(url).unwrap();
        let path = Path::new("s.json");
        SessionFile::open(path, old, &url, SystemTime::UNIX_EPOCH).map(|(file, _)| file)
    }

    fn item(name: &str, value: Option<&str>) -> HeaderItem {
        HeaderItem { name: name.into(), value: value.map(Into::into) }
    }

    fn written(file: &SessionFile) -> Vec<u8> {
        file.document(&CookieJar::new()).to_string().into_bytes()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut file = open(None, "https://h.test/x").unwrap();
        let given = [
            item("X-A", Some("1")),
            item("X-A", Some("2")),
            item("Content-Type", Some("a/b")),
            item("If-Match", Some("x")),
            item("Cookie", Some("a=b")),
            item("Accept", None),
        ];
        let login = Login::Digest { user: "u".into(), password: "p".into() };
        file.remember(&given, Some(&login));
        let again = open(Some(&written(&file)), "https://h.test:443/y").unwrap();
        assert_eq!(again.headers, given[..2]);
        assert!(again.login == Some(login));
    }

    #[test]
    fn a_header_that_is_given_or_removed_replaces_the_old_one() {
        let mut file = open(None, "http://h.test/").unwrap();
        file.remember(&[item("X-A", Some("1")), item("X-B", Some("1"))], None);
        file.remember(&[item("x-a", Some("2")), item("x-b", None)], None);
        assert_eq!(file.headers, [item("x-a", Some("2"))]);
    }

    #[test]
    fn it_is_for_one_origin() {
        let old = written(&open(None, "https://h.test/").unwrap());
        let error = open(Some(&old), "http+unix://%2Frun%2Fx/").err().unwrap();
        assert!(error.contains("only http and https"), "{error}");
        for other in ["http://h.test/", "https://h.test:444/", "https://g.test/"] {
            let error = open(Some(&old), other).err().unwrap();
            assert!(error.contains("it is for https://h.test and not for"), "{error}");
        }
    }

    #[test]
    fn what_is_no_session_is_refused_without_repeating_it() {
        for (text, words) in [
            ("secret", "line 1, column 1: this is no JSON"),
            ("[]", "not written by waterclock"),
            ("{\"waterclock_session\": 2}", "version 2 is not known"),
            ("{\"waterclock_session\": 1}", "\"origin\" is missing"),
            ("{\"waterclock_session\": 1, \"origin\": \"http://h.test\"}", "\"headers\""),
            (
                "{\"waterclock_session\": 1, \"origin\": \"http://h.test\", \"headers\": [],
                  \"auth\": {\"type\": \"secret\"}}",
                "\"auth\"",
            ),
            (
                "{\"waterclock_session\": 1, \"origin\": \"http://h.test\", \"headers\": [],
                  \"cookies\": \"secret\"}",
                "its cookies cannot be read",
            ),
        ] {
            let error = open(Some(text.as_bytes()), "http://h.test/").err().unwrap();
            assert!(error.contains(words) && !error.contains("secret"), "{error}");
        }
    }
}
