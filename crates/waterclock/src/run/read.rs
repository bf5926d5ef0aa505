//! Reading a document: its form, and what is said when it is another one.

use super::seconds::Seconds;
use super::wire::WirePart;
use super::{Run, SCHEMA_VERSION, rebuild};
use serde::Deserialize;
use serde_json::error::Category;
use std::collections::BTreeMap;
use std::fmt;
use waterclock_proto::screen;

/// A text that is not a run document, or not one that can be used: where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    place: Place,
    message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Whole,
    /// Line and column, from 1.
    Text(usize, usize),
    /// `spans[3].phase`
    Member(String),
}

impl ReadError {
    fn whole(message: impl Into<String>) -> Self {
        ReadError { place: Place::Whole, message: message.into() }
    }

    /// About a member of the document, by its path.
    pub(super) fn member(path: impl Into<String>, message: impl Into<String>) -> Self {
        ReadError { place: Place::Member(path.into()), message: message.into() }
    }

    /// Line and column of what is wrong, from 1, if it is wrong as a text.
    #[must_use]
    pub const fn line(&self) -> Option<(usize, usize)> {
        match self.place {
            Place::Text(line, column) => Some((line, column)),
            _ => None,
        }
    }

    /// The path of the member that is wrong, such as `spans[3].phase`, if it is well formed but cannot
    /// be so.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match &self.place {
            Place::Member(path) => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may quote the text.
        let message = screen::escape(&self.message);
        match &self.place {
            Place::Whole => write!(f, "{message}"),
            Place::Text(line, column) => write!(f, "line {line}, column {column}: {message}"),
            Place::Member(path) => write!(f, "{path}: {message}"),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let (line, column) = (error.line(), error.column());
        let place = if line == 0 { Place::Whole } else { Place::Text(line, column) };
        let said = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
        let said = cut(said, 200);
        let message = match error.classify() {
            Category::Eof => {
                "the document ends too early; it was cut short, so save the run again".to_owned()
            }
            Category::Syntax => format!(
                "this is not JSON: {said}; a run document is what --json prints or --save writes"
            ),
            Category::Data | Category::Io => format!("this is not a run document: {said}"),
        };
        ReadError { place, message }
    }
}

/// A foreign text in a message, not longer than a message should be.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Only the version, to be looked at before anything else.
#[derive(Deserialize)]
struct Form {
    schema_version: Option<u64>,
}

pub(super) fn read(text: &str) -> Result<Run, ReadError> {
    let form: Form = serde_json::from_str(text)?;
    let newest = u64::from(SCHEMA_VERSION);
    match form.schema_version {
        None => Err(ReadError::whole(
            "there is no schema_version, so this is not a run document; they are what --json prints \
             and --save writes",
        )),
        Some(0) => Err(ReadError::member("schema_version", "there is no version 0")),
        Some(version) if version > newest => Err(ReadError::member(
            "schema_version",
            format!(
                "the document has version {version} of the form, and this program knows those up to \
                 {newest}; use a newer waterclock"
            ),
        )),
        Some(_) => rebuild::run(&serde_json::from_str(text)?),
    }
}

/// The document. Of what can be worked out, only the end is read, to be compared.
#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) started_at: String,
    pub(super) elapsed: Seconds,
    pub(super) request: RequestPart,
    pub(super) limits: Option<BTreeMap<String, Option<Seconds>>>,
    pub(super) response: Option<ResponsePart>,
    pub(super) error: Option<ErrorPart>,
    pub(super) fired: Option<FiredPart>,
    pub(super) request_sent: Option<String>,
    pub(super) finished: Option<bool>,
    pub(super) hops: Vec<HopPart>,
    pub(super) attempts: Vec<AttemptPart>,
    pub(super) spans: Vec<SpanPart>,
    #[serde(default)]
    pub(super) notes: Vec<Box<str>>,
    #[serde(default)]
    pub(super) remarks: Vec<String>,
    pub(super) wire: Option<WirePart>,
}

#[derive(Deserialize)]
pub(super) struct RequestPart {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
pub(super) struct ResponsePart {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) http_version: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body_bytes: u64,
    pub(super) body_received: u64,
    pub(super) body_sha256: Option<String>,
    pub(super) remote_address: Option<String>,
    pub(super) local_address: Option<String>,
    pub(super) tls: Option<TlsPart>,
}

#[derive(Deserialize)]
pub(super) struct TlsPart {
    pub(super) version: String,
    pub(super) cipher: String,
    pub(super) alpn: Option<String>,
    pub(super) resumed: bool,
}

#[derive(Deserialize)]
pub(super) struct ErrorPart {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) limit: Option<String>,
    pub(super) phase: Option<String>,
    pub(super) configured: Option<Seconds>,
    pub(super) late_by: Option<Seconds>,
    pub(super) request_sent: Option<String>,
    pub(super) retry_safe: bool,
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) remarks: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct FiredPart {
    pub(super) limit: String,
    pub(super) phase: String,
    pub(super) deadline: Seconds,
    pub(super) noticed: Seconds,
}

#[derive(Deserialize)]
pub(super) struct HopPart {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) reason: String,
    pub(super) started: Seconds,
    pub(super) sent: Option<Seconds>,
    pub(super) head_ended: Option<Seconds>,
    pub(super) ended: Option<Seconds>,
    pub(super) status: Option<u16>,
    pub(super) connection: Option<u64>,
    pub(super) idle: Option<Seconds>,
    pub(super) peer: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct AttemptPart {
    pub(super) hop: u16,
    pub(super) peer: Box<str>,
    pub(super) started: Seconds,
    pub(super) ended: Option<Seconds>,
    pub(super) end: String,
    pub(super) message: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(super) struct SpanPart {
    pub(super) hop: u16,
    pub(super) phase: String,
    pub(super) what: String,
    pub(super) attempt: Option<u16>,
    pub(super) started: Seconds,
    pub(super) ended: Seconds,
    pub(super) limit: Option<String>,
    pub(super) left_before: Option<Seconds>,
    pub(super) overdue: Option<Seconds>,
    pub(super) bytes: u64,
    pub(super) end: String,
    pub(super) count: Option<u64>,
    pub(super) waited: Option<Seconds>,
    pub(super) local: Option<Seconds>,
    pub(super) caller: Option<Seconds>,
    pub(super) longest: Option<LongestPart>,
}

#[derive(Deserialize)]
pub(super) struct LongestPart {
    pub(super) phase: String,
    pub(super) what: String,
    pub(super) attempt: Option<u16>,
    pub(super) started: Seconds,
    pub(super) ended: Seconds,
    pub(super) limit: Option<String>,
    pub(super) left_before: Option<Seconds>,
    pub(super) overdue: Option<Seconds>,
    pub(super) bytes: u64,
    pub(super) end: String,
}
