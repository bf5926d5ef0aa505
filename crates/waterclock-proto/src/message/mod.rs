//! The parts of a message: method, header fields, response head (RFC 9110 §3.9, §5, §9, §15).
//!
//! These types say what a message *is*; how it looks on the wire is the business of [`crate::h1`].

mod bytes;
mod content_type;
mod head;
mod headers;
pub mod link;
mod method;
mod params;

pub use content_type::ContentType;
pub use head::{Reason, ResponseHead, Version, canonical_reason};
pub use headers::{FieldFault, Headers, InvalidHeader, Iter};
pub use link::{Link, by_rel, parse_links};
pub use method::{InvalidMethod, Method, Token};

pub(crate) use bytes::{
    controls, find_control, find_non_token, has_control, is_token_byte, parse_decimal, snippet,
    snippet_of_field, trim,
};
pub(crate) use headers::{Entry, check_field};
