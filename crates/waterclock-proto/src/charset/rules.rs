//! The rules by which a charset is chosen; the module's documentation has their order.

use super::codec::MARKS;
use super::{Charset, Fallback, How, prescan};
use crate::message::ContentType;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

/// How far into a page its own word on its charset is looked for, as browsers do.
pub(super) const HEAD: usize = 1024;

/// How many bytes, from the first beyond ASCII, a guess is made from.
const SAMPLE: usize = 64 * 1024;

/// What is known before the first byte.
pub(super) struct Rules {
    header: Option<Charset>,
    kind: Kind,
}

enum Kind {
    Json,
    /// UTF-8 by definition.
    Utf8,
    Markup(Markup),
    /// `text/*` under [`Fallback::Latin1`].
    Latin1,
    /// No type: markup if it begins with `<`.
    Unknown,
    /// The caller knows; only a mark of that charset is one.
    Given,
    Other,
}

/// Which of its declarations a page is asked for.
#[derive(Clone, Copy)]
enum Markup {
    Html,
    Xml,
    Xhtml,
}

/// The choice, and how many bytes of byte order mark there are.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) charset: Charset,
    pub(super) how: How,
    pub(super) bom: usize,
}

/// What the beginning of a body says.
pub(super) enum Head {
    Chosen(Choice),
    /// Nothing yet; there must be more bytes, or the end.
    More,
    /// Nothing: rule 5 has to decide.
    Open,
}

impl Choice {
    fn new(charset: Charset, how: How) -> Choice {
        Choice { charset, how, bom: 0 }
    }
}

impl Rules {
    pub(super) fn new(content_type: Option<&[u8]>, fallback: Fallback) -> Rules {
        let parsed = content_type.and_then(ContentType::parse);
        let label = parsed.as_ref().and_then(|parsed| parsed.param("charset"));
        Rules { header: label.and_then(Charset::from_label), kind: Kind::of(parsed, fallback) }
    }

    /// Rules for bytes whose charset the caller knows.
    pub(super) fn with_charset(charset: Charset) -> Rules {
        Rules { header: Some(charset), kind: Kind::Given }
    }

    /// What the bytes that are there say; all of them are there if `ended`. It depends on no more
    /// than the first [`HEAD`] bytes.
    pub(super) fn head(&self, bytes: &[u8], ended: bool) -> Head {
        match self.bom(bytes, ended) {
            Head::Open => {}
            decided => return decided,
        }
        if let Some(charset) = self.header {
            return Head::Chosen(Choice::new(charset, How::Header));
        }
        match self.kind {
            Kind::Json if bytes.len() < 4 && !ended => Head::More,
            Kind::Json => Head::Chosen(json(bytes)),
            Kind::Utf8 => Head::Chosen(Choice::new(Charset::UTF_8, How::Default)),
            Kind::Latin1 => Head::Chosen(Choice::new(Charset::LATIN1, How::Default)),
            Kind::Markup(markup) => markup.head(bytes, ended),
            Kind::Unknown => {
                let head = bytes.get(..HEAD).unwrap_or(bytes);
                match head.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0)) {
                    Some(b'<') => Markup::Html.head(bytes, ended),
                    None if head.len() < HEAD && !ended => Head::More,
                    _ => Head::Open,
                }
            }
            Kind::Given | Kind::Other => Head::Open,
        }
    }

    fn bom(&self, bytes: &[u8], ended: bool) -> Head {
        for (charset, bom) in MARKS.into_iter().filter(|(charset, _)| self.may_be_marked(*charset))
        {
            if bytes.starts_with(bom) {
                return Head::Chosen(Choice { charset, how: How::Bom, bom: bom.len() });
            }
            if bom.starts_with(bytes) && !ended {
                return Head::More;
            }
        }
        Head::Open
    }

    /// Whether a byte order mark of that charset would be one here.
    fn may_be_marked(&self, charset: Charset) -> bool {
        match self.kind {
            Kind::Given => self.header == Some(charset),
            Kind::Json => true,
            // What begins like UTF-32LE is UTF-16LE elsewhere (Encoding Standard §6.1).
            _ => !charset.is_utf32() || self.header.is_some_and(Charset::is_utf32),
        }
    }
}

impl Kind {
    fn of(content_type: Option<ContentType>, fallback: Fallback) -> Kind {
        let Some(content_type) = content_type else { return Kind::Unknown };
        if content_type.is_json() {
            return Kind::Json;
        }
        match content_type.essence() {
            "" => Kind::Unknown,
            "text/event-stream"
            | "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/json-seq" => Kind::Utf8,
            essence if fallback == Fallback::Latin1 && essence.starts_with("text/") => Kind::Latin1,
            "text/html" => Kind::Markup(Markup::Html),
            "application/xhtml+xml" => Kind::Markup(Markup::Xhtml),
            essence if essence.ends_with("/xml") || essence.ends_with("+xml") => {
                Kind::Markup(Markup::Xml)
            }
            _ => Kind::Other,
        }
    }
}

impl Markup {
    fn head(self, bytes: &[u8], ended: bool) -> Head {
        if bytes.len() < HEAD && !ended {
            return Head::More;
        }
        let head = bytes.get(..HEAD).unwrap_or(bytes);
        if let Some(charset) = prescan::utf16_declaration(head) {
            return Head::Chosen(Choice::new(charset, How::Meta));
        }
        let declared = match self {
            Markup::Html => prescan::meta(head).or_else(|| prescan::xml(head)),
            Markup::Xhtml => prescan::xml(head).or_else(|| prescan::meta(head)),
            Markup::Xml => prescan::xml(head),
        };
        declared.map_or(Head::Open, |charset| Head::Chosen(Choice::new(charset, How::Meta)))
    }
}

/// UTF-8, or what the zeros of the first four bytes show (RFC 4627 §3): JSON begins with an ASCII
/// character, and no JSON has a NUL. (requests wants two ASCII characters for UTF-16.)
fn json(bytes: &[u8]) -> Choice {
    let zeros: Vec<bool> = bytes.iter().take(4).map(|&byte| byte == 0).collect();
    let charset = match *zeros {
        [true, true, true, false] => Charset::UTF_32BE,
        [false, true, true, true] => Charset::UTF_32LE,
        [true, false, ..] => Charset::UTF_16BE,
        [false, true, ..] => Charset::UTF_16LE,
        _ => return Choice::new(Charset::UTF_8, How::Default),
    };
    Choice::new(charset, How::Detected)
}

/// Rule 5. Whether the last character is whole does not count; `ended` says that nothing follows.
pub(super) fn detect(bytes: &[u8], ended: bool) -> Choice {
    let coded = bytes.get(Encoding::ascii_valid_up_to(bytes)..).unwrap_or_default();
    if coded.is_empty() {
        return Choice::new(Charset::UTF_8, How::Default);
    }
    if std::str::from_utf8(coded).map_or_else(|error| error.error_len().is_none(), |_| true) {
        return Choice::new(Charset::UTF_8, How::Detected);
    }
    let sample = coded.get(..SAMPLE).unwrap_or(coded);
    // ISO-2022-JP would turn what looks like ASCII into something else: an old attack.
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, ended && sample.len() == coded.len());
    Choice::new(Charset::web(detector.guess(None, Utf8Detection::Deny)), How::Detected)
}
