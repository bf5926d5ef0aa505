//! The `cookies.txt` of Netscape, as curl and Python's `http.cookiejar` read and write it.
//!
//! Seven fields a line, parted by tabs: domain (a leading dot for one with subdomains), whether
//! subdomains are included, path, whether secure, expiry in seconds since 1970 (0 or nothing for a
//! session cookie), name (empty for a cookie without one, as Python has it; curl makes the value
//! its name), value. `#HttpOnly_` in front of the domain is no comment. `SameSite`, the time of
//! creation and fractions of seconds are lost.

use super::file::{CookieFileError, LeftOut, Loaded, SessionCookies};
use super::{Cookie, CookieJar, NewCookie, date, path};
use std::time::SystemTime;

/// The first line; `http.cookiejar` insists on it.
const MAGIC: &[u8] = b"# Netscape HTTP Cookie File\n";
const HTTP_ONLY: &[u8] = b"#HttpOnly_";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A jar as a Netscape file.
#[derive(Debug)]
#[non_exhaustive]
pub struct NetscapeFile<'a> {
    /// The whole file. Bytes, because values are.
    pub text: Vec<u8>,
    /// Cookies the format cannot hold: with a tab in name or value, or of a host that begins with `$`,
    /// whose line would be a comment.
    pub left_out: Vec<&'a Cookie>,
}

impl CookieJar {
    /// The jar as a Netscape file.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use waterclock_proto::cookies::{CookieJar, NewCookie, SessionCookies};
    ///
    /// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    /// let mut jar = CookieJar::new();
    /// let cookie = NewCookie::new("sid", "31d4", "example.com").with_subdomains().secure();
    /// jar.insert(cookie.expires(now + Duration::from_secs(60)), now)?;
    ///
    /// let file = jar.to_netscape(SessionCookies::LeaveOut);
    /// let line = b".example.com\tTRUE\t/\tTRUE\t1800000060\tsid\t31d4\n";
    /// assert!(file.text.ends_with(line) && file.left_out.is_empty());
    /// assert_eq!(CookieJar::from_netscape(&file.text, now)?.jar, jar);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_netscape(&self, session: SessionCookies) -> NetscapeFile<'_> {
        let mut file = NetscapeFile { text: MAGIC.to_vec(), left_out: Vec::new() };
        for cookie in self.iter().filter(|cookie| session.admit(cookie)) {
            if fits(cookie) {
                write_line(&mut file.text, cookie);
            } else {
                file.left_out.push(cookie);
            }
        }
        file
    }

    /// Reads a Netscape file. All its cookies count as made `now`.
    ///
    /// # Errors
    /// If a line is neither blank, nor a comment, nor a cookie.
    pub fn from_netscape(text: &[u8], now: SystemTime) -> Result<Loaded, CookieFileError> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let mut loaded = Loaded { jar: CookieJar::new(), left_out: Vec::new() };
        for (at, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let parsed = parse_line(line).map_err(|what| CookieFileError::new(at, what))?;
            if let Some(Err(why)) = parsed.map(|cookie| loaded.jar.insert(cookie, now)) {
                loaded.left_out.push(LeftOut { at, why });
            }
        }
        Ok(loaded)
    }
}

fn fits(cookie: &Cookie) -> bool {
    let begins_a_comment = cookie.domain().starts_with('$') && cookie.host_only();
    let has_tab = cookie.name().contains(&b'\t') || cookie.value().contains(&b'\t');
    !has_tab && (!begins_a_comment || cookie.http_only())
}

fn write_line(out: &mut Vec<u8>, cookie: &Cookie) {
    let yes_no = |yes| if yes { "TRUE" } else { "FALSE" };
    // What ended in 1970 must not become a session cookie.
    let expires = cookie.expires().map_or(0, |expires| date::to_unix(expires).0.max(1));
    if cookie.http_only() {
        out.extend_from_slice(HTTP_ONLY);
    }
    let facts = format!(
        "{}{}\t{}\t{}\t{}\t{expires}\t",
        if cookie.host_only() { "" } else { "." },
        cookie.domain(),
        yes_no(!cookie.host_only()),
        cookie.path(),
        yes_no(cookie.secure()),
    );
    out.extend_from_slice(facts.as_bytes());
    out.extend_from_slice(cookie.name());
    out.push(b'\t');
    out.extend_from_slice(cookie.value());
    out.push(b'\n');
}

/// `None` for lines that hold no cookie; an error says what is wrong and what to do.
fn parse_line(line: &[u8]) -> Result<Option<NewCookie>, String> {
    let (http_only, line) = match line.strip_prefix(HTTP_ONLY) {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let start = line.trim_ascii_start();
    // "$" as http.cookiejar has it.
    if !http_only && (start.is_empty() || start.starts_with(b"#") || start.starts_with(b"$")) {
        return Ok(None);
    }
    let fields: Vec<&[u8]> = line.split(|&byte| byte == b'\t').collect();
    let (domain, subdomains, path, secure, expires, name, value) = match fields[..] {
        [domain, subdomains, path, secure, expires, name, value] => {
            (domain, subdomains, path, secure, expires, name, value)
        }
        // curl takes a missing value for an empty one.
        [domain, subdomains, path, secure, expires, name] => {
            (domain, subdomains, path, secure, expires, name, &b""[..])
        }
        [_] if start.starts_with(b"{") || start.starts_with(b"[") => {
            return Err("this looks like JSON, not like a Netscape file; load it as JSON".into());
        }
        _ => {
            let count = fields.len();
            return Err(format!(
                "a cookie has 7 fields parted by tabs, this line has {count}; correct or delete it"
            ));
        }
    };
    let domain = String::from_utf8_lossy(domain.strip_prefix(b".").unwrap_or(domain));
    let mut cookie = NewCookie::new(name, value, &domain);
    cookie.http_only = http_only;
    cookie.host_only = !flag(subdomains, 2)?;
    cookie.path = path::comparable(path);
    cookie.secure = flag(secure, 4)?;
    cookie.expires = parse_expiry(expires)?;
    Ok(Some(cookie))
}

fn flag(field: &[u8], number: usize) -> Result<bool, String> {
    match field {
        _ if field.eq_ignore_ascii_case(b"TRUE") => Ok(true),
        _ if field.eq_ignore_ascii_case(b"FALSE") => Ok(false),
        _ => Err(format!("field {number} must be TRUE or FALSE; correct or delete the line")),
    }
}

/// Seconds since 1970; `None` for session cookies. Some programs write fractions, which do not
/// count, and numbers beyond any calendar, which mean the latest time there is.
fn parse_expiry(field: &[u8]) -> Result<Option<SystemTime>, String> {
    let (negative, digits) = match field {
        [] => return Ok(None),
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut parts = digits.splitn(2, |&byte| byte == b'.');
    let (whole, fraction) = (parts.next().unwrap_or_default(), parts.next().unwrap_or(b"0"));
    let number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !number(whole) || !number(fraction) {
        return Err("field 5 must be a number of seconds since 1970, or 0 for a session cookie; \
                    correct or delete the line"
            .into());
    }
    // Later than any clock's 400 days from now, and representable everywhere.
    const LATEST: i64 = 253_402_300_799;
    let seconds = whole.iter().fold(0i64, |sum, digit| {
        sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(LATEST)
    });
    match (negative, seconds) {
        (false, 0) => Ok(None),
        (true, _) => Ok(Some(SystemTime::UNIX_EPOCH)),
        (false, seconds) => Ok(date::from_unix(seconds)),
    }
}
