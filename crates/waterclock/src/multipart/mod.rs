//! [`Multipart`]: a form with files, as `multipart/form-data` (RFC 7578).

mod media_type;
mod part;
mod source;
#[cfg(test)]
mod tests;

pub use part::{InvalidPart, Part};

use crate::request::RequestBody;
use source::{Form, Segment};
use std::fmt::Write;
use std::io;
use std::path::Path;

/// A form that is sent as `multipart/form-data`: fields and files in their order.
///
/// Nothing is read before it is sent, and then piece by piece: a form of any size takes a few
/// kilobytes. It has a Content-Length if each part's length is known, and can be sent again if each
/// part can. Parts are not searched for the boundary, which is 128 random bits.
///
/// ```
/// use waterclock::{Multipart, Part};
///
/// let form = Multipart::new()
///     .text("title", "A \"quoted\" one")
///     .file("manifest", "Cargo.toml")?
///     .part(Part::new("raw", vec![0, 1, 2]).file_name("raw.bin"));
/// let random = [7; 16]; // a request takes this from its session
/// let (content_type, body) = form.into_body(random)?;
/// assert_eq!(content_type, "multipart/form-data; boundary=07070707070707070707070707070707");
/// assert!(body.length().is_some() && body.is_replayable());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Multipart {
    parts: Vec<Part>,
}

impl Multipart {
    /// A form without parts.
    #[must_use]
    pub fn new() -> Self {
        Multipart::default()
    }

    /// Adds a field. Its value is sent as it is (browsers turn every line end into CRLF).
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.part(Part::new(name, value.into()))
    }

    /// Adds a file, with its name and the type that goes with its extension: see [`Part::file`].
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn file(self, name: impl Into<String>, path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(self.part(Part::file(name, path)?))
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// The form as the value of Content-Type and a body. `random` becomes the boundary, and must be
    /// such that nobody who wrote a part could know it.
    ///
    /// # Errors
    /// [`InvalidPart`] when a header of a part may not be sent, or a part's body is used up.
    pub fn into_body(self, random: [u8; 16]) -> Result<(String, RequestBody), InvalidPart> {
        let boundary = random.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let mut segments = Vec::with_capacity(2 * self.parts.len() + 1);
        let mut between = String::new();
        for part in self.parts {
            between.extend(["--", &boundary, "\r\n"]);
            let mut head = std::mem::take(&mut between).into_bytes();
            part.write_head(&mut head)?;
            let (name, body) = part.into_content()?;
            segments.push(Segment::frame(head));
            segments.push(Segment { part: name, body });
            between.push_str("\r\n");
        }
        between.extend(["--", &boundary, "--\r\n"]);
        segments.push(Segment::frame(between.into_bytes()));
        let form = Form::new(segments);
        let length = form.length();
        let content_type = format!("multipart/form-data; boundary={boundary}");
        Ok((content_type, RequestBody::source(form, length)))
    }
}
