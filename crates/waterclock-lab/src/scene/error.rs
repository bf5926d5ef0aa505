//! What is wrong with a scene file, and where.

use std::fmt;

/// What is wrong, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl SceneError {
    /// At this byte of `text`. What the message repeats of it cannot control a terminal.
    pub(super) fn at(text: &str, place: usize, message: impl Into<String>) -> Self {
        let before = text.as_bytes().iter().take(place);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        let mut message = message.into();
        if message.contains(char::is_control) {
            message = message.escape_debug().to_string();
        }
        SceneError { line, message }
    }
}

impl fmt::Display for SceneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for SceneError {}
