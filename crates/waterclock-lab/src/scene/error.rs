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
    /// At this byte of `text`.
    pub(super) fn at(text: &str, place: usize, message: impl Into<String>) -> Self {
        let before = text.as_bytes().iter().take(place);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        SceneError { line, message: message.into() }
    }
}

impl fmt::Display for SceneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for SceneError {}
