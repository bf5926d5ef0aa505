//! [`Part`]: one field or file of a form, and how its head is written.

use super::media_type;
use crate::request::RequestBody;
use std::fs::File;
use std::path::Path;
use std::{error, fmt, io};
use waterclock_proto::message::{Headers, InvalidHeader};

/// One field or file of a [`Multipart`](super::Multipart) form.
///
/// Name and file name are sent as browsers send them: UTF-8, with `"`, CR and LF as `%22`, `%0D` and
/// `%0A` (HTML Standard, "multipart/form-data encoding algorithm"), a line end in a name as CRLF.
/// Other control characters but HTAB, which browsers would send, become `%00` and so on.
///
/// ```
/// use waterclock::{Multipart, Part, RequestBody};
///
/// let lines = RequestBody::chunks(["a,b\n", "1,2\n"].into_iter());
/// let part = Part::new("table", lines)
///     .file_name("table.csv")
///     .content_type("text/csv; charset=utf-8")
///     .header("Content-Language", "en");
/// let (_, body) = Multipart::new().part(part).into_body([0; 16])?;
/// assert_eq!(body.length(), None);
/// # Ok::<(), waterclock::InvalidPart>(())
/// ```
#[derive(Debug)]
pub struct Part {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    headers: Vec<(String, String)>,
    body: RequestBody,
}

impl Part {
    /// A part of that name, without file name and Content-Type.
    pub fn new(name: impl Into<String>, body: impl Into<RequestBody>) -> Self {
        Part {
            name: name.into(),
            file_name: None,
            content_type: None,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// A file, streamed: with the last component of `path` as its file name, and the Content-Type
    /// that goes with its extension, or `application/octet-stream`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn file(name: impl Into<String>, path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let body = open(path).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot send {}: {error}", path.display()))
        })?;
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Part::new(name, body).file_name(file_name).content_type(media_type::of(path)))
    }

    /// Sets the file name; servers take a part with one for a file. Directories are not left out.
    #[must_use]
    pub fn file_name(mut self, file_name: impl Into<String>) -> Self {
        self.file_name = Some(file_name.into());
        self
    }

    /// Sets the Content-Type.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Adds a header to the part. `Content-Type` is set by it; `Content-Disposition` cannot be.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        if name.eq_ignore_ascii_case("content-type") {
            return self.content_type(value);
        }
        self.headers.push((name, value.into()));
        self
    }

    /// Writes the headers and the empty line after them.
    pub(super) fn write_head(&self, out: &mut Vec<u8>) -> Result<(), InvalidPart> {
        let headers = self.headers().map_err(|fault| self.invalid(fault))?;
        for (name, value) in &headers {
            for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
                out.extend_from_slice(piece);
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn headers(&self) -> Result<Headers, Fault> {
        let mut headers = Headers::new();
        headers.append("Content-Disposition", self.disposition())?;
        if let Some(content_type) = &self.content_type {
            headers.append("Content-Type", content_type)?;
        }
        for (name, value) in &self.headers {
            if name.eq_ignore_ascii_case("content-disposition") {
                return Err(Fault::Disposition);
            }
            headers.append(name, value)?;
        }
        Ok(headers)
    }

    fn disposition(&self) -> String {
        let mut value = String::from("form-data; name=\"");
        push_quoted(&mut value, &with_crlf(&self.name));
        if let Some(file_name) = &self.file_name {
            value.push_str("\"; filename=\"");
            push_quoted(&mut value, file_name);
        }
        value.push('"');
        value
    }

    /// The name, for errors, and the body, at its beginning.
    pub(super) fn into_content(mut self) -> Result<(String, RequestBody), InvalidPart> {
        match self.body.rewind() {
            Ok(()) => Ok((self.name, self.body)),
            Err(error) => Err(self.invalid(Fault::Used(error))),
        }
    }

    fn invalid(&self, fault: Fault) -> InvalidPart {
        InvalidPart { part: self.name.clone(), fault }
    }
}

/// Opens a file to be sent. A directory can be opened, but not read.
fn open(path: &Path) -> io::Result<RequestBody> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    RequestBody::file(file)
}

/// Every line end as CRLF.
fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// What would end a quoted name, or the line, is percent-encoded. `%` is not: so browsers do it.
fn push_quoted(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("%22"),
            '\t' => out.push(c),
            _ if c.is_ascii_control() => out.push_str(&format!("%{:02X}", u32::from(c))),
            _ => out.push(c),
        }
    }
}

/// A part of a form that cannot be sent.
#[derive(Debug)]
pub struct InvalidPart {
    part: String,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    Header(InvalidHeader),
    Disposition,
    Used(io::Error),
}

impl InvalidPart {
    /// The name of the part.
    #[must_use]
    pub fn part(&self) -> &str {
        &self.part
    }
}

impl From<InvalidHeader> for Fault {
    fn from(error: InvalidHeader) -> Self {
        Fault::Header(error)
    }
}

impl fmt::Display for InvalidPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part {:?} of the form: ", self.part)?;
        match &self.fault {
            Fault::Header(error) => error.fmt(f),
            Fault::Disposition => f.write_str(
                "Content-Disposition is made of the part's name and file_name; set those",
            ),
            Fault::Used(error) => {
                write!(
                    f,
                    "its body was read already and cannot begin again ({error}); give a new one"
                )
            }
        }
    }
}

impl error::Error for InvalidPart {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.fault {
            Fault::Header(error) => Some(error),
            Fault::Used(error) => Some(error),
            Fault::Disposition => None,
        }
    }
}
