//! Who is asking: credentials from the command line, a terminal or a netrc file.

use crate::args::Credentials;
use crate::signal::Stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use waterclock::{Auth, CancelHandle, Error};
use waterclock_proto::netrc::Netrc;

/// Credentials for the origin that is asked for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Login {
    Basic { user: String, password: String },
    Digest { user: String, password: String },
    Bearer(String),
}

/// Why there are none.
pub(crate) enum NoLogin {
    /// In words.
    Usage(String),
    /// The user did not want to say the password.
    Interrupted,
}

impl Login {
    /// What the options say. A password that is missing is asked for.
    pub(crate) fn given(
        options: &Credentials,
        cancel: &CancelHandle,
    ) -> Result<Option<Self>, NoLogin> {
        if let Some(token) = &options.bearer {
            return Ok(Some(Login::Bearer(token.clone())));
        }
        let Some(auth) = &options.auth else { return Ok(None) };
        let (user, password) = match auth.split_once(':') {
            Some((user, password)) => (user.to_owned(), password.to_owned()),
            None => (auth.clone(), ask(auth, cancel)?),
        };
        Ok(Some(match options.digest {
            true => Login::Digest { user, password },
            false => Login::Basic { user, password },
        }))
    }

    /// # Errors
    /// What cannot be sent.
    pub(crate) fn auth(&self) -> Result<Auth, Error> {
        match self {
            Login::Basic { user, password } => Auth::basic(user, password),
            Login::Digest { user, password } => Ok(Auth::digest(user, password)),
            Login::Bearer(token) => Auth::bearer(token),
        }
    }
}

/// Asks on the terminal, without showing what is typed.
fn ask(user: &str, cancel: &CancelHandle) -> Result<String, NoLogin> {
    if !io::stdin().is_terminal() {
        let user = user.escape_debug();
        return Err(NoLogin::Usage(format!(
            "the password of {user} is missing, and standard input is no terminal to ask on; \
             write --auth {user}:PASSWORD"
        )));
    }
    crate::output::tell(&format!("Password of {}: ", user.escape_debug()));
    let line = Silence::begin().and_then(|_silence| line(Stdin::new(None)));
    crate::output::tell("\n");
    match line {
        _ if cancel.is_cancelled() => Err(NoLogin::Interrupted),
        Ok(line) => Ok(line),
        Err(error) => Err(NoLogin::Usage(format!("the password cannot be read: {error}"))),
    }
}

fn line(mut from: impl Read) -> io::Result<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while from.read(&mut byte)? == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    String::from_utf8(line).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// A terminal that shows nothing until this is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Silence(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// The netrc file that was asked for; unlike one that is just there, it must be right.
///
/// # Errors
/// In words: which file, which line.
pub(crate) fn netrc(options: &Credentials) -> Result<Option<Netrc>, String> {
    let Some(path) = netrc_path(options, |name| std::env::var_os(name))? else { return Ok(None) };
    let shown = path.display().to_string().escape_debug().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read the netrc file {shown}: {error}"))?;
    Netrc::parse(&text).map(Some).map_err(|error| format!("{shown}: {error}"))
}

pub(crate) fn netrc_path(
    options: &Credentials,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<PathBuf>, String> {
    if options.netrc_file.is_some() || !options.netrc {
        return Ok(options.netrc_file.clone());
    }
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match (set("NETRC"), set("HOME")) {
        (Some(path), _) => Ok(Some(path.into())),
        (None, Some(home)) => Ok(Some(Path::new(&home).join(".netrc"))),
        (None, None) => Err("--netrc: neither NETRC nor HOME is set; use --netrc-file".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_netrc_file_is_the_one_that_is_named() {
        let both = |name: &str| Some(format!("/{name}").into());
        let of = |options: Credentials| netrc_path(&options, both).unwrap();
        assert_eq!(of(Credentials::default()), None);
        assert_eq!(
            of(Credentials { netrc: true, ..Credentials::default() }),
            Some("/NETRC".into())
        );
        let netrc_file = Some(PathBuf::from("mine"));
        assert_eq!(of(Credentials { netrc_file, ..Credentials::default() }), Some("mine".into()));
        let asked = Credentials { netrc: true, ..Credentials::default() };
        let home = |name: &str| (name == "HOME").then(|| "/home".into());
        assert_eq!(netrc_path(&asked, home), Ok(Some("/home/.netrc".into())));
        assert!(netrc_path(&asked, |_| None).is_err());
    }

    #[test]
    fn a_line_ends_where_it_ends() {
        assert_eq!(line(&b"p\xc3\xa4ss word\nmore"[..]).unwrap(), "päss word");
        assert_eq!(line(&b""[..]).unwrap(), "");
        assert!(line(&b"\xff\n"[..]).is_err());
    }
}
