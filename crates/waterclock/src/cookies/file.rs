//! Cookies in files.

use super::Cookies;
use crate::error::{Error, ErrorKind, Failure};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;
use waterclock_proto::cookies::{CookieFileError, CookieJar, LeftOut, Loaded, SessionCookies};

/// How cookies are written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieFormat {
    /// `cookies.txt`, as curl, wget, browsers and Python's `MozillaCookieJar` read it. It cannot hold
    /// `SameSite`, nor a TAB.
    Netscape,
    /// Everything that is known about a cookie.
    #[cfg(feature = "json")]
    Json,
}

impl Cookies {
    /// Adds the cookies of a file, which is JSON if it begins with `{`, else in the Netscape format.
    /// Gives those that are not kept, because no server could have set them. `now` decides what has
    /// expired.
    ///
    /// ```no_run
    /// use waterclock::Session;
    /// use waterclock::cookies::{CookieFormat, SessionCookies};
    ///
    /// let session = Session::new();
    /// session.cookies().load("cookies.txt", std::time::SystemTime::now())?;
    /// session.get("https://example.com/").send()?;
    /// session.cookies().save("cookies.txt", CookieFormat::Netscape, SessionCookies::Keep)?;
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`]: the file cannot be read, or which line of it is malformed and
    /// how. The jar is as before then.
    pub fn load(&self, path: impl AsRef<Path>, now: SystemTime) -> Result<Vec<LeftOut>, Error> {
        let path = path.as_ref();
        let text = fs::read(path).map_err(|error| unusable("read", path, error))?;
        let loaded = parse(&text, now).map_err(|error| unusable("used", path, error))?;
        self.update(|jar| jar.merge(&loaded.jar, now));
        Ok(loaded.left_out)
    }

    /// Writes the cookies to a file that only its owner can read, in one step: whoever reads it sees
    /// the old ones or the new ones. Cookies that the format cannot hold are left out, and told in
    /// the log.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`]: the file cannot be written. An old one is as before then.
    pub fn save(
        &self,
        path: impl AsRef<Path>,
        format: CookieFormat,
        session: SessionCookies,
    ) -> Result<(), Error> {
        let path = path.as_ref();
        let text = self.update(|jar| match format {
            CookieFormat::Netscape => {
                let file = jar.to_netscape(session);
                for cookie in &file.left_out {
                    let name = cookie.name_text();
                    log::warn!("the Netscape format cannot hold the cookie {name:?}: left out");
                }
                file.text
            }
            #[cfg(feature = "json")]
            CookieFormat::Json => jar.to_json(session).into_bytes(),
        });
        replace(path, &text).map_err(|error| unusable("written", path, error))
    }
}

fn parse(text: &[u8], now: SystemTime) -> Result<Loaded, CookieFileError> {
    #[cfg(feature = "json")]
    if text.trim_ascii_start().starts_with(b"{") {
        return CookieJar::from_json(text, now);
    }
    CookieJar::from_netscape(text, now)
}

fn unusable(
    what: &str,
    path: &Path,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let context = format_args!("the cookie file {} cannot be {what}", path.display());
    Error::new(Failure::from_error(ErrorKind::InvalidRequest, context, error), None)
}

/// Puts `text` in the place of the file at `path`, or of the one that it links to.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let target = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        target => target?,
    };
    let beside = beside(&target);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    let result = written.and_then(|()| fs::rename(&beside, &target));
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result
}

/// A name in the same folder, so that renaming is one step; another for each writer of this process.
fn beside(path: &Path) -> PathBuf {
    static WRITERS: AtomicUsize = AtomicUsize::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}.{writer}.new", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use waterclock_proto::cookies::NewCookie;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    #[test]
    fn cookies_survive_both_kinds_of_file() {
        let folder = std::env::temp_dir().join(format!("waterclock-jar-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let cookies = Cookies::default();
        let cookie = NewCookie::new("id", "7", "example.com").secure();
        cookies.update(|jar| jar.insert(cookie, now())).unwrap();
        for format in [CookieFormat::Netscape, CookieFormat::Json] {
            let path = folder.join(format!("{format:?}"));
            cookies.save(&path, format, SessionCookies::Keep).unwrap();
            cookies.save(&path, format, SessionCookies::Keep).unwrap();
            let read = Cookies::default();
            assert!(read.load(&path, now()).unwrap().is_empty());
            assert_eq!(read.snapshot().named("id").next().unwrap().value(), b"7");
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing is left beside them");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = std::env::temp_dir().join(format!("waterclock-link-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, link) = (folder.join("jar"), folder.join("link"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let cookies = Cookies::default();
        cookies.save(&link, CookieFormat::Netscape, SessionCookies::Keep).unwrap();
        assert!(link.is_symlink() && fs::metadata(&file).unwrap().len() > 0);
        fs::remove_dir_all(&folder).unwrap();
    }

    /// Each replaces the whole file with its own; nobody sees, or takes away, what another is writing.
    #[test]
    fn writers_at_once_leave_one_whole_file() {
        let folder = std::env::temp_dir().join(format!("waterclock-many-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("jar");
        std::thread::scope(|scope| {
            for writer in 0..3 {
                let path = &path;
                scope.spawn(move || {
                    let cookies = Cookies::default();
                    for number in 0..50 {
                        let cookie = NewCookie::new(format!("n{writer}-{number}"), "7", "x.org");
                        cookies.update(|jar| jar.insert(cookie, now())).unwrap();
                        cookies.save(path, CookieFormat::Netscape, SessionCookies::Keep).unwrap();
                        Cookies::default().load(path, now()).unwrap();
                    }
                });
            }
        });
        let read = Cookies::default();
        read.load(&path, now()).unwrap();
        assert_eq!(read.snapshot().len(), 50);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_bad_file_says_where_and_changes_nothing() {
        let path = std::env::temp_dir().join(format!("waterclock-bad-{}", std::process::id()));
        fs::write(&path, "# Netscape HTTP Cookie File\nexample.com only two\n").unwrap();
        let cookies = Cookies::default();
        let error = cookies.load(&path, now()).unwrap_err();
        assert!(error.message().contains("line 2"), "{error}");
        assert!(cookies.snapshot().is_empty());
        fs::remove_file(&path).unwrap();
        assert!(cookies.load(&path, now()).unwrap_err().message().contains("cannot be read"));
    }
}
