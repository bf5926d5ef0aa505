//! What outlives a call: cookies, and sessions in HTTPie's sense.

use crate::access::Login;
use crate::args::Cookies;
use crate::items::HeaderItem;
use crate::session_file::SessionFile;
use crate::store::{self, Mode};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use waterclock::Url;
use waterclock::cookies::{CookieFileError, CookieJar, Loaded, SessionCookies};

/// What was kept of earlier calls, and where that of this one is kept.
#[derive(Default)]
pub(crate) struct State {
    /// The cookies to begin with.
    pub(crate) cookies: CookieJar,
    /// Those of `--cookie NAME=VALUE`, which are for this call only.
    pub(crate) given: Vec<(String, String)>,
    /// What could not be kept, in words.
    pub(crate) remarks: Vec<String>,
    keeps: Keeps,
}

#[derive(Default)]
enum Keeps {
    #[default]
    Nothing,
    Jar(PathBuf),
    Session(Box<SessionFile>),
}

impl State {
    /// Reads what the options name.
    ///
    /// # Errors
    /// In words, for a file that cannot be used.
    pub(crate) fn open(options: &Cookies, url: &str, now: SystemTime) -> Result<Self, String> {
        let mut state = State::default();
        if let Some(path) = &options.jar {
            state.keeps = Keeps::Jar(path.clone());
            if let Some(text) = read_if_there(path)? {
                state.load(path, CookieJar::from_netscape(&text, now), now)?;
            }
        }
        // A URL that cannot be read has no session; the call will say what is wrong with it.
        let url = Url::parse(url).ok();
        if let (Some(path), Some(url)) = (&options.session, url) {
            let old = match read_if_there(path)? {
                None if options.read_only => return Err(unreadable(path, &not_found())),
                old => old,
            };
            let (file, loaded) = SessionFile::open(path, old.as_deref(), &url, now)?;
            state.load(path, Ok(loaded), now)?;
            state.keeps = Keeps::Session(Box::new(file.read_only(options.read_only)));
        }
        for given in &options.given {
            state.add(given, now)?;
        }
        Ok(state)
    }

    /// `--cookie`: as in curl, what has no `=` in it is a file.
    fn add(&mut self, given: &str, now: SystemTime) -> Result<(), String> {
        if !given.contains('=') {
            let path = Path::new(given);
            let text = fs::read(path).map_err(|error| {
                format!("{}; a cookie is written NAME=VALUE", unreadable(path, &error))
            })?;
            return self.load(path, CookieJar::from_netscape(&text, now), now);
        }
        for pair in given.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| {
                let pair = pair.escape_debug();
                format!("the cookie \"{pair}\" has no value; write NAME=VALUE")
            })?;
            self.given.push((name.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    fn load(
        &mut self,
        path: &Path,
        loaded: Result<Loaded, CookieFileError>,
        now: SystemTime,
    ) -> Result<(), String> {
        let shown = shown(path);
        let loaded = loaded.map_err(|error| format!("{shown}: {error}"))?;
        let left_out = loaded.left_out.iter();
        self.remarks
            .extend(left_out.map(|cookie| {
                format!("{shown}: cookie {} is left out: {}", cookie.at, cookie.why)
            }));
        self.cookies.merge(&loaded.jar, now);
        Ok(())
    }

    /// The headers of the session, which those of the command line replace.
    pub(crate) fn headers(&self) -> &[HeaderItem] {
        match &self.keeps {
            Keeps::Session(file) => &file.headers,
            _ => &[],
        }
    }

    /// The credentials of the session.
    pub(crate) fn login(&self) -> Option<&Login> {
        match &self.keeps {
            Keeps::Session(file) => file.login.as_ref(),
            _ => None,
        }
    }

    /// Adds to the session what the command line says.
    pub(crate) fn remember(&mut self, headers: &[HeaderItem], login: Option<&Login>) {
        if let Keeps::Session(file) = &mut self.keeps {
            file.remember(headers, login);
        }
    }

    /// Keeps the cookies that the call ended with. `None` if nothing is to be kept.
    pub(crate) fn save(&mut self, cookies: &CookieJar) -> Option<(PathBuf, io::Result<()>)> {
        match &self.keeps {
            Keeps::Nothing => None,
            Keeps::Jar(path) => {
                let file = cookies.to_netscape(SessionCookies::Keep);
                let shown = shown(path);
                self.remarks.extend(file.left_out.iter().map(|cookie| {
                    let name = String::from_utf8_lossy(cookie.name());
                    let name = name.escape_debug();
                    format!("{shown}: the format cannot hold the cookie \"{name}\" (a tab in it, or a host that begins with $)")
                }));
                let written = store::write(path, &file.text, Mode::AsBefore);
                Some((path.clone(), written))
            }
            Keeps::Session(file) => file.save(cookies),
        }
    }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", shown(path))
}

fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(given: &[&str]) -> Result<State, String> {
        let given = given.iter().map(|&text| text.to_owned()).collect();
        let options = Cookies { given, ..Cookies::default() };
        State::open(&options, "http://h.test/", SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn what_has_an_equals_sign_is_a_cookie() {
        let state = open(&["a=1; b=x=y", "c="]).unwrap();
        let pairs: Vec<_> = state.given.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(pairs, [("a", "1"), ("b", "x=y"), ("c", "")]);
        assert!(open(&["a=1; b"]).err().unwrap().contains("\"b\" has no value"));
        assert!(open(&["/nowhere/at/all"]).err().unwrap().contains("written NAME=VALUE"));
    }
}
