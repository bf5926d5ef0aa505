//! [`Charset`]: one charset, its labels, and bytes decoded by it.

use encoding_rs::{
    BIG5, CoderResult, Decoder, EUC_JP, EUC_KR, Encoding, GBK, MACINTOSH, REPLACEMENT, SHIFT_JIS,
    UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED, mem,
};
use std::borrow::Cow;

/// A charset that can be decoded: those of the Encoding Standard, ISO-8859-1 proper, and UTF-32.
///
/// ```
/// use waterclock_proto::charset::Charset;
///
/// let charset = Charset::from_label("sjis").unwrap();
/// assert_eq!(charset.name(), "Shift_JIS");
/// assert_eq!(charset.decode(b"\x93\xfa\x96\x7b"), ("日本".into(), false));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset(Codec);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    Web(&'static Encoding),
    /// Every byte is the code point of that number; `iso-8859-1` on the web means windows-1252.
    Latin1,
    Utf32(Endian),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endian {
    Little,
    Big,
}

impl Charset {
    pub(super) const UTF_8: Charset = Charset(Codec::Web(UTF_8));
    pub(super) const UTF_16LE: Charset = Charset(Codec::Web(UTF_16LE));
    pub(super) const UTF_16BE: Charset = Charset(Codec::Web(UTF_16BE));
    pub(super) const UTF_32LE: Charset = Charset(Codec::Utf32(Endian::Little));
    pub(super) const UTF_32BE: Charset = Charset(Codec::Utf32(Endian::Big));
    pub(super) const LATIN1: Charset = Charset(Codec::Latin1);

    pub(super) fn web(encoding: &'static Encoding) -> Charset {
        Charset(Codec::Web(encoding))
    }

    /// The charset of a label, in whatever case; white space and quotes around it, `_` for `-` and
    /// names that Python and databases use are understood.
    ///
    /// `None` for what is unknown, and for the labels that the Encoding Standard replaces for safety
    /// (`iso-2022-kr`, `hz-gb-2312` ...). UTF-7 is unknown.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Charset> {
        let label = label.trim_matches(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'');
        let encoding = match Encoding::for_label(label.as_bytes()) {
            Some(encoding) => encoding,
            None => match squeeze(label)?.as_str() {
                "utf32" | "utf32le" => return Some(Charset::UTF_32LE),
                "utf32be" => return Some(Charset::UTF_32BE),
                squeezed => other_spelling(squeezed)?,
            },
        };
        (encoding != REPLACEMENT).then_some(Charset::web(encoding))
    }

    /// The name in the Encoding Standard; or `ISO-8859-1`, `UTF-32LE`, `UTF-32BE`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Codec::Web(encoding) => encoding.name(),
            Codec::Latin1 => "ISO-8859-1",
            Codec::Utf32(Endian::Little) => "UTF-32LE",
            Codec::Utf32(Endian::Big) => "UTF-32BE",
        }
    }

    /// The text, without this charset's byte order mark, and whether some bytes became U+FFFD.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, bool) {
        self.decode_after_bom(bytes.strip_prefix(self.bom()).unwrap_or(bytes))
    }

    pub(super) fn decode_after_bom(self, bytes: &[u8]) -> (Cow<'_, str>, bool) {
        match self.0 {
            Codec::Web(encoding) => encoding.decode_without_bom_handling(bytes),
            Codec::Latin1 => (mem::decode_latin1(bytes), false),
            Codec::Utf32(_) => {
                let (mut text, mut stream) = (String::new(), self.stream());
                stream.push(bytes, &mut text);
                stream.finish(&mut text);
                (text.into(), stream.malformed)
            }
        }
    }

    /// Its byte order mark; empty if it has none.
    fn bom(self) -> &'static [u8] {
        MARKS.iter().find(|(charset, _)| *charset == self).map_or(b"", |(_, bom)| bom)
    }

    pub(super) fn is_utf32(self) -> bool {
        matches!(self.0, Codec::Utf32(_))
    }

    /// What it means when bytes that can be read as ASCII say that they are in this charset.
    pub(super) fn declared_in_ascii(self) -> Charset {
        match self.0 {
            Codec::Utf32(_) => Charset::UTF_8,
            Codec::Web(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Charset::UTF_8,
            Codec::Web(encoding) if encoding == X_USER_DEFINED => Charset::web(WINDOWS_1252),
            _ => self,
        }
    }

    pub(super) fn stream(self) -> CodecStream {
        let state = match self.0 {
            Codec::Web(encoding) => State::Web(encoding.new_decoder_without_bom_handling()),
            Codec::Latin1 => State::Latin1,
            Codec::Utf32(endian) => State::Utf32 { endian, unit: [0; 4], have: 0 },
        };
        CodecStream { state, malformed: false }
    }
}

/// The charsets that have a byte order mark; that of UTF-32LE begins with that of UTF-16LE.
pub(super) const MARKS: [(Charset, &[u8]); 5] = [
    (Charset::UTF_32LE, b"\xff\xfe\0\0"),
    (Charset::UTF_32BE, b"\0\0\xfe\xff"),
    (Charset::UTF_8, b"\xef\xbb\xbf"),
    (Charset::UTF_16LE, b"\xff\xfe"),
    (Charset::UTF_16BE, b"\xfe\xff"),
];

/// A label in lower case without anything but letters and digits; no label is longer than 40.
fn squeeze(label: &str) -> Option<String> {
    let kept = label.chars().filter(char::is_ascii_alphanumeric);
    (label.len() <= 40).then(|| kept.map(|c| c.to_ascii_lowercase()).collect())
}

/// Spellings that servers use and the Encoding Standard does not list.
fn other_spelling(squeezed: &str) -> Option<&'static Encoding> {
    Some(match squeezed {
        "cp932" | "ms932" | "shiftjis" => SHIFT_JIS,
        "cp936" => GBK,
        "cp949" | "euckr" | "uhc" => EUC_KR,
        "cp950" => BIG5,
        "eucjp" => EUC_JP,
        "macroman" => MACINTOSH,
        "cp65001" | "utf8sig" | "utf8mb3" | "utf8mb4" => UTF_8,
        _ => {
            let page = |prefix| squeezed.strip_prefix(prefix);
            match page("windows").or_else(|| page("win")).or_else(|| page("cp")) {
                Some(number) => Encoding::for_label(format!("windows-{number}").as_bytes())?,
                None => Encoding::for_label(squeezed.as_bytes())?,
            }
        }
    })
}

/// Bytes decoded as they come, characters cut anywhere.
pub(super) struct CodecStream {
    state: State,
    pub(super) malformed: bool,
}

enum State {
    Web(Decoder),
    Latin1,
    Utf32 { endian: Endian, unit: [u8; 4], have: usize },
    Ended,
}

impl CodecStream {
    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        match &mut self.state {
            State::Web(decoder) => self.malformed |= run(decoder, bytes, text, false),
            State::Latin1 => text.push_str(&mem::decode_latin1(bytes)),
            State::Utf32 { endian, unit, have } => {
                for &byte in bytes {
                    unit[*have] = byte;
                    *have = (*have + 1) % unit.len();
                    if *have == 0 {
                        let code = match endian {
                            Endian::Little => u32::from_le_bytes(*unit),
                            Endian::Big => u32::from_be_bytes(*unit),
                        };
                        let decoded = char::from_u32(code);
                        self.malformed |= decoded.is_none();
                        text.push(decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                }
            }
            State::Ended => {}
        }
    }

    /// No more bytes: a character that is not whole becomes U+FFFD.
    pub(super) fn finish(&mut self, text: &mut String) {
        match &mut self.state {
            State::Web(decoder) => self.malformed |= run(decoder, b"", text, true),
            State::Utf32 { have: 1.., .. } => {
                self.malformed = true;
                text.push(char::REPLACEMENT_CHARACTER);
            }
            State::Latin1 | State::Utf32 { .. } | State::Ended => {}
        }
        self.state = State::Ended;
    }
}

/// Decodes all of `bytes`; says whether there were malformed ones.
fn run(decoder: &mut Decoder, mut bytes: &[u8], text: &mut String, last: bool) -> bool {
    // Room for the most that one step may need, lest it never gets on.
    const STEP: usize = 32;
    let mut malformed = false;
    loop {
        text.reserve(bytes.len().max(STEP));
        let (result, read, errors) = decoder.decode_to_string(bytes, text, last);
        malformed |= errors;
        bytes = bytes.get(read..).unwrap_or_default();
        match result {
            CoderResult::InputEmpty => return malformed,
            CoderResult::OutputFull => {}
        }
    }
}
