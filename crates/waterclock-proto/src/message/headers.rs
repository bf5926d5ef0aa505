//! [`Headers`]: header fields in wire order and case (RFC 9110 §5).

use super::{controls, find_non_token, has_control, snippet, trim};
use std::fmt;

/// Header fields: ordered, case kept, repeats kept, looked up without regard to case.
///
/// All names and values lie in one block of bytes beside one table of offsets, so a response head
/// costs two allocations however many fields it has.
///
/// What the caller appends is checked at once: a name is an RFC 9110 token; a value has no
/// control byte but HTAB and does not begin with white space (as in requests). Trailing white space is kept and
/// sent as given. What the peer sent is checked by the parser.
///
/// ```
/// use waterclock_proto::message::Headers;
///
/// let mut headers = Headers::new();
/// headers.append("Accept", "text/html")?;
/// headers.append("X-Tag", "a")?;
/// headers.append("x-tag", "b")?;
/// assert_eq!(headers.get("ACCEPT"), Some(b"text/html".as_slice()));
/// assert_eq!(headers.get_all("X-Tag").collect::<Vec<_>>(), [b"a", b"b"]);
/// headers.set("X-TAG", "c")?;
/// assert_eq!(headers.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["Accept", "X-TAG"]);
/// assert!(headers.append("X", "1\r\nEvil: 2").is_err());
/// # Ok::<(), waterclock_proto::message::InvalidHeader>(())
/// ```
#[derive(Clone, Default)]
pub struct Headers {
    /// Names and values, each entry's in one piece: nothing of another entry between its ends.
    block: Vec<u8>,
    entries: Vec<Entry>,
}

/// Room for the names and values of a few fields: they come one by one.
const FIRST_BYTES: usize = 64;

/// Where one field's name and value lie in the block.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: (u32, u32),
    pub(crate) value: (u32, u32),
}

impl Entry {
    fn shifted(self, by: u32) -> Entry {
        let shift = |(start, end): (u32, u32)| (start.wrapping_add(by), end.wrapping_add(by));
        Entry { name: shift(self.name), value: shift(self.value) }
    }
}

impl Headers {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Headers { block: Vec::new(), entries: Vec::new() }
    }

    /// No fields yet, but room for `fields` of them with `bytes` bytes of names and values.
    #[must_use]
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Headers { block: Vec::with_capacity(bytes), entries: Vec::with_capacity(fields) }
    }

    /// What a parser found. Every offset lies in `block`; names are tokens, values without CR, LF
    /// and NUL.
    pub(crate) fn from_parsed(block: Vec<u8>, entries: Vec<Entry>) -> Self {
        Headers { block, entries }
    }

    /// How many fields there are; repeats count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a field at the end; others of that name stay.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] when name or value may not be sent. Nothing is added then.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidHeader> {
        let entry = self.store(name, value.as_ref())?;
        self.entries.push(entry);
        Ok(())
    }

    /// Replaces all fields of that name by one, in the first one's place and with `name`'s case.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] when name or value may not be sent. Nothing is changed then.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidHeader> {
        check_field(name.as_bytes(), value.as_ref())?;
        let place = self.position(name);
        if place.is_some() {
            self.remove(name);
        }
        let entry = self.store_bytes(name.as_bytes(), value.as_ref())?;
        self.entries.insert(place.unwrap_or(self.entries.len()), entry);
        Ok(())
    }

    /// Removes all fields of that name and says how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let mut removed = 0;
        while let Some(index) = self.position(name) {
            let gone = self.entries.remove(index);
            self.cut(gone);
            removed += 1;
        }
        removed
    }

    /// Removes all fields.
    pub fn clear(&mut self) {
        self.block.clear();
        self.entries.clear();
    }

    /// The first value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// The first value of that name, if it is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// All values of that name, in order.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.entries
            .iter()
            .filter(move |entry| self.is_named(entry, name.as_bytes()))
            .map(|entry| self.bytes(entry.value))
    }

    /// Whether there is a field of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Whether one of the comma-separated lists under `name` has the element `token`, whatever its
    /// case: `has_token("Connection", "close")`.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.get_all(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .any(|element| trim(element).eq_ignore_ascii_case(token.as_bytes()))
    }

    /// All fields, in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { headers: self, entries: self.entries.iter() }
    }

    /// All fields, in order, with names as bytes: what is only to be sent need not be text.
    pub fn raw(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|entry| (self.bytes(entry.name), self.bytes(entry.value)))
    }

    /// [`contains`](Self::contains), for a name as [`raw`](Self::raw) gives it.
    #[must_use]
    pub fn contains_raw(&self, name: &[u8]) -> bool {
        self.entries.iter().any(|entry| self.is_named(entry, name))
    }

    /// Adds all fields of `other` at the end.
    pub fn extend(&mut self, other: &Headers) {
        self.block.reserve(other.block.len());
        self.entries.reserve(other.entries.len());
        for entry in &other.entries {
            // They were checked when they came into `other`; only the size could fail.
            if let Ok(copy) = self.store_bytes(other.bytes(entry.name), other.bytes(entry.value)) {
                self.entries.push(copy);
            }
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| self.is_named(entry, name.as_bytes()))
    }

    fn is_named(&self, entry: &Entry, name: &[u8]) -> bool {
        // The lengths tell most names apart without a look at the block.
        (entry.name.1 - entry.name.0) as usize == name.len()
            && self.bytes(entry.name).eq_ignore_ascii_case(name)
    }

    fn bytes(&self, (start, end): (u32, u32)) -> &[u8] {
        self.block.get(start as usize..end as usize).unwrap_or_default()
    }

    fn store(&mut self, name: &str, value: &[u8]) -> Result<Entry, InvalidHeader> {
        check_field(name.as_bytes(), value)?;
        self.store_bytes(name.as_bytes(), value)
    }

    fn store_bytes(&mut self, name: &[u8], value: &[u8]) -> Result<Entry, InvalidHeader> {
        let start = self.block.len();
        let offset = |at: usize| u32::try_from(at).map_err(|_| InvalidHeader::TooLarge);
        let middle = offset(start + name.len())?;
        let end = offset(start + name.len() + value.len())?;
        let room = if start == 0 { FIRST_BYTES } else { 0 };
        self.block.reserve(room.max(name.len() + value.len()));
        self.block.extend_from_slice(name);
        self.block.extend_from_slice(value);
        Ok(Entry { name: (offset(start)?, middle), value: (middle, end) })
    }

    /// Takes an entry's bytes out of the block: a removed secret does not linger.
    fn cut(&mut self, gone: Entry) {
        let (start, end) = (gone.name.0, gone.value.1);
        self.block.drain(start as usize..end as usize);
        let back = (end - start).wrapping_neg();
        for entry in self.entries.iter_mut().filter(|entry| entry.name.0 >= end) {
            *entry = entry.shifted(back);
        }
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Headers) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The fields of [`Headers`], in order.
#[derive(Clone)]
pub struct Iter<'a> {
    headers: &'a Headers,
    entries: std::slice::Iter<'a, Entry>,
}

impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("left", &self.entries.len()).finish()
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        // Names are tokens, hence ASCII.
        let name = std::str::from_utf8(self.headers.bytes(entry.name)).unwrap_or_default();
        Some((name, self.headers.bytes(entry.value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// Fields whose values never reach a log.
const SECRET: [&str; 4] = ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"];

/// Shows names and values; values of fields that carry credentials are left out.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self {
            if SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name)) {
                map.entry(&name, &format_args!("<redacted>"));
            } else {
                map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
            }
        }
        map.finish()
    }
}

/// Whether a field may be sent. The writer of the request asks again.
pub(crate) fn check_field(name: &[u8], value: &[u8]) -> Result<(), InvalidHeader> {
    if name.is_empty() {
        return Err(InvalidHeader::EmptyName);
    }
    if let Some(offset) = find_non_token(name) {
        return Err(InvalidHeader::Name { name: snippet(name), offset });
    }
    let fault = if value.first().is_some_and(u8::is_ascii_whitespace) {
        Some((FieldFault::LeadingSpace, 0))
    } else if has_control(value) {
        find_fault(value).map(|at| (FieldFault::of(value[at]), at))
    } else {
        None
    };
    match fault {
        None => Ok(()),
        Some((fault, offset)) => {
            // A token is text.
            let name = String::from_utf8_lossy(name).into();
            Err(InvalidHeader::Value { name, fault, offset })
        }
    }
}

/// The first control byte that is not HTAB (RFC 9110 §5.5).
fn find_fault(value: &[u8]) -> Option<usize> {
    controls(value).find(|&at| value[at] != b'\t').or_else(|| value.iter().position(|&b| b == 0x7f))
}

/// Why a header field may not be sent. The value itself is not repeated: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidHeader {
    /// The name is empty.
    EmptyName,
    /// The name is not an RFC 9110 token.
    Name {
        /// The name, control bytes escaped.
        name: Box<str>,
        /// Where the first wrong byte stands.
        offset: usize,
    },
    /// The value would end the field, or is not what would arrive.
    Value {
        /// The field's name.
        name: Box<str>,
        /// What is wrong.
        fault: FieldFault,
        /// Where in the value.
        offset: usize,
    },
    /// All fields together pass 4 GiB.
    TooLarge,
}

/// What is wrong with a value that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// White space before the value, which no recipient would see.
    LeadingSpace,
    /// CR
    CarriageReturn,
    /// LF
    LineFeed,
    /// NUL
    Nul,
    /// Any other control byte but HTAB.
    Control,
}

impl FieldFault {
    fn of(byte: u8) -> FieldFault {
        match byte {
            b'\r' => FieldFault::CarriageReturn,
            b'\n' => FieldFault::LineFeed,
            0 => FieldFault::Nul,
            _ => FieldFault::Control,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            FieldFault::LeadingSpace => "leading white space",
            FieldFault::CarriageReturn => "a carriage return (CR)",
            FieldFault::LineFeed => "a line feed (LF)",
            FieldFault::Nul => "a NUL byte",
            FieldFault::Control => "a control byte",
        }
    }
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidHeader::EmptyName => f.write_str("a header name is empty"),
            InvalidHeader::Name { name, offset } => write!(
                f,
                "header name \"{name}\" has a byte at offset {offset} that names cannot have"
            ),
            InvalidHeader::Value { name, fault, offset } => {
                write!(f, "the value of header {name} has {} at offset {offset}", fault.name())
            }
            InvalidHeader::TooLarge => f.write_str("the header fields are larger than 4 GiB"),
        }
    }
}

impl std::error::Error for InvalidHeader {}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
