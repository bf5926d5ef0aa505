//! [`Lexer`]: cuts a netrc file into words.

use super::{NetrcError, NetrcFault};

/// What is left of the text.
pub(super) struct Lexer<'a> {
    rest: &'a str,
    /// The line that `rest` begins on.
    line: usize,
}

/// A word, unquoted, and the line that it begins on.
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Lexer { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 }
    }

    /// The next word where a keyword stands, behind any comments.
    pub(super) fn keyword(&mut self) -> Result<Option<Word>, NetrcError> {
        self.skip_space();
        while self.rest.starts_with('#') {
            self.take_line();
            self.skip_space();
        }
        self.word()
    }

    /// The value of `keyword`.
    pub(super) fn value(&mut self, keyword: &'static str) -> Result<String, NetrcError> {
        let line = self.line;
        let missing = NetrcError { line, fault: NetrcFault::MissingValue { keyword } };
        self.skip_space();
        self.word()?.map(|word| word.text).ok_or(missing)
    }

    /// A macro's lines: up to an empty one, or the end.
    pub(super) fn skip_macro(&mut self) {
        self.take_line();
        while !self.rest.is_empty() {
            if self.take_line().trim().is_empty() {
                return;
            }
        }
    }

    fn word(&mut self) -> Result<Option<Word>, NetrcError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        let quoted = self.rest.starts_with('"');
        if quoted {
            self.next();
        }
        let mut text = String::new();
        loop {
            match self.rest.chars().next() {
                None if quoted => return Err(NetrcError { line, fault: NetrcFault::OpenQuote }),
                None => break,
                Some('"') if quoted => {
                    self.next();
                    break;
                }
                Some(space) if !quoted && is_space(space) => break,
                Some('\\') => {
                    self.next();
                    let fault = NetrcFault::OpenEscape;
                    text.push(self.next().ok_or(NetrcError { line: self.line, fault })?);
                }
                Some(other) => {
                    self.next();
                    text.push(other);
                }
            }
        }
        Ok(Some(Word { text, line }))
    }

    fn skip_space(&mut self) {
        while self.rest.starts_with(is_space) {
            self.next();
        }
    }

    /// What is left of this line, without its end.
    fn take_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        self.line += usize::from(next == Some('\n'));
        next
    }
}

const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}
