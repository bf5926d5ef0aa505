//! A test in a process of its own that has `around.c` around it.

use crate::support::{again, skipped};
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::sync::LazyLock;

/// The command that runs one test of this program again with the library, told by `variables` (`STORM=1`)
/// what to do. `None`, loudly, where there is no C compiler.
pub(crate) fn around(test: &str, variables: &str) -> Option<Command> {
    let Some(library) = &*LIBRARY else {
        skipped(test, "there is no C compiler (cc) to make the library with that it preloads");
        return None;
    };
    // The shell itself goes without: it would get the signals, too.
    Some(again(test, &format!("export LD_PRELOAD='{}' {variables}", library.display())))
}

static LIBRARY: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/around.c");
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("around.{}.so", id()));
    let library = made.with_file_name("around.so");
    let arguments = ["-Wall", "-Werror", "-shared", "-fPIC", "-pthread", "-o"];
    let compiler = Command::new("cc").args(arguments).arg(&made).arg(source).arg("-ldl").output();
    let output = compiler.ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(made, &library).unwrap();
    Some(library)
});
