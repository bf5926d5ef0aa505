//! Going on with a file that is there in part.
//!
//! The request has `Range`, and `If-Range` with the validator of the response that the part is from:
//! if the server's file is another one by now it sends all of it. The validator is kept in a small file
//! beside the part, `NAME.resume`, for as long as there is a part. Without one (another program began
//! the download) only the place and the size are compared.

use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use waterclock::{Headers, Response};

/// No validator makes a larger file.
const MOST_BYTES: u64 = 16 * 1024;

/// A part of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// How much of it there is.
    length: u64,
    validator: Option<String>,
}

/// What a response means for the part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is the rest, of so many bytes: how a body ends does not say whether that was all of them.
    Rest { bytes: u64 },
    /// It is all of the file: the part is of no use.
    Whole,
    /// The part is all there is.
    Complete,
    /// It is neither; the part stays as it is.
    Useless(String),
}

impl Part {
    /// The part at `path`, if there is one worth going on with.
    pub(crate) fn find(path: &Path) -> io::Result<Option<Self>> {
        match path.metadata() {
            Ok(meta) if meta.is_file() && meta.len() > 0 => {
                Ok(Some(Part { length: meta.len(), validator: recall(path) }))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// What asks for the rest. Bytes are counted in what is sent, so nothing may be compressed.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let range = ("Range", format!("bytes={}-", self.length));
        let validator = self.validator.clone().map(|validator| ("If-Range", validator));
        [range, ("Accept-Encoding", "identity".to_owned())].into_iter().chain(validator)
    }

    /// Looks at the answer (RFC 9110 §14.4, §15.3.7, §15.5.17).
    pub(crate) fn judge(&self, response: &Response) -> Answer {
        self.judge_head(response.status(), response.headers(), response.body_expected())
    }

    /// Whether a 206 is of another version than the part, although If-Range ought to have prevented that: parts go
    /// together only if they have the same strong validator (RFC 9110 §15.3.7.3). One that is left out is believed.
    fn is_another(&self, headers: &Headers) -> bool {
        let Some(ours) = &self.validator else { return false };
        let name = if ours.starts_with('"') { "ETag" } else { "Last-Modified" };
        headers.get_all(name).any(|theirs| theirs != ours.as_bytes())
    }

    /// `expected` is the body's length where its framing says it.
    fn judge_head(&self, status: u16, headers: &Headers, expected: Option<u64>) -> Answer {
        let text =
            |name| headers.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
        // Of two, either may be the wrong one.
        let ranges = headers.get_all("Content-Range").count();
        let range = text("Content-Range").filter(|_| ranges == 1);
        let range = range.and_then(|value| ContentRange::parse(&value));
        let coded = text("Content-Encoding").is_some_and(|coding| coding != "identity");
        match (status, range) {
            (200, _) => Answer::Whole,
            (206, Some(ContentRange::Part { first, last, total })) => {
                let end = last.checked_add(1).filter(|&end| total.is_none_or(|total| end == total));
                let bytes = end.and_then(|end| end.checked_sub(first)).filter(|&bytes| bytes > 0);
                let Some(bytes) = bytes.filter(|_| first == self.length && !coded) else {
                    return Answer::Useless("the server sent another range than asked for".into());
                };
                if self.is_another(headers) {
                    let why =
                        "the server sent a part of another version; delete the part to begin again";
                    return Answer::Useless(why.into());
                }
                match expected.is_none_or(|expected| expected == bytes) {
                    true => Answer::Rest { bytes },
                    false => Answer::Useless("its Content-Length is not that of its range".into()),
                }
            }
            (206, _) => Answer::Useless("the server did not say which range it sent".into()),
            (416, Some(ContentRange::Nothing { total })) if total == self.length => {
                Answer::Complete
            }
            (416, Some(ContentRange::Nothing { total })) => Answer::Useless(format!(
                "the server's file has {total} bytes, the part here {}; delete it to begin again",
                self.length
            )),
            (416, _) => Answer::Useless("the server's file does not reach so far".into()),
            (status, _) => Answer::Useless(format!("the status is {status}")),
        }
    }
}

/// `bytes 5-9/10`, `bytes */10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ContentRange {
    Part { first: u64, last: u64, total: Option<u64> },
    Nothing { total: u64 },
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
        if range == "*" {
            return Some(ContentRange::Nothing { total: number(total)? });
        }
        let (first, last) = range.split_once('-')?;
        let total = if total == "*" { None } else { Some(number(total)?) };
        Some(ContentRange::Part { first: number(first)?, last: number(last)?, total })
    }
}

/// Keeps the validator of a response of which a part is in the file at `path`. Gives whether going on
/// has a chance: it needs a server that does not refuse ranges. A response that was the `rest` of a part
/// does not change the part's validator: another kind of it could not be compared with the next answer's.
pub(crate) fn note(path: &Path, response: &Response, rest: bool) -> bool {
    let headers = response.headers();
    let refuses = headers.get("Accept-Ranges").is_some_and(|value| value == b"none");
    // A range that the caller asked for by hand does not begin where the file does.
    let begins = response.status() == 200 || (response.status() == 206 && rest);
    if refuses || !begins {
        return false;
    }
    // A file of that name that is somebody else's stays.
    let free = !beside(path).exists() || (!rest && recall(path).is_some());
    if let Some(validator) = validator(headers).filter(|_| free) {
        let text = json!({ "waterclock_resume": 1, "if_range": validator }).to_string();
        // Without it the place and the size are compared.
        let _ = fs::write(beside(path), text);
    }
    true
}

/// Removes what [`note`] has written: the file is complete.
pub(crate) fn forget(path: &Path) {
    if recall(path).is_some() {
        let _ = fs::remove_file(beside(path));
    }
}

/// A strong ETag; else Last-Modified, if it is strong (RFC 9110 §8.8.2.2: a minute older than Date).
fn validator(headers: &Headers) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| String::from_utf8(value.to_vec()).ok());
    if let Some(tag) = text("ETag") {
        return tag.starts_with('"').then_some(tag);
    }
    let (modified, date) = (text("Last-Modified")?, text("Date")?);
    let time = |text: &str| httpdate::parse_http_date(text).ok();
    let age = time(&date)?.duration_since(time(&modified)?).ok()?;
    (age.as_secs() >= 60).then_some(modified)
}

fn recall(path: &Path) -> Option<String> {
    let beside = beside(path);
    if beside.metadata().ok()?.len() > MOST_BYTES {
        return None;
    }
    let note: Value = serde_json::from_slice(&fs::read(beside).ok()?).ok()?;
    (note["waterclock_resume"] == 1).then_some(())?;
    note["if_range"].as_str().map(str::to_owned)
}

fn beside(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".resume");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in pairs {
            headers.append(name, value).unwrap();
        }
        headers
    }

    #[test]
    fn an_answer_is_believed_only_if_it_fits() {
        let part = Part { length: 5, validator: None };
        let judge = |status, pairs: &[(&str, &str)]| part.judge_head(status, &headers(pairs), None);
        let range = |value| judge(206, &[("Content-Range", value)]);
        assert_eq!(range("bytes 5-9/10"), Answer::Rest { bytes: 5 });
        assert_eq!(range("bytes 5-9/*"), Answer::Rest { bytes: 5 });
        assert_eq!(judge(200, &[]), Answer::Whole);
        assert_eq!(judge(416, &[("Content-Range", "bytes */5")]), Answer::Complete);
        let right = headers(&[("Content-Range", "bytes 5-9/10")]);
        let sized = |length| part.judge_head(206, &right, Some(length));
        assert_eq!(sized(5), Answer::Rest { bytes: 5 });
        assert!(matches!(sized(4), Answer::Useless(_)) && matches!(sized(6), Answer::Useless(_)));
        let two = [("Content-Range", "bytes 5-9/10"), ("Content-Range", "bytes 0-4/10")];
        assert!(matches!(judge(206, &two), Answer::Useless(_)));
        for wrong in [
            "bytes 4-9/10",
            "bytes 5-4/5",
            "bytes 5-8/10",
            "bytes 5-",
            "5-9/10",
            "bytes +5-9/10",
            "",
        ] {
            assert!(matches!(range(wrong), Answer::Useless(_)), "{wrong}");
        }
        let huge = format!("bytes 5-{0}/{0}", u64::MAX);
        assert!(matches!(range(&huge), Answer::Useless(_)));
        let coded = [("Content-Range", "bytes 5-9/10"), ("Content-Encoding", "gzip")];
        assert!(matches!(judge(206, &coded), Answer::Useless(_)));
        assert!(matches!(judge(206, &[]), Answer::Useless(_)));
        assert!(matches!(judge(416, &[]), Answer::Useless(_)));
        assert!(matches!(judge(416, &[("Content-Range", "bytes */4")]), Answer::Useless(_)));
        assert_eq!(judge(503, &[]), Answer::Useless("the status is 503".into()));
    }

    #[test]
    fn two_versions_do_not_go_together() {
        let date = "Sun, 06 Nov 1994 08:48:00 GMT";
        for (ours, name, theirs, same) in [
            ("\"a\"", "ETag", "\"a\"", true),
            ("\"a\"", "ETag", "\"b\"", false),
            ("\"a\"", "ETag", "W/\"a\"", false),
            ("\"a\"", "Last-Modified", date, true),
            (date, "Last-Modified", date, true),
            (date, "Last-Modified", "Sun, 06 Nov 1994 08:48:01 GMT", false),
            (date, "ETag", "\"b\"", true),
        ] {
            let part = Part { length: 5, validator: Some(ours.to_owned()) };
            let fields = headers(&[("Content-Range", "bytes 5-9/10"), (name, theirs)]);
            let answer = part.judge_head(206, &fields, None);
            assert_eq!(answer == Answer::Rest { bytes: 5 }, same, "{ours} {name}: {theirs}");
        }
    }

    #[test]
    fn one_of_two_tags_may_be_another() {
        let part = Part { length: 5, validator: Some("\"a\"".into()) };
        let range = ("Content-Range", "bytes 5-9/10");
        let fields = headers(&[range, ("ETag", "\"a\""), ("ETag", "\"b\"")]);
        assert!(matches!(part.judge_head(206, &fields, None), Answer::Useless(_)));
    }

    #[test]
    fn only_strong_validators_are_kept() {
        let of = |pairs: &[(&str, &str)]| validator(&headers(pairs));
        let (early, late) = ("Sun, 06 Nov 1994 08:48:00 GMT", "Sun, 06 Nov 1994 08:49:00 GMT");
        assert_eq!(of(&[("ETag", "\"a\""), ("Last-Modified", early)]).as_deref(), Some("\"a\""));
        assert_eq!(of(&[("ETag", "W/\"a\""), ("Last-Modified", early), ("Date", late)]), None);
        assert_eq!(of(&[("Last-Modified", early), ("Date", late)]).as_deref(), Some(early));
        assert_eq!(of(&[("Last-Modified", early), ("Date", early)]), None);
        assert_eq!(of(&[("Last-Modified", early)]), None);
    }

    #[test]
    fn the_request_asks_for_the_rest() {
        let part = Part { length: 5, validator: Some("\"a\"".into()) };
        let fields: Vec<_> = part.headers().collect();
        let wanted =
            [("Range", "bytes=5-"), ("Accept-Encoding", "identity"), ("If-Range", "\"a\"")];
        assert_eq!(fields, wanted.map(|(name, value)| (name, value.to_owned())));
    }
}
