//! The format: text, variables and what steers the output.

use super::value::{self, Value};
use super::variable::{Ours, Variable};
use super::{Told, Written};
use waterclock::screen::escape;

/// A format, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Variable(Variable),
    /// `%header{NAME}`
    Header(String),
    /// `%{json}`
    Json,
    /// `%{header_json}`
    HeaderJson,
    /// What follows goes to standard error.
    Stderr,
    /// What follows goes to standard output.
    Stdout,
    /// What follows is for calls that failed.
    OnError,
    Unknown(String),
}

impl Template {
    /// Reads a format. Every text is one: what means nothing stands for itself.
    pub(crate) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some((piece, after)) = placeholder(rest) {
                pieces.extend(take(&mut plain));
                pieces.push(piece);
                rest = after;
                continue;
            }
            let escapes = [("%%", "%"), ("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r")];
            match escapes.iter().find(|(sign, _)| rest.starts_with(sign)) {
                Some((sign, meaning)) => {
                    plain.push_str(meaning);
                    rest = rest.get(sign.len()..).unwrap_or_default();
                }
                None => {
                    plain.push(c);
                    rest = rest.get(c.len_utf8()..).unwrap_or_default();
                }
            }
        }
        pieces.extend(take(&mut plain));
        Template(pieces)
    }

    pub(super) fn fill(&self, told: &Told<'_>) -> Written {
        let mut written = Written::default();
        let mut to_stderr = false;
        for piece in &self.0 {
            let text = match piece {
                Piece::Text(text) => text.clone(),
                Piece::Variable(variable) => told.value(*variable).plain(),
                Piece::Header(name) => told.header(name).unwrap_or_default(),
                Piece::Json => json(told),
                Piece::HeaderJson => header_json(told),
                Piece::Stderr | Piece::Stdout => {
                    to_stderr = *piece == Piece::Stderr;
                    continue;
                }
                Piece::OnError if told.exit_code == 0 => break,
                Piece::OnError => continue,
                Piece::Unknown(name) => {
                    written.unknown.push(name.clone());
                    continue;
                }
            };
            match (to_stderr, piece) {
                (false, _) => written.out.push_str(&text),
                (true, Piece::Text(_)) => written.err.push_str(&text),
                // What a server sent is not to drive the terminal.
                (true, _) => written.err.push_str(&lines_escaped(&text)),
            }
        }
        written
    }
}

fn take(plain: &mut String) -> Option<Piece> {
    (!plain.is_empty()).then(|| Piece::Text(std::mem::take(plain)))
}

/// A placeholder at the beginning, and what comes after it.
fn placeholder(text: &str) -> Option<(Piece, &str)> {
    if let Some(rest) = text.strip_prefix("%header{") {
        let (name, rest) = rest.split_once('}')?;
        return Some((Piece::Header(name.to_owned()), rest));
    }
    let (name, rest) = text.strip_prefix("%{")?.split_once('}')?;
    let piece = match name {
        "json" => Piece::Json,
        "header_json" => Piece::HeaderJson,
        "stderr" => Piece::Stderr,
        "stdout" => Piece::Stdout,
        "onerror" => Piece::OnError,
        name => match Variable::from_name(name) {
            Some(variable) => Piece::Variable(variable),
            None => Piece::Unknown(name.to_owned()),
        },
    };
    Some((piece, rest))
}

fn lines_escaped(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

/// All variables by name, as one JSON object in one line: curl's first, then ours.
fn json(told: &Told<'_>) -> String {
    let member = |name: &str, value: Value| format!("\"{name}\":{}", value.json());
    let curls = Variable::CURLS.iter().map(|(name, it)| member(name, told.value(*it)));
    let ours = Ours::ALL.iter().map(|(name, it)| member(name, told.value(Variable::Ours(*it))));
    let version = Value::text(concat!("waterclock/", env!("CARGO_PKG_VERSION")));
    let version = std::iter::once(member("waterclock_version", version));
    format!("{{{}}}", curls.chain(ours).chain(version).collect::<Vec<_>>().join(","))
}

/// The header fields of the last response, by lower-case name, each with all its values.
fn header_json(told: &Told<'_>) -> String {
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    for (name, text) in told.headers() {
        let name = name.to_ascii_lowercase();
        let text = value::quoted(&text);
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(text),
            None => fields.push((name, vec![text])),
        }
    }
    let fields = fields
        .iter()
        .map(|(name, values)| format!("{}:[{}]", value::quoted(name), values.join(",")));
    format!("{{{}\n}}", fields.collect::<Vec<_>>().join(",\n"))
}
