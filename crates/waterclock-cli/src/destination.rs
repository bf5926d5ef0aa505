//! The file that gets the body.

use crate::args::Destination;
use crate::remote_name;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use waterclock::Headers;

/// A file that is made, or opened, when there is something to write, or at the end.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    how: How,
    /// Whether the server may choose the name.
    named_by_server: bool,
    file: Option<File>,
}

/// What becomes of a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Replace,
    /// It stays, and is an error.
    Keep,
    /// The body follows what is in it.
    Append,
}

impl Target {
    /// A file of the user's own choice is replaced, as everywhere; one that the URL or the server
    /// names is not, unless that was asked for.
    ///
    /// # Errors
    /// In words, if there is no name for it.
    pub(crate) fn choose(options: &Destination, url: &str) -> Result<Option<Self>, String> {
        let new = |path: PathBuf, how| {
            let named_by_server = options.remote_header_name;
            Target { path, how, named_by_server, file: None }
        };
        let how = if options.overwrite || options.resume { How::Replace } else { How::Keep };
        match &options.output {
            Some(name) if name == "-" => Ok(None),
            Some(path) => Ok(Some(new(path.into(), How::Replace))),
            None if !options.remote_name => Ok(None),
            None => match remote_name::of_url(url) {
                Ok(name) => Ok(Some(new(name.into(), how))),
                // The server may know one.
                Err(_) if options.remote_header_name => Ok(Some(new("download".into(), how))),
                Err(error) => Err(error),
            },
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Finds out before anything is sent that it cannot be written, where that can be seen.
    pub(crate) fn check(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        if self.path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if self.how == How::Keep && !self.named_by_server && self.path.symlink_metadata().is_ok() {
            return Err(self.exists());
        }
        folder.metadata().map(drop)
    }

    /// The head has come, and may name the file.
    pub(crate) fn see(&mut self, headers: &Headers) {
        if let Some(name) = remote_name::of_headers(headers).filter(|_| self.named_by_server) {
            self.path = name.into();
        }
    }

    /// The body is the rest of what is in the file.
    pub(crate) fn append(&mut self) {
        self.how = How::Append;
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.open()?.write_all(bytes)
    }

    /// The body is complete, and perhaps empty.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.open().map(drop)
    }

    pub(crate) fn is_begun(&self) -> bool {
        self.file.is_some()
    }

    fn open(&mut self) -> io::Result<&mut File> {
        if let Some(ref mut file) = self.file {
            return Ok(file);
        }
        let mut options = OpenOptions::new();
        let file = match self.how {
            How::Replace => options.write(true).create(true).truncate(true).open(&self.path)?,
            How::Append => options.append(true).open(&self.path)?,
            How::Keep => {
                let opened = options.write(true).create_new(true).open(&self.path);
                opened.map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => self.exists(),
                    _ => error,
                })?
            }
        };
        Ok(self.file.insert(file))
    }

    fn exists(&self) -> io::Error {
        let name = self.path.display().to_string();
        let name = name.escape_debug();
        let text =
            format!("{name} exists and is not overwritten; use --overwrite, --continue or -o FILE");
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}
