//! The NSS key log: the secrets of each connection, so that a capture can be decrypted.

use super::settings::KeyLogging;
use crate::capture::KeyLines;
use rustls::KeyLog;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where secrets go: to a file, to a capture, or to both.
#[derive(Debug)]
pub(super) struct KeyLogs {
    file: Option<KeyLogFile>,
    capture: Option<KeyLines>,
}

impl KeyLogs {
    /// `None` if nobody wants them.
    pub(super) fn open(logging: &KeyLogging, capture: Option<KeyLines>) -> Option<Self> {
        let file = KeyLogFile::open(logging);
        (file.is_some() || capture.is_some()).then_some(KeyLogs { file, capture })
    }
}

/// A key log that is open.
#[derive(Debug)]
struct KeyLogFile {
    path: PathBuf,
    /// None after a failure, which is told once.
    file: Mutex<Option<File>>,
}

impl KeyLogFile {
    /// Opens the file that the settings lead to, if they lead to one. Reads the environment now.
    fn open(logging: &KeyLogging) -> Option<Self> {
        let path = match logging {
            KeyLogging::Off => return None,
            KeyLogging::File(path) => path.clone(),
            KeyLogging::Environment => from_environment()?,
        };
        match append(&path) {
            Ok(file) => Some(KeyLogFile { path, file: Mutex::new(Some(file)) }),
            Err(error) => {
                log::warn!("cannot write the TLS key log {}: {error}", path.display());
                None
            }
        }
    }

    fn append(&self, line: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // One write a line: other programs may append to the same file.
        if let Some(Err(error)) = file.as_mut().map(|file| file.write_all(line.as_bytes())) {
            log::warn!("cannot write the TLS key log {}: {error}", self.path.display());
            *file = None;
        }
    }
}

impl KeyLog for KeyLogs {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = String::with_capacity(label.len() + 2 * (32 + 48) + 3);
        line.push_str(label);
        for bytes in [client_random, secret] {
            line.push(' ');
            for byte in bytes {
                // Writing to a String cannot fail.
                let _ = write!(line, "{byte:02x}");
            }
        }
        line.push('\n');
        if let Some(file) = &self.file {
            file.append(&line);
        }
        if let Some(capture) = &self.capture {
            capture.add(&line);
        }
    }
}

fn from_environment() -> Option<PathBuf> {
    let path = std::env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty())?;
    if has_foreign_rights() {
        log::warn!("SSLKEYLOGFILE is not heeded in a program that runs set-user-ID");
        return None;
    }
    Some(path.into())
}

/// Whether we run with the rights of somebody other than our caller, whose environment must then
/// not decide which files are written.
fn has_foreign_rights() -> bool {
    #[cfg(unix)]
    {
        use rustix::process::{getegid, geteuid, getgid, getuid};
        getuid() != geteuid() || getgid() != getegid()
    }
    #[cfg(not(unix))]
    false
}

fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
        options.mode(0o600);
        if let Ok(there) = std::fs::metadata(path) {
            if there.file_type().is_fifo() {
                // Opening one waits until somebody reads it, and no limit would cover that wait.
                return Err(io::Error::other("it is a pipe, which may block"));
            }
            if there.is_file() && there.permissions().mode() & 0o077 != 0 {
                log::warn!("others can read the TLS key log {}", path.display());
            }
        }
    }
    options.open(path)
}
