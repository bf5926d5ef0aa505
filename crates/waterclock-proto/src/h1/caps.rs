//! [`Caps`]: how much a peer may make us hold.

/// Bounds on what one response may cost in memory, whatever the peer sends.
///
/// Passing one is an error of kind [`FaultKind::TooLarge`](super::FaultKind::TooLarge).
///
/// ```
/// use waterclock_proto::h1::Caps;
///
/// let caps = Caps { head_bytes: 8 * 1024, ..Caps::default() };
/// assert_eq!(caps.fields, 256);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of one head, status line and blank line included. 64 KiB; curl takes 300 KB, Node 16 KiB.
    pub head_bytes: usize,
    /// Field lines of one head or trailer section. 256; requests takes 100, curl 5,000.
    pub fields: usize,
    /// Bytes of one chunk line: size and extensions. 4 KiB.
    pub chunk_line: usize,
    /// Bytes of chunk extensions that the data so far does not pay for: each byte of data makes up
    /// for one. 16 KiB. Without it a peer could send a thousand bytes for every byte of content
    /// (CVE-2023-39326).
    pub chunk_extensions: usize,
    /// Bytes of a trailer section. 16 KiB.
    pub trailer_bytes: usize,
    /// Interim (1xx) responses before the final one. 32: a slow WebDAV server sends a 102 every
    /// 20 seconds; Go takes 5.
    pub informational: usize,
    /// Bytes of the content, before content codings are undone. As many as there are, for a body
    /// costs no memory that its reader does not give; set it where bodies are read whole.
    pub body_bytes: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Caps {
            head_bytes: 64 * 1024,
            fields: 256,
            chunk_line: 4 * 1024,
            chunk_extensions: 16 * 1024,
            trailer_bytes: 16 * 1024,
            informational: 32,
            body_bytes: u64::MAX,
        }
    }
}
