//! The steps of a scene, read into those of a script.

use super::reader::{Fields, Node, Result};
use crate::step::{Step, chunk, head, respond_with};

type Headers = Vec<(String, String)>;

/// Steps that are a word.
const WORDS: [(&str, Word); 10] = [
    ("stall", Word::Stall),
    ("reset", Word::Reset),
    ("close", Word::Close),
    ("half-close", Word::HalfClose),
    ("close-without-notify", Word::CloseWithoutNotify),
    ("read-head", Word::ReadHead),
    ("read-body", Word::ReadBody),
    ("read-body-in-silence", Word::ReadBodyInSilence),
    ("drain", Word::Drain),
    ("last-chunk", Word::LastChunk),
];

#[derive(Clone, Copy)]
enum Word {
    Stall,
    Reset,
    Close,
    HalfClose,
    CloseWithoutNotify,
    ReadHead,
    ReadBody,
    ReadBodyInSilence,
    Drain,
    LastChunk,
}

/// Steps that are a table: the key that makes it one, and what else it may have.
const KINDS: [(&str, Kind, &[&str]); 13] = [
    ("wait", Kind::Wait, &[]),
    ("respond", Kind::Respond, &["headers", "body", "bytes", "chunked", "drip", "every"]),
    ("head", Kind::Head, &["headers", "drip", "every"]),
    ("interim", Kind::Head, &["headers", "drip", "every"]),
    ("redirect", Kind::Redirect, &["status", "headers", "drip", "every"]),
    ("retry_after", Kind::RetryAfter, &["status", "headers", "body", "drip", "every"]),
    ("chunk", Kind::Chunk, &["drip", "every"]),
    ("send", Kind::Send, &["drip", "every"]),
    ("read_slowly", Kind::ReadSlowly, &["every"]),
    ("repeat", Kind::Repeat, &["steps"]),
    ("forever", Kind::Forever, &[]),
    // Last, because they are also parts of others.
    ("body", Kind::Body, &["drip", "every"]),
    ("bytes", Kind::Bytes, &["drip", "every"]),
];

#[derive(Clone, Copy)]
enum Kind {
    Wait,
    Respond,
    Head,
    Redirect,
    RetryAfter,
    Chunk,
    Send,
    ReadSlowly,
    Repeat,
    Forever,
    Body,
    Bytes,
}

/// A list of steps.
pub(super) fn list(node: &Node<'_>) -> Result<Vec<Step>> {
    let steps: Result<Vec<Vec<Step>>> = node.list()?.map(|step| one(&step)).collect();
    Ok(steps?.concat())
}

fn one(node: &Node<'_>) -> Result<Vec<Step>> {
    if node.value.as_str().is_some() {
        return Ok(word(node.word(&WORDS)?));
    }
    let fields = node.any_fields()?;
    let kind = KINDS.iter().find(|(name, ..)| fields.has(name));
    let Some((name, kind, more)) = kind else {
        let names: Vec<&str> = KINDS.iter().map(|(name, ..)| *name).collect();
        fields.only(&names)?;
        return Err(node.error(format!("a step is one of {}", names.join(", "))));
    };
    fields.only(&[&[*name], *more].concat())?;
    step(*kind, &fields, &fields.required(name)?)
}

fn word(word: Word) -> Vec<Step> {
    vec![match word {
        Word::Stall => Step::Stall,
        Word::Reset => Step::Reset,
        Word::Close => Step::Close,
        Word::HalfClose => Step::HalfClose,
        Word::CloseWithoutNotify => Step::CloseWithoutNotify,
        Word::ReadHead => Step::ReadHead,
        Word::ReadBody => Step::ReadBody,
        Word::ReadBodyInSilence => Step::ReadBodyInSilence,
        Word::Drain => Step::Drain,
        Word::LastChunk => Step::send("0\r\n\r\n"),
    }]
}

fn step(kind: Kind, fields: &Fields<'_>, value: &Node<'_>) -> Result<Vec<Step>> {
    let status = |default| fields.read("status", Node::status).map(|it| it.unwrap_or(default));
    let body = || fields.read("body", Node::string).map(|it| it.unwrap_or_default().to_owned());
    let bytes = match kind {
        Kind::Wait => return Ok(vec![Step::Sleep(value.duration()?)]),
        Kind::ReadSlowly => {
            let (bytes, every) = (value.count()?, fields.required("every")?.duration()?);
            return Ok(vec![Step::ReadSlowly { bytes, every }]);
        }
        Kind::Repeat => {
            let steps = list(&fields.required("steps")?)?;
            return Ok(vec![Step::Repeat(value.count()?, steps)]);
        }
        Kind::Forever => return Ok(vec![Step::Loop(list(value)?)]),
        Kind::Respond => response(value.status()?, fields)?,
        Kind::Head => whole_head(value.status()?, &headers(fields)?),
        Kind::Redirect => {
            let mut headers = headers(fields)?;
            headers.push(("Location".to_owned(), field_value(value)?));
            complete(status(302)?, &headers, "")
        }
        Kind::RetryAfter => {
            let delay = value.duration()?;
            if delay.subsec_nanos() != 0 {
                return Err(value.error("Retry-After has whole seconds: 1, or \"2s\""));
            }
            let mut headers = headers(fields)?;
            headers.push(("Retry-After".to_owned(), delay.as_secs().to_string()));
            complete(status(503)?, &headers, &body()?)
        }
        Kind::Chunk => chunk(value.string()?),
        Kind::Send | Kind::Body => value.string()?.as_bytes().to_vec(),
        Kind::Bytes => filler(value.count()?),
    };
    Ok(vec![sent(bytes, fields)?])
}

/// At one go, or a few bytes at a time.
fn sent(bytes: Vec<u8>, fields: &Fields<'_>) -> Result<Step> {
    Ok(match fields.drip()? {
        Some((size, every)) => Step::Drip { bytes, size, every },
        None => Step::Send(bytes),
    })
}

fn response(status: u16, fields: &Fields<'_>) -> Result<Vec<u8>> {
    let mut headers = headers(fields)?;
    let body = match (fields.read("body", Node::string)?, fields.read("bytes", Node::count)?) {
        (Some(_), Some(_)) => return Err(fields.error("body and bytes are two bodies")),
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, count) => filler(count.unwrap_or_default()),
    };
    if !fields.read("chunked", Node::boolean)?.unwrap_or_default() {
        return Ok(complete(status, &headers, body));
    }
    headers.push(("Transfer-Encoding".to_owned(), "chunked".to_owned()));
    Ok([whole_head(status, &headers), chunk(body), b"0\r\n\r\n".to_vec()].concat())
}

fn complete(status: u16, headers: &Headers, body: impl AsRef<[u8]>) -> Vec<u8> {
    let steps = respond_with(status, &borrowed(headers), body);
    let sent =
        steps.into_iter().map(|step| if let Step::Send(bytes) = step { bytes } else { vec![] });
    sent.collect::<Vec<_>>().concat()
}

fn whole_head(status: u16, headers: &Headers) -> Vec<u8> {
    head(status, &borrowed(headers))
}

fn borrowed(headers: &Headers) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn headers(fields: &Fields<'_>) -> Result<Headers> {
    let Some(node) = fields.get("headers") else { return Ok(Vec::new()) };
    let mut headers = Vec::new();
    for (name, node) in node.any_fields()?.entries() {
        if name.is_empty() || name.contains(|c: char| c == ':' || c.is_control()) {
            return Err(node.error("a field's name has neither colons nor control characters"));
        }
        if node.value.as_array().is_some() {
            for value in node.list()? {
                headers.push((name.to_owned(), field_value(&value)?));
            }
        } else {
            headers.push((name.to_owned(), field_value(&node)?));
        }
    }
    Ok(headers)
}

/// A text or a number, on one line.
fn field_value(node: &Node<'_>) -> Result<String> {
    if let Some(number) = node.value.as_integer() {
        return Ok(number.to_string());
    }
    let value = node.string()?;
    if value.contains(['\r', '\n', '\0']) {
        return Err(node.error("a field's value is one line; write what is broken with send"));
    }
    Ok(value.to_owned())
}

/// A body of this size, in lines that can be read.
fn filler(bytes: usize) -> Vec<u8> {
    b"water clock\n".iter().copied().cycle().take(bytes).collect()
}
