//! Charsets: bytes to text.
