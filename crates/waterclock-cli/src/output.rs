//! Writing to standard output and standard error.

use crate::exit::Exit;
use std::io::{self, Write};

/// Prints what was asked for. Nobody reading it is no reason for a message.
pub(crate) fn print(text: &str) -> Exit {
    match crate::body::stdout().and_then(|mut out| out.write_all(text.as_bytes())) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&cannot_write("standard output", &error));
            Exit::Output
        }
    }
}

/// A message about output, or nothing if its reader is gone.
pub(crate) fn cannot_write(name: &str, error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => None,
        // A message of our own.
        io::ErrorKind::InvalidData => Some(error.to_string()),
        _ => Some(format!("cannot write {}: {error}", name.escape_debug())),
    }
}

/// Standard error may be closed; there is nobody left to tell.
pub(crate) fn complain(message: &Option<String>) {
    if let Some(message) = message {
        tell(&format!("waterclock: {message}\n"));
    }
}

pub(crate) fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
