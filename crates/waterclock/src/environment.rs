//! What a session takes from the environment of its program: proxies and netrc.

use crate::auth::Auth;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use url::Url;
use waterclock_proto::auth::basic;
use waterclock_proto::netrc::Netrc;
use waterclock_proto::proxy::Proxies;

/// The environment as it was when the session was made. The netrc file is read when the first request
/// without credentials needs it, and once.
pub(crate) struct Environment {
    pub(crate) proxies: Proxies,
    /// Where the netrc file may be; the first that is there counts.
    netrc_files: Vec<PathBuf>,
    netrc: OnceLock<Option<Netrc>>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("proxies", &self.proxies).finish_non_exhaustive()
    }
}

impl Environment {
    /// Nothing.
    pub(crate) fn none() -> Self {
        Environment { proxies: Proxies::direct(), netrc_files: Vec::new(), netrc: OnceLock::new() }
    }

    /// With these credentials in the place of those of a file.
    pub(crate) fn with_netrc(self, netrc: Netrc) -> Self {
        Environment { netrc: OnceLock::from(Some(netrc)), ..self }
    }

    /// That of the running program.
    ///
    /// # Errors
    /// In words, a proxy variable that cannot be used.
    pub(crate) fn of_program() -> Result<Self, String> {
        Environment::read(|name| std::env::var_os(name))
    }

    fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        let text = |name: &str| variable(name)?.into_string().ok();
        let proxies = Proxies::from_environment(text).map_err(|error| error.to_string())?;
        // As in requests: $NETRC, and without it the two usual names.
        let netrc_files = match (variable("NETRC"), variable("HOME")) {
            (Some(path), _) => vec![path.into()],
            (None, Some(home)) if !home.is_empty() => {
                [".netrc", "_netrc"].map(|name| Path::new(&home).join(name)).into()
            }
            _ => Vec::new(),
        };
        Ok(Environment { proxies, netrc_files, netrc: OnceLock::new() })
    }

    /// The credentials that netrc has for the host that will be connected to, and for no other
    /// spelling of it (CVE-2024-47081).
    pub(crate) fn netrc(&self, url: &Url) -> Option<Auth> {
        let netrc = self.netrc.get_or_init(|| self.read_netrc()).as_ref()?;
        let host = crate::target::host(url);
        let login = netrc.find(&host)?;
        match basic(login.user, login.password) {
            Ok(value) => Some(Auth::value(value)),
            Err(error) => {
                log::warn!("the netrc entry of {host} is not used: {error}");
                None
            }
        }
    }

    /// A file that cannot be used is told in the log. It was not asked for, so no call fails by it.
    fn read_netrc(&self) -> Option<Netrc> {
        let path = self.netrc_files.iter().find(|path| path.is_file())?;
        let parsed = std::fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| Netrc::parse(&text).map_err(|error| error.to_string()));
        match parsed {
            Ok(netrc) => Some(netrc),
            Err(error) => {
                log::warn!("the netrc file {} is not used: {error}", path.display());
                None
            }
        }
    }
}
