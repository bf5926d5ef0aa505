//! [`Challenge`]: what a server or proxy asks for (RFC 9110 §11.3, §11.6.1).

use super::basic::is_token68_byte;
use crate::message::find_non_token;

/// One challenge of a `WWW-Authenticate` or `Proxy-Authenticate` field.
///
/// One field may hold several challenges, and its commas part both challenges and parameters.
/// The reader is lenient: what it cannot read is skipped, and what stands around it still counts.
/// Values are bytes, because servers do not agree on an encoding and Digest hashes them as sent.
///
/// ```
/// use waterclock_proto::auth::Challenge;
///
/// let field: &[u8] = br#"Negotiate, Digest realm="a \"b\"", nonce=n, Basic realm="c""#;
/// let challenges = Challenge::parse_all([field]);
/// let schemes: Vec<_> = challenges.iter().map(Challenge::scheme).collect();
/// assert_eq!(schemes, ["Negotiate", "Digest", "Basic"]);
/// assert_eq!(challenges[1].param("Realm"), Some(br#"a "b""#.as_slice()));
/// assert!(challenges[2].is("basic"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    token68: Option<String>,
    params: Params,
}

/// Parameters in the order they came in.
type Params = Vec<(String, Vec<u8>)>;

impl Challenge {
    /// All challenges in these values of one field, in order. Several values mean the same as one
    /// in which they are joined by commas (RFC 9110 §5.3).
    pub fn parse_all<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Vec<Challenge> {
        let mut challenges = Vec::new();
        for value in values {
            Reader { rest: value }.challenges(&mut challenges);
        }
        challenges
    }

    /// The scheme's name as it was sent.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether the scheme has this name; case does not count.
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// What follows the scheme where it is not a list of parameters, as with `Negotiate`.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }

    /// The first parameter of that name, unquoted; case does not count in the name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&[u8]> {
        find(&self.params, name)
    }

    /// All parameters, unquoted, in the order they were sent.
    pub fn params(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

/// The parameters of a field that holds nothing else, such as `Authentication-Info`.
pub(super) fn parse_params(value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut holder =
        vec![Challenge { scheme: String::new(), token68: None, params: Params::new() }];
    Reader { rest: value }.challenges(&mut holder);
    // Junk may look like a scheme; what follows it still counts.
    holder.into_iter().flat_map(|part| part.params).collect()
}

/// The first parameter of that name.
pub(super) fn find<'a>(params: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    let found = params.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_slice())
}

/// What is left of a value to read.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Parameters go to the last challenge, also to one of an earlier value.
    fn challenges(&mut self, into: &mut Vec<Challenge>) {
        loop {
            self.skip(|byte| matches!(byte, b' ' | b'\t' | b','));
            if self.rest.is_empty() {
                return;
            }
            if self.param(into) {
                // Some servers forget a comma between parameters.
                while self.param(into) {}
                self.skip_item();
            } else if let Some(scheme) = self.scheme() {
                let token68 = self.token68();
                into.push(Challenge { scheme, token68, params: Params::new() });
            } else {
                self.skip_item();
            }
        }
    }

    /// `name BWS "=" BWS value`. Whether there was one, readable or not; otherwise nothing is
    /// taken.
    fn param(&mut self, into: &mut [Challenge]) -> bool {
        let before = self.rest;
        self.skip(is_blank);
        let name = self.token();
        self.skip(is_blank);
        if name.is_empty() || self.rest.first() != Some(&b'=') {
            self.rest = before;
            return false;
        }
        self.take(1);
        self.skip(is_blank);
        let value = match self.rest.first() {
            Some(b'"') => self.quoted(),
            _ => self.unquoted(),
        };
        if let (Some(value), Some(challenge)) = (value, into.last_mut()) {
            challenge.params.push((text(name), value));
        }
        true
    }

    /// A quoted-string (RFC 9110 §5.6.4) without its quotes and escapes. `None` if it has control
    /// bytes, or no end.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        self.take(1);
        let (mut value, mut valid) = (Vec::new(), true);
        loop {
            let mut byte = self.byte()?;
            match byte {
                b'"' => return valid.then_some(value),
                b'\\' => byte = self.byte()?,
                _ => {}
            }
            valid &= byte == b'\t' || !byte.is_ascii_control();
            value.push(byte);
        }
    }

    /// More than a token: many servers leave out the quotes where they are needed.
    fn unquoted(&mut self) -> Option<Vec<u8>> {
        let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b',');
        let end = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let value = self.take(end);
        (!value.iter().any(u8::is_ascii_control)).then(|| value.to_vec())
    }

    /// A token that ends where a scheme may end.
    fn scheme(&mut self) -> Option<String> {
        let before = self.rest;
        let name = self.token();
        let ends = matches!(self.rest.first(), None | Some(b' ' | b'\t' | b','));
        if name.is_empty() || !ends {
            self.rest = before;
            return None;
        }
        Some(text(name))
    }

    /// A token68 that is all there is up to the next comma.
    fn token68(&mut self) -> Option<String> {
        let before = self.rest;
        self.skip(is_blank);
        let start = self.rest;
        self.skip(is_token68_byte);
        let body = start.len() - self.rest.len();
        self.skip(|byte| byte == b'=');
        let found = &start[..start.len() - self.rest.len()];
        self.skip(is_blank);
        if body == 0 || !matches!(self.rest.first(), None | Some(b',')) {
            self.rest = before;
            return None;
        }
        Some(text(found))
    }

    /// Everything up to the next comma that is not quoted.
    fn skip_item(&mut self) {
        let mut quoted = false;
        while let Some(&byte) = self.rest.first() {
            match byte {
                b',' if !quoted => return,
                b'"' => quoted = !quoted,
                b'\\' if quoted => drop(self.byte()),
                _ => {}
            }
            self.take(1);
        }
    }

    fn token(&mut self) -> &'a [u8] {
        self.take(find_non_token(self.rest).unwrap_or(self.rest.len()))
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).first().copied()
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let end = self.rest.iter().position(|&byte| !skipped(byte));
        self.take(end.unwrap_or(self.rest.len()));
    }

    /// The next `length` bytes, or as many as there are.
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Tokens are ASCII.
fn text(token: &[u8]) -> String {
    String::from_utf8_lossy(token).into_owned()
}

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
