//! netrc files: user names and passwords by host.
//!
//! ```text
//! # a comment
//! machine example.com login me password "with \"quotes\" and spaces"
//! machine localhost
//!     login admin
//!     password #4711
//! default login anonymous password me@example.com
//! ```
//!
//! There is no standard. The readers of Python (whose reading requests uses) and curl differ;
//! where they do, this one follows Python:
//!
//! | | Python 3.11+ | curl | here |
//! |---|---|---|---|
//! | `#` where a keyword may stand | comment, with quirks | comment | comment to the end of the line |
//! | `#` that begins a value | value | comment | value |
//! | backslash outside quotes | escapes | stands for itself | escapes |
//! | `\n` in quotes | `n` | a line feed | `n` |
//! | line break in quotes | part of the value | error | part of the value |
//! | no closing quote | accepted | error | error |
//! | two entries for one host | the last | the first | the last; [`Netrc::find_for_user`] sees all |
//! | `default` | counts last | hides what stands below it | counts last |
//! | `machine default` | the same as `default` | a host of that name | a host of that name |
//! | unknown keyword | error | skipped | error |
//! | no value at the end of the file | an empty one | an empty one | error |
//! | `user` for `login`, `account` | known | skipped | known |
//! | case of keywords | counts | does not | does not |
//! | macro at the end of the file, without an empty line | error | accepted | accepted |
//!
//! # Which host to ask for
//!
//! Only ever the host, as it was parsed out of the URL, that the request's connection goes to (for
//! requests over a proxy: the origin). Cutting it out of the URL by other means has sent credentials
//! to strangers (CVE-2024-47081: in `http://example.com:@evil.com/` the host is `evil.com`). Ask
//! again after each redirect, and never carry an answer, or a part of one, from one host to another
//! (CVE-2024-11053).

mod error;
mod lexer;

pub use error::{NetrcError, NetrcFault};

use lexer::Lexer;
use std::fmt;

/// The entries of a netrc file.
///
/// ```
/// use waterclock_proto::netrc::Netrc;
///
/// let netrc = Netrc::parse("machine example.com login me password 'secret'\n")?;
/// let login = netrc.find("EXAMPLE.com").unwrap();
/// assert_eq!((login.user, login.password), ("me", "'secret'"));
/// assert!(netrc.find("www.example.com").is_none());
///
/// let error = Netrc::parse("machine a\nlogin me password two words").unwrap_err();
/// assert_eq!(error.line, 2);
/// # Ok::<(), waterclock_proto::netrc::NetrcError>(())
/// ```
#[derive(Clone, Default)]
pub struct Netrc {
    entries: Vec<Entry>,
}

#[derive(Clone, Default)]
struct Entry {
    /// `None` in the entry for all other hosts.
    machine: Option<String>,
    login: String,
    account: String,
    password: String,
}

/// A user name and password from a netrc file. Either may be empty, not both.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Login<'a> {
    /// The user name: `login`, or `account` where that is missing.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

impl Netrc {
    /// The largest file that is read, as in curl: 128 KiB.
    pub const MAX_BYTES: usize = 128 * 1024;

    /// Reads the text of a netrc file.
    ///
    /// # Errors
    ///
    /// [`NetrcError`]: where the file cannot be understood, and what to do about it.
    pub fn parse(text: &str) -> Result<Netrc, NetrcError> {
        if text.len() > Self::MAX_BYTES {
            return Err(NetrcError { line: 1, fault: NetrcFault::TooLarge });
        }
        let mut lexer = Lexer::new(text);
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(word) = lexer.keyword()? {
            let unknown = NetrcError { line: word.line, fault: NetrcFault::UnknownKeyword };
            let keyword = Keyword::named(&word.text).ok_or(unknown)?;
            match keyword {
                Keyword::Machine => {
                    let machine = lexer.value("machine")?;
                    if machine.is_empty() {
                        let fault = NetrcFault::MissingValue { keyword: "machine" };
                        return Err(NetrcError { line: word.line, fault });
                    }
                    entries.push(Entry { machine: Some(machine), ..Entry::default() });
                }
                Keyword::Default => entries.push(Entry::default()),
                Keyword::Macdef => {
                    lexer.value("macdef")?;
                    lexer.skip_macro();
                }
                Keyword::Login | Keyword::Password | Keyword::Account => {
                    let fault = NetrcFault::OutsideEntry { keyword: keyword.name() };
                    let outside = NetrcError { line: word.line, fault };
                    let entry = entries.last_mut().ok_or(outside)?;
                    *entry.field(keyword) = lexer.value(keyword.name())?;
                }
            }
        }
        Ok(Netrc { entries })
    }

    /// The credentials for this host: those of its own entry, or else of `default`.
    ///
    /// `host` is a name or address without port, the one that the connection goes to (see the
    /// [module](self)). Case does not count; IPv6 addresses may have brackets. An entry without
    /// user name and password gives nothing, and hides `default` too.
    #[must_use]
    pub fn find(&self, host: &str) -> Option<Login<'_>> {
        let own = self.entries.iter().rfind(|entry| entry.is_of(host));
        let other = || self.entries.iter().rfind(|entry| entry.machine.is_none());
        own.or_else(other)?.credentials()
    }

    /// The credentials for this host and user name, as when the URL names the user but no password.
    ///
    /// `default` counts only if the host has no entry of its own. The case of `user` counts.
    #[must_use]
    pub fn find_for_user(&self, host: &str, user: &str) -> Option<Login<'_>> {
        let own = self.entries.iter().any(|entry| entry.is_of(host));
        let counts = |entry: &&Entry| if own { entry.is_of(host) } else { entry.machine.is_none() };
        let mut logins = self.entries.iter().filter(counts).filter_map(Entry::credentials);
        logins.rfind(|login| login.user == user)
    }
}

impl Entry {
    fn field(&mut self, keyword: Keyword) -> &mut String {
        match keyword {
            Keyword::Password => &mut self.password,
            Keyword::Account => &mut self.account,
            _ => &mut self.login,
        }
    }

    fn is_of(&self, host: &str) -> bool {
        let own = self.machine.as_deref();
        own.is_some_and(|own| bare(own).eq_ignore_ascii_case(bare(host)))
    }

    /// As in requests: without these three there are no credentials, rather than empty ones
    /// (psf/requests#6928).
    fn credentials(&self) -> Option<Login<'_>> {
        let user = if self.login.is_empty() { &self.account } else { &self.login };
        let login = Login { user, password: &self.password };
        (!login.user.is_empty() || !login.password.is_empty()).then_some(login)
    }
}

/// An IPv6 address without brackets; anything else as it is.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyword {
    Machine,
    Default,
    Login,
    Password,
    Account,
    Macdef,
}

impl Keyword {
    fn named(name: &str) -> Option<Keyword> {
        Some(match name.to_ascii_lowercase().as_str() {
            "machine" => Keyword::Machine,
            "default" => Keyword::Default,
            "login" | "user" => Keyword::Login,
            "password" => Keyword::Password,
            "account" => Keyword::Account,
            "macdef" => Keyword::Macdef,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Keyword::Machine => "machine",
            Keyword::Default => "default",
            Keyword::Login => "login",
            Keyword::Password => "password",
            Keyword::Account => "account",
            Keyword::Macdef => "macdef",
        }
    }
}

/// Shows how many entries there are; neither hosts nor credentials.
impl fmt::Debug for Netrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Netrc({} entries)", self.entries.len())
    }
}

/// Shows the user name only.
impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login {{ user: {:?}, password: <redacted> }}", self.user)
    }
}

#[cfg(test)]
mod tests;
