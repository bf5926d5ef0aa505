//! Files that hold secrets.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Only the owner reads and writes.
const PRIVATE: u32 = 0o600;

/// Replaces the file at `path` in one step: a reader sees the old content or the new, and a failure
/// leaves the old. A new file is for its owner alone; `mode` is that of an old one from now on.
pub(crate) fn write(path: &Path, content: &[u8], mode: Mode) -> io::Result<()> {
    // What is linked to is replaced, not the link.
    let target = match path.canonicalize() {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let mode = match (mode, target.metadata()) {
        (Mode::AsBefore, Ok(old)) => old.permissions().mode(),
        _ => PRIVATE,
    };
    let beside = beside(&target);
    let written = create(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()
    });
    let result = written.and_then(|()| fs::rename(&beside, &target));
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result
}

/// Writes to `path`, which may be a pipe or a device. If the content is `private`, a new file is for its
/// owner alone.
pub(crate) fn overwrite(path: &Path, content: &[u8], private: bool) -> io::Result<()> {
    let mode = if private { PRIVATE } else { 0o666 };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    options.open(path)?.write_all(content)
}

/// What the mode of a file that is replaced becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What it was.
    AsBefore,
    /// For the owner alone.
    Private,
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)
}

/// A name in the same folder, so that renaming is one step.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("waterclock-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn a_file_is_replaced_in_one_step() {
        let folder = folder("store");
        let path = folder.join("jar");
        write(&path, b"one", Mode::AsBefore).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        write(&path, b"two", Mode::AsBefore).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"two".to_vec(), 0o644));
        let link = folder.join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, b"three", Mode::Private).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"three".to_vec(), 0o600));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing is left beside them");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(write(Path::new("/nowhere/at/all"), b"", Mode::Private).is_err());
    }
}
