//! [`TextDecoder`]: a body that is decoded while it arrives.

use super::codec::CodecStream;
use super::rules::{Choice, Head, Rules, detect};
use super::{Charset, Fallback, How};
use encoding_rs::Encoding;
use std::fmt;

/// How many bytes, from the first beyond ASCII, are held back for rule 5.
const WINDOW: usize = 1024;

/// Decodes a body while it arrives, characters cut anywhere, by the rules of [`super::decode`].
///
/// Nothing is held back that need not be. With a charset parameter, or a type that is UTF-8, text
/// comes out at once; a page is held until 1024 bytes of it are there; in other types ASCII passes,
/// and 1024 bytes from the first that is not are held for a guess. So the guess may differ from the
/// one that is made from a whole body, and a body that ceases to be UTF-8 after that is not guessed
/// again. However the bytes are cut, the text is the same.
///
/// ```
/// use waterclock_proto::charset::{Fallback, TextDecoder};
///
/// let mut decoder = TextDecoder::new(Some(b"text/plain; charset=utf-8"), Fallback::Detect);
/// let mut text = String::new();
/// decoder.push(b"caf\xc3", &mut text);
/// assert_eq!(text, "caf");
/// decoder.push(b"\xa9", &mut text);
/// decoder.finish(&mut text);
/// assert_eq!((&*text, decoder.charset()), ("café", Some("UTF-8")));
/// ```
pub struct TextDecoder {
    rules: Rules,
    state: State,
    chosen: Option<Choice>,
}

enum State {
    /// The beginning, on which rules 1 to 4 have not decided.
    Head(Vec<u8>),
    /// The bytes from the first beyond ASCII, on which rule 5 has not decided.
    Open(Vec<u8>),
    Decoding(CodecStream),
}

impl TextDecoder {
    /// A decoder for a body with that Content-Type.
    #[must_use]
    pub fn new(content_type: Option<&[u8]>, fallback: Fallback) -> Self {
        let rules = Rules::new(content_type, fallback);
        TextDecoder { rules, state: State::Head(Vec::new()), chosen: None }
    }

    /// A decoder that takes the caller's word for the charset. A byte order mark of that charset is
    /// left out, as in [`Charset::decode`].
    #[must_use]
    pub fn with_charset(charset: Charset) -> Self {
        let rules = Rules::with_charset(charset);
        TextDecoder { rules, state: State::Head(Vec::new()), chosen: None }
    }

    /// Decodes `bytes` and adds to `text` what can be told. After [`finish`](Self::finish), nothing.
    pub fn push(&mut self, bytes: &[u8], text: &mut String) {
        match &mut self.state {
            State::Head(held) => {
                held.extend_from_slice(bytes);
                self.judge(false, text);
            }
            State::Open(held) => {
                let ascii = if held.is_empty() { Encoding::ascii_valid_up_to(bytes) } else { 0 };
                let (passing, coded) = bytes.split_at(ascii);
                text.push_str(std::str::from_utf8(passing).unwrap_or_default());
                held.extend_from_slice(coded);
                if let Some(window) = held.get(..WINDOW) {
                    let choice = detect(window, false);
                    self.start(choice, text);
                }
            }
            State::Decoding(stream) => stream.push(bytes, text),
        }
    }

    /// Adds the rest: what was held back, and U+FFFD for a character that is not whole.
    pub fn finish(&mut self, text: &mut String) {
        self.judge(true, text);
        if let State::Open(held) = &self.state {
            let choice = detect(held, true);
            self.start(choice, text);
        }
        if let State::Decoding(stream) = &mut self.state {
            stream.finish(text);
        }
    }

    /// The charset, once it is chosen.
    #[must_use]
    pub fn charset(&self) -> Option<&'static str> {
        self.chosen.map(|choice| choice.charset.name())
    }

    /// What the choice rests on, once it is made.
    #[must_use]
    pub fn how(&self) -> Option<How> {
        self.chosen.map(|choice| choice.how)
    }

    /// Whether some bytes could not be decoded and became U+FFFD.
    #[must_use]
    pub fn malformed(&self) -> bool {
        matches!(&self.state, State::Decoding(stream) if stream.malformed)
    }

    /// Asks the beginning, as far as it is there.
    fn judge(&mut self, ended: bool, text: &mut String) {
        let State::Head(held) = &mut self.state else { return };
        match self.rules.head(held, ended) {
            Head::More => {}
            Head::Chosen(choice) => self.start(choice, text),
            Head::Open => {
                let held = std::mem::take(held);
                self.state = State::Open(Vec::new());
                self.push(&held, text);
            }
        }
    }

    /// Decodes what was held back, by the charset that was chosen.
    fn start(&mut self, choice: Choice, text: &mut String) {
        let mut stream = choice.charset.stream();
        if let State::Head(held) | State::Open(held) = &self.state {
            stream.push(held.get(choice.bom..).unwrap_or_default(), text);
        }
        self.state = State::Decoding(stream);
        self.chosen = Some(choice);
    }
}

impl fmt::Debug for TextDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextDecoder")
            .field("charset", &self.charset())
            .field("how", &self.how())
            .finish_non_exhaustive()
    }
}
